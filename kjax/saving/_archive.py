"""`.keras` archives of today's Keras: `config.json`, `metadata.json`, and `model.weights.h5` in a zip file."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kjax._core import notices
from kjax._core.guards import hdf5, texts, zips
from kjax.engine._weights import unfilled
from kjax.saving import _architecture, _compiled, _h5, _keras3, _keras3_optimizers, _tree, _weights

if TYPE_CHECKING:
    from kjax._core.guards.hdf5 import Group

# The version whose format this is.
_VERSION = "3.10.0"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def write_model(filepath: Any, model: Any, include_optimizer: bool) -> None:
    """A model as an archive that today's Keras reads.

    Raises:
        ValueError: for a layer or a setting that today's Keras does not have.
    """
    config = _keras3.written(model)
    optimizer = None
    if include_optimizer and model.optimizer is not None:
        optimizer = _keras3_optimizers.written(model)
        if optimizer is not None:
            config["compile_config"] = optimizer
    contents = {
        _METADATA: {"keras_version": _VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"},
        _CONFIG: config,
    }
    with tempfile.TemporaryFile(prefix="kjax-") as weights:
        with hdf5.writing(weights) as file:
            _tree.write_weights(file, model)
            state: Any = model.optimizer if optimizer is not None else None
            if state is not None and state.state_variables:
                variables = _keras3_optimizers.variables(state)
                _tree.write_numbered(file.create_group("optimizer/vars"), variables)
        weights.seek(0)
        with zips.writing(filepath) as archive:
            for name, content in contents.items():
                archive.writestr(name, _architecture.dumps(content))
            with archive.open(_WEIGHTS, "w", force_zip64=True) as member:
                while chunk := weights.read(1 << 22):
                    member.write(chunk)


def read_model(filepath: Any, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """The model in an archive.

    Raises:
        ValueError: if there is none, or it uses what kjax does not have.
    """
    with zips.reading(filepath) as archive:
        config = _architecture.loads(archive.read(_CONFIG, texts.MAX_BYTES), f"{_CONFIG} of the archive")
        _architecture.check_size(config)
        with unfilled():
            model = _architecture.from_file(_keras3.understood_file(config), custom_objects)
        if not hasattr(model, "load_weights"):
            raise ValueError(f"The archive holds a layer, {type(model).__name__}, not a model.")
        with archive.seekable(_WEIGHTS) as member, hdf5.reading(member) as group:
            _weights.put(_tree.pairs(group, model))
            if compile:
                _compile(model, group, config.get("compile_config"), custom_objects)
    return model


def read_weights(filepath: Any, model: Any) -> None:
    """Give a model the weights in an archive."""
    with zips.reading(filepath) as archive, archive.seekable(_WEIGHTS) as member, hdf5.reading(member) as group:
        _weights.put(_tree.pairs(group, model))


def _compile(model: Any, group: Group, config: Any, custom_objects: Mapping[str, Any] | None) -> None:
    if config is None:
        notices.warn(_h5.NO_TRAINING)
        return
    try:
        _compiled.compile_as(model, config, custom_objects)
    except ValueError as error:
        if "compile=False" in str(error):
            raise
        raise ValueError(f"{error} Or load the model with `compile=False`.") from error
    except _architecture.BROKEN as error:
        raise ValueError(
            f"The model cannot be compiled as the archive says: {type(error).__name__}: {error}. Load it with "
            "`compile=False`."
        ) from error
    if "optimizer/vars" in group:
        values = group.group("optimizer/vars")
        _h5.restore_optimizer(model, lambda: _keras3_optimizers.restore(model.optimizer, _tree.read_numbered(values)))
