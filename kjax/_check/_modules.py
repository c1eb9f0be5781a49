"""Names of Keras and TensorFlow, and the objects of kjax that they mean. Only modules of kjax are imported."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import types
from typing import Any

from kjax import (
    backend,
    callbacks,
    compat,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from kjax._check._values import Real

_PARTS = (
    layers,
    models,
    optimizers,
    regularizers,
    callbacks,
    initializers,
    losses,
    metrics,
    constraints,
    utils,
    backend,
)

_SHORT = frozenset(("K", "backend", "layers", "models", "optimizers", "regularizers", "callbacks", "np_utils"))


def claims(name: str) -> bool:
    """Whether a dotted module name is one that kjax answers for, or one of kjax itself."""
    return real_name(name) is not None


def real_name(name: str) -> str | None:
    """kjax's name of a module: `'kjax.layers'` for `'keras.layers'`; None for a module of somebody else."""
    return name if name.partition(".")[0] == "kjax" else compat.real_name(name)


def module(name: str) -> Real | None:
    """The module that `import name` gives under `kjax run`, or None if there is none."""
    found = real_name(name)
    try:
        return Real(importlib.import_module(found), name) if found else None
    except ModuleNotFoundError:
        return None


def member(owner: Real, name: str) -> Real | None:
    """A public or private name of a module or class, a module below included; None if there is none."""
    path = f"{owner.path}.{name}"
    try:
        return Real(getattr(owner.obj, name), path)
    except (AttributeError, ImportError):
        pass
    if not isinstance(owner.obj, types.ModuleType):
        return None
    try:
        return Real(importlib.import_module(f"{owner.obj.__name__}.{name}"), path)
    except ModuleNotFoundError:
        return None


def alike(owner: Any, name: str) -> str:
    """'. Did you mean ...?' where a name of the module or class is near, else ''."""
    names = [known for known in dir(owner) if not known.startswith("_")]
    same = [known for known in names if known.lower() == name.lower()]
    near = same or difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f". Did you mean `{near[0]}`?" if near else ""


def star_names(owner: Real) -> list[str]:
    """The names that `from module import *` binds."""
    said = getattr(owner.obj, "__all__", None)
    return list(said) if said is not None else [name for name in vars(owner.obj) if not name.startswith("_")]


def of_keras(name: str) -> bool:
    """Whether a bare name is plausibly one of Keras's: `K`, a module, or a name in one of the modules."""
    return name in _SHORT or any(hasattr(module, name) for module in _PARTS)


def installed(name: str) -> bool:
    """Whether a module of somebody else is there to be imported. It is not imported."""
    try:
        return importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
