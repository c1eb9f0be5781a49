"""CIFAR-100: small colour pictures in 100 classes, or the 20 groups of these."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from kjax._core import arguments, config
from kjax.datasets import _cifar
from kjax.datasets._arrays import Arrays, Layout, channels_first
from kjax.datasets._download import RemoteFile
from kjax.datasets._sources import Dataset, load

_URL = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
_CLASSES = {"fine": 100, "coarse": 20}


def _native(label_mode: str, folder: Path) -> Arrays | None:
    found = _cifar.find((folder, folder / "cifar100"), _cifar.versions100(label_mode))
    return None if found is None else _cifar.read(*found)


def _dataset(label_mode: str) -> Dataset:
    fine = label_mode == "fine"
    return Dataset(
        name="cifar100",
        layout=Layout((32, 32, 3), _CLASSES[label_mode], label_shape=(1,), label_dtype="int64"),
        archives=("cifar100.npz",),
        native=partial(_native, label_mode),
        native_name="cifar-100-binary.tar.gz or cifar-100-python.tar.gz (or what they unpack to)",
        downloads=(
            RemoteFile(
                "cifar-100-binary.tar.gz",
                168513733,
                "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                tfds_url=_URL,
                url=_URL,
            ),
        ),
        npz_labels=("y_train", "y_test") if fine else ("y_train_coarse", "y_test_coarse"),
        tfds_label="label" if fine else "coarse_label",
    )


def load_data(label_mode: str = "fine") -> Arrays:
    """50,000 training and 10,000 test colour images, 32 x 32.

    Looked for in the same places as `mnist`.

    Arguments:
        label_mode: `'fine'` (100 classes, the default) or `'coarse'` (the 20 groups they belong to).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` where the
        image data format is channels_first, from 0 to 255; int64 labels `(n, 1)`.

    Raises:
        ValueError: another `label_mode`, or a file was found that is broken.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    if label_mode not in _CLASSES:
        raise ValueError(f"`label_mode` must be one of `fine`, `coarse`, but is {label_mode!r}.")
    arrays = load(_dataset(label_mode))
    return channels_first(arrays) if config.image_data_format() == "channels_first" else arrays


arguments.loaded(__name__)
