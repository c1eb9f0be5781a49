"""Windows of a series in batches, as `tf.keras` had them from 2.3 on, and images cut to a proportion."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax.preprocessing._folders import FolderBatches, resized


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> FolderBatches:
    """Batches of windows of a series, with the target of each.

    Arguments:
        data: the series, one row a time step.
        targets: `targets[i]` belongs to the window that begins at step i; None for windows alone.
        sequence_length: steps in a window.
        sequence_stride: steps between the begins of two windows.
        sampling_rate: steps between two that a window takes.
        batch_size: windows in a batch.
        shuffle: whether each epoch has an order of its own.
        seed: of the orders; None to draw it from numpy's global generator.
        start_index, end_index: the part of the series that is used.

    Raises:
        ValueError: if a length or index does not fit the series.
    """
    data = np.asarray(data)
    begin, end = start_index or 0, len(data) if end_index is None else end_index
    if not 0 <= begin < end <= len(data):
        raise ValueError(
            f"`start_index` and `end_index` must mark a part of the {len(data)} steps. Received: {begin}, {end}"
        )
    if not 0 < sequence_length <= end - begin or min(sequence_stride, sampling_rate) < 1:
        raise ValueError(
            f"`sequence_length`, `sequence_stride` and `sampling_rate` must be at least 1, and a window of "
            f"{sequence_length} steps must fit into {end - begin}."
        )
    steps = begin + np.arange(sequence_length) * sampling_rate
    count = end - steps[-1]
    labels = None
    if targets is not None:
        labels = np.asarray(targets)[begin:end]
        count = min(count, len(labels))
    starts = np.arange(0, count, sequence_stride)
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)

    def read(wanted: list[Any]) -> np.ndarray:
        return data[np.asarray(wanted)[:, None] + steps]

    labels = None if labels is None else labels[starts]
    return FolderBatches(read, list(starts), labels, batch_size, seed if shuffle else None, [])


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear") -> np.ndarray:
    """An image, or several, in another size: the largest part in the middle that has its proportion, resized.

    Arguments:
        x: images with their channels last.
        size: (rows, columns).
        interpolation: `'bilinear'` or `'nearest'`.

    Raises:
        ValueError: for another interpolation or a size without two numbers.
    """
    if len(size) != 2 or interpolation not in ("bilinear", "nearest"):
        raise ValueError(
            f"`smart_resize` takes a size of two numbers, and 'bilinear' or 'nearest'. Found: {size}, {interpolation}."
        )
    images = np.asarray(x, "float32")
    rows, columns = images.shape[-3:-1]
    tall, wide = min(rows, int(columns * size[0] / size[1])), min(columns, int(rows * size[1] / size[0]))
    top, left = (rows - tall) // 2, (columns - wide) // 2
    part = images[..., top : top + tall, left : left + wide, :]
    for axis, length in zip((-3, -2), size, strict=True):
        part = resized(part, axis % part.ndim, int(length), interpolation)
    return part
