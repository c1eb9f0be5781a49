"""Losses as objects: what all of them are, and those that call a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kjax import backend as K
from kjax._core import naming
from kjax._core.graph import apply
from kjax.backend._ops import array


class Reduction:
    """What a loss object does with its samples' losses."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


MEAN = Reduction.SUM_OVER_BATCH_SIZE
_REDUCTIONS = (Reduction.AUTO, Reduction.NONE, Reduction.SUM, Reduction.SUM_OVER_BATCH_SIZE)


def _weighted(losses: Any, sample_weight: Any) -> Any:
    weights = array(sample_weight).astype(losses.dtype)
    if weights.shape == (*losses.shape, 1):
        weights = weights.reshape(losses.shape)
    return losses * weights.reshape(weights.shape + (1,) * (losses.ndim - weights.ndim))


class Loss:
    """A loss as an object. A subclass defines `call(y_true, y_pred)`, which gives one number per sample.

    Arguments:
        reduction: what a call returns: `'sum_over_batch_size'` or `'auto'` the mean, `'sum'`, or `'none'` the
            losses of the samples.
        name: its name; that of the class in snake case if None.

    Raises:
        ValueError: for another reduction.
    """

    def __init__(self, reduction: str = MEAN, name: str | None = None) -> None:
        if reduction not in _REDUCTIONS:
            raise ValueError(f"Invalid Reduction Key {reduction!r}. Expected one of {_REDUCTIONS}.")
        self.reduction = reduction
        self.name = name or naming.to_snake_case(type(self).__name__)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        losses = self.call(y_true, y_pred)
        if sample_weight is not None:
            losses = apply(_weighted, losses, sample_weight)
        if self.reduction == Reduction.NONE:
            return losses
        return K.sum(losses) if self.reduction == Reduction.SUM else K.mean(losses)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample."""
        raise NotImplementedError(f"{type(self).__name__} has to define `call(y_true, y_pred)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The loss that `get_config` described."""
        return cls(**config)


class FunctionLoss(Loss):
    """A loss object that calls one of the functions, with options that are part of its config."""

    _function: Callable[..., Any]

    def __init_subclass__(cls, function: Callable[..., Any] | None = None) -> None:
        if function is not None:
            cls._function = staticmethod(function)

    def __init__(self, reduction: str = MEAN, name: str | None = None, **options: Any) -> None:
        super().__init__(reduction, name)
        self._options = options

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred, **self._options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._options}


class LossFunctionWrapper(FunctionLoss):
    """A loss object that calls `fn(y_true, y_pred, **kwargs)`. Arguments: `fn`, those of `Loss`, and `kwargs`."""

    def __init__(self, fn: Any, reduction: str = MEAN, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(reduction, name, **kwargs)
        self._function = self.fn = fn
