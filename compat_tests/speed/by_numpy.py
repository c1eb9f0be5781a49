"""What the works share when they are written by hand with numpy: a classifier of dense layers and its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Arrays = Sequence[np.ndarray]


def forward(weights: Arrays, x: np.ndarray) -> list[np.ndarray]:
    """The input and what each layer gives: relu, and softmax at the end. Weights are kernel, bias, kernel, bias..."""
    values = [x]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        values.append(np.maximum(values[-1] @ kernel + bias, 0))
    logits = values[-1] @ weights[-2] + weights[-1]
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    values.append(exponents / exponents.sum(1, keepdims=True))
    return values


def scores(probabilities: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Categorical cross-entropy and accuracy, for one-hot targets."""
    picked = np.clip((probabilities * targets).sum(1), 1e-7, 1)
    return float(-np.log(picked).mean()), float((probabilities.argmax(1) == targets.argmax(1)).mean())


def train_step(weights: Arrays, space: Arrays, x: np.ndarray, targets: np.ndarray, lr: float) -> tuple[float, float]:
    """One step of gradient descent, in place. Returns the scores before it.

    Arguments:
        space: arrays like the kernels, for their gradients: made anew in each step, they would double its time, as the
            system takes so large arrays back and clears them.
    """
    values = forward(weights, x)
    error = (values[-1] - targets) / len(x)
    for layer in range(len(weights) // 2 - 1, -1, -1):
        kernel, bias = weights[2 * layer : 2 * layer + 2]
        below = (error @ kernel.T) * (values[layer] > 0) if layer else error
        kernel -= np.multiply(np.matmul(values[layer].T, error, out=space[layer]), lr, out=space[layer])
        bias -= lr * error.sum(0)
        error = below
    return scores(values[-1], targets)
