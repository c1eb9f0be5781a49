"""What `compile` was told and the optimizer's state: to be carried over into a copy."""

from __future__ import annotations

from typing import Any

from kjax._core.registry import keeping_objects
from kjax.optimizers import OptaxOptimizer, TFOptimizer, deserialize, get, is_native, serialize

_ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics", "sample_weight_mode")


def remembered(model: Any) -> dict[str, Any] | None:
    """Optimizer, its state, and the arguments of `compile`, or None for a model that was not compiled."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return None
    if isinstance(optimizer, OptaxOptimizer):
        made: Any = (optimizer.transformation, optimizer.bounds())
    elif isinstance(optimizer, TFOptimizer):
        made = (optimizer.optimizer, {})
    else:
        with keeping_objects():
            made = serialize(optimizer)
    return {
        "optimizer": made,
        "iterations": int(optimizer.iterations.numpy()),
        "state": [variable.numpy() for variable in optimizer.state_variables] or None,
        "arguments": dict(zip(_ARGUMENTS, model._compile_args, strict=True)),
    }


def recall(model: Any, training: dict[str, Any] | None) -> None:
    """Compile a model as another was, and give its optimizer the other's state."""
    if training is None:
        return
    made = training["optimizer"]
    if isinstance(made, tuple):
        optimizer = get(made[0]) if is_native(made[0]) else OptaxOptimizer(made[0], **made[1])
    else:
        optimizer = deserialize(made)
    optimizer.iterations.assign(training["iterations"])
    if training["state"] is not None:
        optimizer.restore(training["state"])
    model.compile(optimizer, **training["arguments"])
