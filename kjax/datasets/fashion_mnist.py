"""Fashion-MNIST: pictures of clothes in MNIST's shape."""

from __future__ import annotations

from pathlib import Path

from kjax._core import arguments
from kjax.datasets import _idx
from kjax.datasets._arrays import Arrays, Layout
from kjax.datasets._download import RemoteFile
from kjax.datasets._sources import Dataset, load

_TFDS_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _file(filename: str, size: int, sha256: str) -> RemoteFile:
    return RemoteFile(filename, size, sha256, tfds_url=_TFDS_URL + filename, url=_URL + filename)


_DOWNLOADS = (
    _file(
        "train-images-idx3-ubyte.gz",
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    _file(
        "train-labels-idx1-ubyte.gz",
        29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    _file(
        "t10k-images-idx3-ubyte.gz",
        4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    _file("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)


def _native(folder: Path) -> Arrays | None:
    # MNIST uses the same file names: a folder counts only where its name says what it holds.
    here = (folder,) if "fashion" in folder.name.lower() else ()
    names = ("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw")
    paths = _idx.find((*(folder / name for name in names), *here))
    return None if paths is None else _idx.read(paths)


_FASHION_MNIST = Dataset(
    name="fashion_mnist",
    layout=Layout(image_shape=(28, 28), classes=10),
    archives=("fashion_mnist.npz", "fashion-mnist.npz"),
    native=_native,
    native_name="a folder fashion-mnist with the four files train-images-idx3-ubyte.gz, ...",
    downloads=_DOWNLOADS,
    download_folder="fashion-mnist",
)


def load_data() -> Arrays:
    """60,000 training and 10,000 test images of clothes, 28 x 28, in 10 classes.

    The classes: 0 T-shirt or top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8
    bag, 9 ankle boot. Looked for in the same places as `mnist`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(n, 28, 28)` from 0 to 255, uint8 labels `(n,)`.

    Raises:
        ValueError: a file was found that is broken.
        OSError: the set was found nowhere and could not be downloaded.

    Reference: Xiao, Rasul and Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking, 2017,
    arXiv:1708.07747.
    """
    return load(_FASHION_MNIST)


arguments.loaded(__name__)
