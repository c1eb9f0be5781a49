"""`CuDNNGRU` and `CuDNNLSTM`: the layers that Keras ran by cuDNN, with their weights and numbers, on any device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from kjax import activations, regularizers
from kjax._core.graph import Variable
from kjax.backend import _recurrent
from kjax.layers import _roles
from kjax.layers._cell_parts import add_forget_bias, as_float, value
from kjax.layers._cells import with_reset_after
from kjax.layers._rnn import RNN


class _Sizes:
    """The place of a cell: what `RNN` asks of one."""

    def __init__(self, state_size: Any, output_size: int) -> None:
        self.state_size = state_size
        self.output_size = output_size

    def call(self, inputs: Any, states: Any) -> Any:
        raise TypeError("A layer of cuDNN runs all time steps at once: it has no single step.")


class _CuDNNRNN(RNN):
    """What both layers share: tanh and sigmoid, two biases, no masks."""

    gates = 3

    def __init__(
        self,
        units: int,
        kernel: _roles.Role,
        recurrent: _roles.Role,
        bias: _roles.Role,
        activity_regularizer: Any,
        state_size: Any,
        **kwargs: Any,
    ) -> None:
        self.units = int(units)
        super().__init__(_Sizes(state_size, self.units), **kwargs)
        self.supports_masking = False
        _roles.take(self, kernel=kernel, recurrent=recurrent, bias=bias)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def build(self, input_shape: Any) -> None:
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        columns = self.gates * self.units
        self.kernel = _roles.add(self, "kernel", (shape[-1], columns))
        self.recurrent_kernel = _roles.add(self, "recurrent", (self.units, columns), "recurrent_kernel")
        self.bias = self._add_bias(2 * columns)
        super().build(input_shape)

    def _add_bias(self, columns: int) -> Variable:
        return _roles.add(self, "bias", (columns,))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None and any(m is not None for m in (mask if isinstance(mask, list) else [mask])):
            raise ValueError(f"Masking is not supported for CuDNN RNNs. Layer {self.name} received a mask.")
        return super().compute_mask(inputs, None)

    def _run(self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any) -> tuple[Any, Any, Any]:
        if mask is not None:
            raise ValueError(f"Masking is not supported for CuDNN RNNs. Layer {self.name} received a mask.")
        inputs = as_float(inputs, self.kernel.dtype)
        xs = jnp.swapaxes(jnp.flip(inputs, 1) if self.go_backwards else inputs, 0, 1)
        kernel, recurrent_kernel = (_as_cudnn_reads(value(k), self.gates) for k in (self.kernel, self.recurrent_kernel))
        biases = value(self.bias).reshape(2, -1)
        kind, xs = self._projected(_recurrent.project(xs, kernel, None), biases)
        loop = _recurrent.Loop(kind, activations.tanh, activations.sigmoid, sequences=self.return_sequences)
        first = tuple(jnp.asarray(state, xs.dtype) for state in states)
        outputs, last = _recurrent.run(loop, xs, first, recurrent_kernel, None, None)
        return last[0], jnp.swapaxes(outputs, 0, 1) if self.return_sequences else None, list(last)

    def _projected(self, xs: Any, biases: Any) -> tuple[str, Any]:
        """The kind of loop, and what it reads, of projected inputs and both biases."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        own = {key: item for key, item in self._own_config().items() if key != "unroll"}
        return {**own, "units": self.units, **_roles.serialized(self, "kernel", "recurrent", "bias")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        return super().from_config({key: item for key, item in config.items() if key != "unroll"}, custom_objects)


def _as_cudnn_reads(kernel: Any, gates: int) -> Any:
    """Keras handed the memory of each gate's kernel to cuDNN as it was, and cuDNN reads it as (outputs, inputs)."""
    parts = jnp.split(kernel, gates, axis=1)
    return jnp.concatenate([part.reshape(part.shape[::-1]).T for part in parts], axis=1)


class CuDNNGRU(_CuDNNRNN):
    """A GRU as cuDNN computes it: `tanh`, `sigmoid`, and the reset gate behind the product.

    Arguments:
        units: size of the state and of the output.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: penalties of the weights and
            of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied to the weights after each update.
        return_sequences, return_state, stateful, go_backwards: as for `RNN`.

    The weights are laid out as in Keras 2.2: the kernel of each gate is the memory of a transposed matrix, and there
    are two biases in a row.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            activity_regularizer,
            int(units),
            return_sequences=return_sequences,
            return_state=return_state,
            stateful=stateful,
            **kwargs,
        )

    def _projected(self, xs: Any, biases: Any) -> tuple[str, Any]:
        return "gru_after", with_reset_after(xs, biases[0], biases[1])


class CuDNNLSTM(_CuDNNRNN):
    """An LSTM as cuDNN computes it: `tanh` and `sigmoid`.

    Arguments:
        unit_forget_bias: whether one bias of the forget gate starts with ones.
        units, and all others: as for `CuDNNGRU`.

    The weights are laid out as in Keras 2.2; see `CuDNNGRU`.
    """

    gates = 4

    def __init__(
        self,
        units: int,
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
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
            activity_regularizer,
            (int(units), int(units)),
            return_sequences=return_sequences,
            return_state=return_state,
            stateful=stateful,
            **kwargs,
        )
        self.unit_forget_bias = unit_forget_bias

    def _add_bias(self, columns: int) -> Variable:
        if not self.unit_forget_bias:
            return super()._add_bias(columns)
        return add_forget_bias(self, [5 * self.units, None, 2 * self.units], self.units)

    def _projected(self, xs: Any, biases: Any) -> tuple[str, Any]:
        return "lstm", _recurrent.add_bias(xs, biases[0] + biases[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
