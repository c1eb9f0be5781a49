"""Convolutions: plain, transposed, depthwise and separable.

A kernel is `(window..., channels, filters)`, that of a transposed convolution `(window..., filters, channels)`. A
channel count that is a multiple of the kernel's gives a convolution in groups.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax._core import operators
from kjax.backend import _lowerings
from kjax.backend._channels import spread
from kjax.backend._ops import array, op
from kjax.backend._state import normalize_data_format
from kjax.backend._windows import check_rank, from_last, make_window, numbers, operands, to_last


def _convolve(
    x: Any,
    kernel: Any,
    count: int,
    name: str,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any,
    bias: Any = None,
) -> Any:
    data_format = normalize_data_format(data_format)
    strides, dilation = numbers(strides, count, "strides"), numbers(dilation, count, "dilation_rate")
    x, kernel = operands(x, kernel)
    check_rank(x, count, name)
    x = to_last(x, data_format)
    channels, expected = x.shape[-1], kernel.shape[-2]
    if channels % expected or kernel.shape[-1] % (channels // expected):
        raise ValueError(
            f"`{name}` received {channels} channels and a kernel of shape {tuple(kernel.shape)}, "
            f"which is for {expected} channels and {kernel.shape[-1]} filters."
        )
    window = make_window(padding, x.shape[1:-1], kernel.shape[:count], strides, dilation)
    groups = channels // expected
    y = _lowerings.convolve_biased(x, kernel, bias, window) if bias is not None and groups == 1 else None
    if y is None:
        y = _lowerings.convolve(x, kernel, window, groups)
        y = y if bias is None else operators.add(y, spread(bias, y.shape) if bias.dtype == y.dtype else bias)
    return from_last(y, data_format)


@op
def convolve(
    x: Any, kernel: Any, bias: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Any:
    """`conv1d`, `conv2d` or `conv3d` by the kernel's rank, plus a number for each filter if `bias` is not None.

    On a CPU the gradients of both come from one pass over what comes back.
    """
    count = kernel.ndim - 2
    bias = None if bias is None else array(bias)
    return _convolve(x, kernel, count, f"conv{count}d", strides, padding, data_format, dilation_rate, bias)


@op
def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution along time.

    Arguments:
        x: `(samples, steps, channels)`.
        kernel: `(taps, channels, filters)`.
        strides: steps between windows.
        padding: `'valid'`, `'same'`, or `'causal'`: a result sees no later step.
        data_format: where the channels are; `K.image_data_format()` if None.
        dilation_rate: steps between the taps of a window.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    return _convolve(x, kernel, 1, "conv1d", strides, padding, data_format, dilation_rate)


@op
def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolution of images.

    Arguments:
        x: `(samples, rows, columns, channels)`.
        kernel: `(rows, columns, channels, filters)`.
        strides: cells between windows.
        padding: `'valid'` or `'same'`.
        data_format: where the channels are; `K.image_data_format()` if None.
        dilation_rate: cells between the taps of a window.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    return _convolve(x, kernel, 2, "conv2d", strides, padding, data_format, dilation_rate)


@op
def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:
    """Convolution of volumes, with one more axis in front of the rows. Arguments as for `conv2d`."""
    return _convolve(x, kernel, 3, "conv3d", strides, padding, data_format, dilation_rate)


def _transpose(
    x: Any,
    kernel: Any,
    count: int,
    name: str,
    output_shape: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any,
) -> Any:
    data_format = normalize_data_format(data_format)
    strides, dilation = numbers(strides, count, "strides"), numbers(dilation, count, "dilation_rate")
    x, kernel = operands(x, kernel)
    check_rank(x, count, name)
    x = to_last(x, data_format)
    shape = tuple(output_shape)
    lengths = tuple(int(n) for n in (shape[2:] if data_format == "channels_first" else shape[1:-1]))
    if x.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            f"`{name}` received {x.shape[-1]} channels and a kernel of shape {tuple(kernel.shape)}, "
            f"which is for {kernel.shape[-1]} channels."
        )
    window = make_window(padding, lengths, kernel.shape[:count], strides, dilation)
    if window.outputs != x.shape[1:-1]:
        raise ValueError(
            f"`{name}` cannot give an output of {lengths} cells: with strides {strides}, padding {padding!r} and a "
            f"kernel of {window.sizes} that comes from {window.outputs} cells, and the input has {x.shape[1:-1]}."
        )
    return from_last(_lowerings.convolve_transposed(x, kernel, window), data_format)


@op
def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Transposed convolution of images: the gradient of `conv2d`, from output to input.

    Arguments:
        x: `(samples, rows, columns, channels)`.
        kernel: `(rows, columns, filters, channels)`.
        output_shape: shape of the result; the number of samples in it may be None.
        strides: cells of the result between windows.
        padding: `'valid'` or `'same'`.
        data_format: where the channels are; `K.image_data_format()` if None.
        dilation_rate: cells between the taps of a window.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    return _transpose(x, kernel, 2, "conv2d_transpose", output_shape, strides, padding, data_format, dilation_rate)


@op
def conv1d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution of sequences. Arguments as for `conv2d_transpose`."""
    return _transpose(x, kernel, 1, "conv1d_transpose", output_shape, strides, padding, data_format, dilation_rate)


@op
def conv3d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Transposed convolution of volumes. Arguments as for `conv2d_transpose`."""
    return _transpose(x, kernel, 3, "conv3d_transpose", output_shape, strides, padding, data_format, 1)


def _depthwise(
    x: Any, kernel: Any, count: int, name: str, strides: Any, padding: str, data_format: str, dilation: Any
) -> Any:
    strides, dilation = numbers(strides, count, "strides"), numbers(dilation, count, "dilation_rate")
    check_rank(x, count, name)
    x = to_last(x, data_format)
    if x.shape[-1] != kernel.shape[-2]:
        raise ValueError(
            f"`{name}` received {x.shape[-1]} channels and a depthwise kernel of shape {tuple(kernel.shape)}, "
            f"which is for {kernel.shape[-2]} channels."
        )
    window = make_window(padding, x.shape[1:-1], kernel.shape[:count], strides, dilation)
    return _lowerings.depthwise(x, kernel, window)


@op
def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolution of each channel with its own kernels: channel `c` gives the results `c * multiplier + m`.

    Arguments:
        x: `(samples, rows, columns, channels)`.
        depthwise_kernel: `(rows, columns, channels, multiplier)`.
        strides, padding, data_format, dilation_rate: as for `conv2d`.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    data_format = normalize_data_format(data_format)
    x, kernel = operands(x, depthwise_kernel)
    y = _depthwise(x, kernel, 2, "depthwise_conv2d", strides, padding, data_format, dilation_rate)
    return from_last(y, data_format)


@op
def depthwise_conv1d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution of each channel of sequences with its own kernels. Arguments as for `depthwise_conv2d`."""
    data_format = normalize_data_format(data_format)
    x, kernel = operands(x, depthwise_kernel)
    y = _depthwise(x, kernel, 1, "depthwise_conv1d", strides, padding, data_format, dilation_rate)
    return from_last(y, data_format)


def _separable(
    x: Any,
    depthwise: Any,
    pointwise: Any,
    count: int,
    name: str,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation: Any,
) -> Any:
    data_format = normalize_data_format(data_format)
    x, depthwise, pointwise = operands(x, depthwise, pointwise)
    y = _depthwise(x, depthwise, count, name, strides, padding, data_format, dilation)
    if pointwise.shape[:-1] != (*(1,) * count, y.shape[-1]):
        raise ValueError(
            f"`{name}` expects a pointwise kernel of shape {(*(1,) * count, y.shape[-1], 'filters')}, "
            f"received {tuple(pointwise.shape)}."
        )
    y = jnp.matmul(y, pointwise.reshape(pointwise.shape[-2:]))
    return from_last(y, data_format)


@op
def separable_conv1d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Convolution of each channel along time, then a matrix product over the channels.

    Arguments:
        x: `(samples, steps, channels)`.
        depthwise_kernel: `(taps, channels, multiplier)`.
        pointwise_kernel: `(1, channels * multiplier, filters)`.
        strides, padding, data_format, dilation_rate: as for `conv1d`.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    return _separable(
        x,
        depthwise_kernel,
        pointwise_kernel,
        1,
        "separable_conv1d",
        strides,
        padding,
        data_format,
        dilation_rate,
    )


@op
def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Convolution of each channel of images, then a matrix product over the channels.

    Arguments:
        x: `(samples, rows, columns, channels)`.
        depthwise_kernel: `(rows, columns, channels, multiplier)`.
        pointwise_kernel: `(1, 1, channels * multiplier, filters)`.
        strides, padding, data_format, dilation_rate: as for `conv2d`.

    Raises:
        ValueError: for unknown names, or shapes that do not fit.
    """
    return _separable(
        x,
        depthwise_kernel,
        pointwise_kernel,
        2,
        "separable_conv2d",
        strides,
        padding,
        data_format,
        dilation_rate,
    )
