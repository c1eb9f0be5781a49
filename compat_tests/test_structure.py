"""The shape of the package: imports point down, importing it is light, files and functions stay readable."""

from __future__ import annotations

import ast
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "kjax"

# A name imports names of lower floors, and itself. `kjax` alone is the package's own __init__.
FLOORS = {
    "kjax._version": 0,
    "kjax._core": 0,
    "kjax.backend": 1,
    "kjax.activations": 2,
    "kjax.initializers": 2,
    "kjax.regularizers": 2,
    "kjax.constraints": 2,
    "kjax._loss_objects": 2,
    "kjax.losses": 2,
    "kjax.metrics": 2,
    "kjax.optimizers": 2,
    "kjax.engine": 3,
    "kjax.layers": 4,
    "kjax.callbacks": 2,  # they watch the engine, which drives them: what they need of it is below
    "kjax.mixed_precision": 4,
    "kjax.models": 4,
    "kjax.saving": 4,
    "kjax.utils": 4,
    "kjax.datasets": 4,
    "kjax.preprocessing": 4,
    "kjax.wrappers": 5,
    "kjax.applications": 5,
    "kjax._demo": 5,
    "kjax.legacy": 6,
    "kjax.compat": 6,
    "kjax._check": 6,
    "kjax.cli": 6,
    "kjax": 7,
    "kjax.__main__": 8,
}

# Imports within a floor that have a reason. One that is no longer made has to leave the table.
SIDEWAYS = {
    ("kjax.losses", "kjax._loss_objects"): "a loss is a function and an object",
    ("kjax.metrics", "kjax.losses"): "the metric `mse` is the loss `mse`",
    ("kjax.metrics", "kjax.initializers"): "a metric's variables start as a layer's do",
    ("kjax.utils", "kjax.datasets"): "`get_file` downloads as the data sets do",
    ("kjax.utils", "kjax.preprocessing"): "tf.keras has `load_img` and the like in `utils`",
    ("kjax.models", "kjax.saving"): "scripts import `load_model` from `models`",
    ("kjax.cli", "kjax.compat"): "the command line runs scripts under the aliases",
    ("kjax.cli", "kjax._check"): "the command line checks scripts",
    ("kjax._check", "kjax.compat"): "the aliases say which names are kjax's",
}

HEAVY = ("h5py", "tensorflow_datasets", "matplotlib", "yaml", "pandas", "optax", "PIL", "keras", "tensorflow")
IMPORT_BUDGET_S = 0.15
IMPORT_SHARE = 0.22  # of the time that `import jax` takes, where a busy or slow machine takes longer over both

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
# A file or function over the limit, with the reason; one that has shrunk has to leave the table.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def modules() -> dict[str, pathlib.Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: pathlib.Path, known: set[str]) -> Iterator[tuple[str, int]]:
    """Modules of the package that a module imports, anywhere in its text, with the line."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                yield (submodule if submodule in known else source), node.lineno


def part(module: str) -> str:
    """The row of FLOORS that a module belongs to."""
    return ".".join(module.split(".")[:2])


def crossings() -> Iterator[tuple[str, str, str]]:
    """Each import between two parts of the package: from, to, and where it stands."""
    known = modules()
    for name, path in known.items():
        for target, line in imported(name, path, set(known) | set(FLOORS)):
            if target.split(".")[0] == "kjax" and part(target) != part(name):
                yield part(name), part(target), f"{path.relative_to(ROOT)}:{line}"


def test_every_module_has_a_floor() -> None:
    homeless = {part(module) for module in modules()} - set(FLOORS)
    assert not homeless, f"no floor is given for {sorted(homeless)}"


def test_imports_point_down() -> None:
    wrong = [
        f"{where}: {source} (floor {FLOORS[source]}) imports {target} (floor {FLOORS[target]})"
        for source, target, where in crossings()
        if FLOORS[target] >= FLOORS[source] and (source, target) not in SIDEWAYS
    ]
    assert not wrong, "\n".join(wrong)


def test_sideways_imports_are_few_and_real() -> None:
    made = {(source, target) for source, target, _ in crossings()}
    assert made >= set(SIDEWAYS), f"not imported any more: {sorted(set(SIDEWAYS) - made)}"
    assert all(FLOORS[source] == FLOORS[target] for source, target in SIDEWAYS)


def test_relative_imports_are_resolved(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "core.py"
    path.write_text("from .. import losses\nfrom ..engine import training\nfrom . import merge\nimport kjax.utils\n")
    known = {"kjax.losses", "kjax.engine", "kjax.engine.training", "kjax.layers", "kjax.layers.merge"}
    found = [target for target, _ in imported("kjax.layers.core", path, known)]
    assert found == ["kjax.losses", "kjax.engine.training", "kjax.layers.merge", "kjax.utils"]


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


def test_import_is_light() -> None:
    code = f"import sys, kjax; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    assert python(code) == ""


def test_import_prints_nothing_and_writes_nothing(tmp_path: pathlib.Path) -> None:
    code = f"import os; os.environ['KJAX_HOME'] = {str(tmp_path / 'home')!r}; import kjax"
    assert python(code) == ""
    assert not (tmp_path / "home").exists()


def test_import_time(tmp_path: pathlib.Path) -> None:
    code = """
import time
start = time.process_time()
import jax
middle = time.process_time()
import kjax
print(time.process_time() - middle, middle - start)
"""
    # Compiled once, as an installed package is; the first of the runs writes the bytecode.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    runs = [[float(seconds) for seconds in python(code, **compiled).split()] for _ in range(4)][1:]
    # A busy machine only ever adds time, to both, so the least of several is the nearest to the truth.
    least, of_jax = (min(column) for column in zip(*runs, strict=True))
    budget = max(IMPORT_BUDGET_S, IMPORT_SHARE * of_jax)
    assert least <= budget, f"import kjax takes {least:.3f} s beyond the {of_jax:.3f} s of import jax"


def test_files_are_short() -> None:
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in modules().values()}
    long = {name: lines for name, lines in files.items() if lines > MAX_LINES}
    assert set(long) == set(LONG_FILES), f"over {MAX_LINES} lines: {long}; listed: {sorted(LONG_FILES)}"


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_functions_fit_on_a_screen() -> None:
    long = {}
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and code_lines(node) > MAX_FUNCTION_LINES:
                long[f"{name}.{node.name}"] = code_lines(node)
    assert set(long) == set(LONG_FUNCTIONS), (
        f"over {MAX_FUNCTION_LINES} lines: {long}; listed: {sorted(LONG_FUNCTIONS)}"
    )


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_packages_are_imported_where_they_are_needed(name: str) -> None:
    """Static twin of the import test: it also sees modules that `import kjax` does not load."""
    wrong = []
    for path in modules().values():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(found.split(".")[0] == name for found in names):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, f"{name} is imported at module top in {wrong}"
