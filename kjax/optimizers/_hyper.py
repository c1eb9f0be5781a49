"""Hyperparameters: numbers in variables, which change without a new program, and rates that follow a schedule."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import scope
from kjax._core.graph import Tensor, Variable
from kjax.optimizers.schedules import LearningRateSchedule, rate_dtype

if TYPE_CHECKING:
    from kjax.optimizers._base import Optimizer

Number = SupportsFloat | Variable | LearningRateSchedule


class Hyperparameter:
    """An attribute that is a `Variable`. Assigning a number to it changes the variable's value.

    An optimizer of the user's may give it a variable of its own, a tensor, or a plain number: these stand in the
    optimizer's `__dict__`, as an ordinary attribute would, or take the variable's place.

    Arguments:
        stands_for: the hyperparameter's name, where the attribute has another one.
    """

    def __init__(self, stands_for: str | None = None) -> None:
        self._name = stands_for
        self._attribute = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._attribute = self._name or name, name

    def __get__(self, optimizer: Optimizer | None, owner: type | None = None) -> Any:
        if optimizer is None:
            return self
        name = str(self._name)
        if name in optimizer.__dict__:
            return optimizer.__dict__[name]
        if name == "lr" and optimizer.scheduled is not None:
            return optimizer.scheduled
        held = optimizer.hyperparameters.get(name)
        if held is not None:
            return held
        other = {"lr": "learning_rate", "learning_rate": "lr"}.get(self._attribute)
        if other is not None and not isinstance(getattr(type(optimizer), other), Hyperparameter):
            return getattr(optimizer, other)  # a property of the user's
        raise AttributeError(f"{type(optimizer).__name__} has no hyperparameter '{name}'.")

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        name, own = str(self._name), optimizer.__dict__
        replaced, held = own.pop(name, None), optimizer.hyperparameters.get(name)
        if isinstance(value, Tensor):
            own[name] = value
        elif isinstance(value, Variable):
            if held is None or replaced is not None or not optimizer.built:
                optimizer.hyperparameters[name] = value
            elif value is not held and value is not optimizer.scheduled:
                held.assign(as_number(value, name))
        elif name == "lr" and isinstance(value, LearningRateSchedule) and not optimizer.built:
            optimizer.follow(value)
        elif held is not None:
            (optimizer.scheduled if name == "lr" and optimizer.scheduled is not None else held).replace(
                as_number(value, name)
            )
        elif optimizer.follows_updates:
            own[name] = value
        else:
            self.__get__(optimizer)  # complains


class Counter:
    """The attribute `iterations`: how many steps were taken, a variable. It is made when it is first asked for."""

    def __get__(self, optimizer: Optimizer | None, owner: type | None = None) -> Any:
        if optimizer is None:
            return self
        own = optimizer.__dict__
        if own.get("_iterations") is None:
            own["_iterations"] = Variable(0, "int32", f"{type(optimizer).__name__}/iterations:0", trainable=False)
        return own["_iterations"]

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        if not isinstance(value, (Tensor, Variable)):
            self.__get__(optimizer).replace(value)
            return
        optimizer.__dict__["_iterations"] = value
        if isinstance(value, Variable) and optimizer.scheduled is not None:
            optimizer.scheduled.iterations = value


class Bound(NamedTuple):
    """What stands for a hyperparameter's variable while a step is computed with another value."""

    value: Any

    @property
    def dtype(self) -> Any:
        return self.value.dtype


class ScheduledRate(Variable):
    """The learning rate of an optimizer with a schedule, as a variable: its value is the rate of the next step.

    Arguments:
        schedule: gives the rate of a step; calling the variable calls it.
        iterations: the optimizer's counter.
        name: its name.

    Attributes:
        fixed: a number that was assigned and rules in the place of the schedule; infinite while there is none.
    """

    def __init__(self, schedule: LearningRateSchedule, iterations: Variable, name: str) -> None:
        super().__init__(np.inf, rate_dtype(), name, trainable=False)
        self.schedule, self.iterations = schedule, iterations
        self.fixed = Variable(np.inf, rate_dtype(), name, trainable=False)

    def at(self, iterations: Any) -> Any:
        """The rate after `iterations` steps, by the schedule or as it was assigned."""
        fixed = self.fixed.value
        rate = self.schedule(jnp.asarray(iterations).astype(fixed.dtype))
        return jnp.where(jnp.isinf(fixed), jnp.asarray(rate).astype(fixed.dtype), fixed)

    @property
    def rules(self) -> bool:
        """Whether the schedule rules: no number was assigned."""
        return bool(np.isinf(self.fixed.numpy()))

    @property
    def value(self) -> Any:
        return self.stored if scope.current() is None else self.at(self.iterations.value)

    @property
    def stored(self) -> jax.Array:
        if not self.rules:
            return self.fixed.stored
        with jax.ensure_compile_time_eval():
            return self._now(self.iterations.stored)

    @functools.cached_property
    def _now(self) -> Any:
        # One program: operation by operation, the first look at the rate would compile many.
        return jax.jit(lambda step: jnp.asarray(self.schedule(step.astype(self.dtype))).astype(self.dtype))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_now"}

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        return self.fixed.assign(value)

    def replace(self, value: Any) -> Any:
        self.fixed.replace(value)
        return self

    def store(self, array: jax.Array) -> None:
        self.fixed.store(array)

    def hold(self, array: np.ndarray) -> None:
        self.fixed.hold(array)

    def __call__(self, step: Any) -> Any:
        return self.schedule(step)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copied = ScheduledRate(copy.deepcopy(self.schedule, memo), copy.deepcopy(self.iterations, memo), self.name)
        memo[id(self)] = copied
        copied.fixed = copy.deepcopy(self.fixed, memo)
        return copied


def as_number(value: Any, what: str) -> float:
    """`value` as a Python float.

    Raises:
        TypeError: for anything but a number or a scalar.
    """
    plain = not callable(value) or isinstance(value, Variable)
    scalar: Any = value
    if plain and not isinstance(value, (str, bytes)) and not np.ndim(scalar):
        try:
            return float(scalar)
        except (TypeError, ValueError):
            pass
    raise TypeError(
        f"`{what}` must be a number, got {value!r}. For a rate that changes while training, use `decay`, a "
        "LearningRateScheduler callback, assign to the optimizer's `lr`, or make the optimizer with a schedule of "
        "`keras.optimizers.schedules` as its `lr`."
    )
