"""More of `tf.layers`: convolutions and poolings along one axis or three, transposed and separable ones."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.backend import pooling
from kjax.backend._ops import float_array
from kjax.compat.tensorflow import _nn_windows, nn
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._init_values import (
    get_variable,
    given,
    glorot_uniform_initializer,
    variable_scope,
    zeros_initializer,
)
from kjax.compat.tensorflow.arrays import shape


def sizes(value: Any, count: int) -> list[int]:
    """One number for each axis."""
    return [value] * count if isinstance(value, int) else list(value)


def transposed_shape(inputs: Any, filters: int, kernel: Any, strides: Any, padding: str) -> list[Any]:
    """The shape of the images of a transposed convolution."""
    found = shape(inputs)
    sides = []
    for i, (window, step) in enumerate(zip(kernel, strides, strict=True), 1):
        length = inputs.shape[i] if inputs.shape[i] is not None else found[i]
        sides.append(length * step + (max(window - step, 0) if padding.upper() == "VALID" else 0))
    return [found[0], *sides, filters]


def _ended(
    result: Any, filters: int, use_bias: bool, first: Any, regularizer: Any, trainable: bool, activation: Any
) -> Any:
    if use_bias:
        bias = get_variable(
            "bias", [filters], initializer=first or zeros_initializer(), regularizer=regularizer, trainable=trainable
        )
        result = nn.bias_add(result, bias)
    return result if activation is None else activation(result)


def _convolution(count: int, doc: str) -> Any:
    apply = {1: _nn_windows.conv1d, 3: _nn_windows.conv3d}[count]

    def layer(
        inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str = "channels_last", dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = None, bias_initializer: Any = None, kernel_regularizer: Any = None,
        bias_regularizer: Any = None, trainable: bool = True, name: Any = None, reuse: Any = None, **_: Any,
    ) -> Any:  # fmt: skip
        with variable_scope(name, f"conv{count}d", reuse=reuse):
            kernel = get_variable(
                "kernel", [*sizes(kernel_size, count), inputs.shape[-1], filters], regularizer=kernel_regularizer,
                initializer=given(kernel_initializer, glorot_uniform_initializer()), trainable=trainable,
            )  # fmt: skip
            result = apply(inputs, kernel, sizes(strides, count), padding.upper())
            return _ended(result, filters, use_bias, bias_initializer, bias_regularizer, trainable, activation)

    layer.__name__ = layer.__qualname__ = f"conv{count}d"
    layer.__doc__ = doc
    return layer


conv1d = _convolution(1, "A convolution along time, with a bias and an activation.")
conv3d = _convolution(3, "A convolution of volumes, with a bias and an activation.")


def conv2d_transpose(
    inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str = "channels_last", activation: Any = None, use_bias: bool = True, kernel_initializer: Any = None,
    bias_initializer: Any = None, kernel_regularizer: Any = None, bias_regularizer: Any = None, trainable: bool = True,
    name: Any = None, reuse: Any = None, **_: Any,
) -> Any:  # fmt: skip
    """The transpose of a convolution of images, with a bias and an activation."""
    if data_format != "channels_last":
        raise NotImplementedError("tf.layers.conv2d_transpose takes images with their channels last here.")
    window, steps = sizes(kernel_size, 2), sizes(strides, 2)
    with variable_scope(name, "conv2d_transpose", reuse=reuse):
        kernel = get_variable(
            "kernel", [*window, filters, inputs.shape[-1]], regularizer=kernel_regularizer,
            initializer=given(kernel_initializer, glorot_uniform_initializer()), trainable=trainable,
        )  # fmt: skip
        wanted = transposed_shape(inputs, filters, window, steps, padding)
        result = nn.conv2d_transpose(inputs, kernel, wanted, steps, padding.upper())
        return _ended(result, filters, use_bias, bias_initializer, bias_regularizer, trainable, activation)


def separable_conv2d(
    inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str = "channels_last", dilation_rate: Any = (1, 1), depth_multiplier: int = 1, activation: Any = None,
    use_bias: bool = True, depthwise_initializer: Any = None, pointwise_initializer: Any = None,
    bias_initializer: Any = None, trainable: bool = True, name: Any = None, reuse: Any = None, **_: Any,
) -> Any:  # fmt: skip
    """A convolution of each channel, then a product over the channels, with a bias and an activation."""
    channels = inputs.shape[-1]
    with variable_scope(name, "separable_conv2d", reuse=reuse):
        deep = get_variable(
            "depthwise_kernel", [*sizes(kernel_size, 2), channels, depth_multiplier], trainable=trainable,
            initializer=given(depthwise_initializer, glorot_uniform_initializer()),
        )  # fmt: skip
        point = get_variable(
            "pointwise_kernel", [1, 1, channels * depth_multiplier, filters], trainable=trainable,
            initializer=given(pointwise_initializer, glorot_uniform_initializer()),
        )  # fmt: skip
        result = _nn_windows.separable_conv2d(
            inputs, deep, point, sizes(strides, 2), padding.upper(), sizes(dilation_rate, 2)
        )
        return _ended(result, filters, use_bias, bias_initializer, None, trainable, activation)


def _pooling1d(mode: str, doc: str) -> Any:
    def layer(
        inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
        name: str | None = None,
    ) -> Any:  # fmt: skip
        window, steps = (1, sizes(pool_size, 1)[0]), (1, sizes(strides, 1)[0])

        def pooled(x: Any) -> Any:
            return jnp.squeeze(
                pooling.pool2d(float_array(x)[:, None], window, steps, padding.lower(), "channels_last", mode), 1
            )

        return node("pool1d", pooled, inputs, name=name)

    layer.__name__ = layer.__qualname__ = {"max": "max_pooling1d", "avg": "average_pooling1d"}[mode]
    layer.__doc__ = doc
    return layer


max_pooling1d = _pooling1d("max", "The largest number of each window of time.")
average_pooling1d = _pooling1d("avg", "The mean of each window of time.")


def max_pooling3d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: Any = None,
) -> Any:
    """The largest number of each window of volumes."""
    return _nn_windows.max_pool3d(inputs, sizes(pool_size, 3), sizes(strides, 3), padding.upper(), None, name)


def average_pooling3d(
    inputs: Any,
    pool_size: Any,
    strides: Any,
    padding: str = "valid",
    data_format: str = "channels_last",
    name: Any = None,
) -> Any:
    """The mean of each window of volumes."""
    return _nn_windows.avg_pool3d(inputs, sizes(pool_size, 3), sizes(strides, 3), padding.upper(), None, name)


__all__ = [
    "average_pooling1d", "average_pooling3d", "conv1d", "conv2d_transpose", "conv3d", "max_pooling1d", "max_pooling3d",
    "separable_conv2d",
]  # fmt: skip
