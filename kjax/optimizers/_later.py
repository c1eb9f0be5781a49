"""What optimizers of tf.keras can do beside: steps from gradients at hand, and classes with `_resource_apply_dense`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import graph, scope
from kjax._core.gradients import gradients
from kjax._core.graph import Tensor, Variable
from kjax._core.scope import Scope
from kjax.backend.programs import effects
from kjax.optimizers._hyper import Hyperparameter, as_number
from kjax.optimizers._recorded import ask, described, flat
from kjax.optimizers.schedules import LearningRateSchedule, rate_dtype
from kjax.optimizers.schedules import serialize as serialize_schedule

if TYPE_CHECKING:
    from kjax.optimizers._base import Optimizer


class Later:
    """Methods of tf.keras's optimizers. A base of `Optimizer` alone."""

    _use_locking = False
    _initial_decay: Any = 0.0

    def apply_gradients(
        self, grads_and_vars: Iterable[Any], name: str | None = None, experimental_aggregate_gradients: bool = True
    ) -> Any:
        """Change variables by gradients: here and now; where these are symbolic, when what it returns is computed.

        Clipping comes before, constraints after. What the optimizer remembers belongs to this list of variables.

        Arguments:
            grads_and_vars: pairs of a gradient and its variable. Those without a gradient (None) are left out.
            name, experimental_aggregate_gradients: accepted, not used.

        Raises:
            ValueError: if there is no gradient.
        """
        given = list(grads_and_vars)
        pairs = [(g, v) for g, v in given if g is not None]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in given]}.")
        grads, variables = [g for g, _ in pairs], [v for _, v in pairs]
        if any(isinstance(g, (Tensor, Variable)) for g in grads):
            made = self._operations(grads, variables)
            return graph.make_node(_after, ([x for u in made for x in _results(u)],), {}, name="apply_gradients").result
        programs = self.__dict__.setdefault("_programs", {})
        key = tuple(id(v) for v in variables)
        if key not in programs:
            feeds = [Tensor(v.shape, v.dtype) for v in variables]
            programs[key] = K.function(feeds, [], updates=self._operations(feeds, variables))
        programs[key](grads)
        return cast("Optimizer", self).iterations

    def _operations(self, grads: Sequence[Any], variables: list[Variable]) -> list[Any]:
        """The step that these gradients make, as operations."""
        own = self.__dict__
        before = own.get("get_gradients")
        own["get_gradients"] = lambda loss, params: cast("Optimizer", self).clip_symbolic(list(grads))
        try:
            with described(self):
                return list(flat(ask(self, Tensor((), rate_dtype(), "loss"), variables)))
        finally:
            del own["get_gradients"]
            if before is not None:
                own["get_gradients"] = before

    def minimize(
        self, loss: Any, var_list: Any = None, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Any:
        """One step towards a smaller loss.

        Arguments:
            loss: a function without arguments, for a step here and now; or a symbolic tensor.
            var_list: the variables to change, or a function that gives them.
            grad_loss, name, tape: accepted, not used.

        Raises:
            ValueError: if it is not said what to change.
        """
        variables: list[Variable] = list(cast(Any, var_list() if callable(var_list) else var_list or ()))
        if isinstance(loss, Tensor):
            variables = variables or [v for v in _variables_of(loss) if v.trainable]
        if not variables:
            raise ValueError("Name the variables to change: `minimize(loss, var_list=model.trainable_weights)`.")
        if isinstance(loss, Tensor):
            return self.apply_gradients(zip(gradients(loss, variables), variables, strict=True))

        def total(values: list[Any]) -> Any:
            with Scope(variables, values, training=True):
                return jnp.sum(jnp.asarray(loss()))

        grads = jax.grad(total)([v.stored for v in variables])
        return self.apply_gradients(zip(grads, variables, strict=True))

    def variables(self) -> list[Variable]:
        """All that the optimizer remembers, as variables."""
        return list(cast("Optimizer", self).weights)

    # -- for classes that define `_resource_apply_dense(grad, var)` ---------------------------------------------------

    def dense_updates(self, loss: Any, params: list[Variable]) -> list[Any]:
        """The operations that `_create_slots` and `_resource_apply_dense` make of a step."""
        optimizer = cast("Any", self)
        grads = optimizer.get_gradients(loss, params)
        seen = [Handle(p) for p in params]
        optimizer.weights = [optimizer.iterations]
        optimizer._create_slots(seen)
        updates: list[Any] = []
        for grad, handle in zip(grads, seen, strict=True):
            made = optimizer._resource_apply_dense(grad, handle)
            updates.append(made)
            constraint = handle.held.constraint
            if constraint is not None:
                node = graph.make_node(_writer(handle.held, constraint), (handle.held,), {})
                node.after, node.writes = tuple(_results(made)), (handle.held,)
                updates.append(node.result)
        optimizer.updates = [*updates, K.update_add(optimizer.iterations, 1)]
        return optimizer.updates

    def _create_slots(self, var_list: Any) -> None:
        """Make what is remembered of each variable: defined by the user."""

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """A variable, beginning with zeros by default, that belongs to another one under a name."""
        key, held = (id(getattr(var, "held", var)), slot_name), self.__dict__.setdefault("_slots", {})
        shape = tuple(var.shape if shape is None else shape)
        start = np.ones(shape) if initializer == "ones" else np.zeros(shape)
        start = initializer(shape) if callable(initializer) else start
        base = var.name.partition(":")[0]
        held[key] = K.variable(K.eval(start), K.dtype(getattr(var, "held", var)), f"{base}/{slot_name}")
        cast("Optimizer", self).weights.append(held[key])
        return Handle(held[key])

    def get_slot(self, var: Any, slot_name: str) -> Variable:
        """The variable that `add_slot` made."""
        return Handle(self.__dict__["_slots"][id(getattr(var, "held", var)), slot_name])

    def _set_hyper(self, name: str, value: Any) -> None:
        """Keep a hyperparameter: a number as a variable, a schedule or a function as it is."""
        optimizer = cast("Optimizer", self)
        described_here = isinstance(getattr(type(self), name, None), Hyperparameter)
        key = "lr" if name == "learning_rate" else name
        if isinstance(value, LearningRateSchedule) and key == "lr":
            optimizer.follow(value)
        elif callable(value) and not isinstance(value, Variable):
            self.__dict__[key] = value
        elif key in optimizer.hyperparameters:
            optimizer.hyperparameters[key].replace(as_number(value, name))
        else:
            optimizer.hold(**{key: value})
            if not described_here:
                self.__dict__[key] = optimizer.hyperparameters[key]

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """A hyperparameter, as a tensor of a type."""
        value = getattr(self, name)
        if callable(value) and not isinstance(value, (Variable, LearningRateSchedule)):
            value = value()
        return value if dtype is None or isinstance(value, LearningRateSchedule) else K.cast(value, str(dtype))

    def _serialize_hyperparameter(self, name: str) -> Any:
        value = getattr(self, name)
        schedule = getattr(value, "schedule", value)
        if isinstance(schedule, LearningRateSchedule):
            return serialize_schedule(schedule)
        return float(value) if isinstance(value, Variable) else value() if callable(value) else value

    def _decayed_lr(self, var_dtype: Any) -> Any:
        """The learning rate of this step."""
        optimizer = cast("Optimizer", self)
        counter = K.cast(optimizer.iterations, rate_dtype())
        rate = optimizer.lr(counter) if optimizer.scheduled is not None else optimizer.lr
        rate = rate() if callable(rate) and not isinstance(rate, Variable) else rate
        return K.cast(rate / (1.0 + optimizer.decay * counter) if self._initial_decay else rate, str(var_dtype))


class _Type(str):
    """The name of a dtype, with the attribute that code of TensorFlow asks for."""

    __slots__ = ()

    @property
    def base_dtype(self) -> _Type:
        return self

    @property
    def name(self) -> str:
        return str(self)


class Handle(Variable):
    """A variable as TensorFlow's code sees it: its dtype has TensorFlow's attributes. What it stands for is `held`."""

    def __init__(self, held: Any) -> None:
        self.__dict__.update(held.__dict__)
        self.held = held
        self.dtype = cast(Any, _Type(jnp.dtype(held.dtype).name))
        self.device = ""

    @property
    def value(self) -> Any:
        return self.held.value

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        return self.held.assign(value)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        return self.held.assign_add(value)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        return self.held.assign_sub(value)


def _results(update: Any) -> list[Tensor]:
    """What is computed for an update's effect."""
    return [x for u in flat(update) for x in (effects(u) if not isinstance(u, tuple) else [K.update(*u)])]


def _writer(variable: Any, constraint: Any) -> Any:
    """An operation that passes a variable's new value through its constraint."""

    def constrained(value: Any) -> Any:
        opened = scope.current()
        assert opened is not None, "a step is computed in a scope"
        new = constraint(value)
        opened.updates[variable] = new
        return new

    return constrained


def _after(results: list[Any]) -> Any:
    return jnp.zeros((), jnp.int32)


def _variables_of(loss: Tensor) -> list[Variable]:
    nodes = graph.topological([loss])
    return list(dict.fromkeys(x for node in nodes for x in node.inputs if isinstance(x, Variable)))
