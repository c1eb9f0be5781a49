"""`tf.image.resize` of TensorFlow 2 and what goes with it: the middle of a cell is its place."""

from __future__ import annotations

from typing import Any

import jax.image
import jax.numpy as jnp

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import convert, static
from kjax.compat.tensorflow._graph import node

_METHODS = {
    "bilinear": "linear", "nearest": "nearest", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
    0: "linear", 1: "nearest", 2: "cubic",
}  # fmt: skip


def resize(
    images: Any,
    size: Any,
    method: Any = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Any:
    """Images of another size, as floats unless the nearest cells are taken.

    Arguments:
        size: (rows, columns).
        method: `'bilinear'`, `'nearest'`, `'bicubic'`, `'lanczos3'` or `'lanczos5'`.
        preserve_aspect_ratio: whether `size` is the most, and both sides keep their proportion.
        antialias: whether cells between those taken count, too, when images shrink.

    Raises:
        ValueError: for another method.
    """
    if method not in _METHODS:
        raise ValueError(f"tf.image.resize has no method {method!r}. There are: {[*_METHODS][:5]}.")
    kind = _METHODS[method]
    wanted = static(size)

    def resized(x: Any) -> Any:
        x = array(x) if kind == "nearest" else float_array(x)
        rows, columns = _kept(x.shape, wanted) if preserve_aspect_ratio else wanted
        shape = (*x.shape[:-3], int(rows), int(columns), x.shape[-1])
        return jax.image.resize(x, shape, kind, antialias=antialias and kind != "nearest").astype(x.dtype)

    return node("resize", resized, convert(images), name=name)


def _kept(shape: Any, most: Any) -> tuple[int, int]:
    """The largest size with the proportion of `shape`."""
    scale = min(most[0] / shape[-3], most[1] / shape[-2])
    return round(scale * shape[-3]), round(scale * shape[-2])


def resize_with_pad(
    image: Any, target_height: int, target_width: int, method: Any = "bilinear", antialias: bool = False
) -> Any:
    """An image as large as fits into a size, in the middle of zeros."""
    rows, columns = static([target_height, target_width])

    def framed(x: Any) -> Any:
        scale = max(x.shape[-3] / rows, x.shape[-2] / columns)
        sizes = [x.shape[-3] / scale, x.shape[-2] / scale]
        before = [int((most - size) / 2) for most, size in zip((rows, columns), sizes, strict=True)]
        small = resize(array(x), [int(size) for size in sizes], method, antialias=antialias)
        after = [most - at - int(size) for most, at, size in zip((rows, columns), before, sizes, strict=True)]
        return jnp.pad(array(small), [(0, 0)] * (x.ndim - 3) + [*zip(before, after, strict=True), (0, 0)])

    return node("pad", framed, convert(image))


__all__ = ["resize", "resize_with_pad"]
