"""`tf.random`: kjax draws everything from numpy's global generator, so that is what a seed sets."""

from __future__ import annotations

from typing import Any

import numpy as np


def set_seed(seed: int) -> None:
    """Seeds numpy's global generator, from which kjax's weights, shuffling and dropout follow."""
    np.random.seed(int(seed) % 2**32)


def set_random_seed(seed: int) -> None:
    """TensorFlow 1's name of `set_seed`."""
    set_seed(seed)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"tensorflow.random.{name} is not there: kjax offers only a subset of TensorFlow")
