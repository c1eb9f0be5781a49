"""Losses: functions of targets and predictions that give one number per sample, and the same as objects.

Each function reduces the last axis: predictions of shape (batch, n) give (batch,). Targets may be of any
type; they take the float type of the predictions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from kjax import backend as K
from kjax._core.graph import apply
from kjax._core.registry import Registry
from kjax._loss_objects import MEAN as _MEAN
from kjax._loss_objects import FunctionLoss as _FunctionLoss
from kjax._loss_objects import Loss as Loss
from kjax._loss_objects import LossFunctionWrapper as LossFunctionWrapper
from kjax._loss_objects import Reduction as Reduction
from kjax.backend._ops import array, float_array, signs

registry = Registry("loss function")


def _paired(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_true, y_pred = array(y_true), float_array(y_pred)
    if y_pred.shape == (*y_true.shape, 1) or y_true.shape == (*y_pred.shape, 1):
        y_true = y_true.reshape(y_pred.shape)
    return y_true.astype(y_pred.dtype), y_pred


def paired(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions in one float type. Targets (n,) of predictions (n, 1) get the last axis."""
    return apply(_paired, y_true, y_pred)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((y_pred - y_true) ** 2)`."""
    y_true, y_pred = paired(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(abs(y_pred - y_true))`."""
    y_true, y_pred = paired(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(abs(y_true - y_pred) / max(abs(y_true), epsilon))`."""
    y_true, y_pred = paired(y_true, y_pred)
    relative = K.abs((y_true - y_pred) / K.maximum(K.abs(y_true), K.epsilon()))
    return K.mean(relative, axis=-1) * 100.0


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_pred + 1) - log(y_true + 1)) ** 2)`, of values that are at least epsilon."""
    y_true, y_pred = (K.maximum(y, K.epsilon()) for y in paired(y_true, y_pred))
    return K.mean(K.square(K.log(y_pred + 1.0) - K.log(y_true + 1.0)), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0) ** 2)`, for targets of -1 and 1.

    Today's Keras turns targets of 0 and 1 into -1 and 1; here they stay what they are.
    """
    y_true, y_pred = paired(y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0))`, for targets of -1 and 1.

    Today's Keras turns targets of 0 and 1 into -1 and 1; here they stay what they are.
    """
    y_true, y_pred = paired(y_true, y_pred)
    return K.mean(K.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, 1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred))`, for one-hot targets."""
    y_true, y_pred = paired(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(wrong - right + 1.0, 0.0)


def logcosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))`: square for small errors, absolute value for large ones."""
    y_true, y_pred = paired(y_true, y_pred)
    error = y_pred - y_true
    # The same as log(cosh(error)), without its overflow.
    return K.mean(error + K.softplus(error * -2.0) - math.log(2.0), axis=-1)


def huber_loss(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean of `error ** 2 / 2` up to an error of `delta`, of `delta * (abs(error) - delta / 2)` beyond."""
    y_true, y_pred = paired(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    inner = K.minimum(error, delta)
    return K.mean(K.square(inner) * 0.5 + (error - inner) * delta, axis=-1)


def _spread(y_true: Any, share: float) -> Any:
    return y_true * (1.0 - share) + share / y_true.shape[-1]


def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    """`-sum(y_true * log(y_pred))`, for targets that are one-hot or probabilities.

    Arguments:
        y_true: targets, of the shape of the predictions.
        y_pred: predictions; they are divided by their sum and kept off 0 and 1 by epsilon.
        from_logits: whether the predictions are scores before a softmax.
        label_smoothing: part `s` of the targets that is spread evenly: `y_true * (1 - s) + s / classes`.
    """
    y_true, y_pred = paired(y_true, y_pred)
    if label_smoothing:
        y_true = apply(_spread, y_true, label_smoothing)
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """`-log(y_pred[y_true])`, for targets that are numbers of classes, from 0 on.

    Arguments:
        y_true: targets, of the shape of the predictions without the axis of the classes, or with 1 there.
        y_pred: predictions; they are kept off 0 and 1 by epsilon and divided by their sum.
        from_logits: whether the predictions are scores before a softmax.
        axis: the axis of the classes.
    """
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    """`mean(-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred))`, for targets of 0 and 1.

    Arguments:
        y_true: targets, of the shape of the predictions.
        y_pred: predictions; they are kept off 0 and 1 by epsilon.
        from_logits: whether the predictions are scores before a sigmoid.
        label_smoothing: part `s` of the targets that becomes 1/2: `y_true * (1 - s) + s / 2`.
    """
    y_true, y_pred = paired(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=-1)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The mean of `K.binary_focal_crossentropy`; `label_smoothing` as for `binary_crossentropy`."""
    y_true, y_pred = paired(y_true, y_pred)
    y_true = y_true * (1.0 - label_smoothing) + label_smoothing / 2
    return K.mean(K.binary_focal_crossentropy(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits), axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`K.categorical_focal_crossentropy`; `label_smoothing` as for `categorical_crossentropy`."""
    y_true, y_pred = paired(y_true, y_pred)
    if label_smoothing:
        y_true = apply(_spread, y_true, label_smoothing)
    return K.categorical_focal_crossentropy(y_true, y_pred, alpha, gamma, from_logits, axis)


def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true * log(y_true / y_pred))`, of values that are kept between epsilon and 1."""
    y_true, y_pred = (K.clip(y, K.epsilon(), 1.0) for y in paired(y_true, y_pred))
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred + epsilon))`, for counts and predicted rates."""
    y_true, y_pred = paired(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between targets and predictions, with a minus: -1 where they have one direction."""
    y_true, y_pred = (K.l2_normalize(y, axis=axis) for y in paired(y_true, y_pred))
    return -K.sum(y_true * y_pred, axis=axis)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The name of `cosine_proximity` since Keras 2.3."""
    return cosine_proximity(y_true, y_pred, axis)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
cosine = cosine_proximity
huber, log_cosh = huber_loss, logcosh


class MeanSquaredError(_FunctionLoss, function=mean_squared_error):
    """`mean_squared_error` as an object. Arguments: those of `Loss`."""


class MeanAbsoluteError(_FunctionLoss, function=mean_absolute_error):
    """`mean_absolute_error` as an object. Arguments: those of `Loss`."""


class MeanAbsolutePercentageError(_FunctionLoss, function=mean_absolute_percentage_error):
    """`mean_absolute_percentage_error` as an object. Arguments: those of `Loss`."""


class MeanSquaredLogarithmicError(_FunctionLoss, function=mean_squared_logarithmic_error):
    """`mean_squared_logarithmic_error` as an object. Arguments: those of `Loss`."""


def signed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of targets -1 and 1 that takes 0 for -1 where all targets are 0 or 1, as classes of Keras 2.3 do."""
    return lambda y_true, y_pred: function(apply(signs, y_true), y_pred)


class Hinge(_FunctionLoss, function=signed(hinge)):
    """`hinge` as an object; targets may be 0 and 1. Arguments: those of `Loss`."""


class SquaredHinge(_FunctionLoss, function=signed(squared_hinge)):
    """`squared_hinge` as an object; targets may be 0 and 1. Arguments: those of `Loss`."""


class CategoricalHinge(_FunctionLoss, function=categorical_hinge):
    """`categorical_hinge` as an object. Arguments: those of `Loss`."""


class LogCosh(_FunctionLoss, function=logcosh):
    """`logcosh` as an object. Arguments: those of `Loss`."""


class KLDivergence(_FunctionLoss, function=kullback_leibler_divergence):
    """`kullback_leibler_divergence` as an object. Arguments: those of `Loss`."""


class Poisson(_FunctionLoss, function=poisson):
    """`poisson` as an object. Arguments: those of `Loss`."""


class BinaryCrossentropy(_FunctionLoss, function=binary_crossentropy):
    """`binary_crossentropy` as an object. Arguments: those of the function and of `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = _MEAN,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name, from_logits=from_logits, label_smoothing=label_smoothing)


class BinaryFocalCrossentropy(_FunctionLoss, function=binary_focal_crossentropy):
    """`binary_focal_crossentropy` as an object. Arguments: those of the function and of `Loss`."""

    def __init__(
        self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, **more: Any
    ) -> None:
        reduction, name = more.pop("reduction", _MEAN), more.pop("name", None)
        super().__init__(reduction, name, apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma, **more)


class CategoricalFocalCrossentropy(_FunctionLoss, function=categorical_focal_crossentropy):
    """`categorical_focal_crossentropy` as an object. Arguments: those of the function and of `Loss`."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, **more: Any) -> None:
        super().__init__(more.pop("reduction", _MEAN), more.pop("name", None), alpha=alpha, gamma=gamma, **more)


class CategoricalCrossentropy(_FunctionLoss, function=categorical_crossentropy):
    """`categorical_crossentropy` as an object. Arguments: those of the function and of `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = _MEAN,
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name, from_logits=from_logits, label_smoothing=label_smoothing)


class SparseCategoricalCrossentropy(_FunctionLoss, function=sparse_categorical_crossentropy):
    """`sparse_categorical_crossentropy` as an object. Arguments: `from_logits`, and those of `Loss`."""

    def __init__(self, from_logits: bool = False, reduction: str = _MEAN, name: str | None = None) -> None:
        super().__init__(reduction, name, from_logits=from_logits)


class Huber(_FunctionLoss, function=huber_loss):
    """`huber_loss` as an object. Arguments: `delta`, and those of `Loss`."""

    def __init__(self, delta: float = 1.0, reduction: str = _MEAN, name: str | None = None) -> None:
        super().__init__(reduction, name, delta=delta)


class CosineSimilarity(_FunctionLoss, function=cosine_similarity):
    """`cosine_similarity` as an object. Arguments: `axis`, and those of `Loss`."""

    def __init__(self, axis: int = -1, reduction: str = _MEAN, name: str | None = None) -> None:
        super().__init__(reduction, name, axis=axis)


_ALIASES: dict[Callable[..., Any], tuple[str, ...]] = {
    mean_squared_error: ("mse", "MSE"),
    mean_absolute_error: ("mae", "MAE"),
    mean_absolute_percentage_error: ("mape", "MAPE"),
    mean_squared_logarithmic_error: ("msle", "MSLE"),
    squared_hinge: (),
    hinge: (),
    categorical_hinge: (),
    logcosh: ("log_cosh",),
    huber_loss: ("huber",),
    categorical_crossentropy: (),
    sparse_categorical_crossentropy: (),
    binary_crossentropy: (),
    binary_focal_crossentropy: (),
    categorical_focal_crossentropy: (),
    kullback_leibler_divergence: ("kld", "KLD", "kl_divergence"),
    poisson: (),
    cosine_proximity: ("cosine",),
    cosine_similarity: (),
}
for _function, _names in _ALIASES.items():
    registry.register(_function, *_names)
for _class in _FunctionLoss.__subclasses__():
    registry.register(_class)


def serialize(loss: Any) -> Any:
    """The name of a loss function, or the config of a loss object."""
    return registry.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that `serialize` described."""
    return registry.deserialize(name, custom_objects)


def get(identifier: Any) -> Any:
    """The loss meant by None (none), a name, a config, a class, or the function or object itself.

    Raises:
        ValueError: for an unknown name or something that cannot be called.
    """
    return registry.get(identifier)
