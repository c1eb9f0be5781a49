"""CIFAR-10 and CIFAR-100 as published: binary or pickled batches, in a folder or a tar.gz."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kjax._core.guards import Refused, open_file, size_of, tar
from kjax._core.guards.pickles import read_batch
from kjax.datasets._arrays import MAX_EXAMPLES, Arrays

_IMAGE_BYTES = 32 * 32 * 3
# A pickled part of CIFAR-100 keeps a file name of some 25 bytes beside every image.
MAX_FILE = MAX_EXAMPLES * (_IMAGE_BYTES + 128)

Part = tuple[np.ndarray, np.ndarray]
Decoder = Callable[[bytes], Part]


@dataclass(frozen=True)
class Batches:
    """The file names of one published version, and how a file is decoded."""

    names: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...]
    decode: Decoder

    @property
    def files(self) -> tuple[str, ...]:
        return self.train + self.test


def binary(label_bytes: int, label_at: int) -> Decoder:
    """Records of `label_bytes` labels, of which the one at `label_at` is wanted, and 3072 bytes of image."""

    def decode(data: bytes) -> Part:
        record = label_bytes + _IMAGE_BYTES
        if not data or len(data) % record:
            raise ValueError(f"its {len(data):,} bytes are not a number of records of {record} bytes")
        rows = np.frombuffer(data, np.uint8).reshape(-1, record)
        return rows[:, label_bytes:], rows[:, label_at]

    return decode


def pickled(label_key: str) -> Decoder:
    """A pickled dict with `data` (n, 3072) and a list of labels."""

    def decode(data: bytes) -> Part:
        batch = read_batch(data)
        if "data" not in batch or label_key not in batch:
            raise ValueError(f"it has the keys {sorted(batch)}, expected data and {label_key}")
        return _checked_pixels(batch["data"]), _checked_labels(batch[label_key])

    return decode


def _checked_pixels(pixels: Any) -> np.ndarray:
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != _IMAGE_BYTES:
        raise ValueError(f"its data is {getattr(pixels, 'shape', type(pixels).__name__)}, expected (n, {_IMAGE_BYTES})")
    return pixels


def _checked_labels(labels: Any) -> np.ndarray:
    if isinstance(labels, list) and all(type(label) is int and 0 <= label < 256 for label in labels):
        return np.array(labels, np.uint8)
    raise ValueError("its labels are not a list of integers from 0 to 255")


def find(roots: tuple[Path, ...], versions: tuple[Batches, ...]) -> tuple[Path, Batches] | None:
    """The first folder or archive of a version under one of the roots."""
    for root in roots:
        for version in versions:
            for name in version.names:
                path = root / name
                if path.is_file() or all((path / file).is_file() for file in version.files):
                    return path, version
    return None


def read(path: Path, version: Batches) -> Arrays:
    """The images `(n, 32, 32, 3)` and labels `(n,)` of a folder or an archive.

    Raises:
        ValueError: naming the file that is broken.
    """
    contents = _read_folder(path, version) if path.is_dir() else _read_archive(path, version)
    parts = {}
    for name, data in contents.items():
        try:
            parts[name] = version.decode(data)
        except ValueError as error:
            raise _broken(path, f"{name}: {error}") from error
    return _joined(parts, version.train), _joined(parts, version.test)


def _read_folder(path: Path, version: Batches) -> dict[str, bytes]:
    contents = {}
    for name in version.files:
        with open_file(path / name) as file:
            size = size_of(file)
            if size > MAX_FILE:
                raise _broken(path, f"{name} has {size:,} bytes, more than any batch")
            contents[name] = file.read()
    return contents


def _read_archive(path: Path, version: Batches) -> dict[str, bytes]:
    """Reads members one by one; no name of the archive ever becomes a path."""
    contents: dict[str, bytes] = {}
    try:
        with tar.reading(path, names_are_paths=False) as members:
            for member in members:
                name = member.name.rpartition("/")[2]
                if member.size > MAX_FILE:
                    raise Refused(f"its member {name} has {member.size:,} bytes, more than any batch")
                if name in version.files and name not in contents and not member.is_folder:
                    contents[name] = member.read(MAX_FILE)
                if len(contents) == len(version.files):
                    return contents
    except Refused as error:
        raise _broken(path, str(error)) from error
    raise _broken(path, f"it has no {', '.join(name for name in version.files if name not in contents)}")


def _broken(path: Path, reason: str) -> ValueError:
    return ValueError(f"The data set file {path} cannot be used: {reason}. Delete or replace it.")


def _joined(parts: dict[str, Part], names: tuple[str, ...]) -> Part:
    pixels = np.concatenate([parts[name][0] for name in names])
    labels = np.concatenate([parts[name][1] for name in names])
    # Files hold a plane per colour; Keras hands out a colour per pixel.
    images = np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return images, labels


_TRAIN_NUMBERS = range(1, 6)


def versions10() -> tuple[Batches, ...]:
    """CIFAR-10, binary first, because it needs no unpickling."""
    return (
        Batches(
            ("cifar-10-batches-bin", "cifar-10-binary.tar.gz"),
            tuple(f"data_batch_{number}.bin" for number in _TRAIN_NUMBERS),
            ("test_batch.bin",),
            binary(1, 0),
        ),
        Batches(
            (
                "cifar-10-batches-py",
                "cifar-10-batches-py-target/cifar-10-batches-py",  # where Keras 3 unpacks it
                "cifar-10-batches-py.tar.gz",
                "cifar-10-python.tar.gz",
            ),
            tuple(f"data_batch_{number}" for number in _TRAIN_NUMBERS),
            ("test_batch",),
            pickled("labels"),
        ),
    )


def versions100(label_mode: str) -> tuple[Batches, ...]:
    """CIFAR-100 with its `fine` (100) or `coarse` (20) labels."""
    return (
        Batches(
            ("cifar-100-binary", "cifar-100-binary.tar.gz"),
            ("train.bin",),
            ("test.bin",),
            binary(2, int(label_mode == "fine")),
        ),
        Batches(
            (
                "cifar-100-python",
                "cifar-100-python-target/cifar-100-python",
                "cifar-100-python.tar.gz",
            ),
            ("train",),
            ("test",),
            pickled(f"{label_mode}_labels"),
        ),
    )
