"""Pooling: the largest value or the mean of windows."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax.backend import _lowerings
from kjax.backend._ops import float_array, op
from kjax.backend._state import normalize_data_format
from kjax.backend._windows import Window, check_rank, from_last, make_window, numbers, to_last


@op
def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value or the mean of each window of images.

    Cells that `'same'` adds around an image count for neither.

    Arguments:
        x: `(samples, rows, columns, channels)`.
        pool_size: rows and columns of a window.
        strides: cells between windows.
        padding: `'valid'` or `'same'`.
        data_format: where the channels are; `K.image_data_format()` if None.
        pool_mode: `'max'` or `'avg'`.

    Raises:
        ValueError: for unknown names, or a window larger than the images.
    """
    return _pool(x, 2, "pool2d", pool_size, strides, padding, data_format, pool_mode)


@op
def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest value or the mean of each window of volumes. Arguments as for `pool2d`."""
    return _pool(x, 3, "pool3d", pool_size, strides, padding, data_format, pool_mode)


def _pool(
    x: Any, count: int, name: str, pool_size: Any, strides: Any, padding: str, data_format: str | None, mode: str
) -> Any:
    data_format = normalize_data_format(data_format)
    if mode not in ("max", "avg"):
        raise ValueError(f"Invalid pooling mode: {mode}. Expected 'max' or 'avg'.")
    sizes, strides = numbers(pool_size, count, "pool_size"), numbers(strides, count, "strides")
    x = float_array(x)
    check_rank(x, count, name)
    x = to_last(x, data_format)
    window = make_window(padding, x.shape[1:-1], sizes, strides)
    if mode == "max":
        return from_last(_lowerings.pool_max(x, window), data_format)
    return from_last(_per_cell(_lowerings.pool_sum(x, window), window), data_format)


def _per_cell(sums: Any, window: Window) -> Any:
    """Sums over windows, divided by the number of cells of the input that each window covers."""
    if not any(map(any, window.pads)):
        return sums / int(np.prod(window.sizes))
    lines = zip(window.lengths, window.sizes, window.strides, window.pads, window.outputs, strict=True)
    # One axis after the other: the numbers of all windows at once would be as many as there are windows.
    for axis, (length, size, stride, pad, cells) in enumerate(lines, start=1):
        first = np.arange(cells) * stride - pad[0]
        covered = np.minimum(first + size, length) - np.maximum(first, 0)
        sums = sums / jnp.asarray(covered.reshape([-1 if a == axis else 1 for a in range(sums.ndim)]), sums.dtype)
    return sums
