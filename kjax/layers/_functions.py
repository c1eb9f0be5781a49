"""The functions of `Lambda` layers in configs: by name, never as code.

Keras wrote the bytecode of every such function into its files, and ran it when it read them. Here a config names the
function. It is found again under that name, or under the layer's, among the custom objects; and without being named by
the process that wrote the config, which still knows it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from kjax._core.registry import get_custom_objects, keeps_objects

_MOST = 1000
_by_name: dict[str, list[Callable[..., Any]]] = {}
_names: dict[Callable[..., Any], str] = {}


class Named(str):
    """The name of a function in a config that has not left the process: it knows the function itself.

    So a config is read although several functions have the name, as those that one function makes.
    """

    function: Callable[..., Any]

    def __new__(cls, name: str, function: Callable[..., Any]) -> Named:
        made = super().__new__(cls, name)
        made.function = function
        return made

    def __deepcopy__(self, memo: Any) -> Named:
        return self

    def __reduce__(self) -> Any:
        return str, (str(self),)


def written(function: Any) -> Any:
    """What a config says for a function: its name, made unique for a `lambda`, which has none of its own."""
    if not callable(function) or keeps_objects():
        return function
    name = _names.get(function)
    if name is None:
        name = getattr(function, "__name__", type(function).__name__)
        if name == "<lambda>":
            name = f"<lambda> {secrets.token_hex(8)}"
        while len(_names) >= _MOST:
            oldest = next(iter(_names))
            _by_name[_names[oldest]].remove(oldest)
            del _names[oldest]
        _names[function] = name
        _by_name.setdefault(name, []).append(function)
    return Named(name, function)


def read(said: Any, layer: Any) -> Callable[..., Any]:
    """The function that a config of the layer called `layer` names.

    Raises:
        ValueError: if it is not known; for code always, with the ways to load the model nevertheless.
    """
    if callable(said):
        return said
    known = get_custom_objects()
    name = _name_in(said)
    for candidate in (name, layer):
        if isinstance(candidate, str) and callable(known.get(candidate)):
            return known[candidate]
    if isinstance(said, Named):
        return said.function
    remembered = _by_name.get(name, []) if name is not None else []
    if len(remembered) == 1:
        return remembered[0]
    if name is None:
        reason = "The file holds the bytecode of its function, which is never run: it could do anything."
    elif remembered:
        reason = f"There are {len(remembered)} functions called {name!r} in this process."
    else:
        reason = f"Its function {name!r} is not known here: a file holds no code."
    raise ValueError(
        f"The Lambda layer {layer!r} cannot be rebuilt. {reason} Pass the function by the layer's name, "
        f"`custom_objects={{{layer!r}: function}}`; or build the model by its own code and call "
        "`model.load_weights` on the file."
    )


def _name_in(said: Any) -> str | None:
    """The name that a config says, or None for code."""
    if isinstance(said, Mapping) and said.get("class_name") == "function" and isinstance(said.get("config"), str):
        return said["config"]  # as today's Keras writes it
    return said if isinstance(said, str) else None
