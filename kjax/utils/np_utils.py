"""Numpy helpers for labels and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax._core.arguments import function_accepts_old_names


@function_accepts_old_names("to_categorical")
def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """One-hot vectors of class numbers.

    Arguments:
        y: class numbers from 0 on, of any shape. A last dimension of 1 is dropped.
        num_classes: number of classes; the largest class number plus one if None.
        dtype: type of the result.

    Returns:
        An array of the shape of `y` with one more dimension of length `num_classes`.

    Raises:
        ValueError: for labels that are negative or no whole numbers, or for no labels without `num_classes`.
        IndexError: for a label that is not below `num_classes`.
    """
    labels = _whole_numbers(y)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    labels = labels.ravel()
    if not labels.size and not num_classes:
        raise ValueError("There are no labels in `y`, so the number of classes is unknown: pass `num_classes`.")
    if labels.size and labels.min() < 0:
        raise ValueError(f"Labels must not be negative, but `y` contains {labels.min()}.")
    classes = int(num_classes or labels.max() + 1)
    if labels.size and labels.max() >= classes:
        raise IndexError(
            f"Label {labels.max()} is out of bounds for {classes} classes, which go from 0 to {classes - 1}. "
            f"Pass num_classes={labels.max() + 1} or more, or number the classes from 0 on."
        )
    categorical = np.zeros((labels.size, classes), dtype)
    categorical[np.arange(labels.size), labels] = 1
    return categorical.reshape((*shape, classes))


def _whole_numbers(y: Any) -> np.ndarray:
    array = np.asarray(y)
    if array.dtype.kind in "biu" or not array.size:
        return array.astype(np.int64)
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"Labels must be whole numbers, but `y` is of type {array.dtype} and contains {array.flat[0]!r}. "
            "Number the classes first, for instance with np.unique(y, return_inverse=True)."
        ) from None
    broken = floats[floats != np.floor(floats)]
    if broken.size or not np.isfinite(floats).all():
        wrong = broken[0] if broken.size else floats[~np.isfinite(floats)][0]
        raise ValueError(f"Labels must be whole numbers, but `y` contains {float(wrong)!r}.")
    return floats.astype(np.int64)


def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """`x` with each vector along `axis` divided by its norm: `x / norm(x)`. Vectors of norm 0 stay.

    Arguments:
        x: array to normalize. One of one dimension comes back with two, as in Keras.
        axis: axis along which the vectors lie.
        order: order of the norm; 2 is the Euclidean length.
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
