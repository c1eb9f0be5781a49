"""`tf.layers`: layers as functions, whose variables come from `tf.get_variable`."""

from __future__ import annotations

import math
from typing import Any

from kjax.compat.tensorflow import _graph, _missing, nn
from kjax.compat.tensorflow._init_values import (
    get_variable,
    given,
    glorot_uniform_initializer,
    ones_initializer,
    variable_scope,
    zeros_initializer,
)
from kjax.compat.tensorflow._layer_objects import Layer, class_of
from kjax.compat.tensorflow._layer_windows import (
    average_pooling1d,
    average_pooling3d,
    conv1d,
    conv2d_transpose,
    conv3d,
    max_pooling1d,
    max_pooling3d,
    separable_conv2d,
    transposed_shape,
)
from kjax.compat.tensorflow._variables import assign
from kjax.compat.tensorflow.arrays import reshape
from kjax.compat.tensorflow.control import cond
from kjax.compat.tensorflow.math import tensordot
from kjax.utils import conv_utils as utils  # noqa: F401 - what `tensorflow.python.layers` has


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _weight(name: str, shape: Any, initializer: Any, regularizer: Any, trainable: bool, constraint: Any) -> Any:
    return get_variable(
        name, shape, initializer=initializer, regularizer=regularizer, trainable=trainable, constraint=constraint
    )


def dense(
    inputs: Any,
    units: int,
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = None,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """`activation(inputs @ kernel + bias)`, over the last axis."""
    with variable_scope(name, "dense", reuse=reuse):
        size = inputs.shape[-1]
        if size is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        first = given(kernel_initializer, glorot_uniform_initializer())
        kernel = _weight("kernel", [size, units], first, kernel_regularizer, trainable, kernel_constraint)
        if len(inputs.shape) == 2:
            result = _graph.node("MatMul", _product, inputs, kernel)
        else:
            result = tensordot(inputs, kernel, [[len(inputs.shape) - 1], [0]])
        if use_bias:
            start = given(bias_initializer, zeros_initializer())
            result = nn.bias_add(result, _weight("bias", [units], start, bias_regularizer, trainable, bias_constraint))
        return result if activation is None else activation(result)


def _product(x: Any, kernel: Any) -> Any:
    return x @ kernel


def conv2d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = None,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    kernel_constraint: Any = None,
    bias_constraint: Any = None,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
) -> Any:
    """A convolution of images, with a bias and an activation."""
    arrangement = "NCHW" if data_format == "channels_first" else "NHWC"
    with variable_scope(name, "conv2d", reuse=reuse):
        channels = inputs.shape[1 if arrangement == "NCHW" else -1]
        shape = [*_pair(kernel_size), channels, filters]
        first = given(kernel_initializer, glorot_uniform_initializer())
        kernel = _weight("kernel", shape, first, kernel_regularizer, trainable, kernel_constraint)
        result = nn.conv2d(
            inputs, kernel, _pair(strides), padding.upper(), data_format=arrangement, dilations=_pair(dilation_rate)
        )
        if use_bias:
            start = given(bias_initializer, zeros_initializer())
            bias = _weight("bias", [filters], start, bias_regularizer, trainable, bias_constraint)
            result = nn.bias_add(result, bias, arrangement)
        return result if activation is None else activation(result)


def _pooled(pool: Any, inputs: Any, sizes: Any, strides: Any, padding: str, data_format: str, name: Any) -> Any:
    arrangement = "NCHW" if data_format == "channels_first" else "NHWC"
    return pool(inputs, _pair(sizes), _pair(strides), padding.upper(), arrangement, name)


def max_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
    name: str | None = None,
) -> Any:  # fmt: skip
    """The largest number of each window."""
    return _pooled(nn.max_pool, inputs, pool_size, strides, padding, data_format, name)


def average_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
    name: str | None = None,
) -> Any:  # fmt: skip
    """The mean of each window."""
    return _pooled(nn.avg_pool, inputs, pool_size, strides, padding, data_format, name)


def flatten(inputs: Any, name: str | None = None) -> Any:
    """The numbers of each sample in one axis."""
    rest = inputs.shape[1:]
    return reshape(inputs, [-1, math.prod(rest)], name)


def dropout(
    inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """`tf.nn.dropout` while `training`, a truth value or a tensor, holds; else the inputs."""
    if isinstance(training, (bool, int)):
        return nn.dropout(inputs, noise_shape=noise_shape, seed=seed, name=name, rate=rate) if training else inputs
    return cond(training, lambda: nn.dropout(inputs, noise_shape=noise_shape, seed=seed, rate=rate), lambda: inputs)


def batch_normalization(
    inputs: Any,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = None,
    gamma_initializer: Any = None,
    moving_mean_initializer: Any = None,
    moving_variance_initializer: Any = None,
    training: Any = False,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
    **kwargs: Any,
) -> Any:
    """Normalized by the batch while `training`, else by moving averages.

    What brings the averages up to date is in the collection `UPDATE_OPS`, for `tf.control_dependencies`.
    """
    place = axis % len(inputs.shape)
    size = [inputs.shape[place]]
    with variable_scope(name, "batch_normalization", reuse=reuse):
        zero, one = zeros_initializer(), ones_initializer()
        first = given(gamma_initializer, one), given(beta_initializer, zero)
        gamma = get_variable("gamma", size, initializer=first[0], trainable=trainable) if scale else None
        beta = get_variable("beta", size, initializer=first[1], trainable=trainable) if center else None
        mean = get_variable("moving_mean", size, initializer=given(moving_mean_initializer, zero), trainable=False)
        variance = get_variable(
            "moving_variance", size, initializer=given(moving_variance_initializer, one), trainable=False
        )
        others = [i for i in range(len(inputs.shape)) if i != place]
        of_batch = nn.moments(inputs, others)
        if training is False:
            used: Any = (mean, variance)
        elif training is True:
            used = of_batch
        else:
            used = [
                cond(training, lambda a=a: a, lambda b=b: b + 0.0)
                for a, b in zip(of_batch, (mean, variance), strict=True)
            ]
        if training is not False:
            for average, now in ((mean, of_batch[0]), (variance, of_batch[1])):
                new = average * momentum + now * (1 - momentum)
                if training is not True:
                    new = cond(training, lambda new=new: new, lambda average=average: average + 0.0)
                _graph.add_to_collection(_graph.GraphKeys.UPDATE_OPS, assign(average, new))
        if place != len(inputs.shape) - 1:
            shape = [size[0] if i == place else 1 for i in range(len(inputs.shape))]
            used = [reshape(u, shape) for u in used]
            gamma, beta = (p if p is None else reshape(p, shape) for p in (gamma, beta))
        return nn.batch_normalization(inputs, used[0], used[1], beta, gamma, epsilon)


# Names of classes to functions.
_CLASSES = {
    "AveragePooling1D": average_pooling1d, "AveragePooling2D": average_pooling2d, "AveragePooling3D": average_pooling3d,
    "BatchNormalization": batch_normalization, "Conv1D": conv1d, "Conv2D": conv2d, "Conv2DTranspose": conv2d_transpose,
    "Conv3D": conv3d, "Dense": dense, "Dropout": dropout, "Flatten": flatten, "MaxPooling1D": max_pooling1d,
    "MaxPooling2D": max_pooling2d, "MaxPooling3D": max_pooling3d, "SeparableConv2D": separable_conv2d,
}  # fmt: skip
__all__ = [
    "average_pooling1d", "average_pooling2d", "average_pooling3d", "batch_normalization", "conv1d", "conv2d",
    "conv2d_transpose", "conv3d", "dense", "dropout", "flatten", "max_pooling1d", "max_pooling2d", "max_pooling3d",
    "separable_conv2d", "transposed_shape",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Layer":
        return Layer
    if name in _CLASSES:
        made = globals()[name] = class_of(name, _CLASSES[name])
        return made
    raise _missing.complaint("tensorflow.layers", name, [*__all__, *_CLASSES])
