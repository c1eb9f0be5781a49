"""The storage of HDF5 data sets: whether it is there, and unpacking it without the C library's filters."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from kjax._core.guards._budget import Refused

_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_KNOWN = (_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF)
_MAX_CHUNKS = 1 << 20
_SMALL = 1 << 20


def _filters(settings: Any) -> list[int]:
    return [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]


def unknown_filter(settings: Any) -> str:
    """A filter that is not HDF5's own, or one that is named twice; empty if there is none."""
    filters = _filters(settings)
    wrong = [number for number in filters if number not in _KNOWN or filters.count(number) > 1]
    return str(wrong[0]) if wrong else ""


def is_deflated(dataset: Any) -> bool:
    """Whether its chunks are compressed by deflate."""
    return _DEFLATE in _filters(dataset.get_create_plist())


def check_stored(dataset: Any, nbytes: int, file_size: int) -> None:
    """Check that the numbers of a data set are in the file.

    Raises:
        Refused: if they are not, and their shape is a mere announcement.
    """
    from h5py import h5d  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

    settings, stored = dataset.get_create_plist(), dataset.get_storage_size()
    if settings.get_layout() != h5d.CHUNKED:
        if stored < nbytes or nbytes > file_size:
            raise Refused(f"it announces {nbytes:,} bytes, and {min(stored, file_size):,} are there")
        return
    if stored > file_size:
        raise Refused(f"its chunks have {stored:,} bytes, more than the file")
    chunk = dataset.dtype.itemsize
    for side in settings.get_chunk():
        chunk *= int(side)
    count = dataset.get_num_chunks()
    if chunk > _SMALL + 2 * nbytes or count > _MAX_CHUNKS:
        raise Refused(f"it has {count:,} chunks of {chunk:,} bytes for {nbytes:,} bytes")
    if count * chunk < nbytes:
        raise Refused(f"it announces {nbytes:,} bytes, and its chunks hold {count * chunk:,}")


def inflated(dataset: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """The array of a data set with deflated chunks.

    The C library makes as much room for a chunk as its compressed bytes ask for; here no chunk gets more than its size.
    """
    settings = dataset.get_create_plist()
    filters, sides = _filters(settings), tuple(map(int, settings.get_chunk()))
    size = int(np.prod(sides)) * dtype.itemsize
    array = np.zeros(shape, dtype)
    for number in range(dataset.get_num_chunks()):
        offset = dataset.get_chunk_info(number).chunk_offset
        mask, packed = dataset.read_direct_chunk(offset)
        data = _unpacked(bytes(packed), filters, mask, size, dtype.itemsize)
        values = np.frombuffer(data, dtype).reshape(sides)
        room = tuple(slice(at, min(at + side, end)) for at, side, end in zip(offset, sides, shape, strict=True))
        array[room] = values[tuple(slice(0, part.stop - part.start) for part in room)]
    return array


def _unpacked(data: bytes, filters: list[int], mask: int, size: int, itemsize: int) -> bytes:
    for i, number in reversed(list(enumerate(filters))):
        if mask & 1 << i:  # left out for this chunk
            continue
        if number == _FLETCHER32:
            data = data[:-4]  # deflate has a sum of its own
        elif number == _DEFLATE:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(data, size + 4)
            if unpacker.unconsumed_tail or not unpacker.eof:
                raise Refused(f"one of its chunks unpacks to more than its {size:,} bytes, or breaks off")
        elif number == _SHUFFLE:
            whole = len(data) - len(data) % itemsize
            data = np.frombuffer(data[:whole], np.uint8).reshape(itemsize, -1).T.tobytes() + data[whole:]
        else:
            raise Refused("it is compressed in an order that is not read")
    if len(data) != size:
        raise Refused(f"one of its chunks has {len(data):,} bytes instead of {size:,}")
    return data
