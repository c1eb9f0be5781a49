"""`tf.image.resize` of TensorFlow 2: cells are squares with a middle, not points at their corners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core.concrete import is_known
from kjax.backend._ops import array
from kjax.compat.tensorflow._arguments import convert, static
from kjax.compat.tensorflow._graph import node


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - x)


def _cubic(b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
    """The family of Mitchell and Netravali."""

    def weight(x: np.ndarray) -> np.ndarray:
        near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b
        far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c
        return np.where(x < 1, near, np.where(x < 2, far, 0)) / 6

    return weight


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


# What a cell at a distance (in cells) counts.
_WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _triangle,
    "bicubic": _cubic(0.0, 0.5),
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": lambda x: np.where(x < 1.5, np.exp(-2 * x**2), 0),
}


def _shares(method: str, old: int, new: int, antialias: bool) -> np.ndarray:
    """(new, old): the share of each old cell in each new one."""
    scale = old / new
    if method == "area":
        edges = np.arange(new)[:, None] * scale
        low, high = np.maximum(edges, np.arange(old)), np.minimum(edges + scale, np.arange(old) + 1)
        weights = np.maximum(0, high - low)
    else:
        middles = (np.arange(new)[:, None] + 0.5) * scale - 0.5
        weights = _WEIGHTS[method](np.abs(middles - np.arange(old)) / (max(scale, 1) if antialias else 1))
    return weights / weights.sum(1, keepdims=True)


def _nearest(x: Any, axis: int, new: int) -> Any:
    rows = np.floor((np.arange(new) + 0.5) * np.float32(x.shape[axis] / new)).astype(int)
    return jnp.take(x, np.minimum(rows, x.shape[axis] - 1), axis)


def resized(x: Any, size: tuple[int, int], method: str, antialias: bool) -> Any:
    """An array of images in another size; as it is, if it has that."""
    if tuple(x.shape[-3:-1]) == size:
        return x
    if method == "nearest":
        return _nearest(_nearest(x, x.ndim - 3, size[0]), x.ndim - 2, size[1])
    kind = "float64" if x.dtype == "float64" else "float32"
    if is_known(x):  # an element of a data set: nothing to compile for each size
        return jnp.asarray(_product(np, np.asarray(x).astype(kind), size, method, antialias))
    return _product(jnp, x.astype(kind), size, method, antialias)


def _product(numbers: Any, x: Any, size: tuple[int, int], method: str, antialias: bool) -> Any:
    precise = {} if numbers is np else {"precision": jax.lax.Precision.HIGHEST}
    for axis, new in zip((x.ndim - 3, x.ndim - 2), size, strict=True):
        shares = numbers.asarray(_shares(method, x.shape[axis], new, antialias), x.dtype)
        x = numbers.moveaxis(numbers.tensordot(shares, x, ((1,), (axis,)), **precise), 0, axis)
    return x


def _method(method: Any) -> str:
    name = ("bilinear", "nearest", "bicubic", "area")[method] if isinstance(method, int) else str(method).lower()
    if name not in (*_WEIGHTS, "nearest", "area"):
        raise ValueError(f"tf.image.resize: unknown method {method!r}. There are: {[*_WEIGHTS, 'nearest', 'area']}.")
    return name


def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Images in another size, as floats unless the method is `'nearest'` or the size is what it was.

    Arguments:
        images: (rows, columns, channels), or several.
        size: new rows and columns.
        method: `'bilinear'`, `'nearest'`, `'bicubic'`, `'area'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`.
        preserve_aspect_ratio: whether the result only fits into the size.
        antialias: whether an image that is made smaller is smoothed first.
    """
    rows, columns = (int(n) for n in static(size))
    kind = _method(method)

    def changed(x: Any) -> Any:
        x, wanted = array(x), (rows, columns)
        if preserve_aspect_ratio:
            scale = min(rows / x.shape[-3], columns / x.shape[-2])
            wanted = (round(x.shape[-3] * scale), round(x.shape[-2] * scale))
        return resized(x, wanted, kind, antialias)

    return node("resize", changed, convert(images), name=name)


def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False
) -> Any:
    """An image as large as it fits into a size, in the middle of zeros."""
    rows, columns = (int(n) for n in static([target_height, target_width]))
    kind = _method(method)

    def framed(x: Any) -> Any:
        x = array(x)
        ratio = max(x.shape[-3] / rows, x.shape[-2] / columns)
        inner = [n / ratio for n in x.shape[-3:-1]]
        sizes = [min(int(n + 1e-6), whole) for n, whole in zip(inner, (rows, columns), strict=True)]
        small = resized(x, (sizes[0], sizes[1]), kind, antialias)
        before = [max(0, int((whole - n) / 2)) for n, whole in zip(inner, (rows, columns), strict=True)]
        sides = [(b, whole - b - n) for b, n, whole in zip(before, sizes, (rows, columns), strict=True)]
        return jnp.pad(small, [*[(0, 0)] * (x.ndim - 3), *sides, (0, 0)])

    return node("resize_with_pad", framed, convert(image))
