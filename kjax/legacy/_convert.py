"""How a table of old names rewrites the arguments of a call, and tells the user of today's spelling."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kjax._core import arguments, notices

Args = tuple[Any, ...]
Kwargs = dict[str, Any]

_LONGEST = 10


@dataclass(frozen=True)
class Order:
    """An older order of positional arguments.

    Attributes:
        names: today's name of each positional argument, in the old order.
        when: whether positional arguments, `least` of them or more, are in this order.
        least: number of positional arguments from which on the order shows.
        warn: whether the user is told of today's spelling.
    """

    names: tuple[str, ...]
    when: Callable[[Args], bool]
    least: int = 1
    warn: bool = True

    def fits(self, args: Args) -> bool:
        return self.least <= len(args) <= len(self.names) and self.when(args)


@dataclass(frozen=True)
class Table:
    """What is known of older calls to one class or method.

    Attributes:
        names: old argument name to today's.
        values: today's argument name to a table of old values and today's.
        removed: names of arguments that mean nothing any more, to what the user is told.
        orders: older orders of the positional arguments.
        rewrite: changes arguments where no table suffices: from (args, kwargs) to the new ones, or to None if
            there is nothing to change. It runs before the names are exchanged.
        renamed: what the user is told of a renamed argument, with the fields `old` and `new`; if None, how
            the call is written today.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    rewrite: Callable[[Args, Kwargs], tuple[Args, Kwargs] | None] | None = None
    renamed: str | None = None


def install_tables(tables: Mapping[str, Table]) -> None:
    """Let each table rewrite the calls to its owner, such as `'Dense'` or `'Model.fit'`."""
    for owner, table in tables.items():
        arguments.install(owner, functools.partial(convert, owner.rpartition(".")[2].strip(), table))


def convert(name: str, table: Table, args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    """The arguments in today's spelling, with a warning for each kind of change."""
    args, kwargs, changed = _reorder(name, table, args, kwargs)
    rewritten = table.rewrite(args, kwargs) if table.rewrite else None
    if rewritten is not None:
        args, kwargs = rewritten
        changed = True
    for argument, message in table.removed.items():
        if argument in kwargs:
            kwargs = {key: value for key, value in kwargs.items() if key != argument}
            notices.warn(message)
    old_names = [old for old in table.names if old in kwargs]
    if old_names:
        kwargs = _rename(name, table, kwargs, old_names)
        changed = changed or table.renamed is None
    for argument, values in table.values.items():
        value = kwargs.get(argument)
        if isinstance(value, str) and value in values:
            kwargs = {**kwargs, argument: values[value]}
            changed = True
    if changed:
        notices.warn(f"Update your `{name}` call to the Keras 2 API: `{_written(name, args, kwargs)}`")
    return args, kwargs


def _reorder(name: str, table: Table, args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs, bool]:
    order = next((order for order in table.orders if order.fits(args)), None)
    if order is None:
        return args, kwargs, False
    named = dict(zip(order.names, args, strict=False))
    twice = sorted(key for key in kwargs if table.names.get(key, key) in named)
    if twice:
        raise TypeError(f"`{name}` got two values for the argument `{twice[0]}`: by its place and by its name.")
    return (), {**named, **kwargs}, order.warn


def _rename(name: str, table: Table, kwargs: Kwargs, old_names: list[str]) -> Kwargs:
    """The keyword arguments with today's names, the renamed ones behind the others."""
    renamed = {key: value for key, value in kwargs.items() if key not in old_names}
    for old in old_names:
        new = table.names[old]
        if new in renamed:
            raise TypeError(
                f"For the `{new}` argument, `{name}` received both the legacy keyword argument `{old}` and "
                f"the Keras 2 keyword argument `{new}`. Stick to the latter!"
            )
        renamed[new] = kwargs[old]
        if table.renamed is not None:
            notices.warn(table.renamed.format(old=old, new=new))
    return renamed


def _written(name: str, args: Args, kwargs: Kwargs) -> str:
    """The call as a user would write it, long values cut short."""
    parts = [_value(value) for value in args]
    parts += [f"{key}={_value(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    text = "array" if isinstance(value, np.ndarray) else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
