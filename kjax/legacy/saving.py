"""`keras.engine.saving`: files of models and weights by the functions that Keras's own modules used.

Scripts that load a part of a file's layers, as those of Mask R-CNN do, call them with open HDF5 files.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from kjax._core.guards import hdf5
from kjax.saving import (
    _layout,
    _old_weights,
    _weights,
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)

__all__ = [
    "load_attributes_from_hdf5_group", "load_model", "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name", "model_from_config", "model_from_json", "model_from_yaml", "pickle_model",
    "preprocess_weights_for_loading", "save_attributes_to_hdf5_group", "save_model", "save_weights_to_hdf5_group",
    "unpickle_model",
]  # fmt: skip


def save_attributes_to_hdf5_group(group: Any, name: str, data: Sequence[Any]) -> None:
    """Keep a list of names as an attribute of a group; in pieces `name0`, `name1`, ... if it is too long for one.

    Raises:
        RuntimeError: if one name alone is too long.
    """
    _layout.write_names(group, name, [item.decode() if isinstance(item, bytes) else item for item in data])


def load_attributes_from_hdf5_group(group: Any, name: str) -> list[str]:
    """The list of names that an attribute of a group, or its pieces, hold; empty if there is none."""
    with hdf5.reading(group) as opened:
        try:
            return opened.strings(name)
        except KeyError:
            return []


def save_weights_to_hdf5_group(f: Any, layers: Sequence[Any]) -> None:
    """Write the weights of layers into an open HDF5 group."""
    _layout.write_layers(f, layers)


def load_weights_from_hdf5_group(f: Any, layers: Sequence[Any], reshape: bool = False) -> None:
    """Read the weights of layers, in the order of the file, from an open HDF5 group.

    Arguments:
        f: the group.
        layers: the layers that take them; those without weights are passed over.
        reshape: whether weights are brought to the layer's shape if they have as many elements.

    Raises:
        ValueError: if they do not fit.
    """
    with hdf5.reading(f) as group:
        reader = _weights.Reader(group, reshape)
        _weights.put(_weights.by_order(SimpleNamespace(layers=list(layers)), reader))


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Sequence[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Read the weights of those layers whose names the file has. Other arguments as above.

    Arguments:
        skip_mismatch: whether to pass over, with a warning, layers whose weights do not fit.
    """
    with hdf5.reading(f) as group:
        reader = _weights.Reader(group, reshape)
        _weights.put(_weights.by_name(SimpleNamespace(layers=list(layers)), reader, skip_mismatch))


def preprocess_weights_for_loading(
    layer: Any,
    weights: Sequence[Any],
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list[np.ndarray]:
    """Weights of an older version, another backend or another kind of layer, as `layer` has them.

    Arguments:
        layer: the layer that takes them.
        weights: what a file holds for it.
        original_keras_version: `'1'` for those of Keras 1.
        original_backend: `'theano'` for kernels that were trained with Theano.
        reshape: whether they are brought to the layer's shape if they have as many elements.

    Raises:
        ValueError: if they are those of a layer of another kind.
    """
    version = original_keras_version or "2"
    values = _old_weights.converted(layer, list(map(np.asarray, weights)), version, original_backend)
    return _weights.reshaped(layer, values) if reshape else values


def pickle_model(model: Any) -> dict[str, Any]:
    """A model as a dictionary of plain values."""
    file = io.BytesIO()
    save_model(model, file)
    return {"model": file.getvalue(), "compiled": getattr(model, "optimizer", None) is not None}


def unpickle_model(state: dict[str, Any]) -> Any:
    """The model that `pickle_model` described."""
    return load_model(io.BytesIO(state["model"]), compile=state["compiled"])
