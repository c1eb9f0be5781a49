"""Metrics of a curve over many thresholds: the area under it, and its best point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from kjax._core import config
from kjax.backend._ops import array
from kjax.metrics._base import ratio, weights_of
from kjax.metrics._confusion import Counting, spaced, thresholds_of


class AUC(Counting):
    """Area under the curve of the true positive rate by the false one (ROC), or of precision by recall (PR).

    The curve is known at `num_thresholds` points, so that the area is one of an approximation.

    Arguments:
        num_thresholds: number of thresholds, evenly from 0 to 1.
        curve: `'ROC'` or `'PR'`.
        summation_method: `'interpolation'` (trapezoids; for PR, precision interpolated), `'minoring'` or `'majoring'`.
        name, dtype: see `Metric`.
        thresholds: in the place of `num_thresholds`: values in [0, 1], to which 0 and 1 are added.
        multi_label: whether the last axis holds labels, whose areas are averaged.
        num_labels: number of labels; only with `multi_label`. If None, it is taken from the first batch.
        label_weights: weights of the labels.
        from_logits: whether predictions are scores before a sigmoid.

    Reference: Davis and Goadrich, The Relationship Between Precision-Recall and ROC Curves, 2006.
    """

    counted = ("true_positives", "true_negatives", "false_positives", "false_negatives")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name, dtype)
        if curve not in ("ROC", "PR"):
            raise ValueError(f'Invalid AUC curve value "{curve}". Expected "ROC" or "PR".')
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f'Invalid AUC summation method value "{summation_method}". Expected "interpolation", "minoring" or '
                '"majoring".'
            )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"`num_thresholds` must be > 1. Got: {num_thresholds}")
        self.curve, self.summation_method = curve, summation_method
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self.from_logits = from_logits
        self._init_thresholds = None if thresholds is None else sorted(thresholds_of(list(thresholds)))
        inner = spaced(num_thresholds) if self._init_thresholds is None else self._init_thresholds
        self.num_thresholds = len(inner) + 2
        # The ends catch predictions of exactly 0 and 1.
        self.thresholds = [0.0 - config.epsilon(), *inner, 1.0 + config.epsilon()]
        self._labels_known = not multi_label or num_labels is not None
        if self._labels_known:
            self._hold(self.thresholds, *([num_labels] if multi_label and num_labels else []))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = array(y_pred)
        if not self._labels_known:
            self._hold(self.thresholds, y_pred.shape[-1])
            self._labels_known = True
        if self.from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            labels = jnp.asarray(self.label_weights, y_pred.dtype)
            given = jnp.ones_like(y_pred) if sample_weight is None else weights_of(y_pred, sample_weight)
            sample_weight = given * labels.reshape((1,) * (y_pred.ndim - 1) + labels.shape)
        self._count(y_true, y_pred, sample_weight, by_label=self.multi_label)

    def result(self) -> Any:
        tp, tn, fp, fn = (getattr(self, name).value for name in self.counted)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = interpolated(tp, fp, fn)
        else:
            recall = ratio(tp, tp + fn)
            x, y = (ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, ratio(tp, tp + fp))
            heights = {
                "interpolation": lambda: (y[:-1] + y[1:]) / 2.0,
                "minoring": lambda: jnp.minimum(y[:-1], y[1:]),
                "majoring": lambda: jnp.maximum(y[:-1], y[1:]),
            }[self.summation_method]()
            areas = jnp.sum((x[:-1] - x[1:]) * heights, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, areas.dtype)
        return ratio(jnp.sum(areas * weights), jnp.sum(weights))

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        return {**own, "thresholds": self._init_thresholds, **super().get_config()}


def interpolated(tp: Any, fp: Any, fn: Any) -> Any:
    """Area under precision by recall: between two thresholds true positives grow in step with all positives."""
    positive = tp + fp
    more_right, more = tp[:-1] - tp[1:], positive[:-1] - positive[1:]
    slope = ratio(more_right, jnp.maximum(more, jnp.zeros_like(more)))
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    growth = jnp.where(both, ratio(positive[:-1], positive[1:]), jnp.ones_like(more))
    area = slope * (more_right + intercept * jnp.log(growth))
    return jnp.sum(ratio(area, tp[1:] + fn[1:]), axis=0)


class _AtValue(Counting):
    """The best value of one share where another one is large enough."""

    counted = ("true_positives", "true_negatives", "false_positives", "false_negatives")
    # (shares that are held, shares that are maximized), each from (tp, tn, fp, fn)
    _held: ClassVar[Callable[..., Any]]
    _best: ClassVar[Callable[..., Any]]
    _argument: ClassVar[str]

    def __init__(self, value: float, num_thresholds: int, name: str | None, dtype: Any) -> None:
        super().__init__(name, dtype)
        if not 0 <= value <= 1:
            raise ValueError(f"`{self._argument}` must be in the range [0, 1]. Got: {value}")
        if num_thresholds <= 0:
            raise ValueError(f"`num_thresholds` must be > 0. Got: {num_thresholds}")
        self.value, self.num_thresholds = value, num_thresholds
        setattr(self, self._argument, value)
        self.thresholds = [0.5] if num_thresholds == 1 else [0.0, *spaced(num_thresholds), 1.0]
        self._hold(self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        counts = [getattr(self, name).value for name in self.counted]
        held, best = type(self)._held(*counts), type(self)._best(*counts)
        return jnp.max(jnp.where(held >= self.value, best, jnp.zeros_like(best)))

    def get_config(self) -> dict[str, Any]:
        return {self._argument: self.value, "num_thresholds": self.num_thresholds, **super().get_config()}


def _sensitivity(tp: Any, tn: Any, fp: Any, fn: Any) -> Any:
    return ratio(tp, tp + fn)


def _specificity(tp: Any, tn: Any, fp: Any, fn: Any) -> Any:
    return ratio(tn, tn + fp)


def _precision(tp: Any, tn: Any, fp: Any, fn: Any) -> Any:
    return ratio(tp, tp + fp)


class SensitivityAtSpecificity(_AtValue):
    """Largest sensitivity, tp / (tp + fn), at a threshold where tn / (tn + fp) is at least `specificity`.

    Arguments:
        specificity: in [0, 1].
        num_thresholds: number of thresholds, evenly from 0 to 1.
        name, dtype: see `Metric`.
    """

    _held, _best, _argument = staticmethod(_specificity), staticmethod(_sensitivity), "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(specificity, num_thresholds, name, dtype)


class SpecificityAtSensitivity(_AtValue):
    """Largest specificity where the sensitivity is at least `sensitivity`. Arguments: as `SensitivityAtSpecificity`."""

    _held, _best, _argument = staticmethod(_sensitivity), staticmethod(_specificity), "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(sensitivity, num_thresholds, name, dtype)


class PrecisionAtRecall(_AtValue):
    """Largest precision where the recall is at least `recall`. Arguments: as `SensitivityAtSpecificity`."""

    _held, _best, _argument = staticmethod(_sensitivity), staticmethod(_precision), "recall"

    def __init__(self, recall: float, num_thresholds: int = 200, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(recall, num_thresholds, name, dtype)


class RecallAtPrecision(_AtValue):
    """Largest recall where the precision is at least `precision`. Arguments: as `SensitivityAtSpecificity`."""

    _held, _best, _argument = staticmethod(_precision), staticmethod(_sensitivity), "precision"

    def __init__(self, precision: float, num_thresholds: int = 200, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(precision, num_thresholds, name, dtype)
