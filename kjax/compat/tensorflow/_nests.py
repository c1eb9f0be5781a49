"""Nested tuples, lists and dictionaries of values, such as the states of cells. A shape counts as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kjax._core.tensors import Shape


def mapped(change: Callable[..., Any], first: Any, *others: Any) -> Any:
    """The same structure with each value changed, from the values of one or several structures side by side."""
    if isinstance(first, dict):
        return {key: mapped(change, value, *(o[key] for o in others)) for key, value in first.items()}
    if isinstance(first, (list, tuple)) and not isinstance(first, Shape):
        parts = [mapped(change, *side) for side in zip(first, *others, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    return change(first, *others)


def flat(nest: Any) -> list[Any]:
    """The values of a structure, in order."""
    found: list[Any] = []
    mapped(found.append, nest)
    return found


def filled(nest: Any, values: Iterable[Any]) -> Any:
    """A structure with other values."""
    rest = iter(values)
    return mapped(lambda _: next(rest), nest)
