"""Recurrent layers and cells, and the base class that layers of one's own had before there were cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kjax import backend as K
from kjax.layers._cells import GRUCell, LSTMCell, SimpleRNNCell
from kjax.layers._gated import GRU, LSTM, SimpleRNN
from kjax.layers._rnn import RNN
from kjax.layers._stacked import AbstractRNNCell, StackedRNNCells, takes


class _Steps:
    """The place of a cell, for a layer whose own `step` is the cell."""

    def __init__(self, layer: Recurrent) -> None:
        self.layer = layer

    @property
    def state_size(self) -> Any:
        units = getattr(self.layer, "units", None)  # set by the subclass, after the base
        states = self.layer.__dict__.get("_states")
        return (units,) * len(states) if states else units

    def call(self, inputs: Any, states: Any) -> Any:
        return self.layer.step(inputs, states)


class Recurrent(RNN):
    """Base class of recurrent layers of one's own, as it was before Keras 2.1: the layer itself makes the steps.

    A subclass sets `units` (or `output_dim`), defines `build(input_shape)`, and `step(inputs, states)`, which returns
    the output and the list of new states; the constants come after the states. It may define `get_constants(inputs,
    training=None)`, `preprocess_input(inputs, training=None)`, and `get_initial_state(inputs)`, or `get_initial_states`
    as it was called at first.

    Arguments:
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.
        implementation: kept as an attribute, for subclasses that ask for it.
    """

    units: int

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            _Steps(self),
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.implementation = implementation
        self.dropout = 0.0
        self.recurrent_dropout = 0.0

    @property
    def consume_less(self) -> str:
        """`implementation`, as Keras 1 called it."""
        return "gpu" if self.implementation == 2 else "cpu"

    def __getattr__(self, name: str) -> Any:
        if name == "units" and "output_dim" in self.__dict__:
            return self.output_dim
        return super().__getattr__(name)

    def step(self, inputs: Any, states: Any) -> Any:
        """One time step: the output and the new states."""
        raise NotImplementedError(f"{type(self).__name__} has to define `step(inputs, states)`.")

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """Tensors that each step receives behind the states."""
        return []

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """What is done with the inputs of all time steps before the first step."""
        return inputs

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """`get_initial_state`, as it was called at first."""
        return self.get_initial_state(inputs)

    def _first_states(self, inputs: Any) -> list[Any]:
        return self.get_initial_states(inputs)

    def _run(self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any) -> tuple[Any, Any, Any]:
        given = to_plain(in_phase(self.get_constants, inputs, training))
        prepared = in_phase(self.preprocess_input, inputs, training)
        return K.rnn(self.step, prepared, states, self.go_backwards, mask, given, self.unroll)

    def get_config(self) -> dict[str, Any]:
        return {**self._own_config(), "implementation": self.implementation}


def in_phase(method: Callable[..., Any], inputs: Any, training: Any) -> Any:
    """What a method says of the inputs. Before Keras 2 it was not told the phase."""
    return method(inputs, training=training) if takes(method, "training") else method(inputs)


def to_plain(x: Any) -> list[Any]:
    """A list of constants, empty for None."""
    return list(x) if x is not None else []


__all__ = [
    "GRU", "LSTM", "RNN", "AbstractRNNCell", "GRUCell", "LSTMCell", "Recurrent", "SimpleRNN", "SimpleRNNCell",
    "StackedRNNCells",
]  # fmt: skip
