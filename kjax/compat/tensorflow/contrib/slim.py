"""`tf.contrib.slim`: the functions of `tf.contrib.layers`."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow.contrib import layers as source
from kjax.compat.tensorflow.contrib.layers import *  # noqa: F403

__all__ = [*source.__all__]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.contrib.slim", __all__)
