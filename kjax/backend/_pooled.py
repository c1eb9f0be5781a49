"""Pooling on a CPU: taps are slices of the whole batch, so that every step is a plain loop over long rows.

Max pooling sends the gradient to the first largest cell of each window, as TensorFlow does.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kjax.backend import _products
from kjax.backend._canonical import slices
from kjax.backend._windows import Window

# Windows of up to so many cells are written out tap by tap.
MOST_TAPS = 32


def window_sums(x: Any, window: Window) -> Any:
    """Sum of each window."""
    for axis in range(window.rank):
        x = _sums_along(x, window.axis(axis, axis + 1), axis + 1)
    return x


def _sums_along(x: Any, line: Window, axis: int) -> Any:
    (before, after), size, stride = line.pads[0], line.sizes[0], line.strides[0]
    if size > MOST_TAPS:
        widths = [(1, 1, (0, 0))] * x.ndim
        widths[axis] = (size, stride, (before, after))
        sizes, strides, pads = zip(*widths, strict=True)
        return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, sizes, strides, pads)
    padding = [(0, 0, 0)] * x.ndim
    padding[axis] = (before, after, 0)
    x = lax.pad(x, jnp.zeros((), x.dtype), padding)
    span = (line.outputs[0] - 1) * stride + 1
    total = lax.slice_in_dim(x, 0, span, stride, axis)
    for tap in range(1, size):
        total = total + lax.slice_in_dim(x, tap, tap + span, stride, axis)
    return total


def first_largest(x: Any, window: Window) -> Any:
    """Largest value of each window."""
    taps = 1
    for size in window.sizes:
        taps *= size
    if taps > MOST_TAPS:
        sizes, strides, pads = (1, *window.sizes, 1), (1, *window.strides, 1), ((0, 0), *window.pads, (0, 0))
        return lax.reduce_window(x, np.array(-np.inf, x.dtype), lax.max, sizes, strides, pads)
    return _largest(x, window)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _largest(x: Any, window: Window) -> Any:
    return _winners(x, window)[0]


@_largest.defjvp
def _largest_tangent(window: Window, primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (dx,) = primals, tangents
    number = _winners(lax.stop_gradient(x), window)[1]
    return _largest(x, window), _TAKE.bind(dx, number, window=window)


def _winners(x: Any, window: Window) -> tuple[Any, Any]:
    """The largest value of each window, and the number of the first tap that has it."""
    lowest = jnp.array(-jnp.inf, x.dtype)
    best: Any = None
    number: Any = None
    for tap, value in enumerate(slices(x, window, lowest)):
        if best is None:
            best, number = value, jnp.zeros(value.shape, jnp.int8)
        else:
            number = jnp.where(value > best, jnp.int8(tap), number)
            best = jnp.maximum(best, value)
    return best, number


def _take(x: Any, number: Any, window: Window) -> Any:
    """What the tap of each window's number sees."""
    total: Any = 0
    for tap, value in enumerate(slices(x, window)):
        total = total + jnp.where(number == jnp.int8(tap), value, jnp.zeros((), x.dtype))
    return total


def _put(g: Any, number: Any, window: Window) -> Any:
    """Each window's value at the cell that the tap of its number sees.

    Cells at the same place between two windows form a phase, which is a sum of shifted windows.
    """
    reach = tuple(-(-size // stride) for size, stride in zip(window.sizes, window.strides, strict=True))
    cells = tuple(
        -(-(pad[0] + length) // stride)
        for pad, length, stride in zip(window.pads, window.lengths, window.strides, strict=True)
    )
    widths = [(0, 0, 0), *((r - 1, n - o, 0) for r, n, o in zip(reach, cells, window.outputs, strict=True)), (0, 0, 0)]
    g = lax.pad(g, jnp.zeros((), g.dtype), widths)
    number = lax.pad(number, jnp.int8(-1), widths)
    phases: list[Any] = []
    for phase in product(*map(range, window.strides)):
        total: Any = jnp.zeros((g.shape[0], *cells, g.shape[-1]), g.dtype)
        for shift in product(*map(range, reach)):
            tap = _number_of_tap(phase, shift, window)
            if tap is None:
                continue
            starts = [r - 1 - s for r, s in zip(reach, shift, strict=True)]
            at = (slice(None), *(slice(a, a + n) for a, n in zip(starts, cells, strict=True)))
            total = total + jnp.where(number[at] == jnp.int8(tap), g[at], jnp.zeros((), g.dtype))
        phases.append(total)
    return _interleave(phases, cells, window)


def _number_of_tap(phase: tuple[int, ...], shift: tuple[int, ...], window: Window) -> int | None:
    number = 0
    for place, step, stride, size in zip(phase, shift, window.strides, window.sizes, strict=True):
        tap = place + stride * step
        if tap >= size:
            return None
        number = number * size + tap
    return number


def _interleave(phases: list[Any], cells: tuple[int, ...], window: Window) -> Any:
    """The phases side by side, cut to the input."""
    samples, channels, rank = phases[0].shape[0], phases[0].shape[-1], window.rank
    y = jnp.stack(phases).reshape((*window.strides, samples, *cells, channels))
    y = y.transpose((rank, *(n for a in range(rank) for n in (rank + 1 + a, a)), 2 * rank + 1))
    y = y.reshape((samples, *(n * s for n, s in zip(cells, window.strides, strict=True)), channels))
    starts = [pad[0] for pad in window.pads]
    stops = [start + length for start, length in zip(starts, window.lengths, strict=True)]
    return lax.slice(y, (0, *starts, 0), (samples, *stops, channels))


_TAKE, _PUT = _products.make_pair("pool_take", _take, "pool_put", _put)
