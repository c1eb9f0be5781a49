"""Names that count up: `dense_1`, `dense_2`, ... until `clear` starts them over."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import defaultdict
from collections.abc import Generator

_counters: defaultdict[str, int] = defaultdict(int)


class _Local(threading.local):
    def __init__(self) -> None:
        self.scopes: list[str] = []


_local = _Local()


def get_uid(prefix: str = "") -> int:
    """The next number, from 1 on, for names that begin with `prefix`."""
    _counters[prefix] += 1
    return _counters[prefix]


def unique_name(prefix: str) -> str:
    """`prefix_1`, then `prefix_2`, ..."""
    return f"{prefix}_{get_uid(prefix)}"


@contextlib.contextmanager
def scope(name: str) -> Generator[str]:
    """Put `name` before the names that `scoped` makes inside of a `with` block. Yields the path of the scopes."""
    _local.scopes.append(name)
    try:
        yield "/".join(_local.scopes)
    finally:
        _local.scopes.pop()


def scoped(name: str) -> str:
    """`name` behind the open name scopes, as `'outer/inner/name'`."""
    return "/".join([*_local.scopes, name])


def clear() -> None:
    """Start every counter over, as `K.clear_session()` does."""
    _counters.clear()


def to_snake_case(name: str) -> str:
    """A class name as Keras writes it in layer names: `LeakyReLU` becomes `leaky_re_lu`.

    A name that would begin with an underscore gets `private` before it.
    """
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    return f"private{snake}" if snake.startswith("_") else snake
