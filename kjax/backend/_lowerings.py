"""How convolution and pooling are computed. All of it with channels last."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kjax.backend._windows import Pairs, extent

Ints = tuple[int, ...]


def _numbers(rank: int) -> lax.ConvDimensionNumbers:
    last = rank - 1
    batch = (0, last, *range(1, last))
    return lax.ConvDimensionNumbers(batch, (last, last - 1, *range(last - 1)), batch)


def convolve(
    x: Any, kernel: Any, strides: Ints, pads: Pairs, dilations: Ints, groups: int = 1, spread: Ints | None = None
) -> Any:
    """Convolution of `(samples, ..., channels)` with `(..., channels / groups, filters)`.

    Arguments:
        strides, pads, dilations: of the window, one an axis.
        groups: number of groups of channels that are convolved apart.
        spread: how far the cells of the input lie apart, with zeros between them; 1 if None.
    """
    return lax.conv_general_dilated(
        x, kernel, strides, pads, spread, dilations, _numbers(x.ndim), feature_group_count=groups
    )


def convolve_transposed(x: Any, kernel: Any, lengths: Ints, strides: Ints, pads: Pairs, dilations: Ints) -> Any:
    """The gradient of `convolve` in its input, which has `lengths` cells; `kernel` is `(..., filters, channels)`."""
    spatial = tuple(range(len(lengths)))
    flipped = jnp.swapaxes(jnp.flip(kernel, spatial), -1, -2)
    back: list[tuple[int, int]] = []
    for axis, length in enumerate(lengths):
        before = extent(kernel.shape[axis], dilations[axis]) - 1 - pads[axis][0]
        back.append((before, length - (x.shape[axis + 1] - 1) * strides[axis] - 1 + pads[axis][0]))
    return convolve(x, flipped, (1,) * len(lengths), tuple(back), dilations, 1, strides)


def depthwise(x: Any, kernel: Any, strides: Ints, pads: Pairs, dilations: Ints) -> Any:
    """Convolution of each channel with its own kernels `(..., channels, multiplier)`."""
    channels = kernel.shape[-2]
    flat = kernel.reshape((*kernel.shape[:-2], 1, channels * kernel.shape[-1]))
    return convolve(x, flat, strides, pads, dilations, channels)


def pool_max(x: Any, sizes: Ints, strides: Ints, pads: Pairs) -> Any:
    """Largest value of each window."""
    window, steps, widths = (1, *sizes, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0))
    return lax.reduce_window(x, jnp.array(-jnp.inf, x.dtype), lax.max, window, steps, widths)


def pool_sum(x: Any, sizes: Ints, strides: Ints, pads: Pairs) -> Any:
    """Sum of each window."""
    window, steps, widths = (1, *sizes, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0))
    return lax.reduce_window(x, jnp.array(0, x.dtype), lax.add, window, steps, widths)
