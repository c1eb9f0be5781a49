"""A linear model, and what training it comes to, computed in float64 numpy: for the tests of `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax import callbacks
from kjax.layers import Dense
from kjax.models import Sequential

LR = 0.1


def data(samples: int = 10, features: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs (samples, features) and targets (samples, 1)."""
    random = np.random.RandomState(seed)
    return random.normal(size=(samples, features)).astype("float32"), random.normal(size=(samples, 1)).astype("float32")


def linear(features: int = 3, seed: int = 2, **kwargs: Any) -> Sequential:
    """A Dense(1) of fixed weights, compiled with SGD of rate 0.1 and mean squared error unless told otherwise."""
    from kjax.optimizers import SGD

    model = Sequential([Dense(1, input_dim=features)])
    model.set_weights(start(features, seed))
    model.compile(**{"optimizer": SGD(lr=LR), "loss": "mse", **kwargs})
    return model


def start(features: int = 3, seed: int = 2) -> list[np.ndarray]:
    """The first weights of `linear`."""
    random = np.random.RandomState(seed)
    return [random.normal(size=(features, 1)).astype("float32"), random.normal(size=1).astype("float32")]


def forward(weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """What `linear` predicts."""
    return x.astype("float64") @ weights[0].astype("float64") + weights[1]


def losses(weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The squared error of each sample."""
    return ((forward(weights, x) - y) ** 2).mean(axis=-1)


def train(
    x: np.ndarray,
    y: np.ndarray,
    batches: list[list[int]],
    sample_weight: np.ndarray | None = None,
    lr: float = LR,
) -> tuple[list[np.ndarray], float]:
    """Weights after gradient descent over batches of row numbers, and the mean loss over their samples."""
    kernel, bias = (w.astype("float64") for w in start(x.shape[1]))
    total = 0.0
    for rows in batches:
        weight = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, "float64")[rows]
        weight = weight / np.mean(weight != 0)
        error = x[rows].astype("float64") @ kernel + bias - y[rows]
        total += float(np.sum(error[:, 0] ** 2 * weight))
        slope = 2 * error * weight[:, None] / len(rows)
        kernel, bias = kernel - lr * x[rows].T @ slope, bias - lr * slope.sum(axis=0)
    return [kernel, bias], total / sum(map(len, batches))


def in_order(samples: int, batch_size: int, epochs: int = 1) -> list[list[int]]:
    """The batches of epochs that are not shuffled."""
    return [list(range(i, min(i + batch_size, samples))) for i in range(0, samples, batch_size)] * epochs


def close(got: list[Any], wanted: list[Any], tolerance: float = 2e-5) -> None:
    """Compare lists of arrays."""
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, tolerance, tolerance)


def same_bits(got: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    """Whether two lists of weights are equal, bit for bit."""
    return len(got) == len(wanted) and all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))


class Rows(callbacks.Callback):
    """Notes which rows make each batch, read off targets that are row numbers, and what is called in which order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.logs: list[dict[str, Any]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("train_begin", -1))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train_end", -1))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_begin", epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_end", epoch))
        self.logs.append(dict(logs))

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_begin", batch))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_end", batch))
        self.logs.append(dict(logs))
