"""Convolutions that treat channels one by one: depthwise, and separable, which mix them afterwards."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax.backend.convolution import depthwise_conv1d
from kjax.layers import _roles
from kjax.layers._conv import Conv1D, Conv2D, _Conv, without

_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")


class _SeparableConv(_Conv):
    """What the separable convolutions of one and two dimensions share. Arguments as for `SeparableConv2D`."""

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = int(depth_multiplier)
        _roles.take(
            self,
            depthwise=(depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            pointwise=(pointwise_initializer, pointwise_regularizer, pointwise_constraint),
        )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        between = channels * self.depth_multiplier
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (*(1,) * self.rank, between, self.filters)
        self.depthwise_kernel = _roles.add(self, "depthwise", depthwise, "depthwise_kernel")
        self.pointwise_kernel = _roles.add(self, "pointwise", pointwise, "pointwise_kernel")
        self._build_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        one = self.rank == 1
        convolve: Any = K.separable_conv1d if one else K.separable_conv2d
        outputs = convolve(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides[0] if one else self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate[0] if one else self.dilation_rate,
        )
        return self._finish(outputs)

    def get_config(self) -> dict[str, Any]:
        roles = _roles.serialized(self, "depthwise", "pointwise", "bias")
        base = without(super().get_config(), "rank", *_KERNEL)
        return {**base, "depth_multiplier": self.depth_multiplier, **roles}


class SeparableConv1D(_SeparableConv):
    """A separable convolution along the steps of a sequence. Arguments as for `SeparableConv2D`.

    Input shape:
        (batch, steps, channels), or (batch, channels, steps) with channels first.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )


class SeparableConv2D(_SeparableConv):
    """Each channel is convolved by itself, then a 1x1 convolution mixes the channels.

    Arguments:
        filters: number of output channels.
        kernel_size: rows and columns of the kernels of the channels.
        strides, padding, data_format, dilation_rate: as for `Conv2D`, of the first convolution.
        depth_multiplier: how many outputs of the first convolution each channel has.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        depthwise_initializer, pointwise_initializer, bias_initializer: first values of the weights.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: penalties.
        depthwise_constraint, pointwise_constraint, bias_constraint: functions applied after each update.

    Input shape:
        (batch, rows, columns, channels), or (batch, channels, rows, columns) with channels first.

    Reference: Chollet, Xception: Deep Learning with Depthwise Separable Convolutions,
    https://arxiv.org/abs/1610.02357
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )


class DepthwiseConv1D(Conv1D):
    """A convolution of each channel of a sequence by itself. Arguments as for `DepthwiseConv2D`.

    Input shape:
        (batch, steps, channels), or (batch, channels, steps) with channels first.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            None,  # type: ignore[arg-type]  # as many as there are channels, times the multiplier
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format or K.image_data_format(),
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = int(depth_multiplier)
        _roles.take(self, depthwise=(depthwise_initializer, depthwise_regularizer, depthwise_constraint))

    def build(self, input_shape: Any) -> None:
        self.depthwise_kernel = _build_depthwise(self, input_shape)

    def call(self, inputs: Any) -> Any:
        outputs = depthwise_conv1d(
            inputs,
            self.depthwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(outputs)

    def get_config(self) -> dict[str, Any]:
        base = without(super().get_config(), "filters", *_KERNEL)
        return {**base, "depth_multiplier": self.depth_multiplier, **_roles.serialized(self, "depthwise", "bias")}


def _build_depthwise(layer: Any, input_shape: Any) -> Any:
    """The kernel of a depthwise convolution; the bias is made beside it."""
    channels = layer._channels(input_shape)
    shape = (*layer.kernel_size, channels, layer.depth_multiplier)
    kernel = _roles.add(layer, "depthwise", shape, "depthwise_kernel")
    layer._build_bias(channels * layer.depth_multiplier)
    layer.built = True
    return kernel


class DepthwiseConv2D(Conv2D):
    """The first half of a separable convolution: each channel is convolved by itself.

    Arguments:
        kernel_size: rows and columns of the kernels.
        strides, padding, data_format, dilation_rate: as for `Conv2D`.
        depth_multiplier: number of output channels for each input channel.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        depthwise_initializer, bias_initializer: first values of the weights.
        depthwise_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        depthwise_constraint, bias_constraint: functions applied to the weights after each update.

    Input shape:
        (batch, rows, columns, channels), or (batch, channels, rows, columns) with channels first.

    Output shape:
        The same, with `channels * depth_multiplier` channels.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            None,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = int(depth_multiplier)
        _roles.take(self, depthwise=(depthwise_initializer, depthwise_regularizer, depthwise_constraint))

    def build(self, input_shape: Any) -> None:
        self.depthwise_kernel = _build_depthwise(self, input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        outputs = K.depthwise_conv2d(
            inputs,
            self.depthwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(outputs)

    def get_config(self) -> dict[str, Any]:
        base = without(super().get_config(), "filters", *_KERNEL)
        return {**base, "depth_multiplier": self.depth_multiplier, **_roles.serialized(self, "depthwise", "bias")}
