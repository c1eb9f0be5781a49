"""SGD, and those that divide a gradient by the size that it used to have: RMSprop, Adagrad, Adadelta.

In the formulas, g is the gradient of a parameter p, t = 1, 2, ... the number of the step, and lr the learning
rate after `decay`: lr / (1 + decay * (t - 1)). All take the keywords `learning_rate` (the same as `lr`),
`clipnorm`, `clipvalue` and `name`: see `Optimizer`. An `epsilon` of None is `K.epsilon()`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kjax.optimizers._base import Optimizer, OptimizerState
from kjax.optimizers._hyper import Hyperparameter, Number, as_number
from kjax.optimizers._roots import safe_sqrt
from kjax.optimizers._trees import cast_to, fuzz, map_leaves, zeros_like


class Moments(NamedTuple):
    """Slots of SGD: velocities."""

    moments: Any


class Accumulators(NamedTuple):
    """Slots of RMSprop and Adagrad: averages or sums of squared gradients."""

    accumulators: Any


class RMSpropSlots(NamedTuple):
    """Averages of squared gradients; averages of gradients, and velocities, where there are any."""

    accumulators: Any
    averages: Any
    moments: Any


class AdadeltaSlots(NamedTuple):
    """Averages of squared gradients and of squared steps."""

    accumulators: Any
    delta_accumulators: Any


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's look ahead.

        v = momentum * v - lr * g
        p = p + v                          or, with nesterov,  p = p + momentum * v - lr * g

    Arguments:
        lr: learning rate.
        momentum: share of the velocity that is kept.
        decay: how fast the learning rate falls.
        nesterov: whether the step is taken from where the velocity leads.

    Reference: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013.
    In optax lr is no part of the velocity, so that the two differ once lr changes. Keras 3 has this formula.
    """

    momentum = Hyperparameter()
    arguments = ("lr", "momentum", "decay", "nesterov")

    def __init__(
        self,
        lr: Number = 0.01,
        momentum: Number = 0.0,
        decay: Number = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(momentum=momentum, decay=decay)
        self.initial_decay = as_number(decay, "decay")
        self.nesterov = nesterov

    @property
    def is_direct(self) -> bool:
        if type(self) is not SGD or any(self.bounds().values()) or np.asarray(self.momentum.value):
            return False
        return not self.follows_updates

    def factor(self, iterations: Any) -> Any:
        return -self.rate(self.decayed_rate(iterations))

    def apply_steps(
        self, steps: Any, state: OptimizerState, params: Any, constraints: Any = None
    ) -> tuple[Any, OptimizerState]:
        # XLA runs an addition of this size on one core of a CPU, and one with a product in it on all. This one is by 1.
        one = 1.0 - self.momentum.value
        updates = jax.tree.map(lambda step: step * one.astype(step.dtype), steps)
        return self.moved(params, updates, constraints), OptimizerState(state.iterations + 1, Moments(steps))

    def init(self, params: Any) -> Moments:
        return Moments(zeros_like(params))

    def update(self, grads: Any, slots: Moments, params: Any, lr: Any = None) -> tuple[Any, Moments]:
        rate, momentum = self.rate(lr), self.momentum.value

        def step(p: Any, g: Any, v: Any) -> tuple[Any, Any]:
            keep, by = cast_to(p, momentum, rate)
            v = keep * v - by * g
            return (keep * v - by * g if self.nesterov else v), v

        updates, moments = map_leaves(step, params, grads, slots.moments)
        return updates, Moments(moments)


class RMSprop(Optimizer):
    """RMSprop: gradients divided by the root of a moving average of their squares.

        a = rho * a + (1 - rho) * g²
        p = p - lr * g / (√a + epsilon)

    Centered, a - c² stands in the place of a under the root, where c = rho * c + (1 - rho) * g. With momentum:

        v = momentum * v + lr * g / √(a + epsilon)
        p = p - v

    Arguments:
        lr: learning rate.
        rho: share of the average that is kept.
        epsilon: guards the division.
        decay: how fast the learning rate falls.
        momentum: share of the velocity that is kept (tf.keras).
        centered: whether gradients are divided by their spread in the place of their size (tf.keras).

    Reference: Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6e, 2012.
    optax, unless told `eps_in_sqrt=False`, and Keras 3 add epsilon under the root.
    """

    rho, momentum = Hyperparameter(), Hyperparameter()
    arguments = ("lr", "rho", "decay", "epsilon")
    options = ("momentum", "centered")
    saves_iterations = False

    def __init__(
        self,
        lr: Number = 0.001,
        rho: Number = 0.9,
        epsilon: float | None = None,
        decay: Number = 0.0,
        momentum: Number = 0.0,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(rho=rho, decay=decay)
        self.initial_decay, self.epsilon, self.centered = as_number(decay, "decay"), fuzz(epsilon), bool(centered)
        self.moves = bool(as_number(momentum, "momentum"))
        if self.moves:
            self.hold(momentum=momentum)

    def init(self, params: Any) -> Any:
        if not (self.moves or self.centered):
            return Accumulators(zeros_like(params))
        averages, moments = (zeros_like(params) if wanted else None for wanted in (self.centered, self.moves))
        return RMSpropSlots(zeros_like(params), averages, moments)

    def _spread(self, grads: Any, slots: RMSpropSlots, params: Any, lr: Any) -> tuple[Any, RMSpropSlots]:
        """`update`, with momentum or centered."""
        rate, rho, momentum = self.rate(lr), self.rho.value, self.momentum.value if self.moves else 0.0

        def step(p: Any, g: Any, a: Any, *others: Any) -> tuple[Any, ...]:
            keep, take, by, moving = cast_to(p, rho, 1.0 - rho, rate, momentum)
            rest = list(others)
            a = keep * a + take * jnp.square(g)
            under, kept = a, [a]
            if self.centered:
                kept.append(keep * rest.pop(0) + take * g)
                under = jnp.maximum(a - jnp.square(kept[-1]), jnp.zeros_like(a))
            if not self.moves:
                return -by * g / (safe_sqrt(under) + self.epsilon), *kept
            v = moving * rest.pop(0) + by * g / jnp.sqrt(under + self.epsilon)
            return -v, *kept, v

        present = [slot for slot in slots if slot is not None]
        updates, *kept = map_leaves(step, params, grads, *present)
        new = iter(kept)
        return updates, RMSpropSlots(*(None if slot is None else next(new) for slot in slots))

    def update(self, grads: Any, slots: Any, params: Any, lr: Any = None) -> tuple[Any, Any]:
        if self.moves or self.centered:
            return self._spread(grads, slots, params, lr)
        rate, rho = self.rate(lr), self.rho.value

        def step(p: Any, g: Any, a: Any) -> tuple[Any, Any]:
            keep, take, by = cast_to(p, rho, 1.0 - rho, rate)
            a = keep * a + take * jnp.square(g)
            return -by * g / (safe_sqrt(a) + self.epsilon), a

        updates, accumulators = map_leaves(step, params, grads, slots.accumulators)
        return updates, Accumulators(accumulators)


class Adagrad(Optimizer):
    """Adagrad: gradients divided by the root of the sum of all their squares.

        a = a + g²                         from a = 0
        p = p - lr * g / (√a + epsilon)

    Arguments:
        lr: learning rate.
        epsilon: guards the division.
        decay: how fast the learning rate falls.

    Reference: Duchi, Hazan, Singer, Adaptive Subgradient Methods for Online Learning, 2011.
    optax and Keras 3 start from a = 0.1 and add epsilon under the root.
    """

    arguments = ("lr", "decay", "epsilon")
    saves_iterations = False

    def __init__(self, lr: Number = 0.01, epsilon: float | None = None, decay: Number = 0.0, **kwargs: Any) -> None:
        super().__init__(lr, **kwargs)
        self.hold(decay=decay)
        self.initial_decay, self.epsilon = as_number(decay, "decay"), fuzz(epsilon)

    def init(self, params: Any) -> Accumulators:
        return Accumulators(zeros_like(params))

    def update(self, grads: Any, slots: Accumulators, params: Any, lr: Any = None) -> tuple[Any, Accumulators]:
        rate = self.rate(lr)

        def step(p: Any, g: Any, a: Any) -> tuple[Any, Any]:
            a = a + jnp.square(g)
            return -cast_to(p, rate)[0] * g / (safe_sqrt(a) + self.epsilon), a

        updates, accumulators = map_leaves(step, params, grads, slots.accumulators)
        return updates, Accumulators(accumulators)


class Adadelta(Optimizer):
    """Adadelta: steps whose size follows the size of the steps before.

        a = rho * a + (1 - rho) * g²
        s = g * √(d + epsilon) / √(a + epsilon)
        d = rho * d + (1 - rho) * s²
        p = p - lr * s

    Arguments:
        lr: factor of the step; the paper has 1.
        rho: share of the averages that is kept. A plain number, fixed once the model is compiled.
        epsilon: guards the division, and sets the size of the first step.
        decay: how fast the learning rate falls.

    Reference: Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012.
    optax and Keras 3 have this formula; optax's rho is 0.9 and its epsilon 1e-6, Keras 3's rate is 0.001.
    """

    arguments = ("lr", "rho", "decay", "epsilon")
    saves_iterations = False

    def __init__(
        self,
        lr: Number = 1.0,
        rho: float = 0.95,
        epsilon: float | None = None,
        decay: Number = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(decay=decay)
        self.rho = as_number(rho, "rho")
        self.initial_decay, self.epsilon = as_number(decay, "decay"), fuzz(epsilon)

    def init(self, params: Any) -> AdadeltaSlots:
        return AdadeltaSlots(zeros_like(params), zeros_like(params))

    def update(self, grads: Any, slots: AdadeltaSlots, params: Any, lr: Any = None) -> tuple[Any, AdadeltaSlots]:
        rate = self.rate(lr)

        def step(p: Any, g: Any, a: Any, d: Any) -> tuple[Any, Any, Any]:
            a = self.rho * a + (1.0 - self.rho) * jnp.square(g)
            s = g * jnp.sqrt(d + self.epsilon) / jnp.sqrt(a + self.epsilon)
            return -cast_to(p, rate)[0] * s, a, self.rho * d + (1.0 - self.rho) * jnp.square(s)

        updates, *averages = map_leaves(step, params, grads, *slots)
        return updates, AdadeltaSlots(*averages)
