"""Gradient descent with all samples, with one, and with a few at a time.

The same network learns the same digits three times by plain SGD; only the number of samples in a step
differs. One epoch is one pass over the data whatever the batch, so batch descent makes one step in an epoch,
stochastic descent thousands.

Expect, after the same number of epochs, batch descent far behind: its steps are exact, but few. Stochastic
descent is ahead, although it needs a smaller rate, since the gradient of one sample is noisy. But its epochs
take several times as long: thousands of small steps use the machine badly. By the clock, on a quiet machine,
mini-batches are the first to reach any loss that they reach.
"""

from __future__ import annotations

import pathlib
import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from _common import flat, options, save, table
from matplotlib.ticker import MaxNLocator

from kjax.callbacks import Callback
from kjax.datasets import drawn_digits
from kjax.layers import Dense
from kjax.models import Sequential
from kjax.optimizers import SGD


class Stopwatch(Callback):
    """After each epoch: the seconds of training until then, and the loss over all samples.

    The loss that `fit` reports is a mean over the epoch, while weights change. Measuring takes time, too: the
    watch stands still meanwhile.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self.x, self.y = x, y

    def measure(self) -> None:
        loss, self.accuracy = self.model.evaluate(self.x, self.y, batch_size=500, verbose=0)
        self.losses.append(float(loss))

    def on_train_begin(self, logs: Any = None) -> None:
        self.seconds, self.losses = [0.0], []
        self.measure()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.get_weights()  # JAX answers before it has computed: this waits for the last step
        self.seconds.append(self.seconds[-1] + time.perf_counter() - self.start)
        self.measure()


def network() -> Any:
    return Sequential([Dense(128, activation="relu", input_dim=784), Dense(10, activation="softmax")])


def descend(x: np.ndarray, y: np.ndarray, weights: Any, batch: int, rate: float, epochs: int) -> dict[str, Any]:
    """The loss over all samples after each epoch, and the seconds until then. Starts from `weights`."""
    model = network()
    model.compile(loss="sparse_categorical_crossentropy", optimizer=SGD(lr=rate), metrics=["accuracy"])
    watch = Stopwatch(x, y)
    # Compiling is not what is compared: the first fit makes the programs, the second one is measured.
    for measured_epochs in (2, epochs):
        model.set_weights(weights)
        model.fit(x, y, batch_size=batch, epochs=measured_epochs, verbose=0, callbacks=[watch])
    return {
        "loss": watch.losses,
        "accuracy": float(watch.accuracy),
        "seconds": watch.seconds,
        "steps": epochs * -(-len(x) // batch),
    }


def draw(runs: dict[str, dict[str, Any]], out: pathlib.Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
    for (name, run), marker in zip(runs.items(), "osD", strict=True):
        left.semilogy(run["loss"], marker=marker, markersize=4, label=name)
        right.loglog(run["seconds"][1:], run["loss"][1:], marker=marker, markersize=4, label=name)
    left.set(title="By epochs: how often each sample was seen", xlabel="epoch", ylabel="loss over all samples")
    right.set(title="By time: what the machine needed", xlabel="seconds of training")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.legend(loc="lower left")
    figure.suptitle("Batch, mini-batch and stochastic gradient descent")
    save(figure, out, "descent.png")


def main(argv: list[str] | None = None) -> dict[str, dict[str, Any]]:
    chosen = options(__doc__, argv)
    np.random.seed(7)
    samples, epochs = (1000, 5) if chosen.quick else (4000, 20)
    (images, labels), _ = drawn_digits.load_data(n_train=samples, n_test=0)
    weights = network().get_weights()
    runs = {}
    for name, batch, rate in [("batch", samples, 0.5), ("mini-batch", 32, 0.1), ("stochastic", 1, 0.01)]:
        runs[f"{name} ({batch}), rate {rate:g}"] = descend(flat(images), labels, weights, batch, rate, epochs)
    print(f"{samples} drawn digits, {epochs} epochs:")
    rows = [[name, r["steps"], r["loss"][-1], r["accuracy"], r["seconds"][-1]] for name, r in runs.items()]
    table(["descent (samples in a step)", "steps", "loss", "accuracy", "seconds"], rows)
    draw(runs, chosen.out)
    return {name.split()[0]: run for name, run in runs.items()}


if __name__ == "__main__":
    main()
