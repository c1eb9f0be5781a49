"""Functions of the top level that came with TensorFlow 1.13 to 2.x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core.held import holding, released
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import axes, convert, dtype_name, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._scatters import case
from kjax.compat.tensorflow._selected import value_of
from kjax.compat.tensorflow.arrays import is_told
from kjax.compat.tensorflow.control import map_fn
from kjax.compat.tensorflow.math import div_no_nan as divide_no_nan
from kjax.compat.tensorflow.math import equal, multiply

scalar_mul, vectorized_map = multiply, map_fn

# -- cells -------------------------------------------------------------------------------------------------------------


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element along an axis (of all numbers in a row, if None) several times.

    Arguments:
        repeats: how often, or how often each. If that is computed, so is the length of the result.
    """
    given = convert(input)
    if is_told(repeats):
        times = np.asarray(static(repeats))
        return node("repeat", lambda x: jnp.repeat(array(x), times, axis), given, name=name)
    return node("repeat", lambda x, n: jnp.repeat(array(x), value_of(n), axis), given, repeats, name=name)


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: str | None = None
) -> Any:
    """Where each value would go into an ordered sequence; of more axes, row by row."""
    kind = dtype_name(out_type)

    def found(rows: Any, x: Any) -> Any:
        rows, x = array(rows), array(x)
        search = jnp.vectorize(lambda r, v: jnp.searchsorted(r, v, side), signature="(n),(m)->(m)")
        return search(rows, x.astype(rows.dtype)).astype(kind)

    return node("searchsorted", found, convert(sorted_sequence), convert(values), name=name)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """The same tensor, which has this shape: lengths that are not known of it are believed.

    Raises:
        ValueError: if it is known to have another one.
    """
    given = convert(x)
    lengths, wanted = tuple(given.shape), tuple(None if d in (None, -1) else int(d) for d in shape)
    pairs = zip(lengths, wanted, strict=False)
    if len(lengths) != len(wanted) or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(f"tf.ensure_shape expected the shape {list(wanted)}, but got {list(lengths)}.")
    made = node("EnsureShape", array, given, name=name)
    if isinstance(made, Tensor):
        made.set_shape(wanted)  # type: ignore[attr-defined]
    return made


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """Rows of several tensors in one, each at its number. The length follows from the largest number."""

    def stitched(places: Any, parts: Any) -> Any:
        places = [value_of(p) for p in places]
        cells = [array(d).reshape(-1, *array(d).shape[p.ndim :]) for p, d in zip(places, parts, strict=True)]
        count = max((int(p.max()) for p in places if p.size), default=-1) + 1
        made = jnp.zeros((count, *cells[0].shape[1:]), cells[0].dtype)
        for place, rows in zip(places, cells, strict=True):
            made = made.at[place.ravel()].set(rows)
        return made

    return node("DynamicStitch", stitched, [convert(i) for i in indices], [convert(d) for d in data], name=name)


def _scattering(kind: str, method: str, doc: str) -> Callable[..., Any]:
    def call(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
        def changed(x: Any, places: Any, new: Any) -> Any:
            x, at = array(x), tuple(jnp.moveaxis(array(places), -1, 0))
            return getattr(x.at[at], method)(jnp.asarray(array(new), x.dtype))

        return node(kind, changed, convert(tensor), convert(indices), convert(updates), name=name)

    call.__name__ = call.__qualname__ = kind
    call.__doc__ = doc
    return call


tensor_scatter_nd_update = _scattering("tensor_scatter_nd_update", "set", "A tensor with some elements replaced.")
tensor_scatter_nd_add = _scattering("tensor_scatter_nd_add", "add", "A tensor with something added to elements.")
tensor_scatter_nd_sub = _scattering("tensor_scatter_nd_sub", "subtract", "A tensor with elements made smaller.")
tensor_scatter_nd_max = _scattering("tensor_scatter_nd_max", "max", "A tensor with the larger of two for elements.")
tensor_scatter_nd_min = _scattering("tensor_scatter_nd_min", "min", "A tensor with the smaller of two for elements.")

# -- mathematics -------------------------------------------------------------------------------------------------------


def _zero_where(kind: str, function: Callable[[Any, Any], Any], doc: str, which: int) -> Callable[..., Any]:
    """A function of two tensors that is 0 where one of them is, whatever the other is."""

    def call(x: Any, y: Any, name: str | None = None) -> Any:
        def computed(a: Any, b: Any) -> Any:
            a, b = jnp.broadcast_arrays(float_array(a), float_array(b))
            zero = (a, b)[which] == 0
            safe = [jnp.where(zero, jnp.ones_like(v), v) for v in (a, b)]
            return jnp.where(zero, jnp.zeros_like(a), function(*safe))

        return node(kind, computed, convert(x), convert(y), name=name)

    call.__name__ = call.__qualname__ = kind
    call.__doc__ = doc
    return call


multiply_no_nan = _zero_where("multiply_no_nan", jnp.multiply, "`x * y`; 0 where `y` is 0.", 1)
xlogy = _zero_where("xlogy", lambda x, y: x * jnp.log(y), "`x * log(y)`; 0 where `x` is 0.", 0)
xlog1py = _zero_where("xlog1py", lambda x, y: x * jnp.log1p(y), "`x * log(1 + y)`; 0 where `x` is 0.", 0)
xdivy = _zero_where("xdivy", lambda x, y: x / y, "`x / y`; 0 where `x` is 0.", 0)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    """`1 / x`; 0 where `x` is 0."""
    return divide_no_nan(1.0, x, name)


def erfinv(x: Any, name: str | None = None) -> Any:
    """The inverse of `erf`."""
    return node("Erfinv", lambda x: jax.scipy.special.erfinv(float_array(x)), convert(x), name=name)


def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """`sqrt(sum(x ** 2))` along axes."""
    which = axes(axis)
    return node(
        "EuclideanNorm", lambda x: jnp.sqrt(jnp.sum(jnp.square(float_array(x)), which, keepdims=keepdims)),
        convert(input_tensor), name=name,
    )  # fmt: skip


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Any:
    """The polynomial with these coefficients, that of the highest power first."""
    return node("polyval", lambda c, x: jnp.polyval(jnp.stack([array(a) for a in c]), array(x)), list(coeffs), x)


# -- functions ---------------------------------------------------------------------------------------------------------


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case") -> Any:
    """What the function with a number returns; `default`, or the last one, for any other number."""
    pairs = list(branch_fns.items()) if isinstance(branch_fns, dict) else list(branch_fns)
    pairs = [pair if isinstance(pair, tuple) else (i, pair) for i, pair in enumerate(pairs)]
    if is_told(branch_index):
        return dict(pairs).get(int(static(branch_index)), default or pairs[-1][1])()
    return case([(equal(branch_index, number), function) for number, function in pairs], default)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with derivatives of its own: `f(*x)` returns its result and `grad(dy)`, one tensor for each x.

    Variables that `f` reads count as constants: pass what is to be differentiated.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        def computed(*values: Any) -> Any:
            @jax.custom_gradient
            def inner(*values: Any) -> Any:
                result, grad = f(*holding(values), **kwargs)

                def back(cotangents: Any) -> Any:
                    given = cotangents if isinstance(cotangents, (list, tuple)) else [cotangents]
                    made = released(grad(*holding(list(given))))
                    made = made if isinstance(made, (list, tuple)) else [made]
                    found = [jnp.zeros_like(v) if m is None else array(m) for v, m in zip(values, made, strict=True)]
                    return found[0] if len(found) == 1 else tuple(found)

                return jax.tree.map(array, released(result)), back

            return inner(*map(array, values))

        return node("custom_gradient", computed, *[convert(x) for x in args])

    call.__name__ = call.__qualname__ = getattr(f, "__name__", "custom_gradient")
    call.__doc__ = f.__doc__
    return call


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: XLA decides what it computes twice."""
    return f


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether a tensor has no value yet."""
    return isinstance(tensor, Tensor) and not isinstance(tensor, Variable) and not tensor.known


__all__ = [
    "custom_gradient", "dynamic_stitch", "ensure_shape", "is_symbolic_tensor", "recompute_grad", "repeat",
    "scalar_mul", "searchsorted", "switch_case", "tensor_scatter_nd_add", "tensor_scatter_nd_max",
    "tensor_scatter_nd_min", "tensor_scatter_nd_sub", "tensor_scatter_nd_update", "vectorized_map",
]  # fmt: skip
