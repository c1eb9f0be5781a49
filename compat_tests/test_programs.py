"""Whole programs, written as users of 2015 to 2020 wrote them, run unchanged and learn what they say."""

from __future__ import annotations

import pathlib

import pytest

from compat_tests import script_runner
from kjax._check import check_source

FOLDER = pathlib.Path(__file__).parent / "programs"
PROGRAMS = sorted(FOLDER.glob("*.py"))


@pytest.mark.lenient
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program_runs_and_learns(path: pathlib.Path, tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert "assert " in text, "a program says what it must have learned"
    for package in ("sklearn", "pandas", "PIL", "scipy"):
        if f"import {package}" in text or f"from {package}" in text:
            pytest.importorskip(package, reason=f"the program uses {package}")
    code = script_runner.run(path, tmp_path)
    said = capfd.readouterr()
    assert code == 0, f"{said.out[-1500:]}\n{said.err[-6000:]}"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_check_finds_nothing_missing(path: pathlib.Path) -> None:
    report = check_source(path.read_bytes(), path.name)
    assert report.problem is None
    assert report.of("missing") == []


def test_there_are_forty() -> None:
    assert len(PROGRAMS) >= 40
