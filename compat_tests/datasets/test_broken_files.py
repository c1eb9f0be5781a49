"""Broken and hostile files: one clear error that names the file, and nothing run."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from compat_tests.datasets.files import (
    check,
    cifar10_files,
    digits,
    idx_bytes,
    pictures,
    python2_batch,
    save_npz,
    write_files,
    write_idx,
    write_tar,
)
from kjax.datasets import _cifar, cifar10, mnist


def broken(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    return {key: value for key, value in {**digits(), **changes}.items() if value is not None}


BROKEN_NPZ = {
    "missing": (broken(y_test=None), "it has no y_test"),
    "lengths": (broken(y_train=np.zeros(6, np.uint8)), "7 images and 6 labels"),
    "shape": (
        broken(x_test=np.zeros((3, 28, 27), np.uint8)),
        r"uint8 \(3, 28, 27\), expected uint8 \(n, 28, 28\)",
    ),
    "dtype": (broken(x_train=np.zeros((7, 28, 28))), "images are float64"),
    "labels": (broken(y_test=np.array([1, 10, 2])), "labels go from 1 to 10, expected 0 to 9"),
    "float": (broken(y_test=np.array([1.0, 0.5, 2.0])), "labels are float64"),
    "empty": (broken(x_test=np.zeros((0, 28, 28), np.uint8), y_test=np.zeros(0, np.uint8)), "it is empty"),
    "objects": (broken(y_train=np.array([None] * 7, object)), "pickled Python objects"),
}


@pytest.mark.parametrize("case", BROKEN_NPZ)
def test_broken_npz(own: Path, case: str):
    arrays, message = BROKEN_NPZ[case]
    save_npz(own / "mnist.npz", arrays)
    with pytest.raises(ValueError, match=message) as caught:
        mnist.load_data()
    assert str(own / "mnist.npz") in str(caught.value)


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_hostile_pickle_in_npz_is_not_run(own: Path, tmp_path: Path):
    save_npz(own / "mnist.npz", broken(y_train=np.array([Payload(tmp_path / "marker")] * 7, object)))
    with pytest.raises(ValueError, match="never loaded"):
        mnist.load_data()
    assert not (tmp_path / "marker").exists()


def test_npz_that_announces_petabytes_or_lies_about_its_size(own: Path):
    def write(shape: tuple[int, ...], data: bytes) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        with zipfile.ZipFile(own / "mnist.npz", "w") as archive:
            archive.writestr("x_train.npy", header.getvalue() + data)
            for key in ("y_train", "x_test", "y_test"):
                archive.writestr(f"{key}.npy", b"")

    write((1 << 43, 28, 28), b"")
    with pytest.raises(ValueError, match=r"x_train of shape .* would take [\d,]+ bytes, more than"):
        mnist.load_data()
    write((2, 28, 28), b"\0" * 1000)
    with pytest.raises(ValueError, match="needs 1,568 bytes, but 1,000 are there"):
        mnist.load_data()


def test_npz_that_is_no_archive_or_is_cut(own: Path):
    path = own / "mnist.npz"
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(ValueError, match=r"mnist\.npz cannot be used"):
        mnist.load_data()
    save_npz(path, digits(), compressed=True)
    data = bytearray(path.read_bytes())
    data[200:400] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"mnist\.npz cannot be used"):
        mnist.load_data()


BROKEN_IDX = {
    "magic": (gzip.compress(b"\0\0\x0d\x03" + bytes(12)), "begins with 00000d03, expected 00000803"),
    "empty": (gzip.compress(b""), "begins with nothing"),
    "header": (gzip.compress(b"\0\0\x08\x03\0\0"), "ends inside its header"),
    "short": (gzip.compress(idx_bytes(digits()["x_train"])[:-1]), "5,488 bytes, but 5,487 follow"),
    "long": (gzip.compress(idx_bytes(digits()["x_train"]) + b"x"), "but more follow"),
    "truncated": (gzip.compress(idx_bytes(digits()["x_train"]))[:-300], "cannot be used"),
    "not gzip": (idx_bytes(digits()["x_train"]), "cannot be used"),
    "huge": (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 1 << 31, 28, 28)), "more than any set"),
}


@pytest.mark.parametrize("case", BROKEN_IDX)
def test_broken_idx(own: Path, case: str):
    data, message = BROKEN_IDX[case]
    write_idx(own / "mnist", digits(), True)
    path = own / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        mnist.load_data()
    assert str(path) in str(caught.value)


def test_idx_with_other_lengths(own: Path):
    write_idx(own, broken(y_test=np.zeros(4, np.uint8)), True)
    with pytest.raises(ValueError, match=r"test part\) cannot be used: it has 3 images and 4 labels"):
        mnist.load_data()


def test_broken_cifar_binary(own: Path):
    files = cifar10_files(pictures())
    write_files(own / "cifar-10-batches-bin", {**files, "data_batch_3.bin": files["data_batch_3.bin"][:-1]})
    with pytest.raises(ValueError, match=r"data_batch_3\.bin: its 6,145 bytes are not a number of records"):
        cifar10.load_data()


HOSTILE = {
    "payload": lambda marker: pickle.dumps({b"data": Payload(marker), b"labels": []}, protocol=2),
    "protocol 0": lambda marker: pickle.dumps([Payload(marker)], protocol=0),
    "protocol 5": lambda marker: pickle.dumps(Payload(marker), protocol=5),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "tar"])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_cifar_pickle_is_not_run(own: Path, tmp_path: Path, case: str, packed: bool):
    marker = tmp_path / "marker"
    payload = HOSTILE[case](marker)
    pickle.loads(payload)
    assert marker.is_dir(), "the payload must be one that works"
    marker.rmdir()
    files = {**cifar10_files(pictures(), python2_batch, ""), "data_batch_2": payload}
    if packed:
        write_tar(own / "cifar-10-python.tar.gz", {f"cifar-10-batches-py/{k}": v for k, v in files.items()})
    else:
        write_files(own / "cifar-10-batches-py", files)
    with pytest.raises(ValueError, match=r"data_batch_2: its pickle cannot be read: .*mkdir"):
        cifar10.load_data()
    assert not marker.exists()


def object_array_pickle() -> bytes:
    return pickle.dumps({b"data": np.array([None]), b"labels": [1]}, protocol=2)


def bomb_pickle() -> bytes:
    """A batch whose array announces 2**40 bytes."""
    good = python2_batch(pictures()["x_test"], labels=pictures()["y_test"])
    return good.replace(b"K\x03M\x00\x0c\x86", b"\x8a\x06\0\0\0\0\0\x01M\x00\x0c\x86", 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (object_array_pickle(), "not one of unsigned bytes"),
        (bomb_pickle(), "does not have"),
        (pickle.dumps([1, 2], protocol=2), "holds list, expected dict"),
        (pickle.dumps({b"labels": [1]}, protocol=2), "expected data and labels"),
        (pickle.dumps({b"data": 5, b"labels": [1]}, protocol=2), r"data is int, expected \(n, 3072\)"),
        (python2_batch(pictures()["x_test"], labels=pictures()["y_test"])[:-100], "cannot be read"),
        (b"", "cannot be read"),
        (
            pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": ["a"]}, protocol=2),
            "not a list of integers",
        ),
    ],
    ids=["objects", "bomb", "list", "no data", "no array", "cut", "empty", "labels"],
)
def test_broken_cifar_pickle(own: Path, data: bytes, message: str):
    write_files(own / "cifar-10-batches-py", {**cifar10_files(pictures(), python2_batch, ""), "test_batch": data})
    with pytest.raises(ValueError, match=message) as caught:
        cifar10.load_data()
    assert str(own / "cifar-10-batches-py") in str(caught.value)


def test_broken_cifar_archives(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = own / "cifar-10-binary.tar.gz"
    files = cifar10_files(pictures())
    write_tar(path, {name: data for name, data in files.items() if name != "test_batch.bin"})
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz cannot be used: it has no test_batch\.bin"):
        cifar10.load_data()
    write_tar(path, files)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz cannot be used"):
        cifar10.load_data()
    monkeypatch.setattr(_cifar, "MAX_FILE", 3000)
    write_tar(path, files)
    with pytest.raises(ValueError, match="more than any batch"):
        cifar10.load_data()


def test_cifar_archive_names_never_become_paths(own: Path, tmp_path: Path):
    path = own / "cifar-10-binary.tar.gz"
    write_tar(path, {f"../../escape/{name}": data for name, data in cifar10_files(pictures()).items()})
    before = sorted(tmp_path.rglob("*"))
    check(cifar10.load_data(), pictures())
    with tarfile.open(path, "w:gz") as archive:
        for name in cifar10_files(pictures()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(link)
    with pytest.raises(ValueError, match="it has no data_batch_1"):
        cifar10.load_data()
    assert sorted(tmp_path.rglob("*")) == before
