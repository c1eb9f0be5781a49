"""Files and what is in them, read at once: in `Dataset.map`, or before a graph is built."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

import numpy as np

from kjax._core.guards import pictures
from kjax.compat.tensorflow import gfile
from kjax.compat.tensorflow._arguments import dtype_name
from kjax.compat.tensorflow._elements import Element
from kjax.compat.tensorflow._texts import host_value, shown, text_of, texts
from kjax.compat.tensorflow.dtypes import DType
from kjax.compat.tensorflow.errors import InvalidArgumentError, NotFoundError
from kjax.preprocessing._image_files import pil

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _path(filename: Any) -> str:
    return text_of(host_value(filename, "tf.io.read_file")[()])


def _as_element(content: Any) -> Any:
    made = np.empty((), object)
    made[()] = content
    return made.view(Element)


def read_file(filename: Any, name: str | None = None) -> Any:
    """The bytes of a file.

    Raises:
        NotFoundError: if there is none.
    """
    path = _path(filename)
    if not os.path.isfile(path):
        raise NotFoundError(None, None, f"{path}; No such file or directory")
    with gfile.GFile(path, "rb") as file:
        return _as_element(file.read())


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Bytes or a string as a file; its folder is made if it is not there."""
    path, content = _path(filename), host_value(contents, "tf.io.write_file")[()]
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with gfile.GFile(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else text_of(content).encode())


def matching_files(pattern: Any, name: str | None = None) -> Any:
    """The files that fit a pattern, in order."""
    return texts(np.array(gfile.Glob([text_of(p) for p in np.ravel(host_value(pattern))]), object))


# -- pictures ----------------------------------------------------------------------------------------------------------


def _opened(contents: Any) -> Any:
    content = host_value(contents, "tf.image.decode_image")[()]
    pil()
    try:
        return pictures.read(io.BytesIO(bytes(content)))
    except OSError as error:
        raise InvalidArgumentError(None, None, f"The picture cannot be decoded: {error}") from error


def _pixels(image: Any, channels: int, dtype: Any) -> np.ndarray:
    """The numbers of a picture of Pillow: (rows, columns, channels)."""
    if not channels:
        channels = {"L": 1, "1": 1, "I;16": 1, "I": 1, "RGBA": 4, "LA": 4, "PA": 4}.get(image.mode, 3)
    deep = dtype == "uint16" and image.mode in ("I;16", "I") and channels == 1
    pixels = np.asarray(image if deep or image.mode == _MODES[channels] else image.convert(_MODES[channels]))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if dtype == "uint16" and not deep:
        return pixels.astype("uint16") * 257
    return pixels.astype("uint16") if deep else pixels


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = "uint8", name: Any = None, expand_animations: bool = True
) -> Any:
    """The picture in the bytes of a file: (rows, columns, channels).

    Arguments:
        contents: the bytes.
        channels: 1, 3 or 4; those of the file if None or 0.
        dtype: uint8 or uint16, or a type of floats for numbers from 0 to 1.
        expand_animations: has to be False for a GIF of several pictures, of which the first is taken.

    Raises:
        NotImplementedError: for several pictures otherwise.
        InvalidArgumentError: if they are no picture, or there is another number of channels.
        Refused: if it unpacks to far more than its size justifies.
    """
    if channels not in (None, 0, 1, 3, 4):
        raise InvalidArgumentError(None, None, f"A picture has 1, 3 or 4 channels, or 0 for its own, not {channels}.")
    image, wanted = _opened(contents), str(dtype_name(dtype))
    if getattr(image, "n_frames", 1) > 1 and expand_animations:
        raise NotImplementedError("Only the first of several pictures is decoded: pass expand_animations=False.")
    pixels = _pixels(image, channels or 0, wanted)
    return shown(pixels if wanted.startswith("uint") else (pixels / 255).astype(wanted))


def decode_jpeg(contents: Any, channels: int = 0, *_: Any, dtype: Any = "uint8", name: Any = None, **__: Any) -> Any:
    """`decode_image` of one picture."""
    return decode_image(contents, channels, dtype, name, expand_animations=False)


decode_bmp = decode_jpeg


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: Any = None) -> Any:
    """`decode_image` of one picture."""
    return decode_image(contents, channels, dtype, name, expand_animations=False)


def _encoded(image: Any, kind: str, **settings: Any) -> Any:
    pixels = host_value(image, "tf.io.encode_png")
    file = io.BytesIO()
    pil().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, kind, **settings)
    return _as_element(file.getvalue())


def encode_jpeg(image: Any, format: str = "", quality: int = 95, name: Any = None, **_: Any) -> Any:
    """The bytes of a file for a picture of uint8."""
    return _encoded(image, "jpeg", quality=quality)


def encode_png(image: Any, compression: int = -1, name: Any = None) -> Any:
    """The bytes of a file for a picture of uint8."""
    return _encoded(image, "png")


# -- numbers -----------------------------------------------------------------------------------------------------------


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, name: str | None = None) -> Any:
    """Bytes as numbers of a type."""
    kind = np.dtype(str(out_type)).newbyteorder("<" if little_endian else ">")
    found = np.frombuffer(host_value(input_bytes, "tf.io.decode_raw")[()], kind)
    return shown(found.astype(dtype_name(out_type)))


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, name: Any = None,
    na_value: str = "", select_cols: Any = None,
) -> Any:  # fmt: skip
    """The columns of a line, or of several lines, of comma-separated values.

    Arguments:
        records: a string, or an array of them.
        record_defaults: for each column a list with what an empty one is, or its type if it must not be empty.

    Raises:
        InvalidArgumentError: if the number of columns differs from that of defaults, or a column must not be empty.
    """
    lines = host_value(records, "tf.io.decode_csv")
    quote = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = list(csv.reader([text_of(x) for x in lines.ravel()], delimiter=field_delim, quoting=quote))
    rows = rows if select_cols is None else [[row[i] for i in select_cols] for row in rows]
    for row in rows:
        if len(row) != len(record_defaults):
            raise InvalidArgumentError(None, None, f"Expect {len(record_defaults)} fields but have {len(row)}: {row}.")
    return [
        _column([row[i] for row in rows], default, na_value, lines.shape) for i, default in enumerate(record_defaults)
    ]


def _column(cells: list[str], default: Any, missing: str, shape: tuple[int, ...]) -> Any:
    declared = isinstance(default, DType)
    given = np.ravel(np.asarray([] if declared else host_value(default)))
    kind = default.name if declared else {"f": "float32", "i": "int32"}.get(given.dtype.kind, "string")
    if any(cell in ("", missing) for cell in cells) and not given.size:
        raise InvalidArgumentError(None, None, "A field is required but missing: give it a default.")
    filled = [given[0] if cell in ("", missing) else cell for cell in cells]
    if kind == "string":
        return texts(np.array(filled, object).reshape(shape))
    return shown(np.array([float(x) if "float" in kind else int(x) for x in filled], kind).reshape(shape))
