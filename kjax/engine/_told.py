"""What a layer's `call` keeps in attributes, such as attention weights, for others to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
from jax.core import Tracer

from kjax._core import graph, scope

if TYPE_CHECKING:
    from kjax.engine.base_layer import Layer

_SEEN = "_kept_by_call"


def note(layer: Layer, name: str, value: Any) -> None:
    """Before an attribute is set: if its value is traced, it is for the time of the trace."""
    opened = scope.current()
    if opened is not None and any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(value)):
        opened.note(layer, name)
        layer.__dict__.setdefault(_SEEN, {}).setdefault(name, name in layer.__dict__)


def knows(layer: Layer, name: str) -> bool:
    """Whether a call of the layer has set an attribute to a traced value."""
    return name in layer.__dict__.get(_SEEN, ())


class _Attribute:
    """The operation that calls a layer and gives what it kept in an attribute."""

    def __init__(self, layer: Layer, name: str) -> None:
        self.layer, self.name = layer, name
        self.__name__ = name

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        """The attribute, and no masks."""
        self.layer.run(args, kwargs, masks)
        return self.layer.__dict__[self.name], []


def find(layer: Layer, name: str) -> Any:
    """The symbolic tensor of an attribute that the last call set; None while a program is traced, as before the call.

    Raises:
        AttributeError: if no call set it, or none but those before which there was no such attribute.
    """
    had = layer.__dict__.get(_SEEN, {}).get(name)
    calls = layer.__dict__.get("_inbound_nodes")
    if had is None or (not had and (scope.current() is not None or not calls)):
        raise AttributeError(f"{type(layer).__name__!r} object has no attribute {name!r}", name=name, obj=layer)
    if scope.current() is not None or not calls:
        return None
    args, kwargs = jax.tree.unflatten(calls[-1].structure, calls[-1].leaves)
    return graph.make_node(_Attribute(layer, name), args, kwargs, f"{layer.name}/{name}").result
