"""`tf.cond`, `tf.while_loop`, `tf.map_fn` and `tf.scan` where values are at hand: in a layer's call, or in a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.backend.loops import loop


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
    values, new = jax.lax.cond(_value(pred).astype(bool).reshape(()), *chosen)
    for variable, value in zip(written, new, strict=True):
        opened.write(variable, value)
    return values


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], first: Any, most: int | None) -> Any:
    """The last values of a loop's variables, in the structure of the first."""
    single = not isinstance(first, (list, tuple))
    start, structure = jax.tree.flatten(arrays([first] if single else first))

    def more(carried: Any) -> Any:
        holds = array(cond(*jax.tree.unflatten(structure, carried[1]))).astype(bool).reshape(())
        return holds if most is None else holds & (carried[0] < most)

    def once(carried: Any) -> Any:
        new = jax.tree.leaves(arrays(body(*jax.tree.unflatten(structure, carried[1]))))
        return carried[0] + 1, [n.astype(v.dtype) for n, v in zip(new, carried[1], strict=True)]

    _, last = jax.lax.while_loop(more, once, (jnp.zeros((), jnp.int32), start))
    return jax.tree.unflatten(structure, last)


def map_fn(fn: Callable[[Any], Any], elems: Any) -> Any:
    """`fn` of each row, stacked."""
    return loop(lambda nothing, row: (nothing, arrays(fn(row))), (), arrays(elems))[1]


def scan(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any) -> Any:
    """All values of `a = fn(a, row)`, stacked."""
    rows = arrays(elems)
    given = initializer is not None
    start = arrays(initializer) if given else jax.tree.map(lambda x: x[0], rows)
    structure = jax.tree.structure(start)

    def step(carried: Any, row: Any) -> Any:
        new = jax.tree.leaves(arrays(fn(carried, row)))
        old = jax.tree.leaves(carried)
        carried = jax.tree.unflatten(structure, [n.astype(o.dtype) for n, o in zip(new, old, strict=True)])
        return carried, carried

    _, results = loop(step, start, rows if given else jax.tree.map(lambda x: x[1:], rows))
    return results if given else jax.tree.map(lambda s, r: jnp.concatenate([s[None], r]), start, results)
