"""The one place that turns names and configs into objects and back.

Every kind of object (activations, losses, layers, ...) has one `Registry`. A name is looked up in the
`custom_objects` of the call, then in the open `CustomObjectScope`s, then among the registered ones. Nothing is
ever imported by name, so a config read from a file cannot reach beyond what was registered.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_custom_objects: dict[str, Any] = {}


class _Local(threading.local):
    keeping = False


_local = _Local()


@contextlib.contextmanager
def keeping_objects() -> Generator[None]:
    """Let configs made inside of a `with` block hold classes and functions themselves in the place of their names.

    Such a config rebuilds what it describes without any lookup. It is for copies within a process, not for files.
    """
    before, _local.keeping = _local.keeping, True
    try:
        yield
    finally:
        _local.keeping = before


def keeps_objects() -> bool:
    """Whether configs are made for a copy: see `keeping_objects`."""
    return _local.keeping


def label(obj: Any) -> Any:
    """What stands for a class or function in a config: its name; itself where objects are kept."""
    return obj if _local.keeping else obj.__name__


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
        makers: whether a config may name a registered function that makes the object, such as `he_normal`.
        accepts: whether a config may name a class; any class by default.
    """

    def __init__(
        self,
        kind: str,
        ignore_case: bool = False,
        makers: bool = False,
        accepts: Callable[[type[Any]], bool] | None = None,
    ) -> None:
        self.kind = kind
        self._makers = makers
        self._accepts = accepts
        self._fold: Callable[[str], str] = str.lower if ignore_case else str
        self._objects: dict[str, Any] = {}
        self._expected: dict[str, Callable[[str], Any]] = {}

    def expect(self, names: Iterable[str], load: Callable[[str], Any]) -> None:
        """Let `load(name)` be called for these names when one is looked up that is not registered yet."""
        self._expected.update(dict.fromkeys(names, load))

    def register(self, obj: T, *aliases: str) -> T:
        """Make `obj` known under its own name and under `aliases`. Returns it, so it can decorate."""
        for name in (obj.__name__, *aliases):  # type: ignore[attr-defined]  # classes and functions have one
            self._objects[self._fold(name)] = obj
        return obj

    def names(self) -> list[str]:
        """The registered names, sorted."""
        return sorted(self._objects)

    def find(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The class or function called `name` (or that it is itself).

        Raises:
            ValueError: if there is none, naming those that look alike.
        """
        if callable(name):  # of a config that keeps objects
            return name
        if not isinstance(name, str):
            raise ValueError(f"The name of a {self.kind} must be a string. Found: {name!r}")
        for table in (custom_objects or {}, _custom_objects):
            if name in table:
                return table[name]
        if self._fold(name) not in self._objects and name in self._expected:
            self._expected.pop(name)(name)
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
            return {"class_name": label(type(obj)), "config": obj.get_config()}
        if hasattr(obj, "__name__"):
            return label(obj)
        raise ValueError(f"Cannot serialize {obj!r} as {self.kind}: it has neither `get_config` nor a name.")

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that `serialize` wrote as `config`. A class that was written by name alone is called.

        Raises:
            ValueError: if it names nothing that is known, or something that is no such class.
        """
        if callable(config) and not isinstance(config, Mapping):  # of a config that keeps objects
            return config
        if isinstance(config, str):
            found = self.find(config, custom_objects)
            return found() if inspect.isclass(found) else found
        if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
            raise ValueError(
                f"Improper config of {self.kind}: {config!r}. Expected a name, or a dictionary with the keys "
                "'class_name' and 'config'."
            )
        found = self._maker(config["class_name"], custom_objects)
        arguments: Any = config["config"]
        if not isinstance(arguments, Mapping) and not hasattr(found, "from_config"):
            raise ValueError(f"The config of {self.kind} {found.__name__} must be a dictionary. Found: {arguments!r}")
        if not hasattr(found, "from_config"):
            return found(**arguments)
        if "custom_objects" in inspect.signature(found.from_config).parameters:
            merged = {**_custom_objects, **(custom_objects or {})}
            return found.from_config(arguments, custom_objects=merged)
        with CustomObjectScope(custom_objects or {}):
            return found.from_config(arguments)

    def _maker(self, name: Any, custom_objects: Mapping[str, Any] | None) -> Any:
        """The class called `name`, or a function that makes an object: only these are called with what a config says.

        Raises:
            ValueError: if the name is that of something else, such as a function that is no maker.
        """
        found = name if inspect.isclass(name) else self.find(name, custom_objects)
        if inspect.isclass(found):
            if self._accepts is None or self._accepts(found):
                return found
            raise ValueError(f"The class {name!r} is not that of a {self.kind}.")
        registered = isinstance(name, str) and self._objects.get(self._fold(name)) is found
        # A function of the user's may make the object, as in Keras; never one that stands where a class is expected.
        if callable(found) and self._accepts is None and (self._makers or not registered):
            return found
        raise ValueError(f"Expected the name of a class of {self.kind}s, but {name!r} is {found!r}.")

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
