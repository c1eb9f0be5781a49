"""Files of pretrained weights: where they are, and what to do where they cannot be had."""

from __future__ import annotations

from typing import Any, NamedTuple

from kjax._core import config
from kjax.utils.data_utils import get_file

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
_FOLDER = "models"


class File(NamedTuple):
    """A file of weights.

    Attributes:
        name: its name in the folder of models.
        origin: its address.
        md5: its md5 sum, or None if none was ever published.
    """

    name: str
    origin: str
    md5: str | None


class Pretrained(NamedTuple):
    """The weights of a model with its classifier, and those without."""

    top: File
    notop: File


def stored(family: str, name: str, top: str, notop: str) -> Pretrained:
    """Weights under the name that most of them have: `<name>_weights_tf_dim_ordering_tf_kernels[_notop].h5`.

    Arguments:
        family: the folder of the store.
        name: the model.
        top, notop: md5 sums of the two files.
    """

    def file(suffix: str, md5: str) -> File:
        full = f"{name}_weights_tf_dim_ordering_tf_kernels{suffix}.h5"
        return File(full, f"{_STORE}/{family}/{full}", md5)

    return Pretrained(file("", top), file("_notop", notop))


def named(family: str, name: str, stored_as: str, md5: str | None = None) -> File:
    """A file that has another name in the store than on disk, or no md5 sum."""
    return File(name, f"{_STORE}/{family}/{stored_as}", md5)


def fetch(name: str, origin: str, md5: str | None) -> str:
    """The path of a file, which is downloaded unless it is there.

    Raises:
        OSError: if it cannot be downloaded, saying where to put it.
    """
    try:
        return get_file(name, origin, cache_subdir=_FOLDER, file_hash=md5)
    except OSError as error:
        place = config.home() / _FOLDER / name
        raise OSError(f"{error}. Where there is a network, download {origin}, and put it here as {place}") from error


def load(model: Any, weights: str | None, pretrained: Pretrained | None, include_top: bool) -> None:
    """Give a model the weights that its user asked for: None, `'imagenet'`, or a path.

    Raises:
        OSError: if they cannot be downloaded.
        ValueError: if there are none for this model.
    """
    if weights is None:
        return
    if weights != "imagenet":
        model.load_weights(weights)
        return
    if pretrained is None:
        raise ValueError(f"There are no ImageNet weights for {model.name}. Pass `weights=None`, or the path of a file.")
    path = fetch(*(pretrained.top if include_top else pretrained.notop))
    model.load_weights(path)
