"""kjax: the Keras of 2015 to 2021, on JAX."""

import importlib
from types import ModuleType

from kjax import (
    activations,
    backend,
    callbacks,
    constraints,
    datasets,
    engine,
    initializers,
    layers,
    legacy,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from kjax._version import __version__
from kjax.engine import Input, Model, Sequential
from kjax.saving import export, load_exported

# Imported when first used: not every script needs them.
_LATER = frozenset(("applications", "mixed_precision", "preprocessing", "wrappers"))


def __getattr__(name: str) -> ModuleType:
    if name in _LATER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
