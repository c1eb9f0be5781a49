"""Sums over all cells of a batch, one for each channel, and numbers of channels spread over all cells.

Each is the transpose of the other. On a CPU both are matrix products with ones: XLA makes a slow pass over windows of
a sum over the first axes, and the gradient of what is spread by broadcasting is such a sum.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from kjax.backend._lowerings import on_cpu


def channel_sums(x: Any) -> Any:
    """Sum over all axes but the last one: `(channels,)`."""
    if not on_cpu():
        return jnp.sum(x, tuple(range(x.ndim - 1)))
    cells = math.prod(x.shape[:-1])
    return jnp.matmul(jnp.ones((1, cells), x.dtype), x.reshape((cells, x.shape[-1])))[0]


def spread(channels: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of channels, `(channels,)`, at each cell of `shape`."""
    if not on_cpu():
        return jnp.broadcast_to(channels.reshape((1,) * (len(shape) - 1) + (-1,)), shape)
    ones = jnp.ones((math.prod(shape[:-1]), 1), channels.dtype)
    return jnp.matmul(ones, channels.reshape((1, -1))).reshape(shape)
