"""Trees of plain values and arrays as one file: what a killed training needs to go on.

The file is an `.npz`: the arrays, and a description of the tree in JSON. Nothing in it is code, and reading it makes
nothing but numbers, strings, lists, tuples, dictionaries and numpy's arrays and scalars. Each comes back as the type
that it was, to the bit.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import jax
import numpy as np

_PLAIN = (bool, int, float, str)
# From so many scalars of one numpy type on, a list of them is kept as an array.
_MANY = 4


class Unknown(TypeError):
    """A value that is not plain."""


def dump(file: BinaryIO, tree: Any) -> None:
    """Write a tree.

    Raises:
        Unknown: for a value of another type.
    """
    arrays: list[np.ndarray] = []
    text = json.dumps(_encoded(tree, arrays))
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    np.savez(file, tree=np.frombuffer(text.encode(), np.uint8), **named)  # pyright: ignore[reportArgumentType]


def load(file: Any) -> Any:
    """The tree that a file holds, given as its path or opened.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it holds none, or is damaged.
    """
    from kjax._core.guards import npz

    with npz.reading(file) as members:
        try:
            return _decoded(json.loads(bytes(members["tree"])), members)
        except (KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error


def is_plain(value: Any) -> bool:
    """Whether a value can be written."""
    try:
        _encoded(value, [])
    except Unknown:
        return False
    return True


def copied(value: Any) -> Any:
    """A copy of a tree that shares nothing with it that may change."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value] if isinstance(value, list) else tuple(map(copied, value))
    return np.array(value) if isinstance(value, (np.ndarray, jax.Array)) else value


def same(one: Any, other: Any) -> bool:
    """Whether two trees are equal, types and bits included, NaN and NaN too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (np.ndarray, np.generic)):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return one == other or (one != one and other != other)


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {"dict": [[_encoded(key, arrays), _encoded(item, arrays)] for key, item in value.items()]}
    if type(value) is list and len(value) >= _MANY and _is_uniform(value):
        return {"scalars": _kept(np.array(value), arrays)}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encoded(item, arrays) for item in value]}
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        array = np.asarray(value)
        if not array.dtype.hasobject:
            return {"scalar" if isinstance(value, np.generic) else "array": _kept(array, arrays)}
    raise Unknown(f"{type(value).__name__} is no plain value")


def _is_uniform(values: list[Any]) -> bool:
    kind = type(values[0])
    return issubclass(kind, (np.number, np.bool_)) and all(type(value) is kind for value in values)


def _kept(array: np.ndarray, arrays: list[np.ndarray]) -> Any:
    """The number of an array, with its type if that is none of numpy's own."""
    number = len(arrays)
    if array.dtype.kind == "V" and array.dtype.names is None:
        arrays.append(np.ascontiguousarray(array)[..., None].view(np.uint8))
        return [number, array.dtype.name]
    arrays.append(array)
    return number


def _decoded(value: Any, members: Any) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), *others = value.items()
    if others:
        raise ValueError("its description is broken")
    if kind == "dict":
        return {_decoded(key, members): _decoded(item, members) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_decoded(item, members) for item in content]
        return items if kind == "list" else tuple(items)
    array = _array(content, members)
    return list(array) if kind == "scalars" else array[()] if kind == "scalar" else array


def _array(content: Any, members: Any) -> np.ndarray:
    if isinstance(content, list):
        number, dtype = content
        return members[f"a{int(number)}"].view(jax.numpy.dtype(dtype))[..., 0]
    return members[f"a{int(content)}"]
