"""`tf.contrib`: the few parts of it that tutorials used."""

from __future__ import annotations

import importlib
from typing import Any

from kjax.compat.tensorflow import _missing

_MODULES = ["layers", "legacy_seq2seq", "rnn", "seq2seq"]
__all__ = [*_MODULES, "data"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "data":
        return importlib.import_module("kjax.compat.tensorflow.data")
    raise _missing.complaint("tensorflow.contrib", name, __all__)
