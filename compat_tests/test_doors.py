"""Every way into and out of files is a guard's or a writer's: nothing else of the package opens one."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

from compat_tests.test_structure import ROOT, modules

# What opens, reads or writes files, runs text, or starts something; by the full name or the last part of a call.
DOORS = {
    "open", "eval", "exec", "compile", "__import__", "import_module", "urlopen", "urlretrieve", "mkstemp", "mkdtemp",
    "TemporaryDirectory", "TemporaryFile", "NamedTemporaryFile", "write_text", "write_bytes", "read_text", "read_bytes",
    "savez", "savez_compressed", "savetxt", "loadtxt", "genfromtxt", "fromfile", "tofile", "memmap", "fdopen",
    "system", "Popen", "run_path", "run_module",
}  # fmt: skip
MODULES = {
    "pickle", "marshal", "shelve", "dill", "zipfile", "tarfile", "gzip", "bz2", "lzma", "subprocess", "runpy", "socket",
    "ctypes", "tempfile",
}  # fmt: skip
FULL = {"np.load", "np.save", "h5py.File", "yaml.load", "os.replace", "os.rename"}

# Who may, and why. A file that no longer uses one has to leave the table.
ALLOWED: dict[str, tuple[set[str], str]] = {
    "_core/atomic.py": (
        {"open", ".open", "os.replace", "read_bytes", "write_bytes", "tempfile", "TemporaryDirectory"},
        "the way to write",
    ),
    "_core/guards/_budget.py": ({"open"}, "the way to open"),
    "_core/guards/fetch.py": ({"urlopen"}, "the way to fetch"),
    "_core/guards/hdf5.py": ({"h5py.File"}, "the way into HDF5"),
    "_core/guards/npz.py": ({"savez"}, "numpy's files, written"),
    "_core/guards/pickles.py": ({"pickle"}, "two kinds of pickles, by a reader of few operations"),
    "_core/guards/pictures.py": ({".open"}, "the way into pictures"),
    "_core/guards/tar.py": ({"bz2", "gzip", "lzma", "tarfile"}, "the way into tar archives"),
    "_core/guards/texts.py": ({"yaml.load"}, "YAML by a loader that makes plain values"),
    "_core/guards/zips.py": ({"tempfile", "TemporaryFile", "zipfile"}, "the way into zip archives"),
    "_core/child.py": ({"Popen", "fdopen", "open", "pickle", "read_bytes", "subprocess"}, "processes of its own"),
    "_core/stream.py": ({"pickle"}, "what is sent to these processes"),
    "_core/states.py": ({"savez"}, "written into a file of `atomic`"),
    "_core/events.py": ({".open", "socket"}, "a log that grows; the name of the machine"),
    "_check/_report.py": ({"read_bytes"}, "the script of the user, which is only parsed"),
    "callbacks/_progress.py": ({"open"}, "a log that grows line by line"),
    "callbacks/_remote.py": ({"urlopen"}, "sends to the address that the user gives"),
    "callbacks/_tensorboard.py": ({"savetxt"}, "a table beside a log"),
    "compat/_ordering.py": ({"open"}, "reads the text of modules beside the script, which the script imports"),
    "compat/_python2.py": (
        {"compile", "open"},
        "the text of the script of the user, translated, and files that it opens",
    ),
    "compat/_script.py": ({"exec", "open"}, "runs the script of the user"),
    "compat/tensorflow/gfile.py": ({"open", "os.replace"}, "files that the script names, as Python's own `open`"),
    "datasets/_download.py": ({"socket"}, "asks whether there is a network"),
    "datasets/_idx.py": ({"gzip"}, "unpacks no more than the header's shape, of a file of `open_file`"),
    "engine/_kept.py": ({"open"}, "facts about the processor"),
    "saving/_archive.py": ({"tempfile", "TemporaryFile"}, "weights, before they go into the archive"),
    "saving/_local.py": ({"pickle"}, "asks whether it can write a function; reads nothing"),
    "utils/_drawing.py": ({"subprocess"}, "Graphviz, if it is installed"),
    "utils/data_utils.py": ({"tempfile", "mkdtemp"}, "where the home folder cannot be written to"),
    "utils/generic_utils.py": ({"marshal"}, "functions that this program itself dumped; no file's"),
}
# Modules of this package alone, by names that stand in its source.
IMPORTS_BY_NAME = (
    "__init__.py",
    "_check/_modules.py",
    "_core/aliases.py",
    "compat/",
    "datasets/__init__.py",
    "layers/__init__.py",
    "legacy/",
)
# Objects whose `open` or `write_text` is a guard's.
GUARDED = {"archive", "atomic", "h5a", "h5o", "hdf5", "self._zip", "tarfile"}


def doors(path: pathlib.Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield node.module or ""
        elif isinstance(node, ast.Call):
            full = ast.unparse(node.func)
            owner, _, last = full.rpartition(".")
            if full in FULL:
                yield full
            elif last in DOORS and owner not in GUARDED and not (owner and last in ("compile", "eval", "exec")):
                yield ".open" if owner and last == "open" else last


def found() -> dict[str, set[str]]:
    by_file = {str(path.relative_to(ROOT / "kjax")): set(doors(path)) for path in modules().values()}
    return {name: used for name, used in by_file.items() if used}


def test_nothing_else_opens_files() -> None:
    wrong = []
    for name, used in found().items():
        allowed = ALLOWED.get(name, (set(), ""))[0] | ({"import_module"} if name.startswith(IMPORTS_BY_NAME) else set())
        wrong += [f"{name}: {door}" for door in sorted(used - allowed)]
    assert not wrong, "use kjax._core.guards to read and kjax._core.atomic to write:\n" + "\n".join(wrong)


def test_the_table_has_no_old_entries() -> None:
    used = found()
    old = [f"{name}: {door}" for name, (doors, _) in ALLOWED.items() for door in sorted(doors - used.get(name, set()))]
    importers = [name for name, doors in used.items() if "import_module" in doors]
    old += [start for start in IMPORTS_BY_NAME if not any(name.startswith(start) for name in importers)]
    assert not old


def test_the_search_finds_doors(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "import pickle\nfrom zipfile import ZipFile\nopen('x')\nnp.load(f)\np.read_text()\neval('1')\np.open()\n"
    )
    assert set(doors(path)) == {"pickle", "zipfile", "open", "np.load", "read_text", "eval", ".open"}
