"""CIFAR-10: small colour pictures in 10 classes."""

from __future__ import annotations

from pathlib import Path

from kjax._core import arguments, config
from kjax.datasets import _cifar
from kjax.datasets._arrays import Arrays, Layout, channels_first
from kjax.datasets._download import RemoteFile
from kjax.datasets._sources import Dataset, load

_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_VERSIONS = _cifar.versions10()


def _native(folder: Path) -> Arrays | None:
    found = _cifar.find((folder, folder / "cifar10"), _VERSIONS)
    return None if found is None else _cifar.read(*found)


_CIFAR10 = Dataset(
    name="cifar10",
    layout=Layout(image_shape=(32, 32, 3), classes=10, label_shape=(1,)),
    archives=("cifar10.npz",),
    excerpt=r"cifar-?10(?!\d).*\.npz$",
    native=_native,
    native_name="cifar-10-binary.tar.gz or cifar-10-python.tar.gz (or what they unpack to)",
    downloads=(
        RemoteFile(
            "cifar-10-binary.tar.gz",
            170052171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            tfds_url=_URL,
            url=_URL,
        ),
    ),
)


def load_data() -> Arrays:
    """50,000 training and 10,000 test colour images, 32 x 32, in 10 classes.

    The classes: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.
    Looked for in the same places as `mnist`. Where only an npz file `cifar10*.npz` with a part of the set is
    found, that part is returned.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` where the
        image data format is channels_first, from 0 to 255; uint8 labels `(n, 1)`.

    Raises:
        ValueError: a file was found that is broken.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    arrays = load(_CIFAR10)
    return channels_first(arrays) if config.image_data_format() == "channels_first" else arrays


arguments.loaded(__name__)
