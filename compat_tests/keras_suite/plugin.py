"""What pytest loads before Keras's tests: from here on `keras` is kjax."""

from __future__ import annotations

from kjax.compat import keras_alias

__all__ = ["keras_alias"]
