"""Layers as configs, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjax.engine._config import layer_config
from kjax.engine.base_layer import Layer, registry


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as a dictionary: its `class_name`, and its `config`."""
    return layer_config(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that a dictionary describes, without its weights.

    Arguments:
        config: what `serialize` returned, or the name of a class.
        custom_objects: classes and functions of one's own by name.

    Raises:
        ValueError: for an unknown class, or something that is no such dictionary.
    """
    return registry.deserialize(config, custom_objects)


def name_aliases(names: Mapping[str, Any]) -> None:
    """Let a config call a class by any of its names, as those of Keras 1 do.

    Arguments:
        names: what a module defines. A layer under a name that is not its own has an alias.
    """
    for name, value in names.items():
        if isinstance(value, type) and issubclass(value, Layer) and value.__name__ != name:
            registry.register(value, name)
