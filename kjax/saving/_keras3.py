"""Architectures in the words of today's Keras, both ways.

Refused, since the numbers would be others: `hard_sigmoid`, which has another slope there, and layers that one of both
does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjax import constraints, initializers, regularizers
from kjax.engine.base_layer import Layer, registry
from kjax.engine.network import Network
from kjax.engine.sequential import Sequential
from kjax.saving._architecture import BROKEN

_MODULES = {
    "keras.initializers": initializers.registry, "keras.regularizers": regularizers.registry,
    "keras.constraints": constraints.registry,
}  # fmt: skip

# What today's Keras does not have.
_MISSING = (
    "CuDNNGRU", "CuDNNLSTM", "LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU", "ConvRNN2D",
    "ConvRecurrent2D", "ConvLSTM2DCell", "Recurrent", "MaxoutDense", "Highway", "Merge", "Lambda",
)  # fmt: skip
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}}
_NOT_TAKEN: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), ("trainable", "noise_shape", "data_format")
)
_LEFT_OUT = ("input_length", "implementation", "batch_input_shape", "num_constants")


# -- to today's Keras ------------------------------------------------------------------------------------------------


def written(model: Any) -> dict[str, Any]:
    """A model's architecture for today's Keras.

    Raises:
        ValueError: if it has what today's Keras does not have.
        NotImplementedError: if it computes in its own `call`.
    """
    if type(model).call is not Network.call or not (isinstance(model, Sequential) or model._graph_layers):
        raise NotImplementedError(f"Model {model.name} computes in `call` and has no config that could be written.")
    return _layer(model)


def _layer(layer: Layer) -> dict[str, Any]:
    name = type(layer).__name__
    if name in _MISSING or name not in registry.names() or registry.find(name, {}) is not type(layer):
        raise ValueError(
            f"Layer {layer.name!r} is a {name}, which today's Keras does not have. Save the "
            "model to an `.h5` file, or its weights alone."
        )
    if isinstance(layer, Sequential):
        return _entry("keras", "Sequential", {"name": layer.name, "layers": _stack(layer)})
    if isinstance(layer, Network):
        return _entry("keras.src.models.functional", "Functional", _network(layer))
    config = {key: _value(value) for key, value in layer.get_config().items() if key not in _LEFT_OUT}
    for old, new in _RENAMED.get(name, {}).items():
        config[new] = config.pop(old)
    if name == "InputLayer":
        config["batch_shape"] = list(layer.batch_input_shape)
    elif layer.dtype is not None:
        config["dtype"] = str(layer.dtype)
    if "activity_regularizer" in config and config["activity_regularizer"] is None:
        del config["activity_regularizer"]
    for key in _NOT_TAKEN.get(name, ()):
        config.pop(key, None)
    return _entry("keras.layers", name, config)


def _entry(module: str, name: str, config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _value(value: Any) -> Any:
    """A part of a config: inner layers, initializers and the like get the place where Keras finds them."""
    if isinstance(value, Mapping) and "class_name" in value:
        return _object(dict(value))
    if value == "hard_sigmoid":
        raise ValueError(
            "`hard_sigmoid` has another slope in today's Keras, so the model would give other numbers there. Save it "
            "to an `.h5` file of Keras 2, or use the activation 'sigmoid'."
        )
    return [_value(item) for item in value] if isinstance(value, (list, tuple)) else value


def _object(value: dict[str, Any]) -> dict[str, Any]:
    name = value["class_name"]
    for module, known in _MODULES.items():
        if name in known.names():
            config = dict(value["config"])
            if name == "VarianceScaling" and config.get("distribution") == "normal":
                config["distribution"] = "truncated_normal"
            return _entry(module, name, config)
    return _layer(registry.deserialize(value))


def _stack(model: Sequential) -> list[dict[str, Any]]:
    entries = [_layer(layer) for layer in model.layers]
    if model.inputs:
        tensor = model.inputs[0]
        shape = {"batch_shape": list(tensor.shape), "dtype": tensor.dtype.name, "name": tensor._keras_history[0].name}
        entries.insert(0, _entry("keras.layers", "InputLayer", shape))
    return entries


def _network(model: Network) -> dict[str, Any]:
    config = model.get_config()
    by_name = {layer.name: layer for layer in model.layers}
    shift = {name: 1 if isinstance(layer, Network) else 0 for name, layer in by_name.items()}

    def tensor(place: Any) -> dict[str, Any]:
        name, number, index = place[0], place[1] - shift[place[0]], place[2]
        shape = by_name[name]._at(0, "output")
        made = shape[index] if isinstance(shape, list) else shape
        history = {"shape": list(made.shape), "dtype": made.dtype.name, "keras_history": [name, number, index]}
        return {"class_name": "__keras_tensor__", "config": history}

    def symbolic(value: Any) -> Any:
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and value[0] in by_name:
            return tensor(value)
        return [symbolic(item) for item in value] if isinstance(value, list) else value

    entries: list[dict[str, Any]] = []
    for entry in config["layers"]:
        nodes: list[dict[str, Any]] = []
        for connections in entry["inbound_nodes"]:
            tensors = [tensor(place) for place in connections]
            several = len(tensors) > 1 or _takes_list(by_name[entry["name"]])
            kwargs = {key: symbolic(value) for key, value in connections[0][3].items()}
            if several and hasattr(by_name[entry["name"]], "return_sequences"):  # states come by name there
                kwargs["initial_state"], several = tensors[1:], False
            nodes.append({"args": [tensors if several else tensors[0]], "kwargs": kwargs})
        entries.append({**_layer(by_name[entry["name"]]), "name": entry["name"], "inbound_nodes": nodes})
    places = {key: [_unshifted(place, shift) for place in config[key]] for key in ("input_layers", "output_layers")}
    return {"name": model.name, "trainable": model.trainable, "layers": entries, **places}


def _takes_list(layer: Layer) -> bool:
    return isinstance(layer, Network) and len(layer.inputs) > 1


def _unshifted(place: list[Any], shift: Mapping[str, int]) -> list[Any]:
    return [place[0], place[1] - shift[place[0]], place[2]]


# -- from today's Keras ----------------------------------------------------------------------------------------------

_UNREAD = ("module", "registered_name", "build_config", "compile_config", "shared_object_id")
_FROM = ("keras", "builtins")
_DROPPED = (
    "zero_output_for_mask", "renorm", "renorm_clipping", "renorm_momentum", "optional", "ragged", "backward_layer",
    "input_axes", "output_axes", "lora_rank", "quantization_config", "synchronized", "use_cudnn",
)  # fmt: skip
_ALONE = {"seed": (None,), "groups": (1,), "output_padding": (None,), "lora_alpha": (None,)}
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "ConvLSTM2D")


def understood_file(config: Any) -> Any:
    """`understood` of what a file says: whatever is wrong with it is a ValueError."""
    try:
        return understood(config)
    except BROKEN as error:
        raise ValueError(f"The file's architecture is broken: {type(error).__name__}: {error}.") from error


def understood(config: Any) -> Any:
    """An architecture of today's Keras in the words of Keras 2.

    Raises:
        ValueError: for an operation that is no layer, or a setting that kjax does not have.
    """
    if isinstance(config, list):
        return [understood(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config:
        return {key: understood(value) for key, value in config.items()}
    name, inner = config["class_name"], config.get("config") or {}
    if name == "DTypePolicy":
        return inner["name"] if inner["name"] in ("float32", "float64", "float16", "bfloat16") else config
    if name == "function":
        return inner
    if name in ("__tuple__", "__numpy__") or not isinstance(inner, Mapping):
        return config
    _check_origin(config)
    made = {key: understood(value) for key, value in config.items() if key not in _UNREAD}
    made["config"] = _arguments(str(name), made["config"])
    if "inbound_nodes" in config:
        made["inbound_nodes"] = [_connections(node) for node in config["inbound_nodes"]]
    if name == "Functional":
        made["class_name"] = "Model"
    return made


def _check_origin(config: Mapping[str, Any]) -> None:
    module, name = str(config.get("module") or "keras"), config["class_name"]
    if ".ops" in module:
        raise ValueError(
            f"The file's model calls the operation {name!r} of {module} between layers, which kjax does not rebuild. "
            "Build the model by its own code and load its weights."
        )


def _arguments(name: str, config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    kept = {key: value for key, value in config.items() if key not in _DROPPED}
    for key, values in _ALONE.items():
        if key in kept and (kept[key] in values) and not (key == "seed" and "rate" in kept):
            del kept[key]
    for new, old in ((new, old) for old, new in _RENAMED.get(name, {}).items()):
        if new in kept:
            kept[old] = kept.pop(new)
    if name == "InputLayer" and "batch_shape" in kept:
        kept["batch_input_shape"] = kept.pop("batch_shape")
    if name in _RECURRENT and "seed" in kept:
        del kept["seed"]
    if name == "VarianceScaling" and kept.get("distribution") == "truncated_normal":
        kept["distribution"] = "normal"
    if "hard_sigmoid" in (kept.get("activation"), kept.get("recurrent_activation")):
        raise ValueError(
            "The file's `hard_sigmoid` is that of today's Keras, which has another slope than that of Keras 2. Build "
            "the model by code with an activation of your own, and load its weights."
        )
    if name == "Sequential":
        kept = {key: value for key, value in kept.items() if key in ("name", "layers", "build_input_shape")}
    return kept


def _connections(node: Any) -> list[Any]:
    """A call in Keras 2's form: a place for each tensor, with the keyword arguments."""
    if not isinstance(node, Mapping):
        return node
    args = [_places(item) for item in node["args"]]
    kwargs = {key: _places(value) for key, value in node.get("kwargs", {}).items() if value not in (None, False)}
    if len(args) != 1:
        raise ValueError(f"A layer is called with {len(args)} positional arguments in the file; kjax reads one.")
    first = args[0] if args[0] and isinstance(args[0][0], list) else [args[0]]
    return [[*place, kwargs] for place in first]


def _places(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        return list(value["config"]["keras_history"])
    if isinstance(value, (list, tuple)):
        return [_places(item) for item in value]
    return value
