"""`tf.contrib.tensorboard.plugins`: the projector of embeddings."""

from __future__ import annotations

from kjax.compat.tensorflow.contrib.tensorboard.plugins import projector

__all__ = ["projector"]
