"""Optimizers and what `compile` was told in the words of today's Keras, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kjax._core import notices
from kjax.optimizers import schedules
from kjax.saving import _compiled

if TYPE_CHECKING:
    from kjax._core.graph import Variable

_ARGUMENTS = {
    "SGD": ("momentum", "nesterov"), "RMSprop": ("rho", "epsilon"), "Adagrad": ("epsilon",),
    "Adadelta": ("rho", "epsilon"), "Adam": ("beta_1", "beta_2", "epsilon", "amsgrad"),
    "Adamax": ("beta_1", "beta_2", "epsilon"), "Nadam": ("beta_1", "beta_2", "epsilon"),
}  # fmt: skip
# The slots that today's Keras keeps variable by variable, and those that follow all of them.
_SLOTS: dict[str, tuple[tuple[str, ...], str]] = {
    "SGD": (("moments",), ""), "RMSprop": (("accumulators",), ""), "Adagrad": (("accumulators",), ""),
    "Adadelta": (("accumulators", "delta_accumulators"), ""), "Adam": (("ms", "vs"), "vhats"),
    "Adamax": (("ms", "us"), ""), "Nadam": (("ms", "vs"), "m_schedule"),
}  # fmt: skip


def written(model: Any) -> dict[str, Any] | None:
    """What `compile` was told; None, with a warning, if today's Keras does not have it."""
    optimizer, name = model.optimizer, type(model.optimizer).__name__
    reason = ""
    if optimizer.follows_updates:
        reason = f"{name} is an optimizer of the user's own"
    elif name not in _ARGUMENTS:
        reason = f"the optimizer {name} is none of today's Keras"
    elif float(getattr(optimizer, "initial_decay", 0.0)):
        reason = "today's optimizers have no `decay`"
    elif name == "Nadam" and optimizer.schedule_decay != 1.0:
        reason = "today's Nadam has `schedule_decay=1` alone"
    elif name == "RMSprop" and (optimizer.moves or optimizer.centered):
        reason = "today's RMSprop has another formula with `momentum` or `centered`"
    elif optimizer.scheduled is not None and type(optimizer.scheduled.schedule).__name__ not in schedules.__all__:
        reason = f"the schedule {type(optimizer.scheduled.schedule).__name__} is none of today's Keras"
    if reason:
        notices.warn(f"The model is saved without what `compile` was told: {reason}.")
        return None
    config, bounds = optimizer.get_config(), optimizer.bounds()
    settings = {
        "name": name.lower(), "learning_rate": _rate(config["lr"]), "global_clipnorm": bounds.get("clipnorm"),
        "clipvalue": bounds.get("clipvalue"), **{key: config[key] for key in _ARGUMENTS[name]},
    }  # fmt: skip
    chosen = _compiled.training_config(model) or {}
    return {
        "optimizer": {
            "module": "keras.optimizers", "class_name": name, "config": settings, "registered_name": None,
        },
        **{key: chosen.get(key) for key in ("loss", "loss_weights", "metrics", "weighted_metrics")},
    }  # fmt: skip


def _rate(value: Any) -> Any:
    known = {"module": "keras.optimizers.schedules", "registered_name": None}
    return {**value, **known} if isinstance(value, dict) else value


def variables(optimizer: Any) -> list[Variable]:
    """The variables of a built optimizer in the order of today's Keras."""
    by_parameter, after = _SLOTS[type(optimizer).__name__]
    slots = optimizer.variables_by_slot()
    if type(optimizer).__name__ == "SGD" and not float(optimizer.momentum):
        by_parameter = ()
    rows = [row for group in zip(*(slots[slot] for slot in by_parameter), strict=True) for row in group]
    last = slots.get(after, []) if after != "vhats" or optimizer.amsgrad else []
    follows = optimizer.scheduled is not None and optimizer.scheduled.rules
    return [optimizer.iterations, *([] if follows else [optimizer.lr]), *rows, *last]


def restore(optimizer: Any, values: list[np.ndarray]) -> None:
    """Give a built optimizer the variables of today's Keras.

    Raises:
        ValueError: if they are not those of such an optimizer and such a model.
    """
    if type(optimizer).__name__ not in _SLOTS:
        raise ValueError(f"the state of {type(optimizer).__name__} is not known in today's Keras")
    wanted = variables(optimizer)
    shapes = [value.shape for value in values]
    if shapes != [tuple(variable.shape) for variable in wanted]:
        raise ValueError(f"the file has {len(values)} variables where {len(wanted)} are expected, or other shapes")
    for variable, value in zip(wanted, values, strict=True):
        variable.assign(value)
