"""What arrays did under the numpy of old scripts, and refuse today.

`kjax run` brings it back for the time of a script. `np.array` of rows of different lengths is an array of lists, and
`copy=False` copies where it has to. What models give are arrays of which one of a single element counts as a number:
`float(model.predict(x))`, `"%d" % classes[0]`, `targets[i] = model.predict(x)`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core import values

_ORIGINALS: dict[str, Callable[..., Any]] = {name: getattr(np, name) for name in ("array", "asarray", "asanyarray")}
_MESHGRID = np.meshgrid  # its tuple was a list
# Packages that expect today's numpy: they notice the error and have an answer of their own.
_OF_TODAY = frozenset({"jax", "kjax", "pandas", "scipy", "sklearn", "tensorflow_datasets"})


def install() -> None:
    """Give it back."""
    for name, original in _ORIGINALS.items():
        setattr(np, name, _lenient(original))
    np.meshgrid = _meshgrid
    values.give_out(array)


def uninstall() -> None:
    """Let numpy be as it is."""
    for name, original in _ORIGINALS.items():
        setattr(np, name, original)
    np.meshgrid = _MESHGRID
    values.give_out(np.ndarray)


def _lenient(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def made(*args: Any, **options: Any) -> Any:
        try:
            return original(*args, **options)
        except ValueError as error:
            name = str(sys._getframe(1).f_globals.get("__name__"))
            told = _as_before(str(error), args, options)
            if told is None or name.partition(".")[0] in _OF_TODAY:
                raise
            return original(*args, **told)

    return made


@functools.wraps(_MESHGRID)
def _meshgrid(*args: Any, **options: Any) -> list[Any]:
    return list(_MESHGRID(*args, **options))


def _as_before(error: str, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any] | None:
    """The options that mean today what the call meant, if it is known."""
    if "inhomogeneous" in error and len(args) < 2 and options.get("dtype") is None:
        return {**options, "dtype": object}
    if "avoid copy" in error and options.get("copy") is False:
        return {**options, "copy": None}
    return None


class array(np.ndarray):
    """An array of which a single element, in however many dimensions, is a number. Its name is what `repr` shows."""

    def __float__(self) -> float:
        return float(self.view(np.ndarray).item())

    def __int__(self) -> int:
        return int(self.view(np.ndarray).item())

    def __array_wrap__(self, made: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return made[()] if return_scalar else made.view(type(self))

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()
