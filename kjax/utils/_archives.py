"""Unpacking tar and zip archives that may be hostile: whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from kjax._core import atomic
from kjax._core.guards import Refused, tar, zips

# More than any data set has.
_MAX_MEMBERS = 10_000_000


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
    made = not folder.exists()
    try:
        for _ in members(path):  # all that their headers say is checked before the first is written
            pass
        with atomic.staging(folder) as place:
            for name, is_folder, chunks in members(path):
                _write(place / name, is_folder, chunks)
            _move(place, folder)
    except (ValueError, NotADirectoryError, FileExistsError, IsADirectoryError) as error:
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise Refused(f"The archive {path} is not unpacked: {str(error).rstrip('.')}.") from error


_Member = tuple[str, bool, Iterator[bytes]]  # name, whether a folder, what is in it


def _tar_members(path: Path) -> Iterator[_Member]:
    with tar.reading(path) as members:
        for member in members:
            yield member.name, member.is_folder, member.chunks()


def _zip_members(path: Path) -> Iterator[_Member]:
    with zips.reading(path, _MAX_MEMBERS) as archive:
        for name in archive.names():
            yield name, archive.is_folder(name), archive.chunks(name)


def _write(path: Path, is_folder: bool, chunks: Iterator[bytes]) -> None:
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.part(path) as target:
        for chunk in chunks:
            target.write(chunk)


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
    return {"tar": tar.is_tar, "zip": zips.is_zip}[archive_format](path)
