"""Predicting a few rows again and again with a tiny network: nothing but the overhead of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _start
from compat_tests.speed.works.xor import prepare


def _repeated(predict: Callable[[np.ndarray], Any], data: Data) -> Round:
    x = data["x"]

    def do_round(calls: int) -> float:
        for _ in range(calls - 1):
            predict(x)
        # Weighted by the row, so that exchanged rows show.
        return float((np.asarray(predict(x))[:, 0] * np.arange(1, 5)).mean())

    return do_round


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    dense = library.layers.Dense
    layers = [library.layers.Input(shape=(2,)), dense(8, activation="tanh"), dense(1, activation="sigmoid")]
    model = library.models.Sequential(layers)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.set_weights(_start.weights_in(data))
    return _repeated(lambda x: model.predict(x, verbose=0), data)


def jax_step(data: Data, library: Any) -> Round:
    """By hand with JAX."""
    jax, jnp = library.jax, library.jnp
    params = library.params_of(_start.weights_in(data))
    predict = jax.jit(lambda params, x: jax.nn.sigmoid(library.forward(params, x, jnp.tanh)))
    return _repeated(lambda x: np.asarray(predict(params, x)), data)


def torch(data: Data, library: Any) -> Round:
    """By hand with PyTorch."""
    network = library.dense(_start.weights_in(data), library.torch.nn.Tanh)

    def predict(x: np.ndarray) -> np.ndarray:
        with library.torch.no_grad():
            return network(*library.place(x)).sigmoid().cpu().numpy()

    return _repeated(predict, data)


WORK = Work(
    name="predict4-tiny",
    about="The network of `xor` predicts 4 rows: 1,000 calls in a loop.",
    prepare=prepare,
    makers={"keras": keras, "jax-step": jax_step, "torch": torch},
    tolerance=0.0005,
    unit="call",
    sizes=(1000,),
    quick_sizes=(20,),
    at_most={"keras-tensorflow": 50, "tf-keras": 50},
)
