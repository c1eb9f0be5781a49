"""Choosing and repeating by values: `tf.cond`, `tf.while_loop`, `tf.map_fn`, `tf.scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.concrete import is_known
from kjax._core.tensors import Tensor
from kjax.backend._ops import array
from kjax.backend.loops import loop
from kjax.compat.tensorflow import _inside
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._graph import Operation
from kjax.compat.tensorflow._parts import Part, finish, writes_of
from kjax.compat.tensorflow._while import while_loop


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """What one of two functions returns. Only the chosen one is computed, and only it writes variables.

    Arguments:
        pred: tensor of a truth value.
        true_fn, false_fn: functions without arguments that return tensors of the same structure, shapes and types.
    """
    branches = [true_fn or fn1, false_fn or fn2]
    if isinstance(pred, bool):
        return branches[0 if pred else 1]()
    if _inside.here() and not graph.is_symbolic(pred):
        return _inside.cond(pred, branches)
    parts = [_branch(branch) for branch in branches]
    if parts[0].structure != parts[1].structure:
        raise ValueError("true_fn and false_fn should return the same structure.")
    outer = list(dict.fromkeys(t for p in parts for t in p.outer))
    written = writes_of(parts)

    def chosen(pred: Any, outer_values: list[Any]) -> Any:
        opened = scope.current()
        assert opened is not None, "a graph is evaluated in a scope"
        before = dict(opened.updates)
        feeds = dict(zip(outer, outer_values, strict=True))

        def branch(part: Part) -> Callable[[], Any]:
            def run() -> Any:
                opened.updates = dict(before)
                values = [array(v) for v in graph.evaluate(part.outputs, feeds)[0]]
                return values, [opened.updates.get(v, v.value) for v in written]

            return run

        chooser = array(pred).astype(bool).reshape(())
        runs = [branch(part) for part in parts]
        values, new = runs[0 if chooser else 1]() if is_known(chooser) else jax.lax.cond(chooser, *runs)
        opened.updates = before
        if not opened.frozen:
            opened.updates.update(zip(written, new, strict=True))
        return jax.tree.unflatten(parts[0].structure, values)

    built = graph.make_node(chosen, (pred, outer), {})
    finish(built, name or "cond", parts, written)
    return built.result


def _branch(function: Callable[[], Any]) -> Part:
    """What a branch makes: its own nodes. Tensors that it found are computed whether it is chosen or not."""
    since = graph.Node(function, (), {}).number
    return Part([], _tensors_of(function()), since)


def _tensors_of(made: Any) -> Any:
    """What a branch returns, with the effects of operations in the place of the operations."""
    if isinstance(made, Operation):
        return [jnp.zeros((), jnp.int32) if not made.targets else made.targets[-1]]
    if isinstance(made, (list, tuple)):
        return type(made)(_tensors_of(part) for part in made)
    return made


def map_fn(fn: Callable[[Any], Any], elems: Any, dtype: Any = None, name: str | None = None, **_: Any) -> Any:
    """`fn` of each row of a tensor, stacked."""
    if _inside.here():
        return _inside.map_fn(fn, elems)
    rows = [convert(x) for x in jax.tree.leaves(elems)]
    own = [Tensor(x.shape[1:], x.dtype, f"row/{i}") for i, x in enumerate(rows)]
    made = fn(jax.tree.unflatten(jax.tree.structure(elems), own))
    part = Part(own, made)

    def mapped(rows: list[Any], outer: list[Any]) -> Any:
        _, results = loop(lambda none, row: (none, part.run(list(row), outer)), (), [array(x) for x in rows])
        return jax.tree.unflatten(part.structure, results)

    built = graph.make_node(mapped, (rows, part.outer), {})
    finish(built, name or "map", [part], writes_of([part]))
    return built.result


def scan(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None, **_: Any) -> Any:
    """`a = fn(a, row)` for the rows of a tensor, one after the other; all the values of `a`, stacked."""
    if _inside.here():
        return _inside.scan(fn, elems, initializer)
    rows = [convert(x) for x in jax.tree.leaves(elems)]
    treedef = jax.tree.structure(elems)
    if initializer is None:
        first = [_first_row(x) for x in rows]
        rest, state_tree = [x[1:] for x in rows], treedef
    else:
        first, rest = [convert(x) for x in jax.tree.leaves(initializer)], rows
        state_tree = jax.tree.structure(initializer)
    own = [Tensor(x.shape[1:], x.dtype, f"row/{i}") for i, x in enumerate(rows)]
    state = [Tensor(x.shape, x.dtype, f"state/{i}") for i, x in enumerate(first)]
    part = Part([*state, *own], fn(jax.tree.unflatten(state_tree, state), jax.tree.unflatten(treedef, own)))

    def scanned(first: list[Any], rest: list[Any], outer: list[Any]) -> Any:
        def step(carried: list[Any], row: list[Any]) -> Any:
            new = part.run([*carried, *row], outer)
            return [n.astype(o.dtype) for n, o in zip(new, carried, strict=True)], new

        start = [array(x) for x in first]
        _, results = loop(step, start, [array(x) for x in rest])
        if initializer is None:
            results = [jnp.concatenate([s[None], r]) for s, r in zip(start, results, strict=True)]
        return jax.tree.unflatten(part.structure, results)

    built = graph.make_node(scanned, (first, rest, part.outer), {})
    finish(built, name or "scan", [part], writes_of([part]))
    return built.result


def _first_row(x: Any) -> Any:
    return x[0]


__all__ = ["cond", "map_fn", "scan", "while_loop"]
