"""`keras.utils.theano_utils` of Keras 0: variables under Theano's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kjax import backend as K
from kjax._core.graph import Variable


def floatX(X: Any) -> np.ndarray:
    """An array of floats."""
    return np.asarray(X, dtype=K.floatx())


def sharedX(X: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable that begins with `X`."""
    return K.variable(X, dtype or K.floatx(), name)


def shared_zeros(shape: Sequence[int], dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return sharedX(np.zeros(shape), dtype, name)


def shared_ones(shape: Sequence[int], dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return sharedX(np.ones(shape), dtype, name)


def shared_scalar(val: float = 0.0, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with one number."""
    return sharedX(np.array(val), dtype, name)


def alloc_zeros_matrix(*dims: int) -> Any:
    """Zeros of the lengths `dims`."""
    return K.zeros(dims)


def ndim_tensor(ndim: int) -> Any:
    """A placeholder with `ndim` axes."""
    return K.placeholder(ndim=ndim)
