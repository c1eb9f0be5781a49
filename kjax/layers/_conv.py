"""Convolutions of sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from kjax import activations, regularizers
from kjax import backend as K
from kjax._core.graph import Variable
from kjax.backend.convolution import convolve
from kjax.engine._geometry import normalize_padding, normalize_tuple
from kjax.engine.base_layer import InputSpec, Layer
from kjax.layers import _roles


class _Conv(Layer):
    """What the convolutions of one, two and three dimensions share; `rank` says how many. Otherwise as `Conv2D`."""

    def __init__(
        self,
        rank: int,
        filters: Any,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.rank = rank
        self.filters: Any = filters if filters is None else _positive(filters, type(self).__name__)
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        # What Keras 0 and 1 called 'full' no later version has; old models need it to keep their shapes.
        self.padding = "full" if padding == "full" else normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        _roles.take(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.bias: Variable | None = None
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def _channels(self, input_shape: Any) -> int:
        """The number of channels, which from now on every input must have."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs to `{type(self).__name__}` should be defined. Found `None` "
                f"on axis {self._channel_axis} of shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return int(channels)

    def build(self, input_shape: Any) -> None:
        shape = (*self.kernel_size, self._channels(input_shape), self.filters)
        self.kernel = _roles.add(self, "kernel", shape)
        self._build_bias(self.filters)
        self.built = True

    def _build_bias(self, channels: int) -> None:
        self.bias = _roles.add(self, "bias", (channels,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        padding = self.padding
        if padding == "full":
            inputs = _pad_fully(inputs, self.kernel_size, self.dilation_rate, self.data_format)
            padding = "valid"
        return self.activation(
            convolve(inputs, self.kernel, self.bias, self.strides, padding, self.data_format, self.dilation_rate)
        )

    def _finish(self, outputs: Any) -> Any:
        """Add the bias, apply the activation."""
        if self.bias is not None:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rank": self.rank,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **_roles.serialized(self, "kernel", "bias"),
        }


def _positive(filters: Any, name: str) -> int:
    if int(filters) < 1:
        raise ValueError(f"`filters` of a {name} layer must be at least 1. Found: {filters}")
    return int(filters)


def without(config: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A config without some of its keys."""
    return {key: value for key, value in config.items() if key not in keys}


def _pad_fully(x: Any, kernel_size: tuple[int, ...], dilation: tuple[int, ...], data_format: str) -> Any:
    """Zeros around, so that every place counts at which the kernel touches the input."""
    around = [((k - 1) * d, (k - 1) * d) for k, d in zip(kernel_size, dilation, strict=True)]
    if len(around) == 2:
        return K.spatial_2d_padding(x, around, data_format)
    if len(around) == 3:
        return K.spatial_3d_padding(x, around, data_format)
    if data_format == "channels_first":
        return K.permute_dimensions(K.temporal_padding(K.permute_dimensions(x, (0, 2, 1)), around[0]), (0, 2, 1))
    return K.temporal_padding(x, around[0])


class Conv1D(_Conv):
    """Convolution along the steps of a sequence.

    `output[t] = activation(sum over i of input[t * strides + i * dilation_rate] · kernel[i] + bias)`

    Arguments:
        filters: number of output channels.
        kernel_size: length of the kernel.
        strides: steps from one place of the kernel to the next.
        padding: `'valid'`, `'same'`, or `'causal'`, where no output depends on later steps.
        data_format: `'channels_last'` for (batch, steps, channels), `'channels_first'` for (batch, channels, steps).
        dilation_rate: steps from one tap of the kernel to the next.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.

    Raises:
        ValueError: for causal padding with channels first, or an unknown padding.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
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
        super().__init__(
            1,
            filters,
            kernel_size,
            strides,
            padding,
            data_format or "channels_last",
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
        if self.padding == "causal" and self.data_format != "channels_last":
            raise ValueError(
                'When using causal padding in `Conv1D`, `data_format` must be "channels_last" (temporal data). '
                f"Received: {data_format}"
            )

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "rank")


class Conv2D(_Conv):
    """Convolution of images: kernels slide over rows and columns.

    Arguments:
        filters: number of output channels.
        kernel_size: rows and columns of the kernel; one number for both.
        strides: from one place of the kernel to the next, by rows and columns.
        padding: `'valid'` or `'same'`.
        data_format: where the channels are; `K.image_data_format()` if None.
        dilation_rate: from one tap of the kernel to the next.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.

    Input shape:
        (batch, rows, columns, channels), or (batch, channels, rows, columns) with channels first.

    Output shape:
        The same, with `filters` channels.

    Raises:
        ValueError: for arguments of a wrong size or name, or if the number of channels is not known.
    """

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(
            2,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "rank")


class Conv3D(_Conv):
    """Convolution of volumes. Arguments as for `Conv2D`, with three numbers in the place of two.

    Input shape:
        (batch, depth, rows, columns, channels), or with channels first.
    """

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
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
        super().__init__(
            3,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "rank")
