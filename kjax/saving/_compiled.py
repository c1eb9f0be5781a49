"""What `compile` was told, in files: optimizer, loss, metrics by their names and configs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from kjax import losses, metrics, optimizers
from kjax._core import notices
from kjax.saving import _architecture

_CHOICES = ("loss", "metrics", "loss_weights", "weighted_metrics", "sample_weight_mode")
# Of later Kerases' optimizers, with the values that change nothing.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "name": (), "is_legacy_optimizer": (), "jit_compile": (), "centered": (False,), "weight_decay": (None, 0, 0.0),
    "use_ema": (False,), "ema_momentum": (), "ema_overwrite_frequency": (), "global_clipnorm": (None,),
    "loss_scale_factor": (None,), "gradient_accumulation_steps": (None,), "initial_accumulator_value": (),
    "clipnorm": (None,), "clipvalue": (None,), "module": (), "registered_name": (),
}  # fmt: skip


def training_config(model: Any) -> dict[str, Any] | None:
    """What `compile` was told, as Keras 2 writes it; None, with a warning, for what cannot be written.

    An optax transformation is made of functions, which no file holds; a schedule of the user's may have no config.
    """
    try:
        optimizer = {"class_name": type(model.optimizer).__name__, "config": model.optimizer.get_config()}
    except (ValueError, NotImplementedError) as error:
        notices.warn(f"The model is saved without what `compile` was told: {error}")
        return None
    chosen = {
        "optimizer_config": optimizer,
        "loss": _written(model.loss),
        "metrics": _written(model.metrics),
        "sample_weight_mode": model.sample_weight_mode,
        "loss_weights": model.loss_weights,
    }
    return {**chosen, "weighted_metrics": _written(model.weighted_metrics)} if model.weighted_metrics else chosen


def _written(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return _architecture.plain(value)


def compile_as(model: Any, config: Any, custom_objects: Mapping[str, Any] | None) -> None:
    """Compile a model as a file says.

    Raises:
        ValueError: if it names something that is not known, or settings that kjax does not have.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"The training configuration is a {type(config).__name__}, not a dictionary.")
    optimizer = optimizer_from(config.get("optimizer_config", config.get("optimizer")), custom_objects)
    chosen = {key: config.get(key) for key in _CHOICES}
    chosen["loss"] = _read(chosen["loss"], functools.partial(losses.deserialize, custom_objects=custom_objects))
    for key in ("metrics", "weighted_metrics"):
        chosen[key] = _read(chosen[key], functools.partial(_metric, custom_objects=custom_objects))
    model.compile(optimizer, **chosen)


def optimizer_from(config: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """The optimizer of a config of any Keras.

    Raises:
        ValueError: for an unknown one, or settings that kjax does not have.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        return optimizers.get(config)
    name, given = config.get("class_name"), dict(config["config"])
    if name in (custom_objects or {}) or not optimizers.is_known(name):
        return optimizers.deserialize(config, custom_objects)
    later = "learning_rate" in given and "name" in given  # Keras 2.3 has the first alone
    if later and given.get("clipnorm") is not None:
        notices.warn("`clipnorm` of later versions bounds each gradient by itself; here it bounds them together.")
    elif later and given.get("global_clipnorm") is not None:
        given["clipnorm"] = given.pop("global_clipnorm")
    for key in [key for key in given if key in _WITHOUT_EFFECT]:
        harmless = _WITHOUT_EFFECT[key]
        if not harmless or given[key] in harmless:
            del given[key]
    if later and name == "Nadam":
        given["schedule_decay"] = given.pop("decay", 1.0)  # later ones have the schedule built in
    if later and name == "RMSprop" and given.get("momentum") in (0, 0.0):
        del given["momentum"]
    known = optimizers.deserialize({"class_name": name, "config": {}}, custom_objects)
    unknown = sorted(
        set(given) - {*known.arguments, *known.options, "learning_rate", "clipnorm", "clipvalue", "global_clipnorm"}
    )
    if unknown:
        raise ValueError(
            f"The optimizer {name} has `{unknown[0]}={given[unknown[0]]!r}` in the file, which kjax's has not. Load "
            "with `compile=False` and compile the model again."
        )
    return optimizers.deserialize({"class_name": name, "config": given}, custom_objects)


def _read(value: Any, make: Any) -> Any:
    """Losses or metrics, alone or in lists and dictionaries. Names stay names: `compile` knows them."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return _named(value) or make(dict(value))
        return {key: _read(item, make) for key, item in value.items()}
    return [_read(item, make) for item in value] if isinstance(value, (list, tuple)) else value


def _named(value: Mapping[str, Any]) -> str | None:
    """The name of a function in today's Keras's form."""
    name = value.get("config")
    return name if value.get("class_name") == "function" and isinstance(name, str) else None


def _metric(config: dict[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    inner = config.get("config")
    if config["class_name"] in ("MeanMetricWrapper", "Mean", "CompileMetrics") and isinstance(inner, Mapping):
        function = inner.get("fn")
        found = _named(function) if isinstance(function, Mapping) else function
        return found or inner.get("name")
    return metrics.deserialize(config, custom_objects)
