"""npz files of plain arrays: headers are checked before memory is allocated, nothing is ever unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from kjax.datasets._files import replacing


def read_npz(path: Path, keys: tuple[str, ...], max_bytes: int) -> dict[str, np.ndarray]:
    """The arrays named `keys` of an npz file.

    Arguments:
        path: the file.
        keys: names that must be there; others are not read.
        max_bytes: what one array may take in memory.

    Raises:
        ValueError: a broken archive, a missing key, pickled objects, or sizes that do not fit together.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            missing = [key for key in keys if f"{key}.npy" not in members]
            if missing:
                found = sorted(name.removesuffix(".npy") for name in members)
                raise ValueError(f"it has no {', '.join(missing)} (it has: {', '.join(found[:12]) or 'nothing'})")
            return {key: _read_member(archive, key, max_bytes) for key in keys}
    except (
        ValueError,
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise ValueError(f"The data set file {path} cannot be used: {error}. Delete or replace it.") from error


def has_keys(path: Path, keys: tuple[str, ...]) -> bool:
    """Whether the archive holds these arrays; False for what is not an archive at all."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{key}.npy" for key in keys} <= set(archive.namelist())
    except zipfile.BadZipFile:
        return False


def _read_member(archive: zipfile.ZipFile, key: str, max_bytes: int) -> np.ndarray:
    info = archive.getinfo(f"{key}.npy")
    with archive.open(info) as header_file:
        shape, dtype = _read_header(header_file, key)
        header_bytes = header_file.tell()
    nbytes = dtype.itemsize
    for side in shape:
        nbytes *= int(side)
    if nbytes > max_bytes:
        raise ValueError(f"{key} of shape {shape} would take {nbytes:,} bytes, more than {max_bytes:,}")
    if info.file_size != header_bytes + nbytes:
        raise ValueError(
            f"{key} of shape {shape} needs {nbytes:,} bytes, but {info.file_size - header_bytes:,} are there"
        )
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_header(file: IO[bytes], key: str) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"{key} is in version {version} of the npy format; 1.0 and 2.0 are read")
    if dtype.hasobject:
        raise ValueError(f"{key} holds pickled Python objects, which are never loaded")
    return shape, dtype


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes plain arrays, uncompressed, so that `path` is never seen half-written."""
    with replacing(path) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # numpy types **kwds as bool too
