"""Lists of numbers of different lengths in an npz file, where numpy keeps them as a pickle, read without risk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from kjax._core.guards import Refused, npz, pickles
from kjax.datasets._npz import require, unusable

_MAX_BYTES = 1 << 28


def read_npz(path: Path, ragged: tuple[str, ...], plain: tuple[str, ...]) -> dict[str, Any]:
    """Members of an npz file.

    Arguments:
        path: the file.
        ragged: names of arrays of lists.
        plain: names of arrays of numbers.

    Returns:
        By name, a list of lists of ints, or an array.

    Raises:
        ValueError: naming the file, for one that is broken or holds anything else.
    """
    try:
        with npz.reading(path) as arrays:
            require(arrays, (*ragged, *plain))
            lists: dict[str, Any] = {key: _lists(arrays, key) for key in ragged}
            return {**lists, **{key: _numbers(arrays.read(key, _MAX_BYTES), key) for key in plain}}
    except Refused as error:
        raise unusable(path, error) from error


def _numbers(array: np.ndarray, key: str) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise Refused(f"{key} is of type {array.dtype}; numbers were expected")
    return array


def _lists(arrays: npz.Arrays, key: str) -> list[list[int]]:
    data = arrays.raw(key, _MAX_BYTES)
    file = io.BytesIO(data)
    shape, descr, _ = npz.header_parts(file, key)
    if descr != "'|O'":
        # Lists that all have the same length are a plain array.
        return _numbers(npz.read_array(io.BytesIO(data), len(data), key, _MAX_BYTES), key).astype(np.int64).tolist()
    lists = pickles.read_lists(file.read())
    if shape != (len(lists),):
        raise Refused(f"{key} of shape {shape} holds {len(lists)} lists")
    return lists
