"""How compilation and an epoch depend on the number of layers."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _dense, _start

_PROBLEM = _dense.Problem("relu", "mse", "sgd", lr=0.001, batch=64)
_UNITS = 64


def prepare(quick: bool) -> Data:
    """2,048 rows of 64 columns, and a smooth function of them."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(128 if quick else 2048, _UNITS)).astype("float32")
    return {"x": x, "y": np.tanh(x[:, :1] + x[:, 1:2] * x[:, 2:3])}


def maker(kind: str, data: Data, library: Any) -> Round:
    """A network of each depth, made when it is first asked for: the first round builds and compiles it."""

    @cache
    def train(layers: int) -> _dense.Train:
        weights = _start.dense((_UNITS,) * layers + (1,))
        # Kernels of relu layers are larger by sqrt(2), so that deep networks pass on what they get.
        weights[:-2:2] = [kernel * np.float32(np.sqrt(2)) for kernel in weights[:-2:2]]
        return _dense.KINDS[kind](_PROBLEM, library, weights, data["x"], data["y"])

    # What a library does once in its life is no part of any depth's first round.
    train(2)(1)
    return lambda layers: train(layers)(1)


WORK = Work(
    name="depth",
    about="4 to 64 dense layers of 64 units, SGD, 2,048 rows in batches of 64: one epoch.",
    prepare=prepare,
    makers={kind: partial(maker, kind) for kind in _dense.KINDS},
    tolerance=0.1,
    sizes=(4, 8, 16, 32, 64),
    quick_sizes=(3, 6),
    grows_with="layers",
    compiles=True,
    units=lambda layers: 1,
    steps=lambda data, layers: _PROBLEM.steps(len(data["x"])),
    most_rounds=3,
)
