"""The part of TensorFlow's names that old Keras scripts use beside `tf.keras`, on kjax.

A name is added by defining it in a module here and importing it below; `tensorflow`, `tensorflow.python` and
`tensorflow.compat.v1` are all this one module.
"""

from __future__ import annotations

import sys
from typing import Any

from kjax.compat.tensorflow import compat, nn, random
from kjax.compat.tensorflow.arrays import one_hot
from kjax.compat.tensorflow.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    bool_,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from kjax.compat.tensorflow.random import set_random_seed

# Scripts compare the first digits; the part after "+" says whose this is.
__version__ = "2.3.0+kjax"
VERSION = __version__

python = sys.modules[__name__]
keras = sys.modules["kjax"]
bool = bool_

__all__ = [
    "DType",
    "VERSION",
    "as_dtype",
    "bfloat16",
    "bool",
    "compat",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "keras",
    "nn",
    "one_hot",
    "python",
    "random",
    "set_random_seed",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"tensorflow.{name} is not there: this tensorflow is kjax's, which offers only "
        "a subset of TensorFlow beside tf.keras"
    )
