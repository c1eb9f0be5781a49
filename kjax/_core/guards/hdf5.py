"""HDF5 files: groups, numbers and attributes, and none of the ways in which such a file reaches out of itself.

Only what lies in the file is read: no links but hard ones, no external storage, no virtual data sets, no filters but
those of HDF5 itself. Data sets that would take more memory than the file's size justifies are refused before it is
taken.
"""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax._core import atomic
from kjax._core.guards import _chunks
from kjax._core.guards._attributes import ERRORS, MAX_NAMES, Missing, Object, Shared, count_of, said
from kjax._core.guards._budget import Budget, open_file, size_of

if TYPE_CHECKING:
    import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_DEPTH = 64
_MAX_STRING = 1 << 16
_KINDS = "biufS"


@contextmanager
def reading(source: Any) -> Generator[Group]:
    """The root of an HDF5 file.

    Arguments:
        source: a path, a binary file object, or an open `h5py.File` or `h5py.Group`, which stays open.

    Raises:
        OSError: if it cannot be opened, or is not an HDF5 file.
        Refused: in the block, for what is not read.
    """
    import h5py

    if isinstance(source, h5py.Group):
        library: Any = h5py
        if source.file.mode != "r":
            source.file.flush()
        size = library.h5i.get_file_id(source.id).get_filesize()
        name = str(source.file.filename)
        raw = (lambda: open_file(name)) if os.path.isfile(name) else lambda: io.BytesIO(source.file.id.get_file_image())
        yield Group(source.id, Shared(name, size, raw, source.file.userblock_size), source.name or "/")
        return
    if hasattr(source, "read"):
        name, size = str(getattr(source, "name", "the file object")), size_of(source)
        _check_start(source, name, size)
        with _opened(h5py, source, name) as file:
            yield Group(file.id, Shared(name, size, lambda: nullcontext(source), file.userblock_size), "")
        return
    name = os.fsdecode(source)
    with opened(name) as file:
        yield Group(file.id, Shared(name, file.id.get_filesize(), lambda: open_file(name), file.userblock_size), "")


def opened(path: Any, mode: str = "r") -> h5py.File:
    """A file, opened to be read; for what is in it there is `reading`. Another mode writes in place.

    Arguments:
        path: a path; or a binary file object, to be read.
        mode: that of `h5py.File`.
    """
    import h5py

    if mode != "r":
        return h5py.File(os.fsdecode(path), mode)
    if hasattr(path, "read"):
        _check_start(path, "the file object", size_of(path))
        return _opened(h5py, path, "the file object")
    name = os.fsdecode(path)
    with open_file(path) as raw:
        size = size_of(raw)
        _check_start(raw, name, size)
    return _opened(h5py, name, name)


def is_hdf5(source: Any) -> bool:
    """Whether a path or a binary file object begins as an HDF5 file does."""
    if hasattr(source, "read"):
        source.seek(0)
        start = source.read(len(_SIGNATURE))
        source.seek(0)
        return start == _SIGNATURE
    with open_file(source) as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


@contextmanager
def writing(target: Any) -> Generator[h5py.File]:
    """A new HDF5 file, written beside and renamed; or into a binary file object."""
    import h5py

    if hasattr(target, "write"):
        with h5py.File(target, "w") as file:
            yield file
        return
    with atomic.beside(target) as place, h5py.File(place, "w") as file:
        yield file


def _opened(h5py: Any, source: Any, name: str) -> Any:
    try:
        return h5py.File(source, "r")
    except ERRORS as error:
        raise OSError(f"{name} cannot be opened as an HDF5 file: {said(error)}") from error


def _check_start(file: Any, name: str, size: int) -> None:
    """What can be told from the first bytes, before the C library sees them."""
    at = 0
    while at < size:
        file.seek(at)
        start = file.read(64)
        if start.startswith(_SIGNATURE):
            break
        at = 512 if at == 0 else at * 2
    else:
        file.seek(0)
        raise OSError(f"{name} is not an HDF5 file (file signature not found).")
    file.seek(0)
    version = start[8] if len(start) > 8 else 255
    sizes = start[13:15] if version < 2 else start[9:11]
    if version > 3 or any(width != 8 for width in sizes) or len(start) < 48:
        raise OSError(f"{name} cannot be opened as an HDF5 file: its first bytes (superblock) are broken.")


class Group(Object):
    """A group of an HDF5 file."""

    def names(self) -> list[str]:
        """The names of what is in it.

        Raises:
            Refused: if there are too many.
        """
        from h5py import Group as Plain

        with self._careful("cannot be listed"):
            if self._id.get_num_objs() > MAX_NAMES:
                raise self._refused(f"holds more than {MAX_NAMES:,} objects")
            return list(Plain(self._id))

    def __contains__(self, path: str) -> bool:
        """Whether a path leads to something, be it allowed or not."""
        group = self
        *folders, last = path.split("/")
        for name in folders:
            if not group._has(name) or not isinstance(group := group._step(name), Group):
                return False
        return group._has(last)

    def group(self, path: str) -> Group:
        """The group at a path.

        Raises:
            KeyError: if there is nothing.
            Refused: if it is something else, or a link out of the file.
        """
        found = self[path]
        if not isinstance(found, Group):
            raise found._refused("is a data set where a group was expected")
        return found

    def dataset(self, path: str) -> Dataset:
        """The data set at a path.

        Raises:
            KeyError: if there is nothing.
            Refused: if it is something else, or its numbers lie outside of the file.
        """
        found = self[path]
        if not isinstance(found, Dataset):
            raise found._refused("is a group where a data set was expected")
        return found

    def __getitem__(self, path: str) -> Group | Dataset:
        """The group or data set at a path."""
        found: Group | Dataset = self
        for name in path.split("/"):
            if not isinstance(found, Group):
                raise found._refused(f"is a data set where a group was expected, on the way to {path!r}")
            found = found._step(name)
        return found

    def _has(self, name: str) -> bool:
        with self._careful(f"cannot be asked for {name!r}"):
            return self._id.links.exists(self._checked(name))

    def _checked(self, name: str) -> bytes:
        if name in ("", ".", "..") or "\0" in name or "/" in name:
            raise self._refused(f"is asked for {name!r}, which is no name of an object")
        return name.encode("utf-8", "surrogateescape")

    def _step(self, name: str) -> Group | Dataset:
        from h5py import h5d, h5g, h5l, h5o  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        path, raw = f"{self.path.rstrip('/')}/{name}", self._checked(name)
        if self._depth >= _MAX_DEPTH:
            raise self._refused(f"lies more than {_MAX_DEPTH} groups deep")
        if not self._has(name):
            raise Missing(f"{self._file.name}: {self.path or '/'} has no object {name!r}.")
        with self._careful(f"holds {name!r}, which cannot be opened"):
            if self._id.links.get_info(raw).type != h5l.TYPE_HARD:
                raise self._refused(f"holds {name!r} as a link to another place, which is never followed")
            handle = h5o.open(self._id, raw)
        if isinstance(handle, h5g.GroupID):
            return Group(handle, self._file, path, self._depth + 1)
        if isinstance(handle, h5d.DatasetID):
            return Dataset(handle, self._file, path, self._depth + 1)
        raise self._refused(f"holds {name!r}, which is neither a group nor a data set")


class Dataset(Object):
    """A data set of an HDF5 file whose numbers lie in the file."""

    def __init__(self, handle: Any, file: Shared, path: str, depth: int = 0) -> None:
        super().__init__(handle, file, path, depth)
        with self._careful("cannot be read"):
            self._check()
            self.shape: tuple[int, ...] = tuple(map(int, handle.shape))
            self.dtype: np.dtype[Any] = np.dtype(handle.dtype)
        if self.dtype.kind not in _KINDS or self.dtype.itemsize > _MAX_STRING:
            raise self._refused(f"holds {self.dtype} where numbers were expected")

    @property
    def nbytes(self) -> int:
        """Bytes of the array that `read` returns."""
        return count_of(self.shape) * self.dtype.itemsize

    def _check(self) -> None:
        from h5py import h5d, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]  # of Cython

        if self._id.get_type().get_class() not in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING):
            raise self._refused("holds something else than numbers")
        if self._id.get_space().get_simple_extent_type() not in (h5s.SCALAR, h5s.SIMPLE):
            raise self._refused("is empty")
        settings = self._id.get_create_plist()
        if settings.get_external_count():
            raise self._refused("keeps its numbers in another file (external storage), which is never read")
        if settings.get_layout() not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
            raise self._refused("is put together from other data sets (virtual), which are never read")
        if wrong := _chunks.unknown_filter(settings):
            raise self._refused(f"is compressed by the filter {wrong}, which is not read")

    def read(self) -> np.ndarray:
        """All of it, as a new array.

        Raises:
            Refused: if the file does not hold as many bytes as its shape needs, or its size does not justify them.
        """
        from h5py import Dataset as Plain

        nbytes = self.nbytes
        if len(self.shape) > 32:
            raise self._refused(f"has {len(self.shape)} dimensions")
        if nbytes == 0:
            return np.empty(self.shape, self.dtype)
        self._file.budget.spend(nbytes, f"{self.path} of shape {self.shape}")
        try:
            _chunks.check_stored(self._id, nbytes, self._file.size)
            if _chunks.is_packed(self._id):
                return _chunks.Packed(self._id, self.shape, self.dtype, lambda _: None).read(0, self.shape[0])
            return np.asarray(Plain(self._id)[()])
        except ERRORS as error:  # those of `_chunks` do not say where
            raise self._refused(f"cannot be read: {said(error)}") from error

    def rows(self) -> Any:
        """It, to read some of its rows: by a number, a slice, or increasing numbers in an array.

        Raises:
            Refused: if the file does not hold as many bytes as its shape needs; when rows are read, if they take more
                than the file's size justifies.
        """
        from h5py import Dataset as Plain

        if not self.shape:
            raise self._refused("is a single number, so it has no rows")
        try:
            if self.nbytes:
                _chunks.check_stored(self._id, self.nbytes, self._file.size)
            if self.nbytes and _chunks.is_packed(self._id):
                return _chunks.Packed(self._id, self.shape, self.dtype, self._allow)
            return Plain(self._id)
        except ERRORS as error:
            raise self._refused(f"cannot be read: {said(error)}") from error

    def _allow(self, nbytes: int) -> None:
        Budget(self._file.name, self._file.size).spend(nbytes, f"What is read at once of {self.path}")
