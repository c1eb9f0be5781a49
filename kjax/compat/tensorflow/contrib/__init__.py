"""`tf.contrib`: the few parts of it that tutorials used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from kjax.compat.tensorflow import _missing

_MODULES = ["data", "framework", "layers", "legacy_seq2seq", "rnn", "seq2seq", "slim", "tensorboard"]
keras = sys.modules["kjax"]  # where TensorFlow 1.1 to 1.3 had it
__all__ = ["keras", *_MODULES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise _missing.complaint("tensorflow.contrib", name, __all__)
