"""Functions of matrices at the top level."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import axes
from kjax.compat.tensorflow._graph import node


def diag(diagonal: Any, name: str | None = None) -> Any:
    """A matrix with these numbers on its diagonal."""
    return node("Diag", lambda x: jnp.diag(array(x)), diagonal, name=name)


def diag_part(input: Any, name: str | None = None) -> Any:
    """The diagonal of a matrix."""
    return node("DiagPart", lambda x: jnp.diagonal(array(x)), input, name=name)


def trace(x: Any, name: str | None = None) -> Any:
    """The sum of the diagonal of a matrix."""
    return node("Trace", lambda x: jnp.trace(array(x)), x, name=name)


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The inverse of a matrix."""
    return node("MatrixInverse", lambda x: jnp.linalg.inv(float_array(x)), input, name=name)


def matrix_determinant(input: Any, name: str | None = None) -> Any:
    """The determinant of a matrix."""
    return node("MatrixDeterminant", lambda x: jnp.linalg.det(float_array(x)), input, name=name)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The Euclidean norm, of all numbers or along axes; that of another order, with `np.inf` the largest size."""
    which = axes(axis)

    def length(x: Any) -> Any:
        x = float_array(x)
        if ord == 1:
            return jnp.sum(jnp.abs(x), which, keepdims=keepdims)
        if ord in (float("inf"), "inf"):
            return jnp.max(jnp.abs(x), which, keepdims=keepdims)
        if isinstance(ord, (int, float)) and ord != 2:
            return jnp.sum(jnp.abs(x) ** ord, which, keepdims=keepdims) ** (1 / ord)
        return jnp.sqrt(jnp.sum(jnp.square(x), which, keepdims=keepdims))

    return node("norm", length, tensor, name=name)


__all__ = ["diag", "diag_part", "matrix_determinant", "matrix_inverse", "norm", "trace"]
