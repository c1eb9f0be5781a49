"""Where a tensor comes from."""

from __future__ import annotations

from typing import Any

from kjax._core.graph import Tensor


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[Any]:
    """The tensors made by `Input` that a tensor is computed from, each once, in the order in which they are met.

    A computed tensor that was given to `Input(tensor=...)` counts as made by it: what it is computed from is left out.

    Arguments:
        tensor: a symbolic tensor.
        layer: the layer from which to start, instead of the one behind the tensor.
        node_index: which call of that layer.
    """
    starts = [tensor]
    if layer is not None and node_index:
        starts = [x for x in layer._inbound_nodes[node_index].inputs if isinstance(x, Tensor)]
    found: list[Any] = []
    pending = list(reversed(starts))
    seen: set[Any] = set()
    while pending:
        found_tensor = pending.pop()
        if found_tensor in seen:
            continue
        seen.add(found_tensor)
        if found_tensor.node is None or _is_input(found_tensor):
            found.append(found_tensor)
            continue
        pending.extend(x for x in reversed(found_tensor.node.inputs) if isinstance(x, Tensor))
    return found


def _is_input(tensor: Any) -> bool:
    layer = tensor._keras_history[0] if tensor._keras_history else None
    return getattr(layer, "tensor", None) is tensor  # only an input layer has one
