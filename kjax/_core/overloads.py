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
    "getitem": operators.getitem,
}
_UNARY = {"neg": jnp.negative, "abs": operators.absolute, "invert": jnp.logical_not}


def install_operators(apply: Callable[..., Any]) -> None:
    """Let `x + y`, `-x`, `x[i]` and the like go through `apply`. `==` stays identity, so that tensors can be keys."""

    def install(name: str, method: Callable[..., Any]) -> None:
        setattr(Symbolic, f"__{name}__", method)

    for name, op in {**_BINARY, **_ONE_SIDED}.items():
        install(name, lambda self, other, op=op: apply(op, self, other))
    for name, op in _BINARY.items():
        install(f"r{name}", lambda self, other, op=op: apply(op, other, self))
    for name, op in _UNARY.items():
        install(name, lambda self, op=op: apply(op, self))


def _value_of(tensor: Tensor) -> Any:
    """The value of a tensor that needs no feeds. It is kept, so that a random tensor is drawn once."""
    if isinstance(tensor, Constant):
        return tensor.value
    kept = tensor.__dict__.get("_kept")
    if kept is None:
        with scope.suspended(), scope.Scope(key=scope.fresh_key()) as opened:
            kept = evaluate([tensor], {})[0][0]
        if not opened.missed:  # variables change
            tensor.__dict__["_kept"] = kept
    return kept


Tensor._compute = _value_of  # pyright: ignore[reportAttributeAccessIssue]  # the method's other half
