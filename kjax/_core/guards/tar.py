"""Tar archives: what unpacks to too much is stopped while it is read, and only plain files and folders come out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from kjax._core.guards._budget import Budget, Refused, open_file, size_of
from kjax._core.guards.zips import safe_name

_CHUNK = 1 << 20
_PER_MEMBER = 4096  # what the least file takes on a disk
_MAX_XZ = 256 << 20

_BROKEN = (
    tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError, struct.error,
    MemoryError, OverflowError, KeyError, IndexError, TypeError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A file or a folder of an archive."""

    name: str
    is_folder: bool
    size: int
    _archive: Any
    _info: Any

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, piece by piece. To be read before the next member is asked for."""
        left = 0 if self.is_folder else self.size
        if not left:
            return
        try:
            with self._archive.extractfile(self._info) as source:
                while left and (chunk := source.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except GeneratorExit:
            raise
        except Refused:
            raise
        except _BROKEN as error:
            raise Refused(f"its member {self.name!r} is broken: {error}") from error
        if left:
            raise Refused(f"its member {self.name!r} breaks off")

    def read(self, max_bytes: int) -> bytes:
        """Its bytes.

        Raises:
            Refused: if it has more than `max_bytes`.
        """
        if self.size > max_bytes:
            raise Refused(f"its member {self.name} has {self.size:,} bytes, more than {max_bytes:,}")
        return b"".join(self.chunks())


@contextmanager
def reading(source: Any, names_are_paths: bool = True) -> Generator[Iterator[Member]]:
    """The members of a tar archive, packed by gzip, bzip2, xz or not at all, in their order.

    Arguments:
        source: a path or a binary file object.
        names_are_paths: whether the members are to become files. Otherwise links and special files are left out, and
            names may be any.

    Raises:
        OSError: if it cannot be opened.
        Refused: while the members are gone through, for links and special files, for names outside of the folder,
            for an archive that unpacks to more than a hundred times its size, and for a broken one.
    """
    if hasattr(source, "read"):
        yield _members(source, str(getattr(source, "name", "the file object")), names_are_paths)
        return
    with open_file(source) as file:
        yield _members(file, os.fsdecode(source), names_are_paths)


def is_tar(path: Any) -> bool:
    """Whether a file begins as a tar archive does."""
    try:
        with open_file(path) as file:
            start = _unpacked(file, Budget(str(path), size_of(file))).read(tarfile.BLOCKSIZE)
            return not start.strip(b"\0") or bool(tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape"))
    except _BROKEN:
        return False


def _members(file: Any, name: str, names_are_paths: bool) -> Iterator[Member]:
    try:
        size = size_of(file)
        # Twice: once for the bytes that are unpacked, once for the room that the members take.
        stream, members = _unpacked(file, Budget(name, size)), Budget(name, size)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            last = -1
            while (info := archive.next()) is not None:
                # Else it keeps every header, however many there are.
                archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
                if info.size < 0 or info.offset <= last:
                    raise Refused(f"its member {info.name[:100]!r} has no valid size or place")
                last = info.offset
                if names_are_paths:
                    _check(info)
                elif not (info.isreg() or info.isdir()):
                    continue
                members.spend(info.size + _PER_MEMBER, f"its member {info.name!r}")
                yield Member(info.name, info.isdir(), info.size, archive, info)
    except GeneratorExit:
        raise
    except Refused:
        raise
    except _BROKEN as error:
        raise Refused(f"it cannot be read as a tar archive: {error}") from error


def _check(info: tarfile.TarInfo) -> None:
    if not safe_name(info.name):
        raise Refused(f"its member {info.name[:100]!r} would lie outside of the folder")
    if not (info.isreg() or info.isdir()):
        kind = "a link" if info.islnk() or info.issym() else "neither a file nor a folder"
        raise Refused(f"its member {info.name!r} is {kind}; only files and folders are unpacked")


def _unpacked(file: Any, budget: Budget) -> Any:
    start = file.read(6)
    file.seek(0)
    source: Any = file
    if start.startswith(b"\x1f\x8b"):
        source = gzip.GzipFile(fileobj=file)
    elif start.startswith(b"BZh"):
        source = bz2.BZ2File(file)
    elif start.startswith(b"\xfd7zXZ"):
        source = io.BufferedReader(_Xz(file))
    return _Limited(source, budget)


class _Limited:
    """A file of which neither too much at once nor too much in all is read."""

    def __init__(self, source: BinaryIO, budget: Budget) -> None:
        self._source = source
        self._budget = budget

    def _allow(self, end: int) -> None:
        if end > self._budget.limit:
            self._budget.spend(end, "it")

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _CHUNK + 512:
            # Headers that say they are so long are read whole by `tarfile`.
            raise Refused(f"it has a header of {size:,} bytes")
        self._allow(self._source.tell() + size)
        return self._source.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0:
            self._allow(offset)
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()


class _Xz(io.RawIOBase):
    """An xz file, unpacked with a limit for the memory that it may ask for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 1:
            offset += self._at
        elif whence == 2:
            raise OSError("the end of a packed file is not known")
        if offset < self._at:
            self._file.seek(0)
            self._unpacker, self._at = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ), 0
        while self._at < offset and self.read(min(_CHUNK, offset - self._at)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")
        while not self._unpacker.eof:
            fresh = self._file.read(1 << 16) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not fresh:
                raise EOFError("the packed file breaks off")
            if data := self._unpacker.decompress(fresh, len(room)):
                room[: len(data)] = data
                self._at += len(data)
                return len(data)
        return 0
