"""Arguments and lengths of windows that slide: convolutions, pooling, and their inverses."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

_PADDINGS = ("valid", "same", "causal")
_LENGTHENING = (*_PADDINGS, "full")


def _unknown(padding: Any) -> str:
    return f"Unknown padding: {padding!r}."


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """`n` integers: `value` itself, or one integer repeated.

    Arguments:
        value: an integer, or `n` of them.
        n: how many.
        name: what an error calls the argument.

    Raises:
        ValueError: if it is neither.
    """
    items: list[Any] = list(value) if np.iterable(value) else [value] * n
    try:
        numbers = tuple(operator.index(item) for item in items)
    except TypeError:
        numbers = ()
    if len(numbers) != n:
        raise ValueError(f"The `{name}` argument must be a tuple of {n} integers. Received: {value}")
    return numbers


def normalize_padding(value: Any) -> str:
    """The name of a padding in lower case.

    Raises:
        ValueError: for an unknown one.
    """
    padding = str(value).lower()
    if padding not in _PADDINGS:
        raise ValueError(
            f'The `padding` argument must be one of "valid", "same" (or "causal", only for `Conv1D`). Received: {value}'
        )
    return padding


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """How many places a window has along an axis; None if its length is not known.

    Arguments:
        input_length: length of the axis.
        filter_size: length of the window.
        padding: `'valid'`, `'same'`, `'causal'` or `'full'`.
        stride: distance of two places.
        dilation: distance of two taps of the window.

    Raises:
        AssertionError: for another padding.
    """
    assert padding in _LENGTHENING, _unknown(padding)
    if input_length is None:
        return None
    spread = (filter_size - 1) * dilation
    length = {
        "same": input_length,
        "causal": input_length,
        "valid": input_length - spread,
        "full": input_length + spread,
    }[padding]
    return (length + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """A length of the input for which `conv_output_length` gives `output_length`.

    Raises:
        AssertionError: for another padding than `'valid'`, `'same'` or `'full'`.
    """
    assert padding in ("valid", "same", "full"), _unknown(padding)
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int | None:
    """Length of an axis after a transposed convolution; None if its length before is not known.

    Arguments:
        dim_size: length before.
        stride_size: by how much the axis grows.
        kernel_size: length of the kernel.
        padding: `'valid'`, `'same'` or `'full'`.
        output_padding: what is added at the end; chosen by the padding if None.
        dilation: distance of two taps of the kernel.

    Raises:
        AssertionError: for another padding.
    """
    assert padding in ("valid", "same", "full"), _unknown(padding)
    if dim_size is None:
        return None
    kernel_size += (kernel_size - 1) * (dilation - 1)
    if output_padding is None:
        extra = {
            "valid": max(kernel_size - stride_size, 0),
            "same": 0,
            "full": 2 - stride_size - kernel_size,
        }[padding]
        return dim_size * stride_size + extra
    pad = {"same": kernel_size // 2, "valid": 0, "full": kernel_size - 1}[padding]
    return (dim_size - 1) * stride_size + kernel_size - 2 * pad + output_padding


def convert_kernel(kernel: Any) -> np.ndarray:
    """A kernel of Theano for TensorFlow's convolution, or the other way: all axes but the last two reversed.

    Raises:
        ValueError: if it has not 3 to 5 axes.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"Invalid kernel shape: {kernel.shape}. A kernel of a convolution has 3 to 5 axes.")
    return np.copy(np.flip(kernel, tuple(range(kernel.ndim - 2))))
