"""A regression on a small table, validated after every epoch: the last batch of each epoch is a short one."""

from __future__ import annotations

import numpy as np

from compat_tests.speed.works import Data, Work, _dense, _start

_PROBLEM = _dense.Problem("relu", "mse", "rmsprop", lr=0.001, batch=32, held_out=0.2)


def prepare(quick: bool) -> Data:
    """A table of 506 rows and 13 columns, and a smooth function of them with noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(506, 13)).astype("float32")
    y = x @ generator.normal(size=(13, 1)) + np.sin(x[:, :1] * x[:, 1:2]) + generator.normal(size=(506, 1)) / 10
    return {"x": x, "y": y.astype("float32"), **_start.named(_start.dense((13, 64, 64, 1)))}


WORK = Work(
    name="table",
    about="A table of 506 x 13, a network 13-64-64-1, RMSprop, batches of 32, a fifth held out: 100 epochs.",
    prepare=prepare,
    makers=_dense.makers(_PROBLEM),
    tolerance=0.2,
    sizes=(100,),
    quick_sizes=(3,),
    steps=lambda data, epochs: epochs * _PROBLEM.steps(len(data["x"])),
    at_most={"keras-tensorflow": 20, "tf-keras": 20},
)
