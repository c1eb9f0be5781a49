"""Functions of the top level that are rarer than those of `math` and `arrays`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend import loops
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import axes, convert, dtype_name, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._nests import mapped
from kjax.compat.tensorflow._recurrence import reverse_sequence
from kjax.compat.tensorflow.arrays import linspace, shape


def _elementwise(kind: str, function: Callable[[Any], Any], doc: str) -> Callable[..., Any]:
    def call(x: Any, name: str | None = None) -> Any:
        return node(kind, lambda x: function(float_array(x)), convert(x), name=name)

    call.__name__ = call.__qualname__ = kind.lower()
    call.__doc__ = doc
    return call


erfc = _elementwise("Erfc", jax.scipy.special.erfc, "`1 - erf(x)`.")
digamma = _elementwise("Digamma", jax.scipy.special.digamma, "The derivative of `lgamma`.")
asinh = _elementwise("Asinh", jnp.arcsinh, "Inverse of `sinh`.")
acosh = _elementwise("Acosh", jnp.arccosh, "Inverse of `cosh`.")
atanh = _elementwise("Atanh", jnp.arctanh, "Inverse of `tanh`.")
log_sigmoid = _elementwise("LogSigmoid", jax.nn.log_sigmoid, "`log(sigmoid(x))`, safe from overflow.")
rint = _elementwise("Rint", jnp.round, "The nearest integer; the even one of two.")
lin_space = linspace


def truncatediv(x: Any, y: Any, name: str | None = None) -> Any:
    """The quotient of integers, cut off towards 0."""
    return node(
        "TruncateDiv", lambda a, b: jax.lax.div(*jnp.broadcast_arrays(array(a), array(b))), convert(x), convert(y)
    )


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """Elements moved along axes; those that fall out come in on the other side."""
    return node("Roll", lambda x: jnp.roll(array(x), axes(shift), axes(axis)), convert(input), name=name)


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """In order along an axis."""
    down = direction == "DESCENDING"
    return node("sort", lambda x: jnp.sort(array(x), axis, descending=down), convert(values), name=name)


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """The places of the elements in order along an axis."""
    down = direction == "DESCENDING"

    def places(x: Any) -> Any:
        return jnp.argsort(array(x), axis, descending=down).astype("int32")

    return node("argsort", places, convert(values), name=name)


def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32", name: Any = None
) -> Any:
    """How often each number comes. `maxlength`, or numbers that are known, tell how many counts there are."""
    given = convert(arr)
    if maxlength is None:
        if not getattr(given, "known", False):
            raise ValueError("tf.bincount needs `maxlength`: without it its shape would depend on values.")
        maxlength = max(int(np.max(np.asarray(given))) + 1, static(minlength) or 0)
    length, kind = int(static(maxlength)), dtype_name(dtype)

    def counted(x: Any, weights: Any) -> Any:
        x = jnp.ravel(array(x))
        if weights is None:
            return jnp.zeros(length, kind).at[x].add(1, mode="drop")
        return jnp.zeros(length, weights.dtype).at[x].add(jnp.ravel(array(weights)), mode="drop")

    return node("bincount", counted, given, None if weights is None else convert(weights), name=name)


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: int = 100, dtype: Any = "int32", name: Any = None
) -> Any:
    """How many numbers fall into each of equal parts of a range; those outside count for the parts at its ends."""
    kind = dtype_name(dtype)

    def counted(x: Any, ends: Any) -> Any:
        ends = array(ends)
        place = jnp.floor((jnp.ravel(array(x)) - ends[0]) / (ends[1] - ends[0]) * nbins).astype("int32")
        return jnp.zeros(nbins, kind).at[jnp.clip(place, 0, nbins - 1)].add(1)

    return node("histogram_fixed_width", counted, convert(values), convert(value_range), name=name)


def cross(a: Any, b: Any, name: str | None = None) -> Any:
    """Cross products of vectors of three numbers."""
    return node("Cross", lambda x, y: jnp.cross(array(x), array(y)), a, b, name=name)


def shape_n(input: Any, out_type: Any = None, name: str | None = None) -> Any:
    """The shapes of several tensors."""
    return [shape(x) for x in input]


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """`t`, scaled down where its L2 norm by its number of elements is above `clip_norm`."""

    def clipped(x: Any, limit: Any) -> Any:
        average = jnp.sqrt(jnp.sum(jnp.square(x))) / x.size
        return x * (limit / jnp.maximum(average, jnp.asarray(limit, x.dtype)))

    return node("clip_by_average_norm", clipped, t, clip_norm, name=name)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """A tensor in another type; numbers that it cannot hold become the nearest that it can."""
    wanted = dtype_name(dtype)

    def cast(x: Any) -> Any:
        x, ends = array(x), jnp.iinfo(wanted) if jnp.issubdtype(wanted, jnp.integer) else jnp.finfo(wanted)
        whole = jnp.iinfo(x.dtype) if jnp.issubdtype(x.dtype, jnp.integer) else None
        low, high = float(ends.min), float(ends.max)
        if whole is not None:
            low, high = max(low, whole.min), min(high, whole.max)
        return jnp.clip(x, jnp.asarray(low, x.dtype), jnp.asarray(high, x.dtype)).astype(wanted)

    return node("saturate_cast", cast, convert(value), name=name)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`fn(result so far, row)` for each row, from the first to the last."""
    return loops.foldl(fn, mapped(convert, elems), initializer)


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`fn(result so far, row)` for each row, from the last to the first."""
    return loops.foldr(fn, mapped(convert, elems), initializer)


def tuple(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The same tensors, each computed when all are."""
    from kjax.compat.tensorflow import _graph

    present = [t for t in tensors if t is not None]
    with _graph.control_dependencies([*present, *(control_inputs or ())]):
        return [t if t is None else node("tuple", array, t) for t in tensors]


def make_template(name_: str, func_: Callable[..., Any], create_scope_now_: bool = False, **kwargs: Any) -> Any:
    """A function whose variables are made at its first call, and used by all later ones."""
    from kjax.compat.tensorflow._init_values import variable_scope

    opened: list[Any] = []

    def call(*args: Any, **more: Any) -> Any:
        if opened:
            with variable_scope(opened[0], reuse=True):
                return func_(*args, **{**kwargs, **more})
        with variable_scope(None, name_) as scope:
            opened.append(scope)
            return func_(*args, **{**kwargs, **more})

    return call


def hessians(ys: Any, xs: Any, name: str = "hessians", **_: Any) -> list[Any]:
    """Second derivatives of `ys` with respect to each of `xs`."""
    from kjax.compat.tensorflow._gradients import gradients

    several = xs if isinstance(xs, list) else [xs]
    found = []
    for x in several:
        (first,) = gradients(ys, [x])
        count = int(np.prod(x.shape))
        flat = node("flat", lambda g: jnp.ravel(array(g)), first)
        rows = [gradients(flat[i], [x])[0] for i in range(count)]
        full = (*x.shape, *x.shape)
        found.append(node(name, lambda rows, full=full: jnp.stack(rows).reshape(full), rows))
    return found


__all__ = [
    "acosh", "argsort", "asinh", "atanh", "bincount", "clip_by_average_norm", "cross", "digamma", "erfc", "foldl",
    "foldr", "hessians", "histogram_fixed_width", "lin_space", "log_sigmoid", "make_template",
    "reverse_sequence", "rint", "roll", "saturate_cast", "shape_n", "sort", "truncatediv", "tuple",
]  # fmt: skip
