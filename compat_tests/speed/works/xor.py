"""A thousand epochs of a tiny network: nothing but overhead."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _start


def prepare(quick: bool) -> Data:
    """The four rows of XOR."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([[0], [1], [1], [0]], "float32")
    return {"x": x, "y": y, "epochs": np.array(10 if quick else 1000), **_start.draw((2, 8, 1))}


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    dense = library.layers.Dense
    layers = [library.layers.Input(shape=(2,)), dense(8, activation="tanh"), dense(1, activation="sigmoid")]
    model = library.models.Sequential(layers)
    model.compile(optimizer=library.optimizers.Adam(0.01), loss="binary_crossentropy")
    model.set_weights(_start.weights_in(data))
    epochs = int(data["epochs"])
    return lambda: model.fit(data["x"], data["y"], epochs=epochs, verbose=0).history["loss"][-1]


def by_jax(way: str, data: Data, library: Any) -> Round:
    """By hand, in one of the two ways of `by_jax.fit`."""
    jnp, optax = library.jnp, library.optax

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        x, y = batch
        loss = optax.sigmoid_binary_cross_entropy(library.forward(params, x, jnp.tanh), y).mean()
        return loss, loss

    params = library.params_of(_start.weights_in(data))
    optimizer = optax.adam(0.01, eps=1e-7)
    step = library.make_step(score, optimizer)
    state = params, optimizer.init(params)
    train = library.fit(way, step, state, (data["x"], data["y"]), 4, int(data["epochs"]))

    def do_round() -> float:
        losses, _ = train()
        return losses[-1]

    return do_round


WORK = Work(
    name="xor",
    about="XOR, 4 samples, a network 2-8-1, Adam: 1,000 epochs of one batch.",
    prepare=prepare,
    makers={"keras": keras, "jax-scan": partial(by_jax, "scan"), "jax-step": partial(by_jax, "step")},
    tolerance=0.02,
)
