"""Running peers in turn: one computes, the others wait, and every round starts with another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from compat_tests.speed import machine
from compat_tests.speed.peers import PEERS
from compat_tests.speed.results import Measured, Outcome, Point
from compat_tests.speed.works import Data, Work

_ROOT = Path(__file__).parents[2]
# Several processes share an accelerator, so that none may take all of its memory.
_MODEST = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}
# Where libraries keep what they compiled or fetched.
_HOMES = ("KJAX_HOME", "KERAS_HOME", "XDG_CACHE_HOME")


def compare(work: Work, names: Sequence[str], rounds: int, quick: bool) -> Outcome:
    """Measure a work with those of the named peers that do it."""
    names = [name for name in names if PEERS[name].kind in work.makers and work.at_most.get(name) != 0]
    rounds = min(rounds, work.most_rounds or rounds)
    before = machine.load()
    with tempfile.TemporaryDirectory(prefix="kjax-speed-") as folder:
        data, file = work.prepare(quick), Path(folder) / "data.npz"
        np.savez(file, **data)  # pyright: ignore[reportArgumentType]
        run = _in_fresh_processes if work.fresh else _in_turn
        points = list(run(work, names, rounds, quick, data, file))
    return Outcome(
        name=work.name,
        about=work.about,
        unit=work.unit,
        grows_with=work.grows_with,
        tolerance=work.tolerance,
        excused={name: reason for name, reason in work.excused.items() if name in names},
        compiles=work.compiles,
        fresh=work.fresh,
        flat=work.flat,
        load=(before, machine.load()),
        points=points,
        gflop=work.gflop,
    )


def _rotated(names: Sequence[str], number: int) -> list[str]:
    return [names[(i + number) % len(names)] for i in range(len(names))]


def _sizes(work: Work, size: int, names: Sequence[str]) -> dict[str, int]:
    """The size of each peer's rounds, without the peers for which this one is too large."""
    limits = {name: work.at_most.get(name, size) for name in names}
    if work.grows_with:
        return {name: size for name in names if size <= limits[name]}
    return {name: min(size, limits[name]) for name in names}


def _measured(work: Work, data: Data, size: int) -> Measured:
    return Measured(units=work.units(size), steps=None if work.steps is None else work.steps(data, size))


def _in_turn(work: Work, names: Sequence[str], rounds: int, quick: bool, data: Data, file: Path) -> Iterator[Point]:
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_Worker(name, work.name, file)) for name in names}
        for size in work.quick_sizes if quick else work.sizes:
            sizes = _sizes(work, size, names)
            peers = {name: _measured(work, data, own) for name, own in sizes.items()}
            for name, own in sizes.items():
                # The first round is of the same size for all, so that the results can be compared.
                first = min(sizes.values())
                answers = [workers[name].round(each) for each in dict.fromkeys((first, own))]
                peers[name].result = answers[0]["result"]
                peers[name].warm_up = sum(answer["seconds"] for answer in answers)
            for number in range(rounds):
                for name in _rotated(list(sizes), number):
                    peers[name].add(workers[name].round(sizes[name]))
            yield Point(size, peers)


def _in_fresh_processes(
    work: Work, names: Sequence[str], rounds: int, quick: bool, data: Data, file: Path
) -> Iterator[Point]:
    (size,) = work.quick_sizes if quick else work.sizes
    peers = {name: _measured(work, data, size) for name in names}
    with ExitStack() as stack:
        kept = {name: _folder(stack) for name in names} if work.second else {}
        # The round before the first is not counted: it reads libraries from the disk that later ones find in memory.
        for number in range(-1, rounds):
            for name in _rotated(names, number):
                began = time.perf_counter()
                with _Worker(name, work.name, file, "--once", str(size), home=kept.get(name)) as worker:
                    answer = worker.answer()
                    worker.wait()
                    seconds = time.perf_counter() - began
                if number < 0:
                    peers[name].result = answer["result"]
                else:
                    peers[name].add({**answer, "seconds": seconds})
    yield Point(size, peers)


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kjax-speed-")))


class _Worker:
    """A peer's process.

    Arguments:
        home: where it keeps what it leaves on the disk; by default a place of its own, so that no program is found that
            an earlier process compiled.
    """

    def __init__(self, peer: str, work: str, file: Path, *options: str, home: Path | None = None) -> None:
        self.name = f"{peer} doing {work}"
        self._stack = ExitStack()
        folder = _folder(self._stack)
        self._errors = folder / "stderr"
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        homes = {variable: str((home or folder) / variable.lower()) for variable in _HOMES}
        own = {"PYTHONPATH": path, **homes, **PEERS[peer].environment}
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "compat_tests.speed.worker", peer, work, str(file), *options],
                env={**os.environ, **_MODEST, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def round(self, size: int) -> dict[str, float]:
        """Have one round done."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{size}\n")
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
        self._stack.close()
