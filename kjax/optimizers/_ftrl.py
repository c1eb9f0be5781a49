"""Ftrl: follow the regularized leader, which sets weights to exact zeros."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kjax.optimizers._base import Optimizer
from kjax.optimizers._hyper import Number, as_number
from kjax.optimizers._trees import cast_to, map_leaves, zeros_like


class FtrlSlots(NamedTuple):
    """Sums of squared gradients, and of gradients less what the rate's fall is worth."""

    accumulators: Any
    linears: Any


class Ftrl(Optimizer):
    """Ftrl-proximal, as in tf.keras.

        b = a + g²                                      from a = initial_accumulator_value
        z = z + g + 2 * shrinkage * p - (b^-power - a^-power) / lr * p
        q = (b^-power + beta) / lr + 2 * l2
        p = (clip(z, -l1, l1) - z) / q
        a = b

    Arguments:
        lr: learning rate.
        learning_rate_power: at most 0; how the rate falls, -0.5 by the root of the sum of squares.
        initial_accumulator_value: where the sum of squares begins.
        l1_regularization_strength: l1: weights whose |z| is no larger become 0.
        l2_regularization_strength: l2.
        name: accepted, not used.
        l2_shrinkage_regularization_strength: shrinkage: a penalty on the size of the weights alone.
        beta: added to the root of the sum of squares.
        decay: how fast the learning rate falls.

    Raises:
        ValueError: for a number that is out of range.

    Reference: McMahan et al., Ad Click Prediction: a View from the Trenches, 2013.
    Keras 3 has this formula; optax has none.
    """

    arguments = (
        "lr", "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
        "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta", "decay",
    )  # fmt: skip

    def __init__(
        self,
        lr: Number = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        decay: Number = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.hold(decay=decay)
        self.initial_decay = as_number(decay, "decay")
        given = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        for key, value in given.items():
            if value < 0:
                raise ValueError(f"`{key}` must be 0 or more. Received: {value}")
            setattr(self, key, as_number(value, key))
        if learning_rate_power > 0:
            raise ValueError(f"`learning_rate_power` must be 0 or less. Received: {learning_rate_power}")
        self.learning_rate_power = as_number(learning_rate_power, "learning_rate_power")

    def init(self, params: Any) -> FtrlSlots:
        start: float = getattr(self, "initial_accumulator_value")  # noqa: B009  # one of those set in a loop

        def accumulator(p: Any) -> Any:
            if isinstance(p, np.ndarray):
                return np.broadcast_to(np.asarray(start, p.dtype), p.shape)
            return jnp.full_like(p, start)

        return FtrlSlots(jax.tree.map(accumulator, params), zeros_like(params))

    def update(self, grads: Any, slots: FtrlSlots, params: Any, lr: Any = None) -> tuple[Any, FtrlSlots]:
        rate, power = self.rate(lr), -self.learning_rate_power
        l1, l2, shrinkage, beta = (getattr(self, name) for name in self.arguments[3:7])

        def step(p: Any, g: Any, a: Any, z: Any) -> tuple[Any, Any, Any]:
            by = cast_to(p, rate)[0]
            b = a + jnp.square(g)
            root = b**power
            z = z + g + 2.0 * shrinkage * p - (root - a**power) / by * p
            new = (jnp.clip(z, -l1, l1) - z) / ((root + beta) / by + 2.0 * l2)
            return new - p, b, z

        updates, *kept = map_leaves(step, params, grads, *slots)
        return updates, FtrlSlots(*kept)
