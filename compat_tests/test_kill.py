"""Processes that are killed while they save and while they train: twenty of them; `compat_tests.kill` does more."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes to kill are forked")
def test_killed_processes_leave_whole_files_and_trainings_that_go_on() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "compat_tests.kill", "--trials", "20", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    counted = json.loads(run.stdout)
    assert counted["saves"] + counted["models"] + counted["trainings"] == 20
    # It means nothing unless processes really died in the midst of writing, of all kinds.
    assert counted["saves killed while writing"] >= 3
    assert counted["models killed while writing"] >= 3
    assert counted["trainings killed while writing"] >= 2
    assert counted["trainings compared"] >= 1
