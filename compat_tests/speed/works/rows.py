"""How an epoch's time depends on the number of rows."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _dense, _start

_PROBLEM = _dense.Problem("relu", "mse", "adam", lr=0.001, batch=128)
_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_SMALL = (200, 600)


def prepare(quick: bool) -> Data:
    """As many rows as the largest size has, of 16 columns, and a smooth function of them."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=((_SMALL if quick else _SIZES)[-1], 16)).astype("float32")
    y = np.tanh(x @ generator.normal(size=(16, 1)).astype("float32")) + x[:, :1] * x[:, 1:2]
    return {"x": x, "y": y, **_start.named(_start.dense((16, 64, 64, 1)))}


def maker(kind: str, data: Data, library: Any) -> Round:
    """A network for each number of rows, made when it is first asked for."""

    @cache
    def train(rows: int) -> _dense.Train:
        return _dense.KINDS[kind](_PROBLEM, library, _start.weights_in(data), data["x"][:rows], data["y"][:rows])

    return lambda rows: train(rows)(1)


WORK = Work(
    name="rows",
    about="A network 16-64-64-1, Adam, batches of 128, one epoch of 1,000 to 1,000,000 rows.",
    prepare=prepare,
    makers={kind: partial(maker, kind) for kind in _dense.KINDS},
    tolerance=0.1,
    unit="row",
    sizes=_SIZES,
    quick_sizes=_SMALL,
    grows_with="rows",
    steps=lambda data, rows: _PROBLEM.steps(rows),
    at_most={"keras-tensorflow": 100_000, "tf-keras": 100_000, "keras-torch": 100_000},
    most_rounds=3,
)
