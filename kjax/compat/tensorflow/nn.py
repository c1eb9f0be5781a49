"""`tf.nn`. The activations are kjax's own functions, so that `activation=tf.nn.relu` is saved as `'relu'`."""

from __future__ import annotations

import functools
import importlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import operators
from kjax.backend import convolution as kernels
from kjax.backend import pooling
from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _draws, _graph, _missing
from kjax.compat.tensorflow._arguments import axes, convert, either, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.arrays import gather

_ACTIVATIONS = ("elu", "relu", "selu", "sigmoid", "softplus", "softsign", "tanh")


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """`x`, or `alpha * x` where it is negative."""
    return node("LeakyRelu", lambda x: jnp.where(x > 0, x, alpha * x), features, name=name)


def relu6(features: Any, name: str | None = None) -> Any:
    """`x` between 0 and 6."""
    return node("Relu6", lambda x: jnp.clip(float_array(x), 0, 6), features, name=name)


def softmax(logits: Any, axis: int = -1, name: str | None = None, dim: int | None = None) -> Any:
    """`exp(x)` divided by its sum."""
    place = axis if dim is None else dim
    return node("Softmax", lambda x: jax.nn.softmax(float_array(x), place), logits, name=name)


def log_softmax(logits: Any, axis: int = -1, name: str | None = None, dim: int | None = None) -> Any:
    """`log(softmax(x))`, safe from overflow."""
    place = axis if dim is None else dim
    return node("LogSoftmax", lambda x: jax.nn.log_softmax(float_array(x), place), logits, name=name)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """`value + bias`, one number a channel."""

    def added(x: Any, b: Any) -> Any:
        if data_format and data_format.startswith("NC"):
            b = array(b).reshape((-1,) + (1,) * (x.ndim - 2))
        return operators.add(x, b)

    return node("BiasAdd", added, value, bias, name=name)


def l2_loss(t: Any, name: str | None = None) -> Any:
    """`sum(t ** 2) / 2`."""
    return node("L2Loss", lambda x: jnp.sum(jnp.square(array(x))) / 2, t, name=name)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Any:
    """`x / sqrt(max(sum(x ** 2), epsilon))` along axes."""
    which = axes(either(axis, dim))

    def normed(x: Any) -> Any:
        return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), which, keepdims=True), epsilon))

    return node("l2_normalize", normed, x, name=name)


def moments(
    x: Any, axes: Any, name: str | None = None, keep_dims: bool = False, keepdims: bool = False, **_: Any
) -> Any:
    """Mean and variance along axes."""
    which, kept = tuple(static(axes)), keep_dims or keepdims
    return node(
        "moments", lambda x: (jnp.mean(x, which, keepdims=kept), jnp.var(x, which, keepdims=kept)), x, name=name
    )


# -- losses ------------------------------------------------------------------------------------------------------------


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: Any = None,
) -> Any:
    """`-sum(labels * log(softmax(logits)))`. By position: `logits`, `labels`, as before TensorFlow 1.0."""
    if _sentinel is not None:
        logits, labels = (_sentinel, labels) if logits is None else (logits, _sentinel)
    place = dim if axis is None else axis

    def entropy(targets: Any, scores: Any) -> Any:
        log = jax.nn.log_softmax(float_array(scores), place)
        return -jnp.sum(operators.multiply(jnp.asarray(targets, log.dtype), log), place)

    return node("softmax_cross_entropy_with_logits", entropy, convert(labels), convert(logits), name=name)


softmax_cross_entropy_with_logits_v2 = softmax_cross_entropy_with_logits


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """Cross entropy for targets that are numbers of classes. By position: `logits`, `labels`."""
    if _sentinel is not None:
        logits, labels = (_sentinel, labels) if logits is None else (logits, _sentinel)

    def entropy(targets: Any, scores: Any) -> Any:
        log = jax.nn.log_softmax(float_array(scores))
        return -jnp.take_along_axis(log, array(targets).astype("int32")[..., None], axis=-1)[..., 0]

    return node("SparseSoftmaxCrossEntropyWithLogits", entropy, convert(labels), convert(logits), name=name)


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """`max(x, 0) - x * z + log(1 + exp(-|x|))`. By position: `logits`, `targets`."""
    if _sentinel is not None:
        logits, labels = (_sentinel, labels) if logits is None else (logits, _sentinel)
    return weighted_cross_entropy_with_logits(labels, logits, 1.0, name=name or "logistic_loss")


def weighted_cross_entropy_with_logits(
    targets: Any = None, logits: Any = None, pos_weight: Any = 1.0, name: str | None = None, labels: Any = None
) -> Any:
    """Sigmoid cross entropy in which positive targets count `pos_weight` times."""

    def entropy(z: Any, x: Any, weight: Any) -> Any:
        x = float_array(x)
        z, weight = jnp.asarray(z, x.dtype), jnp.asarray(weight, x.dtype)
        scale = 1 + operators.multiply(weight - 1, z)
        return operators.multiply(1 - z, x) + operators.multiply(scale, jax.nn.softplus(-x))

    return node("logistic_loss", entropy, convert(either(targets, labels)), convert(logits), pos_weight, name=name)


# -- dropout, convolution, pooling -------------------------------------------------------------------------------------


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Any:
    """Each number 0 with probability `rate` (1 - `keep_prob`), else divided by the probability of staying.

    Raises:
        ValueError: if neither probability is given.
    """
    if keep_prob is None and rate is None:
        raise ValueError("You must provide a rate to dropout.")
    for share in (keep_prob, rate):
        if isinstance(share, (int, float)) and not 0 <= share <= 1:
            raise ValueError(f"keep_prob must be a scalar tensor or a float in the range (0, 1], got {share:g}")
    kept = keep_prob if rate is None else (1 - rate)
    cells = None if noise_shape is None else static(noise_shape)

    def dropped(x: Any, share: Any) -> Any:
        x = float_array(x)
        shape = (
            x.shape
            if cells is None
            else tuple(n if d in (None, -1) else d for d, n in zip(cells, x.shape, strict=True))
        )
        share = jnp.asarray(share, x.dtype)
        chosen = jax.random.uniform(_draws.key_for(seed), shape, x.dtype) < share
        return jnp.where(jnp.broadcast_to(chosen, x.shape), x / share, jnp.zeros_like(x))

    return node("dropout", _graph.draws(dropped), x, kept, name=name)


def _format(data_format: str | None) -> str:
    return "channels_first" if (data_format or "NHWC").startswith("NC") else "channels_last"


def _window(sizes: Any, data_format: str | None) -> tuple[int, int]:
    """Rows and columns of a window that was given with the batch and the channels, or without."""
    numbers = static(sizes)
    if isinstance(numbers, int):
        return numbers, numbers
    if len(numbers) == 4:
        numbers = numbers[2:] if _format(data_format) == "channels_first" else numbers[1:3]
    return (numbers[0], numbers[-1])


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = (1, 1, 1, 1),
    padding: str = "SAME",
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """Convolution of images `(samples, rows, columns, channels)` with kernels `(rows, columns, channels, filters)`."""

    def convolved(x: Any, kernel: Any) -> Any:
        return kernels.conv2d(
            float_array(x), float_array(kernel), _window(strides, data_format), padding.lower(),
            _format(data_format), _window(dilations, data_format),
        )  # fmt: skip

    return node("Conv2D", convolved, input, either(filter, filters), name=name)


def conv2d_transpose(
    value: Any,
    filter: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """The transpose of a convolution: images of `output_shape` from kernels `(rows, columns, filters, channels)`."""

    def convolved(x: Any, kernel: Any, shape: Any) -> Any:
        return kernels.conv2d_transpose(
            float_array(x), float_array(kernel), tuple(shape), _window(strides, data_format), padding.lower(),
            _format(data_format),
        )  # fmt: skip

    return node("conv2d_transpose", convolved, value, filter, output_shape, name=name)


def _pool(mode: str, value: Any, ksize: Any, strides: Any, padding: str, data_format: str, name: str | None) -> Any:
    sizes, steps = _window(ksize, data_format), _window(strides, data_format)

    def pooled(x: Any) -> Any:
        return pooling.pool2d(float_array(x), sizes, steps, padding.lower(), _format(data_format), mode)

    return node("MaxPool" if mode == "max" else "AvgPool", pooled, value, name=name)


def max_pool(
    value: Any, ksize: Any = (1, 2, 2, 1), strides: Any = (1, 2, 2, 1), padding: str = "VALID",
    data_format: str = "NHWC", name: str | None = None,
) -> Any:  # fmt: skip
    """The largest number of each window."""
    return _pool("max", value, ksize, strides, padding, data_format, name)


def avg_pool(
    value: Any, ksize: Any = (1, 2, 2, 1), strides: Any = (1, 2, 2, 1), padding: str = "VALID",
    data_format: str = "NHWC", name: str | None = None,
) -> Any:  # fmt: skip
    """The mean of each window, without the cells that padding adds."""
    return _pool("avg", value, ksize, strides, padding, data_format, name)


def embedding_lookup(params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None, **_: Any) -> Any:
    """The rows of `params` with these numbers."""
    return gather(params, ids, name=name or "embedding_lookup")


def in_top_k(predictions: Any, targets: Any, k: int, name: str | None = None) -> Any:
    """Whether fewer than `k` classes have a higher score than the right one.

    TensorFlow 2 takes the classes first; that order is understood too.
    """
    predictions, targets = convert(predictions), convert(targets)
    if len(predictions.shape) < len(targets.shape):
        predictions, targets = targets, predictions

    def within(scores: Any, classes: Any) -> Any:
        right = jnp.take_along_axis(array(scores), array(classes)[:, None], axis=1)
        return jnp.sum(scores > right, axis=1) < k

    return node("InTopK", within, predictions, targets, name=name)


class TopKV2(NamedTuple):
    """What `top_k` returns."""

    values: Any
    indices: Any


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> Any:
    """The `k` largest numbers of the last axis, and their places."""
    return node("TopKV2", lambda x, k: TopKV2(*jax.lax.top_k(array(x), int(k))), input, k, name=name)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: str | None = None
) -> Any:
    """`scale * (x - mean) / sqrt(variance + variance_epsilon) + offset`; no scale or offset where that is None."""

    def normed(x: Any, mean: Any, variance: Any, offset: Any, scale: Any) -> Any:
        factor = jax.lax.rsqrt(array(variance) + variance_epsilon)
        factor = factor if scale is None else operators.multiply(factor, scale)
        result = operators.multiply(operators.subtract(x, mean), factor)
        return result if offset is None else operators.add(result, offset)

    return node("batchnorm", normed, x, mean, variance, offset, scale, name=name)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """`matmul(x, weights) + biases`."""
    return node("xw_plus_b", lambda x, w, b: operators.add(operators.matmul(x, w), b), x, weights, biases, name=name)


@functools.cache
def _activation(name: str) -> Any:
    """An activation of kjax's that also takes a name for its node. Saved by its own name, as the plain one is."""
    function = getattr(importlib.import_module("kjax.activations"), name)

    def call(features: Any, *args: Any, name: str | None = None, dim: int | None = None, **kwargs: Any) -> Any:
        if dim is not None:
            kwargs["axis"] = dim
        kwargs = {"axis" if key == "dim" else key: value for key, value in kwargs.items()}
        if name is None and isinstance(features, (jax.Array, np.ndarray)):
            return function(features, *args, **kwargs)
        return node(
            function.__name__.capitalize(), lambda x: function(x, *args, **kwargs), convert(features), name=name
        )

    call.__name__ = call.__qualname__ = name
    call.__doc__ = function.__doc__
    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


__all__ = [
    "avg_pool", "batch_normalization", "bias_add", "conv2d", "conv2d_transpose", "dropout", "embedding_lookup",
    "in_top_k",
    "l2_loss", "l2_normalize", "leaky_relu", "log_softmax", "max_pool", "moments", "relu6",
    "sigmoid_cross_entropy_with_logits", "softmax", "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits", "top_k", "weighted_cross_entropy_with_logits", "xw_plus_b",
]  # fmt: skip


_MODULES = {"rnn_cell": "rnn_cell", "seq2seq": "contrib.legacy_seq2seq"}
# Modules whose names are names here too.
_PARTS = ("_recurrence", "_nn_windows", "_nn_sampled", "_nn_ctc", "_nn_newer")


def _names() -> list[str]:
    parts = [importlib.import_module(f"kjax.compat.tensorflow.{part}") for part in _PARTS]
    return [*__all__, *_ACTIVATIONS, *_MODULES, *(name for part in parts for name in part.__all__)]


def __getattr__(name: str) -> Any:
    if name in _ACTIVATIONS:
        return _activation(name)
    if name in _MODULES:
        return importlib.import_module(f"kjax.compat.tensorflow.{_MODULES[name]}")
    if not name.startswith("__"):
        for part in _PARTS:
            module = importlib.import_module(f"kjax.compat.tensorflow.{part}")
            if name in module.__all__:
                return getattr(module, name)
    raise _missing.complaint("tensorflow.nn", name, _names())


def __dir__() -> list[str]:
    return sorted([*globals(), *_names()])
