"""Values inside of a program that answer what tensors of TensorFlow answer.

A `call`, a loss or a step is given values, as JAX traces them. Layers of 2015 to 2020 ask them for `get_shape()`,
`x.shape.as_list()` or `x._keras_shape`, which arrays do not have. A function that does so is called again with its
values held by objects that have these; what kjax's functions make of those is held too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax

from kjax._core import scope
from kjax._core.dims import Shape
from kjax._core.tensors import Symbolic

_OF_TENSORS = frozenset(("_keras_shape", "_uses_learning_phase", "get_shape", "name", "set_shape"))
_OF_SHAPES = frozenset(("as_list", "dims", "is_fully_defined", "ndims", "num_elements", "rank"))


class Held(Symbolic):
    """A value with what tensors have. What is not here is asked of the value.

    Attributes:
        held: the value.
        shape, dtype: its shape and type.
    """

    _uses_learning_phase = False
    name = "value"

    def __init__(self, held: Any) -> None:
        self.held = held
        self.shape = Shape(held.shape)
        self.dtype = held.dtype
        self._keras_shape = tuple(self.shape)

    def get_shape(self) -> Shape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Nothing is left to be said: the shape is known here."""

    def __jax_array__(self) -> Any:
        return self.held

    def __iter__(self) -> Any:
        return iter(holding(list(self.held)))

    def __len__(self) -> int:
        return len(self.held)

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self.held, name)
        except AttributeError as error:
            raise AttributeError(str(error), name=name, obj=self) from None


def holding(values: Any) -> Any:
    """The arrays of a tree, each held."""
    return jax.tree.map(lambda x: Held(x) if isinstance(x, jax.Array) else x, values)


def released(values: Any) -> Any:
    """A tree with what is held in it instead of what holds it."""
    return jax.tree.map(lambda x: x.held if isinstance(x, Held) else x, values)


def is_held(values: Any) -> bool:
    """Whether there is something in a tree that is held."""
    return any(isinstance(x, Held) for x in jax.tree.leaves(values))


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)` on values; once more with these held, if it asks them what only tensors have."""
    opened = scope.current()
    if opened is None:
        return function(*args, **kwargs)
    try:
        with opened.trying():
            return released(function(*args, **kwargs))
    except AttributeError as error:
        if not _asks_for_tensors(error):
            raise
    outer, opened.holds = opened.holds, True
    try:
        result = released(function(*holding(args), **holding(kwargs)))
    finally:
        opened.holds = outer
    opened.losses[:] = released(opened.losses)
    return result


def _asks_for_tensors(error: AttributeError) -> bool:
    asked, name = error.obj, error.name
    if name is None:  # an attribute was to be set
        found = re.fullmatch(r"'\w*(Tracer|ArrayImpl)' object has no attribute '(\w+)'.*", str(error))
        return found is not None and found[2] in _OF_TENSORS
    if isinstance(asked, jax.Array):
        return name in _OF_TENSORS
    return name in _OF_SHAPES if type(asked) is tuple else type(asked) is int and name == "value"
