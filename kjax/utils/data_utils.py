"""Batches by number, queues that workers fill with them, and files from the network."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence as Several
from pathlib import Path
from typing import Any

from kjax._core import config
from kjax._core.guards import open_file
from kjax._core.sequence import Sequence
from kjax.utils._enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "validate_file",
]

_CHUNK = 65535


def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Several[str] | None = "auto",
    cache_dir: str | None = None,
) -> str:
    """A file of the network, downloaded unless it is there already. Returns its path.

    It is kept in the folder `cache_subdir` of `cache_dir`. A file of that name below `~/.keras` is used as well.

    Arguments:
        fname: its name; an absolute path is kept where it says.
        origin: its address (http, https, ftp or file).
        untar: the file is a `.tar.gz`, which is unpacked beside it; the path returned is without `.tar.gz`.
        md5_hash: its md5 sum. Like `file_hash`, but for Keras 1.
        file_hash: its sha256 or md5 sum. A file that has another one is downloaded again.
        cache_subdir: folder below `cache_dir`, or an absolute path.
        hash_algorithm: `'sha256'`, `'md5'`, or `'auto'`: by the length of the hash.
        extract: unpack the file into its folder, if it is an archive.
        archive_format: `'tar'`, `'zip'`, `'auto'` (both are tried), a list of them, or None for no archive.
        cache_dir: by default `KERAS_HOME`, else kjax's own folder (`KJAX_HOME`, else `~/.kjax`).

    Raises:
        OSError: if it cannot be downloaded, or what comes has another hash.
        ValueError: if the archive is broken, or would write outside of the folder.
    """
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    stored = f"{fname}.tar.gz" if untar else fname
    path = _place(stored, cache_subdir, cache_dir)
    if path.is_file() and file_hash is not None and not validate_file(path, file_hash, hash_algorithm):
        print(
            f"A local file was found, but its {hash_algorithm} file hash does not match the original value of "
            f"{file_hash}: it may be incomplete or outdated. It is downloaded again."
        )
        _download(origin, path, file_hash, hash_algorithm)
    elif not path.is_file():
        _download(origin, path, file_hash, hash_algorithm)
    folder = _folder_of(path, fname)
    if untar:
        unpacked = path.with_name(path.name.removesuffix(".tar.gz"))
        if not unpacked.exists():
            _extract_archive(path, folder, "tar")
        return str(unpacked)
    if extract:
        _extract_archive(path, folder, archive_format)
    return str(path)


def _place(name: str, cache_subdir: str, cache_dir: str | None) -> Path:
    """Where a file is, or else is to be."""
    if cache_dir is not None:
        return Path(cache_dir).expanduser() / cache_subdir / name
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    homes = [keras] if os.environ.get("KERAS_HOME") else [config.home(), keras]
    for home in homes:
        if (home / cache_subdir / name).is_file():
            return home / cache_subdir / name
    return _writable(homes[0]) / cache_subdir / name


def _writable(home: Path) -> Path:
    """The folder, or a temporary one for this user alone where it cannot be written to."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="kjax-"))
    return home if os.access(home, os.W_OK) else Path(tempfile.mkdtemp(prefix="kjax-"))


def _folder_of(path: Path, fname: str) -> Path:
    """Where an archive unpacks to: the cache's folder, though the file may lie in one below it."""
    folder = path.parent
    if not Path(fname).is_absolute():
        for _ in Path(fname).parts[:-1]:
            folder = folder.parent
    return folder


def _download(origin: str, path: Path, file_hash: str | None, algorithm: str) -> None:
    from kjax.utils import _fetch

    def problem(arrived: str) -> str:
        if file_hash is None or validate_file(arrived, file_hash, algorithm):
            return ""
        return f"does not have the {algorithm} hash {file_hash}; its sha256 is {_hash_file(arrived)}"

    _fetch.download(origin, path, problem)


def _extract_archive(file_path: Any, path: Any = ".", archive_format: str | Several[str] | None = "auto") -> bool:
    """Unpack an archive of one of the formats into the folder `path`. Returns whether it was one."""
    from kjax.utils import _archives

    if archive_format is None:
        return False
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    for name in [formats] if isinstance(formats, str) else formats:
        if name not in ("tar", "zip"):
            raise ValueError(f"`archive_format` must be 'auto', 'tar', 'zip' or None. Found: {name!r}")
        if _archives.matches(Path(file_path), name):
            _archives.extract(Path(file_path), Path(path), name)
            return True
    return False


def _hash_file(fpath: Any, algorithm: str = "sha256", chunk_size: int = _CHUNK) -> str:
    """The hash of a file, in hexadecimal digits.

    Arguments:
        fpath: path of the file.
        algorithm: `'sha256'`, `'auto'` (the same) or `'md5'`.
        chunk_size: bytes that are read at once.
    """
    if algorithm not in ("sha256", "auto", "md5"):
        raise ValueError(f"The hash algorithm must be 'auto', 'sha256' or 'md5'. Found: {algorithm!r}")
    digest = hashlib.md5(usedforsecurity=False) if algorithm == "md5" else hashlib.sha256()
    with open_file(fpath) as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def validate_file(fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = _CHUNK) -> bool:
    """Whether a file has a hash.

    Arguments:
        fpath: path of the file.
        file_hash: the expected hash, in hexadecimal digits.
        algorithm: `'sha256'`, `'md5'`, or `'auto'`: by the length of the hash.
        chunk_size: bytes that are read at once.
    """
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return _hash_file(fpath, algorithm, chunk_size) == str(file_hash).lower()
