"""Global settings: float type, fuzz factor, data format and the folder of kjax's own files.

A setting lives in this module's memory. Nothing is written to disk and no file is read on import.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import jax
import numpy as np

DataFormat = Literal["channels_last", "channels_first"]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FORMATS = ("channels_last", "channels_first")

_floatx: str = "float32"
_epsilon: float = 1e-7
_image_data_format: DataFormat = "channels_last"


def floatx() -> str:
    """Name of the float type that weights and inputs have by default: `'float32'` unless it was changed."""
    return _floatx


def set_floatx(floatx: str) -> None:
    """Set the default float type.

    `'float64'` also switches JAX to 64 bits, since JAX otherwise computes in 32.

    Arguments:
        floatx: `'float16'`, `'bfloat16'`, `'float32'` or `'float64'`.

    Raises:
        ValueError: for any other name.
    """
    global _floatx
    if floatx not in _FLOATS:
        raise ValueError(f"Unknown floatx type: {floatx}. It must be one of {', '.join(_FLOATS)}.")
    if floatx == "float64":
        jax.config.update("jax_enable_x64", True)
    _floatx = floatx


def epsilon() -> float:
    """The small number that guards divisions and logarithms: 1e-7 unless it was changed."""
    return _epsilon


def set_epsilon(e: float) -> None:
    """Set the small number that guards divisions and logarithms."""
    global _epsilon
    _epsilon = float(e)


def image_data_format() -> DataFormat:
    """Where images keep their channels by default: `'channels_last'` unless it was changed."""
    return _image_data_format


def set_image_data_format(data_format: DataFormat) -> None:
    """Set where images keep their channels.

    Arguments:
        data_format: `'channels_last'` for (rows, columns, channels), `'channels_first'` for (channels, rows, columns).

    Raises:
        ValueError: for any other name.
    """
    global _image_data_format
    if data_format not in _FORMATS:
        raise ValueError(f"Unknown data_format: {data_format}. It must be one of {', '.join(_FORMATS)}.")
    _image_data_format = data_format


def cast_to_floatx(x: object) -> np.ndarray:
    """`x` as a numpy array of the default float type."""
    return np.asarray(x, dtype=_floatx)


def home() -> Path:
    """Folder of kjax's own files: the environment's `KJAX_HOME`, else `~/.kjax`. It may not exist yet."""
    return Path(os.environ.get("KJAX_HOME") or Path.home() / ".kjax")
