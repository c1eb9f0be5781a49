"""The storage of HDF5 data sets: whether it is there, and unpacking it without the C library's filters."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core.guards._budget import Refused

_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_KNOWN = (_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF)
_MAX_CHUNKS = 1 << 20
_SMALL = 1 << 20
# Unpacked chunks that are kept, for the next rows may lie in them.
_KEPT = 16 << 20


def _filters(settings: Any) -> list[int]:
    return [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]


def unknown_filter(settings: Any) -> str:
    """A filter that is not HDF5's own, or one that is named twice; empty if there is none."""
    filters = _filters(settings)
    wrong = [number for number in filters if number not in _KNOWN or filters.count(number) > 1]
    return str(wrong[0]) if wrong else ""


def is_packed(dataset: Any) -> bool:
    """Whether its chunks are compressed."""
    return not {_DEFLATE, _LZF}.isdisjoint(_filters(dataset.get_create_plist()))


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


class Packed:
    """The rows of a data set with compressed chunks.

    The C library makes as much room for a chunk as its compressed bytes ask for; here no chunk gets more than its size.

    Arguments:
        dataset: the data set.
        shape: its shape.
        dtype: its type.
        allow: called with the bytes that are to be taken; raises if those are too many.
    """

    def __init__(
        self, dataset: Any, shape: tuple[int, ...], dtype: np.dtype[Any], allow: Callable[[int], None]
    ) -> None:
        settings = dataset.get_create_plist()
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)
        self._id, self._allow = dataset, allow
        self._filters, self._sides = _filters(settings), tuple(map(int, settings.get_chunk()))
        self._row = math.prod(shape[1:]) * dtype.itemsize
        self._kept: dict[tuple[int, ...], np.ndarray] = {}

    def __getitem__(self, key: Any) -> np.ndarray:
        """Rows: by a number, a slice of step 1, or increasing numbers in an array."""
        if isinstance(key, (int, np.integer)):
            return self.read(int(key), int(key) + 1)[0]
        if isinstance(key, slice):
            first, stop, _ = key.indices(self.shape[0])
            return self.read(first, max(first, stop))
        # One read for the rows of each row of chunks.
        starts = np.flatnonzero(np.diff(key // self._sides[0])) + 1
        parts = [self.read(int(part[0]), int(part[-1]) + 1)[part - part[0]] for part in np.split(key, starts)]
        return np.concatenate(parts)

    def read(self, first: int, stop: int) -> np.ndarray:
        """The rows from `first` to the one before `stop`."""
        self._allow(self._row * (stop - first))
        array = np.empty((stop - first, *self.shape[1:]), self.dtype)
        side, others = self._sides[0], zip(self.shape[1:], self._sides[1:], strict=True)
        grid = [range(first // side * side, stop, side), *(range(0, end, step) for end, step in others)]
        used: dict[tuple[int, ...], np.ndarray] = {}
        for offset in itertools.product(*grid):
            chunk = self._kept[offset] if offset in self._kept else self._chunk(offset)
            begin, end = max(offset[0], first), min(offset[0] + side, stop, self.shape[0])
            inner = [
                slice(0, min(step, end - at)) for at, step, end in zip(offset, self._sides, self.shape, strict=True)
            ]
            inner[0] = slice(begin - offset[0], end - offset[0])
            outer = [slice(at, at + part.stop) for at, part in zip(offset, inner, strict=True)]
            outer[0] = slice(begin - first, end - first)
            array[tuple(outer)] = chunk[tuple(inner)]
            if offset[0] + side >= stop and len(used) * chunk.nbytes < _KEPT:
                used[offset] = chunk
        self._kept = used
        return array

    def _chunk(self, offset: tuple[int, ...]) -> np.ndarray:
        size = math.prod(self._sides) * self.dtype.itemsize
        stored = self._id.get_chunk_info_by_coord(offset).size
        if not stored or stored > size + size // 8 + 1024:
            raise Refused(f"its chunk at {offset} has {stored or 0:,} bytes for {size:,} bytes")
        mask, packed = self._id.read_direct_chunk(offset)
        data = _unpacked(bytes(packed), self._filters, mask, size, self.dtype.itemsize)
        return np.frombuffer(data, self.dtype).reshape(self._sides)


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
        elif number == _LZF:
            data = _from_lzf(data, size)
        elif number == _SHUFFLE:
            whole = len(data) - len(data) % itemsize
            data = np.frombuffer(data[:whole], np.uint8).reshape(itemsize, -1).T.tobytes() + data[whole:]
        else:
            raise Refused("it is compressed in an order that is not read")
    if len(data) != size:
        raise Refused(f"one of its chunks has {len(data):,} bytes instead of {size:,}")
    return data


def _from_lzf(data: bytes, size: int) -> bytes:
    """The `size` bytes that were packed in the format of LibLZF.

    A number below 32 stands before so many bytes and one more. Others begin a repetition: three bits of its length, or
    7 and the rest in a byte of its own, and 13 bits of how far back it begins.
    """
    made, at = bytearray(), 0
    try:
        while at < len(data) and len(made) <= size:
            head = data[at]
            at += 1
            if head < 32:
                made += data[at : at + head + 1]
                at += head + 1
                continue
            length = head >> 5
            if length == 7:
                length += data[at]
                at += 1
            back = ((head & 31) << 8) + data[at] + 1
            at += 1
            if back > len(made):
                raise Refused("one of its chunks repeats what is not there")
            part = made[len(made) - back : len(made) - back + length + 2]
            made += (part * (-(-(length + 2) // len(part))))[: length + 2]
    except IndexError:
        raise Refused("one of its chunks breaks off") from None
    if len(made) != size:
        raise Refused(f"one of its chunks unpacks to another number of bytes than its {size:,}")
    return bytes(made)
