"""Metrics: functions of targets and predictions that give one number per sample, of which the mean is shown.

Every loss function is a metric too, under each of its names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kjax import backend as K
from kjax import losses
from kjax._core.graph import apply
from kjax._core.registry import Registry
from kjax.backend._ops import array

mean_squared_error = mse = MSE = losses.mean_squared_error
mean_absolute_error = mae = MAE = losses.mean_absolute_error
mean_absolute_percentage_error = mape = MAPE = losses.mean_absolute_percentage_error
mean_squared_logarithmic_error = msle = MSLE = losses.mean_squared_logarithmic_error
squared_hinge = losses.squared_hinge
hinge = losses.hinge
categorical_hinge = losses.categorical_hinge
logcosh = log_cosh = losses.logcosh
huber_loss = losses.huber_loss
categorical_crossentropy = losses.categorical_crossentropy
sparse_categorical_crossentropy = losses.sparse_categorical_crossentropy
binary_crossentropy = losses.binary_crossentropy
kullback_leibler_divergence = kl_divergence = kld = KLD = losses.kullback_leibler_divergence
poisson = losses.poisson
cosine_proximity = cosine = losses.cosine_proximity

registry = Registry("metric function")
for _name in losses.registry.names():
    _loss: Callable[..., Any] = losses.registry.find(_name)
    if not isinstance(_loss, type):
        registry.register(_loss, _name)


@registry.register
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Share of predictions that are on the targets' side of a threshold.

    With a threshold of 1/2 predictions are rounded to the nearest integer, and targets may be any integers.

    Arguments:
        y_true: targets, of the shape of the predictions.
        y_pred: predictions.
        threshold: what a prediction has to exceed to count as 1.
    """
    y_true, y_pred = losses.paired(y_true, y_pred)
    rounded = K.round(y_pred) if threshold == 0.5 else K.cast(y_pred > threshold, K.dtype(y_pred))
    return K.mean(K.cast(K.equal(y_true, rounded), K.floatx()), axis=-1)


@registry.register
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the largest target, else 0. For one-hot targets."""
    return K.cast(K.equal(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1)), K.floatx())


def _classes(y_true: Any, y_pred: Any) -> Any:
    """Targets as ints, without the axis of length 1 that a model gives them."""
    y_true = array(y_true).astype("int32")
    return y_true.reshape(y_true.shape[:-1]) if y_true.ndim == K.ndim(y_pred) else y_true


@registry.register
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the right class, else 0.

    Arguments:
        y_true: numbers of classes, of the shape of the predictions without the last axis, or with 1 there.
        y_pred: predictions; the last axis is that of the classes.
    """
    return K.cast(K.equal(apply(_classes, y_true, y_pred), K.argmax(y_pred, axis=-1)), K.floatx())


def _in_top_k(classes: Any, y_pred: Any, k: int) -> Any:
    y_pred = array(y_pred)
    found = K.in_top_k(y_pred.reshape((-1, y_pred.shape[-1])), classes.reshape(-1), k)
    return found.reshape(classes.shape).astype(K.floatx())


def top_k_of_samples(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where fewer than `k` predictions exceed that of the right class, else 0. For one-hot targets."""
    return apply(_in_top_k, K.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_of_samples(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """`top_k_of_samples` for targets that are numbers of classes."""
    return apply(_in_top_k, apply(_classes, y_true, y_pred), y_pred, k)


@registry.register
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Share of samples in which fewer than `k` predictions exceed that of the right class. For one-hot targets.

    One number for all samples, as Keras 2.2 has it; a compiled model weights and masks each sample, as Keras 2.3 does.
    """
    return K.mean(top_k_of_samples(y_true, y_pred, k))


@registry.register
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """`top_k_categorical_accuracy` for targets that are numbers of classes."""
    return K.mean(sparse_top_k_of_samples(y_true, y_pred, k))


_OF_SAMPLES: dict[Any, Callable[..., Any]] = {
    top_k_categorical_accuracy: top_k_of_samples,
    sparse_top_k_categorical_accuracy: sparse_top_k_of_samples,
}


def of_samples(metric: Callable[..., Any]) -> Callable[..., Any]:
    """The function that gives each sample's part of a metric that is one number for a batch; others as they are."""
    return next((each for whole, each in _OF_SAMPLES.items() if whole is metric), metric)


@registry.register
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between targets and predictions: 1 where they have one direction.

    As a loss it has a minus, and so has the metric `cosine_proximity`.
    """
    return -cosine_proximity(y_true, y_pred, axis)


def serialize(metric: Any) -> Any:
    """The name of a metric function."""
    return registry.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of that name."""
    return registry.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """The metric meant by a name, a config, or the function itself.

    Raises:
        ValueError: for an unknown name or something that cannot be called.
    """
    return registry.get(identifier)
