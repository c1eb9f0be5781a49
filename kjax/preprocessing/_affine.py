"""Affine transforms of images: rotation, shift, shear and zoom in one step, for one image or a batch of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kjax._core.arguments import function_accepts_old_names

_OWN_MODES = ("nearest", "constant", "reflect", "wrap")
# Pixels whose weights are computed at once: few enough that they stay in the processor's cache.
_PIXELS = 1 << 14
# Values below which building a matrix takes longer than it saves.
_SMALL = 1 << 13
_NEUTRAL = {"theta": 0.0, "tx": 0.0, "ty": 0.0, "shear": 0.0, "zx": 1.0, "zy": 1.0}


def transform_matrix_offset_center(matrix: np.ndarray, x: float, y: float) -> np.ndarray:
    """A 3 x 3 transform about the origin, moved to the centre of an image of `x` rows and `y` columns."""
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -there[:2, 2]
    return there @ np.asarray(matrix) @ back


def is_neutral(parameters: Mapping[str, Any]) -> bool:
    """Whether these parameters of an affine transform leave an image as it is."""
    given = parameters.get
    still = given("theta", 0) == given("tx", 0) == given("ty", 0) == given("shear", 0) == 0
    return bool(still and given("zx", 1) == given("zy", 1) == 1)


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image rotated, shifted, sheared and zoomed about its centre.

    Pixel `p` of the result is taken from the place `R(theta) T(tx, ty) S(shear) Z(zx, zy) p` of the image.

    Arguments:
        x: image of rank 3.
        theta: angle of rotation, in degrees.
        tx, ty: shift, in rows and in columns.
        shear: angle of shear, in degrees.
        zx, zy: zoom of rows and of columns; above 1 the image becomes smaller.
        row_axis, col_axis, channel_axis: which axis is which.
        fill_mode: what lies outside: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: the constant of `'constant'`.
        order: degree of the interpolating spline: 0 is the nearest pixel, 1 linear.

    Raises:
        ValueError: for a rank other than 3.
    """
    x = np.asarray(x)
    if x.ndim != 3:
        raise ValueError(f"Expected an image of rank 3. Got array with shape: {x.shape}")
    parameters = {"theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy}
    if is_neutral(parameters):
        return x
    linear, shift = _matrices([parameters], x.shape[row_axis], x.shape[col_axis])
    images = np.moveaxis(x, channel_axis, -1)[None]
    return np.moveaxis(_warped(images, linear, shift, fill_mode, cval, order)[0], -1, channel_axis)


@function_accepts_old_names("apply_transform")
def apply_transform(
    x: np.ndarray, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """An image whose pixel `p` is taken from the place `transform_matrix p`: the function of Keras 1 and 2.0.

    Arguments:
        x: image of rank 3.
        transform_matrix: 3 x 3 matrix.
        channel_axis: axis of the channels.
        fill_mode: what lies outside: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: the constant of `'constant'`.
    """
    matrix = np.asarray(transform_matrix, "float64")
    images = np.moveaxis(np.asarray(x), channel_axis, -1)[None]
    warped = _warped(images, matrix[None, :2, :2], matrix[None, :2, 2], fill_mode, cval, 1)
    return np.moveaxis(warped[0], -1, channel_axis)


def transform_batch(
    images: np.ndarray, parameters: Sequence[Mapping[str, Any]], fill_mode: str, cval: float, order: int
) -> np.ndarray:
    """A batch of images with channels last, each transformed by its own parameters."""
    moved = [i for i, each in enumerate(parameters) if not is_neutral(each)]
    if not moved:
        return images
    linear, shift = _matrices([parameters[i] for i in moved], images.shape[1], images.shape[2])
    if len(moved) == len(images):
        return _warped(images, linear, shift, fill_mode, cval, order)
    images[moved] = _warped(images[moved], linear, shift, fill_mode, cval, order)
    return images


def _matrices(parameters: Sequence[Mapping[str, Any]], rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The linear parts `(n, 2, 2)` and the shifts `(n, 2)`, about the centre, of `n` transforms."""
    theta, tx, ty, shear, zx, zy = (
        np.array([each.get(name, neutral) for each in parameters], "float64") for name, neutral in _NEUTRAL.items()
    )
    cos, sin = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
    slant, height = -np.sin(np.deg2rad(shear)), np.cos(np.deg2rad(shear))
    linear = np.empty((len(parameters), 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = cos * zx, (cos * slant - sin * height) * zy
    linear[:, 1, 0], linear[:, 1, 1] = sin * zx, (sin * slant + cos * height) * zy
    x, y = rows / 2 + 0.5, columns / 2 + 0.5
    shift = np.empty((len(parameters), 2))
    shift[:, 0] = linear[:, 0, 0] * -x + linear[:, 0, 1] * -y + (cos * tx - sin * ty + x)
    shift[:, 1] = linear[:, 1, 0] * -x + linear[:, 1, 1] * -y + (sin * tx + cos * ty + y)
    return linear, shift


def _warped(
    images: np.ndarray, linear: np.ndarray, shift: np.ndarray, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    """Images with channels last, each warped by its own matrix."""
    own = order == 1 and fill_mode in _OWN_MODES and images.dtype.kind == "f" and images.dtype.itemsize >= 4
    if not own or images.size < _SMALL:
        return _warped_by_scipy(images, linear, shift, fill_mode, cval, order)
    _, rows, columns, _ = images.shape
    if (linear == np.eye(2)).all() and fill_mode != "reflect" and fill_mode != "wrap" and (shift % 1 == 0).all():
        return _moved(images, shift.astype(int), fill_mode, cval)
    warped = np.empty_like(images, order="C")
    step = max(1, _PIXELS // (rows * columns))
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        warped[part] = _interpolated(images[part], linear[part], shift[part], fill_mode, cval)
    return warped


def _warped_by_scipy(
    images: np.ndarray, linear: np.ndarray, shift: np.ndarray, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    from scipy import ndimage

    small = images.dtype.kind == "f" and images.dtype.itemsize < 4
    source = images.astype("float32") if small else images
    warped = np.empty_like(source, order="C")
    for image, out, matrix, offset in zip(source, warped, linear, shift, strict=True):
        for channel in range(image.shape[-1]):
            out[..., channel] = ndimage.affine_transform(
                image[..., channel], matrix, offset, order=order, mode=fill_mode, cval=cval
            )
    return warped.astype(images.dtype, copy=False)


def _moved(images: np.ndarray, shift: np.ndarray, fill_mode: str, cval: float) -> np.ndarray:
    """Images moved by whole pixels."""
    _, rows, columns, _ = images.shape
    row, column = np.arange(rows) + shift[:, :1], np.arange(columns) + shift[:, 1:]
    moved = np.empty_like(images, order="C")
    places = zip(np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1), strict=True)
    for image, out, (y, x) in zip(images, moved, places, strict=True):
        image.take(y, 0).take(x, 1, out, mode="clip")  # without a mode, `out` is buffered
    if fill_mode == "constant":
        inside = ((row >= 0) & (row < rows))[:, :, None] & ((column >= 0) & (column < columns))[:, None, :]
        moved[~inside] = cval
    return moved


def _interpolated(images: np.ndarray, linear: np.ndarray, shift: np.ndarray, fill_mode: str, cval: float) -> np.ndarray:
    """Linear interpolation as one sparse matrix: four weights for each pixel, the same for all channels."""
    from scipy.sparse import csr_array

    n, rows, columns, channels = images.shape
    i, j = np.arange(float(rows))[:, None], np.arange(float(columns))
    # In scipy's order of summation, so that a pixel on the border falls on the same side of it.
    y = (shift[:, 0, None, None] + linear[:, 0, 0, None, None] * i) + linear[:, 0, 1, None, None] * j
    x = (shift[:, 1, None, None] + linear[:, 1, 0, None, None] * i) + linear[:, 1, 1, None, None] * j
    outside = None
    if fill_mode == "constant":
        outside = (y < 0) | (y > rows - 1) | (x < 0) | (x > columns - 1)
    y, x = _folded(y, rows, fill_mode), _folded(x, columns, fill_mode)
    top, left = np.floor(y), np.floor(x)
    low, right = y - top, x - left
    weights = np.empty((n, rows, columns, 4))
    high, near = 1 - low, 1 - right
    np.multiply(high, near, out=weights[..., 0])
    np.multiply(high, right, out=weights[..., 1])
    np.multiply(low, near, out=weights[..., 2])
    np.multiply(low, right, out=weights[..., 3])
    top, left = top.astype("int32"), left.astype("int32")
    first = np.arange(0, n * rows * columns, rows * columns, dtype="int32")[:, None, None]
    upper = np.clip(top, 0, rows - 1) * columns + first
    lower = np.clip(top + 1, 0, rows - 1) * columns + first
    before, after = np.clip(left, 0, columns - 1), np.clip(left + 1, 0, columns - 1)
    places = np.empty((n, rows, columns, 4), "int32")
    np.add(upper, before, out=places[..., 0])
    np.add(upper, after, out=places[..., 1])
    np.add(lower, before, out=places[..., 2])
    np.add(lower, after, out=places[..., 3])
    pixels = n * rows * columns
    ends = np.arange(0, 4 * pixels + 1, 4, dtype="int32")
    matrix = csr_array((weights.reshape(-1), places.reshape(-1), ends), shape=(pixels, pixels))
    flat = np.ascontiguousarray(images, "float64").reshape(pixels, channels)
    out = (matrix @ flat).reshape(images.shape)
    if outside is not None:
        out[outside] = cval
    return out


def _folded(place: np.ndarray, length: int, fill_mode: str) -> np.ndarray:
    """Places along an axis, those outside of the image brought back by the fill mode."""
    last = length - 1
    if fill_mode == "wrap" and last:
        return place - last * np.where(
            place < 0, np.trunc(place / last) - 1, np.where(place > last, np.trunc(place / last), 0)
        )
    if fill_mode == "reflect" and last:
        folded = place % (2 * length)
        return np.where(
            place < 0,
            np.where(folded < length, folded, 2 * length - folded - 1),
            np.where(place > last, np.where(folded >= length, 2 * length - folded - 1, folded), place),
        )
    return np.clip(place, 0, last)
