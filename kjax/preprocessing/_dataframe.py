"""Batches of images that a table names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from kjax._core import notices
from kjax.preprocessing._image_files import EXTENSIONS, is_image
from kjax.preprocessing._image_folders import FilesIterator, check_class_mode, tell

_BY_CLASS = ("binary", "categorical", "sparse")


class DataFrameIterator(FilesIterator):
    """Batches of the images that a table names, in its order.

    Arguments:
        dataframe: a pandas DataFrame, or a dictionary of columns.
        directory: folder that the names in `x_col` are relative to; None for full paths.
        image_data_generator: changes and normalizes the images.
        x_col: column of the names.
        y_col: column of the targets; a list of columns for `'raw'` and `'multi_output'`.
        weight_col: column of the sample weights, or None.
        target_size: `(rows, columns)` that all images are resized to.
        color_mode: `'grayscale'`, `'rgb'` or `'rgba'`.
        classes: labels in the order of the class numbers; rows with others are left out. None for all, sorted.
        class_mode: targets: `'categorical'` one-hot vectors (a row may have a list of labels), `'binary'` floats 0 and
            1, `'sparse'` class numbers, `'input'` the images themselves, `'raw'` (`'other'` in 2.2) the values of
            `y_col`, `'multi_output'` a list with an array for each column; None for batches of images alone.
        batch_size, shuffle, seed: as in `Iterator`.
        data_format: where the channels are; None for `K.image_data_format()`.
        save_to_dir: existing folder into which the changed images are written.
        save_prefix, save_format: how their names begin and end.
        subset: `'training'` or `'validation'`, with the generator's `validation_split`; the first rows validate.
        interpolation: for resizing, as in `load_img`.
        dtype: type of the images; None for `K.floatx()`.
        validate_filenames: whether rows without an image file are left out, with a warning.
        has_ext: whether the names have their endings. Otherwise the files are looked for in `directory`.

    Raises:
        KeyError: for an unknown column.
        TypeError: for names that are no strings.
        ValueError: for an unknown mode or subset.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = None,
        validate_filenames: bool = True,
        has_ext: bool = True,
    ) -> None:
        self._set_options(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, dtype,
        )  # fmt: skip
        class_mode = "raw" if class_mode == "other" else class_mode
        check_class_mode(class_mode, self.allowed_class_modes)
        self.directory, self.class_mode = os.fspath(directory or ""), class_mode
        names = _names(_column(dataframe, x_col), x_col, has_ext, self.directory)
        rows = list(range(len(names)))
        labels = list(_column(dataframe, y_col)) if class_mode in _BY_CLASS else []
        if labels:
            _check_labels(labels, class_mode, y_col, classes)
            if classes:
                labels, rows = _with_classes(labels, rows, set(classes))
        if validate_filenames:
            rows = self._valid(names, rows, x_col)
        if labels:
            order = [name for name in classes if any(name in _set(labels[i]) for i in rows)] if classes else None
            self.class_indices = _numbers(order or sorted(set().union(*(_set(labels[i]) for i in rows))))
        elif class_mode in _BY_CLASS:
            self.class_indices = {}
        rows = self._kept(rows)
        self.filenames = [names[i] for i in rows]
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._set_labels(dataframe, rows, labels, y_col)
        if weight_col:
            self.sample_weight = np.asarray(_column(dataframe, weight_col))[rows]
        self.samples = len(rows)
        kind = "" if validate_filenames else "non-"
        classes_told = f" belonging to {len(self.class_indices)} classes" if class_mode in _BY_CLASS else ""
        tell(f"Found {self.samples} {kind}validated image filenames{classes_told}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _valid(self, names: list[str], rows: list[int], x_col: str) -> list[int]:
        """The rows that name an image file."""
        paths = [os.path.join(self.directory, name) for name in names]
        kept = [i for i in rows if is_image(paths[i]) and os.path.isfile(paths[i])]
        if len(kept) < len(rows):
            notices.warn(
                f'Found {len(rows) - len(kept)} invalid image filename(s) in x_col="{x_col}". '
                "These filename(s) will be ignored."
            )
        return kept

    def _set_labels(self, dataframe: Any, rows: list[int], labels: list[Any], y_col: Any) -> None:
        if self.class_mode in _BY_CLASS:
            numbers = self.class_indices
            self.classes = [
                [numbers[one] for one in labels[i]] if isinstance(labels[i], (list, tuple)) else numbers[labels[i]]
                for i in rows
            ]
            self.labels = self.classes
        elif self.class_mode == "raw":
            columns = [np.asarray(_column(dataframe, name))[rows] for name in _listed(y_col)]
            self.labels = np.stack(columns, axis=1) if isinstance(y_col, (list, tuple)) else columns[0]
        elif self.class_mode == "multi_output":
            self.labels = [np.asarray(list(_column(dataframe, name)))[rows] for name in _listed(y_col)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _set(label: Any) -> set[Any]:
    return set(label) if isinstance(label, (list, tuple)) else {label}


def _numbers(names: Iterable[Any]) -> dict[Any, int]:
    return {name: i for i, name in enumerate(names)}


def _column(dataframe: Any, name: Any) -> Any:
    if name not in dataframe:
        raise KeyError(f"The table has no column {name!r}: its columns are {list(dataframe)}.")
    return dataframe[name]


def _names(values: Any, x_col: str, has_ext: bool, directory: str) -> list[str]:
    values = list(values)
    if has_ext:
        wrong = next((value for value in values if not isinstance(value, (str, os.PathLike))), None)
        if wrong is not None:
            raise TypeError(f"All values in column x_col={x_col} must be strings. Found: {wrong!r}.")
        return [os.fspath(value) for value in values]
    endings = {
        os.path.splitext(name)[0]: name for name in sorted(os.listdir(directory or ".")) if is_image(name, EXTENSIONS)
    }
    return [endings.get(str(value), str(value)) for value in values]


def _check_labels(labels: list[Any], class_mode: str | None, y_col: Any, classes: Any) -> None:
    if class_mode != "categorical":
        wrong = next((label for label in labels if isinstance(label, (list, tuple))), None)
        if wrong is not None:
            raise TypeError(f'If class_mode="{class_mode}", y_col="{y_col}" column values must be strings.')
    if class_mode == "binary":
        count = len(classes) if classes else len(set(labels))
        if count != 2:
            raise ValueError(f'If class_mode="binary" there must be 2 classes. {count} class/es were given.')


def _with_classes(labels: list[Any], rows: list[int], classes: set[Any]) -> tuple[list[Any], list[int]]:
    """Labels without those of other classes, and the rows that have any left."""
    labels = [
        [one for one in label if one in classes] if isinstance(label, (list, tuple)) else label for label in labels
    ]
    return labels, [i for i in rows if _set(labels[i]) & classes]
