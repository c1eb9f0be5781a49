"""Where a data set is looked for, in which order, and what is said when it is nowhere."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kjax._core import config
from kjax.datasets import _download, _tfds
from kjax.datasets._arrays import Arrays, Layout
from kjax.datasets._download import RemoteFile
from kjax.datasets._npz import has_keys, read_npz

_log = logging.getLogger("kjax.datasets")


@dataclass(frozen=True)
class Dataset:
    """A data set and the forms in which it may lie on a disk.

    Arguments:
        name: its name in TFDS and in messages.
        layout: shapes and dtypes.
        archives: names of npz files in Keras's layout.
        excerpt: pattern for names of npz files that may hold only a part of the set; empty for none.
        native: reads the published files under a folder; None where they are not there.
        native_name: what the published files are called, for the error message.
        downloads: files to download.
        download_folder: folder for them below `datasets`, one where `native` finds them.
        npz_labels: keys of the training and test labels in an npz file.
        tfds_label: feature of the label in TFDS.
        hint: a last sentence for the error message.
    """

    name: str
    layout: Layout
    archives: tuple[str, ...]
    native: Callable[[Path], Arrays | None]
    native_name: str
    downloads: tuple[RemoteFile, ...]
    download_folder: str = ""
    excerpt: str = ""
    npz_labels: tuple[str, str] = ("y_train", "y_test")
    tfds_label: str = "label"
    hint: str = ""


def load(dataset: Dataset, path: str | None = None) -> Arrays:
    """The data set from the first place that has it.

    Arguments:
        dataset: what to look for.
        path: a further name for its npz file; an absolute path to an existing file is read and nothing else.

    Raises:
        ValueError: a file was found that is broken; it is named.
        OSError: the set was found nowhere and could not be downloaded.
    """
    if path and Path(path).expanduser().is_absolute() and Path(path).expanduser().is_file():
        return _from_npz(dataset, Path(path).expanduser())
    names = dict.fromkeys((path, *dataset.archives) if path else dataset.archives)
    tried: list[str] = []
    for origin, folder in folders():
        arrays = _from_folder(dataset, folder, tuple(names))
        if arrays is not None:
            return arrays
        tried.append(f"{folder} ({origin}): {'no such folder' if not folder.is_dir() else 'not in it'}")
    for source in (_from_tfds, _from_network):
        try:
            return source(dataset)
        except (OSError, ImportError) as error:
            tried.append(str(error))
    raise OSError(_nowhere(dataset, tried))


def folders() -> Iterator[tuple[str, Path]]:
    """The folders to look in, first to last, and what decides each."""
    if os.environ.get("KJAX_DATASETS"):
        yield "KJAX_DATASETS", Path(os.environ["KJAX_DATASETS"]).expanduser()
    yield "kjax's own", own_folder()
    yield "Keras's", Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def own_folder() -> Path:
    """Where downloads are put."""
    return config.home() / "datasets"


def _from_folder(dataset: Dataset, folder: Path, names: tuple[str, ...]) -> Arrays | None:
    if not folder.is_dir():
        return None
    for path in (place / name for place in (folder, folder / dataset.name) for name in names):
        if path.is_file() and _serves(dataset, path):
            return _from_npz(dataset, path)
    arrays = dataset.native(folder)
    if arrays is not None:
        return dataset.layout.checked(arrays, f"the files of {dataset.name} in {folder}")
    if dataset.excerpt:
        for path in sorted(folder.glob("*.npz")):
            if re.match(dataset.excerpt, path.name) and _serves(dataset, path):
                return _from_npz(dataset, path)
    return None


def _serves(dataset: Dataset, path: Path) -> bool:
    """False for an npz file that has only the usual labels where others (coarse ones) are wanted."""
    usual = Dataset.npz_labels
    return dataset.npz_labels == usual or has_keys(path, dataset.npz_labels) or not has_keys(path, usual)


def _from_npz(dataset: Dataset, path: Path) -> Arrays:
    y_train, y_test = dataset.npz_labels
    a = read_npz(path, ("x_train", y_train, "x_test", y_test), dataset.layout.max_bytes)
    arrays = dataset.layout.checked(((a["x_train"], a[y_train]), (a["x_test"], a[y_test])), str(path))
    if dataset.excerpt and path.name not in dataset.archives:
        counts = len(arrays[0][0]), len(arrays[1][0])
        _log.info("%s was read from %s: %d training and %d test images", dataset.name, path, *counts)
    return arrays


def _from_tfds(dataset: Dataset) -> Arrays:
    where = _tfds.folder() / dataset.name
    if not _tfds.prepared(dataset.name):
        state = "prepared, but not as array_record" if where.is_dir() else "no such folder"
        raise OSError(f"{where} (TFDS): {state}")
    try:
        arrays = _tfds.read(dataset.name, dataset.tfds_label)
    except ImportError as error:
        raise ImportError(f"{where} (TFDS): cannot be read, {error}") from error
    return dataset.layout.checked(arrays, f"the TFDS folder {where}")


def _from_network(dataset: Dataset) -> Arrays:
    folder = own_folder() / dataset.download_folder
    try:
        _download.fetch(dataset.name, dataset.downloads, folder)
    except OSError as error:
        raise OSError(f"download: {error}") from error
    arrays = dataset.native(own_folder())
    if arrays is None:
        raise OSError(f"download: the files in {folder} are gone")
    return dataset.layout.checked(arrays, f"the files of {dataset.name} in {folder}")


def _nowhere(dataset: Dataset, tried: list[str]) -> str:
    lines = [f"The data set {dataset.name} was not found and could not be downloaded. Tried, in this order:"]
    lines += [f"  - {place}" for place in tried]
    keys = f"x_train, {dataset.npz_labels[0]}, x_test, {dataset.npz_labels[1]}"
    lines.append(
        f"Put {' or '.join(dataset.archives)} (arrays {keys})"
        f" or {dataset.native_name} into {own_folder()}, or set KJAX_DATASETS to a folder that has them."
    )
    return "\n".join([*lines, dataset.hint] if dataset.hint else lines)
