"""The IDX files in which MNIST and Fashion-MNIST were published, gzipped or plain."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from kjax._core.guards import open_file
from kjax.datasets._arrays import MAX_EXAMPLES, Arrays

_STEMS = {
    "x_train": ("train-images", 3),
    "y_train": ("train-labels", 1),
    "x_test": ("t10k-images", 3),
    "y_test": ("t10k-labels", 1),
}
_MAX_SIDE = 64


def find(folders: tuple[Path, ...]) -> dict[str, Path] | None:
    """The four files of the first folder that has them all."""
    for folder in folders:
        found = {key: _existing(folder, stem, ndim) for key, (stem, ndim) in _STEMS.items()}
        paths = {key: path for key, path in found.items() if path is not None}
        if len(paths) == len(_STEMS):
            return paths
    return None


def _existing(folder: Path, stem: str, ndim: int) -> Path | None:
    for middle in ("-", "."):
        for ending in (".gz", ""):
            path = folder / f"{stem}{middle}idx{ndim}-ubyte{ending}"
            if path.is_file():
                return path
    return None


def read(paths: dict[str, Path]) -> Arrays:
    """The arrays of the four files."""
    a = {key: read_file(path, _STEMS[key][1]) for key, path in paths.items()}
    return (a["x_train"], a["y_train"]), (a["x_test"], a["y_test"])


def read_file(path: Path, ndim: int) -> np.ndarray:
    """One uint8 array of `ndim` dimensions.

    Layout: two zero bytes, 8 for unsigned bytes, the number of dimensions, each side as a big-endian 32-bit
    integer, data.

    Raises:
        ValueError: another layout, or more or fewer bytes than the header announces.
    """
    try:
        with open_file(path) as file, gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file as content:
            return _parse(content, ndim)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"The data set file {path} cannot be used: {error}. Delete or replace it.") from error


def _parse(file: IO[bytes] | gzip.GzipFile, ndim: int) -> np.ndarray:
    magic = file.read(4)
    expected = bytes((0, 0, 8, ndim))
    if magic != expected:
        raise ValueError(
            f"it begins with {magic.hex() or 'nothing'}, expected {expected.hex()} (IDX, {ndim} dimensions)"
        )
    sides = file.read(4 * ndim)
    if len(sides) != 4 * ndim:
        raise ValueError("it ends inside its header")
    shape = tuple(int.from_bytes(sides[at : at + 4], "big") for at in range(0, 4 * ndim, 4))
    if shape[0] > MAX_EXAMPLES or any(side > _MAX_SIDE for side in shape[1:]):
        raise ValueError(f"its header announces the shape {shape}, more than any set of this kind has")
    size = int(np.prod(shape))
    data = file.read(size + 1)
    if len(data) != size:
        at_least = "more" if len(data) > size else f"{len(data):,}"
        raise ValueError(f"its header announces the shape {shape}, {size:,} bytes, but {at_least} follow")
    # A copy, because an array over bytes cannot be written to.
    return np.frombuffer(data, np.uint8).reshape(shape).copy()
