"""The overlap of some classes, or of classes that come as scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax.backend._ops import array
from kjax.metrics._base import ratio
from kjax.metrics._confusion import MeanIoU


class IoU(MeanIoU):
    """`MeanIoU` of the classes in `target_class_ids` alone.

    Arguments:
        num_classes: number of classes.
        target_class_ids: numbers of those that count.
        ignore_class: a class whose places do not count, or None.
        sparse_y_true, sparse_y_pred: whether targets and predictions are numbers of classes, and not a score for each.
        axis: the axis of the scores.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes - 1}]."
            )
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = array(y_true), array(y_pred)
        y_true = y_true if self.sparse_y_true else jnp.argmax(y_true, axis=self.axis)
        y_pred = y_pred if self.sparse_y_pred else jnp.argmax(y_pred, axis=self.axis)
        if self.ignore_class is not None:
            counts = (y_true != self.ignore_class).astype(self.dtype).reshape(y_pred.shape)
            sample_weight = counts if sample_weight is None else counts * jnp.reshape(sample_weight, counts.shape)
            y_true = jnp.where(y_true == self.ignore_class, 0, y_true)
        super().update_state(y_true.reshape(y_pred.shape), y_pred, sample_weight)

    def result(self) -> Any:
        matrix = self.total_cm.value
        right = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - right
        chosen = jnp.asarray(self.target_class_ids)
        right, union = right[chosen], union[chosen]
        return ratio(jnp.sum(ratio(right, union)), jnp.sum((union != 0).astype(matrix.dtype)))

    def get_config(self) -> dict[str, Any]:
        names = ("target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class BinaryIoU(IoU):
    """`IoU` of two classes: 1 where a prediction exceeds `threshold`, else 0."""

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true, (array(y_pred) > self.threshold).astype("int32"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        names = ("target_class_ids", "name", "dtype")
        return {"threshold": self.threshold, **{name: config[name] for name in names if name in config}}


class OneHotIoU(IoU):
    """`IoU` of one-hot targets and scores, or of numbers of classes with `sparse_y_pred`."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "sparse_y_true"}


class OneHotMeanIoU(OneHotIoU):
    """`OneHotIoU` of all classes."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "target_class_ids"}


__all__ = ["BinaryIoU", "IoU", "OneHotIoU", "OneHotMeanIoU"]
