"""An epoch of the classifier of digits, once everything is compiled."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _digits, _start

_BATCH = 32


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    model = _digits.keras_model(data, library)
    x, y = _digits.training(data)
    return lambda: model.fit(x, y, batch_size=_BATCH, epochs=1, verbose=0).history["loss"][-1]


def by_jax(way: str, data: Data, library: Any) -> Round:
    """By hand, in one of the two ways of `by_jax.fit`."""
    params = library.params_of(_start.weights_in(data))
    optimizer = library.optax.sgd(0.01)
    step = library.make_step(_digits.jax_score(library), optimizer)
    train = library.fit(way, step, (params, optimizer.init(params)), _digits.training(data), _BATCH, 1)

    def do_round() -> float:
        (losses, _), _ = train()
        return losses[-1]

    return do_round


def by_numpy(data: Data, library: Any) -> Round:
    """By hand, in numpy."""
    weights = _start.weights_in(data)
    space = [np.empty_like(kernel) for kernel in weights[::2]]
    x, y = _digits.training(data)

    def do_round() -> float:
        order = np.random.permutation(len(x))
        total = 0.0
        for first in range(0, len(x), _BATCH):
            rows = order[first : first + _BATCH]
            loss, _ = library.train_step(weights, space, x[rows], y[rows], 0.01)
            total += loss * len(rows)
        return total / len(x)

    return do_round


WORK = Work(
    name="mlp",
    about="A network 784-256-256-256-10, SGD, batches of 32, accuracy: one epoch of 60,000 images in a new order.",
    prepare=_digits.prepare,
    makers={
        "keras": keras,
        "jax-scan": partial(by_jax, "scan"),
        "jax-step": partial(by_jax, "step"),
        "numpy": by_numpy,
    },
    tolerance=0.05,
)
