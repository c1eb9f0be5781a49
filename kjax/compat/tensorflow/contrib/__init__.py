"""`tf.contrib`: the few parts of it that tutorials used."""

from __future__ import annotations

import importlib
from typing import Any

from kjax.compat.tensorflow import _missing

_MODULES = ["layers", "legacy_seq2seq", "rnn", "seq2seq"]
# Other names of modules. `slim` and `framework` are the functions of `layers`, under `arg_scope`.
_OTHERS = {
    "data": "kjax.compat.tensorflow.data",
    "framework": "kjax.compat.tensorflow.contrib.layers",
    "slim": "kjax.compat.tensorflow.contrib.layers",
}
__all__ = [*_MODULES, *_OTHERS]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _OTHERS:
        return importlib.import_module(_OTHERS[name])
    raise _missing.complaint("tensorflow.contrib", name, __all__)
