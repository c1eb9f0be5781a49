"""`input_data.read_data_sets`: MNIST in the three parts of TensorFlow 1's tutorials, and `next_batch`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kjax import datasets
from kjax.compat.tensorflow._arguments import dtype_name
from kjax.compat.tensorflow._feeds import ALIGNMENT
from kjax.datasets import _idx


class DataSet:
    """Images and labels, and batches of them.

    Arguments:
        images: `(samples, rows, columns, 1)`, uint8.
        labels: numbers of classes, or rows with a one at the class.
        fake_data: whether to hand out a constant image instead.
        one_hot: whether the labels of fake data are rows.
        dtype: float32 for images from 0 to 1, uint8 for 0 to 255.
        reshape: whether an image is one row of numbers.
        seed: for the order of the samples; numpy's global generator draws it if None.

    Raises:
        TypeError: for another type.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = "float32",
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        wanted = dtype_name(dtype)
        if wanted not in (np.dtype("uint8"), np.dtype("float32")):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        if len(images) != len(labels):
            raise ValueError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
        self._fake, self._one_hot = fake_data, one_hot
        self._num_examples = 10000 if fake_data else len(images)
        if reshape and images.ndim == 4:
            images = images.reshape(len(images), math.prod(images.shape[1:]))
        self._images = scaled(images) if wanted == np.dtype("float32") and images.dtype == np.uint8 else images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0
        self._draw: Any = np.random if seed is None else np.random.RandomState(seed)

    @property
    def images(self) -> np.ndarray:
        """All images."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """All labels."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """How many there are."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How often `next_batch` has come to the end."""
        return self._epochs_completed

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """The next `batch_size` images and labels.

        The samples are shuffled before the first batch. A batch that passes the end takes what is left, and goes on
        with the first samples of a new order.
        """
        if fake_data:
            label = [1] + [0] * 9 if self._one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if self._epochs_completed == 0 and start == 0 and shuffle:
            self._shuffle()
        if start + batch_size <= self._num_examples:
            self._index_in_epoch = end = start + batch_size
            return self._images[start:end], self._labels[start:end]
        self._epochs_completed += 1
        rest = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._index_in_epoch = end = batch_size - (self._num_examples - start)
        images, labels = self._images[:end], self._labels[:end]
        return np.concatenate((rest[0], images)), np.concatenate((rest[1], labels))

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        self._draw.shuffle(order)
        self._images = _aligned_rows(self._images, order)
        self._labels = self._labels[order]


def scaled(images: np.ndarray) -> np.ndarray:
    """Images from 0 to 1 as float32, in memory that a CPU's programs use without a copy."""
    result = _empty(images.shape, np.float32)
    np.multiply(images, np.float32(1.0 / 255.0), out=result)
    return result


def _aligned_rows(images: np.ndarray, order: np.ndarray) -> np.ndarray:
    result = _empty(images.shape, images.dtype)
    np.take(images, order, axis=0, out=result, mode="clip")
    return result


def _empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + size].view(dtype).reshape(shape)


class Datasets(NamedTuple):
    """The three parts."""

    train: DataSet
    validation: DataSet
    test: DataSet


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Rows with a one at the class of each sample."""
    rows = np.zeros((len(labels_dense), num_classes))
    rows[np.arange(len(labels_dense)), labels_dense.ravel()] = 1
    return rows


def _arrays(folder: Any) -> Any:
    """The four files of the folder; kjax's own MNIST if it does not hold them."""
    found = _idx.find((Path(folder),)) if folder else None
    return datasets.mnist.load_data() if found is None else _idx.read(found)


def read_data_sets(
    train_dir: Any,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = "float32",
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str | None = None,
) -> Datasets:
    """MNIST: 55,000 images to train on, 5,000 to validate on, 10,000 to test.

    Arguments:
        train_dir: folder with the four files `train-images-idx3-ubyte.gz`, ...; where it has none, kjax's own MNIST is
            taken, which looks in its folders and downloads.
        fake_data: whether to hand out constant images instead.
        one_hot: whether labels are rows with a one at the class.
        dtype: float32 for images from 0 to 1, uint8 for 0 to 255.
        reshape: whether an image is one row of 784 numbers.
        validation_size: how many of the 60,000, the first ones, are set apart.
        seed: for the order of the samples.
        source_url: accepted, not used.

    Raises:
        ValueError: if `validation_size` is not between 0 and the number of training images.
        OSError: if MNIST is found nowhere.
    """
    if fake_data:
        empty = np.zeros((0, 28, 28, 1), np.uint8), np.zeros((0,), np.uint8)
        parts = [DataSet(*empty, fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed) for _ in range(3)]
        return Datasets(*parts)
    (x, y), (x_test, y_test) = _arrays(train_dir)
    if not 0 <= validation_size <= len(x):
        raise ValueError(f"Validation size should be between 0 and {len(x)}. Received: {validation_size}.")
    if one_hot:
        y, y_test = dense_to_one_hot(y, 10), dense_to_one_hot(y_test, 10)
    pieces = [(x[validation_size:], y[validation_size:]), (x[:validation_size], y[:validation_size]), (x_test, y_test)]
    return Datasets(*(DataSet(a[..., None], b, dtype=dtype, reshape=reshape, seed=seed) for a, b in pieces))


def load_mnist(train_dir: Any = "MNIST-data") -> Datasets:
    """`read_data_sets` with its defaults."""
    return read_data_sets(train_dir)
