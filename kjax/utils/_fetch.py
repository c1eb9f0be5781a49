"""Downloading one file, whole or not at all."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from kjax._core.progbar import Progbar
from kjax.datasets import _download
from kjax.datasets._files import install

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18


def fetch(origin: str, path: Path, problem: Callable[[str], str]) -> None:
    """Download `origin` to `path`.

    Arguments:
        problem: what is wrong with a file that has come, given its path; empty if it may stay.

    Raises:
        OSError: if it cannot be reached, breaks off, or is not to stay.
    """
    print("Downloading data from", origin)
    if urlsplit(origin).scheme in ("http", "https") and not _download.reachable(origin):
        raise OSError(f"URL fetch failure on {origin}: None -- no network: {urlsplit(origin).netloc} does not answer")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".incoming-") as staging:
            arrived = Path(staging) / "file"
            with urllib.request.urlopen(origin, timeout=_TIMEOUT_S) as source, arrived.open("wb") as target:
                size = int(source.headers.get("Content-Length") or -1)
                got = _copy(source, target, size)
            if size >= 0 and got != size:
                raise OSError(f"URL fetch failure on {origin}: it breaks off after {got:,} of {size:,} bytes")
            if wrong := problem(str(arrived)):
                raise OSError(f"URL fetch failure on {origin}: what came {wrong}. It is not kept.")
            install(arrived, path)
    except urllib.error.HTTPError as error:
        raise OSError(f"URL fetch failure on {origin}: {error.code} -- {error.msg}") from error
    except urllib.error.URLError as error:
        raise OSError(f"URL fetch failure on {origin}: {error.errno} -- {error.reason}") from error


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> int:
    bar = Progbar(size if size > 0 else None)
    done = 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        done += len(chunk)
        bar.update(done)
    return done
