"""Models as JSON and YAML texts without their weights, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from kjax._core.registry import label
from kjax.engine.base_layer import registry
from kjax.saving import _dialects

# The version of Keras whose formats these are. Other Kerases read by it what to expect.
KERAS_VERSION = "2.2.4"
# Kernels lie as on Keras's TensorFlow backend.
BACKEND = "tensorflow"

# More entries than any architecture has. A YAML text of a few lines can stand for more than any memory holds.
_MAX_ENTRIES = 2_000_000
_MAX_DEPTH = 200

BROKEN = (
    KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError, OverflowError, RecursionError, MemoryError,
    SyntaxError, NotImplementedError,
)  # fmt: skip
"""What layers raise when a config is not theirs."""


def class_and_config(model: Any) -> dict[str, Any]:
    """The class and the config of a model, as Keras writes both into files."""
    return {"class_name": label(type(model)), "config": model.get_config()}


def with_versions(model: Any) -> dict[str, Any]:
    """The same with the version of the format."""
    return {**class_and_config(model), "keras_version": KERAS_VERSION, "backend": BACKEND}


def plain(value: Any) -> Any:
    """What JSON writes for an object that it does not know.

    Raises:
        TypeError: for what is neither numbers, nor a class or function, nor has a config.
    """
    if hasattr(value, "get_config") and not isinstance(value, type):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    if isinstance(value, np.dtype):
        return value.name
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"Not JSON Serializable: {value!r}")


def dumps(value: Any, **kwargs: Any) -> str:
    """`value` as JSON."""
    return json.dumps(value, default=plain, **kwargs)


def loads(text: str | bytes, what: str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: if it is none.
    """
    from kjax._core.guards import texts

    return texts.parse_json(text, what)


def to_json(model: Any, **kwargs: Any) -> str:
    """The architecture of a model as JSON."""
    return dumps(with_versions(model), **kwargs)


def to_yaml(model: Any, **kwargs: Any) -> str:
    """The architecture of a model as YAML."""
    from kjax.saving import _yaml

    return _yaml.dump(with_versions(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with fresh weights.

    Arguments:
        json_string: the text.
        custom_objects: classes and functions of one's own by name.

    Raises:
        ValueError: if it describes no model, or names something that is not known.
    """
    return from_file(loads(json_string, "The architecture"), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_yaml` described, with fresh weights.

    Arguments:
        yaml_string: the text. It is read by PyYAML's safe loader, which makes nothing but plain values.
        custom_objects: classes and functions of one's own by name.

    Raises:
        ImportError: without PyYAML.
        ValueError: if it describes no model, or names something that is not known.
    """
    from kjax.saving import _yaml

    return from_file(_yaml.load(yaml_string), custom_objects)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model (or layer) of a dictionary with the keys `'class_name'` and `'config'`.

    Raises:
        TypeError: for a list, which `Sequential.from_config` takes.
        ValueError: if it names something that is not known.
    """
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    return registry.deserialize(_dialects.understood(config, custom_objects), custom_objects)


def from_file(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """`model_from_config` for what a file said: whatever is wrong with it is a ValueError.

    Raises:
        ValueError: if it describes no model, or names something that is not known.
    """
    check_size(config)
    if not isinstance(config, Mapping):
        raise ValueError(f"An architecture is a dictionary with a class and a config, but this is a {_kind(config)}.")
    try:
        return model_from_config(config, custom_objects)
    except BROKEN as error:
        raise ValueError(
            f"The architecture cannot be rebuilt: {type(error).__name__}: {_shortened(error)}. Its class is "
            f"{config.get('class_name')!r}."
        ) from error


def check_size(config: Any) -> None:
    """Check that a config that was read is a tree of a sensible size.

    Raises:
        ValueError: if it is not.
    """
    count, waiting = 0, [(config, 0)]
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if count > _MAX_ENTRIES or depth > _MAX_DEPTH:
            raise ValueError(
                f"The architecture has more than {_MAX_ENTRIES:,} entries, or is nested more than {_MAX_DEPTH} deep."
            )
        if isinstance(item, (list, tuple, dict)):
            waiting += [(part, depth + 1) for part in (item.values() if isinstance(item, dict) else item)]


def _kind(value: Any) -> str:
    return "list" if isinstance(value, (list, tuple)) else type(value).__name__


def _shortened(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:300] + "..."
