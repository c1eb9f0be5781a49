"""`keras.utils.metrics_utils` of Keras 2.3: what metrics of users that count decisions take from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax._core import graph
from kjax.metrics import _confusion

NEG_INF = -1e10


class Reduction:
    """How a metric gathers values."""

    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    WEIGHTED_MEAN = "weighted_mean"


class ConfusionMatrix(Enum):
    """The four counts of right and wrong decisions."""

    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


class AUCCurve(StrEnum):
    """The curve whose area is measured."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve of this name, in capitals or not."""
        return _named(AUCCurve, key)


class AUCSummationMethod(StrEnum):
    """How the area between two points of a curve is measured."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The method of this name, in capitals or not."""
        return _named(AUCSummationMethod, key)


def _named(kind: Any, key: str) -> Any:
    found = {member.name: member for member in kind}.get(key.upper())
    if found is None:
        raise ValueError(f"Invalid {kind.__name__}: {key!r}. It is one of {[member.value for member in kind]}.")
    return found


def update_state_wrapper(update_state_fn: Callable[..., Any]) -> Callable[..., Any]:
    """`update_state` itself: what it writes is part of the program in any case."""
    return update_state_fn


def result_wrapper(result_fn: Callable[..., Any]) -> Callable[..., Any]:
    """`result` as a function of the metric and its arguments, as Keras 2.3 decorated it."""

    def decorated(metric_obj: Any, *args: Any, **kwargs: Any) -> Any:
        return result_fn(*args, **kwargs)

    return decorated


def to_list(x: Any) -> list[Any]:
    """A list as it is, anything else in a list."""
    return x if isinstance(x, list) else [x]


def assert_thresholds_range(thresholds: Sequence[Any] | None) -> None:
    """Refuse thresholds outside of [0, 1].

    Raises:
        ValueError: for such a one.
    """
    if thresholds is not None:
        _confusion.thresholds_of(list(thresholds))


def parse_init_thresholds(thresholds: Any, default_threshold: Any = 0.5) -> list[Any]:
    """Thresholds as a list, the default for None."""
    return _confusion.thresholds_of(thresholds, default_threshold)


def filter_top_k(x: Any, k: int) -> Any:
    """The `k` largest values along the last axis; all others are -1e10."""
    return graph.apply(_largest, x, k=k)


def _largest(x: Any, k: int) -> Any:
    x = jnp.asarray(x)
    _, places = jax.lax.top_k(x, k)
    chosen = jnp.sum(jax.nn.one_hot(places, x.shape[-1], dtype=x.dtype), axis=-2)
    return x * chosen + jnp.asarray(NEG_INF, x.dtype) * (1 - chosen)


def weighted_assign_add(label: Any, pred: Any, weights: Any, var: Any) -> Any:
    """Add to a variable how much of each row is true in both; `weights` of the entries, or None."""
    both = K.cast(K.all(K.stack([label, pred]), axis=0), K.floatx())
    return K.update_add(var, K.sum(both if weights is None else both * weights, axis=1))


def update_confusion_matrix_variables(
    variables_to_update: Mapping[ConfusionMatrix, Any] | None,
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list[Any] | None:
    """Add a batch's decisions, positive where a prediction exceeds a threshold, to variables.

    Arguments:
        variables_to_update: a `ConfusionMatrix` key to its variable, of one number for each threshold.
        y_true: targets, positive where they are not 0.
        y_pred: predictions.
        thresholds: a number or a list.
        top_k: of the predictions along the last axis only so many, the largest, can be positive.
        class_id: the only place of the last axis that counts.
        sample_weight: weights.

    Raises:
        ValueError: for other keys, or none.
    """
    if variables_to_update is None:
        return None
    wrong = [key for key in variables_to_update if not isinstance(key, ConfusionMatrix)]
    if wrong or not variables_to_update:
        raise ValueError(f"Invalid keys: {wrong}. The variables' keys are of {list(ConfusionMatrix)}, one at least.")
    at = jnp.asarray(to_list(thresholds), K.floatx())
    given = (y_true, y_pred) if sample_weight is None else (y_true, y_pred, sample_weight)

    def counted(y_true: Any, y_pred: Any, weights: Any = None) -> tuple[Any, ...]:
        found = _confusion.count(y_true, jnp.asarray(y_pred, K.floatx()), at, weights, top_k=top_k, class_id=class_id)
        return tuple(getattr(found, key.value) for key in variables_to_update)

    counts = graph.apply(counted, *given)
    return [K.update_add(variable, n) for variable, n in zip(variables_to_update.values(), counts, strict=True)]
