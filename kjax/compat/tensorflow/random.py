"""`tf.random`. A seed is that of the graph, and of numpy's global generator, from which kjax's layers draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax.compat.tensorflow import _graph, _missing
from kjax.compat.tensorflow._draws import (
    multinomial,
    random_gamma,
    random_normal,
    random_poisson,
    random_shuffle,
    random_uniform,
    truncated_normal,
)


def set_seed(seed: int) -> None:
    """Seed numpy's global generator, from which kjax's weights, shuffling and dropout follow, and the graph."""
    np.random.seed(int(seed) % 2**32)
    _graph.get_default_graph().seed = int(seed)


def set_random_seed(seed: int) -> None:
    """TensorFlow 1's name of `set_seed`."""
    set_seed(seed)


def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Any:
    """Numbers of Poisson distributions, `shape` for each mean."""
    return random_poisson(lam, shape, dtype, seed, name)


class Generator:
    """Random tensors by an object. Its seed is that of the draws; each has a number of its own."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed, self._count = seed, 0

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """One whose numbers follow from a seed."""
        return cls(int(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """One whose numbers follow from the seed of the graph."""
        return cls()

    def _next(self) -> int | None:
        self._count += 1
        return None if self._seed is None else (self._seed * 1_000_003 + self._count) % 2**31

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None) -> Any:
        """Numbers of a normal distribution."""
        return random_normal(shape, mean, stddev, dtype, self._next(), name)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Any:
        """Numbers of a normal distribution, none far from the mean."""
        return truncated_normal(shape, mean, stddev, dtype, self._next(), name)

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None) -> Any:
        """Numbers spread evenly."""
        return random_uniform(shape, minval, maxval, dtype, self._next(), name)


gamma = random_gamma
normal, uniform, shuffle, categorical = random_normal, random_uniform, random_shuffle, multinomial

__all__ = [
    "Generator", "categorical", "gamma", "multinomial", "normal", "poisson", "set_random_seed", "set_seed", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.random", __all__)
