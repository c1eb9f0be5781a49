"""`tf.losses`: means of losses, each of which joins the collection of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import operators
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph, _missing, nn
from kjax.compat.tensorflow._graph import GraphKeys, node
from kjax.compat.tensorflow.math import add_n


def _weighted_mean(values: Any, weights: Any, scope: str | None) -> Any:
    """The sum of weighted losses, divided by the number of those whose weight is not 0."""

    def mean(values: Any, weights: Any) -> Any:
        weights = jnp.asarray(array(weights), values.dtype)
        weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
        counted = jnp.sum(jnp.broadcast_to(weights != 0, values.shape).astype(values.dtype))
        return jnp.sum(operators.multiply(values, weights)) / jnp.maximum(counted, 1)

    result = node(scope or "loss", mean, values, weights)
    _graph.add_to_collection(GraphKeys.LOSSES, result)
    return result


def _elementwise(name: str, function: Callable[[Any, Any], Any], doc: str) -> Callable[..., Any]:
    def loss(labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, **_: Any) -> Any:
        values = node(name, lambda y, p: function(jnp.asarray(array(y), p.dtype), array(p)), labels, predictions)
        return _weighted_mean(values, weights, scope or name)

    loss.__name__ = loss.__qualname__ = name
    loss.__doc__ = doc
    return loss


def _log_loss(y: Any, p: Any) -> Any:
    return -operators.multiply(y, jnp.log(p + 1e-7)) - operators.multiply(1 - y, jnp.log(1 - p + 1e-7))


def _huber(y: Any, p: Any) -> Any:
    size = jnp.abs(operators.subtract(p, y))
    near = jnp.minimum(size, 1.0)
    return 0.5 * jnp.square(near) + (size - near)


mean_squared_error = _elementwise(
    "mean_squared_error", lambda y, p: jnp.square(operators.subtract(p, y)), "Mean of squared differences."
)
absolute_difference = _elementwise(
    "absolute_difference", lambda y, p: jnp.abs(operators.subtract(p, y)), "Mean of sizes of differences."
)
log_loss = _elementwise("log_loss", _log_loss, "Mean cross entropy of probabilities of truth.")
huber_loss = _elementwise("huber_loss", _huber, "Squared up to a difference of 1, straight beyond.")


hinge_loss = _elementwise(
    "hinge_loss", lambda y, x: jax.nn.relu(1 - (2 * y - 1) * x), "`max(0, 1 - y * x)`, with labels 0 and 1 as -1 and 1."
)


def cosine_distance(
    labels: Any, predictions: Any, axis: Any = None, weights: Any = 1.0, scope: str | None = None, dim: Any = None,
    **_: Any,
) -> Any:  # fmt: skip
    """One minus the product of vectors of length 1, along an axis."""
    place = dim if axis is None else axis

    def distance(y: Any, p: Any) -> Any:
        return 1 - jnp.sum(array(y) * array(p), place, keepdims=True)

    return _weighted_mean(node("cosine_distance", distance, labels, predictions), weights, scope or "cosine_distance")


def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None, **_: Any
) -> Any:
    """Mean softmax cross entropy; labels are moved towards even ones by `label_smoothing`."""
    if label_smoothing:
        classes = logits.shape[-1]
        onehot_labels = onehot_labels * (1 - label_smoothing) + label_smoothing / classes
    values = nn.softmax_cross_entropy_with_logits(labels=onehot_labels, logits=logits)
    return _weighted_mean(values, weights, scope or "softmax_cross_entropy_loss")


def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None, **_: Any
) -> Any:
    """Mean softmax cross entropy, for numbers of classes."""
    values = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return _weighted_mean(values, weights, scope or "sparse_softmax_cross_entropy_loss")


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    **_: Any,
) -> Any:
    """Mean sigmoid cross entropy."""
    if label_smoothing:
        multi_class_labels = multi_class_labels * (1 - label_smoothing) + 0.5 * label_smoothing
    values = nn.sigmoid_cross_entropy_with_logits(labels=multi_class_labels, logits=logits)
    return _weighted_mean(values, weights, scope or "sigmoid_cross_entropy_loss")


def add_loss(loss: Any, loss_collection: str = GraphKeys.LOSSES) -> None:
    """Add to the collection of losses."""
    _graph.add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """The losses so far."""
    return _graph.get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """What regularizers of variables add."""
    return _graph.get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str | None = None) -> Any:
    """Their sum."""
    found = get_regularization_losses(scope)
    return add_n(found, name or "total_regularization_loss") if found else node("zero", lambda: jnp.zeros(()))


def get_total_loss(add_regularization_losses: bool = True, name: str | None = None, scope: str | None = None) -> Any:
    """The sum of all losses."""
    extra = get_regularization_losses(scope) if add_regularization_losses else []
    return add_n([*get_losses(scope), *extra], name or "total_loss")


__all__ = [
    "absolute_difference", "add_loss", "cosine_distance", "get_losses", "get_regularization_loss",
    "get_regularization_losses", "get_total_loss", "hinge_loss", "huber_loss", "log_loss", "mean_squared_error",
    "sigmoid_cross_entropy", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.losses", __all__, beside="kjax.losses")  # TensorFlow 2 has Keras's here
