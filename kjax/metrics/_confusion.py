"""Metrics that count right and wrong decisions at one or many thresholds, and the overlap of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array
from kjax.metrics._base import Metric, ratio, weights_of


class Counts(NamedTuple):
    """Weights of true and false positives and negatives, at each threshold."""

    tp: Any
    fp: Any
    tn: Any
    fn: Any


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: Any,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
) -> Counts:
    """Decisions of a batch: positive where a prediction exceeds a threshold.

    Arguments:
        y_true: targets, positive where they are not 0.
        y_pred: predictions.
        thresholds: (n,).
        sample_weight: weights.
        top_k: only so many predictions of the last axis, the largest, can be positive; of equal ones the first.
        class_id: the only place of the last axis that counts.
        by_label: whether the last axis stays: then each count is (n, labels).
    """
    y_pred = array(y_pred)
    y_true = array(y_true).reshape(y_pred.shape)
    weights = jnp.ones_like(y_pred) if sample_weight is None else weights_of(y_pred, sample_weight)
    if top_k is not None:
        places = jax.lax.top_k(y_pred, top_k)[1]
        among = jnp.put_along_axis(jnp.zeros(y_pred.shape, bool), places, True, axis=-1, inplace=False)
        y_pred = jnp.where(among, y_pred, jnp.full_like(y_pred, -jnp.inf))
    if class_id is not None:
        y_true, y_pred, weights = (a[..., class_id] for a in (y_true, y_pred, weights))
    shape = (-1, y_pred.shape[-1]) if by_label else (-1,)
    y_true, y_pred, weights = (a.reshape(shape) for a in (y_true != 0, y_pred, weights))
    chosen = y_pred[None] > thresholds.astype(y_pred.dtype).reshape(-1, *(1,) * y_pred.ndim)
    of_positive = jnp.where(y_true, weights, jnp.zeros_like(weights))
    of_negative = weights - of_positive

    def total(weights: Any, chosen: Any) -> Any:
        return jnp.sum(jnp.where(chosen, weights[None], jnp.zeros_like(weights[None])), axis=1)

    return Counts(
        total(of_positive, chosen), total(of_negative, chosen), total(of_negative, ~chosen), total(of_positive, ~chosen)
    )


def thresholds_of(given: Any, default: float = 0.5) -> list[float]:
    listed: list[Any] = [default] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    wrong = [t for t in listed if t is None or not 0 <= t <= 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Invalid values: {wrong}")
    return [float(t) for t in listed]


def spaced(number: int) -> list[float]:
    """Thresholds between 0 and 1, without the ends."""
    return [(i + 1) / (number - 1) for i in range(number - 2)]


class Counting(Metric):
    """A metric that sums some of the four counts."""

    counted: ClassVar[tuple[str, ...]] = ()

    def _hold(self, thresholds: Sequence[float], *more: int) -> None:
        self._at = np.array(thresholds)
        for name in self.counted:
            setattr(self, name, self.add_weight(name, (len(thresholds), *more)))

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, **how: Any) -> None:
        y_pred = array(y_pred).astype(self.dtype)
        counts = count(y_true, y_pred, jnp.asarray(self._at, self.dtype), sample_weight, **how)._asdict()
        for name in self.counted:
            getattr(self, name).assign_add(counts[_SHORT[name]].astype(self.dtype))


_SHORT = {"true_positives": "tp", "false_positives": "fp", "true_negatives": "tn", "false_negatives": "fn"}


class _OneCount(Counting):
    """One of the four counts as a metric."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.init_thresholds = thresholds
        self.thresholds = thresholds_of(thresholds)
        self._hold(self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        return _unlisted(getattr(self, self.counted[0]).value)

    def get_config(self) -> dict[str, Any]:
        return {"thresholds": self.init_thresholds, **super().get_config()}


def _unlisted(values: Any) -> Any:
    """The number, if there is one threshold."""
    return values[0] if values.shape[0] == 1 else values


class TruePositives(_OneCount):
    """Weight of the positive samples above a threshold. Arguments: `thresholds` (0.5), and those of `Metric`."""

    counted = ("true_positives",)


class TrueNegatives(_OneCount):
    """Weight of the negative samples below a threshold. Arguments: `thresholds` (0.5), and those of `Metric`."""

    counted = ("true_negatives",)


class FalsePositives(_OneCount):
    """Weight of the negative samples above a threshold. Arguments: `thresholds` (0.5), and those of `Metric`."""

    counted = ("false_positives",)


class FalseNegatives(_OneCount):
    """Weight of the positive samples below a threshold. Arguments: `thresholds` (0.5), and those of `Metric`."""

    counted = ("false_negatives",)


class _Share(Counting):
    """True positives by all of a kind."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        # Among the largest `top_k`, every prediction is positive unless a threshold is given.
        anything = top_k is not None and thresholds is None
        self.thresholds = [-np.inf] if anything else thresholds_of(thresholds)
        self._hold(self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(y_true, y_pred, sample_weight, top_k=self.top_k, class_id=self.class_id)

    def result(self) -> Any:
        right, wrong = (getattr(self, name).value for name in self.counted)
        return _unlisted(ratio(right, right + wrong))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**own, **super().get_config()}


class Precision(_Share):
    """True positives by all that is predicted positive.

    Arguments:
        thresholds: what a prediction has to exceed to be positive, or a list of such; 0.5 by default.
        top_k: only the largest so many predictions of a sample can be positive.
        class_id: the only class that counts.
        name, dtype: see `Metric`.
    """

    counted = ("true_positives", "false_positives")


class Recall(_Share):
    """True positives by all that is positive. Arguments: those of `Precision`."""

    counted = ("true_positives", "false_negatives")


class MeanIoU(Metric):
    """Mean over the classes of intersection by union: tp / (tp + fp + fn). Classes that never occur do not count.

    Arguments:
        num_classes: number of classes; targets and predictions are numbers from 0 on.
        name, dtype: see `Metric`.
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = array(y_pred)
        weights = jnp.ones(y_pred.shape, self.dtype)
        if sample_weight is not None:
            weights = weights_of(weights, sample_weight)
        cells = array(y_true).reshape(-1).astype("int32") * self.num_classes + y_pred.reshape(-1).astype("int32")
        counted = jnp.zeros((self.num_classes**2,), self.dtype).at[cells].add(weights.reshape(-1))
        self.total_cm.assign_add(counted.reshape(self.num_classes, self.num_classes))

    def result(self) -> Any:
        matrix = self.total_cm.value
        right = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - right
        occurs = jnp.sum((union != 0).astype(matrix.dtype))
        return ratio(jnp.sum(ratio(right, union)), occurs)

    def get_config(self) -> dict[str, Any]:
        return {"num_classes": self.num_classes, **super().get_config()}
