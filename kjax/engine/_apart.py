"""Whether the samples of a batch can be computed together with any others, to the same results.

Where no sample touches another's result, testing and predicting choose the size of their batches themselves: large
ones, and a few sizes for any number of samples, filled up with zeros. It is told from the layers that kjax knows; what
a user wrote may do anything, and is run in batches of the size that was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kjax._core.graph import Node, Tensor
from kjax.engine.base_layer import Layer
from kjax.engine.network import Network

if TYPE_CHECKING:
    from kjax.engine._plan import Plan

_OURS = __name__.partition(".")[0] + "."

_SCORES = (f"{_OURS}losses", f"{_OURS}metrics")
_ACTIVATIONS = (f"{_OURS}activations", f"{_OURS}layers")

# Layers that run what the user gives them.
_OPEN = frozenset(("Lambda", "RNN", "ConvRNN2D", "StackedRNNCells"))


def keeps_samples_apart(model: Network) -> bool:
    """Whether each row of the outputs depends on the same row of the inputs alone, when the model is not training."""
    if model.stateful or not model.inputs or any(x.known or x.shape[0] is not None for x in model.inputs):
        return False
    if any(not output.shape or output.shape[0] is not None for output in model.outputs):
        return False
    return all(_is_known(layer) for layer in model._flatten())


def scores_samples_apart(plan: Plan) -> bool:
    """Whether all losses and metrics are kjax's own, which score each sample for itself."""
    if plan.stateful_metrics or any(output.is_told for output in plan.trained):
        return False
    functions = [output.loss for output in plan.trained]
    functions += [metric.function for output in plan.trained for metric in output.metrics]
    return all(_scores_apart(function) for function in functions)


def is_ours(model: Network, plan: Plan) -> bool:
    """Whether nothing that the model is trained on is known to be a user's code."""
    penalties = [function for layer in model._flatten() for _, function in layer._regularized]
    scores = [output.loss for output in plan.trained]
    return all(map(_is_known, model._flatten())) and all(map(_is_ours, penalties)) and all(map(_scores_apart, scores))


def _scores_apart(function: Any) -> bool:
    loss = getattr(function, "__self__", None)
    if loss is not None:  # the method of a loss object
        return _is_ours(type(loss)) and getattr(loss, "_options", {}).get("axis", -1) == -1
    return _is_ours(function, _SCORES)


def _is_ours(thing: Any, modules: str | tuple[str, ...] = _OURS) -> bool:
    # `functools.wraps` gives a user's function our module's name, but not our module.
    home = getattr(thing, "__globals__", {}).get("__name__", _OURS)
    return home.startswith(_OURS) and (getattr(thing, "__module__", None) or "").startswith(modules)


def _is_known(layer: Layer) -> bool:
    if not _is_ours(type(layer)) or type(layer).__name__ in _OPEN or "call" in vars(layer):
        return False
    if layer.penalizes or layer._losses or getattr(layer, "activity_regularizer", None) is not None:
        return False
    functions = (getattr(layer, name, None) for name in ("activation", "recurrent_activation"))
    if not all(function is None or _is_ours(function, _ACTIVATIONS) for function in functions):
        return False
    if isinstance(layer, Network):
        return type(layer).call is Network.call and all(map(_is_plain, layer._order))
    return not _works_on_batch_axis(layer)


def _is_plain(node: Node) -> bool:
    """Whether a node is a layer's call on tensors alone: `training=True` would normalize by the batch."""
    return (
        isinstance(node.op, Layer)
        and not node.phase
        and all(isinstance(leaf, Tensor) or leaf is False for leaf in node.leaves)
    )


def _works_on_batch_axis(layer: Layer) -> bool:
    given = [getattr(layer, name, None) for name in ("axis", "axes")]
    axes = [axis for item in given for axis in (item if isinstance(item, (list, tuple)) else [item])]
    ranks = {len(x.shape) for node in layer._inbound_nodes for x in node.inputs if isinstance(x, Tensor)}
    # A layer inside of another one does not tell its input's rank, which is 2 or more.
    return any(isinstance(axis, int) and (axis == 0 or (-axis in ranks if ranks else axis < -1)) for axis in axes)
