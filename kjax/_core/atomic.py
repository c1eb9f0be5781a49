"""The one way to write a file: beside its place, flushed to the disk, then renamed into place.

Whoever reads the file finds the old one whole or the new one whole, whenever this process is killed. Two processes
that write the same file both write a whole one; the later stays. A symbolic link is followed: what it points to is
replaced, and the link stays. A device or a pipe is written to as it is.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Container, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

_PREFIX = ".incoming-"
# What nobody has written to for so long is left from a machine that went down.
_STALE_S = 24 * 3600

_REASONS = {
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "its folder is not a folder",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "it or its folder may not be written to",
    errno.EPERM: "it or its folder may not be written to",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "it is larger than a file may be here",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its symbolic links lead in a circle",
}
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextmanager
def writing(path: Any, durable: bool = True) -> Generator[BinaryIO]:
    """A binary file that becomes `path` when the block ends, and vanishes when the block raises.

    Arguments:
        path: where it goes. Its folder has to exist.
        durable: whether to wait until it is on the disk. Without, it is still whole or not there at all, unless the
            machine goes down.

    Raises:
        OSError: of the system's own type, saying why it is not written: no such folder, read-only, full disk, ...
    """
    with beside(path, durable) as place, open(place, "wb") as file:
        yield file


@contextmanager
def beside(path: Any, durable: bool = True) -> Generator[Path]:
    """An empty file to be filled by its path; like `writing`, for libraries that open files themselves.

    Arguments:
        path: where it goes. Its folder has to exist.
        durable: whether to wait until it is on the disk.
    """
    named = Path(os.fsdecode(path))
    with _explained(named):
        target = _target(named)
    if target.exists() and not target.is_file():
        with _through(target) as place:
            yield place
        return
    with _explained(named):
        place = _new_file(target, durable)
    try:
        with _explained(named, _OF_THE_DISK):
            yield place
        with _explained(named):
            install(place, target, durable)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def part(path: Path) -> BinaryIO:
    """A file to be filled in a folder of `staging`, which nobody reads before it is moved into place."""
    return open(path, "wb")


def write_bytes(path: Any, data: bytes, durable: bool = True) -> None:
    """Write a whole file. See `writing`."""
    with writing(path, durable) as file:
        file.write(data)


def write_text(path: Any, text: str, durable: bool = True) -> None:
    """Write a whole text file in UTF-8. See `writing`."""
    write_bytes(path, text.encode(), durable)


def install(source: Path, target: Path, durable: bool = True) -> None:
    """Move a finished file of the same folder or file system into place; a file that is replaced gives its rights."""
    with suppress(FileNotFoundError):
        facts = target.stat()
        # First the owner: a change of owner takes rights away.
        with suppress(OSError, AttributeError):
            os.chown(source, facts.st_uid, facts.st_gid)
        with suppress(OSError):
            source.chmod(stat.S_IMODE(facts.st_mode))
    if durable:
        _sync(source)
    os.replace(source, target)
    if durable and os.name == "posix":
        with suppress(OSError):  # some network file systems refuse it for folders
            _sync(target.parent)


@contextmanager
def staging(folder: Path) -> Generator[Path]:
    """A folder inside of `folder` to prepare files in, gone afterwards. `folder` is made if it is not there."""
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        place = folder / _new_name()
        place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _target(path: Path) -> Path:
    """The file that is to be replaced: where symbolic links lead, if it is one."""
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not os.access(target, os.W_OK):
        # Renaming would replace it all the same.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return target


def _new_name() -> str:
    return f"{_PREFIX}{_here()}-{os.getpid()}-{os.urandom(8).hex()}"


def _new_file(target: Path, durable: bool) -> Path:
    if durable:
        _sweep(target.parent)
    place = target.parent / _new_name()
    # The system applies the user's mask; a file of `tempfile` could be read by its owner alone.
    os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return place


@contextmanager
def _through(target: Path) -> Generator[Path]:
    """A temporary file whose content goes to a device or a pipe in the end."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kjax-") as folder:
        place = Path(folder) / "content"
        place.touch()
        yield place
        with open(place, "rb") as source, open(target, "wb", buffering=0) as sink:
            shutil.copyfileobj(source, sink)


@functools.cache
def _here() -> str:
    """A name for this machine since it was started, and for the process numbers that are valid in it."""
    facts = [os.uname().nodename if hasattr(os, "uname") else ""]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_bytes().hex())
    with suppress(OSError):
        facts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # another writer may have finished with it meanwhile
                if not entry.name.startswith(_PREFIX) or not _is_left(entry):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _is_left(entry: os.DirEntry[str]) -> bool:
    parts = entry.name.removeprefix(_PREFIX).split("-")
    if len(parts) != 3 or not parts[1].isdecimal():
        return False
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE_S:
        return True
    if parts[0] != _here() or os.name != "posix":
        return False
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's process
        return False
    return False


def _sync(path: Path) -> None:
    # Windows flushes only what was opened to be written.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path, numbers: Container[int] = _REASONS) -> Generator[None]:
    """Errors of the file system say what they mean for this file."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        if number not in numbers or getattr(error, "explained", False):
            raise
        told = OSError(number, f"{path} is not written: {_REASONS[number]} ({os.strerror(number)})")
        told.explained = True  # pyright: ignore[reportAttributeAccessIssue]
        raise told from error
