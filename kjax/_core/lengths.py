"""The shape of a value in a program: a tuple of ints, with which one can calculate as with a tensor."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core.concrete import is_known, value_of


class Lengths(tuple[int, ...]):
    """A shape that is known, as `K.shape` gives it in a program. `shape[1:3] * 2` doubles each of its lengths.

    As of any tuple, what is added to it in the form of a list or a tuple comes behind it.
    """

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return Lengths(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Any:
        return Lengths([*self, *other]) if isinstance(other, (list, tuple)) else _joined(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return Lengths([*other, *self]) if isinstance(other, (list, tuple)) else _joined(operator.add, other, self)


def _joined(function: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    if not is_known((first, second)):
        return function(*(jnp.asarray(x) for x in (first, second)))
    result = function(*(np.asarray(value_of(x)) for x in (first, second)))
    return Lengths(map(int, result)) if result.ndim == 1 and result.dtype.kind in "iu" else jnp.asarray(result)


def _install(name: str, function: Callable[[Any, Any], Any]) -> None:
    setattr(Lengths, f"__{name}__", lambda self, other: _joined(function, self, other))
    setattr(Lengths, f"__r{name}__", lambda self, other: _joined(function, other, self))


for _name in ("sub", "mul", "truediv", "floordiv", "mod"):
    _install(_name, getattr(operator, _name))

jax.tree_util.register_pytree_node(Lengths, lambda x: (tuple(x), None), lambda _, parts: Lengths(parts))
