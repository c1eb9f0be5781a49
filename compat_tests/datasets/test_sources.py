"""Every kind of source, and the order in which they are asked."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compat_tests.datasets.files import (
    binary_batch,
    check,
    cifar10_files,
    digits,
    pictures,
    planes,
    python2_batch,
    python3_batch,
    save_npz,
    write_files,
    write_idx,
    write_tar,
)
from kjax._core import config
from kjax.datasets import _download, _tfds, cifar10, cifar100, fashion_mnist, mnist

REAL_DATA = os.environ.get("KJAX_DATASETS")


def test_npz(own: Path):
    save_npz(own / "mnist.npz", digits())
    check(mnist.load_data(), digits())
    check(mnist.load_data("mnist.npz"), digits())


def test_npz_under_a_name_of_ones_own(own: Path, tmp_path: Path):
    save_npz(own / "mnist.npz", digits(0))
    save_npz(own / "mine.npz", digits(1), compressed=True)
    save_npz(tmp_path / "elsewhere.npz", digits(2))
    check(mnist.load_data("mine.npz"), digits(1))
    check(mnist.load_data(path=str(tmp_path / "elsewhere.npz")), digits(2))


@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize("folder", ["", "mnist", "mnist_idx", "MNIST/raw", "MNIST_data"])
def test_idx(own: Path, folder: str, zipped: bool):
    write_idx(own / folder, digits(), zipped)
    check(mnist.load_data(), digits())


@pytest.mark.parametrize("folder", ["fashion-mnist", "fashion_mnist", "FashionMNIST/raw"])
def test_fashion_idx_is_not_taken_for_mnist(own: Path, folder: str):
    write_idx(own / folder, digits(1), True)
    check(fashion_mnist.load_data(), digits(1))
    with pytest.raises(OSError, match="mnist was not found"):
        mnist.load_data()


def test_mnist_idx_is_not_taken_for_fashion(own: Path):
    write_idx(own, digits(), True)
    with pytest.raises(OSError, match="fashion_mnist was not found"):
        fashion_mnist.load_data()


def test_loaded_arrays_can_be_written_to(own: Path):
    write_idx(own, digits(), True)
    write_files(own / "cifar-10-batches-bin", cifar10_files(pictures()))
    for loaded in (mnist.load_data(), cifar10.load_data()):
        for part in loaded:
            for array in part:
                array[0] = 0


def test_cifar10_binary_folder_and_archive(own: Path):
    files = cifar10_files(pictures())
    write_tar(own / "cifar-10-binary.tar.gz", {f"cifar-10-batches-bin/{name}": data for name, data in files.items()})
    check(cifar10.load_data(), pictures())
    files = cifar10_files(pictures(1))
    write_files(own / "cifar-10-batches-bin", files)
    check(cifar10.load_data(), pictures(1))


@pytest.mark.parametrize("make", [python2_batch, python3_batch])
@pytest.mark.parametrize("name", ["cifar-10-batches-py", "cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz"])
def test_cifar10_pickled(own: Path, name: str, make):
    files = cifar10_files(pictures(), make, "")
    if name.endswith("gz"):
        write_tar(own / name, {f"cifar-10-batches-py/{member}": data for member, data in files.items()})
    else:
        write_files(own / name, files)
    check(cifar10.load_data(), pictures())


def test_hand_written_python2_pickle_is_what_pickle_reads():
    a = pictures()
    batch = pickle.loads(python2_batch(a["x_test"], labels=a["y_test"]), encoding="latin1")
    np.testing.assert_array_equal(batch["data"], planes(a["x_test"]))
    assert batch["labels"] == a["y_test"].ravel().tolist()


@pytest.mark.parametrize("kind", ["binary", "pickled"])
def test_cifar100(own: Path, kind: str):
    a, rng = pictures(classes=100), np.random.default_rng(5)
    coarse = {key: rng.integers(0, 20, (n, 1)).astype(np.uint8) for key, n in (("train", 10), ("test", 3))}
    for part in ("train", "test"):
        x, y, c = a[f"x_{part}"], a[f"y_{part}"], coarse[part]
        if kind == "binary":
            write_files(own / "cifar-100-binary", {f"{part}.bin": binary_batch(x, c, y)})
        else:
            write_files(own / "cifar-100-python", {part: python2_batch(x, fine_labels=y, coarse_labels=c)})
    fine = {**a, "y_train": a["y_train"].astype("int64"), "y_test": a["y_test"].astype("int64")}
    check(cifar100.load_data(), fine)
    coarse = {**a, "y_train": coarse["train"].astype("int64"), "y_test": coarse["test"].astype("int64")}
    check(cifar100.load_data(label_mode="coarse"), coarse)


def test_cifar100_npz_has_coarse_labels_only_where_it_says_so(own: Path):
    a = pictures(classes=20)
    fine = {**a, "y_train": a["y_train"].astype("int64"), "y_test": a["y_test"].astype("int64")}
    save_npz(own / "cifar100.npz", fine)
    check(cifar100.load_data(), fine)
    with pytest.raises(OSError, match="y_train_coarse"):
        cifar100.load_data("coarse")
    save_npz(
        own / "cifar100.npz",
        {**fine, "y_train_coarse": fine["y_train"] // 2, "y_test_coarse": fine["y_test"]},
    )
    check(cifar100.load_data("coarse"), {**fine, "y_train": fine["y_train"] // 2})


def test_cifar100_label_mode_is_checked():
    with pytest.raises(ValueError, match="`fine`, `coarse`, but is 'medium'"):
        cifar100.load_data("medium")


def test_cifar10_excerpt_is_the_last_choice_of_a_folder(own: Path):
    save_npz(own / "cifar100.npz", pictures(9))
    save_npz(own / "cifar10_small.npz", pictures(1))
    check(cifar10.load_data(), pictures(1))
    write_files(own / "cifar-10-batches-bin", cifar10_files(pictures(2)))
    check(cifar10.load_data(), pictures(2))
    save_npz(own / "cifar10.npz", pictures(3))
    check(cifar10.load_data(), pictures(3))


def test_channels_first(own: Path):
    save_npz(own / "cifar10.npz", pictures())
    config.set_image_data_format("channels_first")
    try:
        (x_train, _), (x_test, _) = cifar10.load_data()
    finally:
        config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(x_train, np.moveaxis(pictures()["x_train"], 3, 1))
    assert x_test.shape == (3, 3, 32, 32)


def test_order_of_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first, second, third = (
        tmp_path / "first",
        tmp_path / "kjax" / "datasets",
        tmp_path / "home/.keras/datasets",
    )
    monkeypatch.setenv("KJAX_DATASETS", str(first))
    for seed, folder in ((3, third), (2, second), (1, first)):
        folder.mkdir(parents=True)
        save_npz(folder / "mnist.npz", digits(seed))
        check(mnist.load_data(), digits(seed))


def test_folder_comes_before_tfds_and_tfds_before_the_network(own: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(_tfds, "prepared", lambda name: asked.append("tfds") or False)
    monkeypatch.setattr(_download, "reachable", lambda url: asked.append("network") or False)
    with pytest.raises(OSError, match="mnist"):
        mnist.load_data()
    assert asked == ["tfds", "network"]
    save_npz(own / "mnist.npz", digits())
    mnist.load_data()
    assert asked == ["tfds", "network"]


def test_importing_the_package_is_light():
    code = (
        "import sys, kjax.datasets as d\n"
        "assert 'kjax.datasets.mnist' not in sys.modules\n"
        "assert {'mnist', 'fashion_mnist', 'cifar10', 'cifar100', 'drawn_digits'} <= set(dir(d))\n"
        "assert callable(d.mnist.load_data)\n"
        "from kjax.datasets import cifar10, cifar100, fashion_mnist\n"
        "assert not {'tensorflow_datasets', 'PIL', 'h5py', 'pandas'} & set(sys.modules)\n"
        "try:\n    d.imagenet\nexcept AttributeError as error:\n    assert 'mnist' in str(error)\n"
        "else:\n    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.skipif(
    not REAL_DATA or not (Path(REAL_DATA) / "mnist.npz").is_file(),
    reason="KJAX_DATASETS does not point to a folder with the real mnist.npz",
)
def test_real_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("KJAX_DATASETS", str(REAL_DATA))
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    if not (Path(str(REAL_DATA)) / "mnist_idx").is_dir():
        return
    (tmp_path / "only_idx").mkdir()
    (tmp_path / "only_idx" / "mnist_idx").symlink_to(Path(str(REAL_DATA)) / "mnist_idx")
    monkeypatch.setenv("KJAX_DATASETS", str(tmp_path / "only_idx"))
    check(mnist.load_data(), {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test})
