"""Texts of any length in the attributes of HDF5 files, read from the file itself.

Such an attribute holds references into heaps, each with a length. The C library makes room for whatever a reference
announces, and goes round in circles in a damaged heap; here each is compared with what is there. The layout is that of
the HDF5 File Format Specification: object headers (IV.A), attribute messages (IV.A.2.m), global heaps (III.E).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from kjax._core.guards._budget import Budget, Refused

_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10
_SHARED = 2
_MAX_BLOCKS = 1000
_MAX_MESSAGES = 100_000
_MAX_HEAP = 64 << 20
_REFERENCE = struct.Struct("<IQI")


class File:
    """The bytes of an HDF5 file.

    Arguments:
        file: the file. Other readers may move in it.
        size: its bytes.
        base: where addresses count from.
    """

    def __init__(self, file: BinaryIO, size: int, base: int) -> None:
        self._file, self._size, self._base = file, size, base
        self._heaps: dict[int, dict[int, bytes]] = {}

    def texts(self, header: int, name: str, count: int, budget: Budget) -> list[bytes]:
        """The texts of an attribute.

        Arguments:
            header: address of the object to which it belongs.
            name: of the attribute.
            count: how many texts there are.
            budget: what they may take.

        Raises:
            Refused: if a reference leads nowhere, or to less than it announces.
        """
        data = self._attribute(header, name.encode())
        if len(data) < count * _REFERENCE.size:
            raise Refused("it is shorter than it says")
        found: list[bytes] = []
        for length, address, index in _REFERENCE.iter_unpack(data[: count * _REFERENCE.size]):
            if not length:
                found.append(b"")
                continue
            heap = self._heaps.get(address) or self._heap(address, budget)
            if index not in heap or len(heap[index]) < length:
                raise Refused(f"a text of {length:,} bytes is not there")
            budget.spend(length, "a text")
            found.append(heap[index][:length].split(b"\0", 1)[0])
        return found

    def _read(self, address: int, length: int) -> bytes:
        if address + self._base + length > self._size:
            raise Refused("it leads out of the file")
        self._file.seek(self._base + address)
        data = self._file.read(length)
        if len(data) != length:
            raise Refused("it leads out of the file")
        return data

    def _attribute(self, header: int, name: bytes) -> bytes:
        """What an attribute holds."""
        for number, (kind, flags, data) in enumerate(self._messages(header)):
            if number > _MAX_MESSAGES:
                break
            if kind == _ATTRIBUTE and not flags & _SHARED and len(data) >= 8:
                found, value = _split(data)
                if found == name:
                    return value
        raise Refused("it is kept in a way that is not read")

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """Kind, flags and data of what an object's header says."""
        start = self._read(address, min(32, self._size - self._base - address))
        if start.startswith(b"OHDR"):
            flags = start[5]
            at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(start[at : at + width], "little")
            blocks = [(address + at + width, size)]
            head, ends, ordered = struct.Struct("<BHB"), (4, 4), bool(flags & 4)
        else:
            blocks = [(address + 16, int.from_bytes(start[8:12], "little"))]
            head, ends, ordered = struct.Struct("<HHB3x"), (0, 0), False
        for number, (place, size) in enumerate(blocks):  # it grows
            if number > _MAX_BLOCKS:
                raise Refused("its header has too many parts")
            block, at = self._read(place, size), 0
            if number:
                block = block[ends[0] : len(block) - ends[1]]
            while at + head.size <= len(block):
                kind, length, flags = head.unpack_from(block, at)
                at += head.size + (2 if ordered else 0)
                data = block[at : at + length]
                at += length
                if kind == _CONTINUATION and len(data) >= 16:
                    blocks.append(struct.unpack_from("<QQ", data))
                yield kind, flags, data

    def _heap(self, address: int, budget: Budget) -> dict[int, bytes]:
        """The items of a heap by number."""
        start = self._read(address, 16)
        length = int.from_bytes(start[8:], "little")
        if not start.startswith(b"GCOL\x01") or length > _MAX_HEAP:
            raise Refused("its heap of texts is broken")
        budget.spend(length, "a heap of texts")
        heap, at = self._read(address, length), 16
        items: dict[int, bytes] = {}
        while at + 16 <= len(heap):
            index, _, _, size = struct.unpack_from("<HHIQ", heap, at)
            if index == 0:  # the rest is free
                break
            if size > len(heap) - at - 16:
                raise Refused("its heap of texts is broken")
            items[index] = heap[at + 16 : at + 16 + size]
            at += 16 + (size + 7) // 8 * 8
        self._heaps[address] = items
        return items


def _split(message: bytes) -> tuple[bytes, bytes]:
    """Name and value of an attribute message."""
    version, flags, name, kind, space = struct.unpack_from("<BBHHH", message)
    if version not in (1, 2, 3) or flags & 1:
        return b"", b""
    at = 9 if version == 3 else 8
    found = message[at : at + name].split(b"\0", 1)[0]
    sizes = [(size + 7) // 8 * 8 for size in (name, kind, space)] if version == 1 else [name, kind, space]
    return found, message[at + sum(sizes) :]
