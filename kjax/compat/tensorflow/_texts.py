"""Strings of data sets, which are worked on at once, on the host: no program of JAX's holds them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core import scope
from kjax._core.held import Held
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow._arguments import constant_of
from kjax.compat.tensorflow._elements import Element, Text
from kjax.compat.tensorflow._fetches import HostTensor, holds_strings


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


def _are_strings(value: Any) -> bool:
    held = isinstance(value, HostTensor) or (isinstance(value, np.ndarray) and value.dtype == object)
    return held or holds_strings(value)


def or_same(compare: Callable[..., Any], wanted: bool) -> Callable[..., Any]:
    """A comparison of tensors that also compares strings: whether they are the same, or not if `wanted` is False."""

    @functools.wraps(compare)
    def call(x: Any, y: Any, name: str | None = None) -> Any:
        if not (_are_strings(x) or _are_strings(y)):
            return compare(x, y, name)
        plain = np.vectorize(text_of, otypes=[object])
        return shown((plain(host_value(x)) == plain(host_value(y))) == wanted)

    return call
