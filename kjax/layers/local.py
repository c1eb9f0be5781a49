"""Locally connected layers: convolutions with a kernel of its own at each place."""

from __future__ import annotations

import math
from typing import Any

from kjax import activations, regularizers
from kjax import backend as K
from kjax._core.graph import Variable
from kjax.engine._geometry import conv_output_length, normalize_padding, normalize_tuple
from kjax.engine.base_layer import InputSpec, Layer
from kjax.layers import _roles


class _LocallyConnected(Layer):
    """What the locally connected layers of one and two dimensions share."""

    _rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = int(filters)
        self.kernel_size = normalize_tuple(kernel_size, self._rank, "kernel_size")
        self.strides = normalize_tuple(strides, self._rank, "strides")
        self.padding = normalize_padding(padding)
        self.implementation = implementation
        if self.padding != "valid":
            raise ValueError(
                f'Invalid border mode for {type(self).__name__} (only "valid" is supported): {padding}. '
                f"Put a ZeroPadding{self._rank}D layer before it."
            )
        self.data_format = K.normalize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        _roles.take(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.bias: Variable | None = None
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _places(self, input_shape: Any) -> tuple[int, ...]:
        """Where the kernels are: how many places along each axis.

        Raises:
            ValueError: if a length is not known, or less than that of the kernel.
        """
        first = 2 if self.data_format == "channels_first" else 1
        lengths = tuple(input_shape[first : first + self._rank])
        if None in lengths:
            raise ValueError(
                f"The spatial dimensions of the inputs to a {type(self).__name__} layer should be fully-defined, but "
                f"layer {self.name} received the inputs shape {tuple(input_shape)}: each place has its own kernel."
            )
        places = tuple(
            conv_output_length(n, k, self.padding, s)
            for n, k, s in zip(lengths, self.kernel_size, self.strides, strict=True)
        )
        if any(p is None or p < 1 for p in places):
            raise ValueError(
                f"A kernel of size {self.kernel_size} does not fit into the inputs of layer {self.name}, "
                f"which have shape {tuple(input_shape)}."
            )
        return places  # type: ignore[return-value]  # lengths are known

    def build(self, input_shape: Any) -> None:
        axis = 1 if self.data_format == "channels_first" else -1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Axis {axis % (self._rank + 2)} of input should be fully-defined. Found shape: {tuple(input_shape)}"
            )
        self.places = self._places(input_shape)
        taps = math.prod(self.kernel_size) * channels
        self.kernel = _roles.add(self, "kernel", (math.prod(self.places), taps, self.filters))
        self.bias = _roles.add(self, "bias", (*self.places, self.filters)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={axis: channels})
        self.built = True

    def _convolve(self, inputs: Any) -> Any:
        return K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format)

    def call(self, inputs: Any) -> Any:
        outputs = self._convolve(inputs)
        if self.bias is not None:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **_roles.serialized(self, "kernel", "bias"),
        }
        # Keras 2.2 has no such key, and refuses a file with a key that it does not know.
        return config if self.implementation == 1 else {**config, "implementation": self.implementation}


class LocallyConnected1D(_LocallyConnected):
    """Like `Conv1D`, but each place along the steps has a kernel and a bias of its own.

    Arguments:
        filters: number of output channels.
        kernel_size: length of the kernels.
        strides: steps from one place to the next.
        padding: `'valid'`, the only one that there is.
        data_format: where the channels are; channels last if None.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.
        implementation: accepted for later versions' sake, which choose among ways to compute the same.

    Weights:
        kernel (places, kernel_size * channels, filters), bias (places, filters).

    Raises:
        ValueError: for another padding, or if the length of the inputs is not known.
    """


class LocallyConnected2D(_LocallyConnected):
    """Like `Conv2D`, but each place of the image has a kernel and a bias of its own.

    Arguments:
        filters: number of output channels.
        kernel_size: rows and columns of the kernels; one number for both.
        strides: from one place to the next, by rows and columns.
        padding: `'valid'`, the only one that there is.
        data_format: where the channels are; `K.image_data_format()` if None.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.
        implementation: accepted for later versions' sake, which choose among ways to compute the same.

    Weights:
        kernel (places, rows * columns * channels, filters), bias (rows of places, columns of places, filters).

    Raises:
        ValueError: for another padding, or if the size of the inputs is not known.
    """

    _rank = 2

    def _convolve(self, inputs: Any) -> Any:
        return K.local_conv2d(inputs, self.kernel, self.kernel_size, self.strides, self.places, self.data_format)
