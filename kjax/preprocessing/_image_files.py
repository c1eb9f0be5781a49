"""Images as files, as PIL's objects and as arrays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from kjax._core import atomic, config
from kjax._core.arguments import function_accepts_old_names
from kjax._core.guards import pictures

EXTENSIONS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_FORMATS = ("channels_first", "channels_last")
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}


def pil() -> Any:
    """PIL's module `Image`.

    Raises:
        ImportError: naming what to install.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "Could not import PIL.Image, which reads and writes images: `pip install kjax[images]`."
        ) from None
    return Image


def check_format(data_format: str | None) -> str:
    """The data format, by default that of the configuration."""
    data_format = config.image_data_format() if data_format is None else data_format
    if data_format not in _FORMATS:
        raise ValueError(
            f"Unknown data_format: {data_format}. Expected `channels_last` (channel after row and column) "
            "or `channels_first` (channel before row and column)."
        )
    return data_format


@function_accepts_old_names("load_img")
def load_img(
    path: Any,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
) -> Any:
    """The image of a file, as PIL's object.

    Arguments:
        path: path of the file, or an open file.
        grayscale: the same as `color_mode='grayscale'`.
        color_mode: `'grayscale'`, `'rgb'` or `'rgba'`. Images of 16 or 32 bits in gray keep their depth.
        target_size: `(rows, columns)` to resize to; None for the size of the file.
        interpolation: `'nearest'`, `'bilinear'`, `'bicubic'`, `'hamming'`, `'box'` or `'lanczos'`, for resizing.

    Raises:
        ImportError: without PIL.
        ValueError: for an unknown mode or interpolation, or a picture that unpacks to far more than its file justifies.
    """
    color_mode = "grayscale" if grayscale else color_mode
    if color_mode not in _MODES:
        raise ValueError(f'color_mode must be "grayscale", "rgb", or "rgba". Found: {color_mode!r}.')
    pil()
    image = pictures.read(path)
    deep = color_mode == "grayscale" and image.mode in ("I;16", "I")
    if not deep and image.mode != _MODES[color_mode]:
        image = image.convert(_MODES[color_mode])
    if target_size is None:
        return image
    size = (target_size[1], target_size[0])
    return image if image.size == size else image.resize(size, _resampling(interpolation))


def _resampling(interpolation: str) -> Any:
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(INTERPOLATIONS)}"
        )
    return pil().Resampling[interpolation.upper()]


@function_accepts_old_names("img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image of PIL as an array of rank 3.

    Arguments:
        img: image of PIL, or an array; one of rank 2 gets a channel.
        data_format: where the channels are put; None for `K.image_data_format()`.
        dtype: type of the array; None for `K.floatx()`.

    Raises:
        ValueError: for another rank, or an unknown data format.
    """
    data_format = check_format(data_format)
    array = np.array(img, dtype=dtype or config.floatx())
    if array.ndim == 3:
        return array.transpose(2, 0, 1) if data_format == "channels_first" else array
    if array.ndim != 2:
        raise ValueError(f"Unsupported image shape: {array.shape}. Expected 2 or 3 dimensions.")
    return array[None] if data_format == "channels_first" else array[..., None]


@function_accepts_old_names("array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array of rank 3 as an image of PIL.

    Arguments:
        x: array with 1, 3 or 4 channels.
        data_format: where its channels are; None for `K.image_data_format()`.
        scale: whether the smallest value becomes 0 and the largest 255.
        dtype: type to compute in; None for `K.floatx()`.

    Raises:
        ImportError: without PIL.
        ValueError: for another rank or number of channels, or an unknown data format.
    """
    image = pil()
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if check_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}. Expected 1, 3 or 4, in an array of shape {x.shape}.")
    if scale:
        x = x + max(-np.min(x), 0)
        largest = np.max(x)
        x = (x / largest if largest != 0 else x) * 255
    if channels == 1:
        x = x[:, :, 0]
        if np.max(x) > 255:
            return image.fromarray(x.astype("int32"))
    # Through int64, so that values out of range wrap around on every machine, as they did on Keras's.
    return image.fromarray(x.astype("int64").astype("uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Arguments:
        path: path of the file, or an open file.
        x: array of rank 3.
        data_format: where its channels are; None for `K.image_data_format()`.
        file_format: such as `'png'`; None to follow the ending of the path.
        scale: whether the smallest value becomes 0 and the largest 255.
        **kwargs: further arguments of PIL's `save`.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    is_jpeg = (file_format or os.path.splitext(str(path))[1].lstrip(".")).lower() in ("jpg", "jpeg")
    if image.mode == "RGBA" and is_jpeg:
        image = image.convert("RGB")  # JPEG has no transparency
    file_format = "jpeg" if file_format is not None and file_format.lower() == "jpg" else file_format
    if hasattr(path, "write"):
        image.save(path, format=file_format, **kwargs)
        return
    file_format = file_format or pil().registered_extensions().get(os.path.splitext(os.fsdecode(path))[1].lower())
    if file_format is None:
        raise ValueError(f"The ending of {os.fsdecode(path)!r} is that of no kind of image; name one by `file_format`.")
    with atomic.writing(path, durable=False) as file:
        image.save(file, format=file_format, **kwargs)


def list_pictures(directory: Any, ext: str | Iterable[str] = "jpg|jpeg|bmp|png|ppm") -> list[str]:
    """Paths of all images in a folder and those below it, sorted.

    Arguments:
        directory: the folder.
        ext: endings, separated by `|` or in a list.
    """
    endings = ext if isinstance(ext, str) else "|".join(ext)
    pattern = re.compile(rf".+\.({endings})", re.IGNORECASE)
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in os.walk(directory)
        for name in names
        if pattern.fullmatch(name)
    )


def is_image(path: Any, endings: Iterable[str] = EXTENSIONS) -> bool:
    """Whether a path ends as an image's does."""
    return str(path).lower().endswith(tuple(f".{ending}" for ending in endings))


def images_below(directory: str, follow_links: bool = False, endings: Iterable[str] = EXTENSIONS) -> list[str]:
    """Paths of the images in a folder and those below it: folder by folder, sorted in each."""
    return [
        os.path.join(folder, name)
        for folder, _, names in sorted(os.walk(directory, followlinks=follow_links), key=lambda item: item[0])
        for name in sorted(names)
        if is_image(name, endings)
    ]
