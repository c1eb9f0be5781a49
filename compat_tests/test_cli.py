"""`kjax run` behaves as `python script.py`; `kjax demo`, `--version` and `--help` answer."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from kjax import _demo, cli
from kjax._version import __version__
from kjax.compat import _traceback

ROOT = pathlib.Path(cli.__file__).parents[1]
CLOSING = "inside kjax and other packages not shown; KJAX_TRACEBACK=full shows all)"


def kjax(*words: str, cwd: pathlib.Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "kjax", *words],
        cwd=cwd,
        env={**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def write(path: pathlib.Path, text: str, encoding: str = "utf-8") -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


def test_script_finds_what_python_would_give_it(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "work" / "beside.py", "value = 42\n")
    script = """
import json, os, pickle, sys
import beside, keras, tensorflow
import __main__
class Thing: pass
def function(): return 1
print(json.dumps(dict(argv=sys.argv, file=__file__, name=__name__, path=sys.path[0], beside=beside.value,
    fresh=__main__.__dict__ is globals() and "annotations" not in globals() and "main" not in globals(),
    pickled=pickle.loads(pickle.dumps([Thing, function])) == [Thing, function],
    spec=__spec__, keras=keras.__name__, tf=tensorflow.keras is keras, backend=os.environ["MPLBACKEND"])))
"""
    path = write(tmp_path / "work" / "script.py", script)
    done = kjax("run", "work/script.py", "-x", "--help", "--", "a b", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "argv": ["work/script.py", "-x", "--help", "--", "a b"],
        "file": str(path),
        "name": "__main__",
        "path": str(path.parent),
        "beside": 42,
        "fresh": True,
        "pickled": True,
        "spec": None,
        "keras": "kjax",
        "tf": True,
        "backend": "Agg",
    }


def test_declared_encoding_and_exit_code(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "a.py", "# -*- coding: euc-kr -*-\nimport sys\nprint('훈련')\nsys.exit(3)\n", "euc-kr")
    done = kjax("run", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "훈련\n", "")


def test_byte_order_mark_and_interrupt(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "a.py", "print('né', flush=True)\nraise KeyboardInterrupt\n", "utf-8-sig")
    done = kjax("run", "a.py", cwd=tmp_path, MPLBACKEND="svg")
    assert (done.returncode, done.stdout, done.stderr) == (130, "né\n", "kjax: interrupted\n")


def test_exit_with_a_message(tmp_path: pathlib.Path) -> None:
    write(
        tmp_path / "a.py",
        "import sys, keras\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    sys.exit('bye')\n",
    )
    done = kjax("run", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "bye\n")


def test_syntax_error_shows_the_users_line_alone(tmp_path: pathlib.Path) -> None:
    path = write(tmp_path / "a.py", "print('never')\nx = = 1\n")
    done = kjax("run", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == f'  File "{path}", line 2'
    assert lines[-1] == "SyntaxError: invalid syntax"
    assert len(lines) == 4


ERRORS = """
import jax
import tensorflow as tf

def prepare():
    try:
        tf.one_hot([1], depth='many')
    except ValueError as error:
        raise RuntimeError('while preparing\\nin two lines') from error

def loss(x):
    return jax.numpy.reshape(x, (7, 7))

def train():
    try:
        prepare()
    finally:
        jax.jit(loss)(jax.numpy.ones(3))

train()
"""


def test_traceback_shows_the_users_frames(tmp_path: pathlib.Path) -> None:
    path = write(tmp_path / "a.py", ERRORS)
    done = kjax("run", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    error = done.stderr
    files = {line.split('"')[1] for line in error.splitlines() if line.startswith("  File ")}
    assert files == {str(path)}
    shown = [line.strip() for line in error.splitlines() if line.startswith("    ") and set(line.strip()) - set("^~")]
    assert shown == [
        "tf.one_hot([1], depth='many')",
        "prepare()",
        "raise RuntimeError('while preparing\\nin two lines') from error",
        "train()",
        "jax.jit(loss)(jax.numpy.ones(3))",
        "return jax.numpy.reshape(x, (7, 7))",
    ]
    assert "ValueError: invalid literal for int() with base 10: 'many'" in error
    assert "RuntimeError: while preparing\nin two lines" in error
    assert "direct cause of" in error
    assert "During handling of" in error
    last, closing = error.splitlines()[-2:]
    assert last.startswith("TypeError: cannot reshape array of shape (3,)")
    assert closing.endswith(CLOSING)


def test_full_traceback(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "a.py", ERRORS)
    done = kjax("run", "a.py", cwd=tmp_path, KJAX_TRACEBACK="full")
    assert done.returncode == 1
    for part in (os.path.join("compat", "tensorflow", "arrays.py"), os.path.join("jax", "_src"), "a.py"):
        assert part in done.stderr
    assert "_script.py" not in done.stderr
    assert CLOSING not in done.stderr


def test_module(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "tool" / "__init__.py", "import keras\nname = keras.__name__\n")
    text = "import sys\nfrom . import name\nprint(sys.argv[1:], __name__, __package__, __spec__.name, name)\n"
    path = write(tmp_path / "tool" / "__main__.py", text + "print(sys.argv[0])\nraise ValueError('end')\n")
    done = kjax("run", "-m", "tool", "-m", "x", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["['-m', 'x'] __main__ tool tool.__main__ kjax", str(path)]
    assert done.stderr.splitlines() == [
        "Traceback (most recent call last):",
        f'  File "{path}", line 5, in <module>',
        "    raise ValueError('end')",
        "ValueError: end",
    ]


def test_missing_module(tmp_path: pathlib.Path) -> None:
    done = kjax("run", "-m", "no_such_module_here", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kjax: no module named 'no_such_module_here'\n"


def test_spawned_processes_have_the_aliases(tmp_path: pathlib.Path) -> None:
    script = """
import multiprocessing
import keras

def name(number):
    return keras.__name__ + str(number)

if __name__ == '__main__':
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        print(pool.map(name, [1, 2]))
"""
    write(tmp_path / "a.py", script)
    write(tmp_path / "keras.py", "raise ImportError('the wrong keras')\n")
    done = kjax("run", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['kjax1', 'kjax2']\n", "")


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_what_is_no_file(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"kjax: cannot open '{name}': ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--version"], 0, f"kjax {__version__} "),
        (["--help"], 0, "usage: kjax "),
        (["run", "--help"], 0, "usage: kjax run "),
        (["run"], 2, "the name of a script is missing"),
        (["run", "-m"], 2, "the name of a module is missing"),
        (["run", "--fast", "x.py"], 2, "unrecognized arguments: --fast"),
        (["sing"], 2, "invalid choice: 'sing'"),
        (["demo", "--epochs", "0"], 2, "0 is not a positive number"),
    ],
)
def test_words(words: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == code
    assert text in "".join(capsys.readouterr())


def test_no_words_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert capsys.readouterr().out.startswith("usage: kjax ")


@pytest.mark.parametrize(("words", "epochs"), [(["demo"], 5), (["demo", "--epochs", "2"], 2)])
def test_demo_is_called(words: list[str], epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(_demo, "main", lambda *given: called.append(given) or 0)
    assert cli.main(words) == 0
    assert called == [(epochs,)]


SITE = os.path.join(os.sep, "venv", "lib", "python3.11", "site-packages")


@pytest.mark.parametrize(
    ("filename", "main", "kind"),
    [
        ("/home/a/script.py", "/home/a/script.py", "user"),
        ("/home/b/helper.py", "/home/a/script.py", "user"),
        ("/home/a/venv/lib/python3.11/site-packages/x/y.py", "/home/a/script.py", "package"),
        (f"{SITE}/jax/_src/api.py", "/home/a/script.py", "inner"),
        (f"{SITE}/jaxlib/x.py", "/home/a/script.py", "inner"),
        (f"{SITE}/sklearn/base.py", "/home/a/script.py", "package"),
        (f"{SITE}/tool/helper.py", f"{SITE}/tool/__main__.py", "user"),
        (f"{SITE}/other.py", f"{SITE}/tool.py", "package"),
        (str(ROOT / "kjax" / "_core" / "graph.py"), str(ROOT / "script.py"), "inner"),
        (str(ROOT / "kjax" / "cli.py"), str(ROOT / "script.py"), "runner"),
        ("<frozen importlib._bootstrap>", "/home/a/script.py", "runner"),
        ("<string>", "/home/a/script.py", "neutral"),
        (json.__file__, "/home/a/script.py", "neutral"),
        (str(pathlib.Path(os.__file__).parent / "runpy.py"), "/home/a/script.py", "runner"),
    ],
)
def test_kinds_of_frames(filename: str, main: str, kind: str) -> None:
    assert _traceback._kind(filename, main) == kind
