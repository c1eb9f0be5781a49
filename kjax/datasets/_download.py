"""Downloads, checked by hash and installed whole, after a probe of the network that takes seconds."""

from __future__ import annotations

import hashlib
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from kjax._core import atomic
from kjax._core.guards import fetch as guarded
from kjax._core.guards import open_file
from kjax.datasets import _tfds

PROBE_SECONDS = 2.5
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Arguments:
        filename: its name on disk.
        size: bytes.
        sha256: hex digest.
        tfds_url: the address under which TFDS knows it.
        url: the address for a download without TFDS.
    """

    filename: str
    size: int
    sha256: str
    tfds_url: str
    url: str


class ChecksumError(OSError):
    """What arrived is not what was published."""


def reachable(url: str) -> bool:
    """Whether the host of a URL, or the proxy on the way to it, accepts a connection within PROBE_SECONDS.

    TFDS retries for over three minutes where there is no network, so it is asked only after this. A thread
    does the probing because looking up a name ignores time limits.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(parts.scheme)
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    answered = threading.Event()

    def probe() -> None:
        try:
            with socket.create_connection((host, port), timeout=PROBE_SECONDS):
                answered.set()
        except OSError:
            pass

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()


def fetch(name: str, files: tuple[RemoteFile, ...], folder: Path) -> None:
    """Gets all files into `folder`, through TFDS or plainly where TFDS fails; all of them or none.

    Raises:
        OSError: with the reason of each way that failed.
    """
    urls = dict.fromkeys((files[0].tfds_url, files[0].url))
    answers = {url: reachable(url) for url in urls}
    if not any(answers.values()):
        hosts = dict.fromkeys(urlsplit(url).netloc for url in urls)
        raise OSError(f"no network ({' and '.join(hosts)} not reached in {PROBE_SECONDS} s)")
    with atomic.staging(folder) as staging:
        arrived = _arrived(name, files, answers, staging)
        for file in files:
            check(arrived[file.filename], file)
        for file in files:
            atomic.install(arrived[file.filename], folder / file.filename)


def _arrived(name: str, files: tuple[RemoteFile, ...], answers: dict[str, bool], staging: Path) -> dict[str, Path]:
    ways: tuple[tuple[str, str, Callable[[], dict[str, Path]]], ...] = (
        ("through TFDS", files[0].tfds_url, lambda: _tfds.download(name, files, staging)),
        ("without TFDS", files[0].url, lambda: {file.filename: get(file, staging) for file in files}),
    )
    failures: list[str] = []
    for way, url, arrive in ways:
        if not answers[url]:
            failures.append(f"{way}: {urlsplit(url).netloc} does not answer")
            continue
        try:
            return arrive()
        except Exception as error:  # TFDS raises types of its own, and those of the libraries below it
            failures.append(f"{way}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    raise OSError("; ".join(failures))


def get(file: RemoteFile, folder: Path) -> Path:
    """Downloads one file into a folder and checks it.

    Raises:
        ChecksumError: another size or hash than published; the file is gone again.
        OSError: no connection, or one that breaks off.
    """
    path = folder / file.filename
    try:
        with atomic.part(path) as target:
            # One byte more than published is enough to know that the file is wrong.
            guarded.download(file.url, target, file.size + 1)
        check(path, file)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def check(path: Path, file: RemoteFile) -> None:
    """Compares a downloaded file with what was published.

    Raises:
        ChecksumError: another size or hash.
    """
    size = path.stat().st_size
    if size != file.size:
        raise ChecksumError(f"{file.filename} has {size:,} bytes, expected {file.size:,}")
    digest = hashlib.sha256()
    with open_file(path) as content:
        for chunk in _chunks(content, size):
            digest.update(chunk)
    if digest.hexdigest() != file.sha256:
        raise ChecksumError(f"{file.filename} has the sha256 {digest.hexdigest()}, expected {file.sha256}")


def _chunks(source: BinaryIO, limit: int) -> Iterator[bytes]:
    while limit > 0 and (chunk := source.read(min(_CHUNK, limit))):
        limit -= len(chunk)
        yield chunk
