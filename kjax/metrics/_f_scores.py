"""F-scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax._core import config
from kjax.backend._ops import array
from kjax.metrics._base import Metric, weights_of


class FBetaScore(Metric):
    """`(1 + beta²) * precision * recall / (beta² * precision + recall)`, of each label.

    Arguments:
        average: None for one score a label; `'macro'` their mean, `'weighted'` that weighted by how often each label
            is true, `'micro'` the score of all labels counted together.
        beta: weight of the recall.
        threshold: what a prediction has to exceed to be positive; None: the largest of a sample is.
        name, dtype: see `Metric`.

    Raises:
        ValueError: for another average, and for a beta or a threshold that is out of range.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"`average` must be None, 'micro', 'macro' or 'weighted'. Received: average={average}")
        if not beta > 0:
            raise ValueError(f"`beta` must be > 0. Received: beta={beta}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"`threshold` must be in (0, 1]. Received: threshold={threshold}")
        self.average, self.beta, self.threshold = average, beta, threshold
        self._sums: Any = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = array(y_true).astype(self.dtype), array(y_pred).astype(self.dtype)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                "Expected targets and predictions of the same shape (samples, labels). "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        if self._sums is None:
            shape = () if self.average == "micro" else y_pred.shape[1:]
            names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
            self._sums = [self.add_weight(name, shape) for name in names]
        if self.threshold is None:
            chosen = (y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)) & (jnp.abs(y_pred) > 1e-9)
        else:
            chosen = y_pred > self.threshold
        chosen = chosen.astype(self.dtype)
        weights = jnp.ones_like(y_pred) if sample_weight is None else weights_of(y_pred, sample_weight)
        axis = None if self.average == "micro" else 0
        counted = (chosen * y_true, chosen * (1 - y_true), (1 - chosen) * y_true, y_true)
        for variable, values in zip(self._sums, counted, strict=True):
            variable.assign_add(jnp.sum(values * weights, axis=axis))

    def result(self) -> Any:
        if self._sums is None:
            raise ValueError(f"{type(self).__name__} has no result before a batch was counted in.")
        right, false, missed, times = (variable.value for variable in self._sums)
        tiny, square = config.epsilon(), self.beta**2
        precision, recall = right / (right + false + tiny), right / (right + missed + tiny)
        scores = (1 + square) * (precision * recall / (square * precision + recall + tiny))
        if self.average == "weighted":
            return jnp.sum(scores * times / (jnp.sum(times) + tiny))
        return scores if self.average is None else jnp.mean(scores)

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**own, **super().get_config()}


class F1Score(FBetaScore):
    """`FBetaScore` with a beta of 1: `2 * precision * recall / (precision + recall)`. Arguments: see there."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "beta"}
