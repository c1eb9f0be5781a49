"""The hook through which calls in an older spelling are brought to today's.

The core knows no old names. `kjax.legacy` fills the table; a callable that is looked up here and not found costs
one dictionary access.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Converter = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
F = TypeVar("F", bound=Callable[..., Any])

_converters: dict[str, Converter] = {}


def install(owner: str, converter: Converter) -> None:
    """Let `converter` rewrite the arguments of calls to `owner`, such as `'Dense'` or `'Model.fit'`."""
    _converters[owner] = converter


def accepts_old_names(owner: str) -> Callable[[F], F]:
    """Decorate a method so that its arguments (without `self`) pass through the converter of `owner`."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            converter = _converters.get(owner)
            if converter is not None:
                args, kwargs = converter(args, kwargs)
            return function(self, *args, **kwargs)

        return call  # type: ignore[return-value]  # same signature, through functools.wraps

    return decorate


def function_accepts_old_names(owner: str) -> Callable[[F], F]:
    """As `accepts_old_names`, for a function that is no method."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            converter = _converters.get(owner)
            if converter is not None:
                args, kwargs = converter(args, kwargs)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]  # same signature, through functools.wraps

    return decorate
