"""Bringing the weights of a file into a model: by the layers' order or names, checked before anything changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax._core import notices
from kjax.saving import _old_weights
from kjax.saving._layout import StoredLayer, stored_layers, text_of

if TYPE_CHECKING:
    from kjax._core.graph import Variable
    from kjax._core.guards.hdf5 import Group

Pairs = list[tuple[Any, np.ndarray]]


class Reader:
    """How the weights of one file are read.

    Arguments:
        group: the group with the layers.
        reshape: whether weights are brought to the layer's shape if they have as many elements.
    """

    def __init__(self, group: Group, reshape: bool = False) -> None:
        self.layers = stored_layers(group)
        self.version = text_of(group, "keras_version") or "1"
        self.backend = text_of(group, "backend")
        self._reshape = reshape

    def values(self, layer: Any, stored: StoredLayer) -> list[np.ndarray]:
        """The weights of a stored layer as `layer` has them."""
        values = stored.read()
        named = _by_name(layer.weights, stored.names, values)
        if named is not None:
            return named
        values = _old_weights.converted(layer, values, self.version, self.backend)
        return reshaped(layer, values) if self._reshape else values


def reshaped(layer: Any, values: list[np.ndarray]) -> list[np.ndarray]:
    """Those of the values in the shapes of a layer's weights that have as many elements."""
    if len(values) != len(layer.weights):
        return values
    pairs = zip(layer.weights, values, strict=True)
    return [value.reshape(tuple(w.shape)) if value.size == w.size else value for w, value in pairs]


def _by_name(variables: Sequence[Variable], names: Sequence[str], values: list[np.ndarray]) -> list[np.ndarray] | None:
    """The values by the variables' names, where the file has the very same ones in another order.

    A nested model lists its trainable weights first, so freezing a layer changes the order.
    """
    ours = [variable.name for variable in variables]
    if ours == list(names) or len(set(ours)) != len(ours) or set(ours) != set(names):
        return None
    by_name = dict(zip(names, values, strict=True))
    ordered = [by_name[name] for name in ours]
    fits = all(value.shape == tuple(w.shape) for value, w in zip(ordered, variables, strict=True))
    return ordered if fits else None


def by_order(model: Any, reader: Reader) -> Pairs:
    """Which variable takes which array, if the layers of file and model follow each other alike.

    Raises:
        ValueError: if they do not fit.
    """
    layers = [layer for layer in model.layers if layer.weights]
    if len(reader.layers) != len(layers):
        raise ValueError(
            f"You are trying to load a weight file containing {len(reader.layers)} layers into a model with "
            f"{len(layers)} layers. With `by_name=True`, layers of the same name take their weights."
        )
    pairs: Pairs = []
    for k, (layer, stored) in enumerate(zip(layers, reader.layers, strict=True)):
        values = reader.values(layer, stored)
        if len(values) != len(layer.weights):
            raise ValueError(
                f'Layer #{k} (named "{layer.name}" in the current model) was found to correspond to layer '
                f"{stored.name} in the save file. However the new layer {layer.name} expects {len(layer.weights)} "
                f"weights, but the saved weights have {len(values)} elements."
            )
        for weight, value in zip(layer.weights, values, strict=True):
            if value.shape != tuple(weight.shape):
                raise ValueError(_shapes(k, layer, weight, value))
        pairs += zip(layer.weights, values, strict=True)
    return pairs


def by_name(model: Any, reader: Reader, skip_mismatch: bool) -> Pairs:
    """Which variable takes which array, if layers are found by their names.

    Raises:
        ValueError: if a layer does not fit, unless `skip_mismatch`, which warns.
    """
    named: defaultdict[str, list[Any]] = defaultdict(list)
    for layer in model.layers:
        named[layer.name].append(layer)
    pairs: Pairs = []
    for k, stored in enumerate(reader.layers):
        for layer in named[stored.name]:
            values = reader.values(layer, stored)
            complaint = skipped = ""
            if len(values) != len(layer.weights):
                complaint = (
                    f'Layer #{k} (named "{layer.name}") expects {len(layer.weights)} weight(s), but the saved weights '
                    f"have {len(values)} element(s)."
                )
                skipped = f"number of weights ({len(layer.weights)} vs {len(values)})"
            for weight, value in zip(layer.weights, values, strict=False):
                if not complaint and value.shape != tuple(weight.shape):
                    complaint = _shapes(k, layer, weight, value)
                    skipped = f"shape ({tuple(weight.shape)} vs {value.shape})"
            if not complaint:
                pairs += zip(layer.weights, values, strict=True)
            elif skip_mismatch:
                notices.warn(f"Skipping loading of weights for layer {layer.name} due to mismatch in {skipped}.")
            else:
                raise ValueError(complaint)
    return pairs


def _shapes(k: int, layer: Any, weight: Variable, value: np.ndarray) -> str:
    return (
        f'Layer #{k} (named "{layer.name}"), weight {weight.name} has shape {tuple(weight.shape)}, but the saved '
        f"weight has shape {value.shape}."
    )


def put(pairs: Pairs) -> None:
    """Give every variable its array, which nobody else may keep."""
    for variable, value in pairs:
        variable.hold(value)
