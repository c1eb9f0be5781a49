"""Products of matrices and look-ups of rows."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax._core import operators
from kjax.backend._ops import array, op


def _same_dtype(x: Any, y: Any) -> tuple[Any, Any]:
    x, y = array(x), array(y)
    dtype = operators.common_dtype(x, y)
    return x.astype(dtype), y.astype(dtype)


@op
def dot(x: Any, y: Any) -> Any:
    """Product over the last axis of `x` and the last but one of `y`.

    `(a, b, k)` and `(c, k, d)` give `(a, b, c, d)`.
    """
    x, y = _same_dtype(x, y)
    if x.ndim == 2 and y.ndim == 2:
        return jnp.matmul(x, y)
    if x.ndim == 0 or y.ndim == 0:
        return operators.multiply(x, y)
    return jnp.tensordot(x, y, ((x.ndim - 1,), (y.ndim - 2 if y.ndim > 1 else 0,)))


@op
def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Product of the samples of two batches, each with its counterpart.

    The result has the axes of `x` without the one summed over, then those of `y` without it and the first. It
    has at
    least two: a vector of numbers, one a sample, gets an axis of length 1.

    Arguments:
        x, y: tensors whose first axis is the batch.
        axes: the axis of `x` and that of `y` to sum over, or one int for both; the last of `x` and the last
            but one of `y` if None.

    Raises:
        ValueError: if `axes` names several axes of one tensor.
    """
    x, y = _same_dtype(x, y)
    if axes is None:
        axes = (x.ndim - 1, 1 if x.ndim > 2 and y.ndim == 2 else y.ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    if isinstance(first, (list, tuple)) or isinstance(second, (list, tuple)):
        raise ValueError(
            "Multiple target dimensions are not supported. Expected: None, int, (int, int), "
            f"Provided: {axes}. Reshape the tensors so that one axis each is summed over."
        )
    first, second = first % x.ndim, second % y.ndim
    out = _batch_product(x, y, first, second)
    return out[:, None] if out.ndim == 1 else out


def _batch_product(x: Any, y: Any, first: int, second: int) -> Any:
    if x.ndim == 2 and y.ndim == 2:
        return jnp.sum(x * y, first) if first == second else jnp.sum(x.T * y, second)
    in_last_two = x.ndim == y.ndim and min(first, second) >= x.ndim - 2
    if in_last_two and x.shape[1:-2] == y.shape[1:-2]:  # all axes but the last two count as the batch
        x = x if first == x.ndim - 1 else jnp.swapaxes(x, -1, -2)
        y = jnp.swapaxes(y, -1, -2) if second == y.ndim - 1 else y
        return jnp.matmul(x, y)
    if 2 < x.ndim == y.ndim - 1 and first == x.ndim - 1 and second >= y.ndim - 2 and x.shape[:-1] == y.shape[:-2]:
        # As in Keras 2.2: a vector with each of the matrices that have the same axes before them.
        y = jnp.swapaxes(y, -1, -2) if second == y.ndim - 1 else y
        return jnp.matmul(x[..., None, :], y)[..., 0, :]
    letters = "cdefghijklmnop"
    in_x = ["a", *letters[: x.ndim - 1]]
    in_y = ["a", *letters[x.ndim : x.ndim + y.ndim - 1]]
    in_x[first] = in_y[second] = "b"
    out = [letter for letter in in_x if letter != "b"] + [letter for letter in in_y[1:] if letter != "b"]
    return jnp.einsum(f"{''.join(in_x)},{''.join(in_y)}->{''.join(out)}", x, y)


@op
def transpose(x: Any) -> Any:
    """`x` with its axes in reverse order."""
    return jnp.transpose(array(x))


@op
def gather(reference: Any, indices: Any) -> Any:
    """The rows of `reference` at `indices`, a tensor of integers. A row that does not exist is NaN.

    The result has the shape of `indices`, then that of a row.
    """
    indices = array(indices)
    if not jnp.issubdtype(indices.dtype, jnp.integer):
        indices = indices.astype("int32")
    return jnp.take(array(reference), indices, axis=0)
