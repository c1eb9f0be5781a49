"""`tf.contrib`: the few parts of it that tutorials used."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow.contrib import layers

__all__ = ["layers"]
__getattr__ = _missing.attribute("tensorflow.contrib", __all__)
