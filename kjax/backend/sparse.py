"""Sparse matrices: what of them there is. Programs compute with dense arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kjax._core.graph import Tensor, apply
from kjax.backend._ops import array


class SparseTensor(NamedTuple):
    """The entries of a tensor that are not 0.

    Attributes:
        indices: place of each entry, shape (entries, axes).
        values: the entries.
        dense_shape: shape of the tensor.
    """

    indices: np.ndarray
    values: np.ndarray
    dense_shape: np.ndarray


def is_scipy_sparse(x: Any) -> bool:
    """Whether `x` is a sparse matrix of scipy, which need not be loaded."""
    return hasattr(x, "toarray") and type(x).__module__.partition(".")[0] == "scipy"


def is_sparse(tensor: Any) -> bool:
    """Whether `tensor` is a sparse placeholder or input, a sparse matrix of scipy, or a `SparseTensor`."""
    if isinstance(tensor, Tensor):
        return tensor.sparse
    return isinstance(tensor, SparseTensor) or is_scipy_sparse(tensor)


def to_dense(tensor: Any) -> Any:
    """A sparse tensor as a dense one; a dense one as it is."""
    if isinstance(tensor, Tensor):
        return apply(array, tensor) if tensor.sparse else tensor
    if isinstance(tensor, SparseTensor):
        dense = np.zeros(tuple(tensor.dense_shape), tensor.values.dtype)
        dense[tuple(np.asarray(tensor.indices).T)] = tensor.values
        return array(dense)
    return array(tensor.toarray()) if is_scipy_sparse(tensor) else tensor
