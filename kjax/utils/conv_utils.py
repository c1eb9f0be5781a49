"""Arguments and lengths of convolutions, for layers that users write."""

from __future__ import annotations

from typing import Any

from kjax.backend import normalize_data_format
from kjax.engine._geometry import (
    conv_input_length,
    conv_output_length,
    convert_kernel,
    deconv_length,
    normalize_padding,
    normalize_tuple,
)

__all__ = [
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "deconv_length",
    "deconv_output_length",
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
]


def deconv_output_length(
    input_length: int | None,
    filter_size: int,
    padding: str,
    output_padding: Any = None,
    stride: int = 0,
    dilation: int = 1,
) -> int | None:
    """`deconv_length` as tf.keras has it, with another order of arguments."""
    return deconv_length(input_length, stride, filter_size, padding, output_padding, dilation)
