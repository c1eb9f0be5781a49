"""Adam and its relatives: Adamax, Nadam.

In the formulas, g is the gradient of a parameter p, t = 1, 2, ... the number of the step, and lr the learning
rate after `decay`: lr / (1 + decay * (t - 1)). All take the keywords `learning_rate` (the same as `lr`),
`clipnorm`, `clipvalue` and `name`: see `Optimizer`. An `epsilon` of None is `K.epsilon()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from kjax._core.graph import Variable
from kjax.optimizers._base import Optimizer
from kjax.optimizers._hyper import Hyperparameter, Number, as_number
from kjax.optimizers._roots import safe_sqrt
from kjax.optimizers._trees import cast_to, fuzz, map_leaves, zeros_like
from kjax.optimizers.schedules import rate_dtype


class AdamSlots(NamedTuple):
    """Number of steps, averages of gradients and of their squares; largest averages of squares, or None."""

    count: Any
    ms: Any
    vs: Any
    vhats: Any


class AdamaxSlots(NamedTuple):
    """Number of steps, averages of gradients, decaying maxima of their sizes."""

    count: Any
    ms: Any
    us: Any


class NadamSlots(NamedTuple):
    """Number of steps, averages of gradients and of their squares, product of the schedule so far."""

    count: Any
    ms: Any
    vs: Any
    m_schedule: Any


class Adam(Optimizer):
    """Adam: averages of gradients, divided by the root of averages of their squares.

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g²
        p = p - lr * √(1 - beta_2^t) / (1 - beta_1^t) * m / (√v + epsilon)

    With amsgrad, the largest v so far stands in the place of v in the last line.

    Arguments:
        lr: learning rate.
        beta_1: share of the gradients' average that is kept.
        beta_2: share of the squares' average that is kept.
        epsilon: guards the division.
        decay: how fast the learning rate falls.
        amsgrad: whether the divisor never shrinks.

    References: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2014; Reddi, Kale, Kumar, On the
    Convergence of Adam and Beyond, 2018. In optax epsilon is added to the corrected √v, and amsgrad takes the
    largest corrected v. Keras 3 has these formulas.
    """

    beta_1, beta_2 = Hyperparameter(), Hyperparameter()
    arguments = ("lr", "beta_1", "beta_2", "decay", "epsilon", "amsgrad")

    def __init__(
        self,
        lr: Number = 0.001,
        beta_1: Number = 0.9,
        beta_2: Number = 0.999,
        epsilon: float | None = None,
        decay: Number = 0.0,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(beta_1=beta_1, beta_2=beta_2, decay=decay)
        self.initial_decay, self.epsilon = as_number(decay, "decay"), fuzz(epsilon)
        self.amsgrad = amsgrad
        self._unused: list[Variable] = []

    def init(self, params: Any) -> AdamSlots:
        vhats = zeros_like(params) if self.amsgrad else None
        return AdamSlots(jnp.zeros((), jnp.int32), zeros_like(params), zeros_like(params), vhats)

    def update(self, grads: Any, slots: AdamSlots, params: Any, lr: Any = None) -> tuple[Any, AdamSlots]:
        rate, beta_1, beta_2 = self.rate(lr), self.beta_1.value, self.beta_2.value
        t = (slots.count + 1).astype(beta_1.dtype)
        correction = jnp.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)

        def step(p: Any, g: Any, m: Any, v: Any, *largest: Any) -> tuple[Any, ...]:
            b1, b1_rest, b2, b2_rest = cast_to(p, beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2)
            by, corrected = cast_to(p, rate, correction)
            m = b1 * m + b1_rest * g
            v = b2 * v + b2_rest * jnp.square(g)
            largest = tuple(jnp.maximum(old, v) for old in largest)
            return -(by * corrected) * m / (safe_sqrt(*largest or (v,)) + self.epsilon), m, v, *largest

        vhats = (slots.vhats,) if self.amsgrad else ()
        updates, ms, vs, *vhats = map_leaves(step, params, grads, slots.ms, slots.vs, *vhats)
        return updates, AdamSlots(slots.count + 1, ms, vs, *vhats or (None,))

    def make_slots(self, params: Sequence[Variable]) -> None:
        super().make_slots(params)
        # Keras 2.2 saved an array of one zero for each parameter where there is no amsgrad.
        first = 2 * len(params)
        names = [f"training/Adam/Variable_{first + i}:0" for i in range(len(params))]
        self._unused = [] if self.amsgrad else [Variable([0.0], name=name, trainable=False) for name in names]

    def saved_variables(self) -> list[Variable]:
        return [*super().saved_variables(), *self._unused]


class Adamax(Optimizer):
    """Adamax: Adam with the maximum norm in the place of the square root of squares.

        m = beta_1 * m + (1 - beta_1) * g
        u = max(beta_2 * u, |g|)
        p = p - lr / (1 - beta_1^t) * m / (u + epsilon)

    Arguments:
        lr: learning rate.
        beta_1: share of the gradients' average that is kept.
        beta_2: how slowly the maximum falls.
        epsilon: guards the division.
        decay: how fast the learning rate falls.

    Reference: Kingma and Ba, Adam: A Method for Stochastic Optimization, section 7, 2014.
    In optax epsilon is added to |g|. Keras 3 has this formula.
    """

    beta_1, beta_2 = Hyperparameter(), Hyperparameter()
    arguments = ("lr", "beta_1", "beta_2", "decay", "epsilon")

    def __init__(
        self,
        lr: Number = 0.002,
        beta_1: Number = 0.9,
        beta_2: Number = 0.999,
        epsilon: float | None = None,
        decay: Number = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(beta_1=beta_1, beta_2=beta_2, decay=decay)
        self.initial_decay, self.epsilon = as_number(decay, "decay"), fuzz(epsilon)

    def init(self, params: Any) -> AdamaxSlots:
        return AdamaxSlots(jnp.zeros((), jnp.int32), zeros_like(params), zeros_like(params))

    def update(self, grads: Any, slots: AdamaxSlots, params: Any, lr: Any = None) -> tuple[Any, AdamaxSlots]:
        rate, beta_1, beta_2 = self.rate(lr), self.beta_1.value, self.beta_2.value
        rest = 1.0 - beta_1 ** (slots.count + 1).astype(beta_1.dtype)

        def step(p: Any, g: Any, m: Any, u: Any) -> tuple[Any, Any, Any]:
            b1, b1_rest, b2, by, corrected = cast_to(p, beta_1, 1.0 - beta_1, beta_2, rate, rest)
            m = b1 * m + b1_rest * g
            u = jnp.maximum(b2 * u, jnp.abs(g))
            return -(by / corrected) * m / (u + self.epsilon), m, u

        updates, ms, us = map_leaves(step, params, grads, slots.ms, slots.us)
        return updates, AdamaxSlots(slots.count + 1, ms, us)


class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum, which grows along a schedule.

        μ_t = beta_1 * (1 - 0.96^(t * schedule_decay) / 2),    M_t = μ_1 * ... * μ_t
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g²
        s = (1 - μ_t) * g / (1 - M_t) + μ_(t+1) * m / (1 - M_(t+1))
        p = p - lr * s / (√(v / (1 - beta_2^t)) + epsilon)

    Arguments:
        lr: learning rate.
        beta_1: share of the gradients' average that is kept, and the end of the schedule.
        beta_2: share of the squares' average that is kept.
        epsilon: guards the division.
        schedule_decay: how fast the schedule runs.

    Reference: Dozat, Incorporating Nesterov Momentum into Adam, 2015.
    There is no `decay`, as in Keras 2.2. optax has no schedule: beta_1 stands for each μ. Keras 3 has this
    formula with schedule_decay=1.
    """

    beta_1, beta_2 = Hyperparameter(), Hyperparameter()
    arguments = ("lr", "beta_1", "beta_2", "epsilon", "schedule_decay")

    def __init__(
        self,
        lr: Number = 0.002,
        beta_1: Number = 0.9,
        beta_2: Number = 0.999,
        epsilon: float | None = None,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(beta_1=beta_1, beta_2=beta_2)
        self.epsilon, self.schedule_decay = fuzz(epsilon), as_number(schedule_decay, "schedule_decay")

    def init(self, params: Any) -> NadamSlots:
        one = jnp.ones((), rate_dtype())
        return NadamSlots(jnp.zeros((), jnp.int32), zeros_like(params), zeros_like(params), one)

    def update(self, grads: Any, slots: NadamSlots, params: Any, lr: Any = None) -> tuple[Any, NadamSlots]:
        rate, beta_1, beta_2 = self.rate(lr), self.beta_1.value, self.beta_2.value
        t = (slots.count + 1).astype(beta_1.dtype)
        now, after = (beta_1 * (1.0 - 0.5 * 0.96 ** (n * self.schedule_decay)) for n in (t, t + 1.0))
        product = slots.m_schedule * now
        of_g, of_m = (1.0 - now) / (1.0 - product), after / (1.0 - product * after)
        rest = 1.0 - beta_2**t

        def step(p: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
            b1, b1_rest, b2, b2_rest = cast_to(p, beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2)
            by, g_share, m_share, corrected = cast_to(p, rate, of_g, of_m, rest)
            m = b1 * m + b1_rest * g
            v = b2 * v + b2_rest * jnp.square(g)
            return -by * (g_share * g + m_share * m) / (safe_sqrt(v / corrected) + self.epsilon), m, v

        updates, ms, vs = map_leaves(step, params, grads, slots.ms, slots.vs)
        return updates, NadamSlots(slots.count + 1, ms, vs, product)

    def saved_variables(self) -> list[Variable]:
        # Keras 2.2 did not save the product of the schedule.
        return super().saved_variables()[:-1]
