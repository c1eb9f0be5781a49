"""Random changes to one image, each as a function of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax._core.arguments import function_accepts_old_names
from kjax.preprocessing._affine import apply_affine_transform
from kjax.preprocessing._image_files import array_to_img, img_to_array, pil


@function_accepts_old_names("random_rotation")
def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image rotated by an angle between `-rg` and `rg` degrees.

    Arguments:
        x: image of rank 3.
        rg: largest angle, in degrees.
        row_axis, col_axis, channel_axis: which axis is which.
        fill_mode: what lies outside: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: the constant of `'constant'`.
        interpolation_order: degree of the interpolating spline.
    """
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


@function_accepts_old_names("random_shift")
def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image shifted by up to the fraction `wrg` of its width and `hrg` of its height.

    The other arguments are those of `random_rotation`.
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


@function_accepts_old_names("random_shear")
def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image sheared by an angle between `-intensity` and `intensity` degrees.

    The other arguments are those of `random_rotation`.
    """
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


@function_accepts_old_names("random_zoom")
def random_zoom(
    x: np.ndarray,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image zoomed by two factors from `zoom_range = (lowest, highest)`, one for rows and one for columns.

    The other arguments are those of `random_rotation`.

    Raises:
        ValueError: if `zoom_range` is no pair.
    """
    if np.shape(zoom_range) != (2,):
        raise ValueError(f"`zoom_range` should be a tuple or list of two floats. Received: {zoom_range}")
    zx, zy = (1, 1) if zoom_range[0] == zoom_range[1] == 1 else np.random.uniform(zoom_range[0], zoom_range[1], 2)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """`x + intensity`, kept between the smallest and the largest value of `x`."""
    return np.clip(x + intensity, np.min(x), np.max(x)).astype(np.asarray(x).dtype, copy=False)


@function_accepts_old_names("random_channel_shift")
def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """`apply_channel_shift` by an amount between `-intensity_range` and `intensity_range`."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: np.ndarray, brightness: float, data_format: str | None = None) -> np.ndarray:
    """An image scaled to 0 to 255 and made brighter by the factor `brightness`, with PIL.

    Arguments:
        x: image of rank 3.
        brightness: 0 gives black, 1 the image.
        data_format: where the channels are; None for `K.image_data_format()`.
    """
    pil()
    from PIL import ImageEnhance

    image = ImageEnhance.Brightness(array_to_img(x, data_format)).enhance(brightness)
    return img_to_array(image, data_format)


def random_brightness(x: np.ndarray, brightness_range: Any) -> np.ndarray:
    """`apply_brightness_shift` by a factor from `brightness_range = (lowest, highest)`.

    Raises:
        ValueError: if `brightness_range` is no pair.
    """
    if np.shape(brightness_range) != (2,):
        raise ValueError(f"`brightness_range` should be a tuple or list of two floats. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(brightness_range[0], brightness_range[1]))


def flip_axis(x: np.ndarray, axis: int) -> np.ndarray:
    """`x` with the order along `axis` reversed."""
    return np.flip(np.asarray(x), axis)
