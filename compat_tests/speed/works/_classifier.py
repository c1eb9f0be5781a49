"""The classifier of digits, by each kind of peer: 784-256-256-256-10, relu and softmax, SGD, accuracy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, Maker, Round, _digits, _start

_BATCH = 32
_LR = 0.01


@dataclass(frozen=True)
class Classifier:
    """What can be done with it.

    Arguments:
        fit: trains for some epochs on the training part, and returns the mean loss over the last of them.
        test: the loss over the test part; by hand in one batch.
        predict: probabilities of some rows; by hand in one batch.
    """

    fit: Callable[[int], float]
    test: Callable[[], float]
    predict: Callable[[np.ndarray], np.ndarray]


def keras(data: Data, library: Any, batch: int = _BATCH, verbose: int = 0) -> Classifier:
    """With the interface of Keras."""
    dense = library.layers.Dense
    layers = [library.layers.Input(shape=(784,)), *(dense(256, activation="relu") for _ in range(3))]
    model = library.models.Sequential([*layers, dense(10, activation="softmax")])
    model.compile(optimizer=library.optimizers.SGD(_LR), loss="categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(_start.weights_in(data))
    training, testing = _parts(data)

    def fit(epochs: int) -> float:
        return model.fit(*training(), batch_size=batch, epochs=epochs, verbose=verbose).history["loss"][-1]

    return Classifier(
        fit,
        lambda: model.evaluate(*testing(), verbose=verbose)[0],
        lambda x: model.predict(x, verbose=0),
    )


def by_jax(way: str, data: Data, library: Any, batch: int = _BATCH) -> Classifier:
    """By hand, in one of the two ways of `by_jax.Fit`."""
    jax, jnp, optax = library.jax, library.jnp, library.optax

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        x, y = batch
        logits = library.forward(params, x, jax.nn.relu)
        loss = optax.softmax_cross_entropy(logits, y).mean()
        return loss, (loss, (logits.argmax(-1) == y.argmax(-1)).astype(jnp.float32).mean())

    params = library.params_of(_start.weights_in(data))
    optimizer = optax.sgd(_LR)
    state = params, optimizer.init(params)
    training, testing = _parts(data)
    step = library.make_step(score, optimizer)
    train = functools.cache(lambda: library.Fit(way, step, state, training(), batch))
    placed = functools.cache(lambda: jax.device_put(testing()))
    test = jax.jit(score)
    predict = jax.jit(lambda params, x: jax.nn.softmax(library.forward(params, x, jax.nn.relu)))

    def fit(epochs: int) -> float:
        (losses, _), _ = train()(epochs)
        return losses[-1]

    def current() -> Any:
        return train().state[0] if train.cache_info().currsize else params

    return Classifier(
        fit,
        lambda: jax.device_get(test(current(), placed()))[0],
        lambda x: np.asarray(predict(current(), x)),
    )


def by_torch(data: Data, library: Any, batch: int = _BATCH) -> Classifier:
    """By hand, with PyTorch."""
    torch = library.torch
    network = library.dense(_start.weights_in(data), torch.nn.ReLU)
    optimizer = torch.optim.SGD(network.parameters(), _LR)

    def score(network: Any, batch: Any) -> Any:
        x, classes = batch
        return library.scores(network(x), classes)

    @functools.cache
    def train() -> Any:
        placed = library.place(_digits.flat(data["x"]), data["y"].astype("int64"))
        return library.fit(network, score, optimizer, placed, batch)

    @functools.cache
    def testing() -> Any:
        return library.place(_digits.flat(data["x_test"]), data["y_test"].astype("int64"))

    def fit(epochs: int) -> float:
        means, _ = train()(epochs)
        return means[-1][0]

    def test() -> float:
        with torch.no_grad():
            return torch.stack(score(network, testing())).tolist()[0]

    def predict(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(*library.place(x)).softmax(1).cpu().numpy()

    return Classifier(fit, test, predict)


def by_numpy(data: Data, library: Any, batch: int = _BATCH) -> Classifier:
    """By hand, in numpy."""
    weights = _start.weights_in(data)
    network = library.Network(*library.HIDDEN["relu"], library.softmax)
    training, testing = _parts(data)

    @functools.cache
    def train() -> Any:
        update = library.sgd(weights, _LR)
        return library.fit(
            network, weights, update, np.subtract, lambda *pair: library.scores(*pair)[0], training(), batch
        )

    def test() -> float:
        x, y = testing()
        return library.scores(network.forward(weights, x)[-1], y)[0]

    return Classifier(lambda epochs: train()(epochs)[-1], test, lambda x: network.forward(weights, x)[-1])


def _parts(data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Training and test parts, made when first asked for: not every work needs both."""
    return functools.cache(lambda: _digits.training(data)), functools.cache(lambda: _digits.testing(data))


KINDS: dict[str, Callable[..., Classifier]] = {
    "keras": keras,
    "jax-scan": functools.partial(by_jax, "scan"),
    "jax-step": functools.partial(by_jax, "step"),
    "torch": by_torch,
    "numpy": by_numpy,
}


def makers(do: Callable[[Classifier, Data], Round], but: tuple[str, ...] = ()) -> dict[str, Maker]:
    """For each kind of peer, what makes its classifier and then a round of it.

    Arguments:
        do: (classifier, data) -> a round.
        but: kinds of peers that are left out.
    """

    def maker(make: Callable[..., Classifier], data: Data, library: Any) -> Round:
        return do(make(data, library), data)

    return {kind: functools.partial(maker, make) for kind, make in KINDS.items() if kind not in but}


def predicting(rows: Callable[[Data], np.ndarray]) -> dict[str, Maker]:
    """Rounds that predict the same rows again and again."""

    def do(classifier: Classifier, data: Data) -> Round:
        x = rows(data)

        def do_round(calls: int) -> float:
            for _ in range(calls - 1):
                classifier.predict(x)
            # Weighted by the class, so that exchanged classes show.
            return float(np.square(classifier.predict(x) * np.arange(10)).mean())

        return do_round

    return makers(do, but=("jax-scan",))
