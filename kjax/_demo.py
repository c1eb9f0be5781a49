"""The demonstration: a network of four dense layers learns to read handwritten digits."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

_SHADES = " .:-=+*#%@"


def main(epochs: int = 5) -> int:
    """Trains on MNIST, or on drawn digits where MNIST cannot be had, tests, and shows some answers."""
    from kjax._version import __version__
    from kjax.utils import to_categorical

    kind, (x_train, y_train), (x_test, y_test) = _load()
    print(f"kjax {__version__}: {len(x_train)} {kind} to learn from, {len(x_test)} to be tested with.")
    inputs, test_inputs = _flat(x_train), _flat(x_test)
    targets, test_targets = to_categorical(y_train, 10), to_categorical(y_test, 10)

    model = _model()
    start = time.perf_counter()
    model.fit(inputs, targets, batch_size=32, epochs=epochs, verbose=1)
    seconds = time.perf_counter() - start

    _, accuracy = model.evaluate(test_inputs, test_targets, verbose=0)
    print(f"Test accuracy: {accuracy:.4f}")
    model.summary()
    answers = np.argmax(np.asarray(model.predict(test_inputs[:5])), axis=-1)
    print(_drawing(x_test[:5], answers, y_test[:5]))
    print(f"Training time: {seconds:.1f} s for {epochs} epochs.")
    return 0


def _load() -> tuple[str, tuple[Any, Any], tuple[Any, Any]]:
    from kjax.datasets import drawn_digits, mnist

    try:
        return "handwritten digits (MNIST)", *mnist.load_data()
    except OSError as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(f"MNIST cannot be had here ({lines[0]}): drawn digits instead.", flush=True)
        return "digits drawn by a generator (not MNIST)", *drawn_digits.load_data()


def _flat(images: Any) -> Any:
    return images.reshape(len(images), 784).astype("float32") / 255.0


def _model() -> Any:
    from kjax.layers import Dense
    from kjax.models import Sequential

    model = Sequential()
    model.add(Dense(256, activation="relu", input_shape=(784,)))
    model.add(Dense(256, activation="relu"))
    model.add(Dense(256, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return model


def _drawing(images: Any, answers: Any, labels: Any) -> str:
    """The digits side by side in letters, 14 wide and 7 high, with the answer and the truth below each."""
    blocks = images.reshape(-1, 7, 4, 14, 2).mean(axis=(2, 4))
    letters = np.asarray(list(_SHADES))[(blocks / 256 * len(_SHADES)).astype(int)]
    rows = ["  ".join("".join(digit[row]) for digit in letters) for row in range(7)]
    marks = [f"says {a}, is {b}".ljust(14) for a, b in zip(answers, labels, strict=True)]
    return "\n".join(row.rstrip() for row in [*rows, "  ".join(marks)])
