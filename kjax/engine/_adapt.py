"""Sources of other libraries as sources of batches: data sets of TFDS and PyTorch, loaders, `tf.data`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from kjax._core.sequence import Sequence
from kjax._core.stream import has_random_access
from kjax.engine._targets import Evaluated


def is_source(x: Any) -> bool:
    """Whether `x` yields batches, instead of being the data."""
    if x is None or isinstance(x, (np.ndarray, jax.Array, list, tuple, dict, str, bytes)) or hasattr(x, "to_numpy"):
        return False
    if hasattr(x, "__array__") or (hasattr(x, "shape") and hasattr(x, "dtype")):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or has_random_access(x)


def check_alone(x: Any, y: Any, sample_weight: Any, split: float) -> None:
    """Refuse what cannot stand beside a source of batches.

    Raises:
        ValueError: naming it.
    """
    if y is not None or sample_weight is not None:
        raise ValueError("`y` and `sample_weight` must be None when `x` yields batches: it yields them too.")
    if split and isinstance(x, Evaluated):
        raise ValueError("If your data is in the form of symbolic tensors, you cannot use `validation_split`.")
    if split:
        raise ValueError(f"`validation_split={split}` needs arrays, but `x` is batches: use `validation_data`.")


def batches(source: Any, batch_size: int | None, shuffle: bool = False) -> Any:
    """A source of batches from what `fit` was given: single samples are put together, loaders speak Keras's way.

    Arguments:
        source: what `is_source` takes for one.
        batch_size: samples in a batch, where the source gives single samples; 32 if None.
        shuffle: whether these samples come in a new order each epoch.
    """
    if _made_by(source, "torch.utils.data", "DataLoader"):
        return Loader(source)
    if has_random_access(source) and _made_by(source, "torch.utils.data", "Dataset"):
        return Samples(source, batch_size or 32, shuffle)
    if has_random_access(source) and _made_by(source, "tensorflow_datasets"):
        return Samples(source, batch_size or 32, shuffle, _supervised(source))
    return source


def _made_by(source: Any, package: str, name: str | None = None) -> bool:
    """Whether a class of `source`, called `name` if that is given, comes from a package. Nothing is imported."""
    found = [c for c in type(source).__mro__ if c.__module__ == package or c.__module__.startswith(package + ".")]
    return any(name in (None, c.__name__) for c in found)


def has_no_end(source: Any) -> bool:
    """Whether a source surely goes on for ever: a generator may, a repeated `tf.data.Dataset` says so."""
    if hasattr(source, "__next__"):
        return True
    cardinality = getattr(source, "cardinality", None)
    return callable(cardinality) and int(np.asarray(cardinality())) == -1


def on_host(item: Any) -> Any:
    """A batch with tensors of PyTorch, on whatever device and with whatever gradients, as arrays."""
    if hasattr(item, "detach") and hasattr(item, "cpu"):
        return item.detach().cpu().numpy()
    if isinstance(item, tuple) and not hasattr(item, "_fields"):
        return tuple(on_host(part) for part in item)
    if isinstance(item, list) and any(hasattr(part, "detach") for part in item):
        return [on_host(part) for part in item]
    if isinstance(item, dict):
        return {key: on_host(part) for key, part in item.items()}
    return item


class Loader:
    """A PyTorch loader, whose batches are lists: as tuples they are inputs and targets."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            yield tuple(batch) if isinstance(batch, list) else batch


def _supervised(source: Any) -> Callable[[Any], Any]:
    """What makes (inputs, targets) of an example of a TFDS data source, as the data set describes itself."""
    keys = getattr(getattr(source, "dataset_info", None), "supervised_keys", None)
    if keys is None or len(keys) not in (2, 3) or not all(isinstance(key, str) for key in keys):
        return lambda example: example
    return lambda example: tuple(example[key] for key in keys) if isinstance(example, dict) else example


class Samples(Sequence):
    """Batches of single samples that are had by their number.

    Arguments:
        source: the samples.
        batch_size: samples in a batch.
        shuffle: whether they come in a new order each epoch.
        convert: changes each sample.
    """

    def __init__(
        self, source: Any, batch_size: int, shuffle: bool, convert: Callable[[Any], Any] = lambda sample: sample
    ) -> None:
        self.source, self.batch_size, self.shuffle, self.convert = source, batch_size, shuffle, convert
        self.order = np.arange(len(source))
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size].tolist()
        many = getattr(self.source, "__getitems__", None)
        samples = many(rows) if many is not None else [self.source[row] for row in rows]
        return _stacked([on_host(self.convert(sample)) for sample in samples])

    def on_epoch_end(self) -> None:
        if self.shuffle:
            np.random.shuffle(self.order)


def _stacked(samples: list[Any]) -> Any:
    """The samples of a batch, part by part, as arrays with one row a sample."""
    first = samples[0]
    if isinstance(first, (tuple, list)):
        return tuple(_stacked(list(parts)) for parts in zip(*samples, strict=True))
    if isinstance(first, dict):
        return {key: _stacked([sample[key] for sample in samples]) for key in first}
    return np.stack([np.asarray(sample) for sample in samples])
