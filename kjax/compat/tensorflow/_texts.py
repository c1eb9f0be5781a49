"""Strings of data sets, which are worked on at once, on the host: no program of JAX's holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core import scope
from kjax._core.held import Held
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow._arguments import constant_of
from kjax.compat.tensorflow._elements import Element, Text
from kjax.compat.tensorflow._fetches import HostTensor


def host_value(value: Any, what: str = "This function") -> np.ndarray:
    """What a function that works on the host is given, as an array of numpy.

    Raises:
        TypeError: for a tensor without a value.
    """
    if isinstance(value, HostTensor):
        value = value.numpy()
    if isinstance(value, Held):
        value = value.held
    if isinstance(value, (Tensor, Variable)) and not getattr(value, "known", True):
        raise TypeError(
            f"{what} works on values, but {value!r} has none yet. Call it in `Dataset.map`, or on values before "
            "a graph is built."
        )
    if isinstance(value, (list, tuple)):
        parts = [host_value(part, what)[()] for part in value]
        return np.array(parts, object if any(isinstance(part, (str, bytes)) for part in parts) else None)
    return np.asarray(value, object if isinstance(value, (str, bytes)) else None)


def shown(values: Any) -> Any:
    """Numbers that were made on the host, as a tensor."""
    values = np.asarray(values)
    return Held(array(values)) if scope.current() is not None else constant_of(array(values))


def text_of(value: Any) -> str:
    """A string, of bytes too."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def texts(values: Any) -> Any:
    """Strings, as elements of a data set."""
    return np.vectorize(lambda x: Text(text_of(x)), otypes=[object])(np.asarray(values, object)).view(Element)


def each(what: str, change: Callable[[str], Any], values: Any, kind: Any = None) -> Any:
    """A function of each string: strings, or numbers of a type."""
    found = host_value(values, what)
    made = np.vectorize(lambda x: change(text_of(x)), otypes=[object if kind is None else kind])(found)
    return texts(made) if kind is None else shown(made)
