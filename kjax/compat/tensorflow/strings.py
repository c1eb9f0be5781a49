"""`tf.strings`: of values, at once, as in `Dataset.map`."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._texts import each, host_value, text_of, texts
from kjax.compat.tensorflow.errors import InvalidArgumentError


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """In small letters."""
    return each("tf.strings.lower", str.lower, input)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """In capital letters."""
    return each("tf.strings.upper", str.upper, input)


def strip(input: Any, name: str | None = None) -> Any:
    """Without white space at both ends."""
    return each("tf.strings.strip", str.strip, input)


def length(input: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """The number of bytes, or of characters with the unit `'UTF8_CHAR'`."""
    size = len if unit == "UTF8_CHAR" else lambda text: len(text.encode())
    return each("tf.strings.length", size, input, "int32")


def substr(input: Any, pos: int, len: int, name: str | None = None, unit: str = "UTF8_CHAR") -> Any:
    """`len` characters from `pos` on, counted from the end if it is negative."""
    start, count = int(host_value(pos)), int(host_value(len))

    def part(text: str) -> str:
        return text[start:][:count]

    return each("tf.strings.substr", part, input)


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: Any = None) -> Any:
    """With other text where a regular expression of Python's fits: everywhere, or at the first place."""
    found, put = re.compile(text_of(pattern)), re.sub(r"\\0", r"\\g<0>", text_of(rewrite))
    return each("tf.strings.regex_replace", lambda x: found.sub(put, x, 0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether a regular expression of Python's fits the whole string."""
    found = re.compile(text_of(pattern))
    return each("tf.strings.regex_full_match", lambda x: found.fullmatch(x) is not None, input, "bool")


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None, **_: Any) -> Any:
    """The parts of a string between separators; between white space if there is none.

    Raises:
        NotImplementedError: for several strings, which may have different numbers of parts.
    """
    given = host_value(input, "tf.strings.split")
    if given.ndim:
        raise NotImplementedError("tf.strings.split takes one string: there is no tf.RaggedTensor for several.")
    between = None if sep is None or text_of(sep) == "" else text_of(sep)
    return texts(np.array(text_of(given[()]).split(between, maxsplit), object))


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The characters of a string."""
    return texts(np.array(list(text_of(host_value(input)[()])), object))


def join(inputs: Any, separator: Any = "", name: str | None = None) -> Any:
    """Strings one after the other, of several arrays place by place."""
    parts = np.broadcast_arrays(*[host_value(x, "tf.strings.join") for x in inputs])
    together = np.vectorize(lambda *x: text_of(separator).join(map(text_of, x)), otypes=[object])
    return texts(together(*parts))


def reduce_join(inputs: Any, axis: int | None = None, separator: Any = "", name: str | None = None, **_: Any) -> Any:
    """The strings of an array one after the other: all of them, or along an axis."""
    given = host_value(inputs, "tf.strings.reduce_join")
    rows = given.reshape(-1) if axis is None else given
    along = 0 if axis is None else axis
    return texts(np.apply_along_axis(lambda x: text_of(separator).join(map(text_of, x)), along, rows))


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """Strings as numbers.

    Raises:
        InvalidArgumentError: for one that is none.
    """
    read = float if "float" in str(out_type) else int
    try:
        return each("tf.strings.to_number", read, input, str(out_type))
    except ValueError as error:
        raise InvalidArgumentError(None, None, f"tf.strings.to_number could not read a number: {error}") from error


def as_string(input: Any, precision: int = -1, name: str | None = None, **_: Any) -> Any:
    """Numbers as strings."""
    given = host_value(input, "tf.strings.as_string")

    def written(x: Any) -> str:
        if isinstance(x, (bool, np.bool_)):
            return str(bool(x)).lower()
        return f"{x:.{6 if precision < 0 else precision}f}" if isinstance(x, (float, np.floating)) else str(x)

    return texts(np.vectorize(written, otypes=[object])(given))


__all__ = [
    "as_string", "bytes_split", "join", "length", "lower", "reduce_join", "regex_full_match", "regex_replace", "split",
    "strip", "substr", "to_number", "upper",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.strings", __all__)
