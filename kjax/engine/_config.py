"""The config of a functional model: its layers and how they are connected, in the form that Keras 2 saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax._core.graph import Node, Tensor
from kjax._core.registry import label
from kjax.engine._saved import SavedMethods
from kjax.engine.base_layer import Layer, registry, unpack

if TYPE_CHECKING:
    from kjax.engine.network import Network


def layer_config(layer: Layer) -> dict[str, Any]:
    """The config of one layer, with its class."""
    return {"class_name": label(type(layer)), "config": layer.get_config()}


def network_config(network: Network) -> dict[str, Any]:
    """The config of `network`: `layers` with their `inbound_nodes`, `input_layers` and `output_layers`."""
    order = network._order
    layers = network.layers
    number = _node_numbers(layers, set(order), network.inputs)
    return {
        "name": network.name,
        "layers": [
            {
                "name": layer.name,
                **layer_config(layer),
                "inbound_nodes": [
                    _connections(node, number)
                    for node in _nodes_of(layer)
                    if node.op is layer and node in number and node.inputs
                ],
            }
            for layer in layers
        ],
        "input_layers": [_place(tensor, number) for tensor in network.inputs],
        "output_layers": [_place(tensor, number) for tensor in network.outputs],
    }


def _nodes_of(layer: Layer) -> list[Node]:
    return layer._inbound_nodes


def _node_numbers(layers: Sequence[Layer], order: set[Node], inputs: Sequence[Tensor]) -> dict[Node, int]:
    """Each node's number among the calls of its layer that belong to the network."""
    numbers: dict[Node, int] = {}
    for layer in layers:
        calls = [node for node in _nodes_of(layer) if node.op is layer]  # a `copy.copy` shares the original's list
        mine = [node for node in calls if node in order or node.outputs[0] in inputs]
        numbers.update({node: i for i, node in enumerate(mine, start=_first_number(layer))})
    return numbers


def _first_number(layer: Layer) -> int:
    """The number of a layer's first call in a config. In Keras that of a network itself was a call before it."""
    return 1 if isinstance(layer, SavedMethods) else 0


def _place(tensor: Tensor, number: Mapping[Node, int]) -> list[Any]:
    if tensor._keras_history is None:
        raise ValueError(
            f"{tensor!r} is made by a function between layers, which a config cannot describe. Wrap the computation "
            "in a `Lambda` layer."
        )
    layer, node_index, index = tensor._keras_history
    return [layer.name, number[_nodes_of(layer)[node_index]], index]


def _connections(node: Node, number: Mapping[Node, int]) -> list[Any]:
    args, kwargs = jax.tree.unflatten(node.structure, node.leaves)
    extra = {key: _plain(value, number) for key, value in kwargs.items()}
    inputs = args[0] if isinstance(args[0], (list, tuple)) else [args[0]]
    return [[*_place(tensor, number), extra] for tensor in inputs]


def _plain(value: Any, number: Mapping[Node, int]) -> Any:
    if isinstance(value, Tensor):
        return _place(value, number)
    if isinstance(value, (list, tuple)):
        return [_plain(item, number) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic, jax.Array)) else value


def network_from_config(
    config: Mapping[str, Any], given: Mapping[str, Tensor] | None = None
) -> tuple[list[Tensor], list[Tensor], str]:
    """Inputs, outputs and name of the model that `network_config` described.

    Arguments:
        given: tensors to be used in the place of the input layers of these names.

    Raises:
        ValueError: if a connection names a layer, call or tensor that does not exist.
    """
    layers: dict[str, Layer] = {}
    calls: list[tuple[str, list[Any]]] = []
    given = given or {}
    for entry in config["layers"]:
        if entry["name"] in given:
            continue
        layer = registry.deserialize({"class_name": entry["class_name"], "config": entry["config"]})
        layers[entry["name"]] = layer
        calls += [(entry["name"], connections) for connections in entry["inbound_nodes"]]
    made: dict[tuple[str, int], list[Tensor]] = {
        (name, 0): list(nodes[0].outputs)
        for name, layer in layers.items()
        if (nodes := _nodes_of(layer)) and not nodes[0].inputs
    }
    made.update({(name, 0): [tensor] for name, tensor in given.items()})
    made_by = dict.fromkeys(layers, 0)
    first = _first_numbers(config)

    def find(place: Sequence[Any]) -> Tensor | None:
        outputs = made.get((place[0], place[1] - first.get(place[0], 0)))
        return outputs[place[2]] if outputs is not None and place[2] < len(outputs) else None

    while calls:
        waiting: list[tuple[str, list[Any]]] = []
        held: set[str] = set()
        for name, connections in calls:
            tensors = [find(place) for place in connections]
            kwargs = connections[0][3] if len(connections[0]) > 3 else {}
            named = [value for value in kwargs.values() if _is_place(value) and value[0] in layers]
            if name in held or any(tensor is None for tensor in (*tensors, *map(find, named))):
                waiting.append((name, connections))
                held.add(name)  # calls of one layer keep their order
                continue
            layers[name](unpack(tensors), **{key: _symbolic(value, find) for key, value in kwargs.items()})
            made[name, made_by[name]] = list(_nodes_of(layers[name])[-1].outputs)
            made_by[name] += 1
        if len(waiting) == len(calls):
            raise ValueError(f"The config connects layer {waiting[0][0]!r} to {waiting[0][1]!r}, which does not exist.")
        calls = waiting
    places = [config["input_layers"], config["output_layers"]]
    inputs, outputs = ([find(place) for place in _list_of_places(group)] for group in places)
    if None in inputs or None in outputs:
        raise ValueError(f"The config names inputs or outputs that do not exist: {places}.")
    return inputs, outputs, config.get("name")  # type: ignore[return-value]  # no None in them, as checked


def _first_numbers(config: Mapping[str, Any]) -> dict[str, int]:
    """The number from which the calls of each layer are counted, where it is not 0."""
    named: list[Any] = [entry["inbound_nodes"] for entry in config["layers"]]
    named += [_list_of_places(config["input_layers"]), _list_of_places(config["output_layers"])]
    lowest: dict[str, int] = {}
    while named:
        item = named.pop()
        if _is_place(item):
            lowest[item[0]] = min(item[1], lowest.get(item[0], item[1]))
            named += item[3:]
        elif isinstance(item, (list, tuple, dict)):
            named += item.values() if isinstance(item, dict) else item
    return {name: number for name, number in lowest.items() if number > 0}


def _is_place(item: Any) -> bool:
    return isinstance(item, (list, tuple)) and len(item) >= 3 and [type(part) for part in item[:3]] == [str, int, int]


def _list_of_places(group: Sequence[Any]) -> Sequence[Any]:
    return [group] if group and isinstance(group[0], str) else group


def _symbolic(value: Any, find: Any) -> Any:
    """A tensor where a keyword argument names one, the value itself otherwise."""
    if _is_place(value) and len(value) == 3:
        found = find(value)
        return value if found is None else found
    return [_symbolic(item, find) for item in value] if isinstance(value, (list, tuple)) else value
