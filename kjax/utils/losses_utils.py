"""How the losses of single samples become one number: names of Keras 2.3."""

from __future__ import annotations

from typing import Any

from kjax import backend as K


class Reduction:
    """Names of the ways to make one loss out of many."""

    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All names."""
        return cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: Any) -> None:
        """Check a name.

        Raises:
            ValueError: if it is none of them.
        """
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key!r}. Expected one of: {', '.join(cls.all())}.")


def squeeze_or_expand_dimensions(y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    """Bring predictions, targets and weights to ranks that fit: a last dimension of 1 is dropped or added.

    Returns:
        (y_pred, y_true) or (y_pred, y_true, sample_weight).
    """
    if y_true is not None:
        difference = K.ndim(y_pred) - K.ndim(y_true)
        if difference == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif difference == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    difference = K.ndim(sample_weight) - K.ndim(y_pred)
    if K.ndim(sample_weight) and difference == 1 and K.int_shape(sample_weight)[-1] == 1:
        sample_weight = K.squeeze(sample_weight, -1)
    elif K.ndim(sample_weight) and difference == -1:
        sample_weight = K.expand_dims(sample_weight)
    return y_pred, y_true, sample_weight


def broadcast_weights(values: Any, sample_weight: Any) -> Any:
    """Weights of the shape of `values`: repeated along the dimensions that they lack at their end, or that are 1."""
    for _ in range(K.ndim(values) - K.ndim(sample_weight) if K.ndim(sample_weight) else 0):
        sample_weight = K.expand_dims(sample_weight)
    return sample_weight * K.ones_like(values)


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None
) -> Any:
    """`sum(losses * sample_weight)`, divided by the number of losses for `'sum_over_batch_size'`.

    Arguments:
        losses: losses of the samples.
        sample_weight: weights; a number, or an array that `broadcast_weights` takes.
        reduction: one of `Reduction`; `'none'` keeps the weighted losses apart.
        name: has no effect.
    """
    Reduction.validate(reduction)
    if sample_weight is not None:
        losses = losses * broadcast_weights(losses, K.cast(sample_weight, K.dtype(losses)))
    if reduction == Reduction.NONE:
        return losses
    return K.sum(losses) if reduction == Reduction.SUM else K.mean(losses)
