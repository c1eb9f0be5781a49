"""Functions and classes in pickles that pickle cannot carry: those without a place in a module, such as a `lambda`.

A pickle names them. The process that wrote it still knows them, and any other may be told by `custom_object_scope`.
"""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable
from typing import Any

from kjax._core.registry import get_custom_objects

_MOST = 1000
_known: dict[str, Any] = {}
_keys: dict[Any, str] = {}


class _Name:
    """Stands for a function or a class in a pickle."""

    def __init__(self, named: Any) -> None:
        self.named = named

    def __reduce__(self) -> Any:
        return found, (self.named.__name__, self.named.__qualname__, _remembered(self.named))


def named(value: Any) -> Any:
    """`value` with names in the place of what pickle cannot carry, in dictionaries, lists and tuples."""
    if type(value) is dict:
        return {key: named(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(named(item) for item in value)
    is_code = callable(value) and hasattr(value, "__qualname__") and hasattr(value, "__name__")
    return _Name(value) if is_code and not _can_be_pickled(value) else value


def _can_be_pickled(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # objects of users refuse in any way
        return False
    return True


def _remembered(value: Callable[..., Any]) -> str:
    """The key under which this process knows a function or class."""
    if value not in _keys:
        while len(_known) >= _MOST:
            del _keys[_known.pop(next(iter(_known)))]
        _keys[value] = secrets.token_hex(8)
        _known[_keys[value]] = value
    return _keys[value]


def found(name: str, place: str, key: str) -> Any:
    """What a pickle names.

    Raises:
        ValueError: if it is not known here.
    """
    if key in _known:
        return _known[key]
    known = get_custom_objects()
    if callable(known.get(name)):
        return known[name]
    raise ValueError(
        f"The pickled model uses {place!r}, which a pickle cannot carry: it stands inside a function or has no name. "
        f"Define it at the top of a module, or unpickle within `custom_object_scope({{{name!r}: ...}})`."
    )
