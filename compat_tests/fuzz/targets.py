"""The readers, each as a function of the bytes of a file, and how damaged files are made for it."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from compat_tests.fuzz import mutate, seeds
from kjax._core.guards import hdf5, npz, tar, texts, zips

CLEAN = (ValueError, TypeError, OSError, KeyError)
"""What a reader may raise. KeyError is what an HDF5 group says of a name that it does not have."""

_MOST = 1 << 20


def read_npz(data: bytes) -> None:
    with npz.reading(io.BytesIO(data)) as arrays:
        for name in arrays.names():
            _try(lambda name=name: arrays.read(name, _MOST))


def read_zip(data: bytes) -> None:
    with zips.reading(io.BytesIO(data)) as archive:
        for name in archive.names():
            _try(lambda name=name: archive.read(name, _MOST))
            _try(lambda name=name: _seek(archive, name))


def _seek(archive: zips.Archive, name: str) -> None:
    with archive.seekable(name) as file:
        file.read(1000)


def read_tar(data: bytes) -> None:
    with tar.reading(io.BytesIO(data)) as members:
        for member in members:
            member.read(_MOST)


def read_json(data: bytes) -> None:
    texts.parse_json(data)


def read_yaml(data: bytes) -> None:
    texts.parse_yaml(data)


def read_pickle(data: bytes) -> None:
    from kjax._core.guards import pickles

    _try(lambda: pickles.read_lists(data))
    pickles.read_batch(data)


def read_config(data: bytes) -> None:
    from kjax.models import model_from_json

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model_from_json(data.decode("utf-8", "replace"))


def read_hdf5(data: bytes) -> None:
    with hdf5.reading(io.BytesIO(data)) as root:
        _walk(root, [50])


def read_model(data: bytes) -> None:
    """By each of the ways in which a file of a model comes in."""
    import h5py

    from kjax.layers import Dense
    from kjax.legacy import saving
    from kjax.legacy.h5dict import H5Dict
    from kjax.models import Sequential, load_model

    model = Sequential([Dense(3, input_shape=(4,), name="a"), Dense(1, name="b", use_bias=False)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _try(lambda: model.load_weights(io.BytesIO(data)))
        _try(lambda: model.load_weights(io.BytesIO(data), by_name=True, skip_mismatch=True))
        with h5py.File(io.BytesIO(data), "r") as file:
            _try(lambda: saving.load_weights_from_hdf5_group(file, model.layers))
            opened = H5Dict(file, "r")
            for name in (*opened, *file.attrs):
                _try(lambda name=name: opened[name])
        load_model(io.BytesIO(data))


def _walk(group: hdf5.Group, left: list[int]) -> None:
    for attribute in group.attributes():
        _try(lambda attribute=attribute: group.attribute(attribute))
    for name in ("layer_names", "weight_names"):
        _try(lambda name=name: group.strings(name))
    for name in group.names():
        left[0] -= 1
        if left[0] < 0:
            return
        try:
            found = group[name]
        except CLEAN:
            continue
        if isinstance(found, hdf5.Group):
            _try(lambda found=found: _walk(found, left))
        else:
            _try(found.read)


def _try(read: Callable[[], Any]) -> None:
    """One part; the others are read even if it is broken."""
    try:
        read()
    except CLEAN as error:
        check_said(error)


def check_said(error: Exception) -> None:
    """Check that an error says something."""
    if not str(error):
        raise AssertionError(f"an empty {type(error).__name__}")


@dataclass(frozen=True)
class Target:
    """A reader.

    Arguments:
        read: reads the bytes of a file.
        seeds: honest files.
        words: bytes that mean something to it.
        share: of all inputs.
        apart: whether it can end the whole process, so that it needs one of its own.
    """

    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    share: float
    words: Sequence[bytes] = field(default=())
    apart: bool = False


_ZIP_WORDS = (
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"../x", b"/x", b"..\\x", b"C:/x",
)  # fmt: skip
_NPY_WORDS = (
    b"'|O'", b"'<f8'", b"'descr'", b"(1099511627776,)", b"(((((((", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x03\x00", b"\xff",
)  # fmt: skip
_JSON_WORDS = (
    b"[" * 300, b'{"a":' * 300, b"1e999", b"NaN", b"9" * 5000, b"null", b"true", b'"\\ud800"', b"-1", b"0", b'""',
)  # fmt: skip
_CONFIG_WORDS = (
    *_JSON_WORDS[2:], b"Lambda", b"Sequential", b"Model", b"os", b"system", b"Dense", b"LSTM", b"Conv2D", b"relu",
    b"Embedding", b"[]", b"{}", b"1000000000000", b"Bidirectional", b"Merge", b"__class__", b"module",
)  # fmt: skip
_YAML_WORDS = (
    b"!!python/object/apply:os.system ['true']", b"!!python/tuple", b"&a [*a]", b"*x", b"? ", b"- - - ", b"[" * 300,
)  # fmt: skip
_TAR_WORDS = (
    b"L", b"K", b"x", b"g", b"S", b"1", b"2", b"../", b"/", b"\x80\0\0\0\0\0\0\x7f", b"\xff" * 12,
    b"30 path=../../x\n", b"22 GNU.sparse.major=1\n", b"22 GNU.sparse.minor=0\n", b"19 size=-99999999\n",
)  # fmt: skip
_PICKLE_WORDS = (
    b"cos\nsystem\n", b"R", b"b", b"q\xff", b"r\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8, b"2", b"(", b"t", b"u", b"h\0",
    b"T\xff\xff\xff\x7f",
)  # fmt: skip
_HDF5_WORDS = (b"\x89HDF\r\n\x1a\n", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"OHDR", b"FRHP")

TARGETS = {
    "npz": Target(read_npz, seeds.npz, 0.25, (*_ZIP_WORDS, *_NPY_WORDS)),
    "zip": Target(read_zip, seeds.zips, 0.2, _ZIP_WORDS),
    "tar": Target(read_tar, seeds.tars, 0.2, _TAR_WORDS),
    "pickle": Target(read_pickle, seeds.pickles, 0.1, _PICKLE_WORDS),
    "json": Target(read_json, seeds.texts, 0.08, _JSON_WORDS),
    "yaml": Target(read_yaml, seeds.yamls, 0.02, _YAML_WORDS),
    "config": Target(read_config, seeds.texts, 0.02, _CONFIG_WORDS),
    "model": Target(read_model, seeds.models, 0.01, apart=True),
    "hdf5": Target(read_hdf5, seeds.hdf5, 0.12, _HDF5_WORDS, apart=True),
}


class Inputs:
    """Damaged files for a reader: the same number gives the same file."""

    def __init__(self, name: str, seed: int) -> None:
        self._name, self._seed = name, seed
        self._target = TARGETS[name]
        self._seeds, self._npy = self._target.seeds(), seeds.npy()

    def __getitem__(self, number: int) -> bytes:
        rng = random.Random(f"{self._name} {self._seed} {number}")
        if self._name == "npz" and rng.random() < 0.5:
            return mutate.in_zip(rng, self._npy, self._target.words)
        if self._name == "config" and rng.random() < 0.8:
            return mutate.in_json(rng, self._seeds)
        if self._name == "model":
            return mutate.in_hdf5(rng, self._seeds, [*seeds.texts(), seeds.training()])
        data = mutate.mutated(rng, self._seeds, self._target.words)
        return mutate.tar_sums(rng, data) if self._name == "tar" else data
