"""Damage: bytes and numbers changed, parts cut out, doubled and mixed; sums put right where a reader asks for them."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_POWERS = [1 << bits for bits in (2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 20, 24, 31, 32, 40, 63)]
_NUMBERS = (0, 1, 3, 100, 1000, 4096, 1 << 64, *_POWERS, *(power - 1 for power in _POWERS))


def mutated(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the seeds with one to eight changes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(1 + min(int(rng.expovariate(0.6)), 7)):
        rng.choice(_WAYS)(rng, data, seeds, words)
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def _place(rng: random.Random, data: bytearray) -> int:
    return rng.randrange(len(data))


def _bit(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _byte(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    data[_place(rng, data)] = rng.choice((0, 1, 255, 127, 128, rng.randrange(256)))


def _number(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    width, at = rng.choice((1, 2, 4, 8)), _place(rng, data)
    value = rng.choice(_NUMBERS) % (1 << 8 * width)
    data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))


def _digits(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    places = [i for i, byte in enumerate(data) if 48 <= byte < 58]
    if places:
        at = rng.choice(places)
        text = rng.choice((b"%d", b"-%d", b"%o", b"%d.5", b"%de9")) % (rng.choice(_NUMBERS),)
        data[at : at + rng.choice((1, len(text)))] = text


def _cut(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = _place(rng, data)
    del data[at : at + rng.choice((1, 2, 4, 16, 64, 512, len(data)))]


def _double(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = _place(rng, data)
    part = data[at : at + rng.choice((1, 4, 16, 64, 512))]
    to = _place(rng, data)
    data[to:to] = part * rng.choice((1, 1, 2, 50))


def _mix(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    other, at = rng.choice(seeds), _place(rng, data)
    start = rng.randrange(len(other))
    length = rng.choice((4, 16, 64, 512))
    data[at : at + length] = other[start : start + length]


def _word(rng: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    if words:
        at, word = _place(rng, data), rng.choice(words)
        data[at : at + rng.choice((0, len(word)))] = word


_Way = Callable[[random.Random, bytearray, Sequence[bytes], Sequence[bytes]], None]
_WAYS: tuple[_Way, ...] = (_bit, _bit, _byte, _number, _number, _digits, _cut, _double, _mix, _word)


def tar_sums(rng: random.Random, data: bytes) -> bytes:
    """The sums of all headers put right, half of the time."""
    if rng.random() < 0.5 or data[:2] == b"\x1f\x8b":
        return data
    blocks = bytearray(data)
    for at in range(0, len(blocks) - 511, 512):
        if blocks[at + 257 : at + 262] == b"ustar":
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + 512])
    return bytes(blocks)


_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 0.5, 1e300, float("nan"), 2**31, 2**64, "", "d", "relu", "os",
    "system", "same", "Dense",
    "LSTM", "Lambda", "Sequential", "Model", "float16", "channels_first", [], {}, [None, 4], [0], ["d", 0, 0],
    [[]],
    {"class_name": "Dense", "config": {}}, {"class_name": "system", "config": {"command": "true"}}, {"a": None},
)  # fmt: skip


def in_json(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A JSON text in which values, keys and parts are exchanged."""
    tree = [json.loads(rng.choice(seeds))]
    for _ in range(1 + min(int(rng.expovariate(0.6)), 5)):
        places = list(_places(tree))
        owner, key = rng.choice(places)
        other, at = rng.choice(places)
        way = rng.randrange(5)
        if way == 0 and isinstance(owner, dict):
            owner[rng.choice(("name", "units", "layer", "config", "class_name", "x", key))] = owner.pop(key)
        elif way == 1 and len(places) > 1:
            del owner[key]
            if not tree:
                return b"[]"
        elif way == 2:
            owner[key] = json.loads(json.dumps(other[at]))
        else:
            owner[key] = json.loads(json.dumps(rng.choice(_VALUES)))
    return json.dumps(tree[0]).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each value below a tree: what it lies in, and under which key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def in_zip(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """An archive whose members are damaged, and which is not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name in ("a.npy", "x.npy"):
            archive.writestr(name, mutated(rng, seeds, words))
    return buffer.getvalue()


def in_hdf5(rng: random.Random, seeds: Sequence[bytes], texts: Sequence[bytes]) -> bytes:
    """An HDF5 file whose texts, names and arrays are exchanged, and which is none the less one."""
    import h5py

    buffer = io.BytesIO(rng.choice(seeds))
    with h5py.File(buffer, "r+") as file:
        for _ in range(1 + min(int(rng.expovariate(0.6)), 4)):
            places: list[Any] = [file]
            file.visititems(lambda _, found, places=places: places.append(found))
            rng.choice(_IN_HDF5)(rng, file, rng.choice(places), texts)
    return buffer.getvalue()


def _text(rng: random.Random, file: Any, place: Any, texts: Sequence[bytes]) -> None:
    import numpy as np

    *configs, training = texts
    kind = rng.choice(("model_config", "training_config"))
    source = configs if kind == "model_config" else [training]
    text = in_json(rng, source) if rng.random() < 0.8 else mutated(rng, source, ())
    file.attrs[kind] = np.bytes_(b" " + text)


def _attribute(rng: random.Random, file: Any, place: Any, texts: Sequence[bytes]) -> None:
    name = rng.choice(("layer_names", "weight_names", "keras_version", "backend", "layer_names0", *place.attrs))
    if rng.random() < 0.3:
        place.attrs.pop(name, None)
    else:
        place.attrs[name] = rng.choice((b"x", 5, [b"a", b"b"], [b"../x", b"l"], ["a"], [b""], 1.5, [b"l_0"], "2.3"))


def _object(rng: random.Random, file: Any, place: Any, texts: Sequence[bytes]) -> None:
    import h5py
    import numpy as np

    name, owner = place.name, place.parent
    if name == "/":
        return
    del file[name]
    shape = rng.choice(((), (3,), (4, 3), (1, 1), (0,), (2, 2, 2)))
    values = (np.ones(shape, rng.choice(("f4", "f8", "i8", "S3", "f2"))), h5py.SoftLink("/"), None, file["/"])
    if (value := rng.choice(values)) is not None and owner.name in file:
        file[name] = value


_IN_HDF5 = (_text, _text, _attribute, _object)
