"""What the works on convolutions share: a round of some training steps by each kind of peer."""

from __future__ import annotations

from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Round, _start


def by_keras(data: Data, library: Any, layers: list[Any], optimizer: Any, batch: int) -> Round:
    """With the interface of Keras."""
    model = library.models.Sequential([library.layers.Input(shape=data["x"].shape[1:]), *layers])
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(_start.weights_in(data))
    x, y = data["x"], np.eye(10, dtype="float32")[data["y"]]

    def do_round(steps: int) -> float:
        samples = steps * batch
        return model.fit(x[:samples], y[:samples], batch_size=batch, epochs=1, verbose=0).history["loss"][-1]

    return do_round


def by_jax(data: Data, library: Any, state: Any, score: Any, optimizer: Any, batch: int) -> Round:
    """By hand with JAX, a dispatch a step. The state is the parameters and the averages that run along.

    Arguments:
        score: (params, running, key, x) -> (running, logits).
    """
    jax, jnp, optax = library.jax, library.jnp, library.optax

    def scored(params: Any, running: Any, key: Any, rows: Any) -> tuple[Any, Any]:
        running, logits = score(params, running, key, rows[0])
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, rows[1]).mean()
        return loss, (running, (loss, (logits.argmax(-1) == rows[1]).astype(jnp.float32).mean()))

    params, running = jax.tree.map(jnp.array, state)
    start = params, optimizer.init(params), running, jax.random.key(0)
    step = library.make_noisy_step(scored, optimizer)
    train = library.Fit("step", step, start, (data["x"], data["y"]), batch)

    def do_round(steps: int) -> float:
        (losses, _), _ = train(1, steps * batch)
        return losses[-1]

    return do_round


def by_torch(data: Data, library: Any, network: Any, optimizer: Any, batch: int) -> Round:
    """By hand with PyTorch."""
    # Images with their channels first, as PyTorch has them.
    placed = library.place(np.ascontiguousarray(data["x"].transpose(0, 3, 1, 2)), data["y"])

    def score(network: Any, rows: Any) -> Any:
        return library.scores(network(rows[0]), rows[1])

    train = library.fit(network, score, optimizer, placed, batch)

    def do_round(steps: int) -> float:
        means, _ = train(1, steps * batch)
        return means[-1][0]

    return do_round


def flat_first(kernel: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A dense kernel on flattened (height, width, channels), for one whose images have their channels first."""
    return kernel.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
