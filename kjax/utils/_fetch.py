"""Downloading one file, whole or not at all."""

from __future__ import annotations

import urllib.error
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from kjax._core import atomic
from kjax._core.guards import Refused, fetch
from kjax._core.progbar import Progbar
from kjax.datasets import _download


def download(origin: str, path: Path, problem: Callable[[str], str]) -> None:
    """Download `origin` to `path`.

    Arguments:
        problem: what is wrong with a file that has come, given its path; empty if it may stay.

    Raises:
        OSError: if it cannot be reached, breaks off, or is not to stay.
    """
    print("Downloading data from", origin)
    if urlsplit(origin).scheme in ("http", "https") and not _download.reachable(origin):
        raise OSError(f"URL fetch failure on {origin}: None -- no network: {urlsplit(origin).netloc} does not answer")
    try:
        with atomic.staging(path.parent) as folder:
            arrived = folder / "file"
            with atomic.part(arrived) as target:
                fetch.download(origin, target, room=fetch.free_bytes(folder), progress=_bar())
            if wrong := problem(str(arrived)):
                raise _Failed(f"what came {wrong}. It is not kept.")
            atomic.install(arrived, path)
    except urllib.error.HTTPError as error:
        raise OSError(f"URL fetch failure on {origin}: {error.code} -- {error.msg}") from error
    except urllib.error.URLError as error:
        raise OSError(f"URL fetch failure on {origin}: {error.errno} -- {error.reason}") from error
    except (_Failed, fetch.Incomplete, Refused) as error:
        raise OSError(f"URL fetch failure on {origin}: {error}") from error


class _Failed(OSError):
    pass


def _bar() -> Callable[[int, int], None]:
    bars: list[Progbar] = []

    def progress(done: int, size: int) -> None:
        if not bars:
            bars.append(Progbar(size if size > 0 else None))
        bars[0].update(done)

    return progress
