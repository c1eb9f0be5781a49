"""Scores of a batch: targets as predictions need them, and the means of what losses and metrics give."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from kjax import metrics as metrics_module
from kjax._core import config, graph, held, operators, scope
from kjax._core.graph import Variable
from kjax._core.scope import NeedsGraph
from kjax.backend._ops import array


def log_dtype() -> Any:
    """The type in which losses are summed and logged."""
    return jnp.float64 if config.floatx() == "float64" else jnp.float32


def scalar(value: Any) -> Any:
    """The mean of what a loss or a metric gave, in the type of the logs."""
    return jnp.mean(_as_array(value)).astype(log_dtype())


def _as_array(value: Any) -> Any:
    """What a loss or metric of a user returned: a plain number, a variable, or a tensor of the model."""
    return array(graph.apply(lambda x: x, value))


def as_target(target: Any, prediction: Any) -> Any:
    """A target as the predictions' float type; class numbers stay exact in float32 up to 16 million."""
    floats = jnp.issubdtype(prediction.dtype, jnp.floating)
    return jnp.asarray(target, prediction.dtype if floats else jnp.float32)


def called(function: Any, target: Any, prediction: Any) -> Any:
    """What a loss or a metric gives. One that differentiates by tensors of the model runs on tensors itself."""
    try:
        return held.called(function, target, prediction)
    except NeedsGraph:
        opened = scope.current()
        values = None if opened is None else opened.captured
        predicted = values.tensor_of(prediction) if isinstance(values, graph.Values) else None
        if predicted is None or not isinstance(values, graph.Values):
            raise
        told = graph.Tensor(target.shape, target.dtype, "target")
        values.values[told] = target
        with scope.suspended():
            score = function(told, predicted)
        return values(score)


def told(tensor: Any) -> Any:
    """The value of a target that is a tensor or variable, when a batch is scored."""
    opened = scope.current()
    if isinstance(tensor, Variable) or opened is None or opened.captured is None:
        return _as_array(tensor)
    return opened.captured(tensor)


def measure(metric: Any, target: Any, prediction: Any, weight: Any, mask: Any) -> Any:
    """Count a batch in to a metric that has a state, and give the measure so far."""
    # It is no part of the loss: nothing is differentiated.
    prediction = jax.lax.stop_gradient(prediction)
    if not isinstance(metric, metrics_module.Metric):  # a stateful layer of Keras 2.2
        return jax.lax.stop_gradient(weighted_mean(metric(target, prediction), weight, mask))
    if mask is not None:
        shares = jnp.asarray(mask, prediction.dtype)
        weight = shares if weight is None else operators.multiply(shares, _spread(weight, shares))
    metric.update_state(target, prediction, **({} if weight is None else {"sample_weight": weight}))
    return metric.result()


def _spread(weight: Any, like: Any) -> Any:
    weight = jnp.asarray(weight, like.dtype)
    return weight.reshape(weight.shape + (1,) * (like.ndim - weight.ndim))


class NotApart(Exception):
    """A loss or a metric gave one number for a batch where each sample's was needed."""


def weighted_mean(score: Any, weight: Any, mask: Any, live: Any = None) -> Any:
    """The mean of a batch's scores as Keras 2.2 takes it.

    A mask removes scores and divides by its mean; weights multiply and divide by the share that is not zero. Where
    nothing counts the mean is 0, as of Keras 2.3.

    Arguments:
        score: scores, (batch, ...); a scalar passes unchanged.
        weight: None, or (batch,) or (batch, time).
        mask: None, or a shape that broadcasts to the scores.
        live: how many samples count, from the first on; None for all.
    """
    score = _as_array(score)
    if live is not None and not score.ndim:
        raise NotApart
    if mask is not None:
        shares = jnp.asarray(mask, score.dtype)
        score = operators.multiply(score, shares) / _share(shares, live)
    if weight is not None:
        weight = jnp.asarray(weight, score.dtype)
        score = jnp.mean(score, axis=tuple(range(weight.ndim, score.ndim)))
        score = operators.multiply(score, weight) / _share(jnp.asarray(weight != 0, score.dtype), live)
    return _mean(score, live)


def _share(counting: Any, live: Any) -> Any:
    """The mean of ones and zeros, or 1 if all are zeros."""
    share = _mean(counting, live)
    return jnp.where(share == 0, jnp.ones_like(share), share)


def _mean(values: Any, live: Any) -> Any:
    """The mean over the first `live` samples, or over all."""
    if live is None:
        return jnp.mean(values)
    counts = jnp.arange(values.shape[0], dtype=jnp.int32) < live
    counts = counts.reshape(-1, *(1,) * (values.ndim - 1))
    total = jnp.sum(jnp.where(counts, values, jnp.zeros_like(values)))
    return total / jnp.asarray(jnp.maximum(live, 1) * math.prod(values.shape[1:]), values.dtype)
