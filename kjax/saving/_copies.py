"""Copies of models: cloned, copied deeply, pickled."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any

from kjax._core.graph import Tensor, Variable
from kjax._core.registry import keeping_objects
from kjax.engine import _config
from kjax.engine.base_layer import Layer, registry, to_list, unpack
from kjax.engine.input_layer import InputLayer
from kjax.engine.network import Network
from kjax.engine.sequential import Sequential
from kjax.engine.training import Model
from kjax.saving import _local, _training

# What a model remembers for itself, and what cannot be carried over: it is made anew.
_OWN = (
    "_programs", "_plan", "_collected", "inputs", "outputs", "_order", "_inbound_nodes", "_outbound_nodes",
    "_target_tensors", "_targets_told", "train_function", "test_function", "predict_function",
    "_metrics_updates",
)  # fmt: skip


def clone_model(model: Any, input_tensors: Any = None) -> Any:
    """A model of the same architecture with layers and fresh weights of its own.

    Functions and classes of one's own are taken over as they are, and need not be named.

    Arguments:
        model: a `Sequential`, or a `Model` with a graph.
        input_tensors: tensors to build the model on, instead of new inputs.

    Raises:
        ValueError: if the model has no graph, or `input_tensors` are not as many as its inputs.
    """
    if not isinstance(model, Network) or (not isinstance(model, Sequential) and not _has_graph(model)):
        raise ValueError(
            f"`clone_model` needs a Sequential model, or a Model made of inputs and outputs. Found: {model!r}"
        )
    with keeping_objects():
        config = model.get_config()
    if input_tensors is None:
        return type(model).from_config(config)
    tensors = [_as_input(x) for x in to_list(input_tensors)]
    if isinstance(model, Sequential):
        return _stacked_on(model, config, tensors)
    if len(tensors) != len(model.inputs):
        raise ValueError(f"The model has {len(model.inputs)} inputs, but {len(tensors)} `input_tensors` were given.")
    given = dict(zip(model.input_names, tensors, strict=True))
    inputs, outputs, name = _config.network_from_config(config, given)
    return type(model)(inputs=unpack(inputs), outputs=unpack(outputs), name=name)


def _as_input(tensor: Any) -> Tensor:
    if isinstance(tensor, Tensor) and tensor._keras_history is not None:
        return tensor
    if not isinstance(tensor, (Tensor, Variable)):
        raise ValueError(f"`input_tensors` must be symbolic tensors. Found: {tensor!r}")
    return InputLayer(input_tensor=tensor).tensor


def _stacked_on(model: Any, config: Mapping[str, Any], tensors: list[Tensor]) -> Any:
    if len(tensors) != 1:
        raise ValueError(f"A Sequential model has one input, but {len(tensors)} `input_tensors` were given.")
    made = type(model)(name=model.name)
    made.add(tensors[0]._keras_history[0])
    for entry in config["layers"]:
        if entry["class_name"] is not InputLayer:
            made.add(registry.deserialize(entry))
    return made


def _has_graph(model: Network) -> bool:
    return bool(model._graph_layers) and type(model).call is Network.call


def _described(model: Any) -> Mapping[str, Any] | None:
    """The config of a model that can be rebuilt from it, with classes and functions kept; else None."""
    if type(model).call is not Network.call or not (isinstance(model, Sequential) or _has_graph(model)):
        return None
    with keeping_objects():
        return model.get_config()


def parts(model: Any) -> dict[str, Any]:
    """All that makes a model of the same state: the architecture or the attributes, the weights, the training."""
    config = _described(model)
    found: dict[str, Any] = {"training": _training.remembered(model)}
    if config is None:
        found["attributes"] = {key: value for key, value in model.__dict__.items() if key not in _without(model)}
        return found
    found["config"] = config
    found["weights"] = model.get_weights()
    found["trainable"] = [layer.trainable for layer in model._flatten()]
    found["attributes"] = {key: value for key, value in model.__dict__.items() if key in _users_own(model)}
    return found


def _without(model: Any) -> set[str]:
    return {*_OWN, "optimizer", "history"}


def _users_own(model: Any) -> set[str]:
    """Attributes that neither Keras nor kjax gave the model."""
    return {
        key
        for key, value in model.__dict__.items()
        if key not in _given() and not isinstance(value, (Layer, Tensor, Variable))
    }


@functools.cache
def _given() -> frozenset[str]:
    compiled = (
        "_compile_args", "metrics", "loss_weights", "sample_weight_mode", "weighted_metrics", "callback_model",
        "_target_tensors", "_targets_told", "_added", "train_function", "test_function", "predict_function",
        "_metrics_updates",
    )  # fmt: skip
    return frozenset((*Sequential(name="fresh").__dict__, *Model(name="fresh").__dict__, *compiled))


def rebuilt(cls: Any, found: Mapping[str, Any]) -> Any:
    """The model that `parts` took apart."""
    if "config" in found:
        model = cls.from_config(found["config"])
        if model.weights:
            model.set_weights(found["weights"])
        for layer, trainable in zip(model._flatten(), found["trainable"], strict=True):
            layer._trainable = trainable
        model.__dict__.update(found["attributes"])
    else:
        model = cls.__new__(cls)
        model.__dict__.update(found["attributes"])
        model.__dict__.update(
            inputs=[], outputs=[], _order=[], _inbound_nodes=[], _outbound_nodes=[], _programs={}, _plan=None,
            _collected=None, optimizer=None, history=None,
        )  # fmt: skip
    _training.recall(model, found["training"])
    return model


def deep_copy(model: Any, memo: dict[int, Any]) -> Any:
    """A model of its own with the same architecture, weights, training and optimizer state."""
    found = parts(model)
    for key in ("attributes", "training"):
        found[key] = copy.deepcopy(found[key], memo)
    return rebuilt(type(model), found)


def reduced(model: Any) -> Any:
    """What pickle writes for a model."""
    return rebuilt, (type(model), _local.named(parts(model)))
