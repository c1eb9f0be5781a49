"""Images in another size, and images seen through a transform of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax.backend._ops import float_array

_METHODS = {
    "bilinear": "linear",
    "nearest": "nearest",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}
FILL_MODES = ("constant", "reflect", "wrap", "nearest")


def check_interpolation(name: str) -> str:
    """The name of a way to make images of another size.

    Raises:
        ValueError: for another.
    """
    if str(name).lower() not in _METHODS:
        raise ValueError(f"Value not recognized for `interpolation`: {name}. Supported values are: {list(_METHODS)}")
    return str(name).lower()


def resize(x: Any, size: Sequence[int], interpolation: str = "bilinear") -> Any:
    """Images (..., rows, columns, channels) of another number of rows and columns; pixels lie at their centres."""
    x = jnp.asarray(x) if interpolation == "nearest" else float_array(x)
    shape = (*x.shape[:-3], *size, x.shape[-1])
    return x if shape == x.shape else jax.image.resize(x, shape, _METHODS[interpolation], antialias=False)


def smart_resize(x: Any, size: Sequence[int], interpolation: str = "bilinear") -> Any:
    """The greatest part about the centre that has the aspect ratio of `size`, in that size."""
    rows, columns = x.shape[-3:-1]
    height = min(rows, int(columns * size[0] / size[1]))
    width = min(columns, int(rows * size[1] / size[0]))
    top, left = (rows - height) // 2, (columns - width) // 2
    return resize(x[..., top : top + height, left : left + width, :], size, interpolation)


def warp(images: Any, matrices: Any, fill_mode: str, fill_value: float, interpolation: str) -> Any:
    """Images whose pixel (row, column) is taken from the place that a matrix gives.

    Arguments:
        images: (batch, rows, columns, channels), floats.
        matrices: (batch, 2, 3): from (column, row, 1) to (column, row).
        fill_mode: what lies outside: `'constant'`, `'reflect'`, `'wrap'` or `'nearest'`.
        fill_value: the constant.
        interpolation: `'bilinear'` or `'nearest'`.
    """
    count, rows, columns, _ = images.shape
    grid = jnp.stack(
        [*jnp.meshgrid(jnp.arange(columns, dtype=jnp.float32), jnp.arange(rows, dtype=jnp.float32)),
         jnp.ones((rows, columns), jnp.float32)]
    )  # fmt: skip
    x, y = jnp.moveaxis(jnp.einsum("bij,jrc->birc", matrices, grid), 1, 0)
    x, y = _inside(x, columns, fill_mode), _inside(y, rows, fill_mode)

    def pixels(row: Any, column: Any) -> Any:
        row, column = row.astype(jnp.int32), column.astype(jnp.int32)
        place = jnp.clip(row, 0, rows - 1) * columns + jnp.clip(column, 0, columns - 1)
        found = jnp.take_along_axis(images.reshape(count, rows * columns, -1), place.reshape(count, -1, 1), 1)
        found = found.reshape(count, rows, columns, -1)
        within = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return jnp.where(within[..., None], found, jnp.asarray(fill_value, images.dtype))

    if interpolation == "nearest":
        return pixels(_nearest(y), _nearest(x))
    left, top = jnp.floor(x), jnp.floor(y)
    right_share, lower_share = ((x - left).astype(images.dtype)[..., None], (y - top).astype(images.dtype)[..., None])
    upper = pixels(top, left) * (1 - right_share) + pixels(top, left + 1) * right_share
    lower = pixels(top + 1, left) * (1 - right_share) + pixels(top + 1, left + 1) * right_share
    return upper * (1 - lower_share) + lower * lower_share


def _nearest(place: Any) -> Any:
    """The whole number next to it; of two, the one further from 0."""
    return jnp.sign(place) * jnp.floor(jnp.abs(place) + 0.5)


def _inside(place: Any, length: int, fill_mode: str) -> Any:
    """Places along an axis, brought into it as the fill mode says; with a constant they may stay outside."""
    if fill_mode == "constant":
        return place
    if fill_mode == "reflect":  # d c b a | a b c d | d c b a
        place = jnp.mod(place, 2.0 * length)
        place = jnp.where(place >= length, 2 * length - 1 - place, place)
    elif fill_mode == "wrap":
        size = max(length - 1, 1)
        low = place + length * (jnp.floor(-place / size) + 1)
        high = place - length * jnp.floor(place / size)
        place = jnp.where(place < 0, low, jnp.where(place > length - 1, high, place))
    return jnp.clip(place, 0.0, length - 1.0)
