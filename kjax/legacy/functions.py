"""Functions beside models, and names of them, as Keras 1 and 2.3 had them: old arguments are tables here too."""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import Any

from kjax import backend, metrics, models, optimizers, utils
from kjax import backend as K
from kjax._core.arguments import function_accepts_old_names
from kjax.legacy._convert import Table, install_tables
from kjax.legacy.backend import fmeasure
from kjax.utils import data_utils, generic_utils, np_utils, test_utils

_PADDING = Table(names={"border_mode": "padding"})

# Module, function, and what is known of older calls to it.
TABLES: dict[tuple[ModuleType, str], Table] = {
    (backend, "expand_dims"): Table(names={"dim": "axis"}),
    (backend, "batch_get_value"): Table(names={"xs": "ops"}),
    (backend, "moving_average_update"): Table(names={"variable": "x"}),
    (backend, "resize_images"): Table(names={"X": "x"}),
    (backend, "resize_volumes"): Table(names={"X": "x"}),
    (backend, "conv1d"): Table(names={"stride": "strides"}),
    (np_utils, "normalize"): Table(names={"a": "x"}),
    (utils, "normalize"): Table(names={"a": "x"}),
    (np_utils, "conv_output_length"): _PADDING,
    (np_utils, "conv_input_length"): _PADDING,
    (np_utils, "multiclass_logloss"): Table(names={"p": "P", "y": "Y"}),
    (data_utils, "validate_file"): Table(names={"md5_hash": "file_hash"}),
    (test_utils, "get_test_data"): Table(
        names={"nb_train": "num_train", "nb_test": "num_test", "nb_class": "num_classes"}
    ),
}


def size(x: Any, name: str | None = None) -> Any:
    """The number of elements of a tensor."""
    return K.prod(K.stack(list(K.shape(x)))) if K.ndim(x) else K.constant(1, "int32")


def symbolic(func: Any) -> Any:
    """The function itself: tensors are symbolic wherever they are made."""
    return func


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """The arguments as a tuple."""
    return args


# Names that are functions of today.
NAMES: dict[ModuleType, dict[str, Any]] = {
    backend: {
        "size": size,
        "symbolic": symbolic,
        "eager": symbolic,
        "control_dependencies": lambda control_inputs: contextlib.nullcontext(),
    },
    metrics: {"fscore": fmeasure, "f1score": fmeasure},
    optimizers: {"optimizer_from_config": optimizers.deserialize},
    models: {"optimizer_from_config": optimizers.deserialize},
    generic_utils: {"make_tuple": make_tuple},
}


def install_functions() -> None:
    """Let the functions accept old arguments, and modules have the old names."""
    for (module, name), table in TABLES.items():
        owner = f"{module.__name__}.{name} "
        install_tables({owner: table})
        setattr(module, name, function_accepts_old_names(owner)(getattr(module, name)))
    for module, names in NAMES.items():
        for name, value in names.items():
            setattr(module, name, value)
