"""`tf.nest`: nested tuples, lists and dictionaries of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kjax._core.tensors import Shape
from kjax.compat.tensorflow import _missing, _nests


def flatten(structure: Any) -> list[Any]:
    """The values of a structure, in order."""
    return _nests.flat(structure)


def is_nested(structure: Any) -> bool:
    """Whether it holds values, rather than being one."""
    return isinstance(structure, (list, tuple, dict)) and not isinstance(structure, Shape)


def map_structure(func: Callable[..., Any], *structure: Any) -> Any:
    """The structure of what `func` makes of the values of one or several structures, side by side."""
    return _nests.mapped(func, *structure)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure with other values."""
    return _nests.filled(structure, flat_sequence)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Check that two structures are nested in the same way.

    Raises:
        ValueError: if they are not.
    """
    if _nests.mapped(lambda _: 0, nest1) != _nests.mapped(lambda _: 0, nest2):
        raise ValueError(f"The structures are not nested in the same way: {nest1} and {nest2}.")


is_sequence = is_nested
__all__ = ["assert_same_structure", "flatten", "is_nested", "is_sequence", "map_structure", "pack_sequence_as"]
__getattr__ = _missing.attribute("tensorflow.nest", __all__)
