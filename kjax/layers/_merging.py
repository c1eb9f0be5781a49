"""Shapes and masks of several tensors that become one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax._core import operators


def as_list(input_shape: Any) -> list[tuple[Any, ...]] | None:
    """A list of shapes as it is; None for the one shape of a single tensor."""
    if isinstance(input_shape, (list, tuple)) and input_shape and isinstance(input_shape[0], (list, tuple)):
        return [tuple(shape) for shape in input_shape]
    return None


def broadcast(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape that two shapes, without the batch, broadcast to.

    Raises:
        ValueError: if there is none.
    """
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    lead = len(longer) - len(shorter)
    shape = list(longer[:lead])
    for i, j in zip(longer[lead:], shorter, strict=True):
        if None in (i, j):
            shape.append(None)
        elif i != j and 1 not in (i, j):
            raise ValueError(f"Operands could not be broadcast together with shapes {first} {second}")
        else:
            shape.append(j if i == 1 else i)
    return tuple(shape)


def known_lengths(shapes: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The shapes with unknown lengths replaced by those that the others have there, None where none is known."""
    rank = max(map(len, shapes))
    gaps = [rank - len(shape) for shape in shapes]
    aligned = [shape[:1] + (1,) * gap + shape[1:] for shape, gap in zip(shapes, gaps, strict=True)]
    known = [max({d for d in dims if d is not None} - {1}, default=None) for dims in zip(*aligned, strict=True)]
    filled = [tuple(k if d is None else d for d, k in zip(s, known, strict=True)) for s in aligned]
    return [shape[:1] + shape[1 + gap :] for shape, gap in zip(filled, gaps, strict=True)]


def without(shape: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def masks_of(inputs: Any, mask: Any) -> list[Any]:
    """The masks of the inputs, one each, None for an input that has none.

    Raises:
        ValueError: if there are not as many masks as inputs.
    """
    if mask is None:
        return []
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"`{name}` should be a list. Got {type(value).__name__}.")
    if len(mask) != len(inputs):
        raise ValueError(
            f"The lists `inputs` and `mask` should have the same length. "
            f"Got {len(inputs)} inputs and {len(mask)} masks."
        )
    return list(mask)


def all_of(masks: list[Any]) -> Any:
    """True where every mask is."""
    return functools.reduce(operators.logical_and, [jnp.asarray(m, bool) for m in masks])


def spread(mask: Any, shape: tuple[int, ...]) -> Any:
    """A mask with an entry for every value of its input; no mask counts everything."""
    if mask is None:
        return jnp.ones(shape, bool)
    mask = jnp.asarray(mask, bool)
    return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)
