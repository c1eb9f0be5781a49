"""`tf.contrib.layers`: initializers, regularizers and layers as functions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.compat.tensorflow import _missing, layers, nn
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._init_values import variance_scaling_initializer, xavier_initializer
from kjax.compat.tensorflow.layers import flatten

xavier_initializer_conv2d = xavier_initializer


def l2_regularizer(scale: float, scope: str | None = None) -> Any:
    """`scale * sum(w ** 2) / 2`."""
    return lambda w: nn.l2_loss(w) * scale


def l1_regularizer(scale: float, scope: str | None = None) -> Any:
    """`scale * sum(|w|)`."""
    return lambda w: node("l1", lambda x: jnp.sum(jnp.abs(x)) * scale, w)


def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = nn.relu,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = None,
    reuse: Any = None,
    scope: str | None = None,
    **_: Any,
) -> Any:
    """`tf.layers.dense` with rectified outputs by default, over a vector of each sample."""
    return layers.dense(
        inputs, num_outputs, activation_fn, kernel_initializer=weights_initializer or xavier_initializer(),
        bias_initializer=biases_initializer, kernel_regularizer=weights_regularizer, name=scope,
        reuse=reuse,
    )  # fmt: skip


__all__ = [
    "flatten", "fully_connected", "l1_regularizer", "l2_regularizer", "variance_scaling_initializer",
    "xavier_initializer", "xavier_initializer_conv2d",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.contrib.layers", __all__)
