"""Whole models in HDF5, in the layout of Keras 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kjax._core import notices
from kjax.engine._weights import unfilled
from kjax.optimizers import OptaxOptimizer, TFOptimizer
from kjax.saving import _architecture, _compiled, _layout, _optimizer, _weights

if TYPE_CHECKING:
    from kjax._core.guards.hdf5 import Group

NO_TRAINING = "No training configuration found in save file: the model was *not* compiled. Compile it manually."


def write_model(group: Any, model: Any, config: str, include_optimizer: bool) -> None:
    """A model: architecture, weights, and what `compile` was told with the optimizer's state.

    Arguments:
        group: an `h5py.Group`, open to be written.
        config: the class and the config of the model as JSON.
    """
    if held := [name for name in ("model_weights", "optimizer_weights") if name in group]:
        raise ValueError(f"{group.name!r} of {group.file.filename} holds a model already: there is {held[0]!r} in it.")
    _layout.write_versions(group)
    group.attrs["model_config"] = config.encode()
    _layout.write_layers(group.create_group("model_weights"), model.layers)
    if not include_optimizer or getattr(model, "optimizer", None) is None:
        return
    training = _compiled.training_config(model)
    if training is not None:
        group.attrs["training_config"] = _architecture.dumps(training).encode()
    if model.optimizer.state_variables:
        if isinstance(model.optimizer, (OptaxOptimizer, TFOptimizer)):
            return
        _optimizer.write(group.create_group("optimizer_weights"), model.optimizer)


def read_model(group: Group, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """The model that a file holds.

    Raises:
        ValueError: if it holds none, or one that cannot be rebuilt.
    """
    text = _layout.text_of(group, "model_config")
    if text is None:
        raise ValueError(
            "No model found in config file: it holds weights alone. Build the model by its own code and call "
            "`model.load_weights`."
        )
    config = _architecture.loads(text, "The file's architecture")
    if (_layout.text_of(group, "keras_version") or "").startswith("3"):
        from kjax.saving import _keras3

        config = _keras3.understood_file(config)
    with unfilled():
        model = _architecture.from_file(config, custom_objects)
    if not hasattr(model, "load_weights"):
        raise ValueError(f"The file holds a layer, {type(model).__name__}, not a model.")
    reader = _weights.Reader(group.group("model_weights"))
    _weights.put(_weights.by_order(model, reader))
    if compile:
        training = _layout.text_of(group, "training_config")
        if training is None:
            notices.warn(NO_TRAINING)
        else:
            _compile(model, group, _architecture.loads(training, "The file's training configuration"), custom_objects)
    return model


def _compile(model: Any, group: Group, config: Any, custom_objects: Mapping[str, Any] | None) -> None:
    _architecture.check_size(config)
    try:
        _compiled.compile_as(model, config, custom_objects)
    except ValueError as error:
        if "compile=False" in str(error):
            raise
        raise ValueError(f"{error} Or load the model with `compile=False`.") from error
    except _architecture.BROKEN as error:
        raise ValueError(
            f"The model cannot be compiled as the file says: {type(error).__name__}: {error}. Load it with "
            "`compile=False`."
        ) from error
    if "optimizer_weights" in group:
        restore_optimizer(model, lambda: _optimizer.read(group.group("optimizer_weights"), model.optimizer))


def restore_optimizer(model: Any, restore: Any) -> None:
    """Build the optimizer's state and call `restore`; a warning if the file's does not fit."""
    model._ready()
    try:
        restore()
    except (ValueError, KeyError, IndexError) as error:
        notices.warn(
            "Error in loading the saved optimizer state. As a result, your model is starting with a freshly "
            f"initialized optimizer. ({error})"
        )
