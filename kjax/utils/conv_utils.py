"""Arguments and lengths of convolutions, for layers that users write."""

from __future__ import annotations

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
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
]
