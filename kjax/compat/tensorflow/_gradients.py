"""`tf.gradients` and the optimizers' way to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph
from kjax._core.gradients import gradients as gradients_of
from kjax._core.held import Held
from kjax._core.scope import NeedsGraph
from kjax._core.tensors import Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import listed


def reached(outputs: Iterable[Any]) -> dict[Any, None]:
    """Every tensor and variable that `outputs` are computed from, in the order of computation."""
    found: dict[Any, None] = {}
    for built in graph.topological(outputs):
        found.update(dict.fromkeys(built.inputs))
        found.update(dict.fromkeys(built.reads))
        found.update(dict.fromkeys(getattr(built.op, "weights", ()) if hasattr(built.op, "run") else ()))
    found.update(dict.fromkeys(outputs))
    return found


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: Any = None,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
) -> list[Any]:
    """Gradients of the sum of `ys` with respect to each of `xs`; None for what they do not depend on.

    Arguments:
        ys: tensor or list of tensors.
        xs: tensors and variables.
        grad_ys: weights of the elements of each of `ys`; ones if None.
        stop_gradients: tensors that count as constants.
        name, colocate_gradients_with_ops, gate_gradients, aggregation_method: accepted, not used.
    """
    outputs, at = listed(ys), listed(xs)
    if any(isinstance(y, (jax.Array, Held)) for y in outputs):
        raise NeedsGraph("tf.gradients needs tensors of a graph, but got values. Use `jax.grad` of a function.")
    weights = [None] * len(outputs) if grad_ys is None else listed(grad_ys)
    total = _graph.node("sum", _weighted, outputs, weights)
    found = reached(outputs)
    wanted = [x for x in at if x in found]
    if not wanted:
        return [None] * len(at)
    stopped = [x for x in listed(stop_gradients or []) if x not in wanted]
    made = iter(gradients_of(total, [*wanted, *stopped])[: len(wanted)])
    results = [next(made) if x in found else None for x in at]
    for result in results:
        if result is not None:
            default = _graph.get_default_graph()
            unique = default.unique_name(f"{name}/grad")
            result.name = f"{unique}:0"
            result.__dict__["_tf"] = (default, "Gradient")
    return results


def _weighted(parts: list[Any], weights: list[Any]) -> Any:
    sums = [jnp.sum(array(y) if w is None else array(y) * array(w)) for y, w in zip(parts, weights, strict=True)]
    return sum(sums[1:], sums[0])


def trainable_in(outputs: Iterable[Any]) -> list[Variable]:
    """The variables to train: those of the graph, and weights of layers that the outputs are computed from."""
    listed_already = _graph.get_collection(_graph.GraphKeys.TRAINABLE_VARIABLES)
    found = [x for x in reached(outputs) if isinstance(x, Variable) and x.trainable and not hasattr(x, "initial_value")]
    return [*listed_already, *(x for x in found if x not in listed_already)]


__all__ = ["gradients"]
