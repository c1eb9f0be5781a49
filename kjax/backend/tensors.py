"""What a tensor is: its shape, its type, its kind."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from kjax._core import graph
from kjax._core.graph import Tensor, Variable
from kjax._core.lengths import Lengths
from kjax._core.tensors import Symbolic


def shape(x: Any) -> Any:
    """The shape of `x`: a tuple of ints, or a tensor that becomes one when its graph runs."""
    return graph.shape_tensor(x) if isinstance(x, Tensor) else Lengths(_known_shape(x))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of `x` as a tuple of ints, with None where it is not known."""
    return tuple(x.shape) if isinstance(x, Tensor) else _known_shape(x)


def _known_shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def get_variable_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of a variable, as `int_shape`."""
    return int_shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(int_shape(x))


def dtype(x: Any) -> str:
    """The name of the type of the elements, such as `'float32'`."""
    return np.dtype(x.dtype).name if hasattr(x, "dtype") else np.asarray(x).dtype.name


def count_params(x: Any) -> int:
    """The number of elements of a variable or of an array."""
    return math.prod(_known_shape(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, a variable or an array of JAX."""
    return isinstance(x, (Symbolic, jax.Array))


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable."""
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether `x` is a symbolic tensor that a caller feeds, and that nothing computes."""
    return isinstance(x, Tensor) and x.node is None and x.masked is None


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is an output of a layer, or of `Input`.

    Raises:
        ValueError: if `x` is no tensor.
    """
    if not is_tensor(x):
        raise ValueError(f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance.")
    return getattr(x, "_keras_history", None) is not None
