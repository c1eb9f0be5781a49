"""imdb, reuters and boston_housing: the numbers and the order of Keras, from files that are read without risk."""

from __future__ import annotations

import io
import json
import os
import pathlib
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest

from compat_tests.datasets.conftest import own_home  # noqa: F401  # each test has its own folders, and no network
from kjax._core.guards.pickles import read_lists
from kjax.datasets import _download, boston_housing, imdb, reuters


def texts(count: int, seed: int) -> np.ndarray:
    random = np.random.RandomState(seed)
    array = np.empty(count, object)
    array[:] = [random.randint(1, 40, random.randint(2, 12)).tolist() for _ in range(count)]
    return array


REVIEWS = {
    "x_train": texts(30, 1),
    "y_train": np.random.RandomState(3).randint(0, 2, 30),
    "x_test": texts(20, 2),
    "y_test": np.random.RandomState(4).randint(0, 2, 20),
}
WIRES = {"x": texts(40, 5), "y": np.random.RandomState(6).randint(0, 46, 40)}
HOUSES = {"x": np.random.RandomState(7).normal(size=(50, 13)), "y": np.random.RandomState(8).normal(size=50)}
SETS: dict[str, Any] = {"imdb": REVIEWS, "reuters": WIRES, "boston_housing": HOUSES}
OURS: dict[str, Any] = {"imdb": imdb, "reuters": reuters, "boston_housing": boston_housing}


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder with small files in Keras's format."""
    place = tmp_path / "sets"
    place.mkdir()
    for name, arrays in SETS.items():
        np.savez(place / f"{name}.npz", **arrays)
        (place / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "caf\u00e9": 2}))
    monkeypatch.setenv("KJAX_DATASETS", str(place))
    return place


def lists(split: Any) -> list[Any]:
    (x_train, y_train), (x_test, y_test) = split
    return [[list(x) for x in part] if part.ndim == 1 and part.dtype == object else part.tolist()
            for part in (x_train, y_train, x_test, y_test)]  # fmt: skip


OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_words": 20},
    {"num_words": 20, "skip_top": 8, "oov_char": None},
    {"seed": 7, "start_char": None, "index_from": 0},
    {"start_char": None, "index_from": 5, "oov_char": 9, "num_words": 30},
    {"start_char": 3, "index_from": None},
]


@pytest.mark.parametrize("name", ["imdb", "reuters"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_texts_are_those_of_todays_keras(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    keras = pytest.importorskip("keras", reason="compares with today's Keras, which is not installed")
    theirs = getattr(keras.datasets, name)
    loader = vars(__import__("sys").modules[theirs.load_data.__module__])
    monkeypatch.setitem(loader, "get_file", lambda *_, **__: str(folder / f"{name}.npz"))
    if options.get("index_from", 0) is None:
        options = {**options, "index_from": None}
        wanted = lists(theirs.load_data(**{**options, "index_from": 0}))
    else:
        wanted = lists(theirs.load_data(**options))
    assert lists(OURS[name].load_data(**options)) == wanted


def test_long_texts_are_left_out_as_in_keras_2(folder: pathlib.Path) -> None:
    whole = lists(imdb.load_data())
    reviews, labels = whole[0] + whole[2], whole[1] + whole[3]
    kept = [(x, y) for x, y in zip(reviews, labels, strict=True) if len(x) < 8]
    # The word with the highest number of those that stay is the one that is replaced.
    highest = max(max(x) for x, _ in [(x, 0) for x in raw_with_start() if len(x) < 8])
    x_train, y_train, x_test, y_test = lists(imdb.load_data(maxlen=8))
    assert len(x_train) == min(30, len(kept))
    assert y_train + y_test == [y for _, y in kept]
    assert [len(x) for x in x_train + x_test] == [len(x) for x, _ in kept]
    assert max(max(x) for x in x_train + x_test) < highest
    with pytest.raises(ValueError, match=r"shorter than maxlen=2, no sequence was kept\. Increase"):
        imdb.load_data(maxlen=2)


def raw_with_start() -> list[list[int]]:
    return [[1, *(word + 3 for word in text)] for text in [*REVIEWS["x_train"], *REVIEWS["x_test"]]]


def test_houses_are_those_of_todays_keras(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras", reason="compares with today's Keras, which is not installed")
    loader = vars(__import__("sys").modules[keras.datasets.boston_housing.load_data.__module__])
    monkeypatch.setitem(loader, "get_file", lambda *_, **__: str(folder / "boston_housing.npz"))
    cases: list[dict[str, Any]] = [{}, {"test_split": 0.5, "seed": 3}, {"test_split": 0.0}]
    for options in cases:
        wanted, got = keras.datasets.boston_housing.load_data(**options), boston_housing.load_data(**options)
        for part, other in zip([*wanted[0], *wanted[1]], [*got[0], *got[1]], strict=True):
            np.testing.assert_array_equal(part, other)
    with pytest.raises(ValueError, match="`test_split` must be from 0"):
        boston_housing.load_data(test_split=1.0)


def test_splits_and_word_indices(folder: pathlib.Path) -> None:
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.25)
    assert (len(x_train), len(y_train), len(x_test), len(y_test)) == (30, 30, 10, 10)
    assert x_train.dtype == object
    assert isinstance(x_train[0], list)
    assert imdb.get_word_index() == reuters.get_word_index() == {"the": 1, "caf\u00e9": 2}
    (folder / "imdb_word_index.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="does not map words to numbers"):
        imdb.get_word_index()


def test_equal_lengths_stay_lists(folder: pathlib.Path) -> None:
    np.savez(folder / "reuters.npz", x=np.arange(12).reshape(4, 3), y=np.arange(4))
    (x_train, _), _ = reuters.load_data(test_split=0.0)
    assert x_train.shape == (4,)
    assert all(isinstance(x, list) and len(x) == 4 for x in x_train)


def test_old_names_of_arguments(folder: pathlib.Path) -> None:
    for name in ("imdb", "reuters"):
        with pytest.warns(UserWarning, match="The `nb_words` argument in `load_data` has been renamed `num_words`"):
            old = OURS[name].load_data(nb_words=20)
        assert lists(old) == lists(OURS[name].load_data(num_words=20))


def test_loading_leaves_numpys_generator_alone(folder: pathlib.Path) -> None:
    np.random.seed(5)
    before: Any = np.random.get_state()
    imdb.load_data()
    boston_housing.load_data()
    after: Any = np.random.get_state()
    np.testing.assert_array_equal(after[1], before[1])


def test_where_files_are_looked_for(
    tmp_path: pathlib.Path, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "mine.npz"
    np.savez(given, **{**REVIEWS, "y_train": 1 - REVIEWS["y_train"]})
    assert lists(imdb.load_data(str(given)))[1] != lists(imdb.load_data())[1]
    monkeypatch.delenv("KJAX_DATASETS")
    keras = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(keras))
    monkeypatch.setattr(_download, "reachable", lambda url: False)
    with pytest.raises(OSError, match=r"imdb\.npz was not found(?s:.*)no network(?s:.*)Put it into") as caught:
        imdb.load_data()
    assert str(keras / "datasets") in str(caught.value)
    (keras / "datasets").mkdir(parents=True)
    (folder / "imdb.npz").rename(keras / "datasets" / "imdb.npz")
    assert len(imdb.load_data()[0][0]) == 30


def test_a_download_is_checked(tmp_path: pathlib.Path, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kjax.datasets import _texts

    monkeypatch.delenv("KJAX_DATASETS")
    monkeypatch.setattr(_download, "reachable", lambda url: True)
    monkeypatch.setattr(_texts, "_FOLDER", folder.as_uri() + "/")
    with pytest.raises(OSError, match="expected 4d44cc38712099c9e383dc6e5f11a921"):
        reuters.get_word_index()
    from hashlib import md5

    digest = md5((folder / "reuters_word_index.json").read_bytes()).hexdigest()
    monkeypatch.setattr(reuters, "_WORDS", _texts.File("reuters_word_index.json", digest))
    assert reuters.get_word_index()["the"] == 1
    (folder / "reuters_word_index.json").unlink()
    assert reuters.get_word_index()["the"] == 1  # it is kept


# -- files that are broken or hostile --------------------------------------------------------------------------------


class Payload:
    """What runs a command when it is unpickled."""

    def __init__(self, marker: pathlib.Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def of_objects(*items: Any) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_of_all_ages(protocol: int) -> None:
    array = texts(20, 3)
    assert read_lists(pickle.dumps(array, protocol=protocol)) == array.tolist()


def test_pickles_with_a_payload_run_nothing(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    marker = tmp_path / "marker"
    for x in (of_objects(Payload(marker)), of_objects([1, 2], [Payload(marker)])):
        np.savez(folder / "imdb.npz", **{**REVIEWS, "x_train": x})
        with pytest.raises(ValueError, match=r"imdb\.npz cannot be used: its pickle cannot be read: it asks for posix"):
            imdb.load_data()
    np.savez(folder / "reuters.npz", x=WIRES["x"], y=of_objects(Payload(marker)))
    with pytest.raises(ValueError, match="y holds pickled Python objects"):
        reuters.load_data()
    assert not marker.exists()


SHARED = [5] * 1000
BAD = {
    "nested": of_objects([[1]], [2]),
    "texts": of_objects(["a"], [1]),
    "a tuple": of_objects((1, 2), [1]),
    "negative": of_objects([-1], [1]),
    "huge number": of_objects([2**80], [1]),
    "a bool": of_objects([True], [1]),
    "an array": of_objects(np.arange(3), [1]),
    "None": of_objects(None, [1]),
    "many times the same": of_objects(*[SHARED] * 70_000),
}


@pytest.mark.parametrize("kind", BAD)
def test_other_contents_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"its pickle|something else than numbers|more than"):
        read_lists(pickle.dumps(BAD[kind], protocol=2))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        pickle.dumps([[1]]),
        pickle.dumps({"x": 1}),
        b"\x80\x04\x96" + (2**40).to_bytes(8, "little") + b".",  # a bytearray that claims a terabyte
        b"\x80\x02]r\xff\xff\xff\xff.",  # asks to remember four thousand million things
        pickle.dumps(texts(5, 1), protocol=2)[:-40],
    ],
    ids=["empty", "garbage", "a list", "a dict", "bytearray", "memo", "cut"],
)
def test_broken_pickles_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="its pickle"):
        read_lists(data)


def member(shape: str, data: bytes = b"", dtype: str = "'|O'") -> bytes:
    """A .npy file with a header that may lie."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (64 - (10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (member("(7,)", pickle.dumps(texts(5, 1))), r"x of shape \(7,\) holds 5 lists"),
        (member("(1125899906842624,)", dtype="'<i8'"), "would take 9,007,199,254,740,992 bytes"),
        (member("(2,)", b"\0" * 32, "'<U4'"), "numbers were expected"),
        (b"no header", "cannot be used"),
    ],
    ids=["count", "bomb", "texts", "header"],
)
def test_headers_that_lie_are_refused(folder: pathlib.Path, content: bytes, said: str) -> None:
    labels = io.BytesIO()
    np.save(labels, np.zeros(7, int))
    with zipfile.ZipFile(folder / "reuters.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", labels.getvalue())
    with pytest.raises(ValueError, match=said):
        reuters.load_data()


def test_other_broken_files_are_named(folder: pathlib.Path) -> None:
    (folder / "reuters.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"reuters\.npz cannot be used"):
        reuters.load_data()
    np.savez(folder / "reuters.npz", x=WIRES["x"])
    with pytest.raises(ValueError, match="it has no y"):
        reuters.load_data()
    np.savez(folder / "reuters.npz", x=WIRES["x"], y=np.arange(3))
    with pytest.raises(ValueError, match=r"40 texts, and labels of shape \(3,\)"):
        reuters.load_data()
    with zipfile.ZipFile(folder / "boston_housing.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(300 << 20))
        archive.writestr("y.npy", b"")
    with pytest.raises(ValueError, match="would take 314,576,896 bytes"):
        boston_housing.load_data()
