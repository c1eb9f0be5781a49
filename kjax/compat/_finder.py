"""A finder for `sys.meta_path` that answers one package's names with the modules of another."""

from __future__ import annotations

import difflib
import importlib
import importlib.abc
import importlib.util
import pkgutil
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_ABSENT: Any = object()


def _below(name: str, root: str) -> bool:
    return name == root or name.startswith(root + ".")


class _Stand(ModuleType):
    """Holds an alias's place in `sys.modules` until the loader puts the real module there.

    The import system writes `__spec__` into whatever a loader creates; here it writes into this object, never
    into the real module. Another thread can catch a glimpse of it, so it answers for the real module.
    """

    def __init__(self, name: str, real: ModuleType) -> None:
        super().__init__(name)
        self._kjax_real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kjax_real, name)


class _AliasLoader(importlib.abc.Loader):
    def __init__(self, finder: AliasFinder, real_name: str) -> None:
        self.finder = finder
        self.real_name = real_name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stand(spec.name, importlib.import_module(self.real_name))

    def exec_module(self, module: ModuleType) -> None:
        self.finder._bind(module.__name__, sys.modules[self.real_name])


class AliasFinder(importlib.abc.MetaPathFinder):
    """Makes every root in `aliases` (alias -> real package), and all below it, the real package's modules.

    Arguments:
        aliases: which root stands for which package; of several that match a name the longest wins.
        partial: real package -> sentence that is added when a name below it does not exist.
    """

    def __init__(
        self,
        aliases: Mapping[str, str],
        partial: Mapping[str, str] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.aliases = dict(aliases)
        self.partial = dict(partial or {})
        self.versions = dict(versions or {})
        self._lock = threading.RLock()
        self._displaced: dict[str, ModuleType] = {}
        self._overwritten: list[tuple[ModuleType, str, Any, Any]] = []

    def installed(self) -> bool:
        """True while the aliases are in force."""
        return any(finder is self for finder in sys.meta_path)

    def install(self) -> None:
        """Puts the aliases in force; modules imported under these names are set aside. Twice is once."""
        with self._lock:
            if self.installed():
                return
            self._displaced = self._take_out()
            self._overwritten = []
            for name, version in self.versions.items():
                module = importlib.import_module(name)
                self._overwritten.append((module, "__version__", vars(module).get("__version__", _ABSENT), version))
                vars(module)["__version__"] = version
            sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Puts back what `install` found: `sys.meta_path`, the modules set aside, attributes of packages."""
        with self._lock:
            if not self.installed():
                return
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
            self._take_out()
            sys.modules.update(self._displaced)
            for package, child, before, bound in reversed(self._overwritten):
                if vars(package).get(child) is not bound:
                    continue
                if before is _ABSENT:
                    delattr(package, child)
                else:
                    setattr(package, child, before)
            self._displaced, self._overwritten = {}, []

    @contextmanager
    def alias(self) -> Generator[None]:
        """Installs for a `with` block; inside another, or after `install()`, it changes nothing."""
        if self.installed():
            yield
            return
        self.install()
        try:
            yield
        finally:
            self.uninstall()

    @contextmanager
    def suspended(self) -> Generator[None]:
        """For a `with` block in which another library must find the real names, or none, in `sys.modules`."""
        if not self.installed():
            yield
            return
        ours = self._take_out()
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        sys.modules.update(self._displaced)
        try:
            yield
        finally:
            self._displaced = self._take_out()
            sys.modules.update(ours)
            sys.meta_path.insert(0, self)

    def _take_out(self) -> dict[str, ModuleType]:
        names = [name for name in sys.modules if self.real_name(name) is not None]
        return {name: sys.modules.pop(name) for name in names}

    def real_name(self, name: str) -> str | None:
        """The real module's name for an alias, or None where the name is no alias."""
        roots = [root for root in self.aliases if _below(name, root)]
        if not roots:
            return None
        root = max(roots, key=len)
        return self.aliases[root] + name[len(root) :]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question; raises ModuleNotFoundError, so that no other finder answers."""
        real_name = self.real_name(fullname)
        if real_name is None:
            return None
        if real_name not in sys.modules and not _exists(real_name):
            raise ModuleNotFoundError(self._not_found(fullname, real_name), name=fullname)
        return ModuleSpec(fullname, _AliasLoader(self, real_name), origin=real_name)

    def _bind(self, name: str, real: ModuleType) -> None:
        """Enters the real module under its alias, and with it the modules below it that are loaded already.

        Those would otherwise be loaded through the alias later, and the import system would then set them as
        attributes of their package once more, over a function of the same name that the package put there.
        """
        sys.modules[name] = real
        for loaded in [key for key in sys.modules if key.startswith(real.__name__ + ".")]:
            alias = name + loaded[len(real.__name__) :]
            if self.real_name(alias) == loaded and not _loading(sys.modules[loaded]):
                sys.modules.setdefault(alias, sys.modules[loaded])
        parent, _, child = name.rpartition(".")
        if parent:
            before = vars(sys.modules[parent]).get(child, _ABSENT)
            if before is not real:
                self._overwritten.append((sys.modules[parent], child, before, real))

    def _not_found(self, fullname: str, real_name: str) -> str:
        text = f"No module named {fullname!r}"
        parent, _, child = fullname.rpartition(".")
        near = difflib.get_close_matches(child, _names_in(real_name.rpartition(".")[0]), n=1, cutoff=0.6)
        if parent and near:
            text += f". Did you mean {parent + '.' + near[0]!r}?"
        notes = [sentence for package, sentence in self.partial.items() if _below(real_name, package)]
        return text + "".join(f" ({sentence})" for sentence in notes)


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError as error:
        if error.name is None or not _below(name, error.name):
            raise
        return False


def _loading(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _names_in(package: str) -> list[str]:
    """Public names that a package offers: its submodules and its attributes."""
    module = sys.modules.get(package)
    if module is None:
        return []
    names = {info.name for info in pkgutil.iter_modules(getattr(module, "__path__", []))} | set(vars(module))
    return sorted(name for name in names if not name.startswith("_"))
