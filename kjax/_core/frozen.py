"""Functions of the user as they were when they were called first.

In Keras a `Lambda`'s function ran once, when the layer was called. `Lambda(lambda x: x[:, i])` in a loop over i took
another column each time. Here it runs whenever a program is traced, and i would be the last one by then. So what the
function refers to is kept as it was.
"""

from __future__ import annotations

import builtins
import dis
import functools
import types
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

_FIXED = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
_WRITES = ("STORE_GLOBAL", "DELETE_GLOBAL")


def frozen(function: Any) -> Any:
    """A function that sees the names of its surroundings as they are now; the same one if none of them can change.

    One that writes to its surroundings, or is no plain function of the user's, is left as it is.
    """
    if not isinstance(function, types.FunctionType) or (function.__module__ or "").startswith("kjax."):
        return function
    names = _names(function.__code__)
    surroundings = function.__globals__
    if names is None or any(not hasattr(builtins, name) and name not in surroundings for name in names):
        return function
    kept = {name: surroundings[name] for name in names if name in surroundings}
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:  # one has no value yet
        return function
    if all(isinstance(value, _FIXED) for value in (*kept.values(), *cells)):
        return function
    kept.update((name, surroundings[name]) for name in ("__name__", "__builtins__") if name in surroundings)
    closure = tuple(map(types.CellType, cells)) if function.__closure__ else None
    made = types.FunctionType(function.__code__, kept, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(made, function)


@functools.cache
def _names(code: types.CodeType) -> frozenset[str] | None:
    """The global names that code reads, inner functions included; None if it writes names of its surroundings."""
    found: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname in _WRITES or (step.opname == "STORE_DEREF" and step.argval in code.co_freevars):
            return None
        if step.opname == "LOAD_GLOBAL":
            found.add(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            more = _names(inner)
            if more is None:
                return None
            found |= more
    return frozenset(found)


# What has a function as an attribute, the name of the attribute, and the function to use.
Owned = tuple[Any, str, Callable[..., Any]]


@contextmanager
def using(functions: Iterable[Owned]) -> Generator[None]:
    """Let objects have other functions inside of a `with` block."""
    outer = [(owner, name, vars(owner)[name]) for owner, name, _ in functions]
    for owner, name, function in functions:
        vars(owner)[name] = function
    try:
        yield
    finally:
        for owner, name, function in outer:
            vars(owner)[name] = function
