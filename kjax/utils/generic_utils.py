"""Objects by name, lists and signatures: what custom layers and callbacks of Keras 2.2 import from here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kjax._core.progbar import Progbar
from kjax._core.registry import CustomObjectScope, Registry, custom_object_scope, get_custom_objects

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "deserialize_keras_object",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "has_arg",
    "is_all_none",
    "object_list_uid",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]


def serialize_keras_object(instance: Any) -> Any:
    """The config of an object: `{'class_name', 'config'}` of an instance, a name of a function, None of None.

    Raises:
        ValueError: if it has neither `get_config` nor a name.
    """
    return Registry("object").serialize(instance)


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a name or a config stands for.

    It is looked up in `custom_objects`, then in the open `CustomObjectScope`s, then in `module_objects`.

    Arguments:
        identifier: a name, a config with the keys `'class_name'` and `'config'`, or None.
        module_objects: classes and functions by name, such as a module's `globals()`.
        custom_objects: classes and functions of the user by name.
        printable_module_name: what error messages call such an object.

    Raises:
        ValueError: for an unknown name or an improper config.
    """
    if identifier is None:
        return None
    registry = Registry(printable_module_name, makers=True)
    for name, value in (module_objects or {}).items():
        if callable(value) and hasattr(value, "__name__"):
            registry.register(value, name)
    return registry.deserialize(identifier, custom_objects)


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a callable takes an argument `name` as a keyword.

    Arguments:
        fn: a function, method or class.
        name: the argument's name.
        accept_all: what to answer if `fn` takes any keyword through `**kwargs` alone.
    """
    parameters = inspect.signature(fn).parameters
    found = parameters.get(name)
    if found is not None:
        return found.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return accept_all and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """`x` if it is a list, else `[x]`. With `allow_tuple`, a tuple becomes the list of its items."""
    if isinstance(x, list):
        return x
    if allow_tuple and isinstance(x, tuple):
        return list(x)
    return [x]


def unpack_singleton(x: Any) -> Any:
    """The only item of a sequence of length 1, else the sequence itself."""
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """A string that tells lists of different objects apart."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether the argument is None, or a list or tuple of None alone."""
    return all(x is None for x in to_list(iterable_or_element, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """The samples `start` to `stop` of an array, or of each array of a list.

    Arguments:
        arrays: an array, a list of arrays and of None, or None.
        start: the first sample; or a list or array of sample numbers, and then `stop` is not used.
        stop: the sample before which to end.
    """
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError(f"The `stop` argument has to be None if `start` is a list of samples, but it is {stop}.")
    samples = slice(start, stop) if not hasattr(start, "__len__") else start
    if isinstance(arrays, list):
        return [None if x is None else x[samples] for x in arrays]
    return arrays[samples] if hasattr(arrays, "__getitem__") else [None]


def check_for_unexpected_keys(name: str, input_dict: Mapping[str, Any], expected_values: Collection[str]) -> None:
    """Check that a dictionary has no keys but those expected.

    Raises:
        ValueError: naming the argument `name`, the unknown keys and the expected ones.
    """
    unknown = set(input_dict).difference(expected_values)
    if unknown:
        raise ValueError(
            f"Unknown entries in {name} dictionary: {_sorted(unknown)}. Only expected: {_sorted(expected_values)}."
        )


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(map(str, names))


def func_dump(func: Callable[..., Any]) -> tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """The bytecode of a function as base64 text, the defaults of its arguments, and the values it closes over."""
    import base64
    import marshal

    code: Any = func
    text = base64.encodebytes(marshal.dumps(code.__code__)).decode("ascii")
    closure = code.__closure__
    return text, code.__defaults__, tuple(cell.cell_contents for cell in closure) if closure else None


def func_load(
    code: Any, defaults: Any = None, closure: Any = None, globs: dict[str, Any] | None = None
) -> Callable[..., Any]:
    """The function that `func_dump` described, to be called with what this program itself dumped.

    Bytecode can do anything, and that of another Python crashes. kjax never calls this on what a file says.

    Arguments:
        code: the text, or the three results of `func_dump`.
        defaults: the defaults of its arguments.
        closure: the values (or cells) that it closes over.
        globs: the global names that it sees; those of this module by default.
    """
    import base64
    import binascii
    import marshal
    import types

    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
    try:
        compiled = marshal.loads(base64.b64decode(code.encode("ascii"), validate=False))
    except (UnicodeEncodeError, binascii.Error, ValueError, EOFError, TypeError):
        compiled = marshal.loads(code.encode("raw_unicode_escape"))  # as Keras wrote it until version 2.1.1
    cells = None if closure is None else tuple(map(_cell, closure))
    defaults = None if defaults is None else tuple(defaults)
    return types.FunctionType(compiled, globals() if globs is None else globs, compiled.co_name, defaults, cells)


def _cell(value: Any) -> Any:
    import types

    return value if isinstance(value, types.CellType) else types.CellType(value)


def transpose_shape(shape: Any, target_format: str, spatial_axes: Iterable[int]) -> Any:
    """A shape whose channels are last in the place that `target_format` gives them.

    Arguments:
        shape: tuple or list with the channels at its end.
        target_format: `'channels_first'` or `'channels_last'`.
        spatial_axes: places of the spatial dimensions.

    Raises:
        ValueError: for another `target_format`.
    """
    if target_format == "channels_last":
        return shape
    if target_format != "channels_first":
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {target_format}'
        )
    axes = list(spatial_axes)
    moved = (*shape[: axes[0]], shape[-1], *(shape[axis] for axis in axes))
    return list(moved) if isinstance(shape, list) else moved
