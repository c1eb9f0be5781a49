"""`theano.tensor.nnet`: activations and cross entropies."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax.compat.tensorflow import _missing

WHOSE = "kjax's, which has what scripts of Keras used beside it"

hard_sigmoid = K.hard_sigmoid
sigmoid = K.sigmoid
softmax = K.softmax
softplus = K.softplus
softsign = K.softsign


def relu(x: Any, alpha: float = 0.0) -> Any:
    """The positive part of `x`, and `alpha` times the negative one."""
    return K.relu(x, alpha)


def binary_crossentropy(output: Any, target: Any) -> Any:
    """The cross entropy of each entry."""
    return K.binary_crossentropy(target, output)


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Any:
    """The cross entropy of each row, with classes as numbers or as rows of probabilities."""
    if K.ndim(true_dist) < K.ndim(coding_dist):
        return K.sparse_categorical_crossentropy(true_dist, coding_dist)
    return K.categorical_crossentropy(true_dist, coding_dist)


__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "hard_sigmoid", "relu", "sigmoid", "softmax", "softplus",
    "softsign",
]  # fmt: skip
__getattr__ = _missing.attribute("theano.tensor.nnet", __all__, WHOSE)
