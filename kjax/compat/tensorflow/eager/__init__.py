"""`tensorflow.python.eager`: Whether operations are computed at once."""

from __future__ import annotations

from kjax.compat.tensorflow import _inner

__getattr__ = _inner.modules_of("eager")
