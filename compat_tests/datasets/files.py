"""Small data sets and the files in which they were published."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kjax.datasets._arrays import Arrays

IDX_NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def digits(seed: int = 0, n_train: int = 7, n_test: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (n_train, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, n_train).astype(np.uint8),
        "x_test": rng.integers(0, 256, (n_test, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, n_test).astype(np.uint8),
    }


def pictures(seed: int = 0, n_train: int = 10, n_test: int = 3, classes: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (n_train, 32, 32, 3), np.uint8),
        "y_train": rng.integers(0, classes, (n_train, 1)).astype(np.uint8),
        "x_test": rng.integers(0, 256, (n_test, 32, 32, 3), np.uint8),
        "y_test": rng.integers(0, classes, (n_test, 1)).astype(np.uint8),
    }


def check(loaded: Arrays, expected: dict[str, np.ndarray]) -> None:
    """Values, shapes and dtypes."""
    (x_train, y_train), (x_test, y_test) = loaded
    for key, got in {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}.items():
        assert got.dtype == expected[key].dtype, key
        np.testing.assert_array_equal(got, expected[key], err_msg=key, strict=True)


def save_npz(path: Path, arrays: Mapping[str, Any], compressed: bool = False) -> None:
    (np.savez_compressed if compressed else np.savez)(path, **arrays)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, arrays: dict[str, np.ndarray], zipped: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(IDX_NAMES, arrays.values(), strict=True):
        data = idx_bytes(array)
        ending = ".gz" if zipped else ""
        (folder / f"{name}-ubyte{ending}").write_bytes(gzip.compress(data) if zipped else data)


def planes(images: np.ndarray) -> np.ndarray:
    """Images as rows of 3072 bytes: all red, all green, all blue."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)


def binary_batch(images: np.ndarray, *labels: np.ndarray) -> bytes:
    return np.hstack([*(column.reshape(-1, 1) for column in labels), planes(images)]).astype(np.uint8).tobytes()


def python2_batch(images: np.ndarray, **labels: np.ndarray) -> bytes:
    """The very opcodes with which Python 2 and numpy 1 pickled the published batches."""

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    pixels = planes(images)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R(K\x01"
        + b"K" + bytes([len(pixels)]) + b"M\x00\x0c\x86cnumpy\ndtype\n" + text("u1") + b"K\x00K\x01\x87R("
        + b"K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + b"T" + struct.pack("<I", pixels.size) + pixels.tobytes() + b"tb"
    )  # fmt: skip
    items = text("data") + array + text("batch_label") + text("training batch")
    for key, values in labels.items():
        items += text(key) + b"](" + b"".join(b"K" + bytes([int(value)]) for value in values.ravel()) + b"e"
    return b"\x80\x02}(" + items + b"u."


def python3_batch(images: np.ndarray, **labels: np.ndarray) -> bytes:
    content = {
        b"data": planes(images),
        **{key.encode(): value.ravel().tolist() for key, value in labels.items()},
    }
    return pickle.dumps(content, protocol=2)


def cifar10_files(a: dict[str, np.ndarray], make=binary_batch, ending: str = ".bin") -> dict[str, bytes]:
    def batch(x: np.ndarray, y: np.ndarray) -> bytes:
        return make(x, y) if make is binary_batch else make(x, labels=y)

    files = {
        f"data_batch_{number + 1}{ending}": batch(a["x_train"][2 * number :][:2], a["y_train"][2 * number :][:2])
        for number in range(5)
    }
    return {**files, f"test_batch{ending}": batch(a["x_test"], a["y_test"])}


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def refuse(*_: object) -> dict[str, Path]:
    raise ImportError("no TFDS here")


def found(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
