"""Recurrent layers over sequences of images."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp

from kjax import activations, regularizers
from kjax import backend as K
from kjax._core.graph import Variable
from kjax.engine.base_layer import Layer
from kjax.layers import _roles
from kjax.layers._cell_parts import Masks, add_forget_bias, draw_masks, roles_config, value
from kjax.layers._conv_rnn import ConvRecurrent2D, ConvRNN2D, geometry_config, take_geometry
from kjax.layers._gated import OfCell


class ConvLSTM2DCell(Layer):
    """One step of `ConvLSTM2D`.

    Arguments:
        As for `ConvLSTM2D`.
    """

    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    data_format: str
    dilation_rate: tuple[int, ...]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        take_geometry(self, filters, kernel_size, strides, padding, data_format, dilation_rate)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.unit_forget_bias = unit_forget_bias
        _roles.take(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            recurrent=(recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.state_size = (self.filters, self.filters)
        self.output_size = self.filters
        self.bias: Variable | None = None
        self._masks: Masks | None = None

    @property
    def _axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs should be defined. Found `None` in shape {input_shape}."
            )
        columns = 4 * self.filters
        self.kernel_shape = (*self.kernel_size, channels, columns)
        self.kernel = _roles.add(self, "kernel", self.kernel_shape)
        self.recurrent_kernel = _roles.add(
            self, "recurrent", (*self.kernel_size, self.filters, columns), "recurrent_kernel"
        )
        if self.use_bias and self.unit_forget_bias:
            self.bias = add_forget_bias(self, [self.filters, None, 2 * self.filters], self.filters)
        elif self.use_bias:
            self.bias = _roles.add(self, "bias", (columns,))
        self.built = True

    # -- the computation ---------------------------------------------------------------------------------------------

    def masks_of_images(self, shape: tuple[int, ...], state_shape: tuple[int, ...], training: Any) -> Masks:
        """Dropout masks of inputs and of states, one for each gate; none while not training."""
        return (
            draw_masks(shape, self.dropout, 4, training),
            draw_masks(state_shape, self.recurrent_dropout, 4, training),
        )

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        masks = self._masks or self.masks_of_images(jnp.shape(inputs), jnp.shape(states[0]), training)
        return self.advance(self.project(inputs, masks[0]), states, masks[1])

    @property
    def has_sequence(self) -> bool:
        """Whether `sequence` computes what a loop of `call` does."""
        return type(self).call is ConvLSTM2DCell.call

    def sequence(
        self,
        inputs: Any,
        states: list[Any],
        mask: Any,
        go_backwards: bool,
        unroll: bool,
        training: Any,
        sequences: bool = True,
    ) -> tuple[Any, Any, list[Any]]:
        """The last output, all outputs and the last states, as `K.rnn` returns them."""
        batch, steps, *image = inputs.shape
        dropped, kept = self.masks_of_images((batch, *image), states[0].shape, training)
        # The input is convolved for all steps at once: what is left in the loop is the convolution of the state.
        xs = self.project(inputs.reshape(batch * steps, *image), [jnp.repeat(m, steps, axis=0) for m in dropped])
        xs = xs.reshape(batch, steps, *xs.shape[1:])
        return K.rnn(lambda x, states: self.advance(x, states, kept), xs, states, go_backwards, mask, unroll=unroll)

    def project(self, inputs: Any, masks: list[Any]) -> Any:
        """The part of all gates that comes from the input."""
        bias = None if self.bias is None else value(self.bias)
        y = _by_gate(functools.partial(self.input_conv, padding=self.padding), inputs, self.kernel, masks, self._axis)
        return y if bias is None else K.bias_add(y, bias, data_format=self.data_format)

    def advance(self, x: Any, states: Any, masks: list[Any]) -> Any:
        """The next output and states, from the projected input and the states before."""
        h, c = states
        gates = x + _by_gate(self.recurrent_conv, h, self.recurrent_kernel, masks, self._axis)
        i, f, g, o = jnp.split(gates, 4, axis=self._axis)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    def input_conv(self, x: Any, w: Any, b: Any = None, padding: str = "valid") -> Any:
        """The convolution of the input."""
        y = K.conv2d(x, w, self.strides, padding, self.data_format, self.dilation_rate)
        return y if b is None else K.bias_add(y, b, data_format=self.data_format)

    def recurrent_conv(self, x: Any, w: Any) -> Any:
        """The convolution of the state, which keeps its shape."""
        return K.conv2d(x, w, (1, 1), "same", self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **geometry_config(self),
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "use_bias": self.use_bias,
            "unit_forget_bias": self.unit_forget_bias,
            **roles_config(self),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }


def _by_gate(convolve: Any, x: Any, kernel: Any, masks: list[Any], axis: int) -> Any:
    """A convolution; with a mask for each gate, its channels see `x` through its mask."""
    kernel = value(kernel)
    if masks:
        parts = jnp.split(kernel, len(masks), axis=-1)
        return jnp.concatenate([convolve(x * m, part) for m, part in zip(masks, parts, strict=True)], axis=axis)
    return convolve(x, kernel)


class ConvLSTM2D(OfCell, ConvRNN2D):
    """An LSTM whose products are convolutions.

    Arguments:
        filters: number of channels of the output.
        kernel_size: size of both kernels.
        strides, padding, dilation_rate: how the kernel moves over the input. Over the state it moves by 1, padded.
        data_format: `'channels_last'` or `'channels_first'`; `K.image_data_format()` by default.
        activation, recurrent_activation: of the output and of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        unit_forget_bias: whether the bias of the forget gate starts with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: penalties of the weights and
            of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied to the weights after each update.
        return_sequences, go_backwards, stateful: as for `RNN`; `return_state` too.
        dropout, recurrent_dropout: share of the input and of the state that is dropped while training.

    Input shape:
        (batch, time, rows, columns, channels), or (batch, time, channels, rows, columns).

    Reference: Shi et al., Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting,
    https://arxiv.org/abs/1506.04214. This one has no peepholes.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTM2DCell(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)


__all__ = ["ConvLSTM2D", "ConvLSTM2DCell", "ConvRNN2D", "ConvRecurrent2D"]
