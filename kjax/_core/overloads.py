"""Operators of symbolic tensors and variables: `x + y`, `-x`, `x[i]` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kjax._core import operators
from kjax._core.tensors import Symbolic

_BINARY = {
    "add": operators.add,
    "sub": operators.subtract,
    "mul": operators.multiply,
    "truediv": operators.divide,
    "floordiv": operators.floor_divide,
    "mod": operators.modulo,
    "pow": operators.power,
    "matmul": operators.matmul,
    "and": operators.logical_and,
    "or": operators.logical_or,
}
_ONE_SIDED = {
    "lt": operators.less,
    "le": operators.less_equal,
    "gt": operators.greater,
    "ge": operators.greater_equal,
}
_UNARY = {"neg": jnp.negative, "abs": operators.absolute, "invert": jnp.logical_not}


def _opened(index: Any) -> Any:
    """An index whose slices show the tensors in them."""
    if isinstance(index, tuple):
        return tuple(_opened(part) for part in index)
    if isinstance(index, slice) and any(isinstance(x, Symbolic) for x in (index.start, index.stop, index.step)):
        return operators.Slice(index.start, index.stop, index.step)
    return index


def install_operators(apply: Callable[..., Any]) -> None:
    """Let `x + y`, `-x`, `x[i]` and the like go through `apply`. `==` stays identity, so that tensors can be keys."""

    def install(name: str, method: Callable[..., Any]) -> None:
        setattr(Symbolic, f"__{name}__", method)

    for name, op in {**_BINARY, **_ONE_SIDED}.items():
        install(name, lambda self, other, op=op: apply(op, self, other))
    install("getitem", lambda self, index: apply(operators.getitem, self, _opened(index)))
    for name, op in _BINARY.items():
        install(f"r{name}", lambda self, other, op=op: apply(op, other, self))
    for name, op in _UNARY.items():
        install(name, lambda self, op=op: apply(op, self))
