"""Reading and changing variables, gradients, and what `K.clear_session` forgets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, naming, operators, scope, tensors
from kjax._core.gradients import gradients as symbolic_gradients
from kjax._core.graph import Tensor, Variable, apply
from kjax._core.scope import NeedsGraph
from kjax._core.values import given_out
from kjax.backend import phase
from kjax.backend._ops import array
from kjax.backend.programs import evaluate_now


def eval(x: Any) -> np.ndarray:
    """The value of a tensor, variable or array as a numpy array.

    Raises:
        LookupError: if it depends on a placeholder.
    """
    return given_out(evaluate_now(x))


def get_value(x: Any) -> np.ndarray:
    """A copy of the value of a variable as a numpy array."""
    return given_out(evaluate_now(x))


def batch_get_value(ops: Sequence[Any]) -> list[np.ndarray]:
    """Copies of the values of several variables."""
    return [evaluate_now(x) for x in ops]


def set_value(x: Variable, value: Any) -> None:
    """Give a variable a value.

    Raises:
        ValueError: if the shape differs.
    """
    array = np.asarray(value, x.dtype)
    x.replace(array) if scope.current() is None else x.assign(array)


def batch_set_value(tuples: Sequence[tuple[Variable, Any]]) -> None:
    """Give several variables values: pairs of variable and value."""
    for x, value in tuples:
        set_value(x, value)


def writing(x: Any, combine: Callable[[Any, Any], Any], operand: Any) -> Any:
    """Write `combine(x, operand)` to a variable: now, in a program; else when the returned tensor is computed."""
    if scope.current() is not None:
        return x.assign(apply(combine, x, operand))

    def write(operand: Any) -> Any:
        opened = scope.current()
        assert opened is not None, "a graph is evaluated in a scope"
        # Other operations of the graph keep reading the old value, in whatever order they run.
        old = opened.read(x)
        new = jnp.asarray(combine(opened.updates.get(x, old), operand), x.dtype)
        if not opened.frozen:
            opened.updates[x] = new
        return new

    node = graph.make_node(write, (operand,), {}, name=f"{x.name}/write")
    node.reads = node.writes = (x,)
    for output in node.outputs:
        output.known = False  # computing it has an effect
    return node.result


tensors.write_later = writing


def update(x: Variable, new_x: Any) -> Any:
    """Set a variable: an operation for `K.function` or `add_update`; in a program, done at once."""
    return writing(x, _second, new_x)


def _second(old: Any, new: Any) -> Any:
    return array(new)


def update_add(x: Variable, increment: Any) -> Any:
    """Add to a variable, as `update`."""
    return writing(x, operators.add, increment)


def update_sub(x: Variable, decrement: Any) -> Any:
    """Subtract from a variable, as `update`."""
    return writing(x, operators.subtract, decrement)


def moving_average_update(x: Variable, value: Any, momentum: Any) -> Any:
    """Set a variable to `x * momentum + value * (1 - momentum)`, as `update`."""

    def average(old: Any, value: Any) -> Any:
        new = operators.multiply(value, operators.subtract(1.0, momentum))
        return operators.add(operators.multiply(old, momentum), new)

    return writing(x, average, value)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Gradients of (the sum of) a symbolic tensor; zeros with respect to what it does not depend on.

    Arguments:
        loss: tensor, or a list of them, whose gradients are added.
        variables: list of variables or tensors that it was computed from, or one.

    Raises:
        TypeError: if `loss` is no symbolic tensor: in a program, values do not know what they were computed
            from.
    """
    if isinstance(loss, (list, tuple)) and loss:
        return [sum(found[1:], found[0]) for found in zip(*(gradients(x, variables) for x in loss), strict=True)]
    if not isinstance(loss, Tensor):
        opened = scope.current()
        raise (NeedsGraph if opened is not None and opened.captured is not None else TypeError)(
            f"`K.gradients` needs a symbolic tensor as loss, but got {type(loss).__name__}. "
            "Inside a layer's `call`, use `jax.grad` of a function."
        )
    several = isinstance(variables, (list, tuple))
    return symbolic_gradients(loss, list(cast("Sequence[Any]", variables)) if several else [variables])


def stop_gradient(variables: Any) -> Any:
    """The same tensors (one, or a list), as constants for gradients."""
    if isinstance(variables, (list, tuple)):
        return [stop_gradient(x) for x in cast("Sequence[Any]", variables)]
    return apply(_stopped, variables)


def _stopped(x: Any) -> Any:
    return jax.lax.stop_gradient(array(x))


def print_tensor(x: Any, message: str = "") -> Any:
    """`x` itself; prints `message` and its value whenever it is computed.

    Use what it returns: a tensor that nothing depends on is never computed.
    """

    def printed(x: Any) -> Any:
        jax.debug.print("{message}{x}", message=message, x=x)
        return array(x)

    return apply(printed, x)


def clear_session() -> None:
    """Forget the graph: names count from 1 again and the learning phase is open."""
    naming.clear()
    phase.reset()


def reset_uids() -> None:
    """Let names count from 1 again."""
    naming.clear()


def name_scope(name: str) -> contextlib.AbstractContextManager[str]:
    """Put `name/` before the names of variables made inside of a `with` block."""
    return naming.scope(name)


def manual_variable_initialization(value: bool) -> None:
    """Accepted for scripts that initialize TensorFlow's variables themselves; ours always have a value."""
