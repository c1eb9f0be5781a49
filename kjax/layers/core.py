"""The basic layers: dense, activation, masking, functions as layers; and, from beside, dropout and reshaping."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import activations, constraints, initializers, regularizers
from kjax import backend as K
from kjax._core.registry import CustomObjectScope, keeps_objects
from kjax.engine._calls import handles_tensors
from kjax.engine.base_layer import InputSpec, Layer, to_list
from kjax.layers import _functions
from kjax.layers._dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from kjax.layers._reshaping import Flatten, Permute, RepeatVector, Reshape


class Dense(Layer):
    """A fully connected layer: `activation(x · kernel + bias)` along the last axis.

    Arguments:
        units: size of the output.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.

    Input shape:
        (batch, ..., features).

    Output shape:
        (batch, ..., units).
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = int(units)
        if self.units < 1:
            raise ValueError(f"`units` of a Dense layer must be at least 1. Found: {units}")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"The last dimension of the inputs to Dense layer {self.name} must be known. Found shape: {input_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True

    def call(self, inputs: Any) -> Any:
        output = K.dot(inputs, self.kernel)
        if self.bias is not None:
            output = K.bias_add(output, self.bias, data_format="channels_last")
        return self.activation(output)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Activation(Layer):
    """A function applied to each output of the layer before.

    Arguments:
        activation: name or function.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Identity(Layer):
    """Gives what it gets."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True


class Lambda(Layer):
    """A function as a layer.

    Arguments:
        function: of the inputs; it receives `mask` too if it names it.
        output_shape: shape of a sample of the output, or a function of the input shape; found by tracing where None.
        mask: the mask of the output, or a function of (inputs, mask).
        arguments: keyword arguments for `function`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape

    @handles_tensors
    def call(self, inputs: Any, mask: Any = None) -> Any:
        arguments = dict(self.arguments)
        if _names_mask(self.function):
            arguments["mask"] = mask
        return self.function(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        batch = input_shape[0][0] if isinstance(input_shape, list) else input_shape[0]
        return (batch, *to_list(self._output_shape))

    def get_config(self) -> dict[str, Any]:
        """The function's name stands for it: see `from_config`."""
        is_function = callable(self._output_shape)
        config = {
            **super().get_config(),
            "function": _functions.written(self.function),
            "function_type": "function",
            "output_shape": _functions.written(self._output_shape),
            "output_shape_type": "function" if is_function else "raw",
            "arguments": {key: _as_plain(value) for key, value in self.arguments.items()},
        }
        return {**config, "mask": self.mask} if keeps_objects() else config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """A Lambda of a function that is found by its name, or by the layer's, among the custom objects.

        Raises:
            ValueError: if there is none: code is never read from a config.
        """
        known = ("name", "trainable", "batch_input_shape", "dtype", "output_shape", "arguments", "mask")
        kept = {key: value for key, value in config.items() if key in known}
        if config.get("output_shape_type", "raw") != "raw":  # shapes are found by tracing: no function is needed
            kept["output_shape"] = kept["output_shape"] if callable(kept.get("output_shape")) else None
        if not callable(kept.get("mask")):
            kept.pop("mask", None)
        kept["arguments"] = {key: _as_given(value) for key, value in (config.get("arguments") or {}).items()}
        with CustomObjectScope(custom_objects or {}):
            return cls(_functions.read(config.get("function"), config.get("name")), **kept)


def _as_plain(value: Any) -> Any:
    """An argument of a function as a config holds it, in Keras's form."""
    if keeps_objects() or not isinstance(value, (np.ndarray, jnp.ndarray)):
        return value
    return {"type": "ndarray", "value": np.asarray(value).tolist()}


def _as_given(value: Any) -> Any:
    if isinstance(value, dict) and value.get("type") == "ndarray":
        return np.array(value["value"])
    return value


def _names_mask(function: Callable[..., Any]) -> bool:
    try:
        return "mask" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a built-in that does not tell its arguments
        return False


class Masking(Layer):
    """Masks the time steps in which every feature equals a value.

    Arguments:
        mask_value: the value.

    Input shape:
        (batch, time, features).
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.any(inputs != jnp.asarray(self.mask_value, inputs.dtype), axis=-1)

    def call(self, inputs: Any) -> Any:
        kept = jnp.any(inputs != jnp.asarray(self.mask_value, inputs.dtype), axis=-1, keepdims=True)
        return inputs * kept.astype(inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}


class ActivityRegularization(Layer):
    """Passes its input on and adds `l1 * sum|x| + l2 * sum x²` to the loss.

    Arguments:
        l1, l2: factors.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}
