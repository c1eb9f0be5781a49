"""What a callback remembers, taken out of it and put back, so that a training that was killed can go on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kjax._core import states

_NOT_STATE = ("params", "model", "validation_data")


def states_of(callbacks: Iterable[Any]) -> list[Any]:
    """For each callback its class and what it remembers."""
    return [[type(callback).__name__, _state_of(callback)] for callback in callbacks]


def paired(callbacks: Iterable[Any], saved: Iterable[Any]) -> list[tuple[Any, dict[str, Any]]]:
    """Each callback with what the same one remembered: of the same class, the first with the first and so on."""
    left = list(saved)
    found: list[tuple[Any, dict[str, Any]]] = []
    for callback in callbacks:
        number = next((i for i, item in enumerate(left) if item[0] == type(callback).__name__), None)
        if number is not None:
            found.append((callback, left.pop(number)[1]))
    return found


def put_back(callback: Any, state: dict[str, Any], first: dict[str, Any]) -> None:
    """Let a callback remember what it did. Its lists and dictionaries stay the same objects.

    Arguments:
        state: what it remembered.
        first: what it was when the training began. What has not changed since is a setting, and may be a new one now.
    """
    if hasattr(callback, "set_resume_state"):
        callback.set_resume_state(state)
        return
    for name, value in state.items():
        if name in first and states.same(value, first[name]):
            continue
        present = getattr(callback, name, None)
        if isinstance(present, list) and isinstance(value, list):
            present[:] = value
        elif isinstance(present, dict) and isinstance(value, dict):
            present.clear()
            present.update(value)
        else:
            setattr(callback, name, value)


def _state_of(callback: Any) -> dict[str, Any]:
    """A copy of what a callback remembers: what it says, else all attributes that are plain values."""
    if hasattr(callback, "get_resume_state"):
        return states.copied(callback.get_resume_state())
    # Only of the class itself: a subclass may remember more.
    named = vars(type(callback)).get("_remembers")
    found = {name: vars(callback)[name] for name in named if name in vars(callback)} if named is not None else {}
    if named is None:
        found = {name: value for name, value in vars(callback).items() if name not in _NOT_STATE}
    return {name: states.copied(value) for name, value in found.items() if states.is_plain(value)}
