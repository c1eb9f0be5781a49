"""Zip archives: names, sizes and ways of packing are checked before a byte is unpacked, and nothing unpacks to more."""

from __future__ import annotations

import io
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from kjax._core import atomic
from kjax._core.guards._budget import Budget, Refused, open_file, size_of

_CHUNK = 1 << 20
_MAX_MEMBERS = 10_000
_MAX_NAME = 1024
_PER_MEMBER = 4096  # what the least file takes on a disk
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)

_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, struct.error,
    MemoryError, OverflowError, KeyError, IndexError, UnicodeDecodeError,
)  # fmt: skip


def safe_name(name: str) -> bool:
    """Whether the name of a member stays inside of the folder into which it is unpacked."""
    parts = name.replace("\\", "/").split("/")
    return bool(name) and not (name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name)


@contextmanager
def reading(source: Any, max_members: int = _MAX_MEMBERS) -> Generator[Archive]:
    """A zip archive, all of whose members are as it says.

    Arguments:
        source: a path or a binary file object.
        max_members: how many members it may have.

    Raises:
        OSError: if it cannot be opened.
        Refused: if it is no zip archive, or one that would unpack to far more than its size, outside of its folder,
            or in a way that is not read.
    """
    if hasattr(source, "read"):
        yield Archive(source, str(getattr(source, "name", "the file object")), max_members)
        return
    with open_file(source) as file:
        yield Archive(file, os.fsdecode(source), max_members)


@contextmanager
def writing(target: Any) -> Generator[zipfile.ZipFile]:
    """A new archive of stored members, written beside and renamed; or into a binary file object."""
    if hasattr(target, "write"):
        with zipfile.ZipFile(target, "w") as archive:
            yield archive
        return
    with atomic.writing(target) as file, zipfile.ZipFile(file, "w") as archive:
        yield archive


def is_zip(source: Any) -> bool:
    """Whether a path or a binary file object is that of a zip archive. What is no file at all is not looked into."""
    try:
        if hasattr(source, "read"):
            return zipfile.is_zipfile(source)
        with open_file(source) as file:
            return zipfile.is_zipfile(file)
    except _BROKEN:
        return False


class Archive:
    """The members of a zip archive."""

    def __init__(self, file: Any, name: str, max_members: int = _MAX_MEMBERS) -> None:
        self._file = file
        self.name = name
        self._size = size_of(file)
        self._budget = Budget(name, self._size)
        try:
            _check_directory(file, self._size, max_members)
            self._zip = zipfile.ZipFile(file)
            self._members = self._checked(max_members)
        except Refused as error:
            raise Refused(f"The archive {name} is not read: {error}.") from error
        except _BROKEN as error:
            raise Refused(f"{name} is no zip archive, or a broken one: {error}.") from error

    def _checked(self, max_members: int) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        infos = self._zip.infolist()
        if len(infos) > max_members:
            raise Refused(f"it has {len(infos):,} members, more than {max_members:,}")
        for info in infos:
            name = info.filename
            if not safe_name(name):
                raise Refused(f"its member {name[:100]!r} would lie outside of the folder")
            if len(name) > _MAX_NAME:
                raise Refused(f"the name of a member has {len(name):,} characters")
            if name in members:
                raise Refused(f"it has two members {name!r}")
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "a link" if mode == stat.S_IFLNK else "neither a file nor a folder"
                raise Refused(f"its member {name!r} is {kind}; only files and folders are unpacked")
            if info.flag_bits & 0x1:
                raise Refused(f"its member {name!r} is encrypted")
            if info.compress_type not in _METHODS:
                raise Refused(f"its member {name!r} is packed in a way that is not read (number {info.compress_type})")
            if info.compress_type == zipfile.ZIP_STORED and info.file_size > self._size:
                raise Refused(f"its member {name!r} announces {info.file_size:,} bytes, more than the archive has")
            self._budget.spend(info.file_size + _PER_MEMBER, f"its member {name!r}")
            members[name] = info
        return members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """The names of the members."""
        return list(self._members)

    def is_folder(self, name: str) -> bool:
        """Whether a member is a folder."""
        return self._member(name).is_dir()

    def size(self, name: str) -> int:
        """How many bytes a member unpacks to."""
        return self._member(name).file_size

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            found = ", ".join(sorted(self._members)[:12]) or "nothing"
            raise Refused(f"{self.name} has no member {name!r}. It has: {found}.") from None

    def read(self, name: str, max_bytes: int) -> bytes:
        """A member as bytes.

        Raises:
            Refused: if there is none, it is broken, or has more than `max_bytes`.
        """
        size = self.size(name)
        if size > max_bytes:
            raise Refused(f"{self.name}: its member {name!r} has {size:,} bytes, more than {max_bytes:,}.")
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member piece by piece; never more bytes than the archive announces."""
        member = self._member(name)
        left = member.file_size
        try:
            with self._zip.open(member) as source:
                while left and (chunk := source.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
                source.read(1)  # at the end its sum is compared
        except GeneratorExit:
            raise
        except _BROKEN as error:
            raise Refused(f"{self.name}: its member {name!r} is broken: {error}.") from error
        if left:
            raise Refused(f"{self.name}: its member {name!r} breaks off.")

    @contextmanager
    def stream(self, name: str) -> Generator[BinaryIO]:
        """A member as a file to be read once, from its beginning; at its end its sum is compared."""
        member = self._member(name)
        try:
            with self._zip.open(member) as source:
                yield source  # pyright: ignore[reportReturnType]  # typed as IO[bytes]
                if source.tell() == member.file_size:
                    source.read(1)
        except Refused:
            raise
        except _BROKEN as error:
            raise Refused(f"{self.name}: its member {name!r} is broken: {error}.") from error

    @contextmanager
    def seekable(self, name: str) -> Generator[BinaryIO]:
        """A member as a file in which one can go back and forth, without taking it into memory.

        One that is stored as it is is read where it lies; another is unpacked into a temporary file first.
        """
        member = self._member(name)
        if member.compress_type == zipfile.ZIP_STORED:
            yield io.BufferedReader(_Window(self._file, _start(self._file, member, self._size), member.file_size))
            return
        with tempfile.TemporaryFile(prefix="kjax-") as unpacked:
            for chunk in self.chunks(name):
                unpacked.write(chunk)
            unpacked.seek(0)
            yield unpacked

    def copy(self, name: str, target: BinaryIO) -> None:
        """Write a member to a file."""
        for chunk in self.chunks(name):
            target.write(chunk)


def _check_directory(file: Any, size: int, max_members: int) -> None:
    """Check how long the list of members is: `zipfile` takes it into memory whole, at ten times its bytes."""
    tail = min(size, (1 << 16) + 22)
    file.seek(size - tail)
    end = file.read(tail)
    at = end.rfind(b"PK\x05\x06")
    if at >= 0 and len(end) >= at + 22:
        count, length = struct.unpack_from("<HI", end, at + 10)
        zip64 = end.rfind(b"PK\x06\x06")
        if (count == 0xFFFF or length == 0xFFFFFFFF) and zip64 >= 0 and len(end) >= zip64 + 56:
            count, length = struct.unpack_from("<QQ", end, zip64 + 32)
        if count > max_members or length > max_members * (46 + _MAX_NAME):
            raise Refused(f"it has {count:,} members in a list of {length:,} bytes; {max_members:,} are read")
    file.seek(0)


def _start(file: Any, member: zipfile.ZipInfo, size: int) -> int:
    """Where the bytes of a stored member begin."""
    file.seek(member.header_offset)
    header = file.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise Refused(f"the member {member.filename!r} does not begin where the archive says")
    start = member.header_offset + 30 + sum(struct.unpack_from("<HH", header, 26))
    if start + member.file_size > size:
        raise Refused(f"the member {member.filename!r} breaks off")
    return start


class _Window(io.RawIOBase):
    """Some bytes of a file as a file."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"the position {base + offset} is before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")
        count = min(len(room), max(self._size - self._at, 0))
        self._file.seek(self._start + self._at)
        got = self._file.readinto(room[:count])
        self._at += got
        return got
