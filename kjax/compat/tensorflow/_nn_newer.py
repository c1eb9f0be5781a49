"""More of `tf.nn`, under names that came with TensorFlow 2."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import nn
from kjax.compat.tensorflow._arguments import convert, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._nn_windows import swish as silu
from kjax.compat.tensorflow._scatters import depth_to_space, space_to_depth
from kjax.compat.tensorflow.math import reduce_sum


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """`x` times the share of a normal distribution below `x`."""
    return node("Gelu", lambda x: jax.nn.gelu(float_array(x), approximate), convert(features), name=name)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", name: str | None = None
) -> Any:
    """The largest number of each window."""
    return nn.max_pool(convert(input), ksize, strides, padding, data_format, name)


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", name: str | None = None
) -> Any:
    """The mean of each window, without the cells that padding adds."""
    return nn.avg_pool(convert(input), ksize, strides, padding, data_format, name)


def _first(number: Any) -> int:
    found = static(number)
    return int(found if isinstance(found, int) else found[len(found) // 2])


def _pooled_row(pool: Any, x: Any, ksize: Any, strides: Any, padding: str, name: Any) -> Any:
    rows = node("expand", lambda x: array(x)[:, None], convert(x))
    made = pool(rows, (1, 1, _first(ksize), 1), (1, 1, _first(strides), 1), padding, "NHWC", name)
    return node("squeeze", lambda x: x[:, 0], made)


def max_pool1d(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: Any = None) -> Any:
    """The largest number of each window of (samples, steps, channels)."""
    return _pooled_row(nn.max_pool, input, ksize, strides, padding, name)


def avg_pool1d(input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: Any = None) -> Any:
    """The mean of each window of (samples, steps, channels)."""
    return _pooled_row(nn.avg_pool, input, ksize, strides, padding, name)


def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None, **_: Any
) -> Any:
    """The sum of the losses, each times its weight, by the number of samples."""

    def mean(losses: Any, weights: Any, count: Any) -> Any:
        losses = float_array(losses)
        total = jnp.sum(losses if weights is None else losses * jnp.asarray(weights, losses.dtype))
        return total / (losses.shape[0] if count is None else jnp.asarray(count, total.dtype))

    return node("compute_average_loss", mean, convert(per_example_loss), sample_weight, global_batch_size)


def scale_regularization_loss(regularization_loss: Any) -> Any:
    """The sum of penalties: there is one replica."""
    return reduce_sum(regularization_loss)


__all__ = [
    "avg_pool1d", "avg_pool2d", "compute_average_loss", "depth_to_space", "gelu", "max_pool1d", "max_pool2d",
    "scale_regularization_loss", "silu", "space_to_depth",
]  # fmt: skip
