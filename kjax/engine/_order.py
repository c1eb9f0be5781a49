"""The order of a network's layers, which decides what `summary` shows and how weights are stored in files."""

from __future__ import annotations

from collections.abc import Sequence

from kjax._core.graph import Node, Tensor
from kjax.engine.base_layer import Layer


def layers_in_order(inputs: Sequence[Tensor], outputs: Sequence[Tensor], order: Sequence[Node]) -> list[Layer]:
    """The layers between `inputs` and `outputs`, deepest first, as Keras orders them.

    The depth of a layer is the longest way from it to an output. Layers of equal depth stand in the order in which a
    walk back from the outputs meets them; an input that no output needs stands before them, so that an output is last.

    Arguments:
        order: the nodes between both, each after those that it needs.
    """
    met = _order_met(outputs, set(inputs))
    depth_of_node: dict[Node | Tensor, int] = {}
    depth_of_layer: dict[Layer, int] = {}
    for node in reversed(order):
        depth = depth_of_node.get(node, 0)
        if isinstance(node.op, Layer):
            depth = max(depth, depth_of_layer.get(node.op, 0))
            depth_of_layer[node.op] = depth
        for tensor in node.inputs:
            if isinstance(tensor, Tensor):
                source = tensor if tensor.node is None or tensor in set(inputs) else tensor.node
                depth_of_node[source] = max(depth + 1, depth_of_node.get(source, 0))
    for tensor in inputs:
        depth_of_layer[_source(tensor)] = depth_of_node.get(tensor, 0)
    return sorted(depth_of_layer, key=lambda layer: (-depth_of_layer[layer], met.get(layer, -1)))


def _order_met(outputs: Sequence[Tensor], inputs: set[Tensor]) -> dict[Layer, int]:
    """The place of each layer in a walk from the outputs back to the inputs, first come first."""
    met: dict[Layer, int] = {}
    done: set[Tensor] = set()
    stack = list(reversed(outputs))
    while stack:
        tensor = stack.pop()
        if tensor in done:
            continue
        done.add(tensor)
        history = tensor._keras_history
        if history is not None:
            met.setdefault(history[0], len(met))
        if tensor.node is not None and tensor not in inputs:
            stack.extend(x for x in reversed(tensor.node.inputs) if isinstance(x, Tensor))
    return met


def _source(tensor: Tensor) -> Layer:
    return tensor._keras_history[0]
