"""`tf.contrib.framework`: `arg_scope`, and lists of variables."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._decays import create_global_step, get_global_step, get_or_create_global_step
from kjax.compat.tensorflow.contrib import layers as source
from kjax.compat.tensorflow.contrib.layers import *  # noqa: F403

__all__ = ["create_global_step", "get_global_step", "get_or_create_global_step", *source.__all__]  # pyright: ignore[reportUnsupportedDunderAll]
__getattr__ = _missing.attribute("tensorflow.contrib.framework", __all__)
