"""Transposed convolutions: the way back from the shape of a convolution's output to that of its input."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax.backend.convolution import conv1d_transpose
from kjax.engine._geometry import deconv_length, normalize_tuple
from kjax.layers import _roles
from kjax.layers._conv import Conv1D, Conv2D, Conv3D, _Conv, without


class Shape(tuple[Any, ...]):
    """A shape of the output in the place of an output padding, which follows from it."""


def _output_padding(layer: _Conv, value: Any) -> tuple[int, ...] | None:
    """What is added at the end of each axis, which must be less than its stride."""
    if value is None or isinstance(value, Shape):
        return None
    padding = normalize_tuple(value, layer.rank, "output_padding")
    if any(stride <= extra for stride, extra in zip(layer.strides, padding, strict=True)):
        raise ValueError(f"Stride {layer.strides} must be greater than output padding {padding}")
    return padding


def _output_shape(layer: Any, input_shape: Any) -> tuple[Any, ...]:
    """The shape of the output of a transposed convolution."""
    channels_first = layer.data_format == "channels_first"
    spatial = input_shape[2:] if channels_first else input_shape[1:-1]
    extra = layer.output_padding or (None,) * layer.rank
    lengths = [
        deconv_length(length, stride, size, layer.padding, more, dilation)
        for length, stride, size, more, dilation in zip(
            spatial, layer.strides, layer.kernel_size, extra, layer.dilation_rate, strict=True
        )
    ]
    batch = input_shape[0]
    return (batch, layer.filters, *lengths) if channels_first else (batch, *lengths, layer.filters)


def _towards(layer: Any, input_shape: Any, wanted: Any) -> None:
    """Choose the output padding that leads to a shape, if there is one and it is not what the padding gives."""
    first = 2 if layer.data_format == "channels_first" else 1
    axes = slice(first, first + layer.rank)
    if (
        wanted is None
        or len(wanted) != layer.rank + 2
        or tuple(wanted[axes]) == _output_shape(layer, input_shape)[axes]
    ):
        return
    layer.output_padding = (0,) * layer.rank
    least = _output_shape(layer, input_shape)[axes]
    missing = [a - b if a and b else -1 for a, b in zip(wanted[axes], least, strict=True)]
    fits = all(0 <= more < stride for more, stride in zip(missing, layer.strides, strict=True))
    layer.output_padding = tuple(missing) if fits else None


class Conv1DTranspose(Conv1D):
    """A transposed convolution of sequences. Arguments as for `Conv2DTranspose`.

    Input shape:
        (batch, steps, channels), or (batch, channels, steps) with channels first.

    Raises:
        ValueError: if a stride is not greater than the output padding.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
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
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format or K.image_data_format(),
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        if self.padding == "causal":
            raise ValueError("`Conv1DTranspose` has the paddings 'valid' and 'same'. Received: 'causal'")
        self.output_padding = _output_padding(self, output_padding)

    def build(self, input_shape: Any) -> None:
        self.kernel = _roles.add(self, "kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        self._build_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = conv1d_transpose(
            inputs,
            self.kernel,
            _output_shape(self, inputs.shape),
            self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _output_shape(self, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv2DTranspose(Conv2D):
    """A transposed convolution of images, often called deconvolution: it makes images larger by its strides.

    Arguments:
        filters, kernel_size, data_format, activation, use_bias: as for `Conv2D`.
        strides: by how much rows and columns grow.
        padding: `'valid'` or `'same'`.
        output_padding: rows and columns added at the end, fewer than the strides; chosen by the padding if None.
        dilation_rate: from one tap of the kernel to the next.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.

    Raises:
        ValueError: if a stride is not greater than the output padding.

    Reference: Zeiler et al., Deconvolutional Networks, CVPR 2010
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
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
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.output_padding = _output_padding(self, output_padding)
        self._wanted = output_padding if isinstance(output_padding, Shape) else None

    def build(self, input_shape: Any) -> None:
        self.kernel = _roles.add(self, "kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        self._build_bias(self.filters)
        _towards(self, input_shape, self._wanted)
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = K.conv2d_transpose(
            inputs,
            self.kernel,
            _output_shape(self, inputs.shape),
            self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _output_shape(self, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv3DTranspose(Conv3D):
    """A transposed convolution of volumes. Arguments as for `Conv2DTranspose`, without a dilation.

    Raises:
        ValueError: if a stride is not greater than the output padding.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        output_padding: Any = None,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.output_padding = _output_padding(self, output_padding)
        self._wanted = output_padding if isinstance(output_padding, Shape) else None

    def build(self, input_shape: Any) -> None:
        self.kernel = _roles.add(self, "kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        self._build_bias(self.filters)
        _towards(self, input_shape, self._wanted)
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = K.conv3d_transpose(
            inputs,
            self.kernel,
            _output_shape(self, inputs.shape),
            self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )
        return self._finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _output_shape(self, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**without(super().get_config(), "dilation_rate"), "output_padding": self.output_padding}
