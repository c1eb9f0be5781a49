"""The table that `Model.summary` prints, to the letter as Keras 2.2 printed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kjax._core.graph import Tensor, Variable
from kjax.engine.base_layer import Layer

if TYPE_CHECKING:
    from kjax.engine.network import Network


def print_summary(
    model: Network,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print a table of the model's layers and its numbers of parameters.

    A model whose layers form one chain has three columns; others have a fourth, for what a layer is connected to.

    Arguments:
        line_length: characters in a line: 65 by default, 98 with the fourth column.
        positions: ends of the columns, as fractions of the line (or in characters).
        print_fn: called with each line; `print` by default.
    """
    out = print_fn or print
    sequential = _is_chain(model)
    length = line_length or (65 if sequential else 98)
    places = list(positions or ([0.45, 0.85, 1.0] if sequential else [0.33, 0.55, 0.67, 1.0]))
    if places[-1] <= 1:
        places = [int(length * place) for place in places]
    head = ["Layer (type)", "Output Shape", "Param #"] + ([] if sequential else ["Connected to"])
    out("_" * length)
    _row(out, head, places)
    out("=" * length)
    layers = model.layers
    for i, layer in enumerate(layers):
        fields = [f"{layer.name} ({type(layer).__name__})", _shape(layer), str(layer.count_params())]
        if sequential:
            _row(out, fields, places)
        else:
            connected = _connections(model, layer)
            _row(out, [*fields, connected[0] if connected else ""], places)
            for other in connected[1:]:
                _row(out, ["", "", "", other], places)
        out(("=" if i == len(layers) - 1 else "_") * length)
    collected = getattr(model, "_collected", None)
    trainable = _count(model.trainable_weights if collected is None else collected)
    frozen = _count(model.non_trainable_weights)
    out(f"Total params: {trainable + frozen:,}")
    out(f"Trainable params: {trainable:,}")
    out(f"Non-trainable params: {frozen:,}")
    out("_" * length)


def _row(out: Callable[[str], Any], fields: Sequence[str], places: Sequence[float]) -> None:
    line = ""
    for field, place in zip(fields, places, strict=False):
        if line:
            line = line[:-1] + " "
        line = (line + str(field))[: int(place)].ljust(int(place))
    out(line)


def _shape(layer: Layer) -> str:
    try:
        return str(layer.output_shape)
    except AttributeError:
        return "multiple"


def _nodes(model: Network) -> list[Any]:
    return model._order


def _is_chain(model: Network) -> bool:
    """Whether every layer has one call, fed by the one layer before."""
    layers = [node.op for node in _nodes(model) if isinstance(node.op, Layer)]
    if len(layers) != len(set(layers)) or len(model.inputs) > 1:
        return len(_nodes(model)) == 0
    feeding = [id(node) for node in _nodes(model)]
    sources = [id(t.node) for node in _nodes(model) for t in node.inputs if isinstance(t, Tensor)]
    return len(sources) == len(feeding) and len(sources) == len(set(sources))


def _connections(model: Network, layer: Layer) -> list[str]:
    """What feeds a layer, as `name[call][output]`."""
    order = set(_nodes(model))
    return [
        f"{t._keras_history[0].name}[{t._keras_history[1]}][{t._keras_history[2]}]"
        for node in layer._inbound_nodes
        if node.op is layer and node in order
        for t in node.inputs
        if isinstance(t, Tensor) and t._keras_history
    ]


def _count(weights: Sequence[Variable]) -> int:
    return sum(weight.size for weight in dict.fromkeys(weights))
