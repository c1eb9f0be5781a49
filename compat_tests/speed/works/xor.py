"""A thousand epochs of a tiny network: nothing but overhead."""

from __future__ import annotations

import numpy as np

from compat_tests.speed.works import Data, Work, _dense, _start


def prepare(quick: bool) -> Data:
    """The four rows of XOR."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([[0], [1], [1], [0]], "float32")
    return {"x": x, "y": y, **_start.named(_start.dense((2, 8, 1)))}


_PROBLEM = _dense.Problem("tanh", "binary_crossentropy", "adam", lr=0.01, batch=4)
WORK = Work(
    name="xor",
    about="XOR, 4 samples, a network 2-8-1, Adam: 1,000 epochs of one batch.",
    prepare=prepare,
    makers=_dense.makers(_PROBLEM),
    # Each batch holds all rows, so that only their order differs.
    tolerance=0.0005,
    sizes=(1000,),
    quick_sizes=(20,),
    steps=lambda data, epochs: epochs * _PROBLEM.steps(len(data["x"])),
    at_most={"keras-tensorflow": 100, "tf-keras": 400},
)
