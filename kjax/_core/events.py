"""Event files: what TensorBoard reads. Records in TFRecord's framing, each one an `Event` in protobuf's encoding.

Both formats are small enough to be written by hand, so neither TensorFlow nor protobuf is needed.

A record is its length (8 bytes), a checksum of that, the data, a checksum of the data. A protobuf message is a row of
fields: number and kind in one varint, then the content. The numbers of the fields are those of TensorFlow's
`event.proto`, `summary.proto` and `graph.proto`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np

_VERSION = b"brain.Event:2"

# -- TFRecord ---------------------------------------------------------------------------------------------------------


@functools.cache
def _crc_table() -> list[int]:
    """CRC of each byte, for the polynomial of CRC-32C in its reversed form."""
    table: list[int] = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def crc32c(data: bytes) -> int:
    """The checksum CRC-32C (Castagnoli) of `data`."""
    table = _crc_table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> int:
    """The checksum as a TFRecord holds it: turned by 15 bits, plus a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """`data` as one record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


# -- protobuf ---------------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    """An integer in groups of 7 bits, lowest first. A negative one as its 64-bit two's complement."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    """A field of an integer type."""
    return varint(field << 3) + varint(value)


def double(field: int, value: float) -> bytes:
    """A field of type double."""
    return varint(field << 3 | 1) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    """A field of type float."""
    return varint(field << 3 | 5) + struct.pack("<f", value)


def block(field: int, value: bytes | str) -> bytes:
    """A field of type string or bytes, a message, or packed numbers."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


# -- summaries: each function makes one `Summary.Value` ----------------------------------------------------------------


def scalar_value(tag: str, value: Any) -> bytes:
    """One number."""
    return block(1, tag) + single(2, _as_float(value))


def _as_float(value: Any) -> float:
    number = float(np.asarray(value).reshape(()))
    with np.errstate(over="ignore"):
        return float(np.float32(number))  # `struct` refuses what overflows; TensorBoard shows inf


@functools.cache
def _bucket_limits() -> np.ndarray:
    """Upper ends of a histogram's buckets: from 1e-12 on, each 1.1 times the one before; mirrored below zero."""
    positive: list[float] = []
    limit = 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    largest = sys.float_info.max
    return np.array([-largest, *(-v for v in reversed(positive)), 0.0, *positive, largest])


def histogram_value(tag: str, values: Any) -> bytes:
    """The distribution of an array's numbers. What is not finite is left out.

    Arguments:
        tag: name of the histogram.
        values: numbers of any shape.
    """
    numbers = np.asarray(values, np.float64).reshape(-1)
    numbers = numbers[np.isfinite(numbers)]
    limits = _bucket_limits()
    places = np.minimum(np.searchsorted(limits, numbers, side="right"), len(limits) - 1)
    counts = np.bincount(places, minlength=len(limits)).astype(np.float64)
    # An empty bucket is kept only where it closes a gap before a full one.
    kept = counts > 0
    kept[:-1] |= kept[1:]
    if not kept.any():
        kept[-1] = True
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    fields = [low, high, float(numbers.size), float(numbers.sum()), float(np.square(numbers).sum())]
    histogram = b"".join(double(i, v) for i, v in enumerate(fields, 1))
    histogram += block(6, limits[kept].astype("<f8").tobytes()) + block(7, counts[kept].astype("<f8").tobytes())
    return block(1, tag) + block(5, histogram)


def png(image: np.ndarray) -> bytes:
    """A PNG file of an image `(height, width, channels)` of uint8, with 1, 2, 3 or 4 channels."""
    height, width, channels = image.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = image.reshape(height, -1)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def image_bytes(image: Any) -> np.ndarray:
    """An image of floats as uint8, scaled as TensorFlow does: so that the largest number is 255, and, where some
    are negative, so that 0 is 127. One of uint8 is left as it is.

    Arguments:
        image: `(height, width)` or `(height, width, channels)`.

    Raises:
        ValueError: for another number of axes or channels.
    """
    pixels = np.asarray(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 2, 3, 4):
        raise ValueError(f"An image should have the shape (height, width, 1 to 4 channels), but has {pixels.shape}.")
    if pixels.dtype == np.uint8:
        return pixels
    pixels = pixels.astype(np.float64)
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low < 0:
        scale, offset = 127.0 / max(high, -low), 128.0
    else:
        scale, offset = 255.0 / (high or 1.0), 0.0
    return np.clip(np.nan_to_num(pixels * scale + offset), 0, 255).astype(np.uint8)


def image_value(tag: str, image: Any) -> bytes:
    """One image: see `image_bytes`."""
    pixels = image_bytes(image)
    height, width, channels = pixels.shape
    content = integer(1, height) + integer(2, width) + integer(3, channels) + block(4, png(pixels))
    return block(1, tag) + block(4, content)


def text_value(tag: str, text: str) -> bytes:
    """A text in Markdown: a tensor of one string, shown by TensorBoard's plugin `text`."""
    tensor = integer(1, 7) + block(2, b"") + block(8, text)
    return block(1, tag) + block(8, tensor) + block(9, block(1, block(1, "text")))


def summary(values: Iterable[bytes]) -> bytes:
    """A `Summary` of several values."""
    return b"".join(block(1, value) for value in values)


def graph_def(nodes: Iterable[tuple[str, str, Iterable[str], Mapping[str, str]]]) -> bytes:
    """A `GraphDef`.

    Arguments:
        nodes: of each node the name, the operation, the names of its inputs, and further facts to show.
    """
    out = b""
    for name, op, inputs, facts in nodes:
        node = block(1, name) + block(2, op) + b"".join(block(3, i) for i in inputs)
        for key, fact in facts.items():
            node += block(5, block(1, key) + block(2, block(2, fact)))
        out += block(1, node)
    return out + block(4, integer(1, 24))


# -- the file ----------------------------------------------------------------------------------------------------------


class EventWriter:
    """Appends events to a new file in a folder, which is made if needed.

    Arguments:
        logdir: the folder.
        suffix: end of the file's name.
        flush_secs: seconds after which what was written is given to the file at the next event.
    """

    def __init__(self, logdir: str | os.PathLike[str], suffix: str = "", flush_secs: float = 120.0) -> None:
        self._folder = pathlib.Path(logdir)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._flush_secs = flush_secs
        self._flushed = time.monotonic()
        self._lock = threading.Lock()
        self.path, self._file = self._create(suffix)
        self._add(block(3, _VERSION), None)
        self.flush()

    def _create(self, suffix: str) -> tuple[pathlib.Path, BinaryIO]:
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
        for count in range(10_000):  # several writers may start in one second
            path = self._folder / f"{name}{f'.{count}' if count else ''}{suffix}"
            with contextlib.suppress(FileExistsError):
                return path, path.open("xb")
        raise FileExistsError(f"The folder {self._folder} holds 10,000 event files of this second.")

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._file.closed

    def _add(self, content: bytes, step: Any, wall_time: float | None = None) -> None:
        event = double(1, time.time() if wall_time is None else wall_time)
        if step is not None:
            event += integer(2, int(step))
        with self._lock:
            self._file.write(record(event + content))
            if time.monotonic() - self._flushed > self._flush_secs:
                self._file.flush()
                self._flushed = time.monotonic()

    def summary(self, encoded: bytes, step: Any = None, wall_time: float | None = None) -> None:
        """Add a `Summary`, already encoded (see `summary` of this module)."""
        self._add(block(5, encoded), step, wall_time)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """The same as `tf.summary.FileWriter` calls it: of an encoded summary, or one that encodes itself."""
        encode = getattr(summary, "SerializeToString", None)
        encoded = summary if encode is None else encode()
        if not isinstance(encoded, bytes):
            raise TypeError(
                "`summary` should be what `sess.run` gives for a summary, or a `tf.Summary`, but is "
                f"{type(summary).__name__}."
            )
        self.summary(encoded, None if global_step is None else int(global_step))

    def scalar(self, tag: str, value: Any, step: Any = None) -> None:
        """Add a number."""
        self.summary(summary([scalar_value(tag, value)]), step)

    def histogram(self, tag: str, array: Any, step: Any = None) -> None:
        """Add the distribution of an array's numbers."""
        self.summary(summary([histogram_value(tag, array)]), step)

    def image(self, tag: str, array: Any, step: Any = None) -> None:
        """Add an image `(height, width)` or `(height, width, channels)`: see `image_bytes`."""
        self.summary(summary([image_value(tag, array)]), step)

    def text(self, tag: str, text: str, step: Any = None) -> None:
        """Add a text."""
        self.summary(summary([text_value(tag, text)]), step)

    def graph(self, encoded: bytes, step: Any = None) -> None:
        """Add a `GraphDef`, already encoded (see `graph_def`)."""
        self._add(block(4, encoded), step)

    def flush(self) -> None:
        """Give all that was written to the file."""
        with self._lock:
            self._file.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Close the file. What is added afterwards raises ValueError."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
