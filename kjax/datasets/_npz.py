"""npz files of data sets: headers are checked before memory is allocated, and nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kjax._core.guards import Refused, npz


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
        with npz.reading(path) as arrays:
            require(arrays, keys)
            return {key: arrays.read(key, max_bytes) for key in keys}
    except Refused as error:
        raise unusable(path, error) from error


def require(arrays: npz.Arrays, keys: tuple[str, ...]) -> None:
    """Check that a file has some arrays.

    Raises:
        Refused: naming those that are missing.
    """
    if missing := [key for key in keys if key not in arrays]:
        raise Refused(f"it has no {', '.join(missing)} (it has: {', '.join(sorted(arrays.names())[:12]) or 'nothing'})")


def unusable(path: Path, error: Exception) -> ValueError:
    """The error that names a file."""
    return Refused(f"The data set file {path} cannot be used: {str(error).rstrip('.')}. Delete or replace it.")


def has_keys(path: Path, keys: tuple[str, ...]) -> bool:
    """Whether the archive holds these arrays; False for what is not an archive at all."""
    try:
        with npz.reading(path) as arrays:
            return all(key in arrays for key in keys)
    except Refused:
        return False


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes plain arrays, uncompressed, so that `path` is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    npz.write(path, arrays)
