"""Lists of numbers of different lengths in an npz file, where numpy keeps them as a pickle, read without risk.

The reader knows the few operations that numpy needs to pickle an array of lists, and no other. The names that such a
pickle contains are answered with stand-ins that only take notes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from kjax.datasets._unpickle import _NAMES, _Array, _Dtype

_MAX_BYTES = 1 << 28
_MAX_NUMBERS = 1 << 26

_OPERATIONS = (
    "PROTO FRAME STOP GLOBAL STACK_GLOBAL REDUCE BUILD MARK TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_TUPLE EMPTY_LIST LIST "
    "APPEND APPENDS INT BININT BININT1 BININT2 LONG LONG1 NONE NEWTRUE NEWFALSE BINUNICODE SHORT_BINUNICODE STRING "
    "UNICODE BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET"
)

# The one written in Python: it keeps what it remembers in a dictionary, where the other one makes room for as many
# things as a pickle announces.
_Base: Any = vars(pickle)["_Unpickler"]


class _Reader(_Base):
    dispatch = {  # noqa: RUF012  # the base class looks its operations up here
        code: _Base.dispatch[code] for code in (getattr(pickle, name)[0] for name in _OPERATIONS.split())
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no list of numbers needs") from None


def read_lists(data: bytes) -> list[list[int]]:
    """The lists of a pickled array of lists of whole numbers.

    Raises:
        ValueError: for anything else.
    """
    try:
        array = _Reader(io.BytesIO(data), encoding="bytes").load()
    except KeyError as error:
        raise ValueError(f"its pickle has the operation {error}, which no list of numbers needs") from error
    except Exception as error:  # a damaged pickle can raise nearly any type
        raise ValueError(f"its pickle cannot be read: {error}") from error
    state = array.state if isinstance(array, _Array) else None
    if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], _Dtype)):
        raise ValueError("its pickle does not hold an array")
    _, shape, dtype, _, items = state
    if dtype.code not in ("O8", "O4", "|O", "O") or not isinstance(items, list) or shape != (len(items),):
        raise ValueError("its pickle does not hold an array of lists")
    if wrong := [type(item).__name__ for item in items if type(item) is not list]:
        raise ValueError(f"its pickle holds {wrong[0]} where a list was expected")
    if sum(map(len, items)) > _MAX_NUMBERS:  # a short pickle can name one long list many times
        raise ValueError(f"it holds more than {_MAX_NUMBERS:,} numbers")
    for item in items:
        if not all(type(number) is int and 0 <= number < 2**31 for number in item):
            raise ValueError("one of its lists holds something else than numbers")
    return items


def read_npz(path: Path, ragged: tuple[str, ...], plain: tuple[str, ...]) -> dict[str, Any]:
    """Members of an npz file.

    Arguments:
        path: the file.
        ragged: names of arrays of lists.
        plain: names of arrays of numbers.

    Returns:
        By name, a list of lists of ints, or an array.

    Raises:
        ValueError: naming the file, for one that is broken or holds anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [key for key in (*ragged, *plain) if f"{key}.npy" not in archive.namelist()]
            if missing:
                raise ValueError(f"it has no {', '.join(missing)}")
            return {key: _member(archive, key, key in ragged) for key in (*ragged, *plain)}
    except (ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, MemoryError) as error:
        raise ValueError(f"The data set file {path} cannot be used: {error}. Delete or replace it.") from error


def _member(archive: zipfile.ZipFile, key: str, ragged: bool) -> Any:
    info = archive.getinfo(f"{key}.npy")
    if info.file_size > _MAX_BYTES:
        raise ValueError(f"{key} takes {info.file_size:,} bytes, more than {_MAX_BYTES:,}")
    file = io.BytesIO(archive.read(info))
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{key} is in version {version} of the npy format; 1.0 and 2.0 are read")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        if not ragged:
            raise ValueError(f"{key} holds pickled Python objects where numbers were expected")
        lists = read_lists(file.read())
        if shape != (len(lists),):
            raise ValueError(f"{key} of shape {shape} holds {len(lists)} lists")
        return lists
    size = dtype.itemsize
    for side in shape:
        size *= int(side)
    if size != info.file_size - file.tell():
        raise ValueError(f"{key} of shape {shape} needs {size:,} bytes, but {info.file_size - file.tell():,} are there")
    file.seek(0)
    array = np.lib.format.read_array(file, allow_pickle=False)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{key} is of type {array.dtype}; numbers were expected")
    return array.astype(np.int64).tolist() if ragged else array
