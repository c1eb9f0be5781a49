"""Texts as lists of word numbers: where their files are looked for, and what Keras made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kjax._core import atomic
from kjax._core.guards import fetch
from kjax._core.guards import texts as guarded
from kjax.datasets import _download
from kjax.datasets._sources import folders, own_folder

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MAX_BYTES = 64 << 20

Lists = list[list[int]]


@dataclass(frozen=True)
class File:
    """A file that Keras published.

    Arguments:
        name: its name.
        digest: its sha256 or md5 sum, in hexadecimal digits.
    """

    name: str
    digest: str

    @property
    def url(self) -> str:
        return _FOLDER + self.name


def find(file: File, path: str | None = None) -> Path:
    """Where a file is, downloaded if it is nowhere.

    Arguments:
        file: what to look for.
        path: another name for it, or the absolute path of an existing file.

    Raises:
        OSError: if it is nowhere and cannot be downloaded.
    """
    name = path or file.name
    if Path(name).expanduser().is_absolute() and Path(name).expanduser().is_file():
        return Path(name).expanduser()
    tried: list[str] = []
    for origin, folder in folders():
        for place in (folder / name, folder / Path(file.name).stem / name):
            if place.is_file():
                return place
        tried.append(f"  - {folder} ({origin}): {'not in it' if folder.is_dir() else 'no such folder'}")
    try:
        return _fetch(file, own_folder() / file.name)
    except OSError as error:
        lines = [f"The file {file.name} was not found and could not be downloaded. Tried, in this order:", *tried]
        lines.append(f"  - download: {error}")
        lines.append(f"Put it into {own_folder()}, or set KJAX_DATASETS to a folder that has it.")
        raise OSError("\n".join(lines)) from error


def _fetch(file: File, path: Path) -> Path:
    if not _download.reachable(file.url):
        raise OSError(f"no network ({file.url} not reached in {_download.PROBE_SECONDS} s)")
    digest = hashlib.sha256() if len(file.digest) == 64 else hashlib.md5(usedforsecurity=False)
    with atomic.staging(path.parent) as staging:
        arrived = staging / file.name
        with atomic.part(arrived) as target:
            fetch.download(file.url, target, _MAX_BYTES)
        digest.update(guarded.read(arrived, _MAX_BYTES))
        if digest.hexdigest() != file.digest:
            raise _download.ChecksumError(f"{file.name} has the hash {digest.hexdigest()}, expected {file.digest}")
        atomic.install(arrived, path)
    return path


def word_index(file: File, path: str | None) -> dict[str, int]:
    """The number of each word, from a JSON file.

    Raises:
        ValueError: for a file that holds anything else.
    """
    place = find(file, path)
    try:
        index = guarded.parse_json(guarded.read(place, _MAX_BYTES), "it", _MAX_BYTES)
        if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
            raise ValueError("it does not map words to numbers")
    except ValueError as error:
        raise ValueError(f"The data set file {place} cannot be used: {error}. Delete or replace it.") from error
    return index


def shuffled(random: np.random.RandomState, texts: Sequence[Any], labels: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Texts and labels in a new order.

    Raises:
        ValueError: if there is not one label for each text.
    """
    if labels.shape != (len(texts),):
        raise ValueError(f"The data set has {len(texts)} texts, and labels of shape {labels.shape}.")
    order = np.arange(len(texts))
    random.shuffle(order)
    return [texts[int(i)] for i in order], labels[order]


def prepared(
    texts: Lists,
    labels: Any,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int | None,
) -> tuple[Lists, Any]:
    """Texts with word numbers shifted, a mark at the start, rare and frequent words replaced, and long texts left out.

    Raises:
        ValueError: if `maxlen` leaves no text.
    """
    shift = index_from or 0
    if start_char is not None:
        texts = [[start_char, *(word + shift for word in text)] for text in texts]
    elif index_from:
        texts = [[word + shift for word in text] for text in texts]
    if maxlen:
        kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
        if not kept:
            raise ValueError(
                f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
            )
        texts, labels = [texts[i] for i in kept], labels[kept]
    if not num_words:
        # As in Keras, the word with the highest number is replaced then.
        num_words = max((max(text, default=0) for text in texts), default=0)
    if oov_char is not None:
        return [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts], labels
    return [[word for word in text if skip_top <= word < num_words] for text in texts], labels


def as_array(texts: Lists) -> np.ndarray:
    """An array of lists, also where all have the same length."""
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
