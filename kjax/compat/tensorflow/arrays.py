"""Functions of the top level of TensorFlow that make tensors, or give them another shape."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, operators
from kjax._core.held import Held
from kjax._core.lengths import Lengths
from kjax._core.tensors import Tensor, Variable
from kjax.backend import shapes
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import axes, convert, dimensions, dtype_name, either, static, where_known
from kjax.compat.tensorflow._fetches import HostTensor, holds_strings, string_constant
from kjax.compat.tensorflow._graph import node


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor that is fed.

    Arguments:
        dtype: its type.
        shape: its shape, None where a dimension is not known; None as a whole for any shape.
        name: its name.

    A placeholder of any shape counts as a scalar until it is fed: give it a shape where you can.
    """
    default = _graph.get_default_graph()
    known = (
        [] if shape is None else [None if d in (None, -1) else int(d) for d in np.atleast_1d(np.array(shape, object))]
    )
    made = Tensor(known, dtype_name(dtype))
    default.register(default.unique_name(name or "Placeholder"), [made], "Placeholder")
    if shape is None:
        made.__dict__.update(fed_shape=None, any_shape=True)
    return made


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Any:
    """A tensor that may be fed, and has a value if it is not."""
    made = node("PlaceholderWithDefault", array, convert(input), name=name)
    made.shape = type(made.shape)(None if d in (None, -1) else int(d) for d in shape)
    made.known = False
    return made


def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str | None = None, verify_shape: bool = False
) -> Any:
    """A constant tensor.

    Arguments:
        value: number, list or array; or strings.
        dtype: its type; that of `value` if None.
        shape: its shape, which a single number fills.
        name: its name.
    """
    if isinstance(value, HostTensor) or holds_strings(value):
        return string_constant(value, name)
    if shape is not None and not isinstance(value, (Tensor, Variable)):
        given, wanted = np.asarray(value), tuple(dimensions(shape))
        if given.size == 1 or given.size != np.prod(wanted):
            given = np.resize(given, wanted) if given.size > 1 else np.full(wanted, given.item(), given.dtype)
        value = given.reshape(wanted).astype(np.float32) if given.dtype == np.float64 else given.reshape(wanted)
    return convert(value, dtype, name)


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None) -> Any:
    """`value` as a tensor."""
    return convert(value, dtype, name)


def _filled(shape: Any, value: Any, dtype: Any) -> Any:
    return jnp.full(tuple(int(d) for d in shape), value, dtype)


_filled.fills_shape = True  # type: ignore[attr-defined]


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of zeros."""
    return node("zeros", _filled, dimensions(shape), 0, dtype_name(dtype), name=name)


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of ones."""
    return node("ones", _filled, dimensions(shape), 1, dtype_name(dtype), name=name)


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """A tensor of one number."""

    def filled(shape: Any, value: Any) -> Any:
        return jnp.broadcast_to(array(value), tuple(int(d) for d in shape))

    filled.fills_shape = True  # type: ignore[attr-defined]
    return node("Fill", filled, dimensions(dims), convert(value), name=name)


def _like(value: int, tensor: Any, dtype: Any, name: str) -> Any:
    wanted = dtype_name(dtype)
    return node(name, lambda x: jnp.full_like(array(x), value, dtype=wanted), tensor, name=name)


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Zeros of the shape and type of another tensor."""
    return _like(0, tensor, dtype, name or "zeros_like")


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Ones of the shape and type of another tensor."""
    return _like(1, tensor, dtype, name or "ones_like")


def eye(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: Any = "float32",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Ones on the diagonal, zeros elsewhere; for each place of `batch_shape`, if it is given."""

    def matrices(rows: int, columns: int | None, batch: Any) -> Any:
        one = jnp.eye(rows, columns, dtype=dtype_name(dtype))
        return jnp.broadcast_to(one, (*(int(d) for d in batch), *one.shape))

    return node("eye", matrices, static(num_rows), static(num_columns), dimensions(batch_shape or []), name=name)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Numbers from `start` (0 if it is the only argument) up to `limit`, without it."""
    first, last = (0, start) if limit is None else (start, limit)
    bounds = [where_known(first), where_known(last), where_known(delta)]
    return node("range", lambda a, b, c: jnp.arange(a, b, c, dtype=dtype_name(dtype)), *bounds, name=name)


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Any:
    """`num` numbers spread evenly from `start` to `stop`."""
    return node("LinSpace", lambda a, b: jnp.linspace(a, b, int(num), dtype=jnp.float32), start, stop, name=name)


def one_hot(
    indices: Any,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """`on_value` at each index, `off_value` elsewhere; an index outside of 0..depth-1 marks nothing.

    Arguments:
        indices: integers of any shape, an array or a symbolic tensor.
        depth: length of the new axis.
        on_value, off_value: 1 and 0 by default.
        axis: where the new axis goes; the last by default.
        dtype: float32 by default.
        name: its name.
    """
    kind = dtype_name(dtype, "float32")
    on, off = (1 if on_value is None else on_value), (0 if off_value is None else off_value)
    size, place = int(static(depth)), -1 if axis is None else axis

    def hot(values: Any) -> Any:
        chosen = jax.nn.one_hot(array(values), size, axis=place, dtype=bool)
        return jnp.where(chosen, jnp.asarray(on, dtype=kind), jnp.asarray(off, dtype=kind))

    return node("one_hot", hot, indices, name=name)


def identity(input: Any, name: str | None = None) -> Any:
    """The same value, as a tensor of its own."""
    return node("Identity", array, convert(input), name=name)


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The same value, as a constant for gradients."""
    return node("StopGradient", lambda x: jax.lax.stop_gradient(array(x)), input, name=name)


def shape(input: Any, name: str | None = None, out_type: Any = None) -> Any:
    """The shape of a tensor: known when the program is compiled, so that it can be the shape of something else."""
    return graph.shape_tensor(input) if isinstance(input, Tensor) else Lengths(jnp.shape(array(input)))


def rank(input: Any, name: str | None = None) -> Any:
    """The number of axes."""
    return constant(len(input.shape) if hasattr(input, "shape") else np.ndim(input), name=name or "Rank")


def size(input: Any, name: str | None = None, out_type: Any = None) -> Any:
    """The number of elements."""
    return node("Size", lambda x: jnp.asarray(array(x).size, jnp.int32), input, name=name)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """A tensor in another shape; a length of -1 follows from the others."""

    def reshaped(x: Any, shape: Any) -> Any:
        x, wanted = array(x), tuple(int(d) for d in shape)
        if x.ndim and -1 not in wanted and x.size != math.prod(wanted):
            rows = math.prod(wanted) // max(1, math.prod(x.shape[1:]))
            raise ValueError(f"Cannot reshape a tensor of shape {x.shape} to {wanted}, which would take {rows} rows.")
        return jnp.reshape(x, wanted)

    return node("Reshape", reshaped, convert(tensor), dimensions(shape), name=name)


def transpose(a: Any, perm: Any = None, name: str | None = None, conjugate: bool = False) -> Any:
    """A tensor with its axes in the order of `perm`; backwards if None."""
    order = None if perm is None else tuple(static(perm))
    return node("transpose", lambda x: jnp.transpose(array(x), order), a, name=name)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """A tensor with one more axis, of length 1."""
    place = axes(either(axis, dim, 0))
    return node("ExpandDims", lambda x: jnp.expand_dims(array(x), place), input, name=name)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """A tensor without axes of length 1: all of them, or those of `axis`."""
    which = axes(either(axis, squeeze_dims))
    which = tuple(which) if isinstance(which, tuple) and which else None if which == () else which
    return node("Squeeze", lambda x: jnp.squeeze(array(x), which), input, name=name)


def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """Tensors joined along an axis."""
    if isinstance(values, int):  # before TensorFlow 1.0 the axis came first
        values, axis = axis, values
    return node("concat", shapes.join, list(values), static(axis), name=name)


def stack(values: Any, axis: int = 0, name: str = "stack") -> Any:
    """Tensors of one shape along a new axis."""
    return node("stack", shapes.stack.__wrapped__, [_plain(x) for x in values], static(axis), name=name)


def _plain(x: Any) -> Any:
    return int(x) if isinstance(x, np.integer) else x


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Any]:
    """The tensors along an axis, as a list."""
    count = num if num is not None else value.shape[axis]
    if count is None:
        raise ValueError(f"Cannot infer argument `num` from shape {tuple(value.shape)}: axis {axis} is not known.")

    def parts(x: Any) -> list[Any]:
        return [array(x).take(i, axis) for i in np.arange(count)]

    return node("unstack", parts, value, name=name)


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split") -> list[Any]:
    """A tensor cut along an axis: into equal parts, or parts of given lengths.

    Before TensorFlow 1.0 the arguments came as axis, number, tensor; that order is understood too.
    """
    if isinstance(value, int) and hasattr(axis, "shape"):
        value, num_or_size_splits, axis = axis, num_or_size_splits, value
    sizes, place = static(num_or_size_splits), static(axis)
    at = sizes if isinstance(sizes, int) else [int(i) for i in np.cumsum(sizes)[:-1]]
    return node("split", lambda x: jnp.split(array(x), at, place), value, name=name)


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """A tensor repeated along each axis."""

    def tiled(x: Any, times: Any) -> Any:
        return jnp.tile(array(x), tuple(int(n) for n in times))

    return node("Tile", tiled, input, dimensions(multiples), name=name)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0) -> Any:
    """A tensor with cells added before and after along each axis."""
    kind = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}[mode.upper()]
    extra = {"constant_values": constant_values} if mode.upper() == "CONSTANT" else {}

    def padded(x: Any, widths: Any) -> Any:
        return jnp.pad(array(x), [[int(n) for n in pair] for pair in widths], kind, **extra)

    return node("Pad", padded, tensor, where_known(paddings), name=name)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """A tensor backwards along axes."""
    return node("ReverseV2", lambda x: jnp.flip(array(x), axes(axis)), tensor, name=name)


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The part that begins at `begin` and has the shape `size`; -1 in it means up to the end."""
    if isinstance(begin, (list, tuple)) and any(isinstance(x, (Held, jax.Array)) or not is_told(x) for x in begin):
        lengths = dimensions(size)
        return node("Slice", lambda x, *at: shapes.slice.__wrapped__(x, at, lengths), input_, *begin, name=name)
    return node("Slice", shapes.slice.__wrapped__, input_, dimensions(begin), dimensions(size), name=name)


def gather(params: Any, indices: Any, validate_indices: Any = None, name: str | None = None, axis: int = 0) -> Any:
    """The rows (along `axis`) with these numbers."""

    def taken(x: Any, rows: Any) -> Any:
        return jnp.take(array(x), array(rows), axis=axis, mode="clip")

    return node("GatherV2", taken, params, indices, name=name)


def gather_nd(params: Any, indices: Any, name: str | None = None) -> Any:
    """The elements whose places are the last axis of `indices`."""

    def taken(x: Any, places: Any) -> Any:
        return array(x)[tuple(jnp.moveaxis(array(places), -1, 0))]

    return node("GatherNd", taken, params, indices, name=name)


def is_told(x: Any) -> bool:
    """Whether a value depends on nothing that is fed, and on no variable."""
    if not isinstance(x, (Tensor, Variable)):
        return True
    behind = (i for n in graph.topological([x]) for i in n.inputs)
    return isinstance(x, Tensor) and x.known and not any(isinstance(i, Variable) for i in behind)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`x` where the condition holds, `y` elsewhere. A condition for each row chooses rows.

    Without `x` and `y`, the places of the true elements; how many there are depends on values.

    Raises:
        ValueError: with one of `x` and `y`.
    """
    if (x is None) != (y is None):
        raise ValueError("tf.where takes both `x` and `y`, or none of them.")
    if x is None:
        if is_told(condition) and not isinstance(condition, jax.Array):
            return constant(np.argwhere(np.asarray(condition)), "int64", name=name)
        from kjax.compat.tensorflow import _selected

        return _selected.places(condition, name)

    def chosen(condition: Any, x: Any, y: Any) -> Any:
        first, second = operators.align(array(x), array(y))
        condition = array(condition)
        if condition.ndim < first.ndim and condition.ndim:
            condition = condition.reshape(condition.shape + (1,) * (first.ndim - condition.ndim))
        return jnp.where(condition, first, second)

    return node("Select", chosen, condition, x, y, name=name)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """A tensor in another type."""
    wanted = dtype_name(dtype)
    return node("Cast", lambda x: array(x).astype(wanted), x, name=name)


to_float = functools.partial(cast, dtype="float32")
to_double = functools.partial(cast, dtype="float64")
to_int32 = functools.partial(cast, dtype="int32")
to_int64 = functools.partial(cast, dtype="int64")
pack, unpack = stack, unstack


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """A tensor repeated to a shape along axes of length 1."""
    wanted = tuple(dimensions(shape))
    return node("BroadcastTo", lambda x: jnp.broadcast_to(array(x), wanted), input, name=name)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor or a variable."""
    return isinstance(x, (Tensor, Variable, HostTensor, jax.Array))


__all__ = [
    "broadcast_to", "cast", "concat", "constant", "convert_to_tensor", "expand_dims", "eye", "fill",
    "gather", "gather_nd", "identity", "is_tensor", "linspace", "one_hot", "ones", "ones_like", "pack", "pad",
    "placeholder", "placeholder_with_default", "range", "rank", "reshape", "reverse", "shape", "size",
    "slice", "split", "squeeze", "stack", "stop_gradient", "tile", "to_double", "to_float", "to_int32", "to_int64",
    "transpose", "unpack", "unstack", "where", "zeros", "zeros_like",
]  # fmt: skip
