"""Where windows lie: paddings, strides and output lengths of convolution and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax._core import operators
from kjax.backend._ops import array, float_array

Pairs = tuple[tuple[int, int], ...]


def numbers(value: Any, count: int, name: str) -> tuple[int, ...]:
    """One int a spatial axis, from an int for all of them or a sequence.

    Raises:
        ValueError: if it has another length, or a number below 1.
    """
    given = (value,) * count if isinstance(value, int) else tuple(int(n) for n in value)
    if len(given) != count or any(n < 1 for n in given):
        raise ValueError(f"`{name}` must be {count} integers of at least 1, or one for all. Received: {value}")
    return given


def extent(size: int, dilation: int) -> int:
    """How many cells a window of `size` taps spans."""
    return (size - 1) * dilation + 1


def output_length(length: int, size: int, stride: int, pads: tuple[int, int], dilation: int = 1) -> int:
    """How many windows fit into an axis."""
    return max((length + sum(pads) - extent(size, dilation)) // stride + 1, 0)


def paddings(
    padding: str, lengths: Sequence[int], sizes: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Pairs:
    """Cells to add before and after each axis.

    `'same'` gives `ceil(length / stride)` windows and puts the odd cell behind, as TensorFlow does.

    Arguments:
        padding: `'valid'`, `'same'`, or `'causal'` for a single axis.
        lengths, sizes, strides, dilations: of the input, of the window, and how it moves; one number an axis.

    Raises:
        ValueError: for another padding, or if a window is larger than a `'valid'` input.
    """
    name = str(padding).lower()
    spans = [extent(size, dilation) for size, dilation in zip(sizes, dilations, strict=True)]
    if name == "causal" and len(spans) == 1:
        return ((spans[0] - 1, 0),)
    if name == "valid":
        for length, span in zip(lengths, spans, strict=True):
            if length < span:
                raise ValueError(
                    f"Negative dimension size caused by subtracting {span} from {length}: the window spans "
                    f"{tuple(spans)} cells of an input of {tuple(lengths)}. Use a smaller window or padding='same'."
                )
        return ((0, 0),) * len(spans)
    if name != "same":
        raise ValueError(f"Invalid padding: {padding}. Expected 'valid' or 'same' ('causal' in one dimension).")
    totals = [
        max((-(-length // stride) - 1) * stride + span - length, 0)
        for length, stride, span in zip(lengths, strides, spans, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)


def to_last(x: Any, data_format: str) -> Any:
    """A batch with its channels as the last axis."""
    return jnp.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def from_last(x: Any, data_format: str) -> Any:
    """A batch with channels last, in the format asked for."""
    return jnp.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def operands(x: Any, *kernels: Any) -> tuple[Any, ...]:
    """An input and its kernels as float arrays of the same type."""
    x = float_array(x)
    arrays = [array(kernel) for kernel in kernels]
    dtype = x.dtype
    for kernel in arrays:
        dtype = operators.common_dtype(jnp.zeros((), dtype), kernel)
    return (x.astype(dtype), *(kernel.astype(dtype) for kernel in arrays))


def check_rank(x: Any, count: int, name: str) -> None:
    """Refuse a batch that has not `count` spatial axes.

    Raises:
        ValueError: if it has another number.
    """
    if x.ndim != count + 2:
        raise ValueError(
            f"`{name}` expects an input of {count + 2} axes (samples, {count} spatial, channels); "
            f"received one of shape {tuple(x.shape)}."
        )
