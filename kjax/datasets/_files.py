"""Files that are either whole or not there: written beside, flushed to the disk, then renamed into place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """A file to write to that becomes `path` when the block ends, and vanishes when the block raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        install(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def install(source: Path, target: Path) -> None:
    """Moves a finished file of the same file system into place: a crash leaves the old one or the new one."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    # mkstemp makes files that only their owner may read; data sets are often shared.
    source.chmod(0o644)
    os.replace(source, target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
