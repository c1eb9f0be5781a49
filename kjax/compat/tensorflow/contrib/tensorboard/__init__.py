"""`tf.contrib.tensorboard`: what its plugins are told."""

from __future__ import annotations

from kjax.compat.tensorflow.contrib.tensorboard import plugins

__all__ = ["plugins"]
