"""Shapes of tensors, with what TensorFlow's shapes can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Dim = int | None


class Dimension(int):
    """A dimension that is known: an int with TensorFlow 1's `value`."""

    @property
    def value(self) -> int:
        return int(self)


class Shape(tuple[Dim, ...]):
    """A shape: a tuple of ints and None, with the methods of TensorFlow's."""

    def __getitem__(self, key: Any) -> Any:
        found: Any = super().__getitem__(key)
        if isinstance(found, tuple):
            return Shape(found)
        return Dimension(found) if type(found) is int else found

    def as_list(self) -> list[Dim]:
        return list(self)

    @property
    def ndims(self) -> int:
        return len(self)

    @property
    def rank(self) -> int:
        return len(self)

    @property
    def dims(self) -> list[Any]:
        return [self[i] for i in range(len(self))]

    def is_fully_defined(self) -> bool:
        return None not in self

    def num_elements(self) -> int | None:
        return math.prod(d for d in self if d is not None) if self.is_fully_defined() else None


def agreeing(shapes: Sequence[Sequence[int]]) -> list[Dim]:
    """The dimensions that agree in all shapes, None where they do not."""
    return [dims[0] if len(set(dims)) == 1 else None for dims in zip(*shapes, strict=True)]
