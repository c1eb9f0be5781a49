"""Starting weights, drawn once for all peers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np


def named(weights: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Weights by names that keep their order."""
    return {f"weight{number:03}": weight for number, weight in enumerate(weights)}


def weights_in(data: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Copies of the starting weights, in order."""
    return [data[name].copy() for name in sorted(data) if name.startswith("weight")]


def glorot(generator: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """A kernel whose last two dimensions are inputs and outputs, uniform: sqrt(6 / (inputs + outputs))."""
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
    return generator.uniform(-limit, limit, shape).astype("float32")


def dense(sizes: Sequence[int]) -> list[np.ndarray]:
    """Kernels and zero biases of dense layers with so many inputs and units: kernel, bias, kernel, bias..."""
    return layers([(inputs, units) for inputs, units in pairwise(sizes)])


def layers(shapes: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Kernels of these shapes, each with its zero bias."""
    generator = np.random.default_rng(0)
    weights: list[np.ndarray] = []
    for shape in shapes:
        weights += [glorot(generator, shape), np.zeros(shape[-1], "float32")]
    return weights
