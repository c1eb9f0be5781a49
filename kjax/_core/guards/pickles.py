"""The two kinds of pickles that data sets of Keras are kept in, read without letting them name anything that runs.

The reader knows the few operations that numpy needs, and no other. The few names by which numpy pickles an array are
answered with stand-ins that only take notes; the array is built afterwards, from the notes, once they were checked.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from kjax._core.guards._budget import Refused

_MAX_NUMBERS = 1 << 26

_OPERATIONS = (
    "PROTO FRAME STOP GLOBAL STACK_GLOBAL REDUCE BUILD MARK TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_TUPLE EMPTY_LIST LIST "
    "APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS INT BININT BININT1 BININT2 LONG LONG1 NONE NEWTRUE NEWFALSE "
    "BINUNICODE SHORT_BINUNICODE STRING UNICODE BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES PUT BINPUT "
    "LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET"
)

# The one written in Python: it keeps what it remembers in a dictionary, where the other one makes room for as many
# things as a pickle announces.
_Base: Any = vars(pickle)["_Unpickler"]


class _Dtype:
    def __init__(self, code: Any = None, *_: Any) -> None:
        self.code = code.decode("latin1") if isinstance(code, bytes) else code

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment mean nothing for single bytes and for objects."""


class _Array:
    state: Any = None

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def parts(self) -> tuple[tuple[int, ...], Any, bool, Any]:
        """Shape, code of the type, whether the first axis varies fastest, and the data."""
        if not (isinstance(self.state, tuple) and len(self.state) == 5 and isinstance(self.state[2], _Dtype)):
            raise Refused("its array is not written as numpy writes arrays")
        _, shape, dtype, fortran, data = self.state
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise Refused("its array has no valid shape")
        return shape, dtype.code, bool(fortran), data

    def numbers(self) -> np.ndarray:
        shape, code, fortran, data = self.parts()
        if code not in ("u1", "|u1", "B"):
            raise Refused("its array is not one of unsigned bytes")
        size = 1
        for side in shape:
            size *= side
        if not isinstance(data, bytes) or len(data) != size:
            raise Refused(f"its array of shape {shape} does not have {size:,} bytes")
        return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C")

    def lists(self) -> list[list[int]]:
        shape, code, _, items = self.parts()
        if code not in ("O8", "O4", "|O", "O") or not isinstance(items, list) or shape != (len(items),):
            raise Refused("its pickle does not hold an array of lists")
        if wrong := [type(item).__name__ for item in items if type(item) is not list]:
            raise Refused(f"its pickle holds {wrong[0]} where a list was expected")
        if sum(map(len, items)) > _MAX_NUMBERS:  # a short pickle can name one long list many times
            raise Refused(f"it holds more than {_MAX_NUMBERS:,} numbers")
        for item in items:
            if not all(type(number) is int and 0 <= number < 2**31 for number in item):
                raise Refused("one of its lists holds something else than numbers")
        return items


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


class _Reader(_Base):
    dispatch = {  # noqa: RUF012  # the base class looks its operations up here
        code: _Base.dispatch[code] for code in (getattr(pickle, name)[0] for name in _OPERATIONS.split())
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array of numbers needs") from None


def _read(data: bytes) -> Any:
    try:
        return _Reader(io.BytesIO(data), encoding="bytes").load()
    except KeyError as error:
        raise Refused(f"its pickle cannot be read: no array of numbers needs the operation {error}") from error
    except Exception as error:  # a damaged pickle can raise nearly any type
        raise Refused(f"its pickle cannot be read: {error}") from error


def read_lists(data: bytes) -> list[list[int]]:
    """The lists of a pickled array of lists of whole numbers.

    Raises:
        Refused: for anything else.
    """
    array = _read(data)
    if not isinstance(array, _Array):
        raise Refused("its pickle does not hold an array")
    return array.lists()


def read_batch(data: bytes) -> dict[str, Any]:
    """A pickled dict of plain values and arrays of unsigned bytes, its keys as str.

    Raises:
        Refused: for anything else.
    """
    batch = _read(data)
    if not isinstance(batch, dict):
        raise Refused(f"its pickle holds {type(batch).__name__}, expected dict")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): value.numbers()
        if isinstance(value, _Array)
        else value
        for key, value in batch.items()
    }
