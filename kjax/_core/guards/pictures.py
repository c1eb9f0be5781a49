"""Pictures: their size is compared with the file's before Pillow makes room, and no other program draws them."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

from kjax._core.guards._budget import Budget, Refused, open_file, size_of

# What Pillow hands to Ghostscript, to Windows, or to plugins that others installed.
_DRAWN_BY_OTHERS = ("EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG")
_PER_PIXEL = 4


def read(source: Any) -> Any:
    """The picture of a file, unpacked, as Pillow's object.

    Arguments:
        source: a path or a binary file object.

    Raises:
        ImportError: without Pillow.
        OSError: if it cannot be opened, or is no picture.
        Refused: if it unpacks to far more than its size justifies, or could only be drawn by another program.
            `PIL.Image.MAX_IMAGE_PIXELS = None` allows any size.
    """
    from PIL import Image

    name = str(getattr(source, "name", "the file object") if hasattr(source, "read") else source)
    if hasattr(source, "read") and not source.seekable():  # such as an answer from the network
        source = io.BytesIO(source.read())
    with contextlib.nullcontext(source) if hasattr(source, "read") else open_file(source) as file:
        size = size_of(file)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # compared below
                image = Image.open(file)
        except Image.DecompressionBombError as error:
            raise Refused(f"The picture {name} is not read: {error}") from error
        with image:
            if image.format in _DRAWN_BY_OTHERS:
                raise Refused(f"The picture {name} is of the kind {image.format}, which another program would draw.")
            if Image.MAX_IMAGE_PIXELS is not None:
                _check_size(name, image.size, size)
            image.load()
            return image


def _check_size(name: str, sides: tuple[int, int], size: int) -> None:
    try:
        Budget(name, size).spend(sides[0] * sides[1] * _PER_PIXEL, f"{sides[0]} x {sides[1]} pixels")
    except Refused as error:
        raise Refused(
            f"The picture {name} is not read: {error}. If you trust it, set `PIL.Image.MAX_IMAGE_PIXELS = None`."
        ) from error
