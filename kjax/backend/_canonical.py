"""Formulas of the three products of a convolution, each in the form that XLA's CPU kernels are fast in.

    forward(x, k)    y[n, i, f] = sum over t, c of x[n, i * stride + t * dilation - pad, c] * k[t, c, f]
    to_input(g, k)   its transpose in x: the gradient of the input
    to_kernel(x, g)  its transpose in k: the gradient of the kernel

XLA has a fast kernel for one arrangement of axes only: batch, space, channels, with a kernel of space, channels,
filters. Any other arrangement is rearranged at the top of a program, but not in the body of a loop, where it becomes
a plain loop nest. So everything here is written as convolutions of that arrangement, with explicit transposes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kjax.backend._windows import Ints, Pairs, Window, extent

# Up to so many numbers under a window, the sum of their products fuses with what follows it.
MOST_TERMS = 9
# Columns of this many numbers at most are multiplied as one matrix: a first layer with its few channels.
MOST_COLUMNS = 32


def canonical(x: Any, kernel: Any, strides: Ints, pads: Pairs, dilations: Ints, spread: Ints | None = None) -> Any:
    """A convolution in XLA's own arrangement; `spread` is the distance of the input's cells, zeros between them."""
    last = x.ndim - 1
    batch = (0, last, *range(1, last))
    axes = lax.ConvDimensionNumbers(batch, (last, last - 1, *range(last - 1)), batch)
    return lax.conv_general_dilated(x, kernel, strides, pads, spread, dilations, axes)


def forward(x: Any, kernel: Any, window: Window) -> Any:
    """The convolution itself."""
    return _convolve(x, kernel, window.strides, window.pads, window.dilations, (1,) * window.rank)


def to_input(g: Any, kernel: Any, window: Window) -> Any:
    """The transpose of `forward` in its input: a convolution with the flipped kernel."""
    turned = jnp.swapaxes(jnp.flip(kernel, tuple(range(window.rank))), -1, -2)
    if window.rank <= 2 and max(window.strides) > 1 and max(window.dilations) == 1:
        return _to_input_by_phases(g, turned, window)
    pads: list[tuple[int, int]] = []
    for length, size, stride, pad, dilation, cells in zip(*window, window.outputs, strict=True):
        pads.append((extent(size, dilation) - 1 - pad[0], length - (cells - 1) * stride - 1 + pad[0]))
    return _convolve(g, turned, (1,) * window.rank, tuple(pads), window.dilations, window.strides)


def to_kernel(x: Any, g: Any, window: Window) -> Any:
    """The transpose of `forward` in its kernel: a convolution whose channels are the samples."""
    if window.rank == 3:
        plane = window.axis(1)
        images = _merged(g)
        taps = [to_kernel(_merged(part), images, plane) for part in depth_slices(x, window)]
        return jnp.stack(taps)
    return _weigh(x, g, window)


def forward_biased(x: Any, rows: Any, window: Window) -> Any:
    """The convolution and a bias: `rows` are the kernel and behind its channels one more, with the bias at the tap
    that `window.always` names."""
    tap: Any = window.always
    bias = rows[(*tap, -1)]
    return forward(x, rows[..., :-1, :], window) + bias.reshape((1,) * (x.ndim - 1) + (-1,))


def to_rows(x: Any, g: Any, window: Window) -> Any:
    """The transpose of `forward_biased` in its rows: the input gets a channel of ones, and one convolution gives
    the gradients of the kernel and of the bias. (The sums alone would be one more pass over `g`.)"""
    ones = jnp.ones((*x.shape[:-1], 1), x.dtype)
    rows = _weigh(jnp.concatenate([x, ones], -1), g, window)
    elsewhere = np.ones((*window.sizes, 1, 1), bool)
    elsewhere[window.always] = False
    last = jnp.where(elsewhere, jnp.zeros((), rows.dtype), rows[..., -1:, :])
    return jnp.concatenate([rows[..., :-1, :], last], -2)


def _weigh(x: Any, g: Any, window: Window) -> Any:
    pads: list[tuple[int, int]] = []
    for length, size, stride, pad, dilation, cells in zip(*window, window.outputs, strict=True):
        pads.append((pad[0], extent(size, dilation) - 1 + (cells - 1) * stride + 1 - length - pad[0]))
    space = tuple(range(1, window.rank + 1))
    last = window.rank + 1
    y = canonical(
        jnp.transpose(x, (last, *space, 0)),
        jnp.transpose(g, (*space, 0, last)),
        window.dilations,
        tuple(pads),
        window.strides,
    )
    return jnp.transpose(y, (*space, 0, last))


def slices(x: Any, window: Window, filler: Any = None) -> Iterator[Any]:
    """For each tap, what it sees of the input: `(samples, *outputs, channels)`; `filler` (0) around the input."""
    filler = jnp.zeros((), x.dtype) if filler is None else filler
    padded = lax.pad(x, filler, ((0, 0, 0), *((before, after, 0) for before, after in window.pads), (0, 0, 0)))
    outputs = window.outputs
    for offset in product(*map(range, window.sizes)):
        starts = [tap * dilation for tap, dilation in zip(offset, window.dilations, strict=True)]
        stops = [
            start + (cells - 1) * stride + 1
            for start, cells, stride in zip(starts, outputs, window.strides, strict=True)
        ]
        yield lax.slice(padded, (0, *starts, 0), (x.shape[0], *stops, x.shape[-1]), (1, *window.strides, 1))


def depth_slices(x: Any, window: Window) -> list[Any]:
    """For each tap along the first spatial axis, what it sees."""
    line = window.axis(0, 1)
    flat = x.reshape((*x.shape[:2], math.prod(x.shape[2:])))
    return [part.reshape((*part.shape[:2], *x.shape[2:])) for part in slices(flat, line)]


def _merged(x: Any) -> Any:
    """Volumes as a batch of images."""
    return x.reshape((x.shape[0] * x.shape[1], *x.shape[2:]))


def _convolve(x: Any, kernel: Any, strides: Ints, pads: Pairs, dilations: Ints, spread: Ints) -> Any:
    sizes = kernel.shape[:-2]
    if len(sizes) == 3:
        return _convolve_volumes(x, kernel, strides, pads, dilations, spread)
    window = Window(x.shape[1:-1], sizes, strides, pads, dilations)
    if kernel[..., 0].size <= MOST_TERMS and max(spread) == 1:
        taps = zip(slices(x, window), kernel.reshape((-1, *kernel.shape[-2:])), strict=True)
        row = (1,) * (x.ndim - 1) + (-1,)
        terms = [seen[..., c : c + 1] * weights[c].reshape(row) for seen, weights in taps for c in range(x.shape[-1])]
        return functools.reduce(jnp.add, terms)
    if kernel[..., 0].size <= MOST_COLUMNS and max(spread) == 1:
        return jnp.matmul(jnp.concatenate(list(slices(x, window)), -1), kernel.reshape((-1, kernel.shape[-1])))
    return canonical(x, kernel, strides, pads, dilations, spread)


def _convolve_volumes(x: Any, kernel: Any, strides: Ints, pads: Pairs, dilations: Ints, spread: Ints) -> Any:
    """Images instead of volumes: the taps along the depth become channels."""
    if spread[0] > 1:
        widths = ((0, 0, 0), (0, 0, spread[0] - 1), *((0, 0, 0),) * 3)
        x = lax.pad(x, jnp.zeros((), x.dtype), widths)
    window = Window(x.shape[1:-1], kernel.shape[:3], strides, pads, dilations)
    deep = jnp.concatenate(depth_slices(x, window), -1)
    flat = jnp.moveaxis(kernel, 0, 2).reshape((*kernel.shape[1:3], -1, kernel.shape[-1]))
    images = _convolve(_merged(deep), flat, strides[1:], pads[1:], dilations[1:], spread[1:])
    return images.reshape((*deep.shape[:2], *images.shape[1:]))


def _to_input_by_phases(g: Any, turned: Any, window: Window) -> Any:
    """Cells of the input that lie at the same place between two windows see the same taps: one convolution gives
    all of these places as channels, which are then laid out in space."""
    count, samples, channels = window.rank, g.shape[0], turned.shape[-1]
    space = tuple(range(count))
    taps = tuple(-(-size // stride) for size, stride in zip(window.sizes, window.strides, strict=True))
    # Zero taps in front, since the kernel is turned around; then (taps, phases) along each axis.
    padded = jnp.pad(
        turned,
        [(t * s - k, 0) for t, s, k in zip(taps, window.strides, window.sizes, strict=True)] + [(0, 0), (0, 0)],
    )
    split = padded.reshape((*(n for pair in zip(taps, window.strides, strict=True) for n in pair), *turned.shape[-2:]))
    order = (*(2 * a for a in space), 2 * count, *(2 * a + 1 for a in space), 2 * count + 1)
    phases = jnp.flip(split.transpose(order), tuple(range(count + 1, 2 * count + 1)))
    wide = phases.reshape((*taps, turned.shape[-2], -1))
    cells = [
        -(-(pad[0] + length) // stride)
        for pad, length, stride in zip(window.pads, window.lengths, window.strides, strict=True)
    ]
    pads = tuple((t - 1, n - o) for t, n, o in zip(taps, cells, window.outputs, strict=True))
    y = canonical(g, wide, (1,) * count, pads, (1,) * count)
    y = y.reshape((samples, *cells, *window.strides, channels))
    y = y.transpose((0, *(n for a in space for n in (a + 1, a + 1 + count)), 2 * count + 1))
    y = y.reshape((samples, *(n * s for n, s in zip(cells, window.strides, strict=True)), channels))
    starts = [pad[0] for pad in window.pads]
    stops = [start + length for start, length in zip(starts, window.lengths, strict=True)]
    return lax.slice(y, (0, *starts, 0), (samples, *stops, channels))
