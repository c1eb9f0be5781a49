"""Batches of the files of a folder that has one folder for each class, as `tf.keras` had them from 2.3 on."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kjax._core.guards import open_file
from kjax._core.sequence import Sequence
from kjax.preprocessing._image_files import images_below, load_img
from kjax.preprocessing._image_folders import tell

_IMAGES = ("bmp", "gif", "jpeg", "jpg", "png")
_MODES = ("int", "categorical", "binary", None)


class _Shown(np.ndarray):
    """An array that tells its plain self, as TensorFlow's tensors do."""

    def numpy(self) -> Any:
        return np.asarray(self)[()]


class FolderBatches(Sequence):
    """Batches of files, `(inputs, labels)` or inputs alone, each read when its batch is asked for.

    Attributes:
        class_names: names of the classes, in the order of their numbers.
        file_paths: paths of the files.
    """

    def __init__(
        self,
        read: Callable[[list[str]], Any],
        paths: list[str],
        labels: np.ndarray | None,
        batch_size: int,
        seed: int | None,
        class_names: list[str],
    ) -> None:
        self.class_names, self.file_paths = class_names, paths
        self._read, self._labels, self._batch_size = read, labels, batch_size
        self._random = None if seed is None else np.random.RandomState(seed)
        self._changes: list[Callable[..., Any]] = []
        self._first, self._most = 0, None
        self._order = np.arange(len(paths))
        self.on_epoch_end()

    def __len__(self) -> int:
        batches = max(0, -(-len(self.file_paths) // self._batch_size) - self._first)
        return batches if self._most is None else min(batches, self._most)

    def __getitem__(self, index: int) -> Any:
        place = (index + self._first) * self._batch_size
        rows = self._order[place : place + self._batch_size]
        if index < 0 or not len(rows):
            raise IndexError(f"Batch {index} was asked for, but there are {len(self)}.")
        inputs = self._read([self.file_paths[row] for row in rows])
        batch: Any = (inputs,) if self._labels is None else (inputs, self._labels[rows])
        for change in self._changes:
            batch = change(*batch)
            batch = batch if isinstance(batch, tuple) else (batch,)
        return batch if len(batch) > 1 else batch[0]

    def __iter__(self) -> Iterator[Any]:
        for batch in super().__iter__():
            parts = batch if isinstance(batch, tuple) else (batch,)
            shown = tuple(part.view(_Shown) if isinstance(part, np.ndarray) else part for part in parts)
            yield shown if isinstance(batch, tuple) else shown[0]
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        if self._random is not None:
            self._order = self._random.permutation(len(self.file_paths))

    def _changed(self, **attributes: Any) -> FolderBatches:
        other = object.__new__(type(self))
        vars(other).update({**vars(self), **attributes})
        return other

    def map(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> FolderBatches:
        """The same batches, each changed by `function(inputs, labels)`."""
        return self._changed(_changes=[*self._changes, function])

    def take(self, count: int) -> FolderBatches:
        """The first `count` batches."""
        return self._changed(_most=int(count) if self._most is None else min(int(count), self._most))

    def skip(self, count: int) -> FolderBatches:
        """The batches behind the first `count`."""
        most = None if self._most is None else max(0, self._most - int(count))
        return self._changed(_first=self._first + int(count), _most=most)

    def cardinality(self) -> np.ndarray:
        """The number of batches."""
        return np.asarray(len(self)).view(_Shown)

    def cache(self, *args: Any, **kwargs: Any) -> FolderBatches:
        """The same batches."""
        return self

    def shuffle(self, *args: Any, **kwargs: Any) -> FolderBatches:
        """The same batches, which are of another order in each epoch already."""
        return self

    def repeat(self, *args: Any, **kwargs: Any) -> FolderBatches:
        """The same batches: `fit` begins anew with each epoch."""
        return self

    def prefetch(self, *args: Any, **kwargs: Any) -> FolderBatches:
        """The same batches: `fit` reads them ahead."""
        return self


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
) -> FolderBatches:
    """Batches of the images of a folder, in floats from 0 to 255.

    Arguments:
        directory: the folder, with one folder for each class.
        labels: `'inferred'` from the folders; a list with a label for each file in alphabetical order; None for none.
        label_mode: `'int'` class numbers; `'categorical'` one-hot vectors; `'binary'` floats of shape `(samples, 1)`;
            None for batches of inputs alone.
        class_names: names of the folders, in the order of the class numbers; None for all in alphabetical order.
        color_mode: `'grayscale'`, `'rgb'` or `'rgba'`.
        batch_size: files in a batch.
        image_size: `(rows, columns)` that all images are resized to.
        shuffle: whether each epoch has an order of its own.
        seed: of the orders; None to draw it from numpy's global generator.
        validation_split: fraction of the files for validation: the last ones.
        subset: `'training'` or `'validation'`, with `validation_split`.
        interpolation: `'bilinear'` and `'nearest'` are those of TensorFlow; the others are those of `load_img`.
        follow_links: whether to follow links to folders.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: for an unknown mode or subset, or if there is no file.
    """

    def read(paths: list[str]) -> np.ndarray:
        return np.stack([_image(path, color_mode, tuple(image_size), interpolation) for path in paths])

    found = _find(directory, labels, label_mode, class_names, _IMAGES, follow_links)
    return _batches(read, *found, batch_size, shuffle, seed, validation_split, subset)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
) -> FolderBatches:
    """Batches of the text files (`.txt`) of a folder, as arrays of strings.

    Arguments:
        max_length: characters to which texts are cut; None for no limit.

    The other arguments are those of `image_dataset_from_directory`.
    """

    def read(paths: list[str]) -> np.ndarray:
        texts = np.empty(len(paths), object)
        for i, path in enumerate(paths):
            with io.TextIOWrapper(open_file(path), encoding="utf-8") as file:
                texts[i] = file.read(-1 if max_length is None else max_length)
        return texts

    found = _find(directory, labels, label_mode, class_names, ("txt",), follow_links)
    return _batches(read, *found, batch_size, shuffle, seed, validation_split, subset)


def _find(
    directory: Any, labels: Any, label_mode: str | None, class_names: Any, endings: tuple[str, ...], follow_links: bool
) -> tuple[list[str], np.ndarray | None, list[str]]:
    """Paths, labels and names of classes."""
    directory = os.fspath(directory)
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"No such directory: {directory!r}. Expected one folder for each class in it.")
    if label_mode not in _MODES:
        raise ValueError(f"`label_mode` must be one of {', '.join(map(repr, _MODES))}. Received: {label_mode}")
    if isinstance(labels, str) and labels != "inferred":
        raise ValueError(f"`labels` must be 'inferred', None or a list of labels. Received: {labels}")
    if labels is not None and not isinstance(labels, str):
        paths, names = images_below(directory, follow_links, endings), []
        numbers = np.asarray(labels)
        if len(paths) != len(numbers):
            raise ValueError(f"There are {len(numbers)} labels, but {len(paths)} files in {directory!r}.")
        names = [str(label) for label in np.unique(numbers)]
    elif labels is None:
        paths, numbers, names = images_below(directory, follow_links, endings), None, []
    else:
        folders = sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
        names = list(class_names) if class_names else folders
        if set(names) != set(folders):
            raise ValueError(f"`class_names` are {names}, but the folders in {directory!r} are {folders}.")
        below = [images_below(os.path.join(directory, name), follow_links, endings) for name in names]
        paths = [path for each in below for path in each]
        numbers = np.repeat(np.arange(len(names)), [len(each) for each in below])
    if not paths:
        raise ValueError(f"No files found in {directory!r}. Expected names that end in {', '.join(endings)}.")
    told = f" belonging to {len(names)} classes" if labels is not None else ""
    tell(f"Found {len(paths)} files{told}.")
    return paths, _labels(numbers, label_mode, len(names)), names


def _labels(numbers: Any, label_mode: str | None, classes: int) -> np.ndarray | None:
    if numbers is None or label_mode is None:
        return None
    if label_mode == "categorical":
        return np.eye(classes, dtype="float32")[numbers]
    if label_mode == "binary":
        if classes != 2:
            raise ValueError(f"`label_mode='binary'` needs 2 classes, but there are {classes}.")
        return np.asarray(numbers, "float32")[:, None]
    return np.asarray(numbers, "int32")


def _batches(
    read: Any,
    paths: list[str],
    labels: np.ndarray | None,
    names: list[str],
    batch_size: int,
    shuffle: bool,
    seed: int | None,
    split: float | None,
    subset: str | None,
) -> FolderBatches:
    if (split is None) != (subset is None):
        raise ValueError("`validation_split` and `subset` must be given together, or neither.")
    if split is not None and (not 0 < split < 1 or subset not in ("training", "validation")):
        raise ValueError(
            "`validation_split` must be between 0 and 1 and `subset` 'training' or 'validation'. "
            f"Received: {split}, {subset}"
        )
    if split is not None and shuffle and seed is None:
        raise ValueError("With `validation_split` and shuffling pass a `seed`, so that the subsets do not overlap.")
    rows = np.arange(len(paths))
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(rows)
    if split is not None:
        count = int(split * len(rows))
        rows = rows[len(rows) - count :] if subset == "validation" else rows[: len(rows) - count]
        tell(f"Using {len(rows)} files for {subset}.")
    labels = None if labels is None else labels[rows]
    return FolderBatches(read, [paths[row] for row in rows], labels, batch_size, seed if shuffle else None, names)


def _image(path: str, color_mode: str, size: tuple[int, int], interpolation: str) -> np.ndarray:
    own = interpolation in ("bilinear", "nearest")
    image = load_img(path, color_mode=color_mode, target_size=None if own else size, interpolation=interpolation)
    array = np.asarray(image, "float32")
    array = array[..., None] if array.ndim == 2 else array
    for axis in (0, 1):
        if array.shape[axis] != size[axis]:
            array = resized(array, axis, size[axis], interpolation)
    return array


def resized(array: np.ndarray, axis: int, length: int, interpolation: str) -> np.ndarray:
    """Resized along an axis: pixel `i` is taken from `(i + 1/2) old / new - 1/2`, without smoothing."""
    old = array.shape[axis]
    place = (np.arange(length) + 0.5) * old / length
    if interpolation == "nearest":
        return array.take(np.minimum(place.astype(int), old - 1), axis)
    place = np.clip(place - 0.5, 0, old - 1)
    before = place.astype(int)
    weight = (place - before).astype("float32").reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    after = np.minimum(before + 1, old - 1)
    return array.take(before, axis) * (1 - weight) + array.take(after, axis) * weight
