"""What the guards read: every honest form of a file, to the bit. What they refuse is in `test_attacks_*`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kjax._core.guards import Budget, Refused, hdf5, npz, texts, zips

NUMBERS = np.arange(1000.0, dtype="f4").reshape(50, 20)

STORAGE: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunked": {"chunks": (8, 8)},
    "gzip": {"compression": "gzip"},
    "all filters": {"compression": "gzip", "shuffle": True, "fletcher32": True, "chunks": (7, 6)},
    "lzf": {"compression": "lzf", "chunks": (20, 20)},
    "lzf and others": {"compression": "lzf", "shuffle": True, "fletcher32": True, "chunks": (9, 20)},
    "shuffle": {"shuffle": True, "chunks": (8, 8), "fletcher32": True},
    "big endian": {"dtype": ">f8"},
    "half": {"dtype": "f2", "compression": "gzip", "shuffle": True},
}


@pytest.mark.parametrize("case", STORAGE)
def test_numbers_of_an_hdf5_file(tmp_path: Path, case: str) -> None:
    values = NUMBERS.astype(STORAGE[case].get("dtype", "f4"))
    with hdf5.writing(tmp_path / "x.h5") as file:
        file.create_dataset("a/b/c", data=values, **STORAGE[case])
    with hdf5.reading(tmp_path / "x.h5") as root:
        found = root.dataset("a/b/c")
        assert (found.shape, found.dtype, found.nbytes) == (values.shape, values.dtype, values.nbytes)
        np.testing.assert_array_equal(found.read(), values, strict=True)
        rows = found.rows()
        for key in (slice(3, 5), slice(6, 31), 7, 49, slice(5, 5), np.array([1, 8, 9, 31])):
            np.testing.assert_array_equal(rows[key], values[key], strict=True)
        assert root.group("a").names() == ["b"]
        assert "a/b/c" in root
        assert "a/x/c" not in root


@pytest.mark.parametrize("value", [np.float32(3), np.array([True, False]), np.array([b"a", b"bc"]), np.empty((0, 3))])
def test_odd_data_sets(value: Any) -> None:
    buffer = io.BytesIO()
    with hdf5.writing(buffer) as file:
        file["x"] = value
    with hdf5.reading(buffer) as root:
        np.testing.assert_array_equal(root.dataset("x").read(), np.asarray(value), strict=True)


def test_attributes_are_text_and_numbers() -> None:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs.update(
            {"text": "äö", "bytes": b"abc", "old": np.bytes_("old"), "names": [b"a", b"bc"], "new": ["ä"], "none": []}
        )
        file.attrs.update({"numbers": np.arange(3), "one": 5, "empty": h5py.Empty("f4"), "pieces0": [b"x"]})
        file.attrs["pieces1"] = [b"y", b"z"]
        with hdf5.reading(file) as root:
            assert [root.attribute(name) for name in ("text", "bytes", "old")] == ["äö", "abc", "old"]
            assert [root.strings(name) for name in ("names", "new", "none")] == [["a", "bc"], ["ä"], []]
            assert root.strings("pieces") == ["x", "y", "z"]
            assert root.attribute("numbers").tolist() == [0, 1, 2]
            assert root.attribute("one") == 5
            assert root.attribute("empty") is None
            assert "pieces0" in root.attributes()
            with pytest.raises(KeyError, match="no attribute 'missing'"):
                root.attribute("missing")
            with pytest.raises(KeyError, match="no attribute 'missing'"):
                root.strings("missing")
        assert file, "a file that the caller opened stays open"


def test_an_array_of_each_type_in_an_npz_file(tmp_path: Path) -> None:
    arrays = {
        "f": np.asfortranarray(NUMBERS), "i": np.arange(3), "s": np.array("text"), "b": np.array([b"x"]),
        "c": np.array([1j]), "t": np.array([True]), "e": np.empty((0, 4), np.uint8), "h": NUMBERS.astype("f2"),
    }  # fmt: skip
    npz.write(tmp_path / "x.npz", arrays)
    np.savez_compressed(tmp_path / "y.npz", **arrays)
    for name in ("x.npz", "y.npz"):
        with npz.reading(tmp_path / name) as found:
            assert sorted(found.names()) == sorted(arrays)
            for key, value in arrays.items():
                np.testing.assert_array_equal(found[key], value, strict=True)
                assert found[key].flags.f_contiguous == value.flags.f_contiguous
    with pytest.raises(ValueError, match="holds Python objects"):
        npz.write(tmp_path / "z.npz", {"o": np.array([None])})
    np.save(tmp_path / "x.npy", NUMBERS)
    np.testing.assert_array_equal(npz.read_npy(tmp_path / "x.npy"), NUMBERS, strict=True)


def test_a_member_of_a_zip_archive_as_a_file(tmp_path: Path) -> None:
    import zipfile

    content = bytes(range(256)) * 1000
    with zips.writing(tmp_path / "x.zip") as archive:
        archive.writestr("folder/stored", content)
        archive.writestr("folder/packed", content, compress_type=zipfile.ZIP_DEFLATED)
    with zips.reading(tmp_path / "x.zip") as found:
        for name in found.names():
            assert found.read(name, 1 << 20) == content
            with found.seekable(name) as file:
                file.seek(-300, io.SEEK_END)
                assert file.read() == content[-300:]
                file.seek(1000)
                assert file.read(50) == content[1000:1050]
        with pytest.raises(Refused, match="more than 10"):
            found.read("folder/stored", 10)
        with pytest.raises(Refused, match=r"no member 'x'\. It has: folder/packed, folder/stored"):
            found.read("x", 10)


def test_texts() -> None:
    pytest.importorskip("yaml")
    assert texts.parse_json('{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    shared = "a: &x [1, 2]\nb: *x\nshape: !!python/tuple [null, 3]\nname: !!python/unicode 'd'\n"
    assert texts.parse_yaml(shared) == {"a": [1, 2], "b": [1, 2], "shape": (None, 3), "name": "d"}
    with pytest.raises(TypeError, match=r"must be a str or bytes\. Found: int"):
        texts.parse_json(5)  # type: ignore[arg-type]


def test_a_budget_is_for_all_parts_together() -> None:
    budget = Budget("x", 10, ratio=2, least=100)
    budget.spend(70, "a")
    with pytest.raises(Refused, match=r"b would take 60 bytes: x may unpack to 120 bytes, 2 times"):
        budget.spend(60, "b")
