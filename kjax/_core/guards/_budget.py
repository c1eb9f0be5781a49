"""How much memory or disk a file may take."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

# A file may always unpack to this; what is larger has to be in a proportion to the file.
LEAST = 64 << 20


class Refused(ValueError):
    """A file holds what is not read: broken, too large for what it is, or meant to do harm."""


class Budget:
    """Bytes that the parts of a file may take together.

    Arguments:
        source: what error messages call the file.
        stored: bytes of the file.
        ratio: bytes allowed for each byte of the file.
        least: bytes that are allowed whatever its size.
    """

    def __init__(self, source: str, stored: int, ratio: int = 100, least: int = LEAST) -> None:
        self.source = source
        self.ratio = ratio
        self.least = least
        self.limit = least + ratio * stored
        self.spent = 0

    def spend(self, nbytes: int, what: str) -> None:
        """Take `nbytes` for a part.

        Raises:
            Refused: if that is more than is left.
        """
        self.spent += nbytes
        if nbytes < 0 or self.spent > self.limit:
            raise Refused(
                f"{what} would take {nbytes:,} bytes: {self.source} may unpack to {self.limit:,} bytes, "
                f"{self.ratio} times its size and {self.least >> 20} MiB"
            )


def open_file(path: Any) -> BinaryIO:
    """A file of the disk, opened to be read.

    Raises:
        OSError: if there is none, or it is a folder, a device or a pipe.
    """
    place = Path(os.fsdecode(path))
    mode = place.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{place} is a folder; a file was expected.")
    if not stat.S_ISREG(mode):
        raise OSError(f"{place} is not a file but a device or a pipe, which is not read.")
    return open(place, "rb")


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file; it is left at its beginning."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    return size
