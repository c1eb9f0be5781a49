"""A regression on a small table, validated after every epoch: the last batch of each epoch is a short one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, Work, _start

_BATCH = 32
_SPLIT = 0.2


def prepare(quick: bool) -> Data:
    """A table of 506 rows and 13 columns, and a smooth function of them with noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(506, 13)).astype("float32")
    y = x @ generator.normal(size=(13, 1)) + np.sin(x[:, :1] * x[:, 1:2]) + generator.normal(size=(506, 1)) / 10
    epochs = np.array(3 if quick else 100)
    return {"x": x, "y": y.astype("float32"), "epochs": epochs, **_start.draw((13, 64, 64, 1))}


def keras(data: Data, library: Any) -> Round:
    """With the interface of Keras."""
    dense = library.layers.Dense
    layers = [library.layers.Input(shape=(13,)), *(dense(64, activation="relu") for _ in range(2)), dense(1)]
    model = library.models.Sequential(layers)
    model.compile(optimizer="rmsprop", loss="mse")
    model.set_weights(_start.weights_in(data))
    how = {"batch_size": _BATCH, "epochs": int(data["epochs"]), "validation_split": _SPLIT, "verbose": 0}
    return lambda: model.fit(data["x"], data["y"], **how).history["val_loss"][-1]


def by_jax(way: str, data: Data, library: Any) -> Round:
    """By hand, in one of the two ways of `by_jax.fit`."""
    jax, jnp, optax = library.jax, library.jnp, library.optax

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        x, y = batch
        loss = jnp.square(library.forward(params, x, jax.nn.relu) - y).mean()
        return loss, loss

    x, y = data["x"], data["y"]
    cut = int(len(x) * (1 - _SPLIT))
    params = library.params_of(_start.weights_in(data))
    optimizer = optax.rmsprop(0.001, decay=0.9, eps=1e-7)
    step = library.make_step(score, optimizer)
    validation = x[cut:], y[cut:]
    train = library.fit(
        way,
        step,
        (params, optimizer.init(params)),
        (x[:cut], y[:cut]),
        _BATCH,
        int(data["epochs"]),
        lambda state: score(state[0], validation)[0],
    )

    def do_round() -> float:
        _, validated = train()
        return validated[-1]

    return do_round


WORK = Work(
    name="table",
    about="A table of 506 x 13, a network 13-64-64-1, RMSprop, batches of 32, a fifth held out: 100 epochs.",
    prepare=prepare,
    makers={"keras": keras, "jax-scan": partial(by_jax, "scan"), "jax-step": partial(by_jax, "step")},
    tolerance=0.2,
)
