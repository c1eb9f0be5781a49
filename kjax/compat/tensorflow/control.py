"""Choosing and repeating by values: `tf.cond`, `tf.while_loop`, `tf.map_fn`, `tf.scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.graph import Node, topological
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph, _inside
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._graph import Operation


class _Part:
    """A piece of graph that an operation evaluates by itself, with values for its own leaves.

    Arguments:
        own: the leaves that stand for the operation's own values.
        made: what the piece computes, in any structure.
    """

    def __init__(self, own: list[Tensor], made: Any) -> None:
        self.own, self.structure = own, jax.tree.structure(made)
        self.outputs = [convert(x) for x in jax.tree.leaves(made)]
        order = topological(self.outputs, own)
        inside = {t for node in order for t in node.outputs if _depends(node, own)}
        used = [*(x for node in order if _depends(node, own) for x in node.inputs), *self.outputs]
        # What does not depend on the own leaves is computed outside, once.
        self.outer = list(dict.fromkeys(x for x in used if isinstance(x, Tensor) and x not in inside and x not in own))

    def run(self, values: list[Any], outer: list[Any]) -> list[Any]:
        """The outputs, given values of the own leaves and of what is computed outside."""
        feeds = {**dict(zip(self.outer, outer, strict=True)), **dict(zip(self.own, values, strict=True))}
        return [array(x) for x in graph.evaluate(self.outputs, feeds)[0]]


def _depends(node: Node, own: list[Tensor]) -> bool:
    if not own:
        return True
    wanted = set(own)
    return any(x in wanted for inner in topological(node.outputs, own) for x in inner.inputs)


def _leaf(x: Any, name: str) -> Tensor:
    return Tensor(x.shape, x.dtype, name)


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
    parts = [_Part([], _tensors_of(branch())) for branch in branches]
    if parts[0].structure != parts[1].structure:
        raise ValueError("true_fn and false_fn should return the same structure.")
    nodes = [n for p in parts for n in topological(p.outputs)]
    used = [*(t for n in nodes for t in n.inputs), *(t for p in parts for t in p.outputs)]
    outer = list(dict.fromkeys(t for t in used if _is_leaf(t)))
    written = list(dict.fromkeys(v for p in parts for n in topological(p.outputs) for v in n.writes))

    def chosen(pred: Any, outer_values: list[Any]) -> Any:
        opened = scope.current()
        assert opened is not None, "a graph is evaluated in a scope"
        before = dict(opened.updates)
        feeds = dict(zip(outer, outer_values, strict=True))

        def branch(part: _Part) -> Callable[[], Any]:
            def run() -> Any:
                opened.updates = dict(before)
                values = [array(v) for v in graph.evaluate(part.outputs, feeds)[0]]
                return values, [opened.updates.get(v, v.value) for v in written]

            return run

        values, new = jax.lax.cond(array(pred).astype(bool).reshape(()), branch(parts[0]), branch(parts[1]))
        opened.updates = before
        if not opened.frozen:
            opened.updates.update(zip(written, new, strict=True))
        return jax.tree.unflatten(parts[0].structure, values)

    built = graph.make_node(chosen, (pred, outer), {})
    _finish(built, name or "cond", parts, written)
    return built.result


def _is_leaf(x: Any) -> bool:
    return isinstance(x, Tensor) and x.node is None


def _tensors_of(made: Any) -> Any:
    """What a branch returns, with the effects of operations in the place of the operations."""
    if isinstance(made, Operation):
        return [jnp.zeros((), jnp.int32) if not made.targets else made.targets[-1]]
    if isinstance(made, (list, tuple)):
        return type(made)(_tensors_of(part) for part in made)
    return made


def _finish(built: Node, name: str, parts: list[_Part], written: list[Variable]) -> None:
    default = _graph.get_default_graph()
    _graph.finish(built, default.unique_name(name), name)
    inside = [n for part in parts for n in topological(part.outputs)]
    built.within = tuple(t for part in parts for t in part.outputs)
    built.reads = tuple(dict.fromkeys([*(v for n in inside for v in n.inputs if isinstance(v, Variable)), *written]))
    built.writes = tuple(written)
    for output in built.outputs:
        output.known = False


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: int | None = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat `body` while `cond` holds. It cannot be differentiated: `tf.scan` can.

    Arguments:
        cond, body: functions of the loop's variables; `body` returns their next values.
        loop_vars: first values.
        maximum_iterations: limit.
    """
    if _inside.here():
        last = _inside.while_loop(cond, body, loop_vars, maximum_iterations)
        return last[0] if len(last) == 1 and not return_same_structure else last
    first = jax.tree.map(convert, loop_vars, is_leaf=lambda x: isinstance(x, (Tensor, Variable)))
    starts, structure = jax.tree.flatten(first)
    own = [_leaf(x, f"loop/{i}") for i, x in enumerate(starts)]
    arguments = jax.tree.unflatten(structure, own)
    made = body(*arguments)
    made = made if isinstance(made, (list, tuple)) else [made]
    step = _Part(own, list(jax.tree.leaves(made)))
    test = _Part(own, [cond(*arguments)])

    def looped(starts: list[Any], outer_step: list[Any], outer_test: list[Any]) -> Any:
        def more(carried: Any) -> Any:
            count, values = carried
            holds = test.run(values, outer_test)[0].astype(bool).reshape(())
            return holds if maximum_iterations is None else holds & (count < maximum_iterations)

        def once(carried: Any) -> Any:
            count, values = carried
            new = step.run(values, outer_step)
            return count + 1, [n.astype(v.dtype) for n, v in zip(new, values, strict=True)]

        _, values = jax.lax.while_loop(more, once, (jnp.zeros((), jnp.int32), [array(x) for x in starts]))
        return jax.tree.unflatten(structure, values)

    built = graph.make_node(looped, (starts, step.outer, test.outer), {})
    _finish(built, name or "while", [step, test], [])
    result = built.result
    single = not return_same_structure and isinstance(result, (list, tuple)) and len(result) == 1
    return result[0] if single else result


def map_fn(fn: Callable[[Any], Any], elems: Any, dtype: Any = None, name: str | None = None, **_: Any) -> Any:
    """`fn` of each row of a tensor, stacked."""
    if _inside.here():
        return _inside.map_fn(fn, elems)
    rows = [convert(x) for x in jax.tree.leaves(elems)]
    own = [Tensor(x.shape[1:], x.dtype, f"row/{i}") for i, x in enumerate(rows)]
    made = fn(jax.tree.unflatten(jax.tree.structure(elems), own))
    part = _Part(own, made)

    def mapped(rows: list[Any], outer: list[Any]) -> Any:
        results = jax.lax.map(lambda row: part.run(list(row), outer), [array(x) for x in rows])
        return jax.tree.unflatten(part.structure, results)

    built = graph.make_node(mapped, (rows, part.outer), {})
    _finish(built, name or "map", [part], [])
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
    state = [_leaf(x, f"state/{i}") for i, x in enumerate(first)]
    part = _Part([*state, *own], fn(jax.tree.unflatten(state_tree, state), jax.tree.unflatten(treedef, own)))

    def scanned(first: list[Any], rest: list[Any], outer: list[Any]) -> Any:
        def step(carried: list[Any], row: list[Any]) -> Any:
            new = part.run([*carried, *row], outer)
            return new, new

        start = [array(x) for x in first]
        _, results = jax.lax.scan(step, start, [array(x) for x in rest])
        if initializer is None:
            results = [jnp.concatenate([s[None], r]) for s, r in zip(start, results, strict=True)]
        return jax.tree.unflatten(part.structure, results)

    built = graph.make_node(scanned, (first, rest, part.outer), {})
    _finish(built, name or "scan", [part], [])
    return built.result


def _first_row(x: Any) -> Any:
    return x[0]


__all__ = ["cond", "map_fn", "scan", "while_loop"]
