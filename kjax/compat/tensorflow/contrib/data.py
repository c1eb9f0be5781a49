"""`tf.contrib.data`: as `tf.data`."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow import data as source
from kjax.compat.tensorflow.data import *  # noqa: F403

__all__ = [*source.__all__]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.contrib.data", __all__)
