"""What groups and data sets of an HDF5 file have in common: where they are, and attributes that are read with care."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

import numpy as np

from kjax._core.guards import _heaps
from kjax._core.guards._budget import Budget, Refused

# Weights are read once or twice, and zeros (optimizer slots of a new model) may have been compressed.
_RATIO = 20
MAX_NAMES = 10_000
_MAX_ATTRIBUTE = 16 << 20
_MAX_ITEMS = 10 * MAX_NAMES

ERRORS = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, MemoryError, OverflowError, AttributeError, zlib.error,
)  # fmt: skip
"""What h5py raises for broken files."""


class Missing(Refused, KeyError):
    """What is asked for is not in the file."""

    __str__ = Exception.__str__  # KeyError's shows the text in quotes


def said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


class Shared:
    """What the objects of one file share.

    Arguments:
        name: what error messages call it.
        size: its bytes.
        raw: opens it as a plain file.
        base: where addresses in it count from.
    """

    def __init__(self, name: str, size: int, raw: Callable[[], AbstractContextManager[BinaryIO]], base: int) -> None:
        self.name = name
        self.size = size
        self.budget = Budget(name, size, _RATIO)
        self._raw = raw
        self._base = base

    def texts(self, handle: Any, name: str, shape: tuple[int, ...]) -> Any:
        """The value of an attribute that holds texts of any length."""
        from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        with self._raw() as file:
            found = _heaps.File(file, self.size, self._base).texts(
                h5o.get_info(handle).addr, name, count_of(shape), self.budget
            )
        decoded = [text.decode("utf-8") for text in found]
        return decoded if shape else decoded[0]


class Object:
    def __init__(self, handle: Any, file: Shared, path: str, depth: int = 0) -> None:
        self._id = handle
        self._file = file
        self._depth = depth
        self.path = path
        """Where it is in the file."""

    def _refused(self, reason: str) -> Refused:
        return Refused(f"{self._file.name}: {self.path or '/'} {reason}.")

    @contextmanager
    def _careful(self, what: str) -> Generator[None]:
        """What h5py raises becomes one clear error."""
        try:
            yield
        except Refused:
            raise
        except ERRORS as error:
            raise self._refused(f"{what}: {said(error)}") from error

    def has_attribute(self, name: str) -> bool:
        """Whether it has an attribute of that name."""
        from h5py import h5a  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        with self._careful(f"cannot be asked for its attribute {name!r}"):
            return bool(h5a.exists(self._id, name.encode()))

    def attribute(self, name: str) -> Any:
        """The value of an attribute: a str, a list of str, or a numpy scalar or array. None for one that is empty.

        Raises:
            KeyError: if there is none.
            Refused: if it is too large, or neither text nor numbers.
        """
        from h5py import AttributeManager, h5a, h5s  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        if not self.has_attribute(name):
            raise Missing(f"{self._file.name}: {self.path or '/'} has no attribute {name!r}.")
        with self._careful(f"has an attribute {name!r} that cannot be read"):
            attribute = h5a.open(self._id, name.encode())
            if attribute.get_space().get_simple_extent_type() == h5s.NULL:
                return None
            if self._is_any_text(name, attribute):
                return self._file.texts(self._id, name, attribute.shape)
            return _plain(AttributeManager(self)[name])

    # h5py's AttributeManager asks its parent for it.
    @property
    def id(self) -> Any:
        return self._id

    def attributes(self) -> list[str]:
        """The names of its attributes.

        Raises:
            Refused: if there are too many.
        """
        from h5py import (
            AttributeManager,
            h5a,  # pyright: ignore[reportAttributeAccessIssue]  # of Cython
        )

        with self._careful("has attributes that cannot be listed"):
            if h5a.get_num_attrs(self._id) > MAX_NAMES:
                raise self._refused(f"has more than {MAX_NAMES:,} attributes")
            return list(AttributeManager(self))

    def strings(self, name: str) -> list[str]:
        """A list of names kept as an attribute, or in pieces as `name0`, `name1`, ... as Keras does past 64 KB.

        Raises:
            KeyError: if there is none.
            Refused: if it is no list of at most 10,000 strings.
        """
        if self.has_attribute(name):
            found = self._strings(name)
        else:
            found: list[str] = []
            piece = 0
            while piece < MAX_NAMES and self.has_attribute(f"{name}{piece}"):
                found += self._strings(f"{name}{piece}")
                piece += 1
            if not piece:
                raise Missing(f"{self._file.name}: {self.path or '/'} has no attribute {name!r}.")
        if len(found) > MAX_NAMES:
            raise self._refused(f"has {len(found):,} {name}, more than {MAX_NAMES:,}")
        return found

    def _strings(self, name: str) -> list[str]:
        value = self.attribute(name)
        if value is None or (isinstance(value, np.ndarray) and not value.size):
            return []  # how h5py keeps an empty list
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._refused(f"has an attribute {name!r} that is no list of names")
        return value

    def _is_any_text(self, name: str, attribute: Any) -> bool:
        """Check the size of an attribute. Returns whether it holds texts of any length."""
        from h5py import h5t  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        kind, count = attribute.get_type(), count_of(attribute.shape)
        if count > _MAX_ITEMS:
            raise self._refused(f"has an attribute {name!r} of {count:,} items")
        if kind.get_class() not in (h5t.INTEGER, h5t.FLOAT, h5t.STRING, h5t.ENUM):
            raise self._refused(f"has an attribute {name!r} that is neither text nor numbers")
        nbytes = count * kind.get_size()
        if nbytes > min(_MAX_ATTRIBUTE, self._file.size):
            raise self._refused(f"has an attribute {name!r} of {nbytes:,} bytes")
        self._file.budget.spend(nbytes, f"the attribute {name!r}")
        return kind.get_class() == h5t.STRING and bool(kind.is_variable_str())


def count_of(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= int(side)
    return count


def _plain(value: Any) -> Any:
    """Text as str, whichever of its ways h5py chose to hand it out."""
    if isinstance(value, bytes):  # np.bytes_ too
        return value.decode("utf-8")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "SOU":
        return [_plain(item) for item in value.ravel().tolist()]
    return value
