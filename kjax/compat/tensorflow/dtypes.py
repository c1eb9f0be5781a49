"""`tf.float32` and the like: strings, as Keras takes dtypes, with the attributes of TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax.compat.tensorflow import _missing


class DType(str):
    """The name of a dtype."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The plain string."""
        return str.__str__(self)

    @property
    def as_numpy_dtype(self) -> Any:
        """The numpy scalar type, as TensorFlow gives it."""
        if self == "bfloat16":
            import ml_dtypes

            return ml_dtypes.bfloat16
        return np.dtype("object" if self == "string" else self.name).type

    @property
    def is_floating(self) -> bool:
        """True for real floating point types."""
        return "float" in self

    @property
    def is_integer(self) -> bool:
        """True for signed and unsigned integers."""
        return self.startswith(("int", "uint"))

    @property
    def is_bool(self) -> bool:
        """True for `tf.bool`."""
        return self == "bool"

    def __repr__(self) -> str:
        return f"tf.{self.name}"


bfloat16 = DType("bfloat16")
float16 = half = DType("float16")
float32 = DType("float32")
float64 = double = DType("float64")
int8, int16, int32, int64 = DType("int8"), DType("int16"), DType("int32"), DType("int64")
uint8, uint16, uint32, uint64 = DType("uint8"), DType("uint16"), DType("uint32"), DType("uint64")
complex64, complex128 = DType("complex64"), DType("complex128")
bool_ = DType("bool")
string = DType("string")


def as_dtype(value: Any) -> DType:
    """`value` (a name, a numpy dtype or type) as one of the dtypes above."""
    return value if isinstance(value, DType) else DType(value if isinstance(value, str) else np.dtype(value).name)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`tf.cast`."""
    from kjax.compat.tensorflow import arrays

    return arrays.cast(x, dtype, name)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """`tf.saturate_cast`."""
    from kjax.compat.tensorflow import _more_math

    return _more_math.saturate_cast(value, dtype, name)


def __getattr__(name: str) -> Any:
    if name == "bool":  # no name of this module's own, which uses Python's
        return bool_
    raise _missing.complaint("tensorflow.dtypes", name, __all__)


__all__ = [
    "DType", "as_dtype", "bfloat16", "complex64", "complex128", "double", "float16", "float32", "float64", "half",
    "int8", "int16", "int32", "int64", "string", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip
