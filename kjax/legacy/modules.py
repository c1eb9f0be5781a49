"""Modules that have other names today, and the names that Keras's modules let leak: tables, and their installer."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from kjax._core import arguments
from kjax.legacy._leaks import LEAKED, leaks

# Module of Keras 0, 1 or 2 to the module that has its names today.
RENAMED = {
    "kjax.objectives": "kjax.losses",
    "kjax.initializations": "kjax.legacy.initializations",
    "kjax.utils.visualize_util": "kjax.utils.vis_utils",
    "kjax.utils.metrics_utils": "kjax.legacy.metrics_utils",
    "kjax.engine.training_arrays": "kjax.engine.training_utils",
    "kjax.engine.saving": "kjax.legacy.saving",
    "kjax.callbacks.callbacks": "kjax.callbacks",
    "kjax.callbacks.tensorboard_v1": "kjax.callbacks",
    "kjax.callbacks.tensorboard_v2": "kjax.callbacks",
    "kjax.backend.load_backend": "kjax.backend",
    "kjax.datasets.data_utils": "kjax.utils.data_utils",
    "kjax.layers.containers": "kjax.legacy.containers",
    "kjax.backend.common": "kjax.backend",
    "kjax.backend.tensorflow_backend": "kjax.backend",
}

# Packages that are imported when they are first used, and which module then says so; None for the one in question.
_LATER = {
    "kjax.applications": "kjax.applications",
    "kjax.preprocessing": "kjax.preprocessing",
    "kjax.wrappers": None,
    "kjax.datasets": None,
}


def found(source: str) -> Any:
    """What `'module'` or `'module:name'` stands for."""
    module, _, name = source.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name) if name else loaded


def install_modules() -> None:
    """Enter today's modules under their old names too."""
    for old, new in RENAMED.items():
        module = importlib.import_module(new)
        sys.modules[old] = module
        parent, _, child = old.rpartition(".")
        if not hasattr(sys.modules[parent], child):
            setattr(sys.modules[parent], child, module)


def install_leaks() -> None:
    """Let Keras's modules have the names that Keras's imports left in them, those of later modules later."""
    for name in LEAKED:
        package = ".".join(name.split(".")[:2])
        if package in _LATER:
            arguments.when_loaded(_LATER[package] or name, functools.partial(_install, name))
        else:
            _install(name)


def _install(name: str) -> None:
    module = importlib.import_module(name)
    later: dict[str, str] = {}
    exported = vars(module).get("__all__")
    for leaked, source in leaks(name).items():
        if not hasattr(module, leaked):
            if source.partition(":")[0] not in sys.modules:
                later[leaked] = source
                continue
            setattr(module, leaked, found(source))
        if exported is not None and leaked not in exported:
            exported.append(leaked)  # Keras's modules had no such list: `import *` took everything
    if later:
        _find_when_asked(module, later)


def _find_when_asked(module: Any, sources: Mapping[str, str]) -> None:
    """Import what costs something when a script asks for it; None stands for a package that is not installed."""
    before = vars(module).get("__getattr__")

    def find(name: str) -> Any:
        if name in sources:
            try:
                value = found(sources[name])
            except ModuleNotFoundError:
                value = None
            setattr(module, name, value)
            return value
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = find
