"""Weights in HDF5 as Keras 2 lays them out: a group for each layer, with the names of its weights in an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax.saving._architecture import BACKEND, KERAS_VERSION

if TYPE_CHECKING:
    from kjax._core.graph import Variable
    from kjax._core.guards.hdf5 import Dataset, Group

# HDF5 keeps at most 64 KB in the head of an object, which holds its attributes.
_HEAD = 64512


def write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    """Keep a list of names as an attribute; in pieces `attribute0`, `attribute1`, ... if it is too long for one.

    Raises:
        RuntimeError: if one name alone is too long.
    """
    data = np.array([name.encode() for name in names]) if names else np.array([])
    if len(names) and data.dtype.itemsize > _HEAD:
        raise RuntimeError(f"A name of {data.dtype.itemsize:,} bytes cannot be kept in HDF5: {names[0][:60]!r}...")
    if data.nbytes <= _HEAD:
        group.attrs[attribute] = data
        return
    count = 2
    while any(part.nbytes > _HEAD for part in np.array_split(data, count)):
        count += 1
    for i, part in enumerate(np.array_split(data, count)):
        group.attrs[f"{attribute}{i}"] = part


def write_versions(group: Any) -> None:
    """The version of the format and the layout of the kernels."""
    group.attrs["backend"] = BACKEND.encode()
    group.attrs["keras_version"] = KERAS_VERSION.encode()


def write_layers(group: Any, layers: Sequence[Any]) -> None:
    """The weights of layers, each in a group of its layer's name."""
    write_names(group, "layer_names", [layer.name for layer in layers])
    write_versions(group)
    for layer in layers:
        place = inside(layer.name)
        try:
            made = group.require_group(place)  # layers named `a` and `a/b` lie in each other
            if "weight_names" in made.attrs or "weight_names0" in made.attrs:
                raise ValueError("it holds weights already")
            write_variables(made, layer.weights)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"The weights of layer {layer.name!r} cannot be kept at {place!r} in {group.name!r}: {error}. Use an "
                "empty group, and names that differ otherwise than by the dots and slashes in them."
            ) from error


def write_variables(group: Any, variables: Sequence[Variable], attribute: str = "weight_names") -> None:
    """Variables as data sets of their names, and the list of those."""
    names = names_of(variables)
    write_names(group, attribute, names)
    for name, variable in zip(names, variables, strict=True):
        group.create_dataset(name, data=host_array(variable))


def names_of(variables: Sequence[Variable]) -> list[str]:
    """The names of the data sets of variables."""
    return _unique(inside(variable.name) for variable in variables)


def host_array(variable: Variable) -> np.ndarray:
    """The value of a variable in numpy's memory, as a type that HDF5 knows. Not copied where that is not needed."""
    array = np.asarray(variable.stored)
    if array.dtype.kind not in "biufc":
        return array.astype("float32")  # bfloat16 and the like
    return array.astype("int64") if variable.name.endswith("/iterations:0") else array


def inside(name: str) -> str:
    """A name that stays below its group, wherever it comes from."""
    parts = [part for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "unnamed"


def _unique(names: Iterable[str]) -> list[str]:
    made: list[str] = []
    used: set[str] = set()
    for name in names:
        stem, colon, suffix = name.partition(":")
        number, candidate = 0, name
        while candidate in used:
            number += 1
            candidate = f"{stem}_{number}{colon}{suffix}"
        used.add(candidate)
        made.append(candidate)
    return made


class StoredLayer:
    """The weights of a layer in a file: their names, read only when asked for."""

    def __init__(self, group: Group, name: str) -> None:
        self.name = name
        self._group = group.group(inside(name))  # as it was written
        self.names = self._group.strings("weight_names")

    def read(self) -> list[np.ndarray]:
        """All weights, in the file's order."""
        return [numbers(self._group.dataset(name)) for name in self.names]


def stored_layers(group: Group) -> list[StoredLayer]:
    """The layers of a file that have weights, in its order."""
    layers = [StoredLayer(group, name) for name in group.strings("layer_names")]
    return [layer for layer in layers if layer.names]


def read_variables(group: Group, attribute: str = "weight_names") -> list[tuple[str, np.ndarray]]:
    """Names and values of what `write_variables` wrote."""
    return [(name, numbers(group.dataset(name))) for name in group.strings(attribute)]


def numbers(dataset: Dataset) -> np.ndarray:
    """The numbers of a data set.

    Raises:
        ValueError: if it holds texts.
    """
    if dataset.dtype.kind == "S":
        raise ValueError(f"{dataset.path} holds texts where numbers are expected.")
    return dataset.read()


def text_of(group: Group, attribute: str) -> str | None:
    """An attribute that is a text, or None."""
    value = group.attribute(attribute) if group.has_attribute(attribute) else None
    return value if isinstance(value, str) else None
