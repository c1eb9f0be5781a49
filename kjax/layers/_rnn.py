"""`RNN`: a cell carried through the time steps of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import config, graph
from kjax._core.graph import Variable
from kjax.engine._config import layer_config
from kjax.engine.base_layer import InputSpec, Layer, registry, shape_of, to_list
from kjax.layers._cell_parts import shared_masks
from kjax.layers._stacked import StackedRNNCells, output_size, sizes, takes


class RNN(Layer):
    """A cell carried through the time steps of sequences.

    Arguments:
        cell: object with `call(inputs, states)` that returns the output and the new states, and `state_size`, the
            size of its state or the sizes of its states, of which the first is that of the output unless it has
            `output_size`. Or a list of cells, stacked.
        return_sequences: whether to return the outputs of all time steps instead of the last.
        return_state: whether to return the last states behind the output.
        go_backwards: whether to go from the last time step to the first; outputs are in that order then.
        stateful: whether the last states are the first states of the next batch, sample by sample.
        unroll: whether to write the steps one after the other instead of a loop: only for short sequences.

    Input shape:
        (batch, time, features). Masks are understood: at a masked step output and states stay as they are.

    Output shape:
        (batch, output size), or (batch, time, output size) with `return_sequences`; states (batch, size).

    Called with `initial_state` (tensors to start from, or a list `[inputs, *states]`), it begins there instead of at
    zeros; `constants` are tensors that the cell receives at each step, if its `call` names `constants`.
    """

    _rank = 3

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for needed in ("call", "state_size"):
            if not hasattr(cell, needed):
                raise ValueError(
                    f"`cell` should have a `{needed}` {'method' if needed == 'call' else 'attribute'}. "
                    f"The RNN was passed: {cell}"
                )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.supports_masking = True
        self.input_spec = [InputSpec(ndim=self._rank)]
        self.state_spec: Any = None
        self._states: list[Any] | None = None
        self._num_constants: int | None = None
        self._constant_shapes: list[Any] = []

    @property
    def states(self) -> list[Any]:
        """The states between batches, variables; None for each where it is not stateful."""
        return [None] * len(sizes(self.cell)) if self._states is None else self._states

    @states.setter
    def states(self, states: Any) -> None:
        self._states = states

    # -- shapes and weights ------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        constants = self._constant_shapes
        if isinstance(input_shape, list):
            if self._num_constants:
                constants = input_shape[-self._num_constants :]
            input_shape = input_shape[0]
        self.input_spec[0] = self._spec(input_shape)
        if isinstance(self.cell, Layer):
            step = (input_shape[0], *input_shape[2:])
            self.cell.build([step, *constants] if constants else step)
            self.cell.built = True
        self.state_spec = [InputSpec(shape=shape) for shape in self._state_shapes(input_shape, None)]
        if self.stateful:
            self.reset_states()
        self.built = True

    def _spec(self, input_shape: Any) -> InputSpec:
        """What is asked of every input from now on."""
        batch = input_shape[0] if self.stateful else None
        return InputSpec(shape=(batch, None, *input_shape[2:]))

    def _state_shapes(self, input_shape: Any, batch: Any) -> list[tuple[Any, ...]]:
        return [(batch, size) for size in sizes(self.cell)]

    def _output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """The shape of the output of one step."""
        return (input_shape[0], output_size(self.cell))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        one = self._output_shape(input_shape)
        shape = (one[0], input_shape[1], *one[1:]) if self.return_sequences else one
        return [shape, *self._state_shapes(input_shape, input_shape[0])] if self.return_state else shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(mask, list):
            mask = mask[0]
        own = mask if self.return_sequences else None
        return [own, *(None for _ in self.states)] if self.return_state else own

    # -- being called ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer to inputs, or to a list of inputs, initial states and constants.

        Raises:
            ValueError: if the states are not those of the cell, or some are tensors of a layer and others not.
        """
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        self._check(inputs, initial_state, constants)
        if constants is not None:
            self._num_constants = len(constants)
            self._constant_shapes = [tuple(jnp.shape(c)) for c in constants]
        extra = [*(initial_state or ()), *(constants or ())]
        if not extra:
            return super().__call__(inputs, **kwargs)
        from_layers = [K.is_tensor(x) and not isinstance(x, Variable) and K.is_keras_tensor(x) for x in extra]
        if not all(from_layers):
            if any(from_layers):
                raise ValueError(
                    "The initial state or constants of an RNN layer cannot be specified with a mix of Keras tensors "
                    f"and non-Keras tensors (those that are not the output of a layer or `Input`). Received: {extra}"
                )
            return super().__call__(inputs, initial_state=initial_state, constants=constants, **kwargs)
        asked, specs = self.input_spec, [InputSpec(shape=(None, *jnp.shape(x)[1:])) for x in extra]
        self.input_spec = [*to_list(asked), *specs]
        try:
            return super().__call__([inputs, *extra], **kwargs)
        finally:
            self.input_spec = self.input_spec[: len(self.input_spec) - len(extra)]

    def _check(self, inputs: Any, initial_state: Any, constants: Any) -> None:
        if constants is not None and not takes(self.cell.call, "constants"):
            raise ValueError(f"RNN cell does not support constants: the `call` of {self.cell} does not name them.")
        shape = shape_of(inputs)
        if self.unroll and len(shape) > 1 and shape[1] in (None, 1):
            raise ValueError(
                "Cannot unroll a RNN if the time dimension is undefined or equal to 1. Specify it by `input_shape` or "
                "`batch_input_shape` of the first layer (`input_length`, if that is an Embedding), or by `shape` of "
                f"the Input. Found inputs of shape {shape} at layer {self.name}."
            )
        if initial_state is None:
            return
        wanted = self._state_shapes(shape, None)
        if len(initial_state) != len(wanted):
            raise ValueError(
                f"Layer has {len(wanted)} states but was passed {len(initial_state)} initial states. Layer: {self.name}"
            )
        got = [tuple(jnp.shape(state)) for state in initial_state]
        # A cell of one's own may know the sizes only once it is built.
        if any(g[-1:] != w[-1:] and None not in (*g[-1:], *w[-1:]) for g, w in zip(got, wanted, strict=True)):
            raise ValueError(
                "An `initial_state` was passed that is not compatible with `cell.state_size`. Received shapes "
                f"{got}; however `cell.state_size` is {self.cell.state_size}."
            )

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if isinstance(mask, list):
            mask = mask[0]
        if initial_state is None:
            initial_state = self.states if self.stateful else self._first_states(inputs)
        states = [state.value if isinstance(state, Variable) else state for state in initial_state]
        last, outputs, states = self._run(inputs, states, mask, training, constants)
        if self.stateful:
            self.add_update(list(zip(self.states, states, strict=True)))
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def _run(self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any) -> tuple[Any, Any, Any]:
        """The last output, all outputs, and the last states."""
        cell = self.cell
        if getattr(cell, "has_sequence", False) and not constants and not (self.unroll and mask is not None):
            asked = self.return_sequences
            return cell.sequence(inputs, states, mask, self.go_backwards, self.unroll, training, asked)
        kwargs = {"training": training} if takes(cell.call, "training") else {}

        def step(x: Any, states: list[Any]) -> Any:
            if not constants:
                return cell.call(x, states, **kwargs)
            return cell.call(x, states[: -len(constants)], constants=states[-len(constants) :], **kwargs)

        with shared_masks(cell, (inputs.shape[0], *inputs.shape[2:]), states[0].shape, training):
            return K.rnn(step, inputs, states, self.go_backwards, mask, constants, self.unroll)

    def _first_states(self, inputs: Any) -> list[Any]:
        return self.get_initial_state(inputs)

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Zeros for each state."""
        return graph.apply(self._zeros, inputs)

    def _zeros(self, inputs: Any) -> list[Any]:
        dtype = inputs.dtype if jnp.issubdtype(inputs.dtype, jnp.inexact) else config.floatx()
        return [jnp.zeros(shape, dtype) for shape in self._state_shapes(inputs.shape, inputs.shape[0])]

    def reset_states(self, states: Any = None) -> None:
        """Set the states of a stateful layer.

        Arguments:
            states: an array for each state; zeros if None.

        Raises:
            AttributeError: if the layer is not stateful.
            ValueError: if the batch size is not known, or number or shapes differ.
        """
        if not self.stateful:
            raise AttributeError(f"Layer {self.name} must be stateful: `reset_states` has no states to reset.")
        asked = self.input_spec[0].shape
        batch = asked[0] if asked else None
        if not batch:
            raise ValueError(
                "If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors: "
                "in a Sequential model by `batch_input_shape` of the first layer, in the functional API by "
                f"`batch_shape` of the Input. Layer: {self.name}"
            )
        shapes = self._state_shapes(asked, batch)
        if states is None:
            states = [np.zeros(shape, config.floatx()) for shape in shapes]
        states = [np.asarray(state) for state in to_list(states)]
        if len(states) != len(shapes):
            raise ValueError(
                f"Layer {self.name} expects {len(shapes)} states, but it received {len(states)} state values. "
                f"Input received: {states}"
            )
        for i, (state, shape) in enumerate(zip(states, shapes, strict=True)):
            if state.shape != shape:
                raise ValueError(
                    f"State {i} is incompatible with layer {self.name}: expected shape={shape}, "
                    f"found shape={state.shape}"
                )
        if self._states is None or self._states[0] is None:
            self._states = [Variable(state, config.floatx(), trainable=False) for state in states]
        else:
            for variable, state in zip(self._states, states, strict=True):
                K.set_value(variable, state)

    # -- config ------------------------------------------------------------------------------------------------------

    def _own_config(self) -> dict[str, Any]:
        """The part of the config that does not tell of the cell."""
        config = {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
        }
        return config if self._num_constants is None else {**config, "num_constants": self._num_constants}

    def get_config(self) -> dict[str, Any]:
        return {**self._own_config(), "cell": layer_config(self.cell)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        arguments = {key: value for key, value in config.items() if key not in ("cell", "num_constants")}
        cell = [registry.deserialize(config["cell"], custom_objects)] if "cell" in config else []
        layer = cls(*cell, **arguments)
        layer._num_constants = config.get("num_constants")
        return layer


def split_inputs(
    inputs: Any, initial_state: Any, constants: Any, num_constants: int | None
) -> tuple[Any, list[Any] | None, list[Any] | None]:
    """Inputs, initial states and constants, which may come together in one list.

    Raises:
        ValueError: if they come twice.
    """
    if isinstance(inputs, (list, tuple)):
        given: Sequence[Any] = list(inputs)
        if len(given) > 1 and (initial_state is not None or constants is not None):
            raise ValueError(
                "Initial states and constants of an RNN come in the list of inputs or by name, not both ways. "
                f"Received {len(given)} inputs."
            )
        if num_constants:
            constants, given = list(given[-num_constants:]), given[:-num_constants]
        if len(given) > 1:
            initial_state = list(given[1:])
        inputs = given[0]
    return inputs, _list_or_none(initial_state), _list_or_none(constants)


def _list_or_none(x: Any) -> list[Any] | None:
    return x if x is None else to_list(x)
