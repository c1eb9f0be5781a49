"""Configs that other Kerases wrote, in the words that kjax's layers understand."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import Any

from kjax._core.registry import get_custom_objects
from kjax.engine.base_layer import registry

_CLASSES = {"Functional": "Model"}

# Regularizers and constraints of Keras 1, which stood in its configs as their arguments and a name: today's name, and
# its arguments by their old names.
_KERAS_1: dict[str, tuple[str, dict[str, str]]] = {
    "L1L2Regularizer": ("L1L2", {"l1": "l1", "l2": "l2"}),
    "WeightRegularizer": ("L1L2", {"l1": "l1", "l2": "l2"}),
    "ActivityRegularizer": ("L1L2", {"l1": "l1", "l2": "l2"}),
    "MaxNorm": ("MaxNorm", {"m": "max_value", "axis": "axis"}),
    "NonNeg": ("NonNeg", {}),
    "UnitNorm": ("UnitNorm", {"axis": "axis"}),
    "MinMaxNorm": ("MinMaxNorm", {"low": "min_value", "high": "max_value", "rate": "rate", "axis": "axis"}),
}

# What tf.keras writes into the configs of its layers, and the values with which it means nothing.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "ragged": (False, None),
    "groups": (1,),
    "time_major": (False,),
    "keepdims": (False,),
    "autocast": (True, False),
    "dynamic": (False,),
    "renorm": (False,),
    "fused": (True, False, None),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "experimental_autocast": (True, False),
    "zero_output_for_mask": (False,),
    "synchronized": (False,),
    "quantization_config": (None,),
    "lora_rank": (None,),
    "optional": (False,),
    "type_spec": (None,),
    "build_config": (None,),
    "use_cudnn": ("auto", True, False),
}


def understood(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A config whose layers have kjax's arguments alone. Those of the user's classes are left as they are.

    Raises:
        ValueError: for a setting that changes the numbers, and that kjax does not have.
    """
    return _understood(config, {*(custom_objects or ()), *get_custom_objects()})


def _understood(config: Any, theirs: Collection[str]) -> Any:
    if isinstance(config, (list, tuple)):
        return type(config)(_understood(item, theirs) for item in config)
    if not isinstance(config, Mapping):
        return config
    if config.get("name") in _KERAS_1 and "class_name" not in config:
        return _of_keras_1(config)
    made = {key: _understood(value, theirs) for key, value in config.items()}
    name, inner = made.get("class_name"), made.get("config")
    if not isinstance(name, str) or name in theirs or not isinstance(inner, dict):
        return made
    return {**made, "class_name": _CLASSES.get(name, name), "config": _arguments(name, inner)}


def _of_keras_1(config: Mapping[str, Any]) -> dict[str, Any]:
    name, arguments = _KERAS_1[config["name"]]
    unknown = sorted(set(config) - {"name", *arguments})
    if unknown:
        raise ValueError(f"Improper config of {config['name']}: unknown {', '.join(map(repr, unknown))}.")
    inner = {arguments[key]: value for key, value in config.items() if key != "name"}
    return {"class_name": name, "config": inner}


def _arguments(name: str, config: dict[str, Any]) -> dict[str, Any]:
    taken = _parameters(name)
    kept = {
        key: value
        for key, value in config.items()
        if key in taken or key not in _WITHOUT_EFFECT or not any(value is x or value == x for x in _WITHOUT_EFFECT[key])
    }
    if isinstance(kept.get("dtype"), Mapping):
        kept["dtype"] = policy_dtype(kept["dtype"])
    return kept


@functools.cache
def _parameters(name: str) -> frozenset[str]:
    """The arguments of one of kjax's own layers; none if there is no such layer."""
    try:
        found = registry.find(name, {})
    except ValueError:
        return frozenset()
    return frozenset(inspect.signature(found.__init__).parameters)


def policy_dtype(policy: Mapping[str, Any]) -> str | None:
    """The type of the variables under a policy of later Kerases.

    Raises:
        ValueError: if it computes in another type than that of the variables.
    """
    inner = policy.get("config")
    named = inner.get("name") if isinstance(inner, Mapping) else None
    if named is None or named in ("float32", "float64", "float16", "bfloat16"):
        return named
    raise ValueError(f"The file asks for the dtype policy {named!r}; kjax computes in the type of the weights.")
