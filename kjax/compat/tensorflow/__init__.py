"""The part of TensorFlow's names that old scripts use: programs of TensorFlow 1, and what is beside `tf.keras`.

`tensorflow`, `tensorflow.python`, `tensorflow.compat.v1` and `tensorflow.compat.v2` are all this one module. A name is
added by defining it in a module here and listing it in that module's `__all__`.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from kjax.compat.tensorflow import _attributes, _inner, _missing, compat
from kjax.compat.tensorflow.dtypes import bool_

# Scripts compare the first digits; the part after "+" says whose this is.
__version__ = "2.3.0+kjax"
VERSION = __version__

python = sys.modules[__name__]
keras = sys.modules["kjax"]
bool = bool_
newaxis = None

_attributes.install()

# Modules whose names are names of the top level.
_PARTS = (
    "_set_up", "_newer", "_python_functions", "_matrices",
    "dtypes", "arrays", "math", "_draws", "_graph", "_variables", "_gradients", "_init_values", "_session", "_others",
    "control", "_checks", "_scatters", "_sparse", "_more_math", "_tensor_array",
    "_selected", "_old_names", "_summary_messages",
)  # fmt: skip
# Modules that are names themselves.
_MODULES = (
    "app", "config", "contrib", "data", "debugging", "distribute", "errors", "estimator", "flags", "gfile", "image",
    "initializers", "io", "layers", "linalg", "logging", "losses", "math", "metrics", "nest", "nn", "random", "sparse",
    "strings", "summary", "test", "train",
)  # fmt: skip


def _names() -> list[str]:
    parts = [importlib.import_module(f"{__name__}.{part}") for part in _PARTS]
    return sorted({*(name for part in parts for name in part.__all__), *_MODULES, *__all__})


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("_"):  # an import of a module of ours, which is not loaded yet
        raise AttributeError(f"module 'tensorflow' has no attribute {name!r}")
    for part in _PARTS:
        module = importlib.import_module(f"{__name__}.{part}")
        if name in module.__all__:
            value = getattr(module, name)
            setattr(sys.modules[__name__], name, value)
            return value
    if name == "optimizers":  # TensorFlow 2 has Keras's here
        return importlib.import_module("kjax.optimizers")
    inner = _inner.of_top_level(name)
    if inner is not None:
        return inner
    raise _missing.complaint("tensorflow", name, _names())


def __dir__() -> list[str]:
    return _names()


__all__ = ["VERSION", "bool", "compat", "keras", "newaxis", "python"]
