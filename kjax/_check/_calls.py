"""The arguments of a call in a script, against the signature of what is called and the tables of old names."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kjax._check._values import Const, Opaque, Real
from kjax._core import arguments
from kjax.engine import base_layer
from kjax.engine.base_layer import Layer
from kjax.optimizers import Optimizer

_TAKEN = re.compile(r"""kwargs\.(?:pop|get)\(["'](\w+)["']""")
_OPTIMIZERS_TOO = ("learning_rate", "clipnorm", "clipvalue", "name")


@dataclass
class Call:
    """A call in the script.

    Attributes:
        args, kwargs: the values, as Python objects; what only a run would tell is `Opaque`.
        open_ended: whether it has `*args` or `**kwargs`, so that its arguments cannot be counted.
    """

    node: ast.Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    open_ended: bool


@dataclass
class Checked:
    """The arguments in today's spelling by parameter, and what there is to tell: kind of finding, name, message."""

    values: dict[str, Any]
    told: list[tuple[str, str, str]]


def plain(value: Any, node: ast.AST) -> Any:
    """A value as the tables of old names take it."""
    return value.value if isinstance(value, Const) else Opaque(node)


def entry(callee: Real) -> Any:
    """The function that a call runs: of a class its `__init__`."""
    return callee.obj.__init__ if inspect.isclass(callee.obj) else callee.obj


def check(callee: Real, call: Call) -> Checked:
    """Bring a call to today's spelling and compare it with the signature."""
    title = _title(callee)
    told: list[tuple[str, str, str]] = []
    args, kwargs = call.args, dict(call.kwargs)
    told += [
        ("translated", f"{title}({name}=)", "understood as Keras 0 meant it")
        for name in arguments.taken_by(entry(callee))
        if kwargs.pop(name, None) is not None
    ]
    for converter in arguments.converters_of(entry(callee)):
        args, kwargs = _convert(converter, args, kwargs, title, call.node, told)
    signature = _signature(callee)
    if signature is None:
        return Checked(kwargs, told)
    known, any_keyword = _keywords(callee, signature)
    told += [
        ("missing", f"{title}({name}=)", f"`{title}` has no argument `{name}`{_near(name, known)}")
        for name in ([] if any_keyword else kwargs)
        if name not in known
    ]
    placed = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    endless = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    if len(args) > len(placed) and not endless:
        message = f"`{title}` takes at most {len(placed)} arguments by place, here are {len(args)}"
        told.append(("missing", f"{title}()", message))
    values = {**dict(zip(placed, args, strict=False)), **kwargs}
    if not call.open_ended:
        told += [("missing", f"{title}({name})", text) for name, text in _required(title, signature, values)]
    return Checked(values, told)


def _required(title: str, signature: inspect.Signature, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for p in signature.parameters.values():
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in values:
            yield p.name, f"`{title}` needs the argument `{p.name}`"


def _title(callee: Real) -> str:
    owner, _, name = callee.path.rpartition(".")
    return callee.path if callee.bound and owner[:1].isupper() else name


def _near(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f". Did you mean `{near[0]}`?" if near else ""


def _signature(callee: Real) -> inspect.Signature | None:
    try:
        signature = inspect.signature(entry(callee))
    except (TypeError, ValueError):
        return None
    parameters = list(signature.parameters.values())
    skip = 1 if inspect.isclass(callee.obj) or callee.bound else 0
    return signature.replace(parameters=parameters[skip:])


def _keywords(callee: Real, signature: inspect.Signature) -> tuple[set[str], bool]:
    """Keywords that are understood, and whether any other is, too."""
    known = {p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return known, False
    cls = callee.obj
    if not inspect.isclass(cls) or not issubclass(cls, (Layer, Optimizer)):
        return known, True
    own = base_layer._KNOWN if issubclass(cls, Layer) else _OPTIMIZERS_TOO
    return known | set(own) | _of_bases(cls), False


@functools.cache
def _of_bases(cls: type) -> frozenset[str]:
    """Keywords that the constructors of a class and its bases take out of `**kwargs`, which are passed on."""
    names: set[str] = set()
    for base in cls.__mro__[:-1]:
        if "__init__" in vars(base):
            function = inspect.unwrap(vars(base)["__init__"])
            names |= {p.name for p in inspect.signature(function).parameters.values()}
            names |= set(_TAKEN.findall(inspect.getsource(function)))
    return frozenset(names - {"self", "args", "kwargs"})


def _convert(
    converter: arguments.Converter,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    title: str,
    node: ast.Call,
    told: list[tuple[str, str, str]],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """One converter's work, or only its renaming where it would need values that a run alone gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            new_args, new_kwargs = converter(args, dict(kwargs))
        except Exception as error:
            if isinstance(error, TypeError) and "received both the legacy" in str(error):
                told.append(("missing", f"{title}()", str(error)))
                return args, kwargs
            new_args, new_kwargs = args, _only_renamed(converter, kwargs)
    old = sorted(set(kwargs) - set(new_kwargs))
    if caught or old:
        name = f"{title}({', '.join(f'{key}=' for key in old)})" if old else title
        told.append(("translated", name, _written(title, args, kwargs, new_args, new_kwargs, old)))
    return new_args, new_kwargs


def _only_renamed(converter: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    table = next((part for part in getattr(converter, "args", ()) if hasattr(part, "names")), None)
    names = dict(table.names) if table is not None else {}
    return {names.get(key, key): value for key, value in kwargs.items()}


def _written(
    title: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    new_args: tuple[Any, ...],
    new_kwargs: dict[str, Any],
    old: list[str],
) -> str:
    """`old -> new` where names alone changed, else today's call."""
    came = [key for key in new_kwargs if key not in kwargs]
    same = len(args) == len(new_args) and all(a is b for a, b in zip(args, new_args, strict=True))
    pairs = [(name, key) for name in old for key in came if _same(kwargs[name], new_kwargs[key])]
    if same and len(pairs) == len(old) == len(came):
        return ", ".join(f"{name} -> {key}" for name, key in pairs)
    if same and not came and old and len(new_kwargs) + len(old) == len(kwargs):
        return ", ".join(f"{name} has no effect" for name in old)
    parts = [_short(value) for value in new_args] + [f"{key}={_short(value)}" for key, value in new_kwargs.items()]
    return f"-> {title}({', '.join(parts)})"


def _same(a: Any, b: Any) -> bool:
    return a is b or (isinstance(a, str) and a == b)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
