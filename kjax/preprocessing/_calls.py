"""Functions whose arguments may come in an older spelling."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kjax._core import arguments

F = TypeVar("F", bound=Callable[..., Any])


def accepts_old_names(owner: str) -> Callable[[F], F]:
    """Decorate a function so that its arguments pass through the converter of `owner`."""

    def decorate(function: F) -> F:
        @arguments.accepts_old_names(owner)
        def method(_: None, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return method(None, *args, **kwargs)

        return call  # type: ignore[return-value]  # same signature, through functools.wraps

    return decorate
