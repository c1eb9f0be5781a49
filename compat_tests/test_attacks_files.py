"""Attacks through HDF5 files, numpy's files and zip archives: what they hold, and what they only announce."""

# h5py types whatever it finds in a file as a group, a data set or a type.
# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false, reportArgumentType=false

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from compat_tests import attacks
from compat_tests.attacks import deflated_zeros, h5_file, keras2, keras_file, naive_fails, refuses, sequential, zip_with
from kjax._core.guards import hdf5, npz, pickles, zips
from kjax.datasets import boston_housing, cifar10, imdb, mnist, reuters
from kjax.layers import Dense
from kjax.models import Sequential, load_model
from kjax.utils import data_utils
from kjax.utils.io_utils import HDF5Matrix

SECRET = np.arange(4, dtype="f4")
BOMB = 1536 << 20


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Numbers outside of the file that is read: plain, and in an HDF5 file."""
    (tmp_path / "secret.bin").write_bytes(SECRET.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["k"] = SECRET.reshape(2, 2)
        file["model_weights/entry/k"], file["model_weights/entry/b"] = SECRET.reshape(2, 2), SECRET[:2]
        file["model_weights"].attrs["layer_names"] = [b"entry"]
        file["model_weights/entry"].attrs["weight_names"] = [b"k", b"b"]
    return tmp_path


def model() -> Any:
    return Sequential([Dense(2, input_shape=(2,), name="entry")])


def changed(folder: Path, change: Callable[[h5py.File], None]) -> Path:
    """A model file of Keras 2 after a change."""
    path = h5_file(folder / "m.h5", keras2())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def readers(path: Path) -> list[Callable[[], Any]]:
    """Every way by which a file of weights comes in."""
    return [
        lambda: load_model(path, compile=False),
        lambda: model().load_weights(path),
        lambda: model().load_weights(path, by_name=True),
    ]


def all_refuse(path: Path, match: str) -> None:
    for read in readers(path):
        refuses(read, path.parent, match)


# -- HDF5 ------------------------------------------------------------------------------------------------------------


def test_17_external_storage(secret: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["model_weights/entry/k"]
        file["model_weights/entry"].create_dataset("k", (2, 2), "f4", external=[(str(secret / "secret.bin"), 0, 16)])

    path = changed(secret, change)
    with h5py.File(path) as file:
        assert file["model_weights/entry/k"][()].ravel().tolist() == SECRET.tolist(), "a plain reader sees the secret"
    all_refuse(path, "external storage")
    refuses(lambda: HDF5Matrix(str(path), "model_weights/entry/k"), secret, "external storage")


def test_18_the_layers_of_an_archive_as_an_external_link(secret: Path) -> None:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers"] = h5py.ExternalLink(str(secret / "secret.h5"), "/model_weights")
    (secret / "m.weights.h5").write_bytes(weights.getvalue())
    with h5py.File(secret / "m.weights.h5") as file:
        assert file["layers/entry/k"][()].tolist() == SECRET.reshape(2, 2).tolist()
    dense = attacks.layer("Dense", name="d", units=2)
    path = keras_file(secret / "m.keras", sequential(dense), **{"model.weights.h5": weights.getvalue()})
    refuses(lambda: load_model(path, compile=False), secret, "link to another place")
    refuses(lambda: model().load_weights(secret / "m.weights.h5"), secret, "link to another place")


def test_19_the_weights_as_an_external_link(secret: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink(str(secret / "secret.h5"), "/model_weights")

    path = changed(secret, change)
    with h5py.File(path) as file:
        assert file["model_weights/entry/b"][()].tolist() == SECRET[:2].tolist()
    all_refuse(path, "link to another place")
    refuses(lambda: HDF5Matrix(str(path), "model_weights/entry/k"), secret, "link to another place")


@pytest.mark.parametrize("target", ["/model_weights/other", "/model_weights/entry", "/", "nowhere"])
def test_20_soft_links_and_loops_of_them(tmp_path: Path, target: str) -> None:
    def change(file: h5py.File) -> None:
        file.move("model_weights/entry", "model_weights/other")
        file["model_weights/entry"] = h5py.SoftLink(target)
        file["model_weights/loop"] = file["model_weights"]

    path = changed(tmp_path, change)
    if target == "/model_weights/other":
        with h5py.File(path) as file:
            assert file["model_weights/entry/k"].shape == (2, 2), "a plain reader follows"
    all_refuse(path, "link to another place")
    with hdf5.reading(path) as root:
        deep = "/".join(["model_weights", *["loop"] * 100])
        refuses(lambda: root.group(deep), tmp_path, "groups deep")


def test_21_a_virtual_data_set(secret: Path) -> None:
    def change(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((2, 2), "f4")
        layout[:] = h5py.VirtualSource(str(secret / "secret.h5"), "k", (2, 2))
        del file["model_weights/entry/k"]
        file["model_weights/entry"].create_virtual_dataset("k", layout)

    path = changed(secret, change)
    with h5py.File(path) as file:
        assert file["model_weights/entry/k"][()].ravel().tolist() == SECRET.tolist()
    all_refuse(path, "virtual")
    refuses(lambda: HDF5Matrix(str(path), "model_weights/entry/k"), secret, "virtual")


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "chunked": ({"shape": (2**50,), "chunks": (1024,)}, "would take"),
    "contiguous": ({"shape": (2**50,)}, "would take"),
    "within the budget": ({"shape": (2**23,), "chunks": (1024,)}, "and its chunks hold 0"),
    "empty": ({"shape": (2**20,)}, "and 0 are there"),
    "large chunks": ({"shape": (100,), "maxshape": (None,), "chunks": (2**28,)}, "chunks"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_22_a_shape_without_numbers(tmp_path: Path, case: str) -> None:
    arguments, reason = SHAPES[case]

    def change(file: h5py.File) -> None:
        del file["model_weights/entry/k"]
        file["model_weights/entry"].create_dataset("k", dtype="f4", fillvalue=0, **arguments)

    path = changed(tmp_path, change)
    if case == "chunked":
        failed = naive_fails("import h5py; h5py.File(sys.argv[1])['model_weights/entry/k'][()]", path, memory=2 << 30)
        assert "MemoryError" in failed
    all_refuse(path, reason)


def test_22_numbers_that_unpack_to_more_than_their_chunk(tmp_path: Path) -> None:
    import zlib

    def change(file: h5py.File) -> None:
        del file["model_weights/entry/k"]
        made = file["model_weights/entry"].create_dataset("k", (256, 256), "f4", chunks=(256, 256), compression="gzip")
        packer = zlib.compressobj(9)
        stream = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        body = stream[2:]
        made.id.write_direct_chunk((0, 0), stream + body * 1024)

    path = changed(tmp_path, change)
    assert path.stat().st_size < 2 << 20
    failed = naive_fails("import h5py; h5py.File(sys.argv[1])['model_weights/entry/k'][()]", path, memory=1 << 30)
    assert failed, "the library makes room for all of it"
    all_refuse(path, "unpacks to more than its|bytes for")


def test_23_a_data_set_for_a_group_and_an_empty_part_of_a_path(tmp_path: Path) -> None:
    def data_for_group(file: h5py.File) -> None:
        del file["model_weights/entry"]
        file["model_weights/entry"] = np.zeros(3)

    path = changed(tmp_path, data_for_group)
    with pytest.raises(AttributeError), h5py.File(path) as file:
        file["model_weights/entry"].keys()  # a plain reader stumbles
    all_refuse(path, "is a data set where a group was expected")

    def group_for_data(file: h5py.File) -> None:
        del file["model_weights/entry/k"]
        file.create_group("model_weights/entry/k")

    all_refuse(changed(tmp_path, group_for_data), "is a group where a data set was expected")
    for name in (b"", b"a//b", b"../entry/k", b".", b"/model_weights/entry/k"):

        def odd_path(file: h5py.File, name: bytes = name) -> None:
            file["model_weights/entry"].attrs["weight_names"] = [name, b"b"]

        all_refuse(changed(tmp_path, odd_path), "no name of an object|no object")


def test_24_twenty_thousand_names(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        names = np.array([b"entry"] * 20_000)
        del file["model_weights"].attrs["layer_names"]
        for i, part in enumerate(np.array_split(names, 4)):
            file["model_weights"].attrs[f"layer_names{i}"] = part

    path = changed(tmp_path, change)
    with h5py.File(path) as file:
        parts = [file["model_weights"].attrs[f"layer_names{i}"] for i in range(4)]
        assert sum(map(len, parts)) == 20_000, "a plain reader takes them all"
    all_refuse(path, "20,000 layer_names, more than 10,000")


def test_24_one_long_text_named_many_times(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["model_weights"].attrs["layer_names"] = np.array(["x" * 50_000] * 2000, h5py.string_dtype())

    path = changed(tmp_path, change)
    data = path.read_bytes()
    first = data.index(b"x" * 1000)
    heap = data.rindex(b"GCOL", 0, first)
    reference = (50_000).to_bytes(4, "little") + heap.to_bytes(8, "little") + (1).to_bytes(4, "little")
    at = data.index(reference) if reference in data else -1
    if at >= 0:
        path.write_bytes(data[:at] + reference * 2000 + data[at + 32_000 :])
    with hdf5.reading(path) as root:
        weights = root.group("model_weights")
        weights._file.budget.limit = 32 << 20
        refuses(lambda: weights.strings("layer_names"), tmp_path, "would take")


# -- numpy's files and pickles ---------------------------------------------------------------------------------------


def npy(shape: str, data: bytes = b"", descr: str = "'<f8'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which data sets are looked for."""
    for name in ("HOME", "KJAX_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("KJAX_DATASETS", str(tmp_path / "sets"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    (tmp_path / "sets").mkdir()
    return tmp_path / "sets"


def test_25_a_header_that_announces_petabytes(own: Path) -> None:
    bomb = npy(f"({1 << 50},)")
    (own / "x.npy").write_bytes(bomb)
    failed = naive_fails("import numpy as np; np.load(sys.argv[1])", own / "x.npy")
    assert "MemoryError" in failed
    refuses(lambda: npz.read_npy(own / "x.npy"), own, "would take|needs")
    for keys, load in (
        (("x_train", "y_train", "x_test", "y_test"), mnist.load_data),
        (("x", "y"), imdb.load_data),
        (("x", "y"), reuters.load_data),
        (("x", "y"), boston_housing.load_data),
    ):
        path = own / "set.npz"
        path.write_bytes(zip_with({f"{key}.npy": bomb for key in keys}))
        refuses(lambda load=load, path=path: load(path=str(path)), own, "set.npz cannot be used")
    with npz.reading(own / "set.npz") as arrays:
        refuses(lambda: arrays["x"], own, "would take|needs")


def test_25_an_archive_that_holds_only_the_weights(tmp_path: Path) -> None:
    keras_file(tmp_path / "whole.keras", sequential())
    with zipfile.ZipFile(tmp_path / "whole.keras") as archive:
        weights = archive.read("model.weights.h5")
    path = tmp_path / "m.keras"
    path.write_bytes(zip_with({"model.weights.h5": weights}))
    refuses(lambda: load_model(path), tmp_path, r"no member 'config\.json'")
    path.write_bytes(zip_with({"config.json": json.dumps(sequential()).encode()}))
    refuses(lambda: load_model(path), tmp_path, r"no member 'model\.weights\.h5'")
    path.write_bytes(zip_with({"model.weights.npz": npy("(3,)"), "config.json": b"{}"}))
    refuses(lambda: load_model(path), tmp_path, "dictionary|no member|class")


def test_26_objects_that_act_when_they_are_unpickled(own: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    evil = np.array([attacks.Payload(marker)] * 2, object)
    for keys, load in (
        (("x_train", "y_train", "x_test", "y_test"), mnist.load_data),
        (("x", "y"), imdb.load_data),
        (("x", "y"), reuters.load_data),
        (("x", "y"), boston_housing.load_data),
    ):
        np.savez(own / "set.npz", **dict.fromkeys(keys, evil))  # pyright: ignore[reportArgumentType]
        refuses(lambda load=load: load(path=str(own / "set.npz")), tmp_path, "set.npz cannot be used")
    with np.load(own / "set.npz", allow_pickle=True) as archive:
        assert archive["x"] is not None
    assert marker.is_dir()
    marker.rmdir()
    with npz.reading(own / "set.npz") as arrays:
        refuses(lambda: arrays["x"], tmp_path, "never loaded")
    refuses(lambda: model().load_weights(own / "set.npz"), tmp_path, ".")


def test_27_a_cifar_batch_that_acts(own: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = pickle.dumps({b"data": attacks.Payload(marker), b"labels": []}, protocol=2)
    pickle.loads(data)
    assert marker.is_dir()
    marker.rmdir()
    refuses(lambda: pickles.read_batch(data), tmp_path, "mkdir")
    folder = own / "cifar-10-batches-py"
    folder.mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (folder / name).write_bytes(data)
    refuses(cifar10.load_data, tmp_path, "mkdir")


def test_27_a_pickle_that_asks_for_room(tmp_path: Path) -> None:
    far = b"\x80\x02K\x01r\xff\xff\xff\x7f."  # remembers something under the number 2**31 - 1
    failed = naive_fails("import pickle; pickle.loads(bytes.fromhex(sys.argv[1]))", far.hex())
    assert "MemoryError" in failed
    for read in (pickles.read_batch, pickles.read_lists):
        refuses(lambda read=read: read(far), tmp_path, "pickle")


# -- zip -------------------------------------------------------------------------------------------------------------

NAIVE_ZIP = "import zipfile; zipfile.ZipFile(sys.argv[1]).read(sys.argv[2])"


def test_28_a_config_that_inflates(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", {}, **{"config.json": (deflated_zeros(BOMB), BOMB)})  # type: ignore[arg-type]
    assert path.stat().st_size < 3 << 20
    assert "MemoryError" in naive_fails(NAIVE_ZIP, path, "config.json", memory=256 << 20)
    refuses(lambda: load_model(path), tmp_path, "would take")
    small = b'{"a": "' + bytes(60 << 20) + b'"}'
    path.write_bytes(zip_with({"config.json": small}))
    refuses(lambda: load_model(path), tmp_path, "bytes, more than|not JSON")


def test_29_weights_of_deflated_zeros(tmp_path: Path) -> None:
    members = {"model.weights.h5": (deflated_zeros(BOMB), BOMB)}
    path = keras_file(tmp_path / "m.keras", sequential(), **members)  # type: ignore[arg-type]
    assert "MemoryError" in naive_fails(NAIVE_ZIP, path, "model.weights.h5", memory=256 << 20)
    refuses(lambda: load_model(path), tmp_path, "would take")
    refuses(lambda: model().load_weights(path), tmp_path, "would take")
    arrays = tmp_path / "set.npz"
    arrays.write_bytes(zip_with({"x.npy": (deflated_zeros(BOMB), BOMB)}))
    refuses(lambda: npz.reading(arrays).__enter__(), tmp_path, "would take")


def test_29_a_member_that_is_longer_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    path.write_bytes(zip_with({"a": (deflated_zeros(64 << 20), 1000)}))
    with zips.reading(path) as archive:
        refuses(lambda: archive.read("a", 1 << 30), tmp_path, "broken|breaks off")


def test_30_a_bomb_beside_honest_members(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", sequential(), **{"assets/x": (deflated_zeros(BOMB), BOMB)})  # type: ignore[arg-type]
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("config.json")), "the honest members can be read"
    assert "MemoryError" in naive_fails(NAIVE_ZIP, path, "assets/x", memory=256 << 20)
    refuses(lambda: load_model(path), tmp_path, "would take")


def test_31_members_whose_sizes_add_up(tmp_path: Path) -> None:
    one = 60 << 20
    path = tmp_path / "m.zip"
    path.write_bytes(zip_with({f"m{i}": (deflated_zeros(one), one) for i in range(25)}))
    with zipfile.ZipFile(path) as archive:
        assert sum(info.file_size for info in archive.infolist()) == 25 * one
    refuses(lambda: zips.reading(path).__enter__(), tmp_path, "would take")
    refuses(lambda: data_utils._extract_archive(path, tmp_path / "out", "zip"), tmp_path, "not unpacked|not read")


def test_32_a_bomb_that_is_only_looked_at(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", sequential(), **{"config.json": (deflated_zeros(BOMB), BOMB)})  # type: ignore[arg-type]
    assert "MemoryError" in naive_fails(NAIVE_ZIP, path, "config.json", memory=256 << 20)
    refuses(lambda: zips.reading(path).__enter__(), tmp_path, "would take")
    listing = tmp_path / "many.zip"
    listing.write_bytes(zip_with({f"{i:0100}": b"" for i in range(11_000)}))
    refuses(lambda: zips.reading(listing).__enter__(), tmp_path, "10,000 are read")


NAMES = ["../x", "/x", "..\\x", "a/../../x", "../base_dir_other/f", "C:\\x", "a/.."]


@pytest.mark.parametrize("name", NAMES)
def test_33_names_that_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    base = tmp_path / "base_dir"
    base.mkdir()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("harmless")
        info.filename = name
        archive.writestr(info, b"escaped")
    path = tmp_path / "m.zip"
    path.write_bytes(buffer.getvalue())
    joined = os.path.normpath(os.path.join(base, name.replace("\\", "/").replace("C:", "")))
    if name != "a/..":
        assert not joined.startswith(f"{base}{os.sep}"), "a reader that joins paths leaves the folder"
    refuses(lambda: data_utils._extract_archive(path, base, "zip"), tmp_path, "outside")
    refuses(lambda: zips.reading(path).__enter__(), tmp_path, "outside")


def test_33_the_same_name_twice(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("config.json", b"[]")
    (tmp_path / "m.keras").write_bytes(buffer.getvalue())
    assert zipfile.ZipFile(buffer).read("config.json") == b"[]", "one reader sees this, another the other"
    refuses(lambda: load_model(tmp_path / "m.keras"), tmp_path, "two members")


def test_35_keys_of_a_checkpoint_that_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "checkpoint").write_text(
        'model_checkpoint_path: "../../etc/passwd"\nall_model_checkpoint_paths: "/etc"\n'
    )
    for read in (model().load_weights, load_model):
        refuses(lambda read=read: read(folder), tmp_path, "folder")
        refuses(lambda read=read: read(folder / "checkpoint"), tmp_path, "HDF5")
    for key in (b"../../secret", b"/etc/passwd", b"..", b"entry/../../x"):
        for name in ("layer_names", "weight_names"):

            def change(file: h5py.File, key: bytes = key, name: str = name) -> None:
                owner = file["model_weights" if name == "layer_names" else "model_weights/entry"]
                owner.attrs[name] = [key] if name == "layer_names" else [key, b"b"]

            path = changed(tmp_path, change)
            assert os.path.normpath(folder / key.decode()) != str(folder / "entry")
            all_refuse(path, "no name of an object|no object")
