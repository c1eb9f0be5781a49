"""What may be said of each weight of a layer: how it starts, its penalty, what holds it in bounds."""

from __future__ import annotations

from typing import Any

from kjax import constraints, initializers, regularizers
from kjax._core.graph import Variable
from kjax.engine.base_layer import Layer

Role = tuple[Any, Any, Any]


def take(layer: Layer, **roles: Role) -> None:
    """Resolve what was said of weights, and keep it as attributes such as `kernel_initializer`.

    Arguments:
        **roles: initializer, regularizer and constraint of each weight, as names, configs or functions.
    """
    for role, (initializer, regularizer, constraint) in roles.items():
        setattr(layer, f"{role}_initializer", initializers.get(initializer))
        setattr(layer, f"{role}_regularizer", regularizers.get(regularizer))
        setattr(layer, f"{role}_constraint", constraints.get(constraint))


def add(layer: Layer, role: str, shape: tuple[int, ...], name: str | None = None) -> Variable:
    """A weight in a role that was taken. It is called as the role, unless told otherwise."""
    return layer.add_weight(
        name=name or role,
        shape=shape,
        initializer=getattr(layer, f"{role}_initializer"),
        regularizer=getattr(layer, f"{role}_regularizer"),
        constraint=getattr(layer, f"{role}_constraint"),
    )


def serialized(layer: Layer, *roles: str) -> dict[str, Any]:
    """The part of a config that `take` reads, and the penalty of the output."""
    kinds = {
        "initializer": initializers.serialize,
        "regularizer": regularizers.serialize,
        "constraint": constraints.serialize,
    }
    config: dict[str, Any] = {}
    for kind, serialize in kinds.items():
        config.update({f"{role}_{kind}": serialize(getattr(layer, f"{role}_{kind}")) for role in roles})
        if kind == "regularizer":
            config["activity_regularizer"] = serialize(getattr(layer, "activity_regularizer", None))
    return config
