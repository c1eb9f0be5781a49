"""HDF5 files as arrays, and a question before a file is overwritten."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np


class HDF5Matrix:
    """A data set of an HDF5 file, or a range of its samples, that can be used like a numpy array.

    Samples are read when they are asked for. `fit`, `evaluate` and `predict` take it as inputs or targets; they read it
    whole, once, so that `shuffle` may be True, False or `'batch'`.

    Arguments:
        datapath: path of the file.
        dataset: name of the data set in it.
        start: number of the first sample.
        end: number of the sample before which to end; all by default.
        normalizer: called with each array that is read; returns what is used instead.

    Raises:
        KeyError: if the file has no such data set.
        ValueError: if it lies outside of the file, or announces more than the file holds.
        ValueError: if `start` and `end` are no range of samples in it.
    """

    refs: dict[str, Any] = {}  # noqa: RUF012  # shared on purpose: a file is opened once
    """The open files by path."""

    def __init__(
        self,
        datapath: str,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        from kjax._core.guards import hdf5

        path = str(datapath)
        file = self.refs.get(path)
        if not file:  # an h5py file that was closed is false
            file = self.refs[path] = hdf5.opened(path)
        with hdf5.reading(file) as root:
            dataset = dataset.strip("/")
            if dataset not in root:
                raise KeyError(f"{path} has no data set {dataset!r}. It has: {', '.join(root.names()) or 'nothing'}.")
            self.data: Any = root.dataset(dataset).rows()
        self.start = start
        self.end: int = self.data.shape[0] if end is None else end
        if not 0 <= self.start <= self.end <= self.data.shape[0]:
            raise ValueError(
                f"The samples from {start} to {end} are no range of the data set {dataset!r}, which has "
                f"{self.data.shape[0]} samples."
            )
        self.normalizer = normalizer
        self._first: np.ndarray | None = None

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> Any:
        """Samples: by a number, a slice, or a list or array of numbers.

        Raises:
            IndexError: for a sample that is not in the range.
        """
        if isinstance(key, (int, np.integer)):
            found = self.data[self._checked(np.array([key]))[0]]
        elif isinstance(key, slice):
            found = self._slice(key)
        else:
            found = self._rows(np.asarray(key))
        return found if self.normalizer is None else self.normalizer(found)

    def _slice(self, key: slice) -> np.ndarray:
        if key.stop is not None and key.stop > len(self):
            raise IndexError(f"The sample {key.stop - 1} was asked for, but there are {len(self)}.")
        first, stop, step = key.indices(len(self))
        if step != 1:
            return self._rows(np.arange(first, stop, step))
        return self.data[self.start + first : self.start + max(first, stop)]

    def _rows(self, key: np.ndarray) -> np.ndarray:
        if key.dtype == bool:
            key = np.flatnonzero(key)
        rows = self._checked(key)
        # HDF5 reads rows in increasing order, each once.
        unique, where = np.unique(rows, return_inverse=True)
        return self.data[unique][where] if len(rows) else self.data[:0]

    def _checked(self, key: np.ndarray) -> np.ndarray:
        wrong = key[(key >= len(self)) | (key < -len(self))]
        if wrong.size:
            raise IndexError(f"The sample {wrong[0]} was asked for, but there are {len(self)}.")
        return self.start + np.where(key < 0, key + len(self), key).astype(np.int64)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("The samples are in a file: they cannot become an array without being copied.")
        return np.asarray(self[:], dtype)

    def _sample(self) -> np.ndarray:
        if self._first is None:
            self._first = np.asarray(self[0:1])
        return self._first

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples, and the shape of one after normalizing."""
        return (len(self), *(self.data.shape[1:] if self.normalizer is None else self._sample().shape[1:]))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers after normalizing."""
        return self.data.dtype if self.normalizer is None else self._sample().dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """Number of items."""
        return int(np.prod(self.shape))


def load_from_binary_h5py(load_function: Callable[[Any], Any], stream: Any) -> Any:
    """What a function returns for the HDF5 file, opened to be read, whose bytes a file object holds.

    Arguments:
        load_function: called with the `h5py.File`.
        stream: a binary file object.
    """
    from kjax._core.guards import hdf5

    with hdf5.opened(io.BytesIO(stream.read())) as file:
        return load_function(file)


def save_to_binary_h5py(save_function: Callable[[Any], Any], stream: Any) -> Any:
    """Write the HDF5 file that a function fills into a binary file object; returns what the function returns.

    Arguments:
        save_function: called with a new `h5py.File`.
        stream: a binary file object.
    """
    from kjax._core.guards import hdf5

    content = io.BytesIO()
    with hdf5.writing(content) as file:
        returned = save_function(file)
    stream.write(content.getvalue())
    return returned


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Ask the user whether a file that exists may be overwritten. Returns the answer."""
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]")
    while answer.strip().lower() not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).')
    if answer.strip().lower() == "n":
        return False
    print("[TIP] Next time specify overwrite=True!")
    return True
