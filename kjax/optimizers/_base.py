"""What every optimizer shares: hyperparameters, clipping, decay, the counter, constraints, saved state."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph
from kjax._core.graph import Variable
from kjax._core.registry import keeps_objects
from kjax.optimizers import schedules
from kjax.optimizers._hyper import Counter, Hyperparameter, Number, ScheduledRate, as_number
from kjax.optimizers._later import Later
from kjax.optimizers._recorded import Recorded
from kjax.optimizers._trees import scaled_down, with_count
from kjax.optimizers._updates import Updates

# Bounds of gradients that every optimizer may be given.
_BOUNDS = ("clipnorm", "clipvalue", "global_clipnorm")


class OptimizerState(NamedTuple):
    """What an optimizer knows after some steps.

    Attributes:
        iterations: number of steps taken, an int32 scalar.
        slots: what the formula remembers of each parameter, as `init` made it, without its own count.
    """

    iterations: Any
    slots: Any


class Optimizer(Updates, Later):
    """Base class of the optimizers: two pure functions, and everything around them.

    A subclass defines `init(params) -> slots` and `update(grads, slots, params, lr) -> (updates, slots)` over
    any pytree of parameters. The updates are to be added. `apply` makes a step of them:

        grads -> clipnorm -> clipvalue -> update at lr / (1 + decay * iterations) -> constraints

    A subclass in the manner of Keras 2 defines `get_updates(loss, params)` instead, which returns operations.

    Arguments:
        lr: learning rate: a number, or a schedule of `keras.optimizers.schedules`; None for an optimizer that has none.
        **kwargs:
            learning_rate: the same as `lr`.
            clipnorm: the norm that all gradients together may have; larger ones are scaled down to it.
            global_clipnorm: the same, under the name of tf.keras.
            clipvalue: bound for the absolute value of each element of a gradient, after `clipnorm`.
            name: accepted for tf.keras and not used.

    Raises:
        TypeError: for an unknown keyword, for `lr` with `learning_rate`, and for a rate that is no number.
    """

    lr = Hyperparameter()
    learning_rate = Hyperparameter("lr")
    decay = Hyperparameter()
    iterations: Any = Counter()

    # What `get_config` writes, in Keras's order.
    arguments: tuple[str, ...] = ()
    # What it writes beside where it is used.
    options: tuple[str, ...] = ()
    # Keras 2.2 saved the counter of some classes only. It is part of the file format.
    saves_iterations = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Here, where a rate that the caller gave can still be told from the default.
        if kwargs.get("learning_rate") is not None:
            given = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs).arguments
            if "lr" in given:
                raise TypeError(f"{cls.__name__} got both `lr` and `learning_rate`, which mean the same. Give one.")
        made = super().__new__(cls)
        made._begin()
        return made

    def _begin(self) -> None:
        """What there is before `__init__`, which a class of the user's may not call, or not first."""
        self.hyperparameters: dict[str, Variable] = {}
        self.scheduled: ScheduledRate | None = None
        self.updates: list[Any] = []
        self.given_weights: list[Variable] | None = None  # what was assigned to `weights`
        self.structure: Any = None
        self._recorded: Recorded | None = None
        self._slot_variables: list[Variable] = []
        self._awaited: list[Any] | None = None  # values for the slots, once there are slots

    def __init__(self, lr: Number | str | None = None, **kwargs: Any) -> None:
        if hasattr(type(self), "_resource_apply_dense"):  # in the manner of tf.keras, where the name comes first
            lr = kwargs.pop("lr", None if isinstance(lr, str) else lr)
            self._initial_decay = kwargs.pop("decay", 0.0)
        self._refuse_unknown(kwargs)
        for name in _BOUNDS:  # Keras's have these attributes where they were given
            if kwargs.get(name) is not None:
                setattr(self, name, as_number(kwargs[name], name))
        if kwargs.get("learning_rate") is not None:
            lr = kwargs["learning_rate"]
        if isinstance(lr, (schedules.LearningRateSchedule, Mapping)):
            self.follow(lr)
        elif lr is not None:
            self.hold(lr=cast(Any, lr))

    def __getstate__(self) -> dict[str, Any]:
        """Without operations: they are made again, and their variables get the present values."""
        if not self.follows_updates:
            return dict(self.__dict__)
        held = [variable.numpy() for variable in self.state_variables] or self._awaited
        unbuilt = {"updates": [], "given_weights": None, "structure": None, "_recorded": None, "_slot_variables": []}
        return {**self.__dict__, **unbuilt, "_awaited": held}

    def bounds(self) -> dict[str, float]:
        """The bounds of gradients that were given, by name."""
        return {name: getattr(self, name) for name in _BOUNDS if getattr(self, name, None) is not None}

    def _refuse_unknown(self, kwargs: dict[str, Any]) -> None:
        allowed = ("learning_rate", *_BOUNDS, "name")
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

    def follow(self, schedule: Any) -> None:
        """Let a schedule, or the config of one, give the learning rate."""
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
        self, grads: Any, state: OptimizerState, params: Any, constraints: Any = None, total: Any = 0.0
    ) -> tuple[Any, OptimizerState]:
        """One step: the new parameters and the new state. Pure.

        Arguments:
            grads: gradients, of the structure of `params`.
            state: what `init_state` or the last `apply` gave.
            params: any pytree of arrays.
            constraints: for each parameter, in the same structure, a function that its new value passes
                through, or None.
            total: the loss, for a step that `get_updates` describes.
        """
        if self.follows_updates:
            return self._follow_updates(grads, state, params, total)
        return self.changed(self.clip(grads), state, params, constraints)

    def changed(
        self, grads: Any, state: OptimizerState, params: Any, constraints: Any = None
    ) -> tuple[Any, OptimizerState]:
        """`apply`, with gradients that are clipped already."""
        slots = with_count(state.slots, state.iterations)
        updates, slots = self.update(grads, slots, params, self.decayed_rate(state.iterations))
        return self.moved(params, updates, constraints), OptimizerState(state.iterations + 1, with_count(slots, None))

    def _follow_updates(self, grads: Any, state: OptimizerState, params: Any, total: Any) -> tuple[Any, OptimizerState]:
        """A step that `get_updates` describes."""
        if self._recorded is None:
            raise RuntimeError(f"{type(self).__name__} has no state before `build(params)` was called.")
        leaves, structure = jax.tree.flatten(params)
        held, shape = jax.tree.flatten(state)
        pairs = [*zip(self._recorded.params, leaves, strict=True), *zip(self.state_variables, held, strict=True)]
        new = self._recorded.step(dict(pairs), jax.tree.leaves(grads), total)
        values = [new.get(variable, value) for variable, value in pairs]
        return structure.unflatten(values[: len(leaves)]), shape.unflatten(values[len(leaves) :])

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
        bounds = self.bounds()
        for name in ("clipnorm", "global_clipnorm"):
            if bounds.get(name) and leaves:
                leaves = scaled_down(leaves, bounds[name])
        if bounds.get("clipvalue"):
            leaves = [jnp.clip(g, -bounds["clipvalue"], bounds["clipvalue"]) for g in leaves]
        return structure.unflatten(leaves)

    def clip_symbolic(self, grads: list[Any]) -> list[Any]:
        """Symbolic gradients, clipped as `clip` does."""
        return graph.apply(self.clip, grads) if any(self.bounds().values()) else grads

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

    # The state that a model trains with and saves.

    def build(self, params: Sequence[Variable]) -> None:
        """Create the variables that hold the slots of `params`. The counter goes on from where it is."""
        self.given_weights, self._recorded = None, None
        if self.follows_updates:
            self._recorded = Recorded(self, params)
            self._slot_variables = self._recorded.slots
            self.structure = jax.tree.structure(OptimizerState(0, [0] * len(self._slot_variables)))
        else:
            self.make_slots(params)
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            self.restore(awaited)

    def make_slots(self, params: Sequence[Variable]) -> None:
        """Create the variables that hold the slots which `init` gives."""
        slots = with_count(self.init(self.starting_values(params)), None)
        leaves, self.structure = jax.tree.flatten(OptimizerState(0, slots))
        names = [f"training/{type(self).__name__}/Variable{f'_{i}' if i else ''}:0" for i in range(len(leaves) - 1)]
        self._slot_variables = [
            Variable(leaf, leaf.dtype, name, trainable=False) for leaf, name in zip(leaves[1:], names, strict=True)
        ]

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
        return self.structure is not None

    @property
    def state_variables(self) -> list[Variable]:
        """The variables that hold `state`, in the order of its leaves."""
        return [self.iterations, *self._slot_variables] if self.built else []

    def variables_by_slot(self) -> dict[str, list[Variable]]:
        """The variables of `state` by the names of the slots, in the order of the parameters."""
        if not self.built:
            return {}
        slots = self.structure.unflatten(self.state_variables).slots
        return {name: jax.tree.leaves(slot) for name, slot in slots._asdict().items()} if slots is not None else {}

    @property
    def state(self) -> OptimizerState:
        """The state that the variables hold, for `apply`.

        Raises:
            RuntimeError: before `build`.
        """
        if not self.built:
            raise RuntimeError(f"{type(self).__name__} has no state before `build(params)` was called.")
        return self.structure.unflatten([variable.value for variable in self.state_variables])

    @property
    def hyper_variables(self) -> list[Variable]:
        """The variables of the hyperparameters, and others that a step reads."""
        held = list(self.hyperparameters.values())
        read = [] if self._recorded is None else self._recorded.reads
        return list(dict.fromkeys(v for v in (*held, *read) if v not in self._slot_variables)) if read else held

    def saved_variables(self) -> list[Variable]:
        """The variables that are saved, in the order of Keras 2.2. Empty before `build`."""
        return self.state_variables if self.saves_iterations else self.state_variables[1:]

    @property
    def weights(self) -> list[Variable]:
        """The variables that are saved, in the order of Keras 2.2, or those that `get_updates` named. Empty before."""
        if self.given_weights is not None:
            return self.given_weights
        return self.saved_variables() if self._recorded is None else self.state_variables

    @weights.setter
    def weights(self, variables: list[Variable]) -> None:
        self.given_weights = variables

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
            variable.replace(array)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make such an optimizer. Hyperparameters are read from their variables."""
        values = {name: getattr(self, name) for name in self.arguments}
        values.update({name: getattr(self, name) for name in self.options if getattr(self, name, False)})
        if self.scheduled is not None and self.scheduled.rules:
            schedule = self.scheduled.schedule
            values["lr"] = schedule if keeps_objects() else schedules.serialize(schedule)
        return {**self.bounds(), **{k: float(v) if isinstance(v, Variable) else v for k, v in values.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An optimizer with the arguments that `get_config` gave."""
        return cls(**config)
