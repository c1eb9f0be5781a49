"""Recurrent cells around other cells: on top of each other, with dropout, with their input added."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

from kjax.compat.tensorflow import math, nn
from kjax.compat.tensorflow._cells import LSTMStateTuple, RNNCell
from kjax.compat.tensorflow._init_values import get_variable, variable_scope, zeros_initializer
from kjax.compat.tensorflow._nests import mapped
from kjax.compat.tensorflow.arrays import concat, split


class MultiRNNCell(RNNCell):
    """Cells on top of each other: each has the output of the one before as its input.

    Arguments:
        cells: the cells, the first at the bottom.
        state_is_tuple: whether its state is a tuple of theirs, or all side by side.
    """

    def __init__(self, cells: Sequence[Any], state_is_tuple: bool = True, **kwargs: Any) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)) or not cells:
            raise TypeError(f"cells must be a list or tuple with at least one cell, but saw: {cells!r}.")
        self._cells, self._tuple = list(cells), state_is_tuple

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any = "float32") -> Any:
        if not self._tuple:
            return super().zero_state(batch_size, dtype)
        return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    @contextlib.contextmanager
    def scope_of_cell(self, number: int) -> Generator[None]:
        """The scope in which one of the cells makes its variables."""
        with variable_scope(f"cell_{number}"):
            yield

    def call(self, inputs: Any, state: Any) -> Any:
        states = []
        if not self._tuple:
            state = split(state, [cell.state_size for cell in self._cells], 1)
        for i, (cell, own) in enumerate(zip(self._cells, state, strict=True)):
            with self.scope_of_cell(i):
                inputs, new = cell(inputs, own)
            states.append(new)
        return inputs, tuple(states) if self._tuple else concat(states, 1)


class _Wrapper(RNNCell):
    """A cell around another one, which keeps its names of variables."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self._cell = cell

    @property
    def wrapped_cell(self) -> Any:
        """The cell inside."""
        return self._cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any = "float32") -> Any:
        return self._cell.zero_state(batch_size, dtype)

    @property
    def variables(self) -> list[Any]:
        return self._cell.variables

    trainable_variables = trainable_weights = weights = variables


class DropoutWrapper(_Wrapper):
    """Drops numbers of a cell's input, output and state, others at each step.

    Arguments:
        cell: the cell.
        input_keep_prob, output_keep_prob, state_keep_prob: the shares that stay. The `c` of an LSTM always stays.
        variational_recurrent: not available: one mask for all steps.
        seed: makes the draws repeat.
    """

    def __init__(
        self, cell: Any, input_keep_prob: Any = 1.0, output_keep_prob: Any = 1.0, state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False, input_size: Any = None, dtype: Any = None, seed: int | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(cell)
        if variational_recurrent:
            raise NotImplementedError(
                "kjax's DropoutWrapper draws anew at each step: `variational_recurrent` is not available. "
                "kjax's own layers have it: keras.layers.LSTM(dropout=, recurrent_dropout=)."
            )
        self.keeps = input_keep_prob, output_keep_prob, state_keep_prob
        self._seed = seed

    def dropped(self, x: Any, kept: Any) -> Any:
        """`x` after dropout."""
        return x if isinstance(kept, (int, float)) and kept >= 1 else nn.dropout(x, kept, seed=self._seed)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        output, new = self._cell(self.dropped(inputs, self.keeps[0]), state, scope)
        if isinstance(new, LSTMStateTuple):
            new = LSTMStateTuple(new.c, self.dropped(new.h, self.keeps[2]))
        else:
            new = mapped(lambda part: self.dropped(part, self.keeps[2]), new)
        return self.dropped(output, self.keeps[1]), new


class ResidualWrapper(_Wrapper):
    """Adds a cell's input to its output."""

    def __init__(self, cell: Any, residual_fn: Any = None) -> None:
        super().__init__(cell)
        self._joined = residual_fn or (lambda inputs, outputs: inputs + outputs)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        output, new = self._cell(inputs, state, scope)
        return self._joined(inputs, output), new


class DeviceWrapper(_Wrapper):
    """A cell as it is: JAX decides where things are."""

    def __init__(self, cell: Any, device: Any = None) -> None:
        super().__init__(cell)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        return self._cell(inputs, state, scope)


class OutputProjectionWrapper(_Wrapper):
    """`activation(output · kernel + bias)` of each step's output."""

    def __init__(self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None) -> None:
        super().__init__(cell)
        self._size, self._function = output_size, activation

    @property
    def output_size(self) -> Any:
        return self._size

    def call(self, inputs: Any, state: Any) -> Any:
        output, new = self._cell(inputs, state)
        kernel = get_variable("kernel", [output.shape[-1], self._size])
        result = math.matmul(output, kernel) + get_variable("bias", [self._size], initializer=zeros_initializer())
        return (self._function(result) if self._function else result), new


__all__ = ["DeviceWrapper", "DropoutWrapper", "MultiRNNCell", "OutputProjectionWrapper", "ResidualWrapper"]
