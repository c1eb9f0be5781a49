"""Unpacking tar and zip archives that may be hostile: everything is checked before anything is written."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

# What an archive may unpack to: more is a bomb. Texts shrink to a tenth, and data sets of images not at all.
_RATIO = 100
_ALWAYS = 64 << 20
_PER_MEMBER = 4096  # what the least file takes on a disk
_CHUNK = 1 << 20

_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError,
    NotImplementedError, ValueError,
)  # fmt: skip

Opened = tuple[str, bool, int, Callable[[], IO[bytes]]]  # name, whether a folder, bytes, how to open it


def extract(path: Path, folder: Path, archive_format: str) -> None:
    """Unpack `path` into `folder`, whole or not at all.

    Arguments:
        path: the archive.
        folder: where its members go; files of the same name are replaced.
        archive_format: `'tar'` (compressed or not) or `'zip'`.

    Raises:
        ValueError: for members that are no files or folders or lie outside of the folder, for an archive that
            unpacks to more than a hundred times its size, and for a broken one. Nothing is unpacked then.
    """
    members = {"tar": _tar_members, "zip": _zip_members}[archive_format]
    limit = _ALWAYS + _RATIO * path.stat().st_size
    try:
        total = 0
        for name, _, size, _ in members(path):
            _check_name(name)
            total += size + _PER_MEMBER
            if total > limit:
                raise ValueError(f"it unpacks to more than {limit:,} bytes, {_RATIO} times its size and 64 MiB")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as staging:
            for name, is_folder, size, open_member in members(path):
                _write(Path(staging) / name, is_folder, size, open_member)
            _move(Path(staging), folder)
    except _BROKEN as error:
        raise ValueError(f"The archive {path} is not unpacked: {error}.") from error


def _check_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise ValueError(f"its member {name!r} would lie outside of the folder")


def _tar_members(path: Path) -> Iterator[Opened]:
    with tarfile.open(path, "r:*") as archive:
        while (member := archive.next()) is not None:
            # Else it keeps every header, however many there are.
            archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
            if not (member.isreg() or member.isdir()):
                kind = "a link" if member.islnk() or member.issym() else "neither a file nor a folder"
                raise ValueError(f"its member {member.name!r} is {kind}; only files and folders are unpacked")
            yield member.name, member.isdir(), member.size, lambda member=member: _opened(archive, member)


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    return archive.extractfile(member)


def _zip_members(path: Path) -> Iterator[Opened]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                raise ValueError(f"its member {info.filename!r} is {kind}; only files and folders are unpacked")
            yield info.filename, info.is_dir(), info.file_size, lambda info=info: archive.open(info)


def _write(path: Path, is_folder: bool, size: int, open_member: Callable[[], IO[bytes]]) -> None:
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_member() as source, path.open("wb") as target:
        left = size
        while left and (chunk := source.read(min(_CHUNK, left))):
            target.write(chunk)
            left -= len(chunk)
        if left:
            raise ValueError(f"its member {path.name!r} breaks off")


def _move(staging: Path, folder: Path) -> None:
    """Put what was unpacked into its place, file by file."""
    for place, folders, files in os.walk(staging):
        target = folder / Path(place).relative_to(staging)
        for name in folders:
            if (target / name).exists() and not (target / name).is_dir():
                raise ValueError(f"{target / name} is a file, and the archive has a folder of that name")
            (target / name).mkdir(exist_ok=True)
        for name in files:
            if (target / name).is_dir() and not (target / name).is_symlink():
                raise ValueError(f"{target / name} is a folder, and the archive has a file of that name")
            shutil.move(Path(place) / name, target / name)


def matches(path: Path, archive_format: str) -> bool:
    """Whether a file is an archive of the format."""
    return {"tar": tarfile.is_tarfile, "zip": zipfile.is_zipfile}[archive_format](path)
