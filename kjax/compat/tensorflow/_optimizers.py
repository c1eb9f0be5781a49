"""TensorFlow 1's optimizers, with TensorFlow's formulas, which are not all those of Keras.

In the formulas, g is the gradient of a variable p, and lr the learning rate, which may be a tensor. A step writes the
variables and what the optimizer keeps of them ("slots"), which are variables of the graph too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.tensors import Tensor
from kjax._core.tensors import Variable as CoreVariable
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._gradients import gradients, trainable_in
from kjax.compat.tensorflow._graph import Operation
from kjax.compat.tensorflow._variables import Variable
from kjax.compat.tensorflow.arrays import constant, zeros


class Optimizer:
    """Base of the optimizers.

    A subclass names its `slots` with their first values, its `shared` variables, and defines `step`.

    Arguments:
        use_locking: accepted, not used.
        name: goes into the names of slots.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2
    slots: ClassVar[Sequence[str]] = ()

    def __init__(self, use_locking: bool = False, name: str | None = None) -> None:
        self._name = name or type(self).__name__.removesuffix("Optimizer")
        self._slots: dict[str, dict[Any, Any]] = {slot: {} for slot in self.slots}
        self._shared: list[Any] | None = None

    def hyper(self) -> tuple[Any, ...]:
        """What `step` receives: numbers and tensors."""
        raise NotImplementedError(f"{type(self).__name__} should define `hyper`.")

    def step(
        self, p: Any, g: Any, hyper: Sequence[Any], slots: Sequence[Any], shared: Sequence[Any]
    ) -> tuple[Any, ...]:
        """The new value of a variable, and those of its slots."""
        raise NotImplementedError(f"{type(self).__name__} should define `step`.")

    def first(self, slot: str, variable: Any) -> Any:
        """The first value of a slot."""
        return zeros(list(variable.shape), variable.dtype)

    def shared_values(self) -> dict[str, Any]:
        """First values of what all variables share."""
        return {}

    def advance(self, shared: Sequence[Any], hyper: Sequence[Any]) -> Sequence[Any]:
        """What is shared, after a step."""
        return shared

    # -- what scripts call -------------------------------------------------------------------------------------------

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: Any = None,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """An operation that changes the variables by one step towards a smaller loss.

        What else is computed in the same run sees the variables as they were before.

        Arguments:
            loss: tensor.
            global_step: variable to which 1 is added.
            var_list: the variables to change; all trainable ones if None.
            name: name of the operation.
            grad_loss: weights of the elements of the loss.

        Raises:
            ValueError: if the loss depends on none of the variables.
        """
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[v.name for _, v in pairs]} and loss {loss!r}."
            )
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, *args: Any, grad_loss: Any = None, **kwargs: Any
    ) -> list[tuple[Any, Any]]:
        """Pairs of a gradient (None where the loss does not depend on the variable) and its variable.

        Raises:
            ValueError: if there is nothing to train.
        """
        variables = trainable_in([loss]) if var_list is None else list(var_list)
        if not variables:
            raise ValueError("No variables to optimize.")
        return list(zip(gradients(loss, variables, grad_ys=grad_loss), variables, strict=True))

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Operation:
        """An operation that changes variables by their gradients.

        Raises:
            ValueError: if there is no gradient.
        """
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in grads_and_vars]}.")
        variables = [v for _, v in pairs]
        with _graph.get_default_graph().control_dependencies(None):
            slots = [[self._slot(name, v) for name in self.slots] for v in variables]
            shared = self._shared_variables()
        default = _graph.get_default_graph()
        unique = default.unique_name(name or self._name)
        built = graph.make_node(
            self._update(variables, slots, shared, global_step), ([g for g, _ in pairs], self.hyper()), {}, name=unique
        )
        built.after = default.waits_for()
        read = [
            *variables,
            *(s for group in slots for s in group),
            *shared,
            *([] if global_step is None else [global_step]),
        ]
        built.reads = built.writes = tuple(dict.fromkeys(read))
        for output in built.outputs:
            output.known = False
        made = Operation(default, unique, "NoOp", built.outputs)
        default.names[unique] = made
        default.add_to_collection("train_op", made)
        return made

    def _update(self, variables: Any, slots: Any, shared: Any, global_step: Any) -> Any:
        def update(grads: list[Any], hyper: tuple[Any, ...]) -> Any:
            opened = scope.current()
            assert opened is not None, "a graph is evaluated in a scope"

            def now(variable: Any) -> Any:
                written = opened.updates.get(variable)
                return opened.read(variable) if written is None else written

            common = [now(v) for v in shared]
            new: dict[Any, Any] = {}
            for variable, grad, own in zip(variables, grads, slots, strict=True):
                p = now(variable)
                numbers = [jnp.asarray(h, p.dtype) for h in hyper]
                value, *kept = self.step(p, jnp.asarray(grad, p.dtype), numbers, [now(s) for s in own], common)
                constraint = getattr(variable, "constraint", None)
                new[variable] = value if constraint is None else constraint(value)
                new.update(zip(own, kept, strict=True))
            new.update(zip(shared, self.advance(common, [jnp.asarray(h, jnp.float32) for h in hyper]), strict=True))
            if global_step is not None:
                new[global_step] = now(global_step) + jnp.ones((), global_step.dtype)
            if not opened.frozen:
                opened.updates.update(new)
            return jnp.zeros((), jnp.int32)

        return update

    def _slot(self, slot: str, variable: Any) -> Any:
        held = self._slots[slot]
        if variable not in held:
            base = variable.name.partition(":")[0]
            with _graph.get_default_graph().name_scope(None):
                held[variable] = Variable(self.first(slot, variable), trainable=False, name=f"{base}/{self._name}")
        return held[variable]

    def _shared_variables(self) -> list[Any]:
        if self._shared is None:
            self._shared = [Variable(constant(v), trainable=False, name=n) for n, v in self.shared_values().items()]
        return self._shared

    def get_slot(self, var: Any, name: str) -> Any:
        """What the optimizer keeps of a variable under a name, or None."""
        return self._slots.get(name, {}).get(var)

    def get_slot_names(self) -> list[str]:
        """The names of what it keeps of each variable."""
        return list(self.slots)

    def variables(self) -> list[CoreVariable]:
        """All that it keeps."""
        return [*(self._shared or ()), *(v for held in self._slots.values() for v in held.values())]

    def get_name(self) -> str:
        """Its name."""
        return self._name


class GradientDescentOptimizer(Optimizer):
    """`p = p - lr * g`."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate

    def hyper(self) -> tuple[Any, ...]:
        return (self._lr,)

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        return (p - hyper[0] * g,)


class MomentumOptimizer(Optimizer):
    """`a = momentum * a + g`, `p = p - lr * a`; with Nesterov `p = p - lr * (g + momentum * a)`."""

    slots = ("momentum",)

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name)
        self._lr, self._momentum, self._nesterov = learning_rate, momentum, use_nesterov

    def hyper(self) -> tuple[Any, ...]:
        return (self._lr, self._momentum)

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        lr, momentum = hyper
        a = momentum * slots[0] + g
        return p - lr * (g + momentum * a if self._nesterov else a), a


class AdagradOptimizer(Optimizer):
    """`a = a + g ** 2`, `p = p - lr * g / sqrt(a)`; `a` begins with `initial_accumulator_value`."""

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr, self._initial = learning_rate, initial_accumulator_value

    def hyper(self) -> tuple[Any, ...]:
        return (self._lr,)

    def first(self, slot: str, variable: Any) -> Any:
        return zeros(list(variable.shape), variable.dtype) + self._initial

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        a = slots[0] + jnp.square(g)
        return p - hyper[0] * g / jnp.sqrt(a), a


class AdadeltaOptimizer(Optimizer):
    """`a = rho * a + (1 - rho) * g ** 2`, `d = sqrt(u + epsilon) / sqrt(a + epsilon) * g`,
    `u = rho * u + (1 - rho) * d ** 2`, `p = p - lr * d`.
    """

    slots = ("accum", "accum_update")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name)
        self._hyper = (learning_rate, rho, epsilon)

    def hyper(self) -> tuple[Any, ...]:
        return self._hyper

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        lr, rho, epsilon = hyper
        a = rho * slots[0] + (1 - rho) * jnp.square(g)
        d = jnp.sqrt(slots[1] + epsilon) / jnp.sqrt(a + epsilon) * g
        return p - lr * d, a, rho * slots[1] + (1 - rho) * jnp.square(d)


class RMSPropOptimizer(Optimizer):
    """`s = decay * s + (1 - decay) * g ** 2`, `m = momentum * m + lr * g / sqrt(s + epsilon)`, `p = p - m`.

    `s` begins with ones. Centered, the square of the gradients' average is subtracted from `s` under the root.
    """

    slots = ("rms", "momentum", "mg")

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        self._centered = centered
        self.slots = ("rms", "momentum", "mg") if centered else ("rms", "momentum")  # type: ignore[misc]
        super().__init__(use_locking, name)
        self._hyper = (learning_rate, decay, momentum, epsilon)

    def hyper(self) -> tuple[Any, ...]:
        return self._hyper

    def first(self, slot: str, variable: Any) -> Any:
        return zeros(list(variable.shape), variable.dtype) + (1.0 if slot == "rms" else 0.0)

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        lr, decay, momentum, epsilon = hyper
        s = decay * slots[0] + (1 - decay) * jnp.square(g)
        if not self._centered:
            m = momentum * slots[1] + lr * g / jnp.sqrt(s + epsilon)
            return p - m, s, m
        average = decay * slots[2] + (1 - decay) * g
        m = momentum * slots[1] + lr * g / jnp.sqrt(s - jnp.square(average) + epsilon)
        return p - m, s, m, average


class AdamOptimizer(Optimizer):
    """`m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g ** 2`,
    `p = p - lr * sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * m / (sqrt(v) + epsilon)`.
    """

    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(use_locking, name)
        self._hyper = (learning_rate, beta1, beta2, epsilon)

    def hyper(self) -> tuple[Any, ...]:
        return self._hyper

    def shared_values(self) -> dict[str, Any]:
        powers = {"beta1_power": self._hyper[1], "beta2_power": self._hyper[2]}
        return {name: 0.9 if isinstance(power, Tensor) else power for name, power in powers.items()}

    def advance(self, shared: Any, hyper: Any) -> Any:
        return [shared[0] * hyper[1], shared[1] * hyper[2]]

    def step(self, p: Any, g: Any, hyper: Any, slots: Any, shared: Any) -> tuple[Any, ...]:
        lr, beta1, beta2, epsilon = hyper
        power1, power2 = (jnp.asarray(power, p.dtype) for power in shared)
        m = beta1 * slots[0] + (1 - beta1) * g
        v = beta2 * slots[1] + (1 - beta2) * jnp.square(g)
        rate = lr * jnp.sqrt(1 - power2) / (1 - power1)
        return p - rate * m / (jnp.sqrt(v) + epsilon), m, v


__all__ = [
    "AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "GradientDescentOptimizer", "MomentumOptimizer",
    "Optimizer", "RMSPropOptimizer",
]  # fmt: skip
