"""Names of Keras 2.2 and 2.3 modules, most of them private, that layers, optimizers and tools of others import."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kjax import backend as K
from kjax import callbacks, losses, metrics, models
from kjax._core import config, graph
from kjax._core.registry import get_custom_objects
from kjax.engine import base_layer, network
from kjax.engine.base_layer import Layer, to_list, unpack
from kjax.layers import Concatenate, Dot, Reshape, TimeDistributed, Wrapper, convolutional, merge
from kjax.layers._merging import broadcast
from kjax.layers._padding import _Cropping
from kjax.layers._separable import _SeparableConv
from kjax.legacy import saving
from kjax.utils import data_utils, generic_utils, vis_utils

# -- the TensorFlow backend ------------------------------------------------------------------------------------------

_NORMALIZED = ("regular", "broadcast", "fused")
_LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}


def _channels_last(rank: int) -> Callable[..., Any]:
    """What brings an input's channels to the end and names that arrangement as TensorFlow does."""

    def preprocess(x: Any, data_format: str | None, force_transpose: bool = False) -> tuple[Any, str]:
        if data_format == "channels_first":
            x = K.permute_dimensions(x, (0, *range(2, rank + 2), 1))
        return x, _LAST[rank]

    preprocess.__doc__ = f"The input of a convolution with its channels last, and `{_LAST[rank]!r}`."
    return preprocess


def _channels_back(rank: int) -> Callable[..., Any]:
    """What gives the output of a convolution the arrangement that a layer was asked for."""

    def postprocess(x: Any, data_format: str | None) -> Any:
        if data_format in ("channels_first", "th"):
            return K.permute_dimensions(x, (0, rank + 1, *range(1, rank + 1)))
        return x

    return postprocess


def _preprocess_padding(padding: str) -> str:
    """`'SAME'` or `'VALID'`, as TensorFlow writes it.

    Raises:
        ValueError: for anything else.
    """
    if padding not in ("same", "valid"):
        raise ValueError(f"Invalid padding: {padding!r}. It is 'same' or 'valid'.")
    return padding.upper()


_FOLDER = os.path.join(os.path.expanduser("~"), ".keras")

_BACKEND: dict[str, Any] = {
    **{f"_preprocess_conv{rank}d_input": _channels_last(rank) for rank in _LAST},
    **{f"_postprocess_conv{rank}d_output": _channels_back(rank) for rank in _LAST},
    "_preprocess_padding": _preprocess_padding,
    "_preprocess_border_mode": _preprocess_padding,
    **{f"_{kind}_normalize_batch_in_training": K.normalize_batch_in_training for kind in _NORMALIZED},
    "is_symbolic": graph.is_symbolic,
    "_has_nchw_support": lambda: False,  # so that callers put channels last
    "_get_current_tf_device": lambda: None,
    "_normalize_axis": lambda axis, ndim: None if axis is None else axis % ndim,
    # What was remembered between calls; scripts set some to start anew.
    "_SESSION": None,
    "_GRAPH_LEARNING_PHASES": {},
    "_GRAPH_UID_DICTS": {},
    "_LOCAL_DEVICES": None,
    "_MANUAL_VAR_INIT": False,
    "_EPSILON": 1e-7,
    "_FLOATX": "float32",
    "_IMAGE_DATA_FORMAT": "channels_last",
    "_epsilon": config.epsilon,
    "_floatx": config.floatx,
    "_image_data_format": config.image_data_format,
    "_backend": K.backend(),
    "_keras_base_dir": os.path.expanduser("~"),
    "_keras_dir": _FOLDER,
    "_config_path": os.path.join(_FOLDER, "keras.json"),
}

# -- layers and networks ---------------------------------------------------------------------------------------------


def _collect_previous_mask(input_tensors: Any) -> Any:
    """The masks of tensors, None where there is none: one, or a list."""
    return unpack([getattr(x, "_keras_mask", None) for x in to_list(input_tensors)])


def _collect_input_shape(input_tensors: Any) -> Any:
    """The shapes of tensors: one, or a list."""
    return unpack([K.int_shape(x) for x in to_list(input_tensors)])


def _make_node_key(layer_name: str, node_index: int) -> str:
    """How the call number `node_index` of a layer is called."""
    return f"{layer_name}_ib-{node_index}"


def _node_key(layer: Any, node_index: int) -> str:
    return _make_node_key(layer.name, node_index)


def _get_node_attribute_at_index(self: Layer, node_index: int, attr: str, attr_name: str) -> Any:
    """What a call took or gave: `input_tensors`, `output_shapes` and the like."""
    return getattr(self, f"get_{attr.removesuffix('s').replace('_tensor', '')}_at")(node_index)


def _compute_elemwise_op_output_shape(self: Any, shape1: Any, shape2: Any) -> Any:
    """The shape that two shapes broadcast to, axes counted from the end; None if one is not known."""
    if shape1 is None or shape2 is None:
        return None
    longer, shorter = sorted((tuple(shape1), tuple(shape2)), key=len, reverse=True)
    kept = len(longer) - len(shorter)
    return longer[:kept] + broadcast(longer[kept:], shorter)


def _fix_unknown_dimension(self: Reshape, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a sample, -1 worked out from the shape that it comes from."""
    size, known = math.prod(input_shape), math.prod(side for side in output_shape if side >= 0)
    free = list(output_shape).count(-1)
    if free > 1 or (free and not known) or (size % known if free else size != known):
        raise ValueError(f"A sample of {tuple(input_shape)} cannot be reshaped to {tuple(output_shape)}.")
    return tuple(size // known if side == -1 else side for side in output_shape)


def _get_shape_tuple(
    self: TimeDistributed, init_tuple: tuple[Any, ...], tensor: Any, start_idx: int, int_shape: Any = None
) -> tuple[Any, ...]:
    """`init_tuple` and the sides of a tensor from the axis `start_idx` on."""
    sides = K.int_shape(tensor) if int_shape is None else int_shape
    dynamic = K.shape(tensor)
    rest = [dynamic[start_idx + i] if side is None else side for i, side in enumerate(sides[start_idx:])]
    return (*init_tuple, *rest)


def _merged(self: Any, inputs: Any) -> Any:
    return self.call(inputs)


METHODS: dict[type, dict[str, Any]] = {
    Layer: {"_node_key": staticmethod(_node_key), "_get_node_attribute_at_index": _get_node_attribute_at_index},
    merge._Merge: {"_compute_elemwise_op_output_shape": _compute_elemwise_op_output_shape},
    Concatenate: {"_merge_function": _merged},
    Dot: {"_merge_function": _merged},
    Reshape: {"_fix_unknown_dimension": _fix_unknown_dimension},
    data_utils.Sequence: {"use_sequence_api": True},
    TimeDistributed: {"_get_shape_tuple": _get_shape_tuple},
}

# -- processes that share `Sequence`s --------------------------------------------------------------------------------

_SHARED_SEQUENCES: dict[Any, Any] = {}


def init_pool(seqs: Mapping[Any, Any]) -> None:
    """Say which `Sequence`s, by their numbers, `get_index` knows."""
    global _SHARED_SEQUENCES
    _SHARED_SEQUENCES = data_utils._SHARED_SEQUENCES = seqs  # type: ignore[attr-defined,assignment]


def get_index(uid: Any, i: int) -> Any:
    """The batch `i` of the `Sequence` of this number."""
    return _SHARED_SEQUENCES[uid][i]


def init_pool_generator(gens: Mapping[Any, Any], random_seed: int | None = None) -> None:
    """Say which generators, by their numbers, `next_sample` knows; and begin random numbers anew."""
    init_pool(gens)
    if random_seed is not None:
        ident = os.getpid()
        random.seed(random_seed + ident)
        np.random.seed(random_seed + ident)


def next_sample(uid: Any) -> Any:
    """What the generator of this number yields next."""
    return next(_SHARED_SEQUENCES[uid])


# -- files -----------------------------------------------------------------------------------------------------------


def _serialize_model(model: Any, f: Any, include_optimizer: bool = True) -> None:
    """Write a model into an open HDF5 file, which may be an `H5Dict`."""
    saving.save_model(model, getattr(f, "data", f), include_optimizer=include_optimizer)


def _deserialize_model(f: Any, custom_objects: Any = None, compile: bool = True) -> Any:
    """The model that `_serialize_model` wrote."""
    return saving.load_model(getattr(f, "data", f), custom_objects, compile)


def _convert_rnn_weights(layer: Any, weights: Sequence[Any]) -> list[np.ndarray]:
    """The weights of a recurrent layer of cuDNN as one of any device has them, or the other way."""
    return saving.preprocess_weights_for_loading(layer, weights)


def _check_pydot() -> None:
    """Nothing: pictures of models are drawn without pydot too."""


def _is_model(layer: Any) -> bool:
    return isinstance(layer, network.Network)


def _is_wrapped_model(layer: Any) -> bool:
    return isinstance(layer, Wrapper) and _is_model(layer.layer)


def add_edge(dot: Any, src: Any, dst: Any) -> None:
    """Draw an arrow between two nodes of a picture, unless there is one."""
    from pydot import Edge  # pyright: ignore[reportMissingImports]  # optional

    if not dot.get_edge(src, dst):
        dot.add_edge(Edge(src, dst))


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss, however it is given, is the one for one-hot targets."""
    names = ("categorical_crossentropy", "CategoricalCrossentropy")
    function = getattr(loss, "fn", loss)
    return any(
        name in names
        for name in (loss, type(loss).__name__, getattr(function, "__name__", None))
        if isinstance(name, str)
    )


def clone_metric(metric: Any) -> Any:
    """A metric that has a state, made anew; any other as it is."""
    return type(metric).from_config(metric.get_config()) if isinstance(metric, metrics.Metric) else metric


def clone_metrics(metrics: Any) -> Any:
    """Metrics in a list or a dictionary, those with a state made anew."""
    if isinstance(metrics, dict):
        return {name: clone_metric(metric) for name, metric in metrics.items()}
    return [clone_metric(metric) for metric in metrics]


def _as_it_is(function: Any) -> Any:
    return function


def _cloned(model: Any, input_tensors: Any = None) -> Any:
    """A copy of a model's layers, with new weights."""
    return models.clone_model(model, input_tensors)


NAMES: dict[Any, Mapping[str, Any]] = {
    K: _BACKEND,
    base_layer: {
        "_collect_previous_mask": _collect_previous_mask,
        "_collect_input_shape": _collect_input_shape,
        "disable_tracking": _as_it_is,
    },
    network: {"_make_node_key": _make_node_key},
    convolutional: {"_Cropping": _Cropping, "_SeparableConv": _SeparableConv},
    models: {"_clone_functional_model": _cloned, "_clone_sequential_model": _cloned},
    saving: {
        "_serialize_model": _serialize_model,
        "_deserialize_model": _deserialize_model,
        "_convert_rnn_weights": _convert_rnn_weights,
        "_need_convert_kernel": lambda original_backend: original_backend == "theano",
    },
    generic_utils: {"_GLOBAL_CUSTOM_OBJECTS": get_custom_objects()},
    data_utils: {
        "_SHARED_SEQUENCES": _SHARED_SEQUENCES,
        **{function.__name__: function for function in (init_pool, get_index, init_pool_generator, next_sample)},
    },
    vis_utils: {
        "_check_pydot": _check_pydot,
        "is_model": _is_model,
        "is_wrapped_model": _is_wrapped_model,
        "add_edge": add_edge,
    },
    losses: {"is_categorical_crossentropy": is_categorical_crossentropy},
    metrics: {"clone_metric": clone_metric, "clone_metrics": clone_metrics},
    callbacks: {"_TRAIN": "train", "_TEST": "test", "_PREDICT": "predict"},
}


def install_privates() -> None:
    """Let modules and classes have these names, where they have none of their own."""
    for owner, names in (*NAMES.items(), *METHODS.items()):
        for name, value in names.items():
            if name not in vars(owner):
                setattr(owner, name, value)
