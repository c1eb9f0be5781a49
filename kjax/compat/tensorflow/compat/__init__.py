"""`tf.compat`: both versions are the one module that kjax has."""

from __future__ import annotations

from kjax.compat import tensorflow as v1
from kjax.compat import tensorflow as v2

__all__ = ["v1", "v2"]
