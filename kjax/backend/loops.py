"""Loops whose bodies may do what a layer may: use variables, draw random numbers, add losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import scope
from kjax._core.concrete import rather
from kjax._core.graph import apply
from kjax._core.held import called
from kjax._core.scope import Scope
from kjax.backend._ops import array
from kjax.backend.programs import run_now


class BodyScope(Scope):
    """The scope of one pass of a loop: variables are the outer program's, unless the loop carries them."""

    def __init__(self, outer: Scope, carried: Sequence[Any], values: Sequence[Any], key: Any) -> None:
        super().__init__(carried, values, training=outer.training, key=key)
        self._outer = outer
        self.drew = False

    def read(self, variable: Any) -> Any:
        return self._values[variable] if variable in self._values else self._outer.read(variable)

    def next_key(self) -> jax.Array:
        self.drew = True
        return super().next_key()


def loop(body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any) -> tuple[Any, Any]:
    """`jax.lax.scan(body, carry, xs)`, in the open scope.

    Variables that the body writes are carried from pass to pass and written to the program when the loop
    ends. Each pass has a random key of its own, and losses are summed over the passes. A body that asks for values
    runs pass by pass, where they are known.
    """
    return rather(lambda: _scan(body, carry, xs), lambda: _pass_by_pass(body, carry, xs), (carry, xs))


def _pass_by_pass(body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any) -> tuple[Any, Any]:
    outs: list[Any] = []
    for i in range(jax.tree.leaves(xs)[0].shape[0]):
        carry, out = body(carry, jax.tree.map(lambda x, i=i: x[i], xs))
        outs.append(out)
    return carry, jax.tree.map(lambda *parts: jnp.stack(parts), *outs)


def _scan(body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any) -> tuple[Any, Any]:
    outer = scope.current()
    assert outer is not None, "a loop runs in a scope"
    first, _ = abstract_pass(body, carry, xs)
    written = list(first.updates)
    key = outer.next_key() if first.drew else None

    def one(state: Any, x: Any) -> Any:
        (carry, values), (step, element) = state, x
        step_key = None if key is None else jax.random.fold_in(key, step)
        with BodyScope(outer, written, values, step_key) as inner:
            carry, out = body(carry, element)
        values = [jnp.asarray(inner.updates[v], v.dtype) for v in written]
        return (carry, values), (out, inner.losses)

    length = jax.tree.leaves(xs)[0].shape[0]
    state = carry, [outer.read(v) for v in written]
    (carry, values), (outs, losses) = jax.lax.scan(one, state, (jnp.arange(length), xs))
    for variable, value in zip(written, values, strict=True):
        outer.write(variable, value)
    outer.losses.extend(jnp.sum(loss) for loss in losses)
    return carry, outs


def abstract_pass(body: Any, carry: Any, xs: Any) -> tuple[BodyScope, Any]:
    """The scope that one pass leaves behind, which tells what it wrote and whether it drew; and its results' shapes."""
    outer = scope.current()
    assert outer is not None, "a loop runs in a scope"
    inner = BodyScope(outer, (), (), None)

    def one(carry: Any, x: Any) -> Any:
        with inner:
            return body(carry, x)

    element = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), xs)
    return inner, jax.eval_shape(one, carry, element)


def in_scope(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)` in the open scope, or in one of its own."""
    return run_now(lambda: function(*args)) if scope.current() is None else function(*args)


def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each element along the first axis, stacked.

    Arguments:
        fn: function of an element (of a list or tuple of elements, if `elems` is one).
        elems: tensor, or list or tuple of tensors.
        name: ignored.
        dtype: type of the result; what `fn` returns if None.
    """
    return apply(in_scope, _map, fn, elems, dtype)


def _map(fn: Any, elems: Any, dtype: Any) -> Any:
    def body(carry: Any, element: Any) -> Any:
        return carry, jax.tree.map(array, called(fn, element))

    outs = loop(body, (), _arrays(elems))[1]
    return outs if dtype is None else jax.tree.map(lambda x: x.astype(dtype), outs)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(accumulator, element)` for each element along the first axis, from the first to the last.

    Arguments:
        fn: function of the accumulator so far and an element, returning the next accumulator.
        elems: tensor, or list or tuple of tensors.
        initializer: the first accumulator; the first element if None.
        name: ignored.
    """
    return apply(in_scope, _fold, fn, elems, initializer, False)


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As `foldl`, from the last element to the first. Without `initializer` it begins with the last."""
    return apply(in_scope, _fold, fn, elems, initializer, True)


def _fold(fn: Any, elems: Any, initializer: Any, backwards: bool) -> Any:
    elems = _arrays(elems)
    if backwards:
        elems = jax.tree.map(lambda x: jnp.flip(x, 0), elems)
    if initializer is None:
        initializer = jax.tree.map(lambda x: x[0], elems)
        elems = jax.tree.map(lambda x: x[1:], elems)
    initializer = jax.tree.map(array, initializer)

    def body(accumulator: Any, element: Any) -> Any:
        new = fn(accumulator, element)
        return jax.tree.map(lambda n, old: array(n).astype(old.dtype), new, accumulator), ()

    return loop(body, initializer, elems)[0]


def _arrays(elems: Any) -> Any:
    return type(elems)(array(x) for x in elems) if isinstance(elems, (list, tuple)) else array(elems)
