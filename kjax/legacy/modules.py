"""Modules that have other names today, and the names that Keras's modules let leak: tables, and their installer."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Mapping
from typing import Any

from kjax._core import arguments
from kjax.legacy._leaks import LEAKED, leaks

# Module of Keras 0, 1 or 2 to the module that has its names today.
RENAMED = {
    "kjax.objectives": "kjax.losses",
    "kjax.initializations": "kjax.legacy.initializations",
    "kjax.utils.visualize_util": "kjax.utils.vis_utils",
    "kjax.utils.metrics_utils": "kjax.legacy.metrics_utils",
    "kjax.utils.theano_utils": "kjax.legacy.theano_utils",
    "kjax.engine.training_arrays": "kjax.engine.training_utils",
    "kjax.engine.saving": "kjax.legacy.saving",
    "kjax.callbacks.callbacks": "kjax.callbacks",
    "kjax.callbacks.tensorboard_v1": "kjax.callbacks",
    "kjax.callbacks.tensorboard_v2": "kjax.callbacks",
    "kjax.backend.load_backend": "kjax.backend",
    "kjax.datasets.data_utils": "kjax.utils.data_utils",
    "kjax.layers.containers": "kjax.legacy.containers",
    "kjax.backend.common": "kjax.backend",
    "kjax.backend.tensorflow_backend": "kjax.backend",
}

# Places of Keras 2.4 to 2.12, which editors wrote into imports: module of today to the names below `kjax` that it had.
_SPREAD = {
    "kjax": "api._v2.keras api.keras",
    "kjax.engine.base_layer": "engine.input_spec",
    "kjax.engine.topology": "engine.keras_tensor",
    "kjax.engine.training": "engine.functional",
    "kjax.layers": """
        layers.core.activation layers.core.dense layers.core.dropout layers.core.embedding layers.core.flatten
        layers.core.lambda_layer layers.core.masking layers.core.reshape layers.dense_attention layers.einsum_dense
        layers.multi_head_attention layers.recurrent_v2 layers.rnn_cell_wrapper_v2 legacy_tf_layers.convolutional
        legacy_tf_layers.core legacy_tf_layers.normalization legacy_tf_layers.pooling
        layers.activation layers.activation.elu layers.activation.leaky_relu layers.activation.prelu
        layers.activation.relu layers.activation.softmax
        layers.attention layers.attention.additive_attention layers.attention.attention
        layers.attention.multi_head_attention
        layers.convolutional.conv1d layers.convolutional.conv2d layers.convolutional.conv2d_transpose
        layers.convolutional.conv3d layers.convolutional.depthwise_conv2d layers.convolutional.separable_conv2d
        layers.merging layers.merging.add layers.merging.average layers.merging.base_merge layers.merging.concatenate
        layers.merging.dot layers.merging.maximum layers.merging.multiply layers.merging.subtract
        layers.normalization.batch_normalization layers.normalization.batch_normalization_v1
        layers.normalization.batch_normalization_v2 layers.normalization.layer_normalization
        layers.pooling.average_pooling2d layers.pooling.global_average_pooling2d layers.pooling.max_pooling1d
        layers.pooling.max_pooling2d
        layers.preprocessing layers.preprocessing.image_preprocessing layers.preprocessing.text_vectorization
        layers.regularization layers.regularization.dropout layers.regularization.gaussian_noise
        layers.regularization.spatial_dropout1d layers.regularization.spatial_dropout2d
        layers.reshaping layers.reshaping.cropping2d layers.reshaping.flatten layers.reshaping.permute
        layers.reshaping.repeat_vector layers.reshaping.reshape layers.reshaping.up_sampling2d
        layers.reshaping.zero_padding2d
        layers.rnn layers.rnn.base_rnn layers.rnn.bidirectional layers.rnn.conv_lstm2d layers.rnn.gru layers.rnn.lstm
        layers.rnn.simple_rnn layers.rnn.time_distributed""",
    "kjax.legacy.saving": "saving.hdf5_format",
    "kjax.mixed_precision": "mixed_precision.experimental",
    "kjax.models": "saving.save saving.saved_model.load",
    "kjax.optimizers": """
        optimizers.adadelta_v2 optimizers.adagrad_v2 optimizers.adam_v2 optimizers.adamax_v2 optimizers.ftrl
        optimizers.gradient_descent_v2 optimizers.nadam_v2 optimizers.rmsprop_v2
        optimizer_v2.adadelta optimizer_v2.adagrad optimizer_v2.adam optimizer_v2.adamax optimizer_v2.ftrl
        optimizer_v2.gradient_descent optimizer_v2.nadam optimizer_v2.optimizer_v2 optimizer_v2.rmsprop
        optimizers.optimizer_v2.adadelta optimizers.optimizer_v2.adagrad optimizers.optimizer_v2.adam
        optimizers.optimizer_v2.adamax optimizers.optimizer_v2.ftrl optimizers.optimizer_v2.gradient_descent
        optimizers.optimizer_v2.nadam optimizers.optimizer_v2.optimizer_v2 optimizers.optimizer_v2.rmsprop""",
    "kjax.optimizers.schedules": """
        experimental optimizer_v2.learning_rate_schedule optimizers.optimizer_v2.learning_rate_schedule""",
    "kjax.utils": "utils.all_utils",
}

# Packages that are imported when they are first used, and which module then says so; None for the one in question.
_LATER = {
    "kjax.applications": "kjax.applications",
    "kjax.preprocessing": "kjax.preprocessing",
    "kjax.wrappers": None,
    "kjax.datasets": None,
}


def found(source: str) -> Any:
    """What `'module'` or `'module:name'` stands for."""
    module, _, name = source.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name) if name else loaded


def install_modules() -> None:
    """Enter today's modules under their old names too."""
    spread = {f"kjax.{old}": new for new, names in _SPREAD.items() for old in names.split()}
    for old, new in {**RENAMED, **spread}.items():
        _enter(old, importlib.import_module(new))


def _enter(name: str, module: Any) -> None:
    """Let a module be found under a name, within packages that are made where there are none."""
    sys.modules[name] = module
    above, _, child = name.rpartition(".")
    if above not in sys.modules:
        _enter(above, types.ModuleType(above))
    parent: Any = sys.modules[above]
    if not hasattr(parent, "__path__"):
        parent.__path__ = []  # there are modules below it, but no files
    if not hasattr(parent, child):
        setattr(parent, child, module)


def install_leaks() -> None:
    """Let Keras's modules have the names that Keras's imports left in them, those of later modules later."""
    for name in LEAKED:
        package = ".".join(name.split(".")[:2])
        if package in _LATER:
            arguments.when_loaded(_LATER[package] or name, functools.partial(_install, name))
        else:
            _install(name)


def _install(name: str) -> None:
    module = importlib.import_module(name)
    later: dict[str, str] = {}
    exported = vars(module).get("__all__")
    for leaked, source in leaks(name).items():
        if not hasattr(module, leaked):
            if source.partition(":")[0] not in sys.modules:
                later[leaked] = source
                continue
            setattr(module, leaked, found(source))
        if exported is not None and leaked not in exported:
            exported.append(leaked)  # Keras's modules had no such list: `import *` took everything
    if later:
        _find_when_asked(module, later)


def _find_when_asked(module: Any, sources: Mapping[str, str]) -> None:
    """Import what costs something when a script asks for it; None stands for a package that is not installed."""
    before = vars(module).get("__getattr__")

    def find(name: str) -> Any:
        if name in sources:
            try:
                value = found(sources[name])
            except ModuleNotFoundError:
                value = None
            setattr(module, name, value)
            return value
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = find
