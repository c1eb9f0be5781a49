"""Adam with weight decay."""

from __future__ import annotations

from typing import Any

from kjax.optimizers._adam import Adam, AdamSlots
from kjax.optimizers._hyper import Number
from kjax.optimizers._trees import cast_to, map_leaves


class AdamW(Adam):
    """Adam that also draws each parameter towards 0: `p = p - lr * weight_decay * p` beside Adam's step.

    Arguments:
        lr: learning rate.
        weight_decay: the share, times the learning rate, that a parameter loses in each step.
        beta_1, beta_2, epsilon, decay, amsgrad: as for `Adam`.

    Reference: Loshchilov and Hutter, Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101
    """

    arguments = ("lr", "weight_decay", "beta_1", "beta_2", "decay", "epsilon", "amsgrad")

    def __init__(
        self,
        lr: Number = 0.001,
        weight_decay: float = 0.004,
        beta_1: Number = 0.9,
        beta_2: Number = 0.999,
        epsilon: float | None = None,
        amsgrad: bool = False,
        decay: Number = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, beta_1, beta_2, epsilon, decay, amsgrad, **kwargs)
        self.weight_decay = float(weight_decay)

    def update(self, grads: Any, slots: AdamSlots, params: Any, lr: Any = None) -> tuple[Any, AdamSlots]:
        updates, slots = super().update(grads, slots, params, lr)
        rate = self.rate(lr)

        def shrunk(p: Any, u: Any) -> Any:
            (by,) = cast_to(p, rate * self.weight_decay)
            return (u - by * p,)

        return map_leaves(shrunk, params, updates)[0], slots
