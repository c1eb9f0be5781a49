"""Networks of dense layers with one output, trained by each kind of peer on what a work describes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Maker, Round, _start

Train = Callable[[int], float]  # epochs -> the last one's loss, over the rows held out if there are any


@dataclass(frozen=True)
class Problem:
    """What is trained, and how.

    Arguments:
        hidden: activation of all layers but the last: 'tanh' or 'relu'.
        loss: 'binary_crossentropy', after a sigmoid, or 'mse'.
        optimizer: 'adam', 'rmsprop' or 'sgd'.
        lr: its learning rate.
        batch: rows in a batch.
        held_out: part of the rows, the last ones, that only test each epoch.
    """

    hidden: str
    loss: str
    optimizer: str
    lr: float
    batch: int
    held_out: float = 0.0

    def steps(self, rows: int) -> int:
        """Training steps in an epoch."""
        return -(-self.cut(rows) // self.batch)

    def cut(self, rows: int) -> int:
        """Number of rows to train on."""
        return int(rows * (1 - self.held_out))


def by_keras(problem: Problem, library: Any, weights: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray) -> Train:
    """With the interface of Keras."""
    units = [kernel.shape[1] for kernel in weights[::2]]
    dense = library.layers.Dense
    last = "sigmoid" if problem.loss == "binary_crossentropy" else "linear"
    layers = [dense(each, activation=problem.hidden) for each in units[:-1]]
    inputs = library.layers.Input(shape=(x.shape[1],))
    model = library.models.Sequential([inputs, *layers, dense(units[-1], activation=last)])
    kinds = {name.lower(): getattr(library.optimizers, name) for name in ("Adam", "RMSprop", "SGD")}
    model.compile(optimizer=kinds[problem.optimizer](problem.lr), loss=problem.loss)
    model.set_weights(weights)
    how = {"batch_size": problem.batch, "validation_split": problem.held_out, "verbose": 0}
    name = "val_loss" if problem.held_out else "loss"
    return lambda epochs: model.fit(x, y, epochs=epochs, **how).history[name][-1]


def by_jax(
    way: str, problem: Problem, library: Any, weights: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray
) -> Train:
    """By hand, in one of the two ways of `by_jax.Fit`."""
    jax, jnp, optax = library.jax, library.jnp, library.optax
    hidden = {"tanh": jnp.tanh, "relu": jax.nn.relu}[problem.hidden]

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        rows, targets = batch
        outputs = library.forward(params, rows, hidden)
        if problem.loss == "mse":
            loss = jnp.square(outputs - targets).mean()
        else:
            loss = optax.sigmoid_binary_cross_entropy(outputs, targets).mean()
        return loss, loss

    optimizer = {
        "adam": partial(optax.adam, eps=1e-7),
        "rmsprop": partial(optax.rmsprop, decay=0.9, eps=1e-7),
        "sgd": optax.sgd,
    }[problem.optimizer](problem.lr)
    params = library.params_of(weights)
    cut = problem.cut(len(x))
    held_out = x[cut:], y[cut:]
    after = (lambda state: score(state[0], held_out)[0]) if problem.held_out else (lambda state: ())
    step = library.make_step(score, optimizer)
    train = library.Fit(way, step, (params, optimizer.init(params)), (x[:cut], y[:cut]), problem.batch, after)

    def do_round(epochs: int) -> float:
        losses, tested = train(epochs)
        return (tested if problem.held_out else losses)[-1]

    return do_round


def by_torch(problem: Problem, library: Any, weights: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray) -> Train:
    """By hand, with PyTorch."""
    torch = library.torch
    network = library.dense(weights, {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[problem.hidden])
    functional = torch.nn.functional
    loss = functional.mse_loss if problem.loss == "mse" else functional.binary_cross_entropy_with_logits
    optimizer = {
        "adam": partial(torch.optim.Adam, eps=1e-7),
        "rmsprop": partial(torch.optim.RMSprop, alpha=0.9, eps=1e-7),
        "sgd": torch.optim.SGD,
    }[problem.optimizer](network.parameters(), lr=problem.lr)
    cut = problem.cut(len(x))
    tensors = library.place(x, y)
    rows, targets = (tensor[cut:] for tensor in tensors)
    after = (lambda: loss(network(rows), targets).item()) if problem.held_out else None

    def score(network: Any, batch: Any) -> tuple[Any, ...]:
        return (loss(network(batch[0]), batch[1]),)

    train = library.fit(network, score, optimizer, tuple(t[:cut] for t in tensors), problem.batch, after)

    def do_round(epochs: int) -> float:
        losses, tested = train(epochs)
        return tested[-1] if problem.held_out else losses[-1][0]

    return do_round


def by_numpy(problem: Problem, library: Any, weights: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray) -> Train:
    """By hand, in numpy."""
    last, error, loss = library.MSE if problem.loss == "mse" else library.BINARY
    network = library.Network(*library.HIDDEN[problem.hidden], last)
    update = getattr(library, problem.optimizer)(weights, problem.lr)
    cut = problem.cut(len(x))
    train = library.fit(network, weights, update, error, loss, (x[:cut], y[:cut]), problem.batch)

    def do_round(epochs: int) -> float:
        if not problem.held_out:
            return train(epochs)[-1]
        # An epoch at a time: each has its test.
        return [(train(1), loss(network.forward(weights, x[cut:])[-1], y[cut:])) for _ in range(epochs)][-1][1]

    return do_round


KINDS: dict[str, Callable[..., Train]] = {
    "keras": by_keras,
    "jax-scan": partial(by_jax, "scan"),
    "jax-step": partial(by_jax, "step"),
    "torch": by_torch,
    "numpy": by_numpy,
}


def makers(problem: Problem) -> dict[str, Maker]:
    """For each kind of peer, with the rows and starting weights that the data holds."""

    def maker(train: Callable[..., Train], data: Data, library: Any) -> Round:
        return train(problem, library, _start.weights_in(data), data["x"], data["y"])

    return {kind: partial(maker, train) for kind, train in KINDS.items()}
