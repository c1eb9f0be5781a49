"""Reads a script from top to bottom and follows what its names mean, as far as that can be told without running it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from kjax._check import _modules
from kjax._check._expressions import Expressions
from kjax._check._findings import MISSING, NOTE, Finding
from kjax._check._values import UNKNOWN, Instance, Missing, ScriptClass, ScriptFunction

# An import below one of these is an attempt; another one stands in its handler.
_CAUGHT = frozenset(("ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "Exception", "BaseException"))


class Scan(Expressions, ast.NodeVisitor):
    """The findings of one script.

    Arguments:
        tree: the parsed script.
        beside: names of modules that lie beside the script.
    """

    def __init__(self, tree: ast.Module, beside: Iterable[str] = ()) -> None:
        super().__init__(tree)
        self.beside = frozenset(beside)
        self.open_world = False
        self.starred: list[str] = []
        self.visit(tree)
        self._tell_undefined()

    # -- imports -----------------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if not _modules.claims(alias.name):
                self._foreign(node, alias.name)
                self.bind(alias.asname or alias.name.partition(".")[0], UNKNOWN)
                continue
            found = _modules.module(alias.name)
            if found is None:
                self.tell(node, MISSING, alias.name, f"there is no module `{alias.name}`")
            if alias.asname:
                self.bind(alias.asname, found or Missing())
            else:
                root = alias.name.partition(".")[0]
                self.bind(root, _modules.module(root) or Missing())

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        name = node.module or ""
        if node.level or not _modules.claims(name):
            if not node.level and name != "__future__":
                self._foreign(node, name)
            for alias in node.names:
                self.open_world = self.open_world or alias.name == "*"
                self.bind(alias.asname or alias.name, UNKNOWN)
            return
        source = _modules.module(name)
        if source is None:
            wanted = ", ".join(alias.name for alias in node.names)
            self.tell(node, MISSING, name, f"there is no module `{name}` (for {wanted})")
            self.open_world = self.open_world or any(alias.name == "*" for alias in node.names)
            for alias in node.names:
                self.bind(alias.asname or alias.name, Missing())
            return
        for alias in node.names:
            if alias.name == "*":
                self.starred.append(name)
                for found in _modules.star_names(source):
                    self.bind(found, _modules.member(source, found) or UNKNOWN)
            else:
                self.bind(alias.asname or alias.name, self.member(source, alias.name, node))

    def _foreign(self, node: ast.stmt, name: str) -> None:
        root = name.partition(".")[0]
        if root not in self.beside and not _modules.installed(root) and not self.attempt:
            self.tell(node, NOTE, root, f"`{root}` is not installed here and is no part of kjax")

    # -- statements that give names their meaning --------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self.value(part)
        function = ScriptFunction()
        self.bind(node.name, function)
        if isinstance(self.within, ScriptClass):
            self.within.defined.add(node.name)
        owner, self.within = self.within, None
        with self.scope(node.args):
            first = (*node.args.posonlyargs, *node.args.args)[:1]
            if first and isinstance(owner, ScriptClass):
                self.bind(first[0].arg, Instance(owner))
            returns, self.returns = self.returns, []
            self.suite(node.body)
            known = [value for value in self.returns if isinstance(value, Instance)]
            function.result = known[0] if known else UNKNOWN
            self.returns = returns
        self.within = owner

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # both kinds of definition are alike here

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        bases = [self.value(base) for base in node.bases]
        for part in (*node.decorator_list, *(keyword.value for keyword in node.keywords)):
            self.value(part)
        cls = ScriptClass(node.name, bases)
        self.bind(node.name, cls)
        # A method may be called above its definition.
        methods = (part for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)))
        cls.defined.update(part.name for part in methods)
        owner, self.within = self.within, cls
        with self.scope():
            self.suite(node.body)
        self.within = owner

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.returns.append(self.value(node.value))

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.value(node.value)
        self.assign(node.target, UNKNOWN)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.value(node.iter)
        self.assign(node.target, UNKNOWN)
        self.suite([*node.body, *node.orelse])

    visit_AsyncFor = visit_For  # type: ignore[assignment]  # as above

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value if isinstance(value, Instance) else UNKNOWN)
        self.suite(node.body)

    visit_AsyncWith = visit_With  # type: ignore[assignment]  # as above

    def visit_Try(self, node: ast.Try) -> None:
        """An attempt that would succeed is all that counts; of one that would fail, the handlers count."""
        caught = any(_catches(handler) for handler in node.handlers)
        before = len(self.findings)
        self.attempt += caught
        self.suite(node.body)
        self.attempt -= caught
        failed = any(finding.kind == MISSING for finding in self.findings[before:])
        if caught and failed:
            del self.findings[before:]
        kept, names = len(self.findings), dict(self.names)
        for handler in node.handlers:
            if handler.name:
                self.bind(handler.name, UNKNOWN)
            self.suite(handler.body)
        if caught and not failed:
            del self.findings[kept:]
            self.names.update(names)
        self.suite([*node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # type: ignore[assignment]  # as above

    def suite(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def generic_visit(self, node: ast.AST) -> None:
        """All other statements: their expressions are read in order."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
            else:
                self.visit(child)

    # -- names that nothing defines ----------------------------------------------------------------------------------

    def _tell_undefined(self) -> None:
        known = _bound(self.tree) | set(dir(builtins)) | set(self.star_bound) | {"__file__", "__name__", "__doc__"}
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Name) or node.id in known or self.open_world:
                continue
            if self.starred and _modules.of_keras(node.id):
                sources = ", ".join(f"`from {name} import *`" for name in self.starred)
                self.tell(node, MISSING, node.id, f"nothing defines `{node.id}`; {sources} does not give it")


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(part, ast.Name) and part.id in _CAUGHT for part in types)


def _bound(tree: ast.Module) -> set[str]:
    """Every name that the script gives a meaning anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            names.update(node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.add(node.name)
    return names


def scan(tree: ast.Module, beside: Iterable[str] = ()) -> list[Finding]:
    """The findings of a parsed script, in the order of its lines."""
    return sorted(set(Scan(tree, beside).findings))
