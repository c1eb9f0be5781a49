"""Recorded names and signatures of Kerases, and how kjax's are compared with them."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import inspect
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

FOLDER = pathlib.Path(__file__).parent / "recorded"
EMPTY = inspect.Parameter.empty

# How an instance is made of a class some of whose attributes are those of its cell, or set at the beginning.
EXAMPLES = {
    "layers.Layer": (), "layers.SimpleRNN": (2,), "layers.GRU": (2,), "layers.LSTM": (2,), "layers.CuDNNGRU": (2,),
    "layers.CuDNNLSTM": (2,), "layers.ConvLSTM2D": (2, 3),
}  # fmt: skip


def lines(file: str) -> list[str]:
    """The lines of a recorded list."""
    return [line for line in (FOLDER / file).read_text().splitlines() if line and not line.startswith("#")]


def names(file: str) -> dict[str, list[str]]:
    """Names by module, from a recorded list; the package itself is `''`."""
    pairs = (line.split(": ") for line in lines(file))
    return {module.strip("."): found.split() for module, found in pairs}


def name_of(line: str) -> str:
    return line.partition("(")[0]


def pattern_of(name: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that a name fits."""
    return next((pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern)), None)


def wanted(line: str) -> list[tuple[str, Any]]:
    """Names and defaults of a recorded signature; without a default `inspect.Parameter.empty`, `...` if not known."""
    name, _, rest = line.partition("(")
    function = ast.parse(f"def f({rest}: pass").body[0]
    assert isinstance(function, ast.FunctionDef), name
    a = function.args
    defaults = [EMPTY] * (len(a.args) - len(a.defaults)) + [ast.literal_eval(d) for d in a.defaults]
    return [(p.arg, d) for p, d in zip(a.args, defaults, strict=True) if p.arg != "self"]


@dataclass
class Found:
    """What a name stands for in kjax, and the class or module that has it."""

    name: str
    obj: Any
    owner: Any

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """The parameters of calling it, without `self`."""
        own = list(inspect.signature(self.obj).parameters.values())
        raw = inspect.getattr_static(self.owner, self.name, None)
        return own[1:] if inspect.isclass(self.owner) and not isinstance(raw, classmethod) else own


def reached(name: str) -> Found | None:
    """What a dotted name stands for, or None."""
    owner: Any = None
    obj: Any = importlib.import_module("kjax")
    parts = name.split(".")
    for i, part in enumerate(parts):
        owner, obj = obj, _step(obj, parts[: i + 1], part)
        if obj is EMPTY:
            return None
    return Found(parts[-1], obj, owner)


def _step(obj: Any, path: list[str], part: str) -> Any:
    if inspect.ismodule(obj) and not hasattr(obj, part):
        try:
            return importlib.import_module("kjax." + ".".join(path))
        except ModuleNotFoundError:
            return EMPTY
    found = getattr(obj, part, EMPTY)
    example = EXAMPLES.get(".".join(path[:-1]))
    if found is EMPTY and example is not None and inspect.isclass(obj):
        return getattr(obj(*example), part, EMPTY)
    return found


def same(ours: Any, theirs: Any) -> bool:
    """Whether two defaults mean the same: one number for several that are alike, None for an empty dictionary."""
    alike = isinstance(theirs, tuple) and all(part == ours for part in theirs)
    return theirs is ... or ours == theirs or alike or (theirs == {} and ours is None)


def complaint(line: str) -> str | None:
    """How kjax differs from a recorded signature, or None."""
    name = name_of(line)
    found = reached(name)
    if found is None:
        return f"{name} is not there"
    if "(" not in line:
        return None
    if not callable(found.obj):
        return f"{name} cannot be called"
    ours = found.parameters
    takes_any = {p.kind for p in ours} >= {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    if "*args" in line or (takes_any and len(ours) == 2):
        return None
    theirs = wanted(line)
    for place, (parameter, default) in enumerate(theirs):
        if place >= len(ours) or (ours[place].name != parameter and parameter != "_"):
            return f"{name}: argument {place} is {[p.name for p in ours][place : place + 1]}, was {parameter}"
        if ours[place].kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY):
            return f"{name}: {parameter} cannot be given by its place"
        if default is not EMPTY and not same(ours[place].default, default):
            return f"{name}: {parameter} is {ours[place].default!r} by default, was {default!r}"
    more = [p.name for p in ours[len(theirs) :] if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return f"{name} asks for more: {more}" if more else None
