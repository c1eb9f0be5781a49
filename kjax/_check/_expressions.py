"""What an expression means: names, attributes and calls followed, all else read for what it contains."""

from __future__ import annotations

import ast
import inspect
import operator
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from kjax._check import _calls, _modules, _strings
from kjax._check._findings import MISSING, Finding
from kjax._check._values import (
    UNKNOWN,
    Const,
    Instance,
    Missing,
    Real,
    ScriptClass,
    ScriptFunction,
    Unknown,
    attributes,
)
from kjax.engine import Model, Sequential

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
# Methods that only models have, so that the receiver need not be known.
_OF_MODELS = frozenset(
    ("fit_generator", "evaluate_generator", "predict_generator", "train_on_batch", "test_on_batch", "predict_on_batch")
)
# Arguments by which a call of `fit` and the like shows that its receiver is a model, whatever it is called.
_TELLING = frozenset(
    ("nb_epoch", "epochs", "batch_size", "validation_data", "validation_split", "callbacks", "show_accuracy", "loss",
     "optimizer", "steps_per_epoch", "verbose")
)  # fmt: skip
_METHODS = frozenset(("fit", "evaluate", "predict", "compile"))
_MODELS = {"Model": Model, "Sequential": Sequential}


class Expressions:
    """Names, and the value of expressions in terms of them."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.findings: list[Finding] = []
        self.names: dict[str, Any] = {}
        self.outer: list[dict[str, Any]] = []
        self.star_bound: set[str] = set()
        self.attempt = 0
        self.within: ScriptClass | None = None
        self.returns: list[Any] = []
        # Attributes that the script sets, and names that it makes known to kjax, anywhere.
        self.set_attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _stored(n)}
        self.custom = _custom_names(tree)
        self.module_attributes: dict[tuple[int, str], Any] = {}

    def tell(self, node: ast.expr | ast.stmt, kind: str, name: str, message: str) -> None:
        self.findings.append(Finding(node.lineno, node.col_offset + 1, kind, name, message))

    def bind(self, name: str, value: Any) -> None:
        self.star_bound.add(name)
        self.names[name] = value

    def lookup(self, name: str) -> Any:
        for names in (self.names, *reversed(self.outer)):
            if name in names:
                return names[name]
        return UNKNOWN

    @contextmanager
    def scope(self, parameters: ast.arguments | None = None) -> Generator[None]:
        """The names of a function or a class body."""
        self.outer.append(self.names)
        self.names = {}
        if parameters is not None:
            for node in ast.walk(parameters):
                if isinstance(node, ast.arg):
                    self.names[node.arg] = UNKNOWN
        yield
        self.names = self.outer.pop()

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            known = value.value if isinstance(value, Const) and isinstance(value.value, (tuple, list)) else ()
            fits = len(known) == len(target.elts)
            for place, part in enumerate(target.elts):
                self.assign(part, Const(known[place]) if fits else UNKNOWN)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, UNKNOWN)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            if isinstance(owner, Real) and isinstance(owner.obj, types.ModuleType):
                self.module_attributes[id(owner.obj), target.attr] = value
        elif isinstance(target, ast.Subscript):
            self.value(target.value)
            self.value(target.slice)

    def value(self, node: ast.expr) -> Any:
        """What an expression is; everything inside of it is checked on the way."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is not None:
            return method(node)
        self._read(node)
        return UNKNOWN

    def _read(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
            elif isinstance(child, ast.comprehension):
                self.value(child.iter)
                self.assign(child.target, UNKNOWN)
                for condition in child.ifs:
                    self.value(condition)
            else:
                self._read(child)

    # -- kinds of expressions ----------------------------------------------------------------------------------------

    def _Name(self, node: ast.Name) -> Any:
        return self.lookup(node.id)

    def _Constant(self, node: ast.Constant) -> Any:
        return Const(node.value)

    def _sequence(self, node: ast.Tuple | ast.List) -> Any:
        values = [_calls.plain(self.value(part), part) for part in node.elts]
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return UNKNOWN
        return Const(tuple(values) if isinstance(node, ast.Tuple) else values)

    _Tuple = _List = _sequence

    def _Dict(self, node: ast.Dict) -> Any:
        keys = [key and self.value(key) for key in node.keys]
        values = [_calls.plain(self.value(part), part) for part in node.values]
        if not all(isinstance(key, Const) and isinstance(key.value, (str, int)) for key in keys):
            return UNKNOWN
        return Const({key.value: value for key, value in zip(keys, values, strict=True) if key is not None})

    def _UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, (int, float)):
            return Const(-value.value)
        return UNKNOWN

    def _BinOp(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        function = _ARITHMETIC.get(type(node.op))
        numbers = all(isinstance(v, Const) and isinstance(v.value, (int, float)) for v in (left, right))
        if function is None or not numbers:
            return UNKNOWN
        try:
            return Const(function(left.value, right.value))
        except (ArithmeticError, ValueError):
            return UNKNOWN

    def _Subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if isinstance(value, Const) and isinstance(index, Const):
            try:
                return Const(value.value[index.value])
            except (TypeError, LookupError):
                return UNKNOWN
        return UNKNOWN

    def _Lambda(self, node: ast.Lambda) -> Any:
        with self.scope(node.args):
            self.value(node.body)
        return UNKNOWN

    def _IfExp(self, node: ast.IfExp) -> Any:
        self.value(node.test)
        found = [self.value(node.body), self.value(node.orelse)]
        return next((value for value in found if isinstance(value, (Real, Instance))), UNKNOWN)

    def _Attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if isinstance(owner, Real):
            if not isinstance(owner.obj, (types.ModuleType, type)):
                return UNKNOWN
            return self.member(owner, node.attr, node)
        if isinstance(owner, Instance):
            return self.of_instance(owner.cls, node)
        return UNKNOWN

    def member(self, owner: Real, name: str, node: ast.expr | ast.stmt) -> Any:
        """A name in a module or class of kjax; one that is not there is told."""
        found = self.module_attributes.get((id(owner.obj), name)) or _modules.member(owner, name)
        if found is None:
            if name not in self.set_attributes:
                path = f"{owner.path}.{name}"
                self.tell(node, MISSING, path, f"there is no `{path}`{_modules.alike(owner.obj, name)}")
            return Missing()
        return found

    def of_instance(self, cls: Any, node: ast.Attribute) -> Any:
        """An attribute of an object. Of an object of kjax, one that is not there is told."""
        if isinstance(cls, ScriptClass):
            if node.attr in cls.defined or node.attr in self.set_attributes:
                return UNKNOWN
            bases = [value.obj if isinstance(value, Real) else value for value in cls.bases]
            for base in bases:
                if (isinstance(base, ScriptClass) or inspect.isclass(base)) and _has(base, node.attr):
                    return self.of_instance(base, node)
            return UNKNOWN
        known = attributes(cls)
        method = inspect.getattr_static(cls, node.attr, None)
        if inspect.isfunction(method):
            return Real(method, f"{cls.__name__}.{node.attr}", bound=True)
        if known is not None and node.attr not in known | self.set_attributes:
            name = f"{cls.__name__}.{node.attr}"
            self.tell(node, MISSING, name, f"`{cls.__name__}` has no `{node.attr}`{_modules.alike(cls, node.attr)}")
        return UNKNOWN

    # -- calls -------------------------------------------------------------------------------------------------------

    def _Call(self, node: ast.Call) -> Any:
        callee = self.value(node.func)
        args = [self.value(part) for part in node.args]
        kwargs = {keyword.arg: (self.value(keyword.value), keyword.value) for keyword in node.keywords}
        starred = any(isinstance(part, ast.Starred) for part in node.args)
        call = _calls.Call(
            node,
            () if starred else tuple(_calls.plain(v, n) for v, n in zip(args, node.args, strict=True)),
            {name: _calls.plain(*pair) for name, pair in kwargs.items() if name is not None},
            starred or None in kwargs,
        )
        if isinstance(callee, (Unknown, Instance)) and not isinstance(callee, Missing):
            callee = _by_method(node, call) or callee
        if isinstance(callee, Real):
            self._check(callee, call)
        return _result(callee)

    def _check(self, callee: Real, call: _calls.Call) -> None:
        if not callable(callee.obj):
            return
        checked = _calls.check(callee, call)
        for kind, name, message in checked.told:
            self.tell(call.node, kind, name, message)
        for argument, name, message in _strings.unknown(checked.values, self.custom):
            self.tell(call.node, MISSING, f"{argument}={name!r}", message.rstrip("."))


def _stored(node: ast.Attribute) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _has(cls: Any, name: str) -> bool:
    if isinstance(cls, ScriptClass):
        return name in cls.defined or any(_has(b.obj if isinstance(b, Real) else b, name) for b in cls.bases)
    return hasattr(cls, name)


def _by_method(node: ast.Call, call: _calls.Call) -> Real | None:
    """The method of `Model` that a call on something unknown plausibly means."""
    if not isinstance(node.func, ast.Attribute):
        return None
    name = node.func.attr
    if name in _OF_MODELS or (name in _METHODS and _TELLING & set(call.kwargs)):
        return Real(inspect.getattr_static(Model, name), f"Model.{name}", bound=True)
    return None


def _result(callee: Any) -> Any:
    """What calling something gives."""
    if isinstance(callee, ScriptFunction):
        return callee.result
    if isinstance(callee, ScriptClass):
        return Instance(callee)
    if not isinstance(callee, Real):
        return UNKNOWN
    if inspect.isclass(callee.obj):
        # `Dense` called makes a layer; what else is a class makes something whose attributes may be looked up too.
        return Instance(callee.obj)
    said = getattr(callee.obj, "__annotations__", {}).get("return")
    return Instance(_MODELS[said]) if said in _MODELS else UNKNOWN


def _custom_names(tree: ast.Module) -> set[str]:
    """Names that the script itself makes known: strings in dictionaries, where it has custom objects at all."""
    marks = ("get_custom_objects", "CustomObjectScope", "custom_object_scope", "custom_objects")
    words = {getattr(n, "id", None) or getattr(n, "attr", None) or getattr(n, "arg", None) for n in ast.walk(tree)}
    words |= {n.name for n in ast.walk(tree) if isinstance(n, ast.alias)}
    if words.isdisjoint(marks):
        return set()
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {str(n.value) for n in nodes}
