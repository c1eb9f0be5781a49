"""What calls of a layer write to variables and add to the loss, as symbolic tensors: Keras's `updates` and `losses`.

Training has no need of them: it collects both while it traces `call`. They are made when a program asks for them, by
nodes that run a call once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph, scope
from kjax._core.graph import Node, Tensor


class _Effects:
    """Runs the call of a layer as while training, and returns what it writes, or what it adds to the loss."""

    def __init__(self, layer: Any, kind: str) -> None:
        self.layer = layer
        self.kind = kind

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        opened = scope.current()
        assert opened is not None, "a graph is evaluated in a scope"
        outer = opened.updates, opened.losses
        opened.updates, opened.losses = {}, []
        try:
            with opened.overriding({}), opened.inside(training=True, trains=True):
                self.layer.run(args, kwargs, masks)
            updates, losses = opened.updates, opened.losses
        finally:
            opened.updates, opened.losses = outer
        if self.kind == "losses":
            return [jnp.sum(jnp.asarray(loss)) for loss in losses], []
        opened.updates.update(updates)
        return list(updates.values()), []


def of(owner: Any, kind: str, inputs: list[Any] | None = None) -> list[Any]:
    """Updates or losses of a layer or model.

    Arguments:
        kind: `'updates'` or `'losses'`.
        inputs: tensors on which they depend; `[None]` for those that depend on none; None for all.
    """
    if kind == "updates" and not (owner.trainable or owner.stateful):
        return []
    unconditional = inputs is None or inputs[0] is None
    conditional = inputs is None or inputs[0] is not None
    several = len(owner._flatten_list()) > 1
    found: list[Any] = []
    for layer in owner._flatten_list():
        if kind == "losses" and unconditional:
            found += [graph.apply(regularizer, weight) for weight, regularizer in layer._regularized]
        for item, on in _given(layer, kind):
            depends = on is not None or (isinstance(item, Tensor) and _has_leaves(item))
            meant = inputs is None or several or on is None or any(x is y for x in _listed(on) for y in inputs)
            if (depends and conditional and meant) or (not depends and unconditional):
                found.append(item)
    if conditional:
        for node in _calls(owner):
            if inputs is None or several or any(x is y for x in node.inputs for y in inputs):
                found += _made_by(node, kind)
    return found


def _given(layer: Any, kind: str) -> Iterable[tuple[Any, Any]]:
    """What was added, each with what it depends on. Programs set the first list by themselves: `model._losses = []`."""
    items, on = (layer._updates, layer._update_inputs) if kind == "updates" else (layer._losses, layer._loss_inputs)
    on = [None] * (len(items) - len(on)) + on
    return zip(items, on[len(on) - len(items) :], strict=True)


def _listed(x: Any) -> Iterable[Any]:
    return x if isinstance(x, (list, tuple)) else [x]


def _calls(owner: Any) -> list[Node]:
    """The calls of a layer; in a model, those that it is made of."""
    nodes = getattr(owner, "_order", None) or owner._inbound_nodes
    return [node for node in nodes if node.inputs and hasattr(node.op, "_flatten_list")]


def _made_by(node: Node, kind: str) -> list[Tensor]:
    layers = node.op._flatten_list()
    if kind == "losses" and not any(layer.penalizes for layer in layers):
        return []
    if kind == "updates" and not any(layer.trainable or layer.stateful for layer in layers):
        return []
    key = (kind, *(layer.trainable for layer in layers))
    if key not in node.effects:
        args, kwargs = jax.tree.unflatten(node.structure, node.leaves)
        made = graph.make_node(_Effects(node.op, kind), args, kwargs, f"{node.op.name}/{kind}")
        node.effects[key] = list(made.outputs)
    return node.effects[key]


def _has_leaves(tensor: Tensor) -> bool:
    """Whether a tensor depends on something that is fed."""
    nodes = graph.topological([tensor])
    return any(isinstance(x, Tensor) and x.node is None for node in nodes for x in node.inputs)
