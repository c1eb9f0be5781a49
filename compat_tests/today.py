"""Today's Keras on its JAX backend, for tests that compare with it, and the derivatives that they compare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest


def keras() -> Any:
    """The package `keras`; the test is skipped where it is not installed."""
    return pytest.importorskip("keras", reason="today's Keras is not installed: `pip install keras`")


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """JAX as users have it: other libraries mix ranks and types."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Derivative of the sum of what `function` gives, by JAX."""
    return np.asarray(jax.grad(lambda v: function(v).sum())(jax.numpy.asarray(x)))


def slope(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Derivative of the sum of what `function` gives, by central differences in float64."""
    x = np.array(x, "float64")
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[index] = step
        out[index] = (np.sum(function(x + shift)) - np.sum(function(x - shift))) / (2 * step)
    return out
