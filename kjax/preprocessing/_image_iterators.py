"""Batches of images: by number or without end, and those of arrays in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as Iterates
from typing import Any

import numpy as np

from kjax._core import config
from kjax._core.arguments import accepts_old_names
from kjax._core.sequence import Sequence
from kjax.preprocessing import _standard
from kjax.preprocessing._image_files import EXTENSIONS, check_format, save_img


class Iterator(Sequence):
    """Batches of samples, by number or one after the other without end.

    Orders are drawn from numpy's global generator. A subclass defines `_get_batches_of_transformed_samples`.

    Arguments:
        n: number of samples.
        batch_size: samples in a batch; the last of an epoch may have fewer.
        shuffle: whether each epoch has an order of its own.
        seed: of numpy's global generator, which it sets before each batch; None to leave it alone.
    """

    white_list_formats = EXTENSIONS
    save_to_dir: str | None = None
    save_prefix: str
    save_format: str
    data_format: str

    @accepts_old_names("Iterator")
    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Found: {batch_size}.")
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.index_array: np.ndarray | None = None
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def __getstate__(self) -> dict[str, Any]:
        """What other processes need: locks and generators cannot be sent."""
        return {key: value for key, value in vars(self).items() if key not in ("lock", "index_generator")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _order(self) -> np.ndarray:
        if self.index_array is None:
            self._set_index_array()
        assert self.index_array is not None
        return self.index_array

    def _seed_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self) or idx < -len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        idx %= len(self)
        with self.lock:
            self._seed_batch()
            self.total_batches_seen += 1
            index_array = self._order()[self.batch_size * idx : self.batch_size * (idx + 1)]
        return self._get_batches_of_transformed_samples(index_array)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._set_index_array()

    def reset(self) -> None:
        """Begin the next batch with the first sample of a new epoch."""
        self.batch_index = 0

    def _flow_index(self) -> Iterates[np.ndarray]:
        self.reset()
        while True:
            self._seed_batch()
            if self.batch_index == 0:
                self._set_index_array()
            first = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > first + self.batch_size else 0
            self.total_batches_seen += 1
            yield self._order()[first : first + self.batch_size]

    def __iter__(self) -> Iterator:
        return self

    def __next__(self, *args: Any, **kwargs: Any) -> Any:
        return self.next(*args, **kwargs)

    def next(self) -> Any:
        """The next batch."""
        with self.lock:
            index_array = next(self.index_generator)
        return self._get_batches_of_transformed_samples(index_array)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        """The batch of these samples."""
        raise NotImplementedError(
            f"{type(self).__name__} must define `_get_batches_of_transformed_samples(index_array)`, "
            "which returns the batch of the samples of these numbers."
        )

    def _save(self, images: np.ndarray, index_array: np.ndarray, largest: int) -> None:
        """Write a batch's images, with a random number in each name."""
        if not self.save_to_dir:
            return
        for image, index in zip(images, index_array, strict=True):
            name = f"{self.save_prefix}_{index}_{np.random.randint(largest)}.{self.save_format}"
            save_img(os.path.join(self.save_to_dir, name), image, self.data_format)


class NumpyArrayIterator(Iterator):
    """Batches of arrays in memory, changed by an `ImageDataGenerator`.

    Arguments:
        x: images of rank 4; or a pair `(images, other)`, with an array or a list of arrays that are not changed.
        y: targets, or None.
        image_data_generator: changes and normalizes the images.
        batch_size, shuffle, seed: as in `Iterator`.
        sample_weight: weights of the samples, or None.
        data_format: where the channels are; None for `K.image_data_format()`.
        save_to_dir: existing folder into which the changed images are written.
        save_prefix, save_format: how their names begin and end.
        subset: `'training'` or `'validation'`, with the generator's `validation_split`.
        dtype: type of the images; None for `K.floatx()`.

    Raises:
        ValueError: for another rank, different lengths, or an unknown subset.
    """

    @accepts_old_names("NumpyArrayIterator")
    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or config.floatx()
        self.data_format = check_format(data_format)
        x, others = x if isinstance(x, (tuple, list)) else (x, [])
        others = others if isinstance(others, list) else [others]
        x, others = np.asarray(x), [np.asarray(other) for other in others]
        for other in others:
            if len(other) != len(x):
                raise ValueError(
                    "All of the arrays in `x` should have the same length. "
                    f"Found a pair with: len(x[0]) = {len(x)}, len(x[?]) = {len(other)}"
                )
        y = None if y is None else np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        for name, array in (("`y` (labels)", y), ("`sample_weight`", weight)):
            if array is not None and len(array) != len(x):
                short = "y" if array is y else "sample_weight"
                raise ValueError(
                    f"`x` (images tensor) and {name} should have the same length. "
                    f"Found: x.shape = {x.shape}, {short}.shape = {array.shape}"
                )
        if subset is not None:
            part = _part(subset, len(x), image_data_generator._validation_split, y)
            x, others = x[part], [other[part] for other in others]
            y, weight = None if y is None else y[part], None if weight is None else weight[part]
        if x.ndim != 4:
            raise ValueError(
                "Input data in `NumpyArrayIterator` should have rank 4. "
                f"You passed an array with shape {x.shape}. Give images a channel: `x.reshape(x.shape + (1,))`."
            )
        axis = 3 if self.data_format == "channels_last" else 1
        _standard.check_channels(x, axis, self.data_format, "NumpyArrayIterator is set to use images")
        self.x, self.x_misc, self.y, self.sample_weight = x, others, y, weight
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        images = self.image_data_generator._batch(self.x[index_array].astype(self.dtype, copy=False))
        self._save(images, index_array, 10_000)
        inputs = images if not self.x_misc else [images, *(other[index_array] for other in self.x_misc)]
        if self.y is None:
            return inputs
        batch = (inputs, self.y[index_array])
        return batch if self.sample_weight is None else (*batch, self.sample_weight[index_array])


def _part(subset: str, n: int, split: float, y: Any) -> slice:
    """The samples of a subset: the first ones validate."""
    if subset not in ("training", "validation"):
        raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
    end = int(n * split)
    if y is not None and not np.array_equal(np.unique(y[:end]), np.unique(y[end:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. "
            "If your numpy arrays are sorted by the label, you might want to shuffle them."
        )
    return slice(None, end) if subset == "validation" else slice(end, None)
