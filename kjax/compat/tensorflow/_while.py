"""`tf.while_loop`: a loop that can be differentiated where its number of passes is known or has a limit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, scope
from kjax._core.concrete import rather
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.backend.loops import BodyScope, loop
from kjax.compat.tensorflow import _inside
from kjax.compat.tensorflow._arguments import convert, static
from kjax.compat.tensorflow._parts import Part, finish, writes_of
from kjax.compat.tensorflow._tensor_array import holds_nothing, is_whole

# Passes that are counted before a loop counts as one without a known end.
_MOST_COUNTED = 10_000


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat `body` while `cond` holds.

    It can be differentiated if `maximum_iterations` is given, or if what `cond` looks at depends on nothing that is
    fed, as a counter from 0 to a number does.

    Arguments:
        cond, body: functions of the loop's variables; `body` returns their next values.
        loop_vars: first values.
        maximum_iterations: limit.
    """
    most = None if maximum_iterations is None else static(maximum_iterations)
    if _inside.here():
        last = _inside.while_loop(cond, body, loop_vars, most)
        return last[0] if len(last) == 1 and not return_same_structure else last
    first = jax.tree.map(convert, _with_arrays(cond, body, loop_vars), is_leaf=_is_tensor)
    starts, structure = jax.tree.flatten(first)
    own = [Tensor(x.shape, x.dtype, f"loop/{i}") for i, x in enumerate(starts)]
    arguments = jax.tree.unflatten(structure, own)
    listed = arguments if isinstance(arguments, (list, tuple)) else [arguments]
    made = body(*listed)
    made = made if isinstance(made, (list, tuple)) else [made]
    new, test = list(jax.tree.leaves(made)), cond(*listed)
    if len(new) != len(starts):
        raise ValueError(
            f"The body of tf.while_loop returns {len(new)} values for {len(starts)} loop variables. "
            "It has to return the next value of each, in the same structure."
        )
    known = _count(own, starts, new, test, most)
    step, holds = Part(own, new), Part(own, [test])
    looped = _Loop(step, holds, most, known)
    built = graph.make_node(looped, (starts, step.outer, holds.outer), {})
    finish(built, name or "while", [step, holds], writes_of([step, holds]))
    result = jax.tree.unflatten(structure, built.result)
    single = not return_same_structure and isinstance(result, (list, tuple)) and len(result) == 1
    return result[0] if single else result


def _with_arrays(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any) -> Any:
    """The first values, in which each `TensorArray` holds something: what the first pass would write, as zeros."""
    if not isinstance(loop_vars, (list, tuple)) or not any(map(holds_nothing, loop_vars)):
        return loop_vars
    made = body(*(x if is_whole(x) else jax.tree.map(convert, x, is_leaf=_is_tensor) for x in loop_vars))
    filled = [x.filled_for(new) if holds_nothing(x) else x for x, new in zip(loop_vars, made, strict=True)]
    return type(loop_vars)(filled)


def _is_tensor(x: Any) -> bool:
    return isinstance(x, (Tensor, Variable))


class _Loop:
    """The function of arrays that repeats a part.

    Arguments:
        step, holds: the body and the condition.
        most: limit of the number of passes, or None.
        count: the number of passes, if it is known.
    """

    __name__ = "while"

    def __init__(self, step: Part, holds: Part, most: int | None, count: int | None) -> None:
        self.step, self.holds, self.most, self.count = step, holds, most, count

    def __call__(self, starts: list[Any], outer_step: list[Any], outer_test: list[Any]) -> list[Any]:
        first = [jnp.asarray(array(x), leaf.dtype) for x, leaf in zip(starts, self.step.own, strict=True)]

        def more(values: list[Any]) -> Any:
            return self.holds.run(values, outer_test)[0].astype(bool).reshape(())

        def once(values: list[Any]) -> list[Any]:
            new = self.step.run(values, outer_step)
            return [n.astype(v.dtype) for n, v in zip(new, values, strict=True)]

        if self.count is not None:
            return loop(lambda values, _: (once(values), ()), first, jnp.arange(self.count))[0]
        if self.most is not None:

            def perhaps(values: list[Any], _: Any) -> Any:
                new, go_on = once(values), more(values)
                return [jnp.where(go_on, n, v) for n, v in zip(new, values, strict=True)], ()

            return loop(perhaps, first, jnp.arange(self.most))[0]
        return self._endless(more, once, first)

    def _endless(self, more: Callable[[Any], Any], once: Callable[[Any], Any], first: list[Any]) -> list[Any]:
        """A loop whose number of passes nobody knows; each pass has a random key of its own, and writes variables."""
        outer = scope.current()
        assert outer is not None, "a loop runs in a scope"
        written = writes_of([self.step])
        key = outer.next_key() if any(getattr(node.op, "draws", False) for node in self.step.nodes) else None

        def passed(carried: Any) -> Any:
            count, values, held = carried
            own = None if key is None else jax.random.fold_in(key, count)
            with BodyScope(outer, written, held, own) as inner:
                values = once(values)
            return count + 1, values, [jnp.asarray(inner.updates[v], v.dtype) for v in written]

        def pass_by_pass() -> Any:
            carried: Any = start
            while more(carried[1]):
                carried = passed(carried)
            return carried

        start: Any = jnp.zeros((), jnp.int32), first, [outer.read(v) for v in written]
        looped: Any = functools.partial(jax.lax.while_loop, lambda carried: more(carried[1]), passed, start)  # pyright: ignore
        _, values, held = rather(looped, pass_by_pass, start)
        for variable, value in zip(written, held, strict=True):
            outer.write(variable, value)
        return values


def _count(own: list[Tensor], starts: list[Any], new: list[Any], test: Any, most: int | None) -> int | None:
    """How many passes a loop makes, if it can be told before anything is fed; else None."""
    needed = _closure(own, new, test)
    if any(not _told(starts[i]) for i in needed):
        return None
    leaves = [own[i] for i in needed]
    step, holds = Part(leaves, [new[i] for i in needed]), Part(leaves, [test])
    outer = [*step.outer, *holds.outer]
    if not all(_told(x) for x in outer) or any(_reads(part) for part in (step, holds)):
        return None
    given = [[np.asarray(x) for x in part.outer] for part in (step, holds)]
    values = [np.asarray(starts[i]) for i in needed]

    @jax.jit
    def passes(values: list[Any]) -> Any:
        def more(carried: Any) -> Any:
            return holds.run(carried[1], given[1])[0].astype(bool).reshape(()) & (carried[0] <= limit)

        def once(carried: Any) -> Any:
            new = step.run(carried[1], given[0])
            return carried[0] + 1, [n.astype(v.dtype) for n, v in zip(new, carried[1], strict=True)]

        return jax.lax.while_loop(more, once, (jnp.zeros((), jnp.int32), values))[0]

    limit = _MOST_COUNTED if most is None else min(most, _MOST_COUNTED)
    with scope.suspended(), scope.Scope(key=scope.fresh_key(), eager=True):
        count = int(passes([jnp.asarray(v, leaf.dtype) for v, leaf in zip(values, leaves, strict=True)]))
    if most is not None:
        return min(count, most)
    return None if count > _MOST_COUNTED else count


def _closure(own: list[Tensor], new: list[Any], test: Any) -> list[int]:
    """The loop variables that the condition depends on, directly or through earlier passes."""
    needed: set[int] = set()
    pending = [test]
    while pending:
        seen = _leaves_behind(pending.pop(), own)
        for i in seen - needed:
            needed.add(i)
            pending.append(new[i])
    return sorted(needed)


def _leaves_behind(output: Any, own: list[Tensor]) -> set[int]:
    nodes = graph.topological([convert(output)], own)
    used = {x for node in nodes for x in node.inputs} | {output}
    return {i for i, leaf in enumerate(own) if leaf in used}


def _told(x: Any) -> bool:
    return isinstance(x, Tensor) and x.known and x.static is None


def _reads(part: Part) -> bool:
    """Whether a part reads or writes variables, or draws random numbers."""
    return any(
        node.reads or node.writes or node.after or getattr(node.op, "draws", False)
        or any(isinstance(x, Variable) for x in node.inputs)
        for node in part.nodes
    )  # fmt: skip


__all__ = ["while_loop"]
