"""What is known of an expression in a script that is read and not run."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from dataclasses import dataclass, field
from typing import Any

from kjax.engine.base_layer import Layer


class Unknown:
    """An expression of which nothing is known, or nothing that matters."""


class Missing(Unknown):
    """A name that kjax does not have; it was told where it was met first."""


@dataclass(frozen=True)
class Real:
    """A module, class or function of kjax.

    Attributes:
        bound: whether the first parameter, `self`, is given already.
    """

    obj: Any
    path: str
    bound: bool = False


@dataclass(frozen=True)
class Const:
    """A literal; what is unknown inside of it is an `Opaque`."""

    value: Any


@dataclass
class ScriptClass:
    """A class that the script defines."""

    name: str
    bases: list[Any]
    defined: set[str] = field(default_factory=set)


@dataclass
class ScriptFunction:
    """A function that the script defines, and what it returns as far as that is known."""

    result: Any = field(default_factory=Unknown)


@dataclass(frozen=True)
class Instance:
    """An object of a class of kjax, or of the script's."""

    cls: type | ScriptClass


class Opaque:
    """Stands for a value that only running the script would give. Shown as it is written."""

    def __init__(self, node: ast.AST) -> None:
        self.text = ast.unparse(node)

    def __repr__(self) -> str:
        return self.text


UNKNOWN = Unknown()


@functools.cache
def attributes(cls: type) -> frozenset[str] | None:
    """Names that instances of a class have, those that its methods set included; None if it cannot be told."""
    names = set(dir(cls))
    for base in cls.__mro__[:-1]:
        if "__getattr__" in vars(base) and base is not Layer:  # that knows only what a call has kept
            return None
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):
            return None
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
    if issubclass(cls, Layer):
        # Set by helpers, by what a layer's weights are for.
        kinds = ("initializer", "regularizer", "constraint")
        names |= {f"{role}_{kind}" for role in ("kernel", "bias", "recurrent", "embeddings") for kind in kinds}
    return frozenset(names)
