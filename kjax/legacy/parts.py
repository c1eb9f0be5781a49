"""Helpers of Keras's own modules, private ones among them, that layers and optimizers of users import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kjax import backend, optimizers
from kjax import backend as K
from kjax._core.graph import Variable
from kjax.engine.base_layer import Layer
from kjax.engine.sequential import Sequential
from kjax.layers import convolutional, pooling, recurrent
from kjax.layers._conv import _Conv
from kjax.regularizers import Regularizer
from kjax.utils import multi_gpu_utils


def time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: float | None = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
    training: Any = None,
) -> Any:
    """`x · w + b` at every time step.

    Arguments:
        x: (batch, time, features).
        w: (features, outputs).
        b: (outputs,), or None.
        dropout: share of features that are dropped while training, the same at every time step.
        input_dim, output_dim, timesteps: accepted; the tensors tell.
        training: the phase; `K.learning_phase()` if None.
    """
    if dropout is not None and 0.0 < dropout < 1.0:
        ones = K.ones_like(x[:, :1])
        x = x * K.in_train_phase(lambda: K.dropout(ones, dropout), ones, training=training)
    product = K.dot(x, w)
    return product if b is None else K.bias_add(product, b)


def _generate_dropout_mask(ones: Any, rate: float, training: Any = None, count: int = 1) -> Any:
    """One mask of dropout, or a list of `count`: of the shape of `ones`, all ones while testing."""
    masks = [K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training) for _ in range(count)]
    return masks[0] if count == 1 else masks


def _standardize_args(inputs: Any, initial_state: Any, constants: Any, num_constants: int) -> tuple[Any, Any, Any]:
    """Inputs, initial state and constants of a recurrent layer, from a call that may have them all in one list."""
    if isinstance(inputs, list):
        first, *rest = inputs
        if num_constants:
            rest, constants = rest[:-num_constants], rest[-num_constants:]
        inputs, initial_state = first, rest or initial_state

    def listed(x: Any) -> Any:
        return x if x is None or isinstance(x, list) else list(x) if isinstance(x, tuple) else [x]

    return inputs, listed(initial_state), listed(constants)


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """The gradient `g`, of norm `n`, shortened to norm `c` if it is longer. No limit for `c <= 0`."""
    return g if c <= 0 else K.switch(n >= c, g * c / n, g)


def _get_available_gpus() -> list[str]:
    """Names of the GPUs, as TensorFlow spelled them."""
    import jax

    devices = [device for device in jax.devices() if device.platform != "cpu"]
    return [f"/device:GPU:{i}" for i in range(len(devices))]


def _to_tensor(x: Any, dtype: Any) -> Any:
    """`x` as a tensor of a type."""
    return K.cast(x, dtype) if K.is_tensor(x) else K.constant(x, dtype)


def _initialize_variables() -> None:
    """Nothing: a variable has its value from the start."""


def _is_current_explicit_device(device_type: str) -> bool:
    """Whether operations were put on a device by hand: never."""
    return False


def _get_available_devices() -> list[str]:
    """The names of the devices, as TensorFlow wrote them."""
    import jax

    return [f"/device:{device.platform.upper()}:{device.id}" for device in jax.local_devices()]


def _normalize_device_name(name: str) -> str:
    """A device's name with its kind and number alone: `/gpu:0`."""
    return "/" + ":".join(name.lower().replace("/", "").split(":")[-2:])


# What a module has of these, by name.
NAMES: Mapping[Any, Mapping[str, Any]] = {
    recurrent: {
        "time_distributed_dense": time_distributed_dense,
        "_time_distributed_dense": time_distributed_dense,
        "_generate_dropout_mask": _generate_dropout_mask,
        "_standardize_args": _standardize_args,
    },
    convolutional: {"Conv": _Conv, "_Conv": _Conv},  # the first was tf.keras's name
    pooling: {f"_GlobalPooling{rank}D": pooling._GlobalPooling for rank in (1, 2, 3)},
    optimizers: {"clip_norm": clip_norm},
    multi_gpu_utils: {
        "_get_available_devices": _get_available_devices,
        "_normalize_device_name": _normalize_device_name,
    },
    backend: {
        "_get_available_gpus": _get_available_gpus,
        "_to_tensor": _to_tensor,
        "_initialize_variables": _initialize_variables,
        "_is_current_explicit_device": _is_current_explicit_device,
        "_BACKEND": K.backend(),
        "_is_tf_1": lambda: True,  # what Keras 2.3 asks before it feeds a session
        "py_all": all,
        "py_any": any,
        "py_sum": sum,
        "py_slice": slice,
        "numpy": np,
    },
}


def _get_initial_weights(self: Any) -> Any:
    return self._initial_weights


def _set_initial_weights(self: Any, value: Any) -> None:
    self._initial_weights = value


def _forget_initial_weights(self: Any) -> None:
    self._initial_weights = None


def _get_output_shape_for(self: Any, input_shape: Any) -> Any:
    return self.compute_output_shape(input_shape)


class _Params:
    """The trained variables, as Keras 0 named them; a layer of the user's may have something else of that name."""

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return self if layer is None else list(layer.trainable_weights)


class _Regularizers(list[Any]):
    """The penalties of a layer's weights, to which `build` of a layer of Keras 1 appended its own."""

    def __init__(self, layer: Any) -> None:
        super().__init__(regularizer for _, regularizer in layer._regularized)
        self.layer = layer

    def append(self, regularizer: Any) -> None:
        super().append(regularizer)
        weight = getattr(regularizer, "p", None)
        if weight is not None:
            self.layer._regularized.append((weight, regularizer))


def _set_regularizers(self: Any, given: Any) -> None:
    for regularizer in given or ():
        _Regularizers(self).append(regularizer)


def _set_param(self: Any, weight: Any) -> None:
    """Say of which weight this is the penalty, before it is appended to the `regularizers` of a layer."""
    self.p = weight


def _set_layer(self: Any, layer: Any) -> None:
    """Nothing: a layer knows its `activity_regularizer`."""


# Attributes and methods that layers had in Keras 1.
METHODS = {
    "get_output_shape_for": _get_output_shape_for,
    "params": _Params(),
    "initial_weights": property(_get_initial_weights, _set_initial_weights, _forget_initial_weights),
    "regularizers": property(_Regularizers, _set_regularizers),
}


def _get_value(self: Any, borrow: bool = False) -> np.ndarray:
    """The value, as Theano's variables gave it."""
    return K.get_value(self)


def _set_value(self: Any, value: Any, borrow: bool = False) -> None:
    """Give a variable a value, as Theano's took it."""
    K.set_value(self, value)


def _eval(self: Any, feed_dict: Any = None, session: Any = None) -> np.ndarray:
    return K.get_value(self)


def _get_model(self: Any) -> Any:
    return self


def install_parts() -> None:
    """Let modules, and layers, have what they had."""
    for module, names in NAMES.items():
        for name, value in names.items():
            setattr(module, name, value)
    for name, value in METHODS.items():
        setattr(Layer, name, value)
    Regularizer.set_param, Regularizer.set_layer = _set_param, _set_layer  # type: ignore[attr-defined]
    Variable.get_value, Variable.set_value, Variable.eval = _get_value, _set_value, _eval  # type: ignore[attr-defined]
    Sequential.model = property(_get_model)  # type: ignore[attr-defined]  # the graph inside of it, until Keras 2.1
