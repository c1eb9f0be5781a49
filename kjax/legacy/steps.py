"""`LSTM`, `GRU` and `SimpleRNN` as bases of layers of one's own that change the steps, as there were before Keras 2.1.

Such a layer defines some of `step`, `get_constants`, `preprocess_input` and `get_initial_states`, and reads weights and
settings of the layer below it, under the names of Keras 1 or of Keras 2.0. What it leaves out is here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from kjax import backend as K
from kjax.layers._gated import OfCell
from kjax.layers._stacked import takes
from kjax.layers.recurrent import in_phase
from kjax.legacy import initializations
from kjax.legacy.parts import time_distributed_dense

_HOOKS = ("step", "get_constants", "preprocess_input", "get_initial_states")

_NAMES = {
    "output_dim": "units",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "W": "kernel",
    "U": "recurrent_kernel",
    "b": "bias",
}
_WEIGHTS = ("W", "U", "b")


def _maker(role: str) -> Callable[[Any], Any]:
    """An initializer as Keras 1 had it: from a shape to a variable."""
    return lambda layer: initializations._named(getattr(layer.cell, role))


_COMPUTED: Mapping[str, Callable[[Any], Any]] = {
    "init": _maker("kernel_initializer"),
    "inner_init": _maker("recurrent_initializer"),
    "forget_bias_init": lambda layer: initializations.get("one" if layer.cell.unit_forget_bias else "zero"),
    "consume_less": lambda layer: "gpu" if layer.cell.implementation == 2 else "cpu",
    "input_dim": lambda layer: layer.input_spec[0].shape[-1],
    "initial_weights": lambda layer: None,  # the layer takes them itself when it is built
}


def attribute(layer: Any, name: str) -> Any:
    """What a layer had under an older name.

    Raises:
        AttributeError: if there was no such name.
    """
    if name in _COMPUTED:
        return _COMPUTED[name](layer)
    if name in _NAMES:
        return getattr(layer.cell, _NAMES[name])
    whole, _, gate = name.partition("_")
    if whole in _WEIGHTS and gate:
        return getattr(layer.cell, f"{_NAMES[whole]}_{gate}")
    raise AttributeError(f"{type(layer).__name__!r} object has no attribute {name!r}")


@functools.cache
def makes_steps(cls: type) -> bool:
    """Whether a class changes the steps."""
    return any(getattr(cls, name) is not getattr(OfCell, name) for name in _HOOKS)


def _is_of_keras_1(layer: Any) -> bool:
    """Whether a layer counts on Keras 1's order of constants: the state's dropout first."""
    own = (getattr(type(layer), name) for name in ("get_constants", "preprocess_input"))
    return any(not takes(method, "training") for method in own) or takes(type(layer).step, "x")


def run(layer: Any, inputs: Any, states: list[Any], mask: Any, training: Any) -> tuple[Any, Any, Any]:
    """The last output, all outputs, and the last states."""
    given = in_phase(layer.get_constants, inputs, training)
    prepared = in_phase(layer.preprocess_input, inputs, training)
    return K.rnn(layer.step, prepared, states, layer.go_backwards, mask, given, layer.unroll)


# -- what a layer leaves out -------------------------------------------------------------------------------------------


def get_initial_states(self: Any, inputs: Any) -> list[Any]:
    """Zeros for each state."""
    return self.get_initial_state(inputs)


def preprocess_input(self: Any, inputs: Any, training: Any = None) -> Any:
    """The inputs of all time steps times the kernels, the gates beside each other; the inputs with `'gpu'`."""
    if self.consume_less == "gpu":
        return inputs
    gates = self.cell.letters
    parts = [(getattr(self, f"W_{gate}"), getattr(self, f"b_{gate}")) for gate in gates] or [(self.W, self.b)]
    made = [time_distributed_dense(inputs, w, b, self.cell.dropout, training=training) for w, b in parts]
    return K.concatenate(made, axis=2) if len(made) > 1 else made[0]


def get_constants(self: Any, inputs: Any, training: Any = None) -> list[Any]:
    """Masks of dropout, one for each gate, of the inputs (unless `preprocess_input` saw to them) and of the state."""
    cell, count = self.cell, len(self.cell.letters)
    dropped = cell.dropout if self.consume_less == "gpu" else 0.0
    of_inputs = _masks(inputs[:, 0], K.int_shape(inputs)[-1], dropped, count, training)
    of_states = _masks(inputs[:, 0], cell.units, cell.recurrent_dropout, count, training)
    return [of_states, of_inputs] if _is_of_keras_1(self) else [of_inputs, of_states]


def _masks(inputs: Any, features: Any, rate: float, count: int, training: Any) -> Any:
    if not 0.0 < rate < 1.0:
        masks: list[Any] = [K.cast_to_floatx(1.0) for _ in range(count or 1)]
    else:
        ones = K.tile(K.ones_like(inputs[:, :1]), (1, features))
        masks = [K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training) for _ in range(count or 1)]
    return masks if count else masks[0]


def _step(self: Any, inputs: Any, states: Any) -> Any:
    """One time step of the layer below: the output and the new states."""
    number = len(self.cell.state_size) if hasattr(self.cell.state_size, "__len__") else 1
    masks = states[number], states[number + 1]
    of_states, of_inputs = masks if _is_of_keras_1(self) else masks[::-1]
    return _FORMULAS[self.cell.kind](self, _Gates(self, inputs, of_inputs, of_states), *states[:number])


class _Gates:
    """The sums of a step: of an input that may have been prepared, and of a state."""

    def __init__(self, layer: Any, inputs: Any, of_inputs: Any, of_states: Any) -> None:
        self._layer, self._inputs = layer, inputs
        self._of_inputs, self._of_states = of_inputs, of_states
        self._letters = layer.cell.letters

    def __call__(self, gate: str, state: Any) -> Any:
        layer, end = self._layer, f"_{gate}" if gate else ""
        place = self._letters.index(gate)
        if layer.consume_less == "gpu":
            x = K.dot(self._inputs * self._mask(self._of_inputs, 0), getattr(layer, "W" + end))
            bias, shared = getattr(layer, "b" + end), 0
            x = x if bias is None else x + K.reshape(bias, (1, -1))
        else:
            units, shared = layer.cell.units, place
            x = self._inputs[:, place * units : (place + 1) * units]
        return x + K.dot(state * self._mask(self._of_states, shared), getattr(layer, "U" + end))

    def _mask(self, masks: Any, place: int) -> Any:
        return masks[place] if self._letters else masks


def _simple(layer: Any, gates: _Gates, h: Any) -> Any:
    h = layer.activation(gates("", h))
    return h, [h]


def _gru(layer: Any, gates: _Gates, h: Any) -> Any:
    z, r = (layer.recurrent_activation(gates(gate, h)) for gate in "zr")
    h = z * h + (1 - z) * layer.activation(gates("h", r * h))
    return h, [h]


def _lstm(layer: Any, gates: _Gates, h: Any, c: Any) -> Any:
    i, f, o = (layer.recurrent_activation(gates(gate, h)) for gate in "ifo")
    c = f * c + i * layer.activation(gates("c", h))
    h = o * layer.activation(c)
    return h, [h, c]


_FORMULAS: Mapping[str, Callable[..., Any]] = {"simple": _simple, "gru": _gru, "lstm": _lstm}


def install_steps() -> None:
    """Let the three layers have the methods, and ask here for what they do not know."""
    methods = (_step, get_constants, preprocess_input, get_initial_states)
    for name, method in zip(_HOOKS, methods, strict=True):
        setattr(OfCell, name, method)
    OfCell.makes_steps = staticmethod(makes_steps)
    OfCell.run_steps = run
    OfCell.older_attribute = attribute
