"""What the works on the classifier of digits share: 784-256-256-256-10, relu and softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests.speed.works import Data, _start

_SIZES = (784, 256, 256, 256, 10)


def prepare(quick: bool) -> Data:
    """MNIST, or drawn digits where it cannot be had; as bytes, so that every peer starts from what a file holds."""
    from kjax.datasets import drawn_digits, mnist

    try:
        if quick:
            (x, y), (x_test, y_test) = drawn_digits.load_data(n_train=320, n_test=64)
        else:
            (x, y), (x_test, y_test) = mnist.load_data()
    except OSError:
        (x, y), (x_test, y_test) = drawn_digits.load_data()
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test, **_start.draw(_SIZES)}


def training(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Images as rows from 0 to 1, and one-hot classes."""
    return flat(data["x"]), one_hot(data["y"])


def testing(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The same of the test part."""
    return flat(data["x_test"]), one_hot(data["y_test"])


def flat(images: np.ndarray) -> np.ndarray:
    """Images as rows of numbers from 0 to 1."""
    return images.reshape(len(images), -1).astype("float32") / 255


def one_hot(classes: np.ndarray) -> np.ndarray:
    """A row with a single 1 for each class number."""
    return np.eye(10, dtype="float32")[classes]


def keras_model(data: Data, library: Any) -> Any:
    """The compiled model, with the starting weights."""
    dense = library.layers.Dense
    layers = [library.layers.Input(shape=(784,)), *(dense(256, activation="relu") for _ in range(3))]
    model = library.models.Sequential([*layers, dense(10, activation="softmax")])
    model.compile(optimizer=library.optimizers.SGD(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(_start.weights_in(data))
    return model


def jax_score(library: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(params, batch) -> (loss, (loss, accuracy))."""
    jax, jnp, optax = library.jax, library.jnp, library.optax

    def score(params: Any, batch: Any) -> tuple[Any, Any]:
        x, y = batch
        logits = library.forward(params, x, jax.nn.relu)
        loss = optax.softmax_cross_entropy(logits, y).mean()
        return loss, (loss, (logits.argmax(-1) == y.argmax(-1)).astype(jnp.float32).mean())

    return score


def jax_predict(library: Any) -> Callable[[Any, Any], Any]:
    """(params, rows) -> probabilities, compiled."""
    jax = library.jax
    return jax.jit(lambda params, x: jax.nn.softmax(library.forward(params, x, jax.nn.relu)))


def predict_makers(
    rows: Callable[[Data], np.ndarray], calls: int
) -> dict[str, Callable[[Data, Any], Callable[[], float]]]:
    """Functions that predict the same rows again and again, for each kind of peer."""

    def repeated(predict: Callable[[np.ndarray], Any], x: np.ndarray) -> Callable[[], float]:
        def do_round() -> float:
            for _ in range(calls - 1):
                predict(x)
            # Weighted by the class, so that exchanged classes show.
            return float(np.square(predict(x) * np.arange(10)).mean())

        return do_round

    def keras(data: Data, library: Any) -> Callable[[], float]:
        model = keras_model(data, library)
        return repeated(lambda x: model.predict(x, verbose=0), rows(data))

    def jax_step(data: Data, library: Any) -> Callable[[], float]:
        predict, params = jax_predict(library), library.params_of(_start.weights_in(data))
        return repeated(lambda x: np.asarray(predict(params, x)), rows(data))

    def by_numpy(data: Data, library: Any) -> Callable[[], float]:
        weights = _start.weights_in(data)
        return repeated(lambda x: library.forward(weights, x)[-1], rows(data))

    return {"keras": keras, "jax-step": jax_step, "numpy": by_numpy}
