"""Whether the loss depends on the weights that are to be trained, told while a step is traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from kjax._core import notices
from kjax._core.graph import Variable

_SOME = 5


class Flow:
    """Passes weights on to a loss, and notes which of them a gradient comes back to.

    JAX gives zeros for a weight that the loss does not depend on, as for one that is at its best. Only its own rules
    know the difference, and tell it to a derivative that is written by hand.
    """

    def __init__(self, weights: Sequence[Variable]) -> None:
        self._weights = weights
        self._reached = [False] * len(weights)

    def through_to(self, loss: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
        """The same loss."""
        return lambda params: loss(self._through(params))

    def _through(self, params: list[Any]) -> list[Any]:
        if not params:
            return params

        @jax.custom_vjp
        def same(*values: Any) -> tuple[Any, ...]:
            return values

        def forward(*values: Any) -> tuple[tuple[Any, ...], None]:
            return tuple(each.value for each in values), None

        def backward(_: None, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
            self._reached = [not isinstance(each, SymbolicZero) for each in gradients]
            pairs = zip(gradients, self._reached, strict=True)
            return tuple(each if reached else jnp.zeros(each.shape, each.dtype) for each, reached in pairs)

        same.defvjp(forward, backward, symbolic_zeros=True)
        return list(same(*params))

    def check(self) -> None:
        """Refuse a loss that no weight can change; warn of weights that cannot change it.

        Raises:
            ValueError: if there are weights to train, and none of them has a gradient.
        """
        idle = [weight.name for weight, reached in zip(self._weights, self._reached, strict=True) if not reached]
        if not idle:
            return
        named = ", ".join(idle[:_SOME]) + (f" and {len(idle) - _SOME} more" if len(idle) > _SOME else "")
        if len(idle) == len(self._weights):
            raise ValueError(
                f"No weight can be trained, since none has a gradient: {named}. Operations such as `K.argmax`, "
                "`K.round`, `K.equal` and `K.stop_gradient` have no derivative. Let the loss depend on the weights by "
                "others, or set `trainable = False`."
            )
        notices.warn(f"The loss does not depend on these weights, so they are not trained: {named}.")
