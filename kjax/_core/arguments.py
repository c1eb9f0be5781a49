"""The hook through which calls in an older spelling are brought to today's.

The core knows no old names. `kjax.legacy` fills the table; a callable that is looked up here and not found costs
one dictionary access.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

# Is given the method, `self`, and the arguments, and returns what the method should.
Around = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
Converter = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
F = TypeVar("F", bound=Callable[..., Any])

_converters: dict[str, Converter] = {}
_around: dict[str, Around] = {}
_taken: dict[str, tuple[str, ...]] = {}
_waiting: dict[str, list[Callable[[], None]]] = {}


def converters_of(function: Any) -> list[Converter]:
    """What rewrites the arguments of calls to `function`, in the order in which it happens."""
    found: list[Converter] = []
    while function is not None:
        converter = _converters.get(getattr(function, "__dict__", {}).get("_old_names_of", ""))
        if converter is not None and converter not in found:
            found.append(converter)
        function = getattr(function, "__wrapped__", None)
    return found


def converted_arguments(
    owner: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call to `owner` in today's spelling."""
    converter = _converters.get(owner)
    return (args, kwargs) if converter is None else converter(args, kwargs)


def taken_by(function: Any) -> tuple[str, ...]:
    """Keywords beside those of its signature that what stands around a method takes."""
    return _taken.get(getattr(function, "__dict__", {}).get("_old_names_of", ""), ())


def _owned(call: Any, owner: str) -> Any:
    call._old_names_of = owner
    return call


def when_loaded(module: str, action: Callable[[], None]) -> None:
    """Call `action` once `module`, which is imported when it is first used, says that it is `loaded`."""
    if module in sys.modules:
        action()
    else:
        _waiting.setdefault(module, []).append(action)


def loaded(module: str) -> None:
    """Say at the end of a module that it is there."""
    for action in _waiting.pop(module, []):
        action()


def install(owner: str, converter: Converter) -> None:
    """Let `converter` rewrite the arguments of calls to `owner`, such as `'Dense'` or `'Model.fit'`."""
    _converters[owner] = converter


def install_around(owner: str, around: Around, keywords: tuple[str, ...] = ()) -> None:
    """Let `around` make the calls to a method such as `'Model.fit'`, where arguments alone are not all that changed.

    It takes `keywords` that the method itself does not know.
    """
    _around[owner] = around
    _taken[owner] = keywords


def accepts_old_names(owner: str) -> Callable[[F], F]:
    """Decorate a method so that its arguments (without `self`) pass through the converter of `owner`."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            around = _around.get(owner)
            if around is not None:
                return around(converted, self, args, kwargs)
            return converted(self, *args, **kwargs)

        def converted(self: Any, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = converted_arguments(owner, args, kwargs)
            return function(self, *args, **kwargs)

        return _owned(call, owner)  # type: ignore[return-value]  # same signature, through functools.wraps

    return decorate


def function_accepts_old_names(owner: str) -> Callable[[F], F]:
    """As `accepts_old_names`, for a function that is no method."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = converted_arguments(owner, args, kwargs)
            return function(*args, **kwargs)

        return _owned(call, owner)  # type: ignore[return-value]  # same signature, through functools.wraps

    return decorate
