"""What programs of Keras 2 ask any optimizer for: gradients, and a step as a list of operations for `K.function`."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax._core import graph
from kjax._core.arguments import accepts_old_names
from kjax._core.gradients import gradients
from kjax.optimizers._hyper import Bound, Hyperparameter
from kjax.optimizers.schedules import rate_dtype

if TYPE_CHECKING:
    from kjax.optimizers._base import Optimizer

# A class that defines one of these says itself what a step is.
_DESCRIBE = ("get_updates", "get_gradients", "_resource_apply_dense")


class Updates:
    """`get_updates` and `get_gradients`. A base of `Optimizer` alone."""

    @property
    def follows_updates(self) -> bool:
        """Whether a step is what `get_updates` says, since the user defined it or a part of it."""
        if any(name in self.__dict__ for name in _DESCRIBE):
            return True
        for cls in type(self).__mro__:
            if any(name in cls.__dict__ for name in _DESCRIBE):
                return True
            if "update" in cls.__dict__:
                break
        return False

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list[Any]:
        """Symbolic gradients of `loss` with respect to `params`, clipped as in training.

        Raises:
            ValueError: if `loss` depends on none of them.
        """
        return cast("Optimizer", self).clip_symbolic(gradients(loss, list(params)))

    @accepts_old_names("Optimizer.get_updates")
    def get_updates(self, loss: Any, params: Any) -> list[Any]:
        """A step towards a smaller loss, as operations for the `updates` of `K.function`.

        The slots are made anew, and are `weights` from then on.

        Arguments:
            loss: symbolic tensor.
            params: the variables to change.
        """
        optimizer = cast("Optimizer", self)
        params = list(params)
        if hasattr(type(self), "_resource_apply_dense"):
            return optimizer.dense_updates(loss, params)
        grads = optimizer.get_gradients(loss, params)
        optimizer.make_slots(params)
        slots, counter = optimizer.state_variables[1:], optimizer.iterations
        saved = optimizer.saved_variables()
        step = _Step(optimizer, [getattr(p, "constraint", None) for p in params])
        new_params, new_slots = graph.make_node(step, (grads, params, slots, counter, _held(optimizer)), {}).result
        # `K.update` is looked up here, since wrappers of optimizers put another one in its place for a while.
        updates: list[Any] = [K.update_add(counter, 1)]
        updates += [K.update(slot, new) for slot, new in zip(slots, new_slots, strict=True)]
        updates += [K.update(p, new) for p, new in zip(params, new_params, strict=True)]
        optimizer.updates, optimizer.weights = updates, saved
        return updates


def _held(optimizer: Optimizer) -> dict[str, Any]:
    """What each hyperparameter is at present: a variable, or what the user put in its place."""
    found: dict[str, Any] = {}
    for cls in type(optimizer).__mro__:
        for name, attribute in cls.__dict__.items():
            if isinstance(attribute, Hyperparameter) and name != "learning_rate" and hasattr(optimizer, name):
                found.setdefault(name, getattr(optimizer, name))
    if optimizer.scheduled is not None and found.get("lr") is optimizer.scheduled:
        del found["lr"]
    return found


class _Step:
    """The operation from gradients, parameters and slots to new parameters and slots, without clipping."""

    __name__ = "step"

    def __init__(self, optimizer: Optimizer, constraints: list[Any]) -> None:
        self.optimizer, self.constraints, self.structure = optimizer, constraints, optimizer.structure

    def __call__(
        self, grads: list[Any], params: list[Any], slots: list[Any], counter: Any, held: Mapping[str, Any]
    ) -> tuple[list[Any], list[Any]]:
        state = self.structure.unflatten([counter, *slots])
        with standing(self.optimizer, held):
            params, state = self.optimizer.changed(grads, state, params, self.constraints)
        return params, jax.tree.leaves(state)[1:]


@contextlib.contextmanager
def standing(optimizer: Optimizer, values: Mapping[str, Any]) -> Generator[None]:
    """Let values stand for hyperparameters inside of a `with` block."""
    own = optimizer.__dict__
    replaced = {name: own.pop(name) for name in values if name in own}
    outer = optimizer.hyperparameters
    bound = {name: Bound(jnp.asarray(value, rate_dtype())) for name, value in values.items()}
    optimizer.hyperparameters = cast(Any, {**outer, **bound})
    try:
        yield
    finally:
        optimizer.hyperparameters = outer
        own.update(replaced)
