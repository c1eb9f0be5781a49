"""A thousand epochs of a tiny network, a sample at a time."""

from __future__ import annotations

from dataclasses import replace

from compat_tests.speed.works import _dense, xor

_PROBLEM = _dense.Problem("tanh", "binary_crossentropy", "adam", lr=0.01, batch=1)
WORK = replace(
    xor.WORK,
    name="xor1",
    about="XOR, 4 samples, a network 2-8-1, Adam: 1,000 epochs of four batches of one sample.",
    makers=_dense.makers(_PROBLEM),
    tolerance=0.1,
    at_most={"keras-tensorflow": 100, "tf-keras": 200, "keras-torch": 200},
    steps=lambda data, epochs: epochs * _PROBLEM.steps(len(data["x"])),
)
