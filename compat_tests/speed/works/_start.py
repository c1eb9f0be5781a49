"""Starting weights, drawn once for all peers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def draw(sizes: Sequence[int]) -> dict[str, np.ndarray]:
    """Kernels (Glorot uniform) and zero biases of dense layers with so many inputs and units, by name."""
    generator = np.random.default_rng(0)
    weights: list[np.ndarray] = []
    for inputs, units in pairwise(sizes):
        limit = np.sqrt(6 / (inputs + units))
        kernel = generator.uniform(-limit, limit, (inputs, units))
        weights += [kernel.astype("float32"), np.zeros(units, "float32")]
    return {f"weight{number:02}": weight for number, weight in enumerate(weights)}


def weights_in(data: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Copies of the starting weights: kernel, bias, kernel, bias..."""
    return [data[name].copy() for name in sorted(data) if name.startswith("weight")]
