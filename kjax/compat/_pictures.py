"""SciPy's functions for pictures, which it had in `scipy.misc` until version 1.2."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax._core.guards import pictures

_FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> np.ndarray:
    """Numbers as bytes: the smallest (`cmin`) becomes `low`, the largest (`cmax`) `high`. Bytes stay as they are."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    scaled = (data.astype("float64") - cmin) * ((high - low) / ((cmax - cmin) or 1)) + low
    return (scaled.clip(low, high) + 0.5).astype(np.uint8)


def toimage(
    arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None, mode: Any = None, **_: Any
) -> Any:
    """A PIL image of a (rows, columns) array, or one with 3 or 4 channels on any axis."""
    from PIL import Image

    arr = np.asarray(arr)
    if mode == "F":
        return Image.fromarray(arr.astype("float32"))
    if arr.ndim == 3 and arr.shape[-1] not in (3, 4):
        channels = next((axis for axis in (0, 1) if arr.shape[axis] in (3, 4)), None)
        if channels is None:
            raise ValueError(f"A picture has 3 or 4 channels on one axis; got an array of shape {arr.shape}.")
        arr = np.moveaxis(arr, channels, -1)
    image = Image.fromarray(np.ascontiguousarray(bytescale(arr, cmin, cmax, high, low)))
    return image if mode in (None, image.mode) else image.convert(mode)


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """The array of a PIL image; `flatten` makes it one layer of floats."""
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im)


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """The picture in a file, as an array."""
    return fromimage(pictures.read(name), flatten, mode)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Write an array as a picture; what are no bytes is scaled to the range of its values."""
    toimage(arr).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """An array of bytes of another size.

    Arguments:
        size: percent (int), share (float), or (rows, columns).
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        size = size / 100.0
    if isinstance(size, (float, np.floating)):
        wanted = tuple(int(length * size) for length in image.size)
    else:
        wanted = (int(size[1]), int(size[0]))
    return fromimage(image.resize(wanted, resample=_FILTERS[interp]))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray:
    """An array of bytes turned against the clock, by degrees."""
    return fromimage(toimage(arr).rotate(angle, resample=_FILTERS[interp]))


__all__ = ["bytescale", "fromimage", "imread", "imresize", "imrotate", "imsave", "toimage"]
