"""Files from the network: known kinds of addresses, no more bytes than were announced or allowed."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from kjax._core.guards._budget import Refused

_SCHEMES = ("https", "http", "ftp", "file")
_TIMEOUT_S = 30.0
_CHUNK = 1 << 18


class Incomplete(OSError):
    """A file that broke off or did not fit."""


def download(
    url: str,
    target: BinaryIO,
    max_bytes: int | None = None,
    room: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Copy what is at an address to a file. Returns the number of bytes.

    Arguments:
        url: address (https, http, ftp or file).
        target: where it goes.
        max_bytes: how many bytes are read at most; one that has more is cut there.
        room: bytes free on the disk.
        progress: told the bytes so far, and the bytes announced or -1, after each piece.

    Raises:
        OSError: if it cannot be reached, does not fit, or breaks off.
        Refused: for another kind of address.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise Refused(f"The address {url!r} is not of the kinds that are fetched: {', '.join(_SCHEMES)}.")
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as source:
        size = _announced(source.headers.get("Content-Length"))
        if room is not None and size > room:
            raise Incomplete(f"it has {size:,} bytes, and {room:,} are free on the disk")
        done = 0
        while chunk := source.read(_CHUNK if max_bytes is None else min(_CHUNK, max_bytes - done)):
            target.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, size)
    if done < size and (max_bytes is None or done < max_bytes):
        raise Incomplete(f"it breaks off after {done:,} of {size:,} bytes")
    return done


def free_bytes(folder: Any) -> int:
    """Bytes that are free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def _announced(length: str | None) -> int:
    return int(length) if length is not None and length.isdecimal() and len(length) < 20 else -1
