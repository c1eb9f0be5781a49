"""One small script for each idiom that public scripts use, run unchanged as `kjax run` runs it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from compat_tests import script_runner
from kjax._check import check_source

FOLDER = pathlib.Path(__file__).parent / "scripts"
SCRIPTS = sorted(FOLDER.glob("*.py"))


@pytest.mark.lenient
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_idiom(path: pathlib.Path, tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    for package in ("sklearn", "pandas", "scipy"):
        if package in path.read_text():
            pytest.importorskip(package, reason=f"the script uses {package}")
    code = script_runner.run(path, tmp_path)
    said = capfd.readouterr()
    assert code == 0, said.out[-1500:] + said.err[-4000:]
    if path.stem == "print_summary":
        assert said.out.rstrip().endswith("None")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_check_finds_nothing_missing(path: pathlib.Path) -> None:
    report = check_source(path.read_bytes(), path.name)
    assert report.problem is None
    assert report.of("missing") == []


def test_in_a_process_of_its_own(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kjax", "run", str(FOLDER / "channels_first.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
