"""Scripts for Python 2: what they gave there, as its reference says; and what is none."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
import pytest

from kjax import cli
from kjax.compat import _python2

VALUES = {
    "7 / 2": 3,
    "-7 / 2": -4,  # rounded down
    "7 / 2.0": 3.5,
    "np.int64(7) / 2": 3,
    "(np.arange(4) / 2).tolist()": [0, 0, 1, 1],
    "(np.arange(4.) / 2).tolist()": [0, 0.5, 1, 1.5],
    "True / 2": 0,
    "{1: 2}.keys()[0]": 1,
    "map(None, [3])[0] if False else range(3)[1:]": [1, 2],
    "zip([1], [2])": [(1, 2)],
    "{'a': 1}.has_key('a')": True,
    "list({'a': 1}.iteritems())": [("a", 1)],
    "`1` + repr(2)": "12",
    "0777": 511,
    "0xFFL": 255,
    "1 <> 2": True,
    "isinstance(u'x', basestring)": True,
    "reduce(lambda a, b: a * b, [2, 3, 4])": 24,
    "[i for i in xrange(3)]": [0, 1, 2],
}


def run(text: str, **names: Any) -> dict[str, Any]:
    code, old = _python2.compiled(text.encode(), "script.py")
    assert old
    known = {"np": np, **_python2.HELPERS, **names}
    exec(code, known)
    return known


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression: str) -> None:
    got = run(f"print 'old'\nx = {expression}")["x"]
    assert (got, type(got)) == (VALUES[expression], type(VALUES[expression])) or isinstance(got, np.integer)
    assert got == VALUES[expression]


def test_division_in_place_and_as_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    made = run("n = 7\nn /= 2\nd = {'k': 9}\nd['k'] /= 2\na = b = np.arange(4)\na /= 2\nprint n, d['k'], b.tolist()")
    assert capsys.readouterr().out == "3 4 [0, 0, 1, 1]\n"
    assert made["a"] is made["b"]
    assert run("from __future__ import division\nprint 'old'\nx = 7 / 2")["x"] == 3.5


def test_a_method_that_tables_of_pandas_had_does_not_change_division() -> None:
    class Table:
        def items(self) -> list[tuple[str, int]]:
            return [("a", 7)]

    assert run("x = [count / 2 for _, count in table.iteritems()]", table=Table())["x"] == [3.5]
    assert run("x = 7 / 2\nfor i in xrange(1): pass")["x"] == 3


def test_pickles_of_python_2() -> None:
    """Bytes of an array, which Python 2 wrote as a string: `pickle.dumps(numpy.array([1., 2.]))`."""
    data = pathlib.Path(__file__).parent / "recorded" / "python_2.pkl"
    got = run(f"import cPickle\nwith open({str(data)!r}, 'rb') as f: x = cPickle.load(f)\nprint 'old'")["x"]
    np.testing.assert_array_equal(got, [1.0, 2.0])


def test_files(tmp_path: pathlib.Path) -> None:
    """Text was bytes: it went into binary files, and pickles into files of text."""
    run(
        f"""
import csv, pickle
with open({str(tmp_path / "a.csv")!r}, "wb") as f:
    writer = csv.writer(f, delimiter=",")
    writer.writerow(["a", 1])
    f.write("b,2")
with open({str(tmp_path / "a.csv")!r}, "rb") as f:
    rows = list(csv.reader(f))
assert rows == [["a", "1"], ["b", "2"]], rows
with open({str(tmp_path / "a.pkl")!r}, "w") as f:
    pickle.dump([1, 2], f, 2)
with open({str(tmp_path / "a.pkl")!r}) as f:
    print pickle.load(f)
"""
    )
    assert (tmp_path / "a.csv").read_bytes() == b"a,1\r\nb,2"


@pytest.mark.parametrize(
    "text",
    [
        "x = 7 / 2",
        "try:\n    xrange\nexcept NameError:\n    xrange = range\nfor i in xrange(3): pass",
        "from six.moves import xrange\nfor i in xrange(3): pass",
        "import six\nif six.PY2:\n    text = unicode",
        "PY3 = True\ntext = str if PY3 else unicode",
        "import six\nfor pair in six.iteritems({}): pass",
        "import sys\nif sys.version_info[0] < 3:\n    import cPickle as pickle\nelse:\n    import pickle",
        "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle",
        "def f(x): yield from x",
        "match 1:\n    case 1: pass",
    ],
)
def test_what_python_3_can_run_is_left_alone(text: str) -> None:
    assert _python2.translated(text.encode(), "script.py") is None


def test_errors_of_python_3_are_its_own() -> None:
    for text in (b"x = (1\n", b"def f(:\n    pass\n", b"print 'a' 'b' +\n"):
        with pytest.raises(SyntaxError, match=r"was never closed|invalid syntax|Missing parentheses"):
            _python2.compiled(text, "script.py")


def test_without_a_translator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lib2to3.refactor", "fissix.refactor"):
        monkeypatch.setitem(sys.modules, name, None)
    _python2._tool.cache_clear()
    with pytest.raises(SyntaxError, match="pip install fissix"):
        _python2.compiled(b"print 'old'\n", "script.py")
    with pytest.raises(SyntaxError, match="invalid syntax"):
        _python2.compiled(b"x = = 2\n", "script.py")
    assert not _python2.compiled(b"x = 7 / 2\n", "script.py")[1]


def test_tabs_and_encodings() -> None:
    assert run("if True:\n\tx = 1\n        print 'eight columns'\n")["x"] == 1
    code, old = _python2.compiled(b"# -*- coding: latin-1 -*-\nx = u'\xe4'\nprint 'old'\n", "script.py")
    assert old
    exec(code, known := {})
    assert known["x"] == "ä"


def test_modules_beside_the_script(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old_helper.py").write_text("def show(x):\n    print 'shown', x / 2\n")
    (tmp_path / "main.py").write_text("from old_helper import show\nprint 'old'\nshow(7)\n")
    assert cli.main(["check", str(tmp_path / "main.py")]) == 0
    assert "written for Python 2: `kjax run` translates it" in capsys.readouterr().out
    from compat_tests.test_cli import kjax

    done = kjax("run", "main.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "old\nshown 3\n")
    assert "it is translated for this run" in done.stderr
    assert not list(tmp_path.rglob("old_helper*.pyc"))
