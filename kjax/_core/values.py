"""Results of computing at once: numpy arrays that also answer to `.numpy()`, as TensorFlow 2's tensors do."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.core import Tracer


class Value(np.ndarray):
    """A numpy array with the method `numpy`."""

    def numpy(self) -> Any:
        """The plain array, or the number if it has no dimensions."""
        return np.array(self)[()]


_kind: type[np.ndarray] = np.ndarray


def give_out(kind: type[np.ndarray]) -> None:
    """Set the kind of arrays that users get of models and functions."""
    global _kind
    _kind = kind


def given_out(x: Any) -> Any:
    """Arrays in `x`, a list or a single one, as users get them."""
    if _kind is np.ndarray:
        return x
    if isinstance(x, list):
        return [given_out(item) for item in x]
    return x.view(_kind) if type(x) is np.ndarray else x


def as_value(x: Any) -> Any:
    """Arrays of JAX in `x`, a tree of any kind, as `Value`s; traced values and everything else as they are."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer):
            return np.array(leaf).view(Value)
        return leaf

    return jax.tree.map(convert, x)
