"""Activations, dropout, biases and normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import operators
from kjax.backend._channels import spread
from kjax.backend._ops import array, axes, float_array, op
from kjax.backend._state import normalize_data_format
from kjax.backend.math import clip, maximum
from kjax.backend.random import draw_key


@op
def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """Rectified linear unit: `x` from `threshold` up to `max_value`, `alpha * (x - threshold)` below.

    Arguments:
        x: tensor.
        alpha: slope below the threshold.
        max_value: upper limit; None for none.
        threshold: value below which the slope is `alpha`.
    """
    x = float_array(x)
    plain = isinstance(threshold, (int, float)) and threshold == 0
    below = x <= threshold
    positive = jax.nn.relu(x) if plain else jnp.where(below, 0, x)
    if max_value is not None:
        positive = clip(positive, 0.0, max_value)
    if isinstance(alpha, (int, float)) and alpha == 0:
        return positive
    return jnp.where(below, operators.multiply(alpha, operators.subtract(x, threshold)), positive)


@op
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Exponential linear unit: `x` above 0, `alpha * (exp(x) - 1)` below.

    Reference: Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential
    Linear Units", 2015, https://arxiv.org/abs/1511.07289
    """
    x = float_array(x)
    return jnp.where(x > 0, x, operators.multiply(alpha, jnp.expm1(jnp.where(x > 0, 0, x))))


@op
def softmax(x: Any, axis: int = -1) -> Any:
    """`exp(x) / sum(exp(x))` along an axis."""
    return jax.nn.softmax(float_array(x), axis)


@op
def softplus(x: Any) -> Any:
    """`log(exp(x) + 1)`."""
    return jax.nn.softplus(float_array(x))


@op
def softsign(x: Any) -> Any:
    """`x / (abs(x) + 1)`."""
    x = float_array(x)
    return x / (jnp.abs(x) + 1)


@op
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return jax.nn.sigmoid(float_array(x))


@op
def hard_sigmoid(x: Any) -> Any:
    """`0.2 * x + 0.5`, between 0 and 1."""
    return clip(float_array(x) * 0.2 + 0.5, 0.0, 1.0)


@op
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return jnp.tanh(float_array(x))


@op
def dropout(x: Any, level: Any, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Set elements to 0 at random and scale the others up, so that the expected sum stays.

    Arguments:
        x: tensor.
        level: fraction of elements to drop, from 0 to 1 (1 excluded).
        noise_shape: shape of the random choice, broadcast to that of `x`; None in it is the length that `x`
            has. The shape of `x` if None.
        seed: mixed into the random key of the run; None for the key alone.

    Raises:
        ValueError: if `level` is less than 0, or not less than 1.
    """
    x = float_array(x)
    if isinstance(level, (int, float)) and not 0 <= level < 1:
        raise ValueError(f"`level` is a fraction from 0 to 1 (1 excluded), but it is {level}.")
    if isinstance(level, (int, float)) and level == 0:
        return x
    if noise_shape is None:
        noise_shape = x.shape
    shape = tuple(length if n is None else int(n) for n, length in zip(noise_shape, x.shape, strict=True))
    keep = 1.0 - level if isinstance(level, (int, float)) else 1.0 - array(level).astype(x.dtype)
    kept = _chosen(draw_key(seed), shape, keep)
    return jnp.where(jnp.broadcast_to(kept, x.shape), x / keep, 0)


def _chosen(key: Any, shape: tuple[int, ...], share: Any) -> Any:
    """True with probability `share`, (shape).

    A known share is rounded to a multiple of 2^-16: two choices then take one random number, and half the time.
    """
    limit = round(share * 65536) if isinstance(share, float) else 65536
    if limit == 65536 or not shape:
        return jax.random.uniform(key, shape, jnp.float32) < jnp.asarray(share, jnp.float32)
    bits = jax.random.bits(key, (-(-shape[0] // 2), *shape[1:]), jnp.uint32)
    halves = (bits & jnp.uint32(0xFFFF), bits >> jnp.uint32(16))
    return jnp.concatenate([half < jnp.uint32(limit) for half in halves])[: shape[0]]


@op
def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`x / sqrt(max(sum(x ** 2), 1e-12))` along an axis or axes; all if None."""
    x = float_array(x)
    return x * jax.lax.rsqrt(maximum(jnp.sum(jnp.square(x), axes(axis), keepdims=True), 1e-12))


@op
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether fewer than `k` classes are predicted above the right one.

    Arguments:
        predictions: scores `(samples, classes)`.
        targets: the right class of each sample, `(samples,)`.
        k: number of classes.
    """
    predictions, targets = array(predictions), array(targets).astype("int32")
    right = jnp.take_along_axis(predictions, targets[:, None], axis=1)
    return (jnp.sum(predictions > right, axis=1) < k) & jnp.isfinite(right[:, 0])


@op
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """Add a bias to each sample.

    Arguments:
        x: tensor with the batch as its first axis.
        bias: one number a channel; or a tensor of the shape of a sample with channels last. With channels first, its
            numbers are taken in the order in which they lie.
        data_format: where `x` has its channels; `K.image_data_format()` if None.

    Raises:
        ValueError: for an unknown format, or if the bias has another number of axes.
    """
    data_format = normalize_data_format(data_format)
    x, bias = array(x), array(bias)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(f"Unexpected bias dimensions {bias.ndim}, expect to be 1 or {x.ndim - 1} dimensions.")
    if data_format == "channels_first" and x.ndim > 2:
        if bias.ndim == 1:
            bias = bias.reshape((1, -1) + (1,) * (x.ndim - 2))
        else:  # as Keras 2 reads it, whose weights in files mean this
            bias = bias.reshape(bias.shape[-1:] + bias.shape[:-1])
    elif bias.ndim == 1 and x.ndim > 2 and bias.dtype == x.dtype:
        bias = spread(bias, x.shape)
    return operators.add(x, bias)


@op
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """Normalize by the mean and the variance of the batch itself.

    Arguments:
        x: tensor.
        gamma: scale, one number a channel; None for 1.
        beta: offset, one number a channel; None for 0.
        reduction_axes: the axes over which mean and variance are taken.
        epsilon: added to the variance.

    Returns:
        The normalized tensor, the mean and the variance.
    """
    x = float_array(x)
    reduced = tuple(a % x.ndim for a in reduction_axes)
    mean = jnp.mean(x, reduced, keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), reduced, keepdims=True)
    gamma, beta = (p if p is None else jnp.reshape(array(p), mean.shape) for p in (gamma, beta))
    normed = batch_normalization(x, mean, variance, beta, gamma, epsilon=epsilon)
    return normed, jnp.squeeze(mean, reduced), jnp.squeeze(variance, reduced)


@op
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`gamma * (x - mean) / sqrt(var + epsilon) + beta`.

    Arguments:
        x: tensor.
        mean, var, beta, gamma: one number a channel, or tensors that broadcast to `x`; None for a `beta` of 0
            and a `gamma` of 1.
        axis: the axis of the channels, for those with one number a channel.
        epsilon: added to the variance.
    """
    x = float_array(x)
    axis %= x.ndim

    def aligned(parameter: Any) -> Any:
        parameter = array(parameter).astype(x.dtype)
        if parameter.ndim == 1 and x.ndim > 1:
            return parameter.reshape((1,) * axis + (-1,) + (1,) * (x.ndim - axis - 1))
        return parameter.reshape((1,) * (x.ndim - parameter.ndim) + parameter.shape)

    scale = jax.lax.rsqrt(aligned(var) + epsilon)
    if gamma is not None:
        scale = scale * aligned(gamma)
    normed = (x - aligned(mean)) * scale
    return normed if beta is None else normed + aligned(beta)
