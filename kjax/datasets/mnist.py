"""MNIST: handwritten digits."""

from __future__ import annotations

from pathlib import Path

from kjax._core import arguments
from kjax.datasets import _idx
from kjax.datasets._arrays import Arrays, Layout
from kjax.datasets._download import RemoteFile
from kjax.datasets._sources import Dataset, load

_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"


def _file(filename: str, size: int, sha256: str) -> RemoteFile:
    return RemoteFile(filename, size, sha256, tfds_url=_URL + filename, url=_URL + filename)


_DOWNLOADS = (
    _file(
        "train-images-idx3-ubyte.gz",
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    _file(
        "train-labels-idx1-ubyte.gz",
        28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    _file(
        "t10k-images-idx3-ubyte.gz",
        1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    _file("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)


def _native(folder: Path) -> Arrays | None:
    # Fashion-MNIST uses the same file names, and its folder may be the one that is searched.
    here = () if "fashion" in folder.name.lower() else (folder,)
    below = (folder / name for name in ("mnist", "mnist_idx", "MNIST", "MNIST/raw", "MNIST_data"))
    paths = _idx.find((*below, *here))
    return None if paths is None else _idx.read(paths)


_MNIST = Dataset(
    name="mnist",
    layout=Layout(image_shape=(28, 28), classes=10),
    archives=("mnist.npz",),
    native=_native,
    native_name="the four files train-images-idx3-ubyte.gz, ...",
    downloads=_DOWNLOADS,
    download_folder="mnist",
    hint="For digits drawn by a program in the same shape, see kjax.datasets.drawn_digits.",
)


def load_data(path: str = "mnist.npz") -> Arrays:
    """60,000 training and 10,000 test images of handwritten digits, 28 x 28, in 10 classes.

    Looked for in the folder `KJAX_DATASETS`, in kjax's own `datasets` folder, in `~/.keras/datasets`, in a
    folder prepared by TFDS (whose order of examples differs); else downloaded.

    Arguments:
        path: name of the npz file in those folders, default `'mnist.npz'`, or the absolute path of an
        existing one.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(n, 28, 28)` from 0 to 255, uint8 labels `(n,)`.

    Raises:
        ValueError: a file was found that is broken.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition,
    1998.
    """
    return load(_MNIST, path)


arguments.loaded(__name__)
