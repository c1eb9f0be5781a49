"""The comparison of speeds runs, and all peers do the same work. No time is asserted here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compat_tests.speed import peers, works
from compat_tests.speed.results import Measured, Point

ROOT = Path(__file__).parents[1]
# Those that are quick to load, in this process; the command's own test has one that is not.
BY_HAND = [name for name in peers.installed() if peers.PEERS[name].kind != "keras"]


@pytest.mark.lenient
@pytest.mark.parametrize("name", works.NAMES)
def test_kjax_and_programs_written_by_hand_do_the_same(name: str) -> None:
    work = works.load(name)
    data = work.prepare(True)
    sizes = work.quick_sizes
    points = [Point(size, {}) for size in sizes]
    for peer in ["kjax", *BY_HAND]:
        if peers.PEERS[peer].kind not in work.makers:
            continue
        np.random.seed(0)
        do_round = work.makers[peers.PEERS[peer].kind](dict(data), peers.PEERS[peer].load())
        for point in points:
            point.peers[peer] = Measured(result=float(do_round(point.size)))
            again = float(do_round(point.size))
            assert math.isfinite(again), (peer, again)
            if work.steps is not None:
                assert again != point.peers[peer].result, f"{peer} does not train on"
    for point in points:
        assert len(point.peers) > 1
        assert point.disagreement() <= work.tolerance, (point.size, point.peers)


def test_works_say_what_a_round_has() -> None:
    for name in works.NAMES:
        work = works.load(name)
        assert work.name == name
        assert set(work.at_most) <= set(peers.PEERS), name
        assert bool(work.grows_with) == (len(work.sizes) > 1) == (len(work.quick_sizes) > 1), name
        assert {peer.kind for peer in peers.PEERS.values()} >= set(work.makers), name
    epoch = works.load("table")
    assert epoch.steps is not None
    # 404 rows to train on, in batches of 32.
    assert epoch.steps(epoch.prepare(True), 10) == 130
    rows = works.load("rows")
    assert rows.steps is not None
    assert (rows.units(1000), rows.steps({}, 1000)) == (1000, 8)


def command(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compat_tests.speed", "--quick", "--out", str(folder), *options],
        cwd=ROOT,
        env={**os.environ, "KERAS_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_command_measures_in_turn_and_writes(tmp_path: Path) -> None:
    known = ["kjax", "keras-jax", "jax-scan", "numpy"]
    names = [name for name in known if name in peers.installed()]
    run = command(tmp_path, "--rounds", "2", "--work", "xor", "rows", "--absolute", "--peers", *names)
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "speed.json").read_text())["works"]
    assert list(found) == ["xor", "rows"]
    for name, sizes in (("xor", [20]), ("rows", [200, 600])):
        assert [point["size"] for point in found[name]["points"]] == sizes
        for point in found[name]["points"]:
            assert list(point["peers"]) == names
            for peer, measured in point["peers"].items():
                numbers = [measured["result"], measured["median"], *measured["seconds"], *measured["ratios"]]
                assert len(measured["seconds"]) == len(measured["ratios"]) == len(measured["cpu_seconds"]) == 2
                assert all(math.isfinite(number) and number > 0 for number in numbers), (name, peer, numbers)
                if sys.platform == "linux":
                    assert 1e7 < measured["resident"][0] <= measured["peak"][0] <= measured["peak"][1] < 1e10
    text = (tmp_path / "speed.md").read_text()
    for part in ("## xor\n", "## rows\n", "## Ratios\n", "## Microseconds per training step\n"):
        assert part in text
    assert "this is not the same work" not in text
    assert text[text.index("## xor") :].strip() in run.stdout


def test_command_adds_to_what_was_measured(tmp_path: Path) -> None:
    assert command(tmp_path, "--rounds", "1", "--work", "predict4", "--peers", "numpy").returncode == 0
    run = command(tmp_path, "--rounds", "1", "--work", "script-second", "--add", "--peers", "numpy", "kjax")
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "speed.json").read_text())["works"]
    # In the order of the works, whenever each was measured.
    assert list(found) == ["script-second", "predict4"]
    (point,) = found["script-second"]["points"]
    for measured in point["peers"].values():
        # A process takes longer than what it does in its round.
        assert measured["warm_up"] is None
        assert measured["seconds"][0] > 0.05
