"""Sums over all cells of a batch, one for each channel, and numbers of channels spread over all cells.

Each is the transpose of the other. On a CPU the sums are a matrix product with ones: XLA makes a slow pass over windows
of a sum over the first axes. JAX's gradient of what is spread by broadcasting would be such a sum, so spreading is an
operation of its own.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax.backend import _products
from kjax.backend._lowerings import on_cpu


def channel_sums(x: Any) -> Any:
    """Sum over all axes but the last one: `(channels,)`."""
    if not on_cpu():
        return jnp.sum(x, tuple(range(x.ndim - 1)))
    return _SUMS.bind(x, _NOTHING, window=x.shape)


def spread(channels: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of channels, `(channels,)`, at each cell of `shape`."""
    if not on_cpu():
        return jnp.broadcast_to(channels.reshape((1,) * (len(shape) - 1) + (-1,)), shape)
    return _SPREAD.bind(channels, _NOTHING, window=tuple(shape))


def _spread(channels: Any, _: Any, shape: tuple[int, ...]) -> Any:
    return jnp.broadcast_to(channels.reshape((1,) * (len(shape) - 1) + (-1,)), shape)


def _sums(x: Any, _: Any, shape: tuple[int, ...]) -> Any:
    cells = math.prod(shape[:-1])
    return jnp.matmul(jnp.ones((1, cells), x.dtype), x.reshape((cells, shape[-1])))[0]


_NOTHING = np.zeros((0,), np.int32)
_SPREAD, _SUMS = _products.make_pair("spread", _spread, "channel_sums", _sums)
