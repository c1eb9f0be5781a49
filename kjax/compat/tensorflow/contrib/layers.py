"""`tf.contrib.layers`, which is also `tf.contrib.slim`: initializers, regularizers and layers as functions.

Their variables are called `weights` and `biases`. Under `arg_scope` functions have other defaults.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import Any

import jax.numpy as jnp

from kjax.compat.tensorflow import _graph, _init_values, _missing, layers, losses, nn
from kjax.compat.tensorflow._arguments import listed
from kjax.compat.tensorflow._graph import GraphKeys, node
from kjax.compat.tensorflow._init_values import (
    get_variable,
    given,
    variable_scope,
    xavier_initializer,
    zeros_initializer,
)
from kjax.compat.tensorflow._variables import global_variables, trainable_variables
from kjax.compat.tensorflow.arrays import one_hot
from kjax.compat.tensorflow.layers import flatten as flatten_layer
from kjax.compat.tensorflow.math import tensordot

xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: int | None = None, dtype: Any = "float32"
) -> Any:
    """Numbers whose variance is `factor` divided by the number of inputs, of outputs, or their mean."""
    spread = "uniform" if uniform else "truncated_normal"
    return _init_values.variance_scaling_initializer(factor, mode.lower(), spread, seed, dtype)


_defaults: list[dict[Any, dict[str, Any]]] = [{}]


# -- defaults ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Generator[Any]:
    """Other defaults of functions inside of a `with` block; or those that an `arg_scope` before had."""
    if isinstance(list_ops_or_scope, dict):
        new = dict(list_ops_or_scope)
    else:
        new = dict(_defaults[-1])
        for function in list_ops_or_scope:
            key = getattr(function, "__wrapped__", function)
            new[key] = {**new.get(key, {}), **kwargs}
    _defaults.append(new)
    try:
        yield new
    finally:
        _defaults.pop()


def add_arg_scope(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose defaults `arg_scope` changes."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{**_defaults[-1].get(function, {}), **kwargs})

    return call


# -- regularizers ------------------------------------------------------------------------------------------------------


def l2_regularizer(scale: float, scope: str | None = None) -> Any:
    """`scale * sum(w ** 2) / 2`."""
    return lambda w: nn.l2_loss(w) * scale


def l1_regularizer(scale: float, scope: str | None = None) -> Any:
    """`scale * sum(|w|)`."""
    return lambda w: node("l1", lambda x: jnp.sum(jnp.abs(x)) * scale, w)


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None) -> Any:
    """Both."""
    return lambda w: l1_regularizer(scale_l1)(w) + l2_regularizer(scale_l2)(w)


def apply_regularization(regularizer: Any, weights_list: Any = None) -> Any:
    """The sum of a regularizer over variables; it joins the regularization losses."""
    weights = weights_list if weights_list is not None else _graph.get_collection(GraphKeys.WEIGHTS)
    total = losses.add_n([regularizer(w) for w in weights])
    _graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
    return total


# -- layers ------------------------------------------------------------------------------------------------------------


def _finished(
    result: Any, channels: int, activation_fn: Any, normalizer_fn: Any, normalizer_params: Any, biases: dict[str, Any],
    outputs: Any, data_format: str | None = None,
) -> Any:  # fmt: skip
    """A product with its bias or what normalizes it, and its activation."""
    if normalizer_fn is not None:
        result = normalizer_fn(result, **(normalizer_params or {}))
    elif biases["initializer"] is not None:
        result = nn.bias_add(result, get_variable("biases", [channels], **biases), data_format)
    result = result if activation_fn is None else activation_fn(result)
    for key in listed(outputs or []):
        _graph.add_to_collection(key, result)
    return result


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),  # noqa: B008
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """`activation_fn(inputs · weights + biases)` over the last axis, rectified by default.

    No biases if `biases_initializer` is None, or with `normalizer_fn`.
    """
    with variable_scope(scope, "fully_connected", reuse=reuse):
        first = given(weights_initializer, xavier_initializer())
        weights = get_variable(
            "weights", [inputs.shape[-1], num_outputs], initializer=first, regularizer=weights_regularizer,
            trainable=trainable,
        )  # fmt: skip
        result = tensordot(inputs, weights, [[len(inputs.shape) - 1], [0]])
        biases = {"initializer": biases_initializer, "regularizer": biases_regularizer, "trainable": trainable}
        return _finished(
            result, num_outputs, activation_fn, normalizer_fn, normalizer_params, biases, outputs_collections
        )


def linear(inputs: Any, num_outputs: int, **kwargs: Any) -> Any:
    """`fully_connected` without an activation."""
    return fully_connected(inputs, num_outputs, activation_fn=None, **kwargs)


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


@add_arg_scope
def conv2d(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),  # noqa: B008
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A convolution of images, with biases and rectified by default."""
    arrangement = data_format or "NHWC"
    with variable_scope(scope, "Conv", reuse=reuse):
        channels = inputs.shape[1 if arrangement.startswith("NC") else -1]
        weights = get_variable(
            "weights", [*_pair(kernel_size), channels, num_outputs], regularizer=weights_regularizer,
            initializer=given(weights_initializer, xavier_initializer()), trainable=trainable,
        )  # fmt: skip
        result = nn.conv2d(inputs, weights, _pair(stride), padding, data_format=arrangement, dilations=_pair(rate))
        biases = {"initializer": biases_initializer, "regularizer": biases_regularizer, "trainable": trainable}
        return _finished(
            result, num_outputs, activation_fn, normalizer_fn, normalizer_params, biases, outputs_collections,
            arrangement,
        )  # fmt: skip


convolution = convolution2d = conv2d


@add_arg_scope
def conv2d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    activation_fn: Any = nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),  # noqa: B008
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The transpose of a convolution, with biases and rectified by default."""
    with variable_scope(scope, "Conv2d_transpose", reuse=reuse):
        kernel, steps = _pair(kernel_size), _pair(stride)
        weights = get_variable(
            "weights", [*kernel, num_outputs, inputs.shape[-1]], regularizer=weights_regularizer,
            initializer=given(weights_initializer, xavier_initializer()), trainable=trainable,
        )  # fmt: skip
        result = nn.conv2d_transpose(
            inputs, weights, layers.transposed_shape(inputs, num_outputs, kernel, steps, padding), steps, padding
        )
        biases = {"initializer": biases_initializer, "regularizer": biases_regularizer, "trainable": trainable}
        return _finished(
            result, num_outputs, activation_fn, normalizer_fn, normalizer_params, biases, outputs_collections
        )


convolution2d_transpose = conv2d_transpose


@add_arg_scope
def max_pool2d(
    inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NHWC",
    outputs_collections: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """The largest number of each window."""
    return nn.max_pool(inputs, _pair(kernel_size), _pair(stride), padding, data_format)


@add_arg_scope
def avg_pool2d(
    inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NHWC",
    outputs_collections: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window."""
    return nn.avg_pool(inputs, _pair(kernel_size), _pair(stride), padding, data_format)


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: Any = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    fused: Any = None,
    scope: Any = None,
    **_: Any,
) -> Any:
    """`tf.layers.batch_normalization` with other defaults.

    What brings the averages up to date is in `updates_collections`; if that is None, the result waits for it.
    """
    axis = 1 if data_format.startswith("NC") else -1
    default = _graph.get_default_graph()
    before = len(default.get_collection(GraphKeys.UPDATE_OPS))
    first = param_initializers or {}
    with variable_scope(scope, "BatchNorm", reuse=reuse) as opened:
        result = layers.batch_normalization(
            inputs, axis, decay, epsilon, center, scale, first.get("beta"), first.get("gamma"),
            first.get("moving_mean"), first.get("moving_variance"), is_training, trainable, opened,
        )  # fmt: skip
    if updates_collections != GraphKeys.UPDATE_OPS:
        held = default.get_collection_ref(GraphKeys.UPDATE_OPS)
        updates = held[before:]
        del held[before:]
        for key in listed(updates_collections or []):
            for update in updates:
                default.add_to_collection(key, update)
        if updates_collections is None and updates:
            with default.control_dependencies(updates):
                result = node("Identity", lambda x: x, result)
    return result if activation_fn is None else activation_fn(result)


@add_arg_scope
def dropout(
    inputs: Any, keep_prob: Any = 0.5, noise_shape: Any = None, is_training: Any = True,
    outputs_collections: Any = None, scope: Any = None, seed: int | None = None,
) -> Any:  # fmt: skip
    """`tf.nn.dropout` while `is_training`."""
    return layers.dropout(inputs, 1 - keep_prob, noise_shape, seed, is_training)


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """The numbers of each sample in one axis."""
    return flatten_layer(inputs)


def one_hot_encoding(labels: Any, num_classes: int, on_value: Any = 1.0, off_value: Any = 0.0, **_: Any) -> Any:
    """`tf.one_hot`."""
    return one_hot(labels, num_classes, on_value, off_value)


def embed_sequence(
    ids: Any, vocab_size: int | None = None, embed_dim: int | None = None, unique: bool = False,
    initializer: Any = None, regularizer: Any = None, trainable: bool = True, scope: Any = None, reuse: Any = None,
) -> Any:  # fmt: skip
    """The rows of a table of `(vocab_size, embed_dim)` with these numbers."""
    if vocab_size is None or embed_dim is None:
        raise ValueError("Must specify vocab size and embedding dimension when not reusing.")
    with variable_scope(scope, "EmbedSequence", reuse=reuse):
        table = get_variable(
            "embeddings", [vocab_size, embed_dim], initializer=initializer, regularizer=regularizer, trainable=trainable
        )
        return nn.embedding_lookup(table, ids)


def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """The same layer several times, each with variables of its own."""
    base = kwargs.pop("scope", None) or getattr(layer, "__name__", "layer")
    with variable_scope(base):
        for i in range(repetitions):
            inputs = layer(inputs, *args, scope=f"{base}_{i + 1}", **kwargs)
    return inputs


def optimize_loss(
    loss: Any, global_step: Any, learning_rate: Any, optimizer: Any, clip_gradients: Any = None, variables: Any = None,
    name: str | None = None, **_: Any,
) -> Any:  # fmt: skip
    """One step of an optimizer (by name, class or object); its result is the loss."""
    from kjax.compat.tensorflow import train
    from kjax.compat.tensorflow.math import clip_by_global_norm

    made = optimizer
    if isinstance(optimizer, str):
        made = getattr(train, {"SGD": "GradientDescent"}.get(optimizer, optimizer) + "Optimizer")
    made = made if hasattr(made, "minimize") and not isinstance(made, type) else made(learning_rate)
    waits = _graph.get_collection(GraphKeys.UPDATE_OPS)
    with _graph.control_dependencies(waits):
        pairs = [(g, v) for g, v in made.compute_gradients(loss, variables) if g is not None]
        if clip_gradients is not None:
            clipped, _ = clip_by_global_norm([g for g, _ in pairs], clip_gradients)
            pairs = list(zip(clipped, [v for _, v in pairs], strict=True))
        step = made.apply_gradients(pairs, global_step)
    with _graph.control_dependencies([step]):
        return node("train", lambda x: x, loss)


def get_variables(scope: Any = None, **_: Any) -> list[Any]:
    """The variables whose names begin with a scope."""
    return global_variables(getattr(scope, "name", scope))


def get_trainable_variables(scope: Any = None) -> list[Any]:
    """Those that optimizers change."""
    return trainable_variables(getattr(scope, "name", scope))


get_model_variables = get_variables

__all__ = [
    "add_arg_scope", "apply_regularization", "arg_scope", "avg_pool2d", "batch_norm", "conv2d", "conv2d_transpose",
    "convolution", "convolution2d", "convolution2d_transpose", "dropout", "embed_sequence", "flatten",
    "fully_connected", "get_model_variables", "get_trainable_variables", "get_variables", "l1_l2_regularizer",
    "l1_regularizer", "l2_regularizer", "linear", "losses", "max_pool2d", "one_hot_encoding", "optimize_loss",
    "repeat", "variance_scaling_initializer", "xavier_initializer", "xavier_initializer_conv2d",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.contrib.layers", __all__)
