"""`tf.io`: files, and the pictures and lines of text in them."""

from __future__ import annotations

from kjax.compat.tensorflow import _missing, gfile
from kjax.compat.tensorflow._files import (
    decode_bmp,
    decode_csv,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_raw,
    encode_jpeg,
    encode_png,
    matching_files,
    read_file,
    write_file,
)

__all__ = [
    "decode_bmp", "decode_csv", "decode_image", "decode_jpeg", "decode_png", "decode_raw", "encode_jpeg",
    "encode_png", "gfile", "matching_files", "read_file", "write_file",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.io", __all__)
