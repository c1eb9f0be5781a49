"""Sets that TFDS prepared, read without TensorFlow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from compat_tests.datasets.files import check, digits, pictures, write_files
from kjax.datasets import cifar100, mnist


def prepare_with_tfds(name: str, data_dir: Path, a: dict[str, np.ndarray]) -> None:
    """Lets TFDS itself write an array_record set under a name that it knows.

    Images are handed over as PNG files, because TFDS encodes arrays with TensorFlow.
    """
    tfds = pytest.importorskip("tensorflow_datasets", reason="prepares a set with TFDS, which is not installed")
    image = pytest.importorskip("PIL.Image", reason="TFDS decodes images with PIL, which is not installed")
    colour = a["x_train"].ndim == 4
    features = {
        "image": tfds.features.Image(shape=(32, 32, 3) if colour else (28, 28, 1)),
        "label": tfds.features.ClassLabel(num_classes=100 if colour else 10),
    }
    if colour:
        features |= {"coarse_label": tfds.features.ClassLabel(num_classes=20), "id": tfds.features.Text()}

    def examples(part: str) -> Iterator[tuple[int, dict[str, object]]]:
        for number, (x, y) in enumerate(zip(a[f"x_{part}"], a[f"y_{part}"].ravel(), strict=True)):
            file = io.BytesIO()
            image.fromarray(x).save(file, "PNG")
            file.seek(0)
            extra = {"coarse_label": int(y) // 5, "id": f"{part}_{number:05d}"} if colour else {}
            yield number, {"image": file, "label": int(y), **extra}

    methods = {
        "VERSION": tfds.core.Version("3.0.2" if colour else "3.0.1"),
        "name": name,
        "__module__": __name__,
        "_info": lambda self: tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features)),
        "_split_generators": lambda self, manager: {part: examples(part) for part in ("train", "test")},
        "_generate_examples": lambda self: iter(()),
    }
    with tfds.core.registered.skip_registration():
        builder = type(name, (tfds.core.GeneratorBasedBuilder,), methods)
    builder(data_dir=str(data_dir), file_format="array_record").download_and_prepare()


def sorted_by_bytes(x: np.ndarray, y: np.ndarray) -> list[tuple[bytes, int]]:
    return sorted((image.tobytes(), int(label)) for image, label in zip(x, y, strict=True))


def test_tfds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    a = digits(n_train=20, n_test=5)
    prepare_with_tfds("mnist", tmp_path / "tfds", a)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (20, 28, 28)
    assert y_train.shape == (20,)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert sorted_by_bytes(x_train, y_train) == sorted_by_bytes(a["x_train"], a["y_train"])
    assert sorted_by_bytes(x_test, y_test) == sorted_by_bytes(a["x_test"], a["y_test"])
    record = next((tmp_path / "tfds").rglob("*train.array_record*"))
    record.write_bytes(b"\0" * record.stat().st_size)
    with pytest.raises(ValueError, match=r"train part of the TFDS folder .*mnist cannot be read"):
        mnist.load_data()


def test_tfds_cifar100_in_its_published_order(tmp_path: Path):
    a = pictures(classes=100)
    prepare_with_tfds("cifar100", tmp_path / "home" / "tensorflow_datasets", a)
    a = {**a, "y_train": a["y_train"].astype("int64"), "y_test": a["y_test"].astype("int64")}
    check(cifar100.load_data(), a)
    check(cifar100.load_data("coarse"), {**a, "y_train": a["y_train"] // 5, "y_test": a["y_test"] // 5})


def test_tfds_set_in_another_format_is_named_in_the_error(tmp_path: Path):
    folder = tmp_path / "home" / "tensorflow_datasets" / "mnist" / "3.0.1"
    write_files(folder, {"mnist-train.tfrecord-00000-of-00001": b""})
    with pytest.raises(OSError, match="not as array_record"):
        mnist.load_data()
