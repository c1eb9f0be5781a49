"""The usual recurrent cells: what happens in one time step."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax import activations
from kjax._core.graph import Variable
from kjax.backend import _recurrent
from kjax.engine.base_layer import Layer
from kjax.layers import _roles
from kjax.layers._cell_parts import (
    PARTS,
    Masks,
    add_forget_bias,
    as_float,
    draw_masks,
    part,
    roles_config,
    value,
)


class Cell(Layer):
    """What the three usual cells share. A subclass says the number of its gates and the kind of its loop.

    Its `call` makes one step; `sequence` makes all of them, faster than a loop of `call`.
    """

    gates = 1
    letters = ""  # of the gates, in the order of their columns
    kind = "simple"
    recurrent_activation: Any = staticmethod(activations.linear)
    implementation = 2

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel: _roles.Role,
        recurrent: _roles.Role,
        bias: _roles.Role,
        dropout: float,
        recurrent_dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = int(units)
        if self.units < 1:
            raise ValueError(f"`units` of a recurrent layer must be at least 1. Found: {units}")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        _roles.take(self, kernel=kernel, recurrent=recurrent, bias=bias)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.state_size: Any = self.units
        self.output_size = self.units
        self.bias: Variable | None = None
        self._masks: Masks | None = None

    def __getattr__(self, name: str) -> Any:
        # The part of a weight that belongs to one gate: `kernel_i`, `recurrent_bias_z`.
        whole, _, gate = name.rpartition("_")
        if whole in PARTS and len(gate) == 1 and gate in self.letters:
            start = self.letters.index(gate) * self.units
            return part(self, whole, slice(start, start + self.units))
        return super().__getattr__(name)

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"The last dimension of the inputs to a recurrent layer must be known. Found shape: {input_shape}"
            )
        columns = self.gates * self.units
        self.kernel = _roles.add(self, "kernel", (features, columns))
        self.recurrent_kernel = _roles.add(self, "recurrent", (self.units, columns), "recurrent_kernel")
        if self.use_bias:
            self.bias = self._add_bias(columns)
        self.built = True

    def _add_bias(self, columns: int) -> Variable:
        return _roles.add(self, "bias", (columns,))

    # -- dropout -----------------------------------------------------------------------------------------------------

    def draw_masks(self, batch: int, training: Any) -> Masks:
        """Dropout masks for a batch, the same for all time steps."""
        count = 1 if self.implementation == 2 else self.gates
        features = self.kernel.shape[0]
        return (
            draw_masks((batch, features), self.dropout, count, training),
            draw_masks((batch, self.units), self.recurrent_dropout, count, training),
        )

    # -- the computation ---------------------------------------------------------------------------------------------

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        masks = self._masks or self.draw_masks(jnp.shape(inputs)[0], training)
        x = self._project(as_float(inputs, self.kernel.dtype)[None], masks[0])[0]
        step = _recurrent.STEPS[self.kind]
        new, _ = step(self._loop(), x, tuple(states), value(self.recurrent_kernel), masks[1])
        return new[0], list(new)

    def sequence(
        self,
        inputs: Any,
        states: Sequence[Any],
        mask: Any,
        go_backwards: bool,
        unroll: bool,
        training: Any,
        sequences: bool = True,
    ) -> tuple[Any, Any, list[Any]]:
        """The last output, all outputs (None unless `sequences`) and the last states, as `K.rnn` returns them."""
        dropped, recurrent = self.draw_masks(inputs.shape[0], training)
        xs = jnp.swapaxes(as_float(inputs, self.kernel.dtype), 0, 1)
        skip = None if mask is None else jnp.swapaxes(jnp.logical_not(mask.astype(bool)), 0, 1)
        if skip is not None and skip.ndim == 2:
            skip = skip[..., None]
        if go_backwards:
            xs, skip = jnp.flip(xs, 0), None if skip is None else jnp.flip(skip, 0)
        xs = self._project(xs, dropped)
        first = tuple(jnp.asarray(state, xs.dtype) for state in states)
        kernel = value(self.recurrent_kernel)
        outputs, last = _recurrent.run(self._loop(unroll, sequences), xs, first, kernel, recurrent or None, skip)
        return last[0], jnp.swapaxes(outputs, 0, 1) if sequences else None, list(last)

    @property
    def has_sequence(self) -> bool:
        """Whether `sequence` computes what a loop of `call` does."""
        own = next(cls for cls in type(self).__mro__ if "call" in vars(cls))
        known = all(_is_known(f) for f in (self.activation, self.recurrent_activation))
        return own is Cell and known

    def _loop(self, unroll: bool = False, sequences: bool = True) -> _recurrent.Loop:
        return _recurrent.Loop(self.kind, self.activation, self.recurrent_activation, unroll, sequences)

    def _project(self, xs: Any, masks: list[Any]) -> Any:
        bias = None if self.bias is None else value(self.bias)
        return _recurrent.project(xs, value(self.kernel), bias, masks)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **roles_config(self),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }


def _is_known(activation: Any) -> bool:
    """Whether an activation is one of kjax's own functions, which read no variables."""
    return isinstance(activation, types.FunctionType) and activation.__module__ == activations.__name__


class SimpleRNNCell(Cell):
    """One step of `SimpleRNN`: `h = activation(x · kernel + h · recurrent_kernel + bias)`.

    Arguments:
        As for `SimpleRNN`.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        super().__init__(
            units,
            activation,
            use_bias,
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            dropout,
            recurrent_dropout,
            **kwargs,
        )


class GRUCell(Cell):
    """One step of `GRU`.

    Arguments:
        As for `GRU`.
    """

    gates = 3
    letters = "zrh"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            activation,
            use_bias,
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            dropout,
            recurrent_dropout,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.implementation = implementation
        self.reset_after = bool(reset_after)
        self.kind = "gru_after" if self.reset_after else "gru"

    def _add_bias(self, columns: int) -> Variable:
        # With `reset_after` the products have a bias of their own, as in cuDNN.
        return _roles.add(self, "bias", (2, columns) if self.reset_after else (columns,))

    def _project(self, xs: Any, masks: list[Any]) -> Any:
        if not self.reset_after:
            return super()._project(xs, masks)
        columns = 3 * self.units
        bias = jnp.zeros((2, columns), xs.dtype) if self.bias is None else value(self.bias)
        return with_reset_after(_recurrent.project(xs, value(self.kernel), None, masks), bias[0], bias[1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "implementation": self.implementation,
            "reset_after": self.reset_after,
        }


def with_reset_after(x: Any, input_bias: Any, recurrent_bias: Any) -> Any:
    """The four parts that `gru_after_step` reads, of projected inputs and both biases."""
    units = recurrent_bias.shape[0] // 3
    joined = jnp.concatenate([recurrent_bias[: 2 * units], jnp.zeros((units,), x.dtype)])
    x = _recurrent.add_bias(x, input_bias + joined)
    inner = jnp.broadcast_to(recurrent_bias[2 * units :], (*x.shape[:-1], units))
    return jnp.concatenate([x, inner], axis=-1)


class LSTMCell(Cell):
    """One step of `LSTM`.

    Arguments:
        As for `LSTM`.
    """

    gates = 4
    letters = "ifco"
    kind = "lstm"

    def __init__(
        self,
        units: int,
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
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            activation,
            use_bias,
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            dropout,
            recurrent_dropout,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.implementation = implementation
        self.state_size = (self.units, self.units)

    def _add_bias(self, columns: int) -> Variable:
        if not self.unit_forget_bias:
            return super()._add_bias(columns)
        return add_forget_bias(self, [self.units, None, 2 * self.units], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
            "implementation": self.implementation,
        }
