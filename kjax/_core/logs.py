"""Logs that answer to both spellings of accuracy: `acc`, of Keras until 2.2, and `accuracy`, since 2.3."""

from __future__ import annotations

from typing import Any

_SPELLINGS = (("acc", "accuracy"), ("accuracy", "acc"))


def other_spelling(name: Any) -> str | None:
    """`val_accuracy` for `val_acc` and the reverse, with any prefix; None for all other names."""
    if isinstance(name, str):
        for ending, other in _SPELLINGS:
            if name == ending or name.endswith("_" + ending):
                return name[: -len(ending)] + other
    return None


class Logs(dict[str, Any]):
    """A dictionary of metrics in which `acc` and `accuracy` answer for each other.

    This holds for `[]`, `in` and `get`. A key that is present answers for itself first. Iterating and
    printing show the keys as they were recorded.
    """

    def __missing__(self, key: str) -> Any:
        other = other_spelling(key)
        if other is None or other not in self.keys():
            raise KeyError(key)
        return self[other]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(other_spelling(key))

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key` in either spelling, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> Logs:
        """A shallow copy that answers to both spellings too."""
        return Logs(self)
