"""The comparison of speeds runs, and all peers do the same work. No time is asserted here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from compat_tests.speed import peers, works

ROOT = Path(__file__).parents[1]


def test_every_peer_does_every_work_alike(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "compat_tests.speed", "--quick", "--rounds", "1", "--out", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "speed.json").read_text())["works"]
    assert list(found) == works.NAMES
    for name, outcome in found.items():
        able = [peer for peer in peers.installed() if peers.PEERS[peer].kind in works.load(name).makers]
        assert list(outcome["peers"]) == able
        for peer, measured in outcome["peers"].items():
            numbers = [measured["result"], *measured["seconds"], *measured["cpu_seconds"], *measured["ratios"]]
            assert len(measured["seconds"]) == len(measured["ratios"]) == 1
            assert all(math.isfinite(number) and number > 0 for number in numbers), (name, peer, numbers)
        assert outcome["disagreement"] <= outcome["tolerance"], (name, outcome["peers"])
    text = (tmp_path / "speed.md").read_text()
    assert all(f"## {name}\n" in text for name in works.NAMES)
    assert text.strip() in run.stdout.strip()
