"""Names beside Keras that old scripts use and that Python, numpy, SciPy, scikit-learn or pandas no longer have.

`kjax run` gives them back for the time of a script; nothing that is still there is replaced, but for `re.split` and
what `_numbers` says.
"""

from __future__ import annotations

import collections
import collections.abc
import fractions
import importlib
import importlib.abc
import importlib.util
import inspect
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from kjax._core.tensors import Variable
from kjax.compat import _numbers

_added: list[tuple[Any, str]] = []


def install() -> None:
    """Give the names back: those of loaded modules now, those of others when a script imports them."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    for module, names in ((np, _numpy_names()), *_python_names()):
        _add(module, names)
    for name, adds in _ADDS.items():
        if name in sys.modules:
            adds(sys.modules[name])
    re.split = _split
    _numbers.install()
    _add(Variable, {"initializer": _Initializer()})
    # What a model gives when it is called with arrays, as scripts of TensorFlow 2 ask for it.
    _add(importlib.import_module("jax._src.array").ArrayImpl, {"numpy": lambda self: np.array(self)[()]})


class _Initializer:
    """The operation that draws a layer's weight anew, as its initializer says. A variable of TensorFlow has its own."""

    def __get__(self, variable: Any, owner: Any = None) -> Any:
        if variable is None:
            return self
        draw = vars(variable).get("draw")
        if draw is None:
            raise AttributeError(f"{variable.name} has no `initializer`: it is no weight of a layer.")
        from kjax.compat.tensorflow import _graph

        default = _graph.get_default_graph()
        name = default.unique_name(variable.name.partition(":")[0] + "/Assign")
        return _graph.HostOperation(default, name, "Assign", [], lambda: variable.assign(draw()))


def uninstall() -> None:
    """Take away what `install` gave."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    re.split = _SPLIT
    _numbers.uninstall()
    while _added:
        owner, name = _added.pop()
        if name in vars(owner):
            delattr(owner, name)
    for name in _MADE:
        if isinstance(getattr(sys.modules.get(name), "__loader__", None), _Making):
            del sys.modules[name]


def _add(owner: Any, names: dict[str, Any]) -> None:
    for name, value in names.items():
        if name not in vars(owner):
            setattr(owner, name, value)
            _added.append((owner, name))


_SPLIT = re.split
_OPTIONAL_GROUP = re.compile(r"\((?!\?)[^()]*\)\?")


def _split(pattern: Any, *args: Any, **options: Any) -> Any:
    """`re.split`; by an optional group as before Python 3.7, where nothing split at places without a character."""
    if isinstance(pattern, str) and _OPTIONAL_GROUP.fullmatch(pattern):
        pattern = pattern[:-1]
    return _SPLIT(pattern, *args, **options)


def _numpy_names() -> dict[str, Any]:
    plain = {"float": float, "int": int, "bool": bool, "object": object, "str": str, "complex": complex}
    sized = {"float_": np.float64, "complex_": np.complex128, "long": int, "unicode": str, "unicode_": np.str_}
    constants = {"Inf": np.inf, "infty": np.inf, "Infinity": np.inf, "NaN": np.nan, "PINF": np.inf, "NINF": -np.inf}
    functions = {
        "product": np.prod,
        "cumproduct": np.cumprod,
        "alltrue": np.all,
        "sometrue": np.any,
        "asscalar": lambda a: np.asarray(a).item(),
        "row_stack": np.vstack,
        "in1d": lambda a, b, **options: np.isin(np.ravel(a), b, **options),
        "trapz": np.trapezoid,
        "msort": lambda a: np.sort(a, axis=0),
        "rank": np.ndim,
    }
    return {**plain, **sized, **constants, **functions}


def _python_names() -> list[tuple[ModuleType, dict[str, Any]]]:
    kinds = ("Callable", "Hashable", "Iterable", "Iterator", "Mapping", "MutableMapping", "Sequence", "Set", "Sized")
    return [
        (time, {"clock": time.perf_counter}),
        (fractions, {"gcd": math.gcd}),
        (collections, {kind: getattr(collections.abc, kind) for kind in kinds}),
        (inspect, {"getargspec": _getargspec}),
    ]


def _getargspec(function: Callable[..., Any]) -> Any:
    found = inspect.getfullargspec(function)
    kind = collections.namedtuple("ArgSpec", ("args", "varargs", "keywords", "defaults"))
    return kind(found.args, found.varargs, found.varkw, found.defaults)


class _Finder(importlib.abc.MetaPathFinder):
    """Adds names to modules as they are loaded, and makes those that are gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _MADE and (fullname == "scipy.misc" or self._real(fullname, path, target) is None):
            return ModuleSpec(fullname, _Making(_MADE[fullname]), is_package=fullname == "sklearn.externals")
        if fullname not in _ADDS:
            return None
        spec = self._real(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Adding(spec.loader, _ADDS[fullname])
        return spec

    def _real(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


class _Adding(importlib.abc.Loader):
    def __init__(self, loader: Any, adds: Callable[[ModuleType], None]) -> None:
        self.loader = loader
        self.adds = adds

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        self.adds(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


class _Making(importlib.abc.Loader):
    def __init__(self, names: Callable[[], dict[str, Any]]) -> None:
        self.names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(self.names())


def _misc() -> dict[str, Any]:
    """SciPy's `misc`, of which nothing is left but a warning."""
    from kjax.compat import _pictures

    special = importlib.import_module("scipy.special")
    pictures = {name: getattr(_pictures, name) for name in _pictures.__all__}
    return {**pictures, **{name: getattr(special, name) for name in ("comb", "factorial", "logsumexp")}}


def _add_tables(module: ModuleType) -> None:
    for kind in (module.DataFrame, module.Series):
        _add(kind, {"as_matrix": lambda self, columns=None: (self if columns is None else self[columns]).to_numpy()})

    def append(self: Any, other: Any, ignore_index: bool = False, **_: Any) -> Any:
        if isinstance(other, dict):
            other = module.DataFrame([other])
        others = list(other) if isinstance(other, (list, tuple)) else [other]
        return module.concat([self, *others], ignore_index=ignore_index)

    _add(module.DataFrame, {"append": append})


def _model_selection() -> dict[str, Any]:
    """scikit-learn's `cross_validation` and `grid_search`: splitters were told the data, and iterated themselves."""
    selection = importlib.import_module("sklearn.model_selection")
    names = {name: value for name, value in vars(selection).items() if not name.startswith("_")}

    def folds(kind: str) -> Callable[..., list[Any]]:
        def make(first: Any = None, n_folds: int = 3, **options: Any) -> list[Any]:
            told = options.pop("y", options.pop("n", first))
            rows = np.zeros(told) if np.ndim(told) == 0 else np.zeros(len(told))
            if not options.get("shuffle"):
                options.pop("random_state", None)
            return list(getattr(selection, kind)(n_folds, **options).split(rows, told if np.ndim(told) else None))

        return make

    return {**names, "KFold": folds("KFold"), "StratifiedKFold": folds("StratifiedKFold")}


_ADDS: dict[str, Callable[[ModuleType], None]] = {"pandas": _add_tables}
_MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "scipy.misc": _misc,
    "sklearn.cross_validation": _model_selection,
    "sklearn.grid_search": _model_selection,
    "sklearn.externals": lambda: {"joblib": importlib.import_module("joblib")},
    "sklearn.externals.joblib": lambda: vars(importlib.import_module("joblib")),
}
