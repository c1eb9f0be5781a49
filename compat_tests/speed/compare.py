"""Running peers in turn: one computes, the others wait, and every round starts with another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from compat_tests.speed import machine
from compat_tests.speed.peers import PEERS
from compat_tests.speed.works import Work

_ROOT = Path(__file__).parents[2]
# Several processes share an accelerator, so that none may take all of its memory.
_MODEST = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass
class Measured:
    """What one peer needed.

    Attributes:
        result: the loss, or whatever number the work's first round ends with: the same for all peers, nearly.
        warm_up: seconds of the round before the timed ones, with compilation in it; None for fresh processes.
        seconds: wall time of each timed round.
        cpu_seconds: time of all of the process's threads in each timed round.
    """

    result: float = float("nan")
    warm_up: float | None = None
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def add(self, answer: dict[str, float]) -> None:
        """Take the answer of a timed round."""
        self.seconds.append(answer["seconds"])
        self.cpu_seconds.append(answer["cpu_seconds"])


@dataclass
class Outcome:
    """A work, what each peer needed for it, and the load of the machine before and after."""

    work: Work
    peers: dict[str, Measured]
    load: tuple[float | None, float | None]

    @property
    def disagreement(self) -> float:
        """The largest relative difference between the peers' results."""
        results = np.array([measured.result for measured in self.peers.values()])
        return float((results.max() - results.min()) / np.abs(results).max())


def compare(work: Work, names: Sequence[str], rounds: int, quick: bool) -> Outcome:
    """Measure a work with those of the named peers that do it."""
    names = [name for name in names if PEERS[name].kind in work.makers]
    before = machine.load()
    with tempfile.TemporaryDirectory(prefix="kjax-speed-") as folder:
        file = Path(folder) / "data.npz"
        np.savez(file, **work.prepare(quick))  # pyright: ignore[reportArgumentType]
        run = _in_fresh_processes if work.fresh else _in_turn
        return Outcome(work, run(work, names, rounds, file), (before, machine.load()))


def _rotated(names: Sequence[str], number: int) -> list[str]:
    return [names[(i + number) % len(names)] for i in range(len(names))]


def _in_turn(work: Work, names: Sequence[str], rounds: int, file: Path) -> dict[str, Measured]:
    peers = {name: Measured() for name in names}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_Worker(name, work.name, file)) for name in names}
        for name, worker in workers.items():
            answer = worker.round()
            peers[name].result, peers[name].warm_up = answer["result"], answer["seconds"]
        for number in range(rounds):
            for name in _rotated(names, number):
                peers[name].add(workers[name].round())
    return peers


def _in_fresh_processes(work: Work, names: Sequence[str], rounds: int, file: Path) -> dict[str, Measured]:
    peers = {name: Measured() for name in names}
    for number in range(rounds):
        for name in _rotated(names, number):
            began = time.perf_counter()
            with _Worker(name, work.name, file, "--once") as worker:
                answer = worker.answer()
                worker.wait()
                peers[name].add({**answer, "seconds": time.perf_counter() - began})
            if not number:
                peers[name].result = answer["result"]
    return peers


class _Worker:
    """A peer's process."""

    def __init__(self, peer: str, work: str, file: Path, *options: str) -> None:
        self.name = f"{peer} doing {work}"
        self._folder = tempfile.TemporaryDirectory(prefix="kjax-speed-")
        self._errors = Path(self._folder.name) / "stderr"
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        # A home of its own: no program that an earlier process compiled is found.
        own = {"PYTHONPATH": path, "KJAX_HOME": str(Path(self._folder.name) / "home"), **PEERS[peer].environment}
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "compat_tests.speed.worker", peer, work, str(file), *options],
                env={**os.environ, **_MODEST, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def round(self) -> dict[str, float]:
        """Have one round done."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: its missing answer tells why
        return self.answer()

    def answer(self) -> dict[str, float]:
        """The next answer.

        Raises:
            RuntimeError: if the process ended without one.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} failed:\n{self._errors.read_text()[-3000:]}")
        return json.loads(line)

    def wait(self) -> None:
        """Wait for the process's end."""
        self._process.wait()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        if kind is not None:
            self._process.kill()
        self._process.communicate()  # closing its input ends it
        self._folder.cleanup()
