"""Numpy's files: headers are parsed strictly and checked before memory is taken, and nothing is ever unpickled."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from kjax._core import atomic
from kjax._core.guards import zips
from kjax._core.guards._budget import Refused, open_file, size_of

_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 10_000
_MAX_NDIM = 32
_KINDS = "biufcSU"
_CHUNK = 1 << 20

_HEADER = re.compile(
    r"\{\s*'descr':\s*(?P<descr>'[^']{1,40}'|\[.*\]),\s*'fortran_order':\s*(?P<fortran>True|False),\s*"
    r"'shape':\s*\((?P<shape>[\d\s,L]*)\),?\s*\}\s*",
    re.DOTALL,
)
_DESCR = re.compile(r"'[<>|=]?(?P<kind>[a-zA-Z?])(?P<size>\d{0,6})'")

Header = tuple[tuple[int, ...], "np.dtype[Any]", bool]


@contextmanager
def reading(source: Any) -> Generator[Arrays]:
    """The arrays of an npz file.

    Raises:
        OSError: if it cannot be opened.
        Refused: if it is none, or one that is broken or meant to do harm.
    """
    with zips.reading(source) as archive:
        yield Arrays(archive)


class Arrays:
    """The arrays of an npz file by name."""

    def __init__(self, archive: zips.Archive) -> None:
        self._archive = archive

    def names(self) -> list[str]:
        """The names of the arrays."""
        return [name.removesuffix(".npy") for name in self._archive.names() if name.endswith(".npy")]

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._archive

    def __getitem__(self, name: str) -> np.ndarray:
        return self.read(name)

    def read(self, name: str, max_bytes: int | None = None) -> np.ndarray:
        """An array of numbers.

        Arguments:
            name: its name.
            max_bytes: what it may take in memory; None for what the file's size justifies.

        Raises:
            Refused: if there is none, it holds Python objects, or sizes do not fit together.
        """
        member = f"{name}.npy"
        size = self._archive.size(member)
        with self._archive.stream(member) as file:
            return read_array(file, size, name, size if max_bytes is None else max_bytes)

    def raw(self, name: str, max_bytes: int) -> bytes:
        """The bytes of a member, header and all."""
        return self._archive.read(f"{name}.npy", max_bytes)


def read_npy(path: Any, max_bytes: int | None = None) -> np.ndarray:
    """The array of an npy file."""
    with open_file(path) as file:
        size = size_of(file)
        return read_array(file, size, str(path), size if max_bytes is None else max_bytes)


def read_array(file: BinaryIO, size: int, name: str, max_bytes: int) -> np.ndarray:
    """An array in numpy's format, `size` bytes long with its header.

    Raises:
        Refused: if it holds Python objects or records, or another number of bytes than its header says.
    """
    shape, dtype, fortran = read_header(file, name)
    nbytes = dtype.itemsize
    for side in shape:
        nbytes *= side
    there = size - file.tell()
    if nbytes > max_bytes:
        raise Refused(f"{name} of shape {shape} would take {nbytes:,} bytes, more than {max_bytes:,}")
    if nbytes != there:
        raise Refused(f"{name} of shape {shape} needs {nbytes:,} bytes, but {there:,} are there")
    array = np.empty(shape, dtype, "F" if fortran else "C")
    flat: Any = array.reshape(-1, order="A")
    room = memoryview(flat.view(np.uint8)) if nbytes else memoryview(b"")
    at = 0
    while at < nbytes:
        got = file.readinto(room[at : at + _CHUNK])  # pyright: ignore[reportAttributeAccessIssue]
        if not got:
            raise Refused(f"{name} breaks off after {at:,} of {nbytes:,} bytes")
        at += got
    return array


def read_header(file: BinaryIO, name: str) -> Header:
    """Shape, type and whether the first axis varies fastest. Leaves the file at the first number."""
    shape, descr, fortran = header_parts(file, name)
    found = _DESCR.fullmatch(descr)
    if found is None:
        raise Refused(f"{name} holds records, or a type that is not read: {descr[:60]}")
    if found["kind"] == "O":
        raise Refused(f"{name} holds pickled Python objects, which are never loaded")
    if found["kind"] not in f"{_KINDS}?":
        raise Refused(f"{name} is of the type {descr}; numbers were expected")
    try:
        dtype = np.dtype(descr.strip("'"))
    except (TypeError, ValueError) as error:
        raise Refused(f"{name} is of an unknown type {descr}") from error
    return shape, dtype, fortran


def header_parts(file: BinaryIO, name: str) -> tuple[tuple[int, ...], str, bool]:
    """Shape, type as it is written, and order of an array."""
    start = file.read(8)
    if len(start) < 8 or start[:6] != _MAGIC:
        raise Refused(f"{name} is not in numpy's format")
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise Refused(f"{name} is in version {version} of the npy format; 1.0, 2.0 and 3.0 are read")
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _MAX_HEADER:
        raise Refused(f"{name} has a header of {length:,} bytes")
    text = file.read(length).decode("latin1")
    found = _HEADER.fullmatch(text)
    if len(text) != length or found is None:
        raise Refused(f"{name} has a broken header")
    sides = [part.strip().rstrip("L") for part in found["shape"].split(",")]
    if sides and not sides[-1]:
        sides.pop()
    if len(sides) > _MAX_NDIM or not all(side.isdecimal() and len(side) < 20 for side in sides):
        raise Refused(f"{name} has a broken header: its shape is ({found['shape'][:60]})")
    return tuple(map(int, sides)), found["descr"], found["fortran"] == "True"


def write(target: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Write plain arrays, uncompressed, beside and renamed.

    Raises:
        ValueError: for an array of Python objects.
    """
    if wrong := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
        raise ValueError(f"The array {wrong[0]!r} holds Python objects, which could not be read again.")
    with atomic.writing(target) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # numpy types **kwds as bool too
