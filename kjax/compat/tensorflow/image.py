"""`tf.image`: images `(rows, columns, channels)`, or several of them, resized, turned and recoloured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow import _draws, _graph, _missing
from kjax.compat.tensorflow._arguments import convert, dtype_name, static, where_known
from kjax.compat.tensorflow._files import (
    decode_bmp,
    decode_image,
    decode_jpeg,
    decode_png,
    encode_jpeg,
    encode_png,
)
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._image_resize import resize, resize_with_pad
from kjax.compat.tensorflow._scatters import random_crop
from kjax.compat.tensorflow._selected import non_max_suppression


class ResizeMethod:
    """How images are resized."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = range(4)
    LANCZOS3, LANCZOS5, GAUSSIAN, MITCHELLCUBIC = "lanczos3", "lanczos5", "gaussian", "mitchellcubic"


def _scale(old: int, new: int, align_corners: bool) -> float:
    return (old - 1) / (new - 1) if align_corners and new > 1 else old / new


def _nearest(x: Any, axis: int, new: int, align_corners: bool) -> Any:
    at = np.arange(new) * np.float32(_scale(x.shape[axis], new, align_corners))
    rows = (np.floor(at + 0.5) if align_corners else np.floor(at)).astype(int)
    return jnp.take(x, np.minimum(rows, x.shape[axis] - 1), axis)


def _bilinear(x: Any, axis: int, new: int, align_corners: bool) -> Any:
    """Between the two nearest cells; the first cell of the result is the first cell."""
    at = np.arange(new) * _scale(x.shape[axis], new, align_corners)
    low = np.minimum(np.floor(at).astype(int), x.shape[axis] - 1)
    high = np.minimum(low + 1, x.shape[axis] - 1)
    share = jnp.asarray((at - low).reshape([-1 if i == axis else 1 for i in range(x.ndim)]), x.dtype)
    return jnp.take(x, low, axis) * (1 - share) + jnp.take(x, high, axis) * share


def resize_images(
    images: Any, size: Any, method: int = ResizeMethod.BILINEAR, align_corners: bool = False,
    preserve_aspect_ratio: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Images of another size, which has to be known: between the nearest cells, or the nearest cell.

    Raises:
        NotImplementedError: for another method.
    """
    if method not in (ResizeMethod.BILINEAR, ResizeMethod.NEAREST_NEIGHBOR) or preserve_aspect_ratio:
        raise NotImplementedError("tf.image.resize_images resizes with BILINEAR or NEAREST_NEIGHBOR to a given size.")

    def resized(x: Any, size: Any) -> Any:
        rows, columns = (int(n) for n in size)
        x = array(x) if method == ResizeMethod.NEAREST_NEIGHBOR else float_array(x)
        change = _nearest if method == ResizeMethod.NEAREST_NEIGHBOR else _bilinear
        return change(change(x, x.ndim - 3, rows, align_corners), x.ndim - 2, columns, align_corners)

    return node("resize", resized, convert(images), where_known(size), name=name)


def resize_bilinear(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Any:
    """`resize_images`, between the nearest cells."""
    return resize_images(images, size, ResizeMethod.BILINEAR, align_corners, name=name)


def resize_nearest_neighbor(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Any:
    """`resize_images`, the nearest cell."""
    return resize_images(images, size, ResizeMethod.NEAREST_NEIGHBOR, align_corners, name=name)


# -- parts -------------------------------------------------------------------------------------------------------------


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """The part that begins at an offset, of a size."""
    top, left, rows, columns = static([offset_height, offset_width, target_height, target_width])
    return node("crop", lambda x: array(x)[..., top : top + rows, left : left + columns, :], convert(image))


def crop_and_resize(
    image: Any, boxes: Any, box_ind: Any = None, crop_size: Any = None, method: str = "bilinear",
    extrapolation_value: float = 0, name: str | None = None, box_indices: Any = None,
) -> Any:  # fmt: skip
    """Parts of images, each in the same size.

    Arguments:
        image: (batch, rows, columns, channels).
        boxes: (count, 4), two corners (y, x, y, x) each, as shares of the picture's last row and column.
        box_ind: (count,), which picture each box is of.
        crop_size: rows and columns of the result.
        method: `'bilinear'` or `'nearest'`.
        extrapolation_value: what is outside of a picture.
    """
    sizes, nearest = [int(n) for n in static(crop_size)], method == "nearest"

    def cropped(x: Any, boxes: Any, which: Any) -> Any:
        x, boxes = float_array(x), float_array(boxes)
        ends = boxes.reshape(-1, 2, 2)
        lines = [_along(ends[:, :, i], x.shape[i + 1], sizes[i]) for i in (0, 1)]
        return _between(x, array(which), lines, nearest, extrapolation_value)

    which = box_indices if box_ind is None else box_ind
    return node("CropAndResize", cropped, convert(image), convert(boxes), convert(which), name=name)


def _along(ends: Any, old: int, new: int) -> Any:
    """Places (count, new) from the first to the last of `ends`, in cells; the middle if there is but one."""
    if new == 1:
        return jnp.mean(ends, 1, keepdims=True) * (old - 1)
    shares = jnp.linspace(0.0, 1.0, new, dtype=ends.dtype)[None]
    return (ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * shares) * (old - 1)


def _between(x: Any, which: Any, lines: Any, nearest: bool, outside: float) -> Any:
    """What pictures have at the crossings of rows (count, n) and columns (count, m): (count, n, m, channels)."""
    total: Any = 0.0
    inside = [(at >= 0) & (at <= size - 1) for at, size in zip(lines, x.shape[1:3], strict=True)]
    low = [jnp.round(at) if nearest else jnp.floor(at) for at in lines]
    for i, j in ((0, 0),) if nearest else ((0, 0), (0, 1), (1, 0), (1, 1)):
        cells = [jnp.clip(at + k, 0, n - 1).astype(int) for at, k, n in zip(low, (i, j), x.shape[1:3], strict=True)]
        shares = [
            jnp.ones_like(a) if nearest else 1 - jnp.abs(a - b - k) for a, b, k in zip(lines, low, (i, j), strict=True)
        ]
        taken = x[which[:, None, None], cells[0][:, :, None], cells[1][:, None, :]]
        total += taken * (shares[0][:, :, None] * shares[1][:, None, :])[..., None]
    seen = inside[0][:, :, None] & inside[1][:, None, :]
    return jnp.where(seen[..., None], total, jnp.asarray(outside, x.dtype))


def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """An image at an offset in one of zeros."""
    top, left, rows, columns = static([offset_height, offset_width, target_height, target_width])

    def framed(x: Any) -> Any:
        sides = [(0, 0)] * (x.ndim - 3) + [
            (top, rows - top - x.shape[-3]),
            (left, columns - left - x.shape[-2]),
            (0, 0),
        ]
        return jnp.pad(array(x), sides)

    return node("pad", framed, convert(image))


def resize_image_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """The middle of an image, or an image in the middle of zeros."""
    sizes = static([target_height, target_width])

    def fitted(x: Any) -> Any:
        x = array(x)
        for axis, size in zip((x.ndim - 3, x.ndim - 2), sizes, strict=True):
            spare = size - x.shape[axis]
            if spare < 0:
                x = jax.lax.slice_in_dim(x, -spare // 2, -spare // 2 + size, axis=axis)
            else:
                x = jnp.pad(x, [(spare // 2, spare - spare // 2) if i == axis else (0, 0) for i in range(x.ndim)])
        return x

    return node("crop_or_pad", fitted, convert(image))


def central_crop(image: Any, central_fraction: float) -> Any:
    """The middle of an image."""

    def middle(x: Any) -> Any:
        x = array(x)
        for axis in (x.ndim - 3, x.ndim - 2):
            start = int((x.shape[axis] - x.shape[axis] * central_fraction) / 2)
            x = jax.lax.slice_in_dim(x, start, x.shape[axis] - start, axis=axis)
        return x

    return node("central_crop", middle, convert(image))


# -- turned ------------------------------------------------------------------------------------------------------------


def _turning(kind: str, function: Callable[[Any], Any], doc: str) -> Callable[..., Any]:
    def turned(image: Any, name: str | None = None) -> Any:
        return node(kind, lambda x: function(array(x)), convert(image), name=name)

    turned.__name__ = turned.__qualname__ = kind
    turned.__doc__ = doc
    return turned


flip_left_right = _turning("flip_left_right", lambda x: jnp.flip(x, -2), "The columns backwards.")
flip_up_down = _turning("flip_up_down", lambda x: jnp.flip(x, -3), "The rows backwards.")
transpose_image = _turning("transpose_image", lambda x: jnp.swapaxes(x, -3, -2), "Rows as columns.")


def rot90(image: Any, k: int = 1, name: str | None = None) -> Any:
    """Turned by `k` quarters, against the clock."""
    return node("rot90", lambda x: jnp.rot90(array(x), int(static(k)), (-3, -2)), convert(image), name=name)


def _perhaps(kind: str, axis: int, doc: str) -> Callable[..., Any]:
    def turned(image: Any, seed: int | None = None) -> Any:
        def drawn(x: Any) -> Any:
            x = array(x)
            yes = jax.random.bernoulli(_draws.key_for(seed), shape=(x.shape[0], 1, 1, 1) if x.ndim == 4 else ())
            return jnp.where(yes, jnp.flip(x, axis), x)

        return node(kind, _graph.draws(drawn), convert(image))

    turned.__name__ = turned.__qualname__ = kind
    turned.__doc__ = doc
    return turned


random_flip_left_right = _perhaps("random_flip_left_right", -2, "The columns backwards, or not, for each image.")
random_flip_up_down = _perhaps("random_flip_up_down", -3, "The rows backwards, or not, for each image.")

# -- colours -----------------------------------------------------------------------------------------------------------


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of images with numbers from 0 to 1, for images of any type."""

    def call(x: Any, *args: Any) -> Any:
        x = array(x)
        if jnp.issubdtype(x.dtype, jnp.floating):
            return function(x, *args)
        most = np.iinfo(x.dtype).max
        return jnp.clip(function(x.astype("float32") / most, *args) * (most + 0.5), 0, most).astype(x.dtype)

    return call


def adjust_brightness(image: Any, delta: Any) -> Any:
    """`delta` added to all numbers."""
    return node("adjust_brightness", _kept(lambda x, d: x + d), convert(image), delta)


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """`(x - mean) * contrast_factor + mean`, with the mean of each channel of an image."""
    return node("adjust_contrast", _kept(_contrasted), convert(images), contrast_factor)


def _saturated(x: Any, factor: Any) -> Any:
    """In HSV the saturation times a factor, at most 1: for each channel, that is a blend with the largest."""
    top, bottom = jnp.max(x, -1, keepdims=True), jnp.min(x, -1, keepdims=True)
    spread = jnp.where(top > bottom, top - bottom, jnp.ones_like(top))
    saturation = jnp.where(top > 0, spread / jnp.where(top > 0, top, jnp.ones_like(top)), jnp.zeros_like(top))
    wanted = jnp.clip(saturation * factor, 0, 1)
    return jnp.where(top > bottom, top - (top - x) / spread * wanted * top, x)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Any:
    """More or less colourful."""
    return node("adjust_saturation", _kept(_saturated), convert(image), saturation_factor, name=name)


def _contrasted(x: Any, factor: Any) -> Any:
    mean = jnp.mean(x, (-3, -2), keepdims=True)
    return (x - mean) * factor + mean


def _drawn(kind: str, change: Callable[[Any, Any], Any], image: Any, low: Any, high: Any, seed: Any) -> Any:
    """An image changed by a number between two that is drawn in each run."""

    def changed(x: Any) -> Any:
        return _kept(change)(x, jax.random.uniform(_draws.key_for(seed), (), "float32", low, high))

    return node(kind, _graph.draws(changed), convert(image))


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Any:
    """`adjust_brightness` by a number from `-max_delta` to `max_delta`, drawn in each run."""
    return _drawn("random_brightness", lambda x, d: x + d, image, -max_delta, max_delta, seed)


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Any:
    """`adjust_contrast` by a factor between two, drawn in each run."""
    return _drawn("random_contrast", _contrasted, image, lower, upper, seed)


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Any:
    """`adjust_saturation` by a factor between two, drawn in each run."""
    return _drawn("random_saturation", _saturated, image, lower, upper, seed)


def per_image_standardization(image: Any) -> Any:
    """`(x - mean) / max(standard deviation, 1 / sqrt(count))` of each image."""

    def standard(x: Any) -> Any:
        x = array(x).astype("float32")
        axes = (-3, -2, -1)
        count = float(np.prod(x.shape[-3:]))
        deviation = jnp.maximum(jnp.std(x, axes, keepdims=True), 1 / np.sqrt(count))
        return (x - jnp.mean(x, axes, keepdims=True)) / deviation

    return node("per_image_standardization", standard, convert(image))


per_image_whitening = per_image_standardization


def rgb_to_grayscale(images: Any, name: str | None = None) -> Any:
    """`0.2989 * red + 0.587 * green + 0.114 * blue`, as one channel."""

    def grey(x: Any) -> Any:
        return jnp.matmul(x, jnp.array([[0.2989], [0.587], [0.114]], x.dtype))

    return node("rgb_to_grayscale", _kept(grey), convert(images), name=name)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Any:
    """The one channel three times."""
    return node("grayscale_to_rgb", lambda x: jnp.repeat(array(x), 3, -1), convert(images), name=name)


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Any:
    """Another type: whole numbers from 0 to their largest, fractions from 0 to 1."""
    wanted = np.dtype(dtype_name(dtype))

    def converted(x: Any) -> Any:
        x = array(x)
        whole = jnp.issubdtype(x.dtype, jnp.integer)
        if whole and wanted.kind == "f":
            return x.astype(wanted) / np.iinfo(x.dtype).max
        if not whole and wanted.kind in "iu":
            scaled = x * (np.iinfo(wanted).max + 0.5)
            return (jnp.clip(scaled, np.iinfo(wanted).min, np.iinfo(wanted).max) if saturate else scaled).astype(wanted)
        return x.astype(wanted)

    return node("convert_image", converted, convert(image), name=name)


def total_variation(images: Any, name: str | None = None) -> Any:
    """The sum of sizes of differences between neighbours, for each image."""

    def summed(x: Any) -> Any:
        x = float_array(x)
        axes = (-3, -2, -1)
        down, across = jnp.abs(jnp.diff(x, axis=-3)), jnp.abs(jnp.diff(x, axis=-2))
        return jnp.sum(down, axes) + jnp.sum(across, axes)

    return node("total_variation", summed, convert(images), name=name)


resize_with_crop_or_pad = resize_image_with_crop_or_pad

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_saturation", "central_crop", "convert_image_dtype",
    "crop_and_resize", "crop_to_bounding_box", "decode_bmp", "decode_image", "decode_jpeg", "decode_png",
    "encode_jpeg", "encode_png", "flip_left_right", "flip_up_down", "grayscale_to_rgb",
    "non_max_suppression", "pad_to_bounding_box",
    "per_image_standardization", "per_image_whitening", "random_brightness", "random_contrast", "random_crop",
    "random_flip_left_right", "random_flip_up_down", "random_saturation", "resize", "resize_bilinear",
    "resize_with_crop_or_pad", "resize_with_pad",
    "resize_image_with_crop_or_pad", "resize_images", "resize_nearest_neighbor", "rgb_to_grayscale", "rot90",
    "total_variation", "transpose_image",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from kjax.compat.tensorflow import _image_newer

    if name in _image_newer.__all__:
        return getattr(_image_newer, name)
    raise _missing.complaint("tensorflow.image", name, [*__all__, *_image_newer.__all__])
