"""Formulas of the three products of a depthwise convolution, as sums over taps. See `_canonical`.

A kernel is `(taps..., channels, multiplier)`; channel `c` gives the results `c * multiplier + m`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax.backend._canonical import slices
from kjax.backend._windows import Window

# The kernel's gradient is summed over so many images at a time that their products stay in the cache.
CACHED_NUMBERS = 1 << 16


def forward(x: Any, kernel: Any, window: Window) -> Any:
    """The convolution itself."""
    taps = kernel.reshape((-1, *kernel.shape[-2:]))
    parts = [_times(part, tap) for part, tap in zip(slices(x, window), taps, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.reshape((*total.shape[: window.rank + 1], -1))


def _times(x: Any, tap: Any) -> Any:
    """Each channel times its numbers: `(..., channels)`, or `(..., channels, multiplier)` where that is not 1."""
    lead = (1,) * (x.ndim - 1)
    if tap.shape[-1] == 1:
        return x * tap.reshape((*lead, -1))
    return x[..., None] * tap.reshape((*lead, *tap.shape))


def to_input(g: Any, kernel: Any, window: Window) -> Any:
    """The transpose of `forward` in its input."""
    shape = jax.ShapeDtypeStruct((g.shape[0], *window.lengths, kernel.shape[-2]), g.dtype)
    return jax.linear_transpose(lambda x: forward(x, kernel, window), shape)(g)[0]


def to_kernel(x: Any, g: Any, window: Window) -> Any:
    """The transpose of `forward` in its kernel."""
    samples, channels = x.shape[0], x.shape[-1]
    multiplier = g.shape[-1] // channels
    group = min(samples, max(1, CACHED_NUMBERS * multiplier // max(1, g[0].size)))

    def total(x: Any, g: Any) -> Any:
        g = g.reshape((*g.shape[:-1], channels, multiplier))
        axes = tuple(range(window.rank + 1))
        sums = [jnp.sum(part[..., None] * g, axes) for part in slices(x, window)]
        return jnp.stack(sums).reshape((*window.sizes, channels, multiplier))

    whole = samples // group

    def add(i: Any, sums: Any) -> Any:
        return sums + total(*(lax.dynamic_slice_in_dim(a, i * group, group) for a in (x, g)))

    sums = lax.fori_loop(0, whole, add, jnp.zeros((*window.sizes, channels, multiplier), x.dtype))
    return sums if whole * group == samples else sums + total(x[whole * group :], g[whole * group :])
