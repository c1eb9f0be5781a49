"""`tf.compat`: both versions are the one module that kjax has."""

from __future__ import annotations

from typing import Any

from kjax.compat import tensorflow as v1
from kjax.compat import tensorflow as v2


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Bytes or a string as a string."""
    return bytes_or_text.decode(encoding) if isinstance(bytes_or_text, bytes) else str(bytes_or_text)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Bytes or a string as bytes."""
    return bytes_or_text if isinstance(bytes_or_text, bytes) else str(bytes_or_text).encode(encoding)


def dimension_value(dimension: Any) -> int | None:
    """A dimension of a shape as a number of Python, or None."""
    return None if dimension is None else int(dimension)


as_str = as_str_any = as_text

__all__ = ["as_bytes", "as_str", "as_str_any", "as_text", "dimension_value", "v1", "v2"]
