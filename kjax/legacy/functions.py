"""Functions beside models, and names of them, as Keras 1 and 2.3 had them: old arguments are tables here too."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

from kjax import backend, constraints, metrics, models, optimizers, regularizers, utils
from kjax import backend as K
from kjax._core import arguments
from kjax._core.arguments import function_accepts_old_names
from kjax.engine import _summary, training_utils
from kjax.legacy._convert import Args, Kwargs, Table, install_tables
from kjax.legacy.backend import fmeasure
from kjax.utils import data_utils, generic_utils, layer_utils, np_utils, test_utils


def _built(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """`get(name, {...})` as `get` of a config."""
    if len(args) < 2 and "kwargs" not in kwargs:
        return None
    name, arguments = [*args, *(kwargs[key] for key in ("identifier", "kwargs") if key in kwargs)]
    config = {"class_name": name, "config": dict(arguments)} if arguments and isinstance(name, str) else name
    return (config,), {}


class _Layers:
    """Layers of which no model is known, to be shown in a table."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers, self.inputs = list(layers), []
        self._order = [node for layer in layers for node in layer._inbound_nodes]
        self.trainable_weights = [weight for layer in layers for weight in layer.trainable_weights]
        self.non_trainable_weights = [weight for layer in layers for weight in layer.non_trainable_weights]

    def summary(self, **kwargs: Any) -> None:
        _summary.print_summary(cast(Any, self), **kwargs)


def _of_layers(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """`print_summary` of a list of layers, with the order of arguments that it had then."""
    given = {**dict(zip(("layers", "relevant_nodes", "line_length", "positions"), args, strict=False)), **kwargs}
    if not isinstance(given.get("layers"), (list, tuple)):
        return None
    given.pop("relevant_nodes", None)
    return (_Layers(given.pop("layers")),), {"line_length": 100, **given}


_PADDING = Table(names={"border_mode": "padding"})

# Module, function, and what is known of older calls to it.
TABLES: dict[tuple[ModuleType, str], Table] = {
    (backend, "expand_dims"): Table(names={"dim": "axis"}),
    (backend, "batch_get_value"): Table(names={"xs": "ops"}),
    (backend, "moving_average_update"): Table(names={"variable": "x"}),
    (backend, "resize_images"): Table(names={"X": "x"}),
    (backend, "resize_volumes"): Table(names={"X": "x"}),
    (backend, "conv1d"): Table(names={"stride": "strides"}),
    (backend, "ctc_decode"): Table(
        removed=dict.fromkeys(("dict_seq_lens", "dict_values"), "`ctc_decode` never used a dictionary."),
    ),
    (constraints, "get"): Table(rewrite=_built),
    (optimizers, "get"): Table(rewrite=_built),
    (regularizers, "get"): Table(rewrite=_built),
    (generic_utils, "slice_arrays"): Table(names={"X": "arrays"}),
    (layer_utils, "print_summary"): Table(
        names={"layers": "model"},
        removed={"relevant_nodes": "`relevant_nodes` has no effect: all calls of the layers are shown."},
        rewrite=_of_layers,
    ),
    (training_utils, "check_loss_and_target_compatibility"): Table(names={"losses": "loss_fns"}),
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


def install_function(module: ModuleType, name: str, table: Table) -> None:
    """Let a function accept old arguments."""
    owner = f"{module.__name__}.{name} "
    install_tables({owner: table})
    setattr(module, name, function_accepts_old_names(owner)(getattr(module, name)))


_CONVOLUTION = {
    "nb_filter": "filters", "nb_row": "num_row", "nb_col": "num_col", "border_mode": "padding", "subsample": "strides",
}  # fmt: skip


def _install_applications() -> None:
    from kjax.applications import inception_v3

    install_function(inception_v3, "conv2d_bn", Table(names=_CONVOLUTION))


def install_functions() -> None:
    """Let the functions accept old arguments, and modules have the old names."""
    for (module, name), table in TABLES.items():
        install_function(module, name, table)
    arguments.when_loaded("kjax.applications", _install_applications)
    for module, names in NAMES.items():
        for name, value in names.items():
            setattr(module, name, value)
