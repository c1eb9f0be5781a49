"""`tf.gfile`: files and folders of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from glob import glob as _found
from typing import IO, Any

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow.errors import NotFoundError


def Exists(filename: Any) -> bool:
    """Whether there is such a file or folder."""
    return os.path.exists(os.fspath(filename))


def IsDirectory(dirname: Any) -> bool:
    """Whether there is such a folder."""
    return os.path.isdir(os.fspath(dirname))


def MakeDirs(dirname: Any) -> None:
    """Make a folder, and those around it, if it is not there."""
    os.makedirs(os.fspath(dirname), exist_ok=True)


MkDir = MakeDirs


def ListDirectory(dirname: Any) -> list[str]:
    """The names in a folder.

    Raises:
        NotFoundError: if there is no such folder.
    """
    if not IsDirectory(dirname):
        raise NotFoundError(None, None, f"Could not find directory {dirname}")
    return sorted(os.listdir(os.fspath(dirname)))


def Glob(filename: Any) -> list[str]:
    """The files that fit a pattern, or one of several."""
    patterns = filename if isinstance(filename, (list, tuple)) else [filename]
    return sorted(path for pattern in patterns for path in _found(os.fspath(pattern)))


def Remove(filename: Any) -> None:
    """Delete a file.

    Raises:
        NotFoundError: if there is none.
    """
    if not Exists(filename):
        raise NotFoundError(None, None, f"{filename}; No such file or directory")
    os.remove(os.fspath(filename))


def DeleteRecursively(dirname: Any) -> None:
    """Delete a folder and all that is in it.

    Raises:
        NotFoundError: if there is none.
    """
    if not IsDirectory(dirname):
        raise NotFoundError(None, None, f"{dirname}; No such file or directory")
    shutil.rmtree(os.fspath(dirname))


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copy a file.

    Raises:
        FileExistsError: if there is one already, unless `overwrite`.
    """
    if Exists(newpath) and not overwrite:
        raise FileExistsError(f"{newpath} exists: pass overwrite=True.")
    shutil.copyfile(os.fspath(oldpath), os.fspath(newpath))


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Give a file another name.

    Raises:
        FileExistsError: if there is one already, unless `overwrite`.
    """
    if Exists(newname) and not overwrite:
        raise FileExistsError(f"{newname} exists: pass overwrite=True.")
    os.replace(os.fspath(oldname), os.fspath(newname))


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Folders, with the names of their folders and files."""
    return os.walk(os.fspath(top), topdown=in_order)


def Stat(filename: Any) -> os.stat_result:
    """What the system knows of a file."""
    return os.stat(os.fspath(filename))


class GFile:
    """A file; text, or bytes if the mode has a `b`."""

    def __init__(self, name: Any, mode: str = "r") -> None:
        self.name, self.mode = os.fspath(name), mode
        if "r" in mode and not Exists(name):
            raise NotFoundError(None, None, f"{name}; No such file or directory")
        self._file: IO[Any] = open(self.name, mode, encoding=None if "b" in mode else "utf-8")  # noqa: SIM115

    def size(self) -> int:
        """Its length in bytes."""
        return os.path.getsize(self.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


Open = FastGFile = GFile
exists, isdir, makedirs, listdir, remove, rmtree = (
    Exists,
    IsDirectory,
    MakeDirs,
    ListDirectory,
    Remove,
    DeleteRecursively,
)
copy, rename, walk, stat, mkdir, glob = Copy, Rename, Walk, Stat, MkDir, Glob
join = os.path.join

__all__ = [
    "Copy", "DeleteRecursively", "Exists", "FastGFile", "GFile", "Glob", "IsDirectory", "ListDirectory", "MakeDirs",
    "MkDir", "Open", "Remove", "Rename", "Stat", "Walk", "copy", "exists", "glob", "isdir", "join", "listdir",
    "makedirs", "mkdir", "remove", "rename", "rmtree", "stat", "walk",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.gfile", __all__)
