"""Learning rates that fall with the number of the step, the number of the step itself, and moving averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax._core.tensors import Variable as CoreVariable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._graph import GraphKeys, node
from kjax.compat.tensorflow._variables import Variable, trainable_variables, write
from kjax.optimizers.schedules import cosine, periods, polynomial


def _floats(*values: Any) -> tuple[Any, ...]:
    return tuple(jnp.asarray(array(value), jnp.float32) for value in values)


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """`learning_rate * decay_rate ** (step / decay_steps)`; with `staircase` the exponent is an integer."""

    def rate(lr: Any, step: Any, steps: Any, decay: Any) -> Any:
        lr, step, steps, decay = _floats(lr, step, steps, decay)
        return lr * decay ** periods(step, steps, staircase)

    return node("ExponentialDecay", rate, learning_rate, global_step, decay_steps, decay_rate, name=name)


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """`learning_rate * exp(-decay_rate * step / decay_steps)`."""

    def rate(lr: Any, step: Any, steps: Any, decay: Any) -> Any:
        lr, step, steps, decay = _floats(lr, step, steps, decay)
        return lr * jnp.exp(-decay * periods(step, steps, staircase))

    return node("NaturalExpDecay", rate, learning_rate, global_step, decay_steps, decay_rate, name=name)


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """`learning_rate / (1 + decay_rate * step / decay_steps)`."""

    def rate(lr: Any, step: Any, steps: Any, decay: Any) -> Any:
        lr, step, steps, decay = _floats(lr, step, steps, decay)
        return lr / (1 + decay * periods(step, steps, staircase))

    return node("InverseTimeDecay", rate, learning_rate, global_step, decay_steps, decay_rate, name=name)


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Any:
    """`(learning_rate - end) * (1 - step / decay_steps) ** power + end`, and `end` afterwards.

    With `cycle`, `decay_steps` is multiplied so that the step never passes it.
    """

    def rate(lr: Any, step: Any, steps: Any, end: Any, power: Any) -> Any:
        lr, step, steps, end, power = _floats(lr, step, steps, end, power)
        return polynomial(lr, step, steps, end, power, cycle)

    return node("PolynomialDecay", rate, learning_rate, global_step, decay_steps, end_learning_rate, power, name=name)


def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0, name: str | None = None
) -> Any:
    """`learning_rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)`."""

    def rate(lr: Any, step: Any, steps: Any, alpha: Any) -> Any:
        return cosine(*_floats(lr, step, steps, alpha))

    return node("CosineDecay", rate, learning_rate, global_step, decay_steps, alpha, name=name)


def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Any:
    """`values[i]` up to and including `boundaries[i]`, the last value beyond the last boundary."""
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")

    def chosen(x: Any, ends: Any, values: Any) -> Any:
        place = jnp.sum(_floats(x)[0] > jnp.stack(_floats(*ends)))
        return jnp.stack(_floats(*values))[place]

    return node("PiecewiseConstant", chosen, x, list(boundaries), list(values), name=name)


piecewise_constant_decay = piecewise_constant


def create_global_step(graph: Any = None) -> Any:
    """The variable that counts steps, made here.

    Raises:
        ValueError: if there is one.
    """
    owner = graph or _graph.get_default_graph()
    if owner.get_collection(GraphKeys.GLOBAL_STEP):
        raise ValueError('"global_step" already exists.')
    step = Variable(0, trainable=False, name="global_step")
    owner.add_to_collection(GraphKeys.GLOBAL_STEP, step)
    return step


def get_global_step(graph: Any = None) -> Any:
    """The variable that counts steps, or None."""
    owner = graph or _graph.get_default_graph()
    found = owner.get_collection(GraphKeys.GLOBAL_STEP)
    if found:
        return found[0]
    named = owner.names.get("global_step")
    return named[0] if isinstance(named, list) else None


def get_or_create_global_step(graph: Any = None) -> Any:
    """The variable that counts steps, made if there is none."""
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The number of steps in a session."""
    return int(sess.run(global_step_tensor))


class ExponentialMovingAverage:
    """Averages of variables: `average = decay * average + (1 - decay) * variable`.

    Arguments:
        decay: share of the average that is kept.
        num_updates: where given, the decay is at most `(1 + n) / (10 + n)`.
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay, self._updates, self.name = decay, num_updates, name
        self._averages: dict[CoreVariable, Any] = {}

    def apply(self, var_list: Any = None) -> Any:
        """An operation that brings the averages up to date."""
        made: list[Any] = []
        for variable in trainable_variables() if var_list is None else var_list:
            if variable not in self._averages:
                base = variable.name.partition(":")[0]
                first = getattr(variable, "initial_value", variable)
                self._averages[variable] = Variable(first, trainable=False, name=f"{base}/{self.name}")
            operands = (variable, self._decay, *([] if self._updates is None else [self._updates]))
            made.append(write("AssignMovingAvg", self._averages[variable], _average, *operands))
        return _graph.group(*made, name=self.name)

    def average(self, var: Any) -> Any:
        """The average of a variable, or None."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name under which the average of a variable is saved."""
        return f"{var.name.partition(':')[0]}/{self.name}"


def _average(old: Any, new: Any, decay: Any, updates: Any = None) -> Any:
    decay = jnp.asarray(decay, old.dtype)
    if updates is not None:
        (count,) = _floats(updates)
        decay = jnp.minimum(decay, (1 + count) / (10 + count))
    return old * decay + new * (1 - decay)


__all__ = [
    "ExponentialMovingAverage", "cosine_decay", "create_global_step", "exponential_decay", "get_global_step",
    "get_or_create_global_step", "global_step", "inverse_time_decay", "natural_exp_decay", "piecewise_constant",
    "piecewise_constant_decay", "polynomial_decay",
]  # fmt: skip
