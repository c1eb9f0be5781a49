"""Things that scripts name by a string: activations, initializers, losses, metrics, optimizers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kjax import activations, constraints, initializers, losses, metrics, optimizers, regularizers
from kjax._core.registry import Registry

# `compile` makes the function that suits the loss and the output of these.
_CHOSEN = frozenset(("accuracy", "acc", "crossentropy", "ce"))


def unknown(values: Mapping[str, Any], of_the_script: set[str]) -> Iterator[tuple[str, str, str]]:
    """Of the arguments of a call, the names that nothing is known by: argument, name, message."""
    for argument, value in values.items():
        registry = _registry(argument)
        if registry is None:
            continue
        for name in _names(value):
            if name in of_the_script or (argument.endswith("metrics") and name in _CHOSEN):
                continue
            try:
                registry.find(name)
            except ValueError as error:
                yield argument, name, str(error).partition(" An object of your own")[0]


def _registry(argument: str) -> Registry | None:
    exact = {
        "optimizer": optimizers._registry,
        "loss": losses.registry,
        "metrics": metrics.registry,
        "weighted_metrics": metrics.registry,
    }
    if argument in exact:
        return exact[argument]
    for ending, module in (
        ("activation", activations),
        ("initializer", initializers),
        ("regularizer", regularizers),
        ("constraint", constraints),
    ):
        if argument == ending or argument.endswith(f"_{ending}"):
            return module.registry
    return None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _names(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _names(item)
