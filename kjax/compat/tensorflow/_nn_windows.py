"""More of `tf.nn`: convolutions and poolings beside `conv2d`, and norms of neighbours."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax.backend import convolution as kernels
from kjax.backend import pooling
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import nn
from kjax.compat.tensorflow._arguments import static
from kjax.compat.tensorflow._graph import node


def _format(data_format: str | None) -> str:
    return "channels_first" if (data_format or "N").startswith("NC") else "channels_last"


def _sizes(numbers: Any, count: int, data_format: str | None) -> tuple[int, ...]:
    """The sizes of a window that was given with the batch and the channels, or without."""
    numbers = static(numbers)
    if isinstance(numbers, int):
        return (numbers,) * count
    if len(numbers) == count + 2:
        return tuple(numbers[2:] if _format(data_format) == "channels_first" else numbers[1:-1])
    return tuple(numbers) * (count if len(numbers) == 1 else 1)


def conv1d(
    value: Any = None, filters: Any = None, stride: Any = 1, padding: str = "SAME", use_cudnn_on_gpu: Any = None,
    data_format: str | None = None, name: str | None = None, input: Any = None,
) -> Any:  # fmt: skip
    """Convolution of `(samples, steps, channels)` with kernels `(taps, channels, filters)`."""
    step = _sizes(stride, 1, data_format)

    def convolved(x: Any, kernel: Any) -> Any:
        return kernels.conv1d(float_array(x), float_array(kernel), step, padding.lower(), _format(data_format))

    return node("conv1d", convolved, input if value is None else value, filters, name=name)


def conv3d(
    input: Any, filter: Any = None, strides: Any = (1, 1, 1, 1, 1), padding: str = "SAME",
    data_format: str | None = None, dilations: Any = (1, 1, 1, 1, 1), name: str | None = None, filters: Any = None,
) -> Any:  # fmt: skip
    """Convolution of volumes with kernels `(depth, rows, columns, channels, filters)`."""
    steps, apart = _sizes(strides, 3, data_format), _sizes(dilations, 3, data_format)

    def convolved(x: Any, kernel: Any) -> Any:
        return kernels.conv3d(float_array(x), float_array(kernel), steps, padding.lower(), _format(data_format), apart)

    return node("Conv3D", convolved, input, filters if filter is None else filter, name=name)


def conv3d_transpose(
    value: Any, filter: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """The transpose of a convolution of volumes."""
    steps = _sizes(strides, 3, data_format)

    def convolved(x: Any, kernel: Any, shape: Any) -> Any:
        return kernels.conv3d_transpose(
            float_array(x), float_array(kernel), tuple(shape), steps, padding.lower(), _format(data_format)
        )

    return node("conv3d_transpose", convolved, value, filter, output_shape, name=name)


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Any:
    """`conv2d` whose kernels have taps `rate` cells apart."""
    return nn.conv2d(value, filters, 1, padding, dilations=rate, name=name or "atrous_conv2d")


def convolution(
    input: Any, filter: Any, padding: str, strides: Any = None, dilation_rate: Any = None, name: str | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """A convolution along as many axes as the kernel has."""
    count = len(filter.shape) - 2
    steps, apart = _sizes(strides or 1, count, None), _sizes(dilation_rate or 1, count, None)
    call = {1: kernels.conv1d, 2: kernels.conv2d, 3: kernels.conv3d}[count]

    def convolved(x: Any, kernel: Any) -> Any:
        return call(float_array(x), float_array(kernel), steps, padding.lower(), _format(data_format), apart)

    return node("convolution", convolved, input, filter, name=name)


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: str, rate: Any = None, name: str | None = None,
    data_format: str | None = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """Convolution of each channel with its own kernels `(rows, columns, channels, multiplier)`."""
    steps, apart = _sizes(strides, 2, data_format), _sizes(rate or dilations or 1, 2, data_format)

    def convolved(x: Any, kernel: Any) -> Any:
        return kernels.depthwise_conv2d(
            float_array(x), float_array(kernel), steps, padding.lower(), _format(data_format), apart
        )

    return node("depthwise", convolved, input, filter, name=name)


depthwise_conv2d_native = depthwise_conv2d


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: str, rate: Any = None,
    name: str | None = None, data_format: str | None = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """`depthwise_conv2d`, then a matrix product over the channels."""
    steps, apart = _sizes(strides, 2, data_format), _sizes(rate or dilations or 1, 2, data_format)

    def convolved(x: Any, depthwise: Any, pointwise: Any) -> Any:
        return kernels.separable_conv2d(
            float_array(x), float_array(depthwise), float_array(pointwise), steps, padding.lower(),
            _format(data_format), apart,
        )  # fmt: skip

    return node("separable_conv2d", convolved, input, depthwise_filter, pointwise_filter, name=name)


def pool(
    input: Any, window_shape: Any, pooling_type: str, padding: str, dilation_rate: Any = None, strides: Any = None,
    name: str | None = None, data_format: str | None = None,
) -> Any:  # fmt: skip
    """The largest number (`'MAX'`) or the mean (`'AVG'`) of each window, along two or three axes."""
    mode, count = pooling_type.lower(), len(input.shape) - 2
    window, steps = _sizes(window_shape, count, None), _sizes(strides or 1, count, None)
    call = {2: pooling.pool2d, 3: pooling.pool3d}[count]

    def pooled(x: Any) -> Any:
        return call(float_array(x), window, steps, padding.lower(), _format(data_format), mode)

    return node("pool", pooled, input, name=name)


def _pool3d(mode: str, x: Any, sizes: Any, strides: Any, padding: str, data_format: Any, name: Any) -> Any:
    window, steps = _sizes(sizes, 3, data_format), _sizes(strides, 3, data_format)

    def pooled(x: Any) -> Any:
        return pooling.pool3d(float_array(x), window, steps, padding.lower(), _format(data_format), mode)

    return node("MaxPool3D" if mode == "max" else "AvgPool3D", pooled, x, name=name)


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Any:
    """The largest number of each window of volumes."""
    return _pool3d("max", input, ksize, strides, padding, data_format, name)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Any:
    """The mean of each window of volumes."""
    return _pool3d("avg", input, ksize, strides, padding, data_format, name)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5, name: str | None = None
) -> Any:
    """`x / (bias + alpha * sum of x ** 2 over the channels at most depth_radius away) ** beta`."""

    def normed(x: Any) -> Any:
        x = float_array(x)
        sides = [(0, 0)] * (x.ndim - 1) + [(depth_radius, depth_radius)]
        sums = jnp.cumsum(jnp.pad(jnp.square(x), [*sides[:-1], (depth_radius + 1, depth_radius)]), -1)
        width = 2 * depth_radius + 1
        return x / (bias + alpha * (sums[..., width:] - sums[..., :-width])) ** beta

    return node("LRN", normed, input, name=name)


lrn = local_response_normalization


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Any:
    """What is above 0, and beside it the size of what is below."""
    return node("CRelu", lambda x: jax.nn.relu(jnp.concatenate([array(x), -array(x)], axis)), features, name=name)


def swish(features: Any, name: str | None = None) -> Any:
    """`x * sigmoid(x)`."""
    return node("swish", lambda x: x * jax.nn.sigmoid(float_array(x)), features, name=name)


def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """`log(sigmoid(x))`, safe from overflow."""
    return node("LogSigmoid", lambda x: jax.nn.log_sigmoid(float_array(x)), x, name=name)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """`relu(x · weights + biases)`."""
    return nn.relu(nn.xw_plus_b(x, weights, biases), name=name)


def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The share of zeros."""
    return node("zero_fraction", lambda x: jnp.mean((array(x) == 0).astype("float32")), value, name=name)


def fused_batch_norm(
    x: Any, scale: Any, offset: Any, mean: Any = None, variance: Any = None, epsilon: float = 0.001,
    data_format: str = "NHWC", is_training: bool = True, name: str | None = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Normalized by the batch, or by what is given unless `is_training`; and the mean and variance that were used."""

    def normed(x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
        x = jnp.moveaxis(float_array(x), 1, -1) if data_format.startswith("NC") else float_array(x)
        told = mean, variance
        if is_training:
            axes = tuple(range(x.ndim - 1))
            mean, variance = jnp.mean(x, axes), jnp.var(x, axes)
            count = x.size // x.shape[-1]
            told = mean, variance * (count / max(count - 1, 1))  # what is averaged has Bessel's correction
        factor, shift = (array(v).reshape((1,) * (x.ndim - 1) + (-1,)) for v in (scale, offset))
        mean, variance = (array(v).reshape(factor.shape) for v in (mean, variance))
        y = (x - mean) * jax.lax.rsqrt(variance + epsilon) * factor + shift
        return (jnp.moveaxis(y, -1, 1) if data_format.startswith("NC") else y), *told

    return node("FusedBatchNorm", normed, x, scale, offset, mean, variance, name=name)


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, name: str | None = None, keep_dims: bool = False, keepdims: bool = False
) -> tuple[Any, Any]:
    """Mean and variance along axes, in which each number counts as often as its weight says."""
    which, kept = tuple(static(axes)), keep_dims or keepdims

    def moments(x: Any, weights: Any) -> Any:
        weights = jnp.broadcast_to(array(weights), x.shape).astype(x.dtype)
        total = jnp.sum(weights, which, keepdims=True)
        mean = jnp.sum(x * weights, which, keepdims=True) / total
        variance = jnp.sum(weights * jnp.square(x - mean), which, keepdims=True) / total
        return (mean, variance) if kept else (jnp.squeeze(mean, which), jnp.squeeze(variance, which))

    return node("weighted_moments", moments, x, frequency_weights, name=name)


__all__ = [
    "atrous_conv2d", "avg_pool3d", "conv1d", "conv3d", "conv3d_transpose", "convolution", "crelu", "depthwise_conv2d",
    "depthwise_conv2d_native", "fused_batch_norm", "local_response_normalization", "log_sigmoid", "lrn", "max_pool3d",
    "pool", "relu_layer", "separable_conv2d", "swish", "weighted_moments", "zero_fraction",
]  # fmt: skip
