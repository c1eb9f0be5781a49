"""`tf.random`. A seed is that of the graph, and of numpy's global generator, from which kjax's layers draw."""

from __future__ import annotations

import numpy as np

from kjax.compat.tensorflow import _graph, _missing
from kjax.compat.tensorflow._draws import multinomial, random_normal, random_shuffle, random_uniform, truncated_normal


def set_seed(seed: int) -> None:
    """Seed numpy's global generator, from which kjax's weights, shuffling and dropout follow, and the graph."""
    np.random.seed(int(seed) % 2**32)
    _graph.get_default_graph().seed = int(seed)


def set_random_seed(seed: int) -> None:
    """TensorFlow 1's name of `set_seed`."""
    set_seed(seed)


normal, uniform, shuffle, categorical = random_normal, random_uniform, random_shuffle, multinomial

__all__ = [
    "categorical", "multinomial", "normal", "set_random_seed", "set_seed", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.random", __all__)
