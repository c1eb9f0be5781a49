"""What the works share when they are written by hand with numpy: dense networks, their gradients, optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Arrays = Sequence[np.ndarray]
Function = Callable[[np.ndarray], np.ndarray]
Error = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of (prediction, targets)
Update = Callable[[Arrays], None]  # takes gradients, changes the weights in place


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of classes."""
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def binary_crossentropy(predicted: np.ndarray, targets: np.ndarray) -> float:
    """The mean of -log of the probability of what was."""
    return float(-np.log(np.where(targets > 0, predicted, 1 - predicted)).mean())


# Activation and its derivative from its value.
HIDDEN = {
    "tanh": (np.tanh, lambda value: 1 - value * value),
    "relu": (lambda x: np.maximum(x, 0), lambda value: value > 0),
}
# Last activation, the loss's derivative by the last layer's sums, the loss.
BINARY = sigmoid, np.subtract, binary_crossentropy
MSE = lambda x: x, lambda predicted, y: 2 * (predicted - y), lambda predicted, y: float(np.square(predicted - y).mean())


@dataclass(frozen=True)
class Network:
    """Dense layers.

    Arguments:
        hidden: activation of all layers but the last.
        slope: its derivative, from its value.
        last: activation of the last layer.
    """

    hidden: Function
    slope: Function
    last: Function

    def forward(self, weights: Arrays, x: np.ndarray) -> list[np.ndarray]:
        """The input and what each layer gives. Weights are kernel, bias, kernel, bias..."""
        values = [x]
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            values.append(self.hidden(values[-1] @ kernel + bias))
        values.append(self.last(values[-1] @ weights[-2] + weights[-1]))
        return values

    def gradients(self, weights: Arrays, values: Arrays, error: np.ndarray, space: Arrays) -> list[np.ndarray]:
        """Gradients of the weights, in their order, from the loss's derivative by the last layer's sums.

        Arguments:
            space: arrays like the kernels, for their gradients: made anew in each step, they would double its time, as
                the system takes so large arrays back and clears them.
        """
        found = []
        for layer in range(len(weights) // 2 - 1, -1, -1):
            found += [error.sum(0), np.matmul(values[layer].T, error, out=space[layer])]
            if layer:
                error = (error @ weights[2 * layer].T) * self.slope(values[layer])
        return found[::-1]


def scores(probabilities: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Categorical cross-entropy and accuracy, for one-hot targets."""
    picked = np.clip((probabilities * targets).sum(1), 1e-7, 1)
    return float(-np.log(picked).mean()), float((probabilities.argmax(1) == targets.argmax(1)).mean())


def fit(
    network: Network,
    weights: Arrays,
    update: Update,
    error: Error,
    loss: Callable[[np.ndarray, np.ndarray], float],
    data: tuple[np.ndarray, np.ndarray],
    batch: int,
) -> Callable[..., list[float]]:
    """A function that trains for some epochs more and returns the mean loss of each.

    Arguments:
        error: the derivative of the loss's sum over the rows by the last layer's sums.
        loss: its mean over the rows.

    Returns:
        train: (epochs, samples) -> losses; an epoch is made of the first so many samples, by default of all.
    """
    x, y = data
    space = [np.empty_like(kernel) for kernel in weights[::2]]

    def train(epochs: int, samples: int = len(x)) -> list[float]:
        means = []
        for _ in range(epochs):
            order = np.random.permutation(samples)
            total = 0.0
            for first in range(0, samples, batch):
                rows = order[first : first + batch]
                values = network.forward(weights, x[rows])
                targets = y[rows]
                total += loss(values[-1], targets) * len(rows)
                update(network.gradients(weights, values, error(values[-1], targets) / len(rows), space))
            means.append(total / samples)
        return means

    return train


def sgd(weights: Arrays, lr: float) -> Update:
    """Gradient descent."""

    def update(gradients: Arrays) -> None:
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= np.multiply(gradient, lr, out=gradient)

    return update


def adam(weights: Arrays, lr: float, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> Update:
    """Adam, its bias correction in the learning rate."""
    first, second = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    count = [0]

    def update(gradients: Arrays) -> None:
        count[0] += 1
        rate = lr * np.sqrt(1 - beta_2 ** count[0]) / (1 - beta_1 ** count[0])
        for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
            m += (1 - beta_1) * (gradient - m)
            v += (1 - beta_2) * (gradient * gradient - v)
            weight -= rate * m / (np.sqrt(v) + epsilon)

    return update


def rmsprop(weights: Arrays, lr: float, rho: float = 0.9, epsilon: float = 1e-7) -> Update:
    """RMSprop."""
    squares = [np.zeros_like(weight) for weight in weights]

    def update(gradients: Arrays) -> None:
        for weight, gradient, square in zip(weights, gradients, squares, strict=True):
            square += (1 - rho) * (gradient * gradient - square)
            weight -= lr * gradient / (np.sqrt(square) + epsilon)

    return update
