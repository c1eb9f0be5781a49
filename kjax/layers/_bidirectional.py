"""`Bidirectional`: a recurrent layer from both ends of a sequence."""

from __future__ import annotations

import copy
from typing import Any

import jax.numpy as jnp

from kjax import backend as K
from kjax._core import naming
from kjax._core.graph import Variable
from kjax.engine.base_layer import InputSpec, Layer, to_list
from kjax.layers._rnn import split_inputs
from kjax.layers._wrapper import Wrapper

_MERGES = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: jnp.concatenate([a, b], axis=-1),
}


class Bidirectional(Wrapper):
    """Runs a recurrent layer from the first time step on, and another like it from the last, and merges the outputs.

    Arguments:
        layer: the recurrent layer. It becomes the forward one.
        merge_mode: `'sum'`, `'mul'`, `'ave'` or `'concat'`; None returns both outputs in a list.
        weights: list of arrays to start from, those of the forward layer first.

    Called with `initial_state`, the first half of the states is the forward layer's.

    Raises:
        ValueError: for another merge mode.

    Reference: Schuster and Paliwal, Bidirectional Recurrent Neural Networks, IEEE Transactions on Signal Processing
    45(11), 1997.
    """

    def __init__(self, layer: Layer, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if merge_mode is not None and merge_mode not in _MERGES:
            raise ValueError(f"Invalid merge mode: {merge_mode!r}. Merge mode should be one of {[*_MERGES, None]}.")
        self.merge_mode = merge_mode
        self.forward_layer: Any = _renamed_copy(layer, f"forward_{layer.name}")
        backwards = {**layer.get_config(), "name": f"backward_{layer.name}"}
        backwards["go_backwards"] = not backwards["go_backwards"]
        self.backward_layer: Any = type(layer).from_config(backwards)
        if weights:
            half = len(weights) // 2
            self.forward_layer._initial_weights = weights[:half]
            self.backward_layer._initial_weights = weights[half:]
        self.stateful = getattr(layer, "stateful", False)
        self.return_sequences = getattr(layer, "return_sequences", False)
        self.return_state = getattr(layer, "return_state", False)
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._num_constants: int | None = None

    # -- weights -----------------------------------------------------------------------------------------------------

    def _children(self) -> list[Layer]:
        # The wrapped layer itself is the forward one under another name.
        return [self.forward_layer, self.backward_layer] if "backward_layer" in self.__dict__ else []

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in (self.layer, *self._children()):
            layer.trainable = bool(value)

    def build(self, input_shape: Any = None) -> None:
        shapes = [input_shape, input_shape]
        if isinstance(input_shape, list) and len(input_shape) > 1:
            constants = self._num_constants or 0
            last = len(input_shape) - constants
            half = (last - 1) // 2
            tail = input_shape[last:]
            shapes = [
                [input_shape[0], *input_shape[1 : 1 + half], *tail],
                [input_shape[0], *input_shape[1 + half : last], *tail],
            ]
        for layer, shape in zip(self._children(), shapes, strict=True):
            if not layer.built:
                with naming.scope(layer.name):
                    layer.build(shape)
                layer.built = True
            if layer._initial_weights is not None:
                layer.set_weights(layer._initial_weights)
                layer._initial_weights = None
        self.built = True

    def reset_states(self) -> None:
        """Set the states of both layers to zeros."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    # -- being called ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer; a list of inputs holds initial states and constants behind them.

        Raises:
            ValueError: if the number of states is odd, or some are tensors of a layer and others not.
        """
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if initial_state is not None and len(initial_state) % 2:
            raise ValueError(
                "When passing `initial_state` to a Bidirectional RNN, the state should be a list containing the states "
                f"of the underlying RNNs, an even number of them. Found: {initial_state}"
            )
        if constants is not None:
            self._num_constants = len(constants)
            for layer in self._children():
                layer._num_constants = len(constants)  # type: ignore[attr-defined]  # both are recurrent
                layer._constant_shapes = [tuple(jnp.shape(c)) for c in constants]  # type: ignore[attr-defined]
        extra = [*(initial_state or ()), *(constants or ())]
        if not extra:
            return super().__call__(inputs, **kwargs)
        from_layers = [K.is_tensor(x) and not isinstance(x, Variable) and K.is_keras_tensor(x) for x in extra]
        if not all(from_layers):
            if any(from_layers):
                raise ValueError(
                    "The initial state of a Bidirectional layer cannot be specified with a mix of Keras tensors and "
                    f"non-Keras tensors (those that are not the output of a layer or `Input`). Received: {extra}"
                )
            return super().__call__(inputs, initial_state=initial_state, constants=constants, **kwargs)
        asked = self.input_spec
        specs = [InputSpec(shape=(None, *jnp.shape(x)[1:])) for x in extra]
        self.input_spec = [*to_list(asked), *specs]
        try:
            return super().__call__([inputs, *extra], **kwargs)
        finally:
            self.input_spec = asked

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if isinstance(mask, list):
            mask = mask[0]
        half = len(initial_state or ()) // 2
        results: list[Any] = []
        for number, layer in enumerate(self._children()):
            parameters, kwargs = type(layer)._call_parameters, {}
            if "training" in parameters:
                kwargs["training"] = training
            if "mask" in parameters:
                kwargs["mask"] = mask
            if initial_state:
                kwargs["initial_state"] = list(initial_state[number * half : (number + 1) * half])
            if constants:
                kwargs["constants"] = constants
            results.append(layer(inputs, **kwargs))
        return self._merge(*results)

    def _merge(self, forward: Any, backward: Any) -> Any:
        states: list[Any] = []
        if self.return_state:
            states = [*forward[1:], *backward[1:]]
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = jnp.flip(backward, 1)
        outputs = [forward, backward] if self.merge_mode is None else [_MERGES[self.merge_mode](forward, backward)]
        return [*outputs, *states] if states or len(outputs) > 1 else outputs[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(mask, list):
            mask = mask[0]
        own = mask if self.return_sequences else None
        masks = [own] if self.merge_mode else [own, own]
        if self.return_state:
            masks += [None] * (2 * len(self.forward_layer.states))
        return masks if len(masks) > 1 else masks[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.forward_layer.compute_output_shape(input_shape)
        shape, states = (shape[0], shape[1:]) if self.return_state else (tuple(shape), [])
        if self.merge_mode == "concat":
            shape = (*shape[:-1], shape[-1] * 2)
        shapes = [shape] if self.merge_mode else [shape, shape]
        shapes += [*states, *states]
        return shapes if len(shapes) > 1 else shapes[0]

    # -- config ------------------------------------------------------------------------------------------------------

    @property
    def constraints(self) -> dict[Any, Any]:
        """The constraints of the weights, by weight."""
        return {w: w.constraint for w in self.trainable_weights if w.constraint is not None}

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        return config if self._num_constants is None else {**config, "num_constants": self._num_constants}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        arguments = {key: value for key, value in config.items() if key != "num_constants"}
        made = super().from_config(arguments, custom_objects)
        made._num_constants = config.get("num_constants")
        return made


def _renamed_copy(layer: Any, name: str) -> Any:
    """The same layer, with the same cell and weights, under another name and with calls of its own."""
    made = copy.copy(layer)
    made.__dict__["_sublayers"] = dict(layer._sublayers)
    made._inbound_nodes, made._outbound_nodes = [], []
    made.name = name
    return made
