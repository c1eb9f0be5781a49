"""Modules that have other names today, and the names that Keras's modules let leak: tables, and their installer."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

# Module of Keras 0, 1 or 2 to the module that has its names today.
RENAMED = {
    "kjax.objectives": "kjax.losses",
    "kjax.initializations": "kjax.legacy.initializations",
    "kjax.utils.visualize_util": "kjax.utils.vis_utils",
    "kjax.engine.training_arrays": "kjax.engine.training_utils",
    "kjax.datasets.data_utils": "kjax.utils.data_utils",
    "kjax.layers.containers": "kjax.legacy.containers",
    "kjax.engine.saving": "kjax.legacy.saving",
    "kjax.backend.common": "kjax.backend",
    "kjax.backend.tensorflow_backend": "kjax.backend",
}

# What `from keras.x import name` found in a module though it was none of its own.
_ALWAYS = "np=numpy K=kjax.backend"
_OBJECTS = f"{_ALWAYS} activations=kjax.activations initializers=kjax.initializers regularizers=kjax.regularizers"
_LAYERS = f"{_OBJECTS} constraints=kjax.constraints copy=copy warnings=warnings python_types=types"
_CLASSES = "InputSpec=kjax.engine:InputSpec Layer=kjax.engine:Layer"
_SERIAL = (
    "serialize_keras_object=kjax.utils.generic_utils:serialize_keras_object "
    "deserialize_keras_object=kjax.utils.generic_utils:deserialize_keras_object"
)
_CONV = "conv_utils=kjax.utils.conv_utils transpose_shape=kjax.utils.generic_utils:transpose_shape"
# Functions that stood in `keras.engine.training`, with an underscore, until Keras 2.1.
_TRAINING = (
    "make_batches", "standardize_input_data", "weighted_masked_objective", "check_array_length_consistency",
    "check_loss_and_target_compatibility", "batch_shuffle", "collect_metrics", "standardize_weights",
    "standardize_class_weights", "standardize_sample_weights", "check_num_samples",
)  # fmt: skip
# Functions that stood in `keras.engine.topology` until Keras 2.1, and in `keras.engine.saving` later.
_SAVING = (
    "load_weights_from_hdf5_group", "load_weights_from_hdf5_group_by_name", "preprocess_weights_for_loading",
    "save_weights_to_hdf5_group",
)  # fmt: skip
LEAKED = {
    "kjax.layers": f"{_LAYERS} {_CONV}",
    "kjax.layers.core": f"{_LAYERS} {_CLASSES}",
    "kjax.layers.convolutional": f"{_LAYERS} {_CLASSES} {_CONV}",
    "kjax.layers.pooling": f"{_ALWAYS} {_CLASSES} {_CONV}",
    "kjax.layers.local": f"{_LAYERS} {_CLASSES} {_CONV}",
    "kjax.layers.recurrent": f"{_LAYERS} {_CLASSES}",
    "kjax.layers.normalization": f"{_LAYERS} {_CLASSES}",
    "kjax.layers.embeddings": f"{_LAYERS} {_CLASSES}",
    "kjax.layers.noise": f"{_ALWAYS} {_CLASSES}",
    "kjax.layers.wrappers": f"{_ALWAYS} {_CLASSES} copy=copy",
    "kjax.layers.merge": f"{_ALWAYS} {_CLASSES}",
    "kjax.layers.advanced_activations": f"{_LAYERS} {_CLASSES}",
    "kjax.layers.convolutional_recurrent": f"{_LAYERS} {_CLASSES} {_CONV}",
    "kjax.layers.cudnn_recurrent": f"{_LAYERS} {_CLASSES}",
    "kjax.models": f"{_ALWAYS} optimizers=kjax.optimizers layers=kjax.layers topology=kjax.engine.topology "
    "copy=copy json=json os=os warnings=warnings Layer=kjax.engine:Layer Network=kjax.engine:Network "
    "slice_X=kjax.utils.generic_utils:slice_arrays",
    "kjax.callbacks": "np=numpy K=kjax.backend os=os csv=csv json=json time=time warnings=warnings io=io sys=sys "
    "deque=collections:deque OrderedDict=collections:OrderedDict Iterable=collections.abc:Iterable "
    "Progbar=kjax.utils.generic_utils:Progbar",
    "kjax.optimizers": f"K=kjax.backend copy=copy {_SERIAL}",
    "kjax.losses": f"K=kjax.backend {_SERIAL}",
    "kjax.metrics": f"K=kjax.backend {_SERIAL}",
    "kjax.activations": f"K=kjax.backend warnings=warnings Layer=kjax.engine:Layer {_SERIAL}",
    "kjax.initializers": f"np=numpy K=kjax.backend {_SERIAL}",
    "kjax.regularizers": f"K=kjax.backend {_SERIAL}",
    "kjax.constraints": f"K=kjax.backend {_SERIAL}",
    "kjax.backend": "np=numpy os=os sys=sys",
    "kjax.engine": "Container=kjax.engine:Network Merge=kjax.legacy.merging:Merge merge=kjax.legacy.merging:merge",
    "kjax.engine.network": "K=kjax.backend np=numpy get_source_inputs=kjax.engine:get_source_inputs",
    "kjax.legacy.layers": "Recurrent=kjax.layers:Recurrent ConvRecurrent2D=kjax.layers:ConvRecurrent2D "
    "Highway=kjax.layers:Highway MaxoutDense=kjax.layers:MaxoutDense Merge=kjax.legacy.merging:Merge "
    "AtrousConvolution1D=kjax.layers:AtrousConvolution1D AtrousConvolution2D=kjax.layers:AtrousConvolution2D "
    "merge=kjax.legacy.merging:merge",
    "kjax.engine.training": "np=numpy K=kjax.backend copy=copy warnings=warnings losses=kjax.losses "
    "metrics=kjax.metrics optimizers=kjax.optimizers "
    + " ".join(f"_{name}=kjax.engine.training_utils:{name}" for name in _TRAINING)
    + " _slice_arrays=kjax.utils.generic_utils:slice_arrays slice_X=kjax.utils.generic_utils:slice_arrays",
    "kjax.engine.topology": "Node=kjax._core.graph:Node np=numpy K=kjax.backend copy=copy json=json warnings=warnings "
    "Container=kjax.engine:Network Merge=kjax.legacy.merging:Merge merge=kjax.legacy.merging:merge "
    + " ".join(f"{name}=kjax.legacy.saving:{name}" for name in _SAVING),
    "kjax.engine.base_layer": "K=kjax.backend initializers=kjax.initializers Node=kjax._core.graph:Node "
    "_to_snake_case=kjax._core.naming:to_snake_case",
    "kjax.utils.np_utils": "np=numpy",
    "kjax.utils.io_utils": "H5Dict=kjax.legacy.h5dict:H5Dict h5dict=kjax.legacy.h5dict:H5Dict",
    "kjax.utils.generic_utils": "np=numpy os=os re=re sys=sys time=time",
}


def found(source: str) -> Any:
    """What `'module'` or `'module:name'` stands for."""
    module, _, name = source.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name) if name else loaded


def leaks(text: str) -> Mapping[str, str]:
    """Name to source, from a row of `LEAKED`."""
    return dict(pair.split("=") for pair in text.split())


def install_modules() -> None:
    """Enter today's modules under their old names too."""
    for old, new in RENAMED.items():
        module = importlib.import_module(new)
        sys.modules[old] = module
        parent, _, child = old.rpartition(".")
        if not hasattr(sys.modules[parent], child):
            setattr(sys.modules[parent], child, module)


def install_leaks() -> None:
    """Let Keras's modules have the names that Keras's imports left in them."""
    for name, text in LEAKED.items():
        module = importlib.import_module(name)
        for leaked, source in leaks(text).items():
            if not hasattr(module, leaked):
                setattr(module, leaked, found(source))
