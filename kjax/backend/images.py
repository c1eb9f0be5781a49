"""Padding of sequences, images and volumes; images in another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array, op
from kjax.backend._state import normalize_data_format

Pair = Sequence[int]


def _spatial_axes(count: int, data_format: str | None) -> range:
    """The axes of rows, columns, ... of a batch."""
    first = 1 if normalize_data_format(data_format) == "channels_last" else 2
    return range(first, first + count)


def _pad(x: Any, padding: Sequence[Pair], axes: range) -> Any:
    x = array(x)
    widths = [(0, 0)] * x.ndim
    for axis, (before, after) in zip(axes, padding, strict=True):
        widths[axis] = (before, after)
    return jnp.pad(x, widths)


@op
def temporal_padding(x: Any, padding: Pair = (1, 1)) -> Any:
    """Zeros before and after the steps of `(samples, steps, features)`.

    Arguments:
        x: tensor.
        padding: how many before, how many after.
    """
    return _pad(x, [padding], range(1, 2))


@op
def spatial_2d_padding(x: Any, padding: Sequence[Pair] = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around images.

    Arguments:
        x: batch of images.
        padding: how many above and below, how many left and right.
        data_format: where the channels are; `K.image_data_format()` if None.

    Raises:
        ValueError: for an unknown format.
    """
    return _pad(x, padding, _spatial_axes(2, data_format))


@op
def spatial_3d_padding(
    x: Any, padding: Sequence[Pair] = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around volumes: three pairs in `padding`. Otherwise as `spatial_2d_padding`."""
    return _pad(x, padding, _spatial_axes(3, data_format))


def _interpolate(x: Any, factor: int, axis: int) -> Any:
    """`x` longer by `factor` along an axis: pixel `i` lies at `i / factor`, the last one is repeated."""
    length = x.shape[axis]
    position = np.arange(length * factor) / factor
    lower = np.floor(position).astype(int)
    upper = np.minimum(lower + 1, length - 1)
    weight = (position - lower).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    weight = jnp.asarray(weight, x.dtype)
    return jnp.take(x, lower, axis) * (1 - weight) + jnp.take(x, upper, axis) * weight


@op
def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str | None = None,
    interpolation: str = "nearest",
) -> Any:
    """Images made larger.

    Arguments:
        x: batch of images.
        height_factor, width_factor: how many times as high and as wide, ints.
        data_format: where the channels are; `K.image_data_format()` if None.
        interpolation: `'nearest'` repeats pixels, `'bilinear'` blends neighbours.

    Raises:
        ValueError: for an unknown format or interpolation.
    """
    rows, columns = _spatial_axes(2, data_format)
    if interpolation == "nearest":
        return jnp.repeat(jnp.repeat(array(x), height_factor, rows), width_factor, columns)
    if interpolation != "bilinear":
        raise ValueError(f'interpolation should be one of "nearest" or "bilinear", but is {interpolation!r}.')
    return _interpolate(_interpolate(float_array(x), height_factor, rows), width_factor, columns)


@op
def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None = None
) -> Any:
    """Volumes made larger by repeating their elements. Arguments as for `resize_images`."""
    x = array(x)
    factors = (depth_factor, height_factor, width_factor)
    for axis, factor in zip(_spatial_axes(3, data_format), factors, strict=True):
        x = jnp.repeat(x, factor, axis)
    return x
