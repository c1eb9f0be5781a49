"""The metric functions as objects that take the mean over all samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from kjax import backend as K
from kjax import losses
from kjax.backend._ops import array
from kjax.metrics import _functions as functions
from kjax.metrics._base import Mean, MeanMetricWrapper, ratio


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where targets and predictions are equal, else 0."""
    y_true, y_pred = losses.paired(y_true, y_pred)
    return K.cast(K.equal(y_true, y_pred), K.floatx())


class _Wrapped(MeanMetricWrapper):
    """A wrapper of one function, under one name."""

    _function: ClassVar[Callable[..., Any]]
    _called: ClassVar[str]

    def __init_subclass__(
        cls, function: Callable[..., Any] | None = None, called: str | None = None, by_element: bool = True
    ) -> None:
        super().__init_subclass__()
        if function is not None:
            cls._function, cls._by_element = staticmethod(function), by_element
            cls._called = called or function.__name__

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(type(self)._function, name or type(self)._called, dtype, **options)


class Accuracy(_Wrapped, function=accuracy):
    """How often predictions are equal to targets. Arguments: those of `Metric`."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)


class BinaryAccuracy(_Wrapped, function=functions.binary_accuracy):
    """`binary_accuracy` as an object. Arguments: `threshold`, and those of `Metric`."""

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(_Wrapped, function=functions.categorical_accuracy, by_element=False):
    """`categorical_accuracy` as an object. Arguments: those of `Metric`."""


class SparseCategoricalAccuracy(_Wrapped, function=functions.sparse_categorical_accuracy, by_element=False):
    """`sparse_categorical_accuracy` as an object. Arguments: those of `Metric`."""


class TopKCategoricalAccuracy(
    _Wrapped, function=functions.top_k_of_samples, called="top_k_categorical_accuracy", by_element=False
):
    """`top_k_categorical_accuracy` as an object. Arguments: `k`, and those of `Metric`."""

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(
    _Wrapped, function=functions.sparse_top_k_of_samples, called="sparse_top_k_categorical_accuracy", by_element=False
):
    """`sparse_top_k_categorical_accuracy` as an object. Arguments: `k`, and those of `Metric`."""

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype, k=k)


class MeanSquaredError(_Wrapped, function=losses.mean_squared_error):
    """`mean_squared_error` as an object. Arguments: those of `Metric`."""


class MeanAbsoluteError(_Wrapped, function=losses.mean_absolute_error):
    """`mean_absolute_error` as an object. Arguments: those of `Metric`."""


class MeanAbsolutePercentageError(_Wrapped, function=losses.mean_absolute_percentage_error):
    """`mean_absolute_percentage_error` as an object. Arguments: those of `Metric`."""


class MeanSquaredLogarithmicError(_Wrapped, function=losses.mean_squared_logarithmic_error):
    """`mean_squared_logarithmic_error` as an object. Arguments: those of `Metric`."""


class Hinge(_Wrapped, function=losses.signed(losses.hinge), called="hinge"):
    """`hinge` as an object; targets may be 0 and 1. Arguments: those of `Metric`."""


class SquaredHinge(_Wrapped, function=losses.signed(losses.squared_hinge), called="squared_hinge"):
    """`squared_hinge` as an object; targets may be 0 and 1. Arguments: those of `Metric`."""


class CategoricalHinge(_Wrapped, function=losses.categorical_hinge, by_element=False):
    """`categorical_hinge` as an object. Arguments: those of `Metric`."""


class LogCoshError(_Wrapped, function=losses.logcosh):
    """`logcosh` as an object. Arguments: those of `Metric`."""


class Poisson(_Wrapped, function=losses.poisson):
    """`poisson` as an object. Arguments: those of `Metric`."""


class KLDivergence(_Wrapped, function=losses.kullback_leibler_divergence, by_element=False):
    """`kullback_leibler_divergence` as an object. Arguments: those of `Metric`."""


class CosineSimilarity(_Wrapped, function=functions.cosine_similarity, by_element=False):
    """Cosine of the angle between targets and predictions, 1 for one direction. Arguments: `axis`, and `Metric`'s."""

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype, axis=axis)


class CosineProximity(_Wrapped, function=losses.cosine_proximity, by_element=False):
    """The same with a minus, under the name of Keras 2.3. Arguments: `axis`, and those of `Metric`."""

    def __init__(self, name: str | None = None, dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype, axis=axis)


class BinaryCrossentropy(_Wrapped, function=losses.binary_crossentropy):
    """`binary_crossentropy` as an object. Arguments: those of the function, and those of `Metric`."""

    def __init__(
        self, name: str | None = None, dtype: Any = None, from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(_Wrapped, function=losses.categorical_crossentropy, by_element=False):
    """`categorical_crossentropy` as an object. Arguments: those of the function, and those of `Metric`."""

    def __init__(
        self, name: str | None = None, dtype: Any = None, from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class SparseCategoricalCrossentropy(_Wrapped, function=losses.sparse_categorical_crossentropy, by_element=False):
    """`sparse_categorical_crossentropy` as an object. Arguments: those of the function, and those of `Metric`."""

    def __init__(self, name: str | None = None, dtype: Any = None, from_logits: bool = False, axis: int = -1) -> None:
        super().__init__(name, dtype, from_logits=from_logits, axis=axis)


class RootMeanSquaredError(Mean):
    """Root of the mean of all squared errors. Arguments: those of `Metric`."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    # As in Keras, its batches are targets and predictions, not values.
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        y_true, y_pred = losses.paired(y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        return jnp.sqrt(ratio(self.total.value, self.count.value))


class MeanRelativeError(Mean):
    """Mean of `|y_true - y_pred| / normalizer`, and 0 where the normalizer is 0.

    Arguments:
        normalizer: numbers of the shape of the predictions.
        name, dtype: see `Metric`.
    """

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.normalizer = normalizer

    # As in Keras, its batches are targets and predictions, not values.
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        y_true, y_pred = losses.paired(y_true, y_pred)
        error = jnp.abs(y_true - y_pred)
        scale = jnp.broadcast_to(array(self.normalizer).astype(error.dtype), error.shape)
        super().update_state(ratio(error, scale), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"normalizer": K.eval(self.normalizer).tolist(), **super().get_config()}
