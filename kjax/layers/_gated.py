"""`SimpleRNN`, `GRU` and `LSTM`: the usual cells, each as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kjax import regularizers
from kjax._core import notices
from kjax.engine import _told
from kjax.layers._cell_parts import implementation_of
from kjax.layers._cells import GRUCell, LSTMCell, SimpleRNNCell
from kjax.layers._rnn import RNN

# What Keras writes first of a cell, in its order.
_CONFIG_ORDER = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "activity_regularizer",
)  # fmt: skip


class OfCell(RNN):
    """A recurrent layer with a cell of its own, whose arguments and attributes are the cell's."""

    # Layers of one's own may change the steps, as before there were cells: `kjax.legacy.steps` puts in how.
    makes_steps: Callable[[type], bool]
    run_steps: Callable[..., Any]
    older_attribute: Callable[..., Any]

    def __getattr__(self, name: str) -> Any:
        # Asked only for what the layer itself does not have.
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or _told.knows(self, name):
            return super().__getattr__(name)
        try:
            return getattr(cell, name)
        except AttributeError:
            return self.older_attribute(name)

    def _first_states(self, inputs: Any) -> list[Any]:
        return self.get_initial_states(inputs) if self.makes_steps(type(self)) else super()._first_states(inputs)

    def _run(self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any) -> tuple[Any, Any, Any]:
        if self.makes_steps(type(self)) and not constants:
            return self.run_steps(inputs, states, mask, training)
        return super()._run(inputs, states, mask, training, constants)

    def get_config(self) -> dict[str, Any]:
        cell, own = self.cell.get_config(), self._own_config()
        cell["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        first = {key: cell[key] for key in _CONFIG_ORDER if key in cell}
        return {**own, **{key: value for key, value in {**first, **cell}.items() if key not in own}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        if cls is SimpleRNN:  # older versions wrote one for it
            config = {key: value for key, value in config.items() if key != "implementation"}
        elif config.get("implementation") == 0:
            config = {**config, "implementation": 1}
        return super().from_config(config, custom_objects)


class SimpleRNN(OfCell):
    """A fully connected layer whose output is fed back: `h = activation(x · kernel + h · recurrent_kernel + bias)`.

    Arguments:
        units: size of the state and of the output.
        activation: name or function; None for the identity.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: penalties of the weights and
            of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied to the weights after each update.
        dropout, recurrent_dropout: share of the input and of the state that is dropped while training, the same at
            all time steps of a batch.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.

    Reference: Elman, Finding Structure in Time, Cognitive Science 14, 1990.
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("implementation", None) is not None:
            notices.warn(
                "The `implementation` argument in `SimpleRNN` has been deprecated. "
                "Please remove it from your layer call."
            )
        cell = SimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
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
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)


class GRU(OfCell):
    """Gated recurrent unit.

    With `z` and `r` = recurrent_activation(x · kernel + h · recurrent_kernel + bias), each by its own columns, the new
    state is `h = z * h + (1 - z) * activation(x · kernel + (r * h) · recurrent_kernel + bias)`.

    Arguments:
        units: size of the state and of the output.
        activation: name or function; None for the identity.
        recurrent_activation: the same for the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: penalties of the weights and
            of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied to the weights after each update.
        dropout, recurrent_dropout: share of the input and of the state that is dropped while training, the same at
            all time steps of a batch.
        implementation: 1 draws dropout for each gate, 2 once for all gates. Without dropout there is no difference.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.
        reset_after: whether the reset gate acts behind the product `h · recurrent_kernel`, as in cuDNN; there is a
            second row of biases then.

    Reference: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation, https://arxiv.org/abs/1406.1078. Today's Keras has `reset_after=True` and a sigmoid by default.
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            implementation=implementation_of(implementation),
            reset_after=reset_after,
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)


class LSTM(OfCell):
    """Long short-term memory.

    With the gates `i, f, o` = recurrent_activation(x · kernel + h · recurrent_kernel + bias) and `g` the same under
    `activation`, each by its own columns in the order `i, f, g, o`: `c = f * c + i * g`, `h = o * activation(c)`.

    Arguments:
        units: size of the state and of the output.
        activation: name or function; None for the identity.
        recurrent_activation: the same for the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        unit_forget_bias: whether the bias of the forget gate starts with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: penalties of the weights and
            of the output.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied to the weights after each update.
        dropout, recurrent_dropout: share of the input and of the state that is dropped while training, the same at
            all time steps of a batch.
        implementation: 1 draws dropout for each gate, 2 once for all gates. Without dropout there is no difference.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.

    Reference: Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997. Today's Keras has a
    sigmoid as the recurrent activation by default.
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
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
            implementation=implementation_of(implementation),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)
