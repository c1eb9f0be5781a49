"""A convolution and its gradients as three bilinear operations, each the transpose of the others.

`forward(x, k)` is linear in both, and so are its transposes `to_input(g, k)` and `to_kernel(x, g)`. The transposes of
those are again among the three. So derivatives of every order, forward and backward, run on the same three formulas,
whatever JAX would make of the operations inside of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.interpreters import ad, batching, mlir

Formula = Callable[[Any, Any, Any], Any]

# The class itself is in `jax.extend.core`, whose import takes 20 ms, since it brings Pallas.
Primitive: Any = type(lax.add_p)


class Products(NamedTuple):
    """The three operations. Each takes two arrays and, as `window=`, what its formula wants to know."""

    forward: Any
    to_input: Any
    to_kernel: Any


def make(name: str, forward: Formula, to_input: Formula, to_kernel: Formula, options: Callable[[], Any]) -> Products:
    """Three operations from their formulas.

    Arguments:
        name: begins their names.
        forward, to_input, to_kernel: functions of two arrays and a window.
        options: gives the compiler options for a call outside of any program.
    """
    formulas = {"forward": forward, "to_input": to_input, "to_kernel": to_kernel}
    made = Products(*(_primitive(f"{name}_{part}", formula, options) for part, formula in formulas.items()))
    product, back, weigh = (partial(_bind, primitive) for primitive in made)
    _define(made.forward, lambda c, x, k, w: back(c, k, w), lambda c, x, k, w: weigh(x, c, w))
    _define(made.to_input, lambda c, g, k, w: product(c, k, w), lambda c, g, k, w: weigh(c, g, w))
    _define(made.to_kernel, lambda c, x, g, w: back(g, c, w), lambda c, x, g, w: product(x, c, w))
    return made


def make_pair(name: str, formula: Formula, other: str, transpose: Formula) -> tuple[Any, Any]:
    """Two operations that are linear in their first argument, each the transpose of the other there.

    The second argument is of integers: nothing is differentiated in it.
    """
    first, second = (_primitive(n, f, lambda: None) for n, f in ((name, formula), (other, transpose)))
    for primitive, turned in ((first, second), (second, first)):
        ad.defjvp(primitive, lambda t, a, b, p=primitive, **kwargs: p.bind(t, b, **kwargs), None)
        ad.primitive_transposes[primitive] = lambda c, a, b, p=turned, **kwargs: (
            (ad.Zero(a.aval) if type(c) is ad.Zero else p.bind(c, b, **kwargs)),
            None,
        )
    return first, second


def make_biased(name: str, products: Products, forward: Formula, to_rows: Formula, options: Callable[[], Any]) -> Any:
    """The operation `forward(x, rows)` of a kernel with a bias: linear in `rows`, whose last channel is the bias.

    Its transpose there is `to_rows(x, g)`. In `x` both differ from the bilinear operations by a constant.
    """
    biased, weigh = (
        _primitive(f"{name}_{part}", formula, options) for part, formula in (("biased", forward), ("to_rows", to_rows))
    )

    def without_bias(t: Any, x: Any, rows: Any, *, window: Any) -> Any:
        return products.forward.bind(t, rows[..., :-1, :], window=window)

    def with_no_bias(t: Any, x: Any, g: Any, *, window: Any) -> Any:
        kernel = products.to_kernel.bind(t, g, window=window)
        return jnp.pad(kernel, [(0, 0)] * window.rank + [(0, 1), (0, 0)])

    def linear(primitive: Any) -> Callable[..., Any]:
        return lambda t, x, b, *, window: primitive.bind(x, t, window=window)

    for primitive, in_x, turned in ((biased, without_bias, weigh), (weigh, with_no_bias, biased)):
        ad.defjvp(primitive, in_x, linear(primitive))
        ad.primitive_transposes[primitive] = lambda c, x, b, *, window, turned=turned: (
            None,
            ad.Zero(b.aval) if type(c) is ad.Zero else turned.bind(x, c, window=window),
        )
    return biased


def _bind(primitive: Any, a: Any, b: Any, window: Any) -> Any:
    return primitive.bind(a, b, window=window)


def _primitive(name: str, formula: Formula, options: Callable[[], Any]) -> Any:
    primitive: Any = Primitive(name)

    def positional(a: Any, b: Any, *, window: Any) -> Any:
        return formula(a, b, window)

    def abstract(a: Any, b: Any, *, window: Any) -> Any:
        out = outline(*(jax.ShapeDtypeStruct(v.shape, v.dtype) for v in (a, b)), window)
        return ShapedArray(out.shape, out.dtype)

    # A program is traced several times on its way through derivatives and loops.
    @functools.lru_cache(maxsize=256)
    def outline(a: Any, b: Any, window: Any) -> Any:
        return jax.eval_shape(lambda a, b: formula(a, b, window), a, b)

    compiled: list[Any] = []

    def compute(a: Any, b: Any, *, window: Any) -> Any:
        if not compiled:
            compiled.append(jax.jit(positional, static_argnames="window", compiler_options=options()))
        return compiled[0](a, b, window=window)

    primitive.def_impl(compute)
    primitive.def_abstract_eval(abstract)
    mlir.register_lowering(primitive, mlir.lower_fun(positional, multiple_results=False))
    batching.primitive_batchers[primitive] = partial(_batched, primitive)
    return primitive


def _define(primitive: Any, in_first: Callable[..., Any], in_second: Callable[..., Any]) -> None:
    """The transposes of a bilinear operation: of the cotangent and both arguments, the unknown one None."""
    ad.defbilinear(
        primitive,
        lambda c, a, b, *, window: in_first(c, None, b, window),
        lambda c, a, b, *, window: in_second(c, a, None, window),
    )


def _batched(primitive: Any, arrays: Any, axes: Any, *, window: Any) -> tuple[Any, int]:
    """One call for each element of a `vmap`."""
    stacked = {
        i: jnp.moveaxis(a, axis, 0) for i, (a, axis) in enumerate(zip(arrays, axes, strict=True)) if axis is not None
    }

    def one(parts: dict[int, Any]) -> Any:
        return primitive.bind(*(parts.get(i, a) for i, a in enumerate(arrays)), window=window)

    return lax.map(one, stacked), 0
