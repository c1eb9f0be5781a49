"""`tf.app.flags`: arguments of the command line, defined where they are used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any


class _Flags:
    """The values of the flags as attributes. They are parsed when the first one is asked for."""

    def __init__(self) -> None:
        self.__dict__["_parser"] = argparse.ArgumentParser(allow_abbrev=False)
        self.__dict__["_values"] = {}
        self.__dict__["_parsed"] = False

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        """Parse arguments, of which the first is the program's name. Returns those that are no flags."""
        found, rest = self._parser.parse_known_args(list(argv)[1:])
        self._values.update(vars(found))
        self.__dict__["_parsed"] = True
        return [argv[0] if argv else "", *rest]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not self._parsed:
            self(sys.argv)
        if name not in self._values:
            raise AttributeError(f"There is no flag {name!r}. Defined are: {', '.join(sorted(self._values))}.")
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not self._parsed:
            self(sys.argv)
        self._values[name] = value

    def define(self, name: str, default: Any, help: str | None, **kwargs: Any) -> None:
        """Add a flag, or one of the same name once more."""
        for action in [a for a in self._parser._actions if a.dest == name]:
            self._parser._handle_conflict_resolve(None, [(s, action) for s in action.option_strings])
        text = (help or "").replace("%", "%%")
        self._parser.add_argument(f"--{name}", dest=name, default=default, help=text, **kwargs)
        if self._parsed:
            self._values.setdefault(name, default)

    def flag_values_dict(self) -> dict[str, Any]:
        """All values by name."""
        if not self._parsed:
            self(sys.argv)
        return dict(self._values)


def _truth(text: str) -> bool:
    if text.lower() in ("true", "t", "1", "yes"):
        return True
    if text.lower() in ("false", "f", "0", "no"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


FLAGS = _Flags()


def DEFINE_string(name: str, default: Any, help: str | None = None, **_: Any) -> None:
    """A flag that is a text."""
    FLAGS.define(name, default, help, type=str)


def DEFINE_integer(name: str, default: Any, help: str | None = None, **_: Any) -> None:
    """A flag that is an integer."""
    FLAGS.define(name, default, help, type=int)


def DEFINE_float(name: str, default: Any, help: str | None = None, **_: Any) -> None:
    """A flag that is a number."""
    FLAGS.define(name, default, help, type=float)


def DEFINE_boolean(name: str, default: Any, help: str | None = None, **_: Any) -> None:
    """A flag that is true or false: `--name`, `--name=false`, `--noname`."""
    FLAGS.define(name, default, help, type=_truth, nargs="?", const=True)
    FLAGS._parser.add_argument(f"--no{name}", dest=name, action="store_false", default=argparse.SUPPRESS)


def DEFINE_enum(name: str, default: Any, enum_values: Sequence[str], help: str | None = None, **_: Any) -> None:
    """A flag that is one of several texts."""
    FLAGS.define(name, default, help, type=str, choices=list(enum_values))


DEFINE_bool = DEFINE_boolean

__all__ = ["DEFINE_bool", "DEFINE_boolean", "DEFINE_enum", "DEFINE_float", "DEFINE_integer", "DEFINE_string", "FLAGS"]
