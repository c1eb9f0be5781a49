"""`tensorflow.python.framework`: Graphs, types, shapes."""

from __future__ import annotations

from kjax.compat.tensorflow import _inner

__getattr__ = _inner.modules_of("framework")
