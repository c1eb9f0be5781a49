"""Scripts for Python 2: their text as Python 3 has it.

lib2to3, which Python had until 3.12, or fissix, which carries it on, rewrites the syntax and the names. What depends on
values is seen to when they are there: two integers give an integer when one is divided by the other, and pickles hold
bytes where Python 3 expects text.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.abc
import importlib.machinery
import io
import operator
import os
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from types import CodeType, ModuleType
from typing import Any

import numpy as np

NAMES = frozenset(
    ("xrange", "raw_input", "unicode", "basestring", "unichr", "long", "reduce", "execfile", "cmp", "reload")
)
_METHODS = frozenset(("iteritems", "iterkeys", "itervalues", "has_key"))
# What a test that asks for the Python is told by.
_ASKS = ("version", "PY2", "PY3", "six", "basestring", "unicode")
_MODULES = frozenset(
    ("cPickle", "StringIO", "cStringIO", "urllib2", "urlparse", "Queue", "ConfigParser", "httplib", "Tkinter")
)
# What a translated text calls.
_DIVIDE, _DIVIDE_IN_PLACE = "__kjax_divide__", "__kjax_divide_in_place__"
_OPEN, _OF_BYTES, _OF_TEXT = "__kjax_open__", "__kjax_of_bytes__", "__kjax_of_text__"


class Unable(SyntaxError):
    """A script for Python 2 cannot be translated, with the reason."""


def compiled(source: bytes, path: str) -> tuple[CodeType, bool]:
    """The code of a script, and whether it was written for Python 2.

    Raises:
        SyntaxError: that of Python 3, if it is a text of neither; if there is nothing to translate it with.
    """
    tree = translated(source, path)
    if tree is None:  # from bytes, so that the compiler itself reads a byte order mark and an encoding
        return compile(source, path, "exec", dont_inherit=True), False
    asked = re.search(r"^from __future__ import .*\bdivision\b", _text(source), re.MULTILINE) is not None
    divides = asked or not _is_certain(source, path)
    tree = ast.fix_missing_locations(_Values(divides).visit(tree))
    return compile(tree, path, "exec", dont_inherit=True), True


def translated(source: bytes, path: str) -> ast.Module | None:
    """The syntax tree of a script for Python 2 as Python 3 has it; None for a text that is none.

    Raises:
        Unable: if there is nothing to translate it with.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the script's own escapes; and of lib2to3's age
        try:
            certain = uses_python_2(ast.parse(source, path))
            if not certain:
                return None
        except (SyntaxError, ValueError):
            certain = False
        text = _text(source)
        try:
            return ast.parse(str(_tool().refactor_string(text if text.endswith("\n") else text + "\n", path)), path)
        except Unable:
            if certain or _looks_old(text):
                raise
        except Exception:  # parsers raise what they like
            pass
    return None


def _is_certain(source: bytes, path: str) -> bool:
    """Whether a script can have run under Python 2 alone; under Python 3 tables of pandas had an `iteritems` too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return uses_python_2(ast.parse(source, path), methods=frozenset({"has_key"}))
        except (SyntaxError, ValueError):
            return True


def uses_python_2(tree: ast.Module, methods: frozenset[str] = _METHODS) -> bool:
    """Whether a text that Python 3 can read counts on what only Python 2 had, without seeing to its being there.

    Arguments:
        methods: calls of which, without arguments, tell it.
    """
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.asname or alias.name for node in imported for alias in node.names}
    if "*" in names:
        bound |= NAMES
    return any(_is_python_2(node, bound | names, methods) for node in _unguarded(tree))


def _unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `try` and `if`: there a script may ask which Python it is."""
    yield node
    for child in ast.iter_child_nodes(node):
        asks = isinstance(child, (ast.If, ast.IfExp)) and any(word in ast.dump(child.test) for word in _ASKS)
        if asks or isinstance(child, ast.Try):
            continue
        yield from _unguarded(child)


def _is_python_2(node: ast.AST, bound: set[str], methods: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Load) and node.id in NAMES - bound
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        arguments = 1 if node.func.attr == "has_key" else 0
        return node.func.attr in methods and len(node.args) == arguments
    if isinstance(node, ast.Import):
        return any(alias.name in _MODULES for alias in node.names)
    return isinstance(node, ast.ImportFrom) and not node.level and node.module in _MODULES


# -- the text ----------------------------------------------------------------------------------------------------------


@functools.cache
def _tool() -> Any:
    for package in ("lib2to3", "fissix"):
        try:
            refactor = importlib.import_module(f"{package}.refactor")
        except ModuleNotFoundError:
            continue
        return refactor.RefactoringTool(refactor.get_fixers_from_package(f"{package}.fixes"))
    raise Unable(
        "the script is written for Python 2, and Python has not had lib2to3 to translate it since 3.13: "
        "`pip install fissix`, which carries lib2to3 on, or convert it by `python3.12 -m lib2to3 -w`"
    )


def _looks_old(text: str) -> bool:
    return any(line.lstrip().startswith(("print ", "exec ", "raise ", "except ")) for line in text.splitlines())


def _text(source: bytes) -> str:
    """Decoded, with tabs at the starts of lines as Python 2 read them: eight columns each."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        text = source.decode("latin-1")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    return "\n".join(start.expandtabs(8) + line[len(start) :] for start, line in zip(starts, lines, strict=True))


# -- what depends on values --------------------------------------------------------------------------------------------


class _Values(ast.NodeTransformer):
    """Puts calls where Python 2 and 3 do something else with the same text.

    Arguments:
        divides: whether the script has asked for Python 3's division.
    """

    def __init__(self, divides: bool) -> None:
        self.divides = divides

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if self.divides or not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(_call(_DIVIDE, node.left, node.right), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if self.divides or not isinstance(node.op, ast.Div):
            return node
        loaded = _loaded(node.target)
        return ast.copy_location(ast.Assign([node.target], _call(_DIVIDE_IN_PLACE, loaded, node.value)), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        if called == "open":
            node.func = ast.copy_location(ast.Name(_OPEN, ast.Load()), node.func)
        elif called.lower().endswith(("pickle.load", "pickle.loads", "pickle.dump")):
            place = 1 if name == "dump" else 0
            if name != "loads" and len(node.args) > place:
                node.args[place] = _call(_OF_BYTES, node.args[place])
            if name != "dump" and not node.keywords:
                node.keywords = [ast.keyword("encoding", ast.Constant("latin1"))]
        elif called in ("csv.reader", "csv.DictReader") and node.args:
            node.args[0] = _call(_OF_TEXT, node.args[0])
        return node


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _loaded(target: Any) -> Any:
    return ast.parse(ast.unparse(target), mode="eval").body


def _are_integers(a: Any, b: Any) -> bool:
    def is_integer(x: Any) -> bool:
        return isinstance(x, (int, np.integer)) or (isinstance(x, np.ndarray) and x.dtype.kind in "iu")

    return is_integer(a) and is_integer(b)


class _Writer(io.BufferedWriter):
    """A binary file that also takes text, which was bytes."""

    def write(self, data: Any) -> int:
        return super().write(data.encode() if isinstance(data, str) else data)


def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
    """Python 2's `open`."""
    if "b" not in mode or not set(mode) & set("wa") or args or options:
        return open(file, mode, *args, **options)
    return _Writer(io.FileIO(file, mode.replace("b", "")))


def of_bytes(file: Any) -> Any:
    """The bytes of a file that may have been opened as text."""
    return getattr(file, "buffer", file)


def of_text(file: Any) -> Any:
    """The lines of a file that may have been opened as binary."""
    binary = isinstance(file, (io.BufferedIOBase, io.RawIOBase))
    return (line.decode("utf-8", "replace") for line in file) if binary else file


def divide(a: Any, b: Any) -> Any:
    """Python 2's `a / b`: rounded down for integers."""
    return a // b if _are_integers(a, b) else a / b


def divide_in_place(a: Any, b: Any) -> Any:
    """Python 2's `a /= b`."""
    return operator.ifloordiv(a, b) if _are_integers(a, b) else operator.itruediv(a, b)


HELPERS = {
    _DIVIDE: divide,
    _DIVIDE_IN_PLACE: divide_in_place,
    _OPEN: opened,
    _OF_BYTES: of_bytes,
    _OF_TEXT: of_text,
}


# -- modules beside the script -----------------------------------------------------------------------------------------


class _Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # pyright: ignore
        return compiled(bytes(data), os.fsdecode(path))[0] if isinstance(data, bytes) else compile(data, path, "exec")

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Nothing: what is translated is not kept where Python itself would look."""


class _Beside(importlib.abc.MetaPathFinder):
    """Finds the modules that lie in the script's folder."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path or [self.folder], target)
        origin = spec.origin if spec is not None else None
        if spec is None or origin is None or not origin.startswith(self.folder) or "site-packages" in origin:
            return None
        if type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(fullname, origin)
        return spec


def install(folder: str) -> None:
    """Let what a translated text calls be there, and modules of a folder be translated as they are imported."""
    for name, function in HELPERS.items():
        setattr(builtins, name, function)
    if not any(isinstance(finder, _Beside) for finder in sys.meta_path):
        sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder), _Beside(folder))
