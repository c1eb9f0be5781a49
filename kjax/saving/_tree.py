"""Weights in HDF5 as today's Keras lays them out: a tree of layers by their classes, each with numbered variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kjax.engine.network import Network
from kjax.saving import _layout

if TYPE_CHECKING:
    from kjax._core.graph import Variable
    from kjax._core.guards.hdf5 import Group


def walk(model: Any) -> Iterator[tuple[str, Any]]:
    """Each layer in a model, the model too, with its place in the tree: `layers/dense_1/`. Shared layers come once."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", model)]
    while waiting:
        path, layer = waiting.pop(0)
        if id(layer) not in seen:
            seen.add(id(layer))
            yield path, layer
            waiting = [(f"{path}{name}/", child) for name, child in _children(layer)] + waiting


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(layer, Network) and type(layer).call is Network.call:
        yield from _numbered("layers", layer.layers)
        return
    layer = cast(Any, layer)
    if hasattr(layer, "forward_layer"):
        yield from (("forward_layer", layer.forward_layer), ("backward_layer", layer.backward_layer))
    else:
        for attribute in sorted(layer._sublayers):
            value = getattr(layer, attribute)
            if isinstance(value, (list, tuple)):
                yield from _numbered(attribute, layer._sublayers[attribute])
            else:
                yield attribute, value


def _numbered(attribute: str, layers: Any) -> Iterator[tuple[str, Any]]:
    used: dict[str, int] = {}
    for layer in layers:
        name = _snake_case(type(layer).__name__)
        number = used.get(name, 0)
        used[name] = number + 1
        yield f"{attribute}/{name}_{number}" if number else f"{attribute}/{name}", layer


def _snake_case(name: str) -> str:
    """A class name in the paths of today's Keras, where `ConvLSTM2D` is `conv_lstm2d`."""
    name = {"Model": "Functional"}.get(name, name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def own_variables(layer: Any) -> list[Variable]:
    """The variables that belong to a layer itself, in the order in which it made them."""
    return [*layer._trainable_weights, *layer._non_trainable_weights]


def link_weights(group: Any, model: Any) -> None:
    """Give what `write_layers` wrote its second place: the same data sets, as today's Keras looks for them."""
    written: dict[int, Any] = {}
    for layer in model.layers:
        variables = layer.weights
        place = group[_layout.inside(layer.name)]
        names = _layout.names_of(variables)
        written.update({id(v): place[name] for v, name in zip(variables, names, strict=True)})
    for path, layer in walk(model):
        made = group.require_group(f"{path}vars")
        for i, variable in enumerate(own_variables(layer)):
            if id(variable) in written:
                made[str(i)] = written[id(variable)]


def write_weights(group: Any, model: Any) -> None:
    """The weights of a model."""
    for path, layer in walk(model):
        made = group.require_group(f"{path}vars")
        if path:
            made.attrs["name"] = layer.name
        write_numbered(made, own_variables(layer))


def write_numbered(group: Any, variables: list[Variable]) -> None:
    """Variables as data sets `0`, `1`, ..."""
    for i, variable in enumerate(variables):
        group.create_dataset(str(i), data=_layout.host_array(variable))


def read_numbered(group: Group) -> list[np.ndarray]:
    """What `write_numbered` wrote.

    Raises:
        ValueError: if a number is missing.
    """
    count = len(group.names())
    for i in range(count):
        if str(i) not in group:
            raise ValueError(f"{group.path} holds {count} variables, but none of them is {i}.")
    return [_layout.numbers(group.dataset(str(i))) for i in range(count)]


def pairs(group: Group, model: Any) -> list[tuple[Variable, np.ndarray]]:
    """Which variable takes which array of the file.

    Raises:
        ValueError: if a layer has no weights in the file, or they do not fit.
    """
    found: list[tuple[Variable, np.ndarray]] = []
    for path, layer in walk(model):
        variables = own_variables(layer)
        if not variables:
            continue
        place = f"{path}vars"
        if place not in group:
            raise ValueError(
                f"The file has no weights at {place!r}, where those of layer {layer.name!r} are expected. It has: "
                f"{_said(group, 'layers')}."
            )
        values = read_numbered(group.group(place))
        shapes, wanted = [value.shape for value in values], [tuple(v.shape) for v in variables]
        if shapes != wanted:
            raise ValueError(f"Layer {layer.name!r} has weights of the shapes {wanted}, the file has {shapes} there.")
        found += zip(variables, values, strict=True)
    return found


def _said(group: Group, name: str) -> str:
    return ", ".join(group.group(name).names()[:12]) if name in group else ", ".join(group.names()[:12]) or "nothing"
