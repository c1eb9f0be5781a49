"""An optimizer of TensorFlow 1 in the place of one of Keras's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjax import backend as K
from kjax._core.graph import Variable
from kjax.optimizers._base import Optimizer
from kjax.optimizers._optax import OptaxOptimizer, is_transformation

_NONE = (
    "An optimizer of TensorFlow has no {what} that Keras could write to a file. Save the model without its optimizer "
    "(`include_optimizer=False`) and compile it again after loading."
)


def is_native(x: Any) -> bool:
    """Whether `x` makes operations out of gradients, as `tf.train.AdamOptimizer` does."""
    methods = ("compute_gradients", "apply_gradients")
    return not isinstance(x, (type, Optimizer)) and all(callable(getattr(x, name, None)) for name in methods)


class TFOptimizer(Optimizer):
    """An optimizer of `tf.train` as one of Keras's. `compile` wraps such an optimizer by itself.

    Its learning rate belongs to it: there is no `lr`. A transformation of optax becomes an `OptaxOptimizer`.

    Arguments:
        optimizer: an object with `compute_gradients(loss, variables)` and `apply_gradients(pairs)`, or a
            transformation of optax.

    Raises:
        TypeError: for anything else.
    """

    def __new__(cls, optimizer: Any) -> Any:
        if is_transformation(optimizer) and not is_native(optimizer):
            return OptaxOptimizer(optimizer)
        return super().__new__(cls)

    def __init__(self, optimizer: Any) -> None:
        if not is_native(optimizer):
            raise TypeError(
                f"`optimizer` must be an optimizer of `tf.train`, or a transformation of optax. Received: {optimizer!r}"
            )
        super().__init__()
        self.optimizer = optimizer

    def __getnewargs__(self) -> tuple[Any]:
        return (self.optimizer,)

    def get_updates(self, loss: Any, params: Any) -> list[Any]:
        pairs = self.optimizer.compute_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1), self.optimizer.apply_gradients(pairs)]
        return self.updates

    def apply_gradients(
        self, grads_and_vars: Any, name: str | None = None, experimental_aggregate_gradients: bool = True
    ) -> Any:
        return self.optimizer.apply_gradients(grads_and_vars)

    @property
    def weights(self) -> list[Variable]:  # pyright: ignore[reportIncompatibleMethodOverride]  # nothing to set
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_NONE.format(what="weights"))

    def get_config(self) -> dict[str, Any]:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_NONE.format(what="config"))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_NONE.format(what="config"))
