"""Tensors in another shape: reshaped, joined, repeated, padded with an axis, cut."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any
from typing import cast as typed

import jax
import jax.numpy as jnp

from kjax._core import config, operators
from kjax._core.graph import Tensor, apply
from kjax.backend._ops import array, device_dtype, dimensions, is_static_shape, op
from kjax.backend._ops import axes as as_axes
from kjax.backend.sparse import is_sparse


@op
def reshape(x: Any, shape: Any) -> Any:
    """`x` in another shape; a length of -1 follows from the others."""
    if not isinstance(shape, int):
        shape = tuple(-1 if length is None else length for length in shape)
    return jnp.reshape(array(x), dimensions(shape))


@op
def permute_dimensions(x: Any, pattern: Any) -> Any:
    """`x` with its axes in the order of `pattern`, such as `(0, 2, 1)`."""
    return jnp.transpose(array(x), dimensions(pattern))


@op
def flatten(x: Any) -> Any:
    """All elements in one axis."""
    return jnp.ravel(array(x))


@op
def batch_flatten(x: Any) -> Any:
    """The elements of each sample in one axis."""
    x = array(x)
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))


@op
def expand_dims(x: Any, axis: int = -1) -> Any:
    """`x` with one more axis, of length 1, at `axis`."""
    return jnp.expand_dims(array(x), axis)


@op
def squeeze(x: Any, axis: Any) -> Any:
    """`x` without the axis `axis`, whose length is 1."""
    return jnp.squeeze(array(x), as_axes(axis))


@op
def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element `rep` times along an axis, as `np.repeat`."""
    return jnp.repeat(array(x), rep, axis)


@op
def repeat(x: Any, n: int) -> Any:
    """`(samples, features)` as `(samples, n, features)`.

    Raises:
        ValueError: if `x` does not have two axes.
    """
    x = array(x)
    if x.ndim != 2:
        raise ValueError(f"`K.repeat` expects a tensor (samples, features), but its shape is {x.shape}.")
    return jnp.repeat(x[:, None], n, axis=1)


@op
def tile(x: Any, n: Any) -> Any:
    """`x` repeated as a whole, `n[i]` times along axis `i`."""
    return jnp.tile(array(x), dimensions(n))


def _meeting(tensors: Sequence[Any]) -> list[Any]:
    """Arrays of one type."""
    arrays = [array(x) for x in tensors]
    common = arrays[0]
    for other in arrays[1:]:
        common = common.astype(operators.common_dtype(common, other))
    return [x.astype(common.dtype) for x in arrays]


@op
def stack(x: Any, axis: int = 0) -> Any:
    """Tensors of one shape along a new axis. Of lengths taken from shapes: a shape."""
    if isinstance(x, (list, tuple)):
        parts = typed("Sequence[Any]", x)
        return tuple(parts) if is_static_shape(tuple(parts)) else jnp.stack(_meeting(parts), axis)
    return jnp.stack(list(x), axis)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Tensors joined along an axis. Of shapes, and lists of ints: a shape. Of sparse tensors alone: a sparse one."""
    joined = apply(join, tensors, axis)
    if isinstance(joined, Tensor) and all(is_sparse(x) for x in tensors):
        joined.sparse = True
    return joined


def join(tensors: Sequence[Any], axis: int = -1) -> Any:
    """`concatenate` of arrays."""
    if any(is_static_shape(x) for x in tensors) and all(_is_lengths(x) for x in tensors):
        return tuple(length for x in tensors for length in x)
    return jnp.concatenate(_meeting(tensors), axis)


def _is_lengths(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and is_static_shape(tuple(typed("Sequence[Any]", x)))


@op
def one_hot(indices: Any, num_classes: int) -> Any:
    """A new last axis with 1 at the index and 0 elsewhere; all 0 for an index that is no class."""
    return jax.nn.one_hot(array(indices).astype("int32"), num_classes, dtype=config.floatx())


@op
def reverse(x: Any, axes: Any) -> Any:
    """`x` backwards along an axis or several."""
    return jnp.flip(array(x), as_axes(axes))


@op
def slice(x: Any, start: Any, size: Any) -> Any:
    """The part of `x` that begins at `start` and has the shape `size`; -1 in `size` means up to the end.

    Arguments:
        x: tensor.
        start: one int an axis; may be computed by the program.
        size: one int an axis.
    """
    x = array(x)
    if all(isinstance(begin, int) for begin in start):
        ends = [None if n == -1 else begin + n for begin, n in zip(start, size, strict=True)]
        return x[tuple(map(_span, start, ends))]
    lengths = [length if n == -1 else n for n, length in zip(size, x.shape, strict=True)]
    return jax.lax.dynamic_slice(x, list(start), lengths)


def _span(begin: int, end: int | None) -> Any:
    return builtins.slice(begin, end)


@op
def identity(x: Any, name: str | None = None) -> Any:
    """`x` itself, as a tensor of its own."""
    return array(x)


@op
def cast(x: Any, dtype: Any) -> Any:
    """`x` in another type, such as `'float32'`."""
    return array(x).astype(device_dtype(dtype))
