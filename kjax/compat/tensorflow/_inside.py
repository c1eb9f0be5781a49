"""`tf.cond`, `tf.while_loop`, `tf.map_fn` and `tf.scan` where values are at hand: in a layer's call, or in a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.concrete import is_known, rather
from kjax._core.held import called
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.backend.loops import BodyScope, loop
from kjax.compat.tensorflow._tensor_array import holds_nothing


def here() -> bool:
    """Whether operations compute now."""
    return scope.current() is not None


def arrays(x: Any) -> Any:
    """The arrays of any structure of values."""
    return jax.tree.map(_value, x, is_leaf=lambda part: isinstance(part, (Tensor, Variable)))


def _value(x: Any) -> Any:
    return array(graph.apply(lambda x: x, x))


def cond(pred: Any, branches: Sequence[Callable[[], Any]]) -> Any:
    """What the first of two functions returns if `pred` is true, else what the second does."""
    opened = scope.current()
    assert opened is not None, "values are at hand in a scope"
    before = dict(opened.updates)
    chooser = _value(pred).astype(bool).reshape(())
    if is_known(chooser):
        return arrays(branches[0 if chooser else 1]())

    written: dict[Any, None] = {}

    def made(branch: Callable[[], Any]) -> Any:
        opened.updates = dict(before)
        with opened.overriding({}):  # what it writes is read in the branch alone
            values = arrays(branch())
            new = [opened.read(v) for v in written]
        written.update(dict.fromkeys(v for v in opened.updates if opened.updates[v] is not before.get(v)))
        opened.updates = dict(before)
        return values, new

    for branch in branches:
        jax.eval_shape(lambda branch=branch: made(branch)[0])
    chosen = [lambda branch=branch: made(branch) for branch in branches]
    values, new = jax.lax.cond(chooser, *chosen)
    for variable, value in zip(written, new, strict=True):
        opened.write(variable, value)
    return values


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], first: Any, most: int | None) -> Any:
    """The last values of a loop's variables, in the structure of the first."""
    single = not isinstance(first, (list, tuple))
    start, structure = jax.tree.flatten(arrays(_with_arrays(body, [first] if single else first)))

    def more(carried: Any) -> Any:
        holds = array(cond(*jax.tree.unflatten(structure, carried[1]))).astype(bool).reshape(())
        return holds if most is None else holds & (carried[0] < most)

    def once(carried: Any) -> Any:
        new = jax.tree.leaves(arrays(body(*jax.tree.unflatten(structure, carried[1]))))
        return carried[0] + 1, [n.astype(v.dtype) for n, v in zip(new, carried[1], strict=True)]

    def pass_by_pass() -> Any:
        carried = 0, start
        while more(carried):
            carried = once(carried)
        return carried

    first = jnp.zeros((), jnp.int32), start
    _, last = rather(lambda: jax.lax.while_loop(more, once, first), pass_by_pass, start)
    return jax.tree.unflatten(structure, last)


def _with_arrays(body: Callable[..., Any], first: Any) -> Any:
    """The first values, in which each `TensorArray` that holds nothing holds zeros like those that a pass writes."""
    outer = scope.current()
    assert outer is not None, "values are at hand in a scope"
    if not any(map(holds_nothing, first)):
        return first

    def one() -> Any:
        with BodyScope(outer, (), (), None):
            return arrays(body(*first))

    made = rather(lambda: jax.eval_shape(one), one, first)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), made)
    return [zero if holds_nothing(x) else x for x, zero in zip(first, zeros, strict=True)]


def map_fn(fn: Callable[[Any], Any], elems: Any) -> Any:
    """`fn` of each row, stacked."""
    return loop(lambda nothing, row: (nothing, arrays(called(fn, row))), (), arrays(elems))[1]


def scan(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any) -> Any:
    """All values of `a = fn(a, row)`, stacked."""
    rows = arrays(elems)
    given = initializer is not None
    start = arrays(initializer) if given else jax.tree.map(lambda x: x[0], rows)
    structure = jax.tree.structure(start)

    def step(carried: Any, row: Any) -> Any:
        new = jax.tree.leaves(arrays(called(fn, carried, row)))
        old = jax.tree.leaves(carried)
        carried = jax.tree.unflatten(structure, [n.astype(o.dtype) for n, o in zip(new, old, strict=True)])
        return carried, carried

    _, results = loop(step, start, rows if given else jax.tree.map(lambda x: x[1:], rows))
    return results if given else jax.tree.map(lambda s, r: jnp.concatenate([s[None], r]), start, results)
