"""What selects by values: the length of a result depends on them. Programs with these run operation by operation."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core.concrete import value_of
from kjax._core.dims import Shape
from kjax._core.tensors import Tensor
from kjax.backend._ops import array
from kjax.compat.tensorflow._arguments import convert, dtype_name, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._sparse import SparseTensor
from kjax.compat.tensorflow.arrays import gather, is_told


def places(condition: Any, name: str | None = None) -> Any:
    """The places (count, axes) where a condition holds: `tf.where` with one argument."""
    return node("Where", lambda c: jnp.asarray(np.argwhere(value_of(c)), dtype_name("int64")), condition, name=name)


def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> Any:
    """The elements where a mask is true. The mask covers some axes of the tensor, from `axis` on.

    A mask that is known while the graph is built gives a shape that is known.
    """
    first = int(static(axis or 0))
    if is_told(mask) and not isinstance(mask, jax.Array) and np.ndim(mask) == 1:
        return gather(tensor, np.flatnonzero(np.asarray(mask)), name=name, axis=first)

    def kept(x: Any, mask: Any) -> Any:
        x, mask = array(x), value_of(mask)
        behind = first + mask.ndim
        flat = x.reshape(*x.shape[:first], -1, *x.shape[behind:])
        return jnp.take(flat, np.flatnonzero(mask), axis=first)

    return node("boolean_mask", kept, convert(tensor), convert(mask), name=name)


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Any:
    """The values of a vector, each once, in their first order; and which of these each element is."""
    return node("Unique", lambda x: _unique(x, dtype_name(out_idx))[:2], convert(x), name=name)


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> Any:
    """`unique`, and how often each value occurs."""
    return node("UniqueWithCounts", lambda x: _unique(x, dtype_name(out_idx)), convert(x), name=name)


def _unique(x: Any, kind: Any) -> tuple[Any, Any, Any]:
    _, first, which, counts = np.unique(value_of(x), return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    return array(x)[first[order]], jnp.asarray(rank[which], kind), jnp.asarray(counts[order], kind)


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Any]:
    """The rows of a tensor, in as many parts; `partitions` tells the part of each row."""
    count = int(static(num_partitions))

    def parts(x: Any, part: Any) -> list[Any]:
        x, part = array(x), value_of(part)
        flat = x.reshape(-1, *x.shape[part.ndim :])
        return [flat[np.flatnonzero(part.ravel() == i)] for i in np.arange(count)]

    return node("DynamicPartition", parts, convert(data), convert(partitions), name=name)


class sets:
    """`tf.sets`: the last axis of two tensors as sets of numbers, row by row."""

    @staticmethod
    def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
        """What is in both."""
        return _combined(np.intersect1d, a, b)

    @staticmethod
    def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
        """What is in one or the other."""
        return _combined(np.union1d, a, b)

    @staticmethod
    def set_difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
        """What is in the first and not in the second; the other way round without `aminusb`."""
        return _combined(np.setdiff1d, *((a, b) if aminusb else (b, a)))


def _combined(combine: Any, a: Any, b: Any) -> SparseTensor:
    def found(a: Any, b: Any) -> Any:
        first, second = value_of(a), value_of(b)
        rows = first.shape[:-1]
        pairs = zip(first.reshape(-1, first.shape[-1]), second.reshape(-1, second.shape[-1]), strict=True)
        sets = [combine(x, y) for x, y in pairs]
        at = [(*np.unravel_index(i, rows), j) for i, values in enumerate(sets) for j in np.arange(len(values))]
        longest = max((len(values) for values in sets), default=0)
        return (
            jnp.asarray(np.array(at, int).reshape(len(at), first.ndim), dtype_name("int64")),
            jnp.asarray(np.concatenate([*sets, first.ravel()[:0]]), first.dtype),
            jnp.asarray([*rows, longest], dtype_name("int64")),
        )

    return SparseTensor(*node("DenseToDenseSetOperation", found, convert(a), convert(b)))


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = -np.inf,
    name: str | None = None,
) -> Any:  # fmt: skip
    """The numbers of the best boxes of which no two overlap much, best first.

    Arguments:
        boxes: (count, 4), two opposite corners (y, x, y, x) each.
        scores: (count,).
        max_output_size: the largest number of boxes that are chosen.
        iou_threshold: the largest intersection over union of two that are chosen.
        score_threshold: a box with no higher score is not chosen.
    """

    def chosen(boxes: Any, scores: Any, most: Any, overlap: Any, least: Any) -> Any:
        corners, scores = value_of(boxes), value_of(scores)
        order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > float(least)]
        kept = _apart(corners.reshape(-1, 2, 2), order, int(most), float(overlap))
        return jnp.asarray(np.array(kept, int), jnp.int32)

    return node(
        "NonMaxSuppression", chosen, convert(boxes), convert(scores), max_output_size, iou_threshold, score_threshold,
        name=name,
    )  # fmt: skip


def _apart(corners: np.ndarray, order: list[Any], most: int, overlap: float) -> list[Any]:
    """Those of the boxes in `order` that overlap none before them by more."""
    low, high = corners.min(1), corners.max(1)
    area = (high - low).prod(1)
    kept: list[Any] = []
    waiting = np.array(order, int)
    while len(waiting) and len(kept) < most:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        sides = np.minimum(high[best], high[waiting]) - np.maximum(low[best], low[waiting])
        common = np.maximum(sides, 0).prod(1)
        union = area[best] + area[waiting] - common
        waiting = waiting[~(common > overlap * union) | (area[waiting] <= 0) | (area[best] <= 0)]
    return kept


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None) -> Any:
    """True for the first `lengths[i]` of `maxlen` places; of as many as the longest has if None."""
    most, wanted = static(maxlen), dtype_name(dtype)

    def mask(lengths: Any) -> Any:
        places = int(value_of(lengths).max()) if most is None else most
        ends = array(lengths)[..., None]
        return (jnp.arange(places).reshape((1,) * (ends.ndim - 1) + (-1,)) < ends).astype(wanted)

    made = node("SequenceMask", mask, lengths, name=name)
    if most is None and isinstance(made, Tensor):  # examples of whole numbers are 0 and 1: they do not show it
        made.shape = Shape([*made.shape[:-1], None])
    return made


__all__ = ["boolean_mask", "dynamic_partition", "sequence_mask", "sets", "unique", "unique_with_counts"]
