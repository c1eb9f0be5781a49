"""Locally connected layers' products: a convolution with a kernel of its own at each place."""

from __future__ import annotations

from itertools import product
from typing import Any

import jax.numpy as jnp

from kjax.backend._ops import op
from kjax.backend._state import normalize_data_format
from kjax.backend._windows import check_rank, from_last, numbers, operands, output_length


@op
def local_conv1d(inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None) -> Any:
    """Convolution along time whose kernel differs from place to place.

    Arguments:
        inputs: `(samples, steps, channels)`.
        kernel: `(places, taps * channels, filters)`; `channels * taps` for channels first.
        kernel_size: number of taps, as a tuple of one int.
        strides: steps between windows, as a tuple of one int.
        data_format: where the channels are; `K.image_data_format()` if None.

    Raises:
        ValueError: for an unknown format, or shapes that do not fit.
    """
    return _local(inputs, kernel, 1, "local_conv1d", kernel_size, strides, None, data_format)


@op
def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    output_shape: Any,
    data_format: str | None = None,
) -> Any:
    """Convolution of images whose kernel differs from place to place.

    Arguments:
        inputs: `(samples, rows, columns, channels)`.
        kernel: `(places, window rows * window columns * channels, filters)`, the places row by row; for channels
            first, the channels are the first factor.
        kernel_size: rows and columns of a window.
        strides: cells between windows.
        output_shape: rows and columns of the result.
        data_format: where the channels are; `K.image_data_format()` if None.

    Raises:
        ValueError: for an unknown format, or shapes that do not fit.
    """
    return _local(inputs, kernel, 2, "local_conv2d", kernel_size, strides, output_shape, data_format)


def _local(
    x: Any, kernel: Any, count: int, name: str, kernel_size: Any, strides: Any, output: Any, data_format: str | None
) -> Any:
    data_format = normalize_data_format(data_format)
    sizes, strides = numbers(kernel_size, count, "kernel_size"), numbers(strides, count, "strides")
    x, kernel = operands(x, kernel)
    check_rank(x, count, name)
    first = data_format == "channels_first"
    lengths = x.shape[2:] if first else x.shape[1:-1]
    if output is None:
        output = tuple(output_length(n, k, s, (0, 0)) for n, k, s in zip(lengths, sizes, strides, strict=True))
    output = numbers(output, count, "output_shape")
    columns = _columns(x, sizes, strides, output, first)
    if kernel.shape[:-1] != columns.shape[:2]:
        raise ValueError(
            f"`{name}` expects a kernel of shape {(*columns.shape[:2], 'filters')} for {output} places, "
            f"received {tuple(kernel.shape)}."
        )
    y = jnp.einsum("pkn,pkf->npf", columns, kernel)
    return from_last(y.reshape((x.shape[0], *output, kernel.shape[-1])), data_format)


def _columns(x: Any, sizes: tuple[int, ...], strides: tuple[int, ...], output: tuple[int, ...], first: bool) -> Any:
    """`(places, cells of a window, samples)`: what each place sees."""
    taps: list[Any] = []
    for offset in product(*map(range, sizes)):
        spatial = [
            slice(start, start + (places - 1) * stride + 1, stride)
            for start, places, stride in zip(offset, output, strides, strict=True)
        ]
        taps.append(x[(slice(None), slice(None), *spatial)] if first else x[(slice(None), *spatial)])
    axis = 1 if first else -1
    stacked = jnp.stack([jnp.moveaxis(tap, axis, -1) for tap in taps], axis=-1 if first else -2)
    flat = stacked.reshape((x.shape[0], -1, stacked.shape[-1] * stacked.shape[-2]))
    return flat.transpose(1, 2, 0)
