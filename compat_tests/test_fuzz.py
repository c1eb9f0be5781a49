"""A short run of damaged files through every reader. `python -m compat_tests.fuzz --inputs 1000000` is a long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat_tests.fuzz.__main__ import run, run_apart
from compat_tests.fuzz.targets import TARGETS, Inputs

COUNTS = {
    "npz": 700,
    "zip": 500,
    "tar": 500,
    "pickle": 300,
    "json": 300,
    "yaml": 100,
    "config": 80,
    "hdf5": 400,
    "model": 60,
}


@pytest.mark.lenient
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_end_in_clear_errors(name: str, tmp_path: Path) -> None:
    seed = 20_000
    if TARGETS[name].apart:
        told = run_apart(name, 0, COUNTS[name], seed, tmp_path)
    else:
        told = run(name, 0, COUNTS[name], seed)
    assert told["failures"] == []
    assert told["inputs"] == sum(told["raised"].values()) == COUNTS[name]
    assert told["raised"].get("read", 0) < COUNTS[name], "some of them have to be damaged"


def test_the_honest_files_are_read() -> None:
    for name, target in TARGETS.items():
        seeds = target.seeds()
        if name in ("pickle", "config"):  # of two kinds, and with functions that the reader does not know
            continue
        for data in seeds:
            target.read(data)


def test_the_same_number_gives_the_same_file() -> None:
    assert Inputs("npz", 5)[17] == Inputs("npz", 5)[17] != Inputs("npz", 5)[18]
