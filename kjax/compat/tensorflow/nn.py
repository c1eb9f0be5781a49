"""`tf.nn`: the activations are kjax's own functions, so `activation=tf.nn.relu` is saved as `'relu'`."""

from __future__ import annotations

import importlib
from typing import Any

_ACTIVATIONS = ("elu", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign", "tanh")


def __getattr__(name: str) -> Any:
    if name in _ACTIVATIONS:
        return getattr(importlib.import_module("kjax.activations"), name)
    raise AttributeError(f"tensorflow.nn.{name} is not there: kjax offers only a subset of TensorFlow")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ACTIVATIONS])
