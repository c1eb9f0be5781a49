"""The formulas of recurrent layers, step by step and sample by sample in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BATCH, STEPS, FEATURES, UNITS = 3, 5, 4, 2
X = np.random.RandomState(3).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)


def hard_sigmoid(x: Any) -> Any:
    return np.clip(0.2 * x + 0.5, 0, 1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def step(kind: str, weights: Sequence[Any], x: Any, states: Sequence[Any], gate: Any) -> list[Any]:
    """The states after one time step; the first is the output."""
    kernel, recurrent, bias = weights
    h = states[0]
    units = h.shape[-1]
    if kind == "simple":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if kind == "lstm":
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, -1)
        c = gate(f) * states[1] + gate(i) * np.tanh(g)
        return [gate(o) * np.tanh(c), c]
    if kind == "gru_after":
        (xz, xr, xh), (hz, hr, hh) = np.split(x @ kernel + bias[0], 3, -1), np.split(h @ recurrent + bias[1], 3, -1)
        z, r = gate(xz + hz), gate(xr + hr)
        candidate = np.tanh(xh + r * hh)
    else:
        xz, xr, xh = np.split(x @ kernel + bias, 3, -1)
        z, r = gate(xz + h @ recurrent[:, :units]), gate(xr + h @ recurrent[:, units : 2 * units])
        candidate = np.tanh(xh + (r * h) @ recurrent[:, 2 * units :])
    return [z * h + (1 - z) * candidate]


def run(
    kind: str,
    weights: Sequence[Any],
    x: Any,
    first: Sequence[Any],
    mask: Any = None,
    go_backwards: bool = False,
    gate: Any = hard_sigmoid,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """All outputs, in the order of computation, and the last states."""
    weights, x = [np.asarray(w, "float64") for w in weights], np.asarray(x, "float64")
    outputs = np.zeros((x.shape[0], x.shape[1], np.shape(first[0])[-1]))
    lasts = [np.array(state, "float64") for state in first]
    order = range(x.shape[1])[::-1] if go_backwards else range(x.shape[1])
    for n in range(x.shape[0]):
        states = [state[n] for state in lasts]
        for place, t in enumerate(order):
            if mask is None or mask[n, t]:
                states = step(kind, weights, x[n, t], states, gate)
            outputs[n, place] = states[0]
        for last, state in zip(lasts, states, strict=True):
            last[n] = state
    return outputs, lasts
