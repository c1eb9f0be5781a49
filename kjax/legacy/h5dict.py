"""A dictionary of texts, lists, arrays and groups that is kept in an HDF5 file, or in a plain dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kjax._core.guards import hdf5
from kjax.saving import _layout


class H5Dict:
    """A group of an HDF5 file, used like a dictionary. Arrays are data sets; all else is an attribute.

    Asking for a name that is not there makes a group of it, unless it is open to be read.

    Arguments:
        path: path of a file, an `h5py.Group`, a dictionary, or another `H5Dict`.
        mode: `'r'` to read, `'w'` to make a new file, `'a'` to read and write.

    Raises:
        TypeError: for another path.
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        import h5py

        self.read_only = mode == "r"
        self._file: Any = None
        if isinstance(path, H5Dict):
            path = path.data
        if isinstance(path, dict):
            if mode == "w":
                path.clear()
        elif isinstance(path, (str, bytes)) or hasattr(path, "__fspath__"):
            path = self._file = hdf5.opened(path, mode)
        elif not isinstance(path, h5py.Group):
            raise TypeError(
                f"Required a path, an `h5py.Group`, a dictionary or an `H5Dict`, but it is a {type(path).__name__}."
            )
        self.data: Any = path

    @property
    def _plain(self) -> bool:
        return isinstance(self.data, dict)

    def __setitem__(self, name: Any, value: Any) -> None:
        name = _text(name)
        if self.read_only:
            raise ValueError("Cannot set an item in read-only mode.")
        if self._plain:
            self.data[name] = value
        elif name in self.data:
            raise KeyError(f"Cannot set the attribute: there is a group or an array {name!r}.")
        elif isinstance(value, (np.ndarray, np.generic)):
            self.data.create_dataset(name, data=value)
        elif isinstance(value, (list, tuple)):
            _layout.write_names(self.data, name, [_text(item) for item in value])
        else:
            self.data.attrs[name] = value

    def __getitem__(self, name: Any) -> Any:
        name = _text(name)
        if name in self:
            return self._of_dict(name) if self._plain else self._of_file(name)
        if self.read_only:
            raise ValueError(f"There is no {name!r}, and no group can be made in read-only mode.")
        return H5Dict(self.data.setdefault(name, {}) if self._plain else self.data.create_group(name))

    def _of_dict(self, name: str) -> Any:
        value = self.data[name]
        return self._inside(value) if isinstance(value, dict) else value

    def _of_file(self, name: str) -> Any:
        with hdf5.reading(self.data) as group:
            if name in group:
                found = group[name]
                return found.read() if isinstance(found, hdf5.Dataset) else self._inside(self.data[name])
            if not group.has_attribute(name):
                return group.strings(name)
            group.attribute(name)  # checked, before h5py makes room for what it announces
        value = self.data.attrs[name]
        return value.tolist() if isinstance(value, np.ndarray) and value.dtype.kind in "SO" else value

    def _inside(self, group: Any) -> H5Dict:
        return H5Dict(group, "r" if self.read_only else "a")

    def __contains__(self, name: Any) -> bool:
        name = _text(name)
        if self._plain:
            return name in self.data
        return name in self.data or name in self.data.attrs or f"{name}0" in self.data.attrs

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[str]:
        return self.iter()

    def keys(self) -> Any:
        """The names of groups and arrays."""
        return self.data.keys()

    def iter(self) -> Iterator[str]:
        """The names of groups and arrays, one after the other."""
        return iter(self.data)

    def get(self, key: Any, default: Any = None) -> Any:
        """What has the name `key`, or `default`."""
        return self[key] if key in self else default  # noqa: SIM401  # which is this method

    def update(self, *args: Any) -> None:
        """Take over what dictionaries hold."""
        for other in args:
            for name in other:
                self[name] = other[name]

    def close(self) -> None:
        """Write what is pending; close the file if it was opened here."""
        if not self._plain:
            self.data.file.flush()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
