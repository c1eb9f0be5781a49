"""The one place that turns names and configs into objects and back.

Every kind of object (activations, losses, layers, ...) has one `Registry`. A name is looked up in the
`custom_objects` of the call, then in the open `CustomObjectScope`s, then among the registered ones. Nothing is
ever imported by name, so a config read from a file cannot reach beyond what was registered.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_custom_objects: dict[str, Any] = {}


def get_custom_objects() -> dict[str, Any]:
    """The global table of the user's objects by name. Changing it changes what every lookup finds."""
    return _custom_objects


class CustomObjectScope:
    """Make objects known by name inside of a `with` block.

    Arguments:
        *args: dictionaries of name to class or function.
    """

    def __init__(self, *args: Mapping[str, Any]) -> None:
        self.custom_objects = args
        self._backup: dict[str, Any] = {}

    def __enter__(self) -> CustomObjectScope:
        self._backup = dict(_custom_objects)
        for objects in self.custom_objects:
            _custom_objects.update(objects)
        return self

    def __exit__(self, *exc: object) -> None:
        _custom_objects.clear()
        _custom_objects.update(self._backup)


def custom_object_scope(*args: Mapping[str, Any]) -> CustomObjectScope:
    """`CustomObjectScope(*args)`, under the name that scripts use."""
    return CustomObjectScope(*args)


class Registry:
    """Objects of one kind by name.

    Arguments:
        kind: what error messages call one of them, such as `'loss function'`.
        ignore_case: whether names are looked up without regard to case.
    """

    def __init__(self, kind: str, ignore_case: bool = False) -> None:
        self.kind = kind
        self._fold: Callable[[str], str] = str.lower if ignore_case else str
        self._objects: dict[str, Any] = {}

    def register(self, obj: T, *aliases: str) -> T:
        """Make `obj` known under its own name and under `aliases`. Returns it, so it can decorate."""
        for name in (obj.__name__, *aliases):  # type: ignore[attr-defined]  # classes and functions have one
            self._objects[self._fold(name)] = obj
        return obj

    def names(self) -> list[str]:
        """The registered names, sorted."""
        return sorted(self._objects)

    def find(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The class or function called `name`.

        Raises:
            ValueError: if there is none, naming those that look alike.
        """
        for table in (custom_objects or {}, _custom_objects):
            if name in table:
                return table[name]
        if self._fold(name) in self._objects:
            return self._objects[self._fold(name)]
        alike = difflib.get_close_matches(self._fold(name), self._objects, n=3)
        hint = f" Did you mean {' or '.join(repr(a) for a in alike)}?" if alike else ""
        raise ValueError(
            f"Unknown {self.kind}: {name}.{hint} An object of your own is found if it is passed itself, "
            "or through `custom_objects` or a `CustomObjectScope`."
        )

    def serialize(self, obj: Any) -> Any:
        """The config of `obj`: a name for a function, `{'class_name', 'config'}` for an instance.

        Raises:
            ValueError: if `obj` is neither.
        """
        if obj is None or isinstance(obj, str):
            return obj
        if hasattr(obj, "get_config"):
            return {"class_name": type(obj).__name__, "config": obj.get_config()}
        if hasattr(obj, "__name__"):
            return obj.__name__
        raise ValueError(f"Cannot serialize {obj!r} as {self.kind}: it has neither `get_config` nor a name.")

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that `serialize` wrote as `config`. A class that was written by name alone is called."""
        if isinstance(config, str):
            found = self.find(config, custom_objects)
            return found() if inspect.isclass(found) else found
        if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
            raise ValueError(
                f"Improper config of {self.kind}: {config!r}. Expected a name, or a dictionary with the keys "
                "'class_name' and 'config'."
            )
        found = self.find(config["class_name"], custom_objects)
        arguments: Any = config["config"]
        if not hasattr(found, "from_config"):
            return found(**arguments)
        if "custom_objects" in inspect.signature(found.from_config).parameters:
            merged = {**_custom_objects, **(custom_objects or {})}
            return found.from_config(arguments, custom_objects=merged)
        with CustomObjectScope(custom_objects or {}):
            return found.from_config(arguments)

    def get(self, identifier: Any) -> Any:
        """The object meant by `identifier`: None, a name, a config, or the object itself.

        Raises:
            ValueError: for an unknown name or something that cannot be such an object.
        """
        if identifier is None:
            return None
        if isinstance(identifier, (str, Mapping)):
            return self.deserialize(identifier)
        if callable(identifier):
            return identifier() if inspect.isclass(identifier) else identifier
        raise ValueError(f"Could not interpret {self.kind} identifier: {identifier!r}")
