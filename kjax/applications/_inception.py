"""Convolutions in tables: what InceptionV3 and InceptionResNetV2 are written in.

A chain is a sequence of steps. A step is `MAX`, `MEAN`, or a convolution: (filters, rows, columns), then the stride and
the padding unless they are 1 and `'same'`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kjax import layers
from kjax.applications import _frame

Step = Any
MAX = "max"  # halves the image
MEAN = "mean"  # keeps its size

# Both networks begin so.
STEM: Sequence[Step] = (
    (32, 3, 3, 2, "valid"),
    (32, 3, 3, 1, "valid"),
    (64, 3, 3),
    MAX,
    (80, 1, 1, 1, "valid"),
    (192, 3, 3, 1, "valid"),
    MAX,
)


def convolution(x: Any, filters: int, rows: int, columns: int, strides: int = 1, padding: str = "same") -> Any:
    """A convolution without bias, a batch normalization without scale, and relu."""
    conv = layers.Conv2D(filters, (rows, columns), strides=strides, padding=padding, use_bias=False)
    return _frame.normalized(conv(x), activation="relu", scale=False)


def chain(x: Any, steps: Sequence[Step]) -> Any:
    """`x` after the steps, one behind the other."""
    for step in steps:
        if step == MAX:
            x = layers.MaxPooling2D(3, strides=2)(x)
        elif step == MEAN:
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        else:
            x = convolution(x, *step)
    return x


def mixed(x: Any, chains: Sequence[Sequence[Step]], name: str | None) -> Any:
    """What several chains make of `x`, their channels side by side."""
    return joined([chain(x, steps) for steps in chains], name)


def joined(branches: list[Any], name: str | None = None) -> Any:
    """Channels side by side."""
    return layers.concatenate(branches, axis=_frame.channels(), name=name)
