"""Testing on a whole test set."""

from __future__ import annotations

from typing import Any

from compat_tests.speed.works import Data, Round, Work, _digits, _start


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    model = _digits.keras_model(data, library)
    x, y = _digits.testing(data)
    return lambda: model.evaluate(x, y, verbose=0)[0]


def jax_step(data: Data, library: Any) -> Round:
    """By hand with JAX, in one batch."""
    params = library.params_of(_start.weights_in(data))
    score = library.jax.jit(_digits.jax_score(library))
    test = _digits.testing(data)
    return lambda: library.jax.device_get(score(params, test))[0]


def by_numpy(data: Data, library: Any) -> Round:
    """By hand in numpy, in one batch."""
    weights = _start.weights_in(data)
    x, y = _digits.testing(data)
    return lambda: library.scores(library.forward(weights, x)[-1], y)[0]


WORK = Work(
    name="evaluate",
    about="The network of `mlp` is tested on 10,000 rows, loss and accuracy (by hand: in one batch).",
    prepare=_digits.prepare,
    makers={"keras": keras, "jax-step": jax_step, "numpy": by_numpy},
    tolerance=0.001,
)
