"""What every optimizer shares: hyperparameters, clipping, decay, the counter, constraints, saved state."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import config, graph
from kjax._core.gradients import gradients
from kjax._core.graph import Variable
from kjax._core.registry import keeps_objects
from kjax.optimizers import schedules
from kjax.optimizers._hyper import Hyperparameter, Number, ScheduledRate, as_number


class OptimizerState(NamedTuple):
    """What an optimizer knows after some steps.

    Attributes:
        iterations: number of steps taken, an int32 scalar.
        slots: what the formula remembers of each parameter, as `init` made it, without its own count.
    """

    iterations: Any
    slots: Any


class Optimizer:
    """Base class of the optimizers: two pure functions, and everything around them.

    A subclass defines `init(params) -> slots` and `update(grads, slots, params, lr) -> (updates, slots)` over
    any pytree of parameters. The updates are to be added. `apply` makes a step of them:

        grads -> clipnorm -> clipvalue -> update at lr / (1 + decay * iterations) -> constraints

    Arguments:
        lr: learning rate: a number, or a schedule of `keras.optimizers.schedules`; None for an optimizer that has none.
        **kwargs:
            learning_rate: the same as `lr`.
            clipnorm: the norm that all gradients together may have; larger ones are scaled down to it.
            clipvalue: bound for the absolute value of each element of a gradient, after `clipnorm`.
            name: accepted for tf.keras and not used.

    Raises:
        TypeError: for an unknown keyword, for `lr` with `learning_rate`, and for a rate that is no number.
    """

    lr = Hyperparameter()
    learning_rate = Hyperparameter("lr")
    decay = Hyperparameter()

    # What `get_config` writes, in Keras's order.
    arguments: tuple[str, ...] = ()
    # Keras 2.2 saved the counter of some classes only. It is part of the file format.
    saves_iterations = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Here, where a rate that the caller gave can still be told from the default.
        if kwargs.get("learning_rate") is not None:
            given = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs).arguments
            if "lr" in given:
                raise TypeError(f"{cls.__name__} got both `lr` and `learning_rate`, which mean the same. Give one.")
        return super().__new__(cls)

    def __init__(self, lr: Number | None = None, **kwargs: Any) -> None:
        self._refuse_unknown(kwargs)
        self.hyperparameters: dict[str, Variable] = {}
        self.scheduled: ScheduledRate | None = None
        self.clipnorm = _optional_number(kwargs.get("clipnorm"), "clipnorm")
        self.clipvalue = _optional_number(kwargs.get("clipvalue"), "clipvalue")
        label = type(self).__name__
        self.iterations = Variable(0, "int32", f"{label}/iterations:0", trainable=False)
        self._slot_variables: list[Variable] = []
        self._structure: Any = None
        self._awaited: list[Any] | None = None  # values for the slots, once there are slots
        if kwargs.get("learning_rate") is not None:
            lr = kwargs["learning_rate"]
        if isinstance(lr, (schedules.LearningRateSchedule, Mapping)):
            self._follow(lr)
        elif lr is not None:
            self.hold(lr=lr)

    def _refuse_unknown(self, kwargs: dict[str, Any]) -> None:
        allowed = ("learning_rate", "clipnorm", "clipvalue", "name")
        for name in kwargs:
            if name not in allowed:
                parameters = inspect.signature(type(self)).parameters.values()
                named = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
                raise TypeError(
                    f"Unexpected keyword argument passed to optimizer: {name}. "
                    f"{type(self).__name__} takes {', '.join(dict.fromkeys([*named, *allowed]))}."
                )

    def hold(self, **values: Number) -> None:
        """Make hyperparameters of these numbers."""
        for name, value in values.items():
            label = f"{type(self).__name__}/{name}:0"
            number = as_number(value, name)
            self.hyperparameters[name] = Variable(number, schedules.rate_dtype(), label, trainable=False)

    def _follow(self, schedule: Any) -> None:
        schedule = schedules.deserialize(schedule) if isinstance(schedule, Mapping) else schedule
        self.scheduled = ScheduledRate(schedule, self.iterations, f"{type(self).__name__}/lr:0")
        # Programs get the number that may be assigned. The schedule is a part of them.
        self.hyperparameters["lr"] = self.scheduled.fixed

    # The two pure functions of a subclass.

    def init(self, params: Any) -> Any:
        """What the optimizer remembers of `params` before the first step: its slots."""
        raise NotImplementedError(f"{type(self).__name__} must define `init(params)`, which returns its slots.")

    def update(self, grads: Any, slots: Any, params: Any, lr: Any = None) -> tuple[Any, Any]:
        """What to add to `params`, and the slots after it.

        Arguments:
            grads: gradients, of the structure of `params`.
            slots: what `init` or the last `update` gave.
            params: any pytree of arrays.
            lr: the rate of this step; the hyperparameter `lr` if None.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `update(grads, slots, params, lr)`.")

    def rate(self, lr: Any = None) -> Any:
        """`lr`, or the hyperparameter of that name for None."""
        return self.lr.value if lr is None else lr

    # A whole step.

    def init_state(self, params: Any) -> OptimizerState:
        """The state before the first step, for `apply`."""
        return OptimizerState(jnp.zeros((), jnp.int32), with_count(self.init(params), None))

    @property
    def is_direct(self) -> bool:
        """Whether, with the present hyperparameters, a step is `factor` times the gradient and all that is remembered.

        Then the loss is multiplied by the factor before it is differentiated, and what comes out are the steps. To
        make them of the gradients would take as long as to add them to the parameters.
        """
        return False

    def factor(self, iterations: Any) -> Any:
        """What gradients are multiplied by, if the optimizer `is_direct`."""
        raise NotImplementedError(f"{type(self).__name__} has no factor.")

    def apply_steps(
        self, steps: Any, state: OptimizerState, params: Any, constraints: Any = None
    ) -> tuple[Any, OptimizerState]:
        """`apply`, given the gradients times `factor`."""
        raise NotImplementedError(f"{type(self).__name__} has no factor.")

    def apply(
        self, grads: Any, state: OptimizerState, params: Any, constraints: Any = None
    ) -> tuple[Any, OptimizerState]:
        """One step: the new parameters and the new state. Pure.

        Arguments:
            grads: gradients, of the structure of `params`.
            state: what `init_state` or the last `apply` gave.
            params: any pytree of arrays.
            constraints: for each parameter, in the same structure, a function that its new value passes
                through, or None.
        """
        slots = with_count(state.slots, state.iterations)
        updates, slots = self.update(self.clip(grads), slots, params, self.decayed_rate(state.iterations))
        return self.moved(params, updates, constraints), OptimizerState(state.iterations + 1, with_count(slots, None))

    def moved(self, params: Any, updates: Any, constraints: Any = None) -> Any:
        """The parameters after updates were added to them, and after their constraints."""
        new = jax.tree.map(lambda p, u: p + jnp.asarray(u, jnp.asarray(p).dtype), params, updates)
        if constraints is None:
            return new
        leaves, structure = jax.tree.flatten(new)
        functions = jax.tree.leaves(constraints, is_leaf=lambda x: x is None)
        return structure.unflatten([p if f is None else f(p) for f, p in zip(functions, leaves, strict=True)])

    def clip(self, grads: Any) -> Any:
        """`grads` after `clipnorm`, then `clipvalue`."""
        leaves, structure = jax.tree.flatten(grads)
        if self.clipnorm and leaves:
            wide = functools.reduce(np.promote_types, (g.dtype for g in leaves), jnp.dtype("float32"))
            square = sum(jnp.sum(jnp.square(g.astype(wide))) for g in leaves)
            over = square >= jnp.asarray(self.clipnorm**2, wide)
            # The root of 0 has no derivative, so it is not taken where it is not used.
            norm = jnp.sqrt(jnp.where(over, square, jnp.ones_like(square)))
            scale = jnp.where(over, self.clipnorm / norm, jnp.ones_like(square))
            leaves = [g * scale.astype(g.dtype) for g in leaves]
        if self.clipvalue:
            leaves = [jnp.clip(g, -self.clipvalue, self.clipvalue) for g in leaves]
        return structure.unflatten(leaves)

    def decayed_rate(self, iterations: Any) -> Any:
        """The learning rate after `iterations` steps; None where there is none."""
        held = self.hyperparameters
        if "lr" not in held:
            return None
        rate = held["lr"].value if self.scheduled is None else self.scheduled.at(iterations)
        if "decay" not in held:
            return rate
        decay = held["decay"].value
        return rate * (1.0 / (1.0 + decay * jnp.asarray(iterations).astype(decay.dtype)))

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list[Any]:
        """Symbolic gradients of `loss` with respect to `params`, clipped as in training."""
        grads = gradients(loss, params)
        return graph.apply(self.clip, grads) if self.clipnorm or self.clipvalue else grads

    # The state that a model trains with and saves.

    def build(self, params: Sequence[Variable]) -> None:
        """Create the variables that hold the slots of `params`. The counter goes on from where it is."""
        label = type(self).__name__
        slots = with_count(self.init(self.starting_values(params)), None)
        leaves, self._structure = jax.tree.flatten(OptimizerState(0, slots))
        names = [f"training/{label}/Variable{f'_{i}' if i else ''}:0" for i in range(len(leaves) - 1)]
        self._slot_variables = [
            Variable(leaf, leaf.dtype, name, trainable=False) for leaf, name in zip(leaves[1:], names, strict=True)
        ]
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            self.restore(awaited)

    def restore(self, values: Sequence[Any]) -> None:
        """Take the values of `state_variables` that another such optimizer had: now, or when `build` makes them.

        Raises:
            ValueError: if their number or a shape differs. Nothing is changed then.
        """
        if not self.built:
            self._awaited = list(values)
        else:
            self._take(self.state_variables, values)

    def starting_values(self, params: Sequence[Variable]) -> list[Any]:
        """What `build` gives to `init`: zeros on the host, so that no program is compiled."""
        return [np.broadcast_to(np.zeros((), p.dtype), cast(Any, p.shape)) for p in params]

    @property
    def built(self) -> bool:
        """Whether the slots' variables exist."""
        return self._structure is not None

    @property
    def state_variables(self) -> list[Variable]:
        """The variables that hold `state`, in the order of its leaves."""
        return [self.iterations, *self._slot_variables] if self.built else []

    def variables_by_slot(self) -> dict[str, list[Variable]]:
        """The variables of `state` by the names of the slots, in the order of the parameters."""
        if not self.built:
            return {}
        slots = self._structure.unflatten(self.state_variables).slots
        return {name: jax.tree.leaves(slot) for name, slot in slots._asdict().items()} if slots is not None else {}

    @property
    def state(self) -> OptimizerState:
        """The state that the variables hold, for `apply`.

        Raises:
            RuntimeError: before `build`.
        """
        if not self.built:
            raise RuntimeError(f"{type(self).__name__} has no state before `build(params)` was called.")
        return self._structure.unflatten([variable.value for variable in self.state_variables])

    @property
    def hyper_variables(self) -> list[Variable]:
        """The variables of the hyperparameters."""
        return list(self.hyperparameters.values())

    @property
    def weights(self) -> list[Variable]:
        """The variables that are saved, in the order of Keras 2.2. Empty before `build`."""
        return self.state_variables if self.saves_iterations else self.state_variables[1:]

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `weights`.

        Raises:
            ValueError: if the number of arrays or a shape differs. Nothing is changed then.
        """
        self._take(self.weights, weights)

    def _take(self, variables: Sequence[Variable], values: Sequence[Any]) -> None:
        if len(values) != len(variables):
            hint = "" if self.built else " It has none before its model trains or `build(params)` is called."
            raise ValueError(
                f"Length of the specified weight list ({len(values)}) does not match the number of weights "
                f"of {type(self).__name__} ({len(variables)}).{hint}"
            )
        arrays = [np.asarray(value) for value in values]
        for variable, array in zip(variables, arrays, strict=True):
            if array.shape != tuple(variable.shape):
                raise ValueError(
                    f"Optimizer weight shape {tuple(variable.shape)} of '{variable.name}' is not compatible "
                    f"with the provided weight shape {array.shape}."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make such an optimizer. Hyperparameters are read from their variables."""
        clips = {"clipnorm": self.clipnorm, "clipvalue": self.clipvalue}
        given = {name: value for name, value in clips.items() if value is not None}
        values = {name: getattr(self, name) for name in self.arguments}
        if self.scheduled is not None and self.scheduled.rules:
            schedule = self.scheduled.schedule
            values["lr"] = schedule if keeps_objects() else schedules.serialize(schedule)
        return {**given, **{k: float(v) if isinstance(v, Variable) else v for k, v in values.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An optimizer with the arguments that `get_config` gave."""
        return cls(**config)


def fuzz(epsilon: float | None) -> float:
    """`epsilon`, or `K.epsilon()` for None."""
    return config.epsilon() if epsilon is None else as_number(epsilon, "epsilon")


def _optional_number(value: Any, what: str) -> float | None:
    return None if value is None else as_number(value, what)


def with_count(slots: Any, count: Any) -> Any:
    """The slots with `count` steps in them, where they count at all.

    In an `OptimizerState` their count is None: the state's own counter is the only one.
    """
    return slots._replace(count=count) if "count" in getattr(slots, "_fields", ()) else slots


def zeros_like(params: Any) -> Any:
    """Zeros for each parameter. A numpy array's are numpy's, and take no memory yet."""

    def zeros(p: Any) -> Any:
        return np.broadcast_to(np.zeros((), p.dtype), p.shape) if isinstance(p, np.ndarray) else jnp.zeros_like(p)

    return jax.tree.map(zeros, params)


def map_leaves(function: Callable[..., tuple[Any, ...]], params: Any, *trees: Any) -> tuple[Any, ...]:
    """`function` of each parameter and its place in each tree; as many trees come out, built alike."""
    leaves, structure = jax.tree.flatten(params)
    columns = [structure.flatten_up_to(tree) for tree in trees]
    rows = [function(jnp.asarray(p), *row) for p, *row in zip(leaves, *columns, strict=True)]
    if not rows:
        return tuple(structure.unflatten([]) for _ in trees)
    return tuple(structure.unflatten(column) for column in zip(*rows, strict=True))


def cast_to(p: Any, *scalars: Any) -> list[Any]:
    """Scalars in the type of the parameter `p`."""
    return [jnp.asarray(scalar).astype(p.dtype) for scalar in scalars]
