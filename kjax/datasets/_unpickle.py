"""Reads the pickled batches of CIFAR without letting the pickle name anything that runs.

A batch is a dict of plain values and one uint8 array. The few names by which numpy pickles an array are
answered with the stand-ins of this file, which only take notes; the array is built afterwards, from the
notes, once they have been checked.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np


class _Dtype:
    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code.decode("latin1") if isinstance(code, bytes) else code

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment mean nothing for single bytes."""


class _Array:
    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def build(self) -> np.ndarray:
        if not (isinstance(self.state, tuple) and len(self.state) == 5):
            raise ValueError("its array is not written as numpy writes arrays")
        _, shape, dtype, fortran, data = self.state
        sides_are_plain = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if not sides_are_plain or not isinstance(dtype, _Dtype) or dtype.code not in ("u1", "|u1", "B"):
            raise ValueError("its array is not one of unsigned bytes")
        size = 1
        for side in shape:
            size *= side
        if not isinstance(data, bytes) or len(data) != size:
            raise ValueError(f"its array of shape {shape} does not have {size:,} bytes")
        return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C")


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("it encodes text otherwise than numpy does")
    return text.encode("latin1")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


_NAMES: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR batch needs") from None


def read_batch(data: bytes) -> dict[str, Any]:
    """The dict of a pickled batch, its keys as str, its array as numpy.

    Raises:
        ValueError: anything but such a dict.
    """
    try:
        batch = _Reader(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise nearly any type
        raise ValueError(f"its pickle cannot be read: {error}") from error
    if not isinstance(batch, dict):
        raise ValueError(f"its pickle holds {type(batch).__name__}, expected dict")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): value.build()
        if isinstance(value, _Array)
        else value
        for key, value in batch.items()
    }
