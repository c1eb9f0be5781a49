"""Random cases for recurrent layers and for layers around others."""

from __future__ import annotations

import random
from typing import Any

from compat_tests.sweep.compare import Case

ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear", "softsign")
GATES = ("sigmoid", "tanh")


def flag(r: random.Random) -> bool:
    return r.random() < 0.5


def common(r: random.Random, name: str, units: int) -> dict[str, Any]:
    """Arguments of a recurrent layer or of a cell."""
    arguments: dict[str, Any] = {"units": units, "activation": r.choice(ACTIVATIONS), "use_bias": flag(r)}
    if not name.startswith("SimpleRNN"):
        arguments["recurrent_activation"] = r.choice(GATES)
    if name.startswith("GRU"):
        arguments["reset_after"] = flag(r)
    if name.startswith("LSTM"):
        arguments["unit_forget_bias"] = flag(r)
    return arguments


def of_sequences(r: random.Random) -> dict[str, Any]:
    return {name: flag(r) for name in ("return_sequences", "return_state", "go_backwards", "unroll", "stateful")}


def layer(r: random.Random, name: str) -> Case:
    """`SimpleRNN`, `GRU` or `LSTM`."""
    units, batch, steps = r.randint(1, 4), r.randint(1, 3), r.randint(2, 5)
    theirs = {**common(r, name, units), **of_sequences(r)}
    ours = theirs if name == "SimpleRNN" else {**theirs, "implementation": r.choice((1, 2))}
    states = [(batch, units)] * (2 if name == "LSTM" else 1) if r.random() < 0.3 else []
    return Case(name, ours, [(batch, steps, r.randint(1, 4))], masked=flag(r), theirs=theirs, states=states)


def stacked(r: random.Random, name: str) -> Case:
    """`RNN` of a cell or of several."""
    batch, steps = r.randint(1, 3), r.randint(2, 4)
    cells: list[Case] = []
    for _ in range(r.randint(1, 3)):
        cell = r.choice(("SimpleRNNCell", "GRUCell", "LSTMCell"))
        cells.append(Case(cell, common(r, cell, r.randint(1, 3)), []))
    arguments = {"cell": cells if len(cells) > 1 else cells[0], **of_sequences(r)}
    return Case(name, arguments, [(batch, steps, r.randint(1, 3))], masked=flag(r))


def bidirectional(r: random.Random, name: str) -> Case:
    inner = layer(r, r.choice(("SimpleRNN", "GRU", "LSTM")))
    merge = r.choice(("sum", "mul", "ave", "concat", None))
    # Today's Keras refuses a layer that goes backwards.
    plain = Case(inner.name, {**(inner.theirs or {}), "go_backwards": False}, [])
    # Its masked outputs are zeros today, where those of Keras 2.2 (and of other layers today) stay as they were:
    # docs/differences.md. Today's Keras fails at the mask of states.
    masked = inner.masked and not (inner.arguments["return_sequences"] or inner.arguments["return_state"])
    return Case(name, {"layer": plain, "merge_mode": merge}, inner.shapes, masked=masked, states=2 * inner.states)


def cell(r: random.Random, name: str) -> Case:
    """A cell by itself, for one step."""
    units, batch = r.randint(1, 4), r.randint(1, 3)
    theirs = common(r, name, units)
    ours = theirs if name.startswith("Simple") else {**theirs, "implementation": r.choice((1, 2))}
    states = [(batch, units)] * (2 if name.startswith("LSTM") else 1)
    return Case(name, ours, [(batch, r.randint(1, 4))], theirs=theirs, states=states)


def stacked_cells(r: random.Random, name: str) -> Case:
    """`StackedRNNCells` by itself, for one step."""
    batch = r.randint(1, 3)
    cells: list[Case] = []
    states: list[tuple[int, ...]] = []
    for _ in range(r.randint(2, 3)):
        one = cell(r, r.choice(("SimpleRNNCell", "GRUCell", "LSTMCell")))
        cells.append(Case(one.name, one.theirs or {}, []))
        states += [(batch, one.arguments["units"])] * len(one.states)
    return Case(name, {"cells": cells}, [(batch, r.randint(1, 3))], states=states)


def distributed(r: random.Random, name: str) -> Case:
    batch, steps = r.randint(1, 3), r.randint(1, 4)
    recurrent = {"units": 2, "recurrent_activation": "sigmoid", "return_sequences": flag(r)}
    inner, shape = r.choice(
        (
            (Case("Dense", {"units": r.randint(1, 3)}, []), (r.randint(1, 3),)),
            (Case("Conv1D", {"filters": 2, "kernel_size": 2}, []), (r.randint(2, 4), 2)),
            (Case("MaxPooling1D", {"pool_size": 2}, []), (r.randint(2, 4), 2)),
            (Case("Flatten", {}, []), (2, r.randint(1, 3))),
            (Case("BatchNormalization", {}, []), (r.randint(1, 3),)),
            (Case("LayerNormalization", {}, []), (r.randint(2, 4),)),
            (Case("LSTM", recurrent, []), (r.randint(1, 3), 2)),
            (Case("Conv2D", {"filters": 2, "kernel_size": 2, "padding": "same"}, []), (2, 3, r.randint(1, 2))),
            (Case("GlobalMaxPooling1D", {}, []), (r.randint(1, 3), 2)),
            (Case("Reshape", {"target_shape": (2, -1)}, []), (2 * r.randint(1, 2), 3)),
            (Case("Dropout", {"rate": 0.4}, []), (r.randint(1, 3),)),
        )
    )
    return Case(name, {"layer": inner}, [(batch, steps, *shape)])


def convolutional(r: random.Random, name: str) -> Case:
    """`ConvLSTM2D`."""
    form = r.choice(("channels_last", "channels_first"))
    stride, rate = (1, r.choice((1, 2))) if flag(r) else (r.choice((1, 2)), 1)
    arguments = {
        "filters": r.randint(1, 3),
        "kernel_size": r.choice((1, 2, 3, (2, 3))),
        "strides": stride,
        "padding": r.choice(("valid", "same")),
        "data_format": form,
        "dilation_rate": rate,
        "activation": r.choice(ACTIVATIONS),
        "recurrent_activation": r.choice(GATES),
        "use_bias": flag(r),
        "unit_forget_bias": flag(r),
        "return_sequences": flag(r),
        "go_backwards": flag(r),
        "stateful": flag(r),
    }
    batch, steps, channels = r.randint(1, 2), r.randint(2, 3), r.randint(1, 2)
    space = (r.randint(5, 7), r.randint(5, 7))
    image = (channels, *space) if form == "channels_first" else (*space, channels)
    return Case(name, arguments, [(batch, steps, *image)])  # today's Keras fails if there is a mask


KINDS: dict[str, Any] = {
    "SimpleRNN": layer,
    "GRU": layer,
    "LSTM": layer,
    "RNN": stacked,
    "Bidirectional": bidirectional,
    "SimpleRNNCell": cell,
    "GRUCell": cell,
    "LSTMCell": cell,
    "StackedRNNCells": stacked_cells,
    "TimeDistributed": distributed,
    "ConvLSTM2D": convolutional,
}
