"""Where windows lie: paddings, strides and output lengths of convolution and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import jax.numpy as jnp

from kjax._core import operators
from kjax.backend._ops import array, float_array

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


class Window(NamedTuple):
    """How a window moves over an input: one number (or pair) for each spatial axis.

    Attributes:
        lengths: cells of the input.
        sizes: taps of the window.
        strides: cells from one window to the next.
        pads: cells of zeros before and after the input.
        dilations: cells from one tap to the next.
    """

    lengths: Ints
    sizes: Ints
    strides: Ints
    pads: Pairs
    dilations: Ints

    @property
    def rank(self) -> int:
        return len(self.sizes)

    @property
    def outputs(self) -> Ints:
        """How many windows fit."""
        return tuple(map(output_length, self.lengths, self.sizes, self.strides, self.pads, self.dilations))

    @property
    def always(self) -> Ints | None:
        """A tap that sees a cell of the input, and no padding, wherever the window lies; None if there is none."""
        taps: list[int] = []
        for length, size, stride, pad, dilation, cells in zip(*self, self.outputs, strict=True):
            tap = -(-max(pad[0], 0) // dilation)
            if tap >= size or (cells - 1) * stride + tap * dilation - pad[0] >= length:
                return None
            taps.append(tap)
        return tuple(taps)

    def axis(self, start: int, stop: int | None = None) -> Window:
        """The window along the axes from `start` to `stop` alone."""
        part = slice(start, stop)
        return Window(self.lengths[part], self.sizes[part], self.strides[part], self.pads[part], self.dilations[part])


def numbers(value: Any, count: int, name: str) -> Ints:
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


def make_window(
    padding: str, lengths: Sequence[int], sizes: Sequence[int], strides: Ints, dilations: Ints | None = None
) -> Window:
    """A window with its padding by name.

    `'same'` gives `ceil(length / stride)` windows and puts the odd cell behind, as TensorFlow does.

    Arguments:
        padding: `'valid'`, `'same'`, or `'causal'` for a single axis.
        lengths, sizes, strides, dilations: one number an axis; dilations of 1 if None.

    Raises:
        ValueError: for another padding, or if a window is larger than a `'valid'` input.
    """
    dilations = dilations or (1,) * len(sizes)
    name = str(padding).lower()
    spans = tuple(map(extent, sizes, dilations))
    if name == "causal" and len(spans) == 1:
        pads: Pairs = ((spans[0] - 1, 0),)
    elif name == "valid":
        for length, span in zip(lengths, spans, strict=True):
            if length < span:
                raise ValueError(
                    f"Negative dimension size caused by subtracting {span} from {length}: the window spans "
                    f"{spans} cells of an input of {tuple(lengths)}. Use a smaller window or padding='same'."
                )
        pads = ((0, 0),) * len(spans)
    elif name == "same":
        pads = tuple(map(_same, lengths, spans, strides))
    else:
        raise ValueError(f"Invalid padding: {padding}. Expected 'valid' or 'same' ('causal' in one dimension).")
    return Window(tuple(lengths), tuple(sizes), strides, pads, dilations)


def _same(length: int, span: int, stride: int) -> tuple[int, int]:
    total = max((-(-length // stride) - 1) * stride + span - length, 0)
    return total // 2, total - total // 2


def to_last(x: Any, data_format: str) -> Any:
    """A batch with its channels as the last axis."""
    return jnp.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def from_last(x: Any, data_format: str) -> Any:
    """A batch with channels last, in the format asked for."""
    return jnp.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def operands(x: Any, *kernels: Any) -> tuple[Any, ...]:
    """An input and its kernels as float arrays of the same type."""
    arrays = [float_array(x), *map(array, kernels)]
    widest = reduce(lambda a, b: a if operators.common_dtype(a, b) == a.dtype else b, arrays)
    return tuple(a.astype(widest.dtype) for a in arrays)


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
