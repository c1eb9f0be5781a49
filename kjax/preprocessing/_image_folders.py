"""Batches of image files, and those of a folder with one folder for each class."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from kjax._core import config
from kjax._core.arguments import accepts_old_names
from kjax.preprocessing._image_files import EXTENSIONS, check_format, images_below, img_to_array, load_img
from kjax.preprocessing._image_iterators import Iterator


class FilesIterator(Iterator):
    """Batches of image files. A subclass sets `filepaths`, `class_mode` and, by class mode, `labels`."""

    filepaths: list[str]
    class_mode: str | None
    class_indices: dict[Any, int]
    labels: Any = None
    sample_weight: Any = None

    def _set_options(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str | None,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        dtype: Any,
    ) -> None:
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        if color_mode not in ("rgb", "rgba", "grayscale"):
            raise ValueError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".')
        self.color_mode, self.data_format = color_mode, check_format(data_format)
        channels = {"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode]
        first = self.data_format == "channels_first"
        self.image_shape = (channels, *self.target_size) if first else (*self.target_size, channels)
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.interpolation, self.dtype = interpolation, dtype or config.floatx()
        if subset not in (None, "training", "validation"):
            raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
        validation = image_data_generator._validation_split
        self.subset = subset
        self.split = {None: None, "validation": (0, validation), "training": (validation, 1)}[subset]

    def _kept(self, items: list[Any]) -> list[Any]:
        """Those of the subset."""
        if self.split is None:
            return items
        return items[int(self.split[0] * len(items)) : int(self.split[1] * len(items))]

    def _load(self, path: str) -> np.ndarray:
        image = load_img(
            path, color_mode=self.color_mode, target_size=self.target_size, interpolation=self.interpolation
        )
        return img_to_array(image, self.data_format, self.dtype)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        images = np.zeros((len(index_array), *self.image_shape), self.dtype)
        paths = [self.filepaths[i] for i in index_array]
        # Reading and decoding files goes on side by side: PIL lets other threads run meanwhile.
        with ThreadPoolExecutor(4) as pool:
            for i, image in enumerate(pool.map(self._load, paths)):
                images[i] = image
        images = self.image_data_generator._batch(images)
        self._save(images, index_array, 10_000_000)
        if self.class_mode is None:
            return images
        targets = images.copy() if self.class_mode == "input" else self._targets(index_array)
        batch = (images, targets)
        return batch if self.sample_weight is None else (*batch, np.asarray(self.sample_weight)[index_array])

    def _targets(self, index_array: np.ndarray) -> Any:
        """What the class mode makes of the labels of these samples."""
        labels = self.labels
        if self.class_mode == "categorical":
            targets = np.zeros((len(index_array), len(self.class_indices)), self.dtype)
            for row, i in zip(targets, index_array, strict=True):
                row[labels[i]] = 1
            return targets
        if self.class_mode == "multi_output":
            return [output[index_array] for output in labels]
        targets = np.asarray(labels)[index_array]
        return targets.astype(self.dtype) if self.class_mode == "binary" else targets


class DirectoryIterator(FilesIterator):
    """Batches of the images of a folder that has one folder for each class.

    Arguments:
        directory: the folder. Images are PNG, JPEG, BMP, PPM or TIFF, also in folders below.
        image_data_generator: changes and normalizes the images.
        target_size: `(rows, columns)` that all images are resized to.
        color_mode: `'grayscale'`, `'rgb'` or `'rgba'`.
        classes: names of the folders, in the order of the class numbers; None for all in alphabetical order.
        class_mode: targets: `'categorical'` one-hot vectors, `'binary'` floats 0 and 1, `'sparse'` class numbers,
            `'input'` the images themselves; None for batches of images alone.
        batch_size, shuffle, seed: as in `Iterator`.
        data_format: where the channels are; None for `K.image_data_format()`.
        save_to_dir: existing folder into which the changed images are written.
        save_prefix, save_format: how their names begin and end.
        follow_links: whether to follow links to folders.
        subset: `'training'` or `'validation'`, with the generator's `validation_split`; the first files of each class
            validate.
        interpolation: for resizing, as in `load_img`.
        dtype: type of the images; None for `K.floatx()`.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: for an unknown mode or subset.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    @accepts_old_names("DirectoryIterator")
    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
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
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = None,
    ) -> None:
        self._set_options(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, dtype,
        )  # fmt: skip
        check_class_mode(class_mode, self.allowed_class_modes)
        self.directory, self.class_mode = os.fspath(directory), class_mode
        if not os.path.isdir(self.directory):
            raise FileNotFoundError(
                f"No such directory: {self.directory!r}, which is {os.path.abspath(self.directory)}. "
                "Expected a folder with one folder of images for each class."
            )
        names = list(classes) if classes else _folders(self.directory)
        self.num_classes = len(names)
        self.class_indices = {name: i for i, name in enumerate(names)}
        found = [self._kept(images_below(os.path.join(self.directory, name), follow_links)) for name in names]
        self.filepaths = [path for paths in found for path in paths]
        self.filenames = [os.path.relpath(path, self.directory) for path in self.filepaths]
        self.classes = np.repeat(np.arange(len(names), dtype="int32"), [len(paths) for paths in found])
        self.labels = self.classes
        self.samples = len(self.filepaths)
        tell(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def next(self) -> Any:
        """The next batch.

        Raises:
            ValueError: if there is no image.
        """
        if not self.n:
            raise ValueError(
                f"There are no images to take a batch from: found 0 images belonging to {self.num_classes} classes in "
                f"{self.directory!r}. Images must lie in one folder for each class and end in {', '.join(EXTENSIONS)}."
            )
        return super().next()


def _folders(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))


def check_class_mode(class_mode: str | None, allowed: tuple[str | None, ...]) -> None:
    """Check that a class mode is known."""
    if class_mode not in allowed:
        raise ValueError(
            f"Invalid class_mode: {class_mode}; expected one of: {', '.join(repr(mode) for mode in allowed)}."
        )


def tell(line: str) -> None:
    """Say what was found."""
    sys.stdout.write(line + "\n")
