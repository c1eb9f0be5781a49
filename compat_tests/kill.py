"""Kills processes while they save and while they train, and looks at what they left: `python -m compat_tests.kill`.

A trial of saving: a process writes one version of a file, or of a model, after the other and is killed. It must be
the last version that was finished, or the next one, whole. A trial of training: a process that backs its training up is
killed and started again, and again, until it comes to its end; that must be the end of a training that was left alone,
bit for bit. Most processes are killed within the section that writes; how many really were is counted.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import mmap
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kjax import callbacks as cb
from kjax._core import atomic, states
from kjax.layers import BatchNormalization, Dense, Dropout
from kjax.models import Sequential

INSIDE, FINISHED = 0, 8  # places in the memory that parent and child share
SIGNALS = (signal.SIGKILL, signal.SIGINT)
INTERRUPTED = 42  # the child's exit status after a KeyboardInterrupt that left everything whole
PATIENCE_S = 60.0


class Shared:
    """Numbers that a child writes and its parent reads, even after its death."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 64)

    def __getitem__(self, place: int) -> int:
        return int.from_bytes(self._memory[place : place + 8], "little")

    def __setitem__(self, place: int, value: int) -> None:
        self._memory[place : place + 8] = value.to_bytes(8, "little")


@contextlib.contextmanager
def marking(shared: Shared) -> Iterator[None]:
    """Mark when a file is being written."""
    real = atomic.beside

    @contextlib.contextmanager
    def beside(path: Any, durable: bool = True) -> Iterator[Any]:
        shared[INSIDE] = 1
        try:
            with real(path, durable) as place:
                yield place
        finally:
            shared[INSIDE] = 0
        shared[FINISHED] = shared[FINISHED] + 1

    atomic.beside = beside
    try:
        yield
    finally:
        atomic.beside = real


def forked(work: Callable[[], None]) -> int:
    """The number of a process that does some work and ends. A KeyboardInterrupt is what it may end with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jax warns of forks; no thread of it runs here
        pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def killed(work: Callable[[], None], shared: Shared, number: int, chance: random.Random) -> tuple[int, bool]:
    """Let a process work and kill it. Returns its exit status and whether it was writing."""
    shared[INSIDE] = shared[FINISHED] = 0
    pid = forked(work)
    wanted, until = chance.randint(1, 4), time.monotonic() + PATIENCE_S
    while shared[FINISHED] < wanted and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        assert time.monotonic() < until, "the child does not come to write"
        time.sleep(0.0001)
    if chance.random() < 0.8:
        while not shared[INSIDE] and time.monotonic() < until:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
        time.sleep(chance.random() ** 2 * 0.004)
    else:
        time.sleep(chance.random() * 0.03)
    # Stopped first, so that what is seen is what it dies in.
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    inside = bool(shared[INSIDE])
    os.kill(pid, number)
    os.kill(pid, signal.SIGCONT)
    return ended(pid, number), inside


def ended(pid: int, number: int) -> int:
    """The exit status of a process that was sent a signal."""
    again = time.monotonic() + 2
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > again:
            # Python lets a KeyboardInterrupt vanish that is raised while an object is finalized.
            os.kill(pid, number)
            again += 2
        time.sleep(0.001)


# -- saving ------------------------------------------------------------------------------------------------------------


def version(number: int) -> dict[str, Any]:
    """The content of a version of the file; no two are alike."""
    rows = np.random.RandomState(number).rand(64, 256)
    return {"number": number, "arrays": [rows, rows[::-1].astype("float32")], "text": str(number) * 50}


def save_trial(folder: pathlib.Path, shared: Shared, number: int, chance: random.Random) -> bool:
    """Kill a process that saves. Returns whether it was writing."""
    path = folder / "version.npz"
    first = read(path)["number"] if path.exists() else 0

    def work() -> None:
        with marking(shared):
            for count in range(first + 1, first + 10**6):
                with atomic.writing(path) as file:
                    states.dump(file, version(count))

    status, inside = killed(work, shared, number, chance)
    assert status == (INTERRUPTED if number == signal.SIGINT else -number), status
    found = read(path)
    assert found["number"] - first in (shared[FINISHED], shared[FINISHED] + 1), (found["number"], shared[FINISHED])
    assert states.same(found, version(found["number"])), "the file is not whole"
    return inside


def model_trial(folder: pathlib.Path, shared: Shared, number: int, chance: random.Random) -> bool:
    """Kill a process that saves a model to an HDF5 file. Returns whether it was writing."""
    path = folder / "model.h5"
    first = model_version(path) if path.exists() else 0

    def work() -> None:
        model = Sequential([Dense(256, input_dim=64)])
        model.compile("sgd", "mse")
        with marking(shared):
            for count in range(first + 1, first + 10**6):
                model.set_weights([version(count)["arrays"][0], np.full(256, count)])
                model.save(path)

    status, inside = killed(work, shared, number, chance)
    assert status == (INTERRUPTED if number == signal.SIGINT else -number), status
    found = model_version(path)
    assert found - first in (shared[FINISHED], shared[FINISHED] + 1), (found, shared[FINISHED])
    return inside


def model_version(path: pathlib.Path) -> int:
    """The version in a model's file, which must be whole."""
    import h5py

    with h5py.File(path, "r") as file:
        weights: Any = file["model_weights/dense_1/dense_1"]
        kernel, bias = (weights[f"{name}:0"][()] for name in ("kernel", "bias"))
        assert file.attrs["keras_version"]
        assert file.attrs["model_config"]
    count = int(np.asarray(bias)[0])
    assert (bias == count).all()
    assert (kernel == version(count)["arrays"][0].astype("float32")).all()
    return count


def read(path: pathlib.Path) -> Any:
    """The tree in a file."""
    return states.load(path)


# -- training ----------------------------------------------------------------------------------------------------------


def train(folder: pathlib.Path, shared: Shared) -> None:
    """Train with a backup and leave a digest of all that can be seen of it."""
    np.random.seed(11)
    x = np.random.rand(60, 5).astype("float32")
    model = Sequential([Dense(16, input_dim=5, activation="relu"), BatchNormalization(), Dropout(0.3), Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    backup = cb.BackupAndRestore(folder / "backup", save_freq=3)
    given = [
        cb.CSVLogger(folder / "log.csv"),
        cb.EarlyStopping("loss", patience=100),
        cb.ReduceLROnPlateau("loss", patience=2, min_delta=0.05),
        backup,
    ]
    try:
        with marking(shared):
            history = model.fit(x, x.sum(1, keepdims=True), 8, 60, verbose=0, validation_split=0.2, callbacks=given)
    except KeyboardInterrupt:
        assert np.isfinite(model.predict(x)).all()
        raise
    weights = [*model.get_weights(), *model.optimizer.get_weights()]
    digest = hashlib.sha256(b"".join(weight.tobytes() for weight in weights)).hexdigest()
    log = (folder / "log.csv").read_text(encoding="utf-8")
    result = [digest, {k: list(map(float, v)) for k, v in history.history.items()}, history.epoch, log]
    atomic.write_text(folder / "result.json", json.dumps(result))


def finished(folder: pathlib.Path) -> Any:
    """What a training left when it came to its end; None if it did not."""
    path = folder / "result.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


class Trainings:
    """Trainings that are killed again and again, and compared with one that was not."""

    def __init__(self, root: pathlib.Path, shared: Shared) -> None:
        self.root, self.shared = root, shared
        self.count = self.compared = 0
        whole = root / "whole"
        whole.mkdir()
        assert os.waitstatus_to_exitcode(os.waitpid(forked(lambda: train(whole, shared)), 0)[1]) == 0
        self.wanted = finished(whole)
        self._begin()

    def _begin(self) -> None:
        self.count += 1
        self.folder = self.root / f"training-{self.count}"
        self.folder.mkdir()
        self.seen = (0, 0)

    def trial(self, number: int, chance: random.Random) -> bool:
        """Kill the training once more. Returns whether it was writing."""
        status, inside = killed(lambda: train(self.folder, self.shared), self.shared, number, chance)
        assert status in (0, INTERRUPTED, -number), status
        if status == 0:
            self._compare()
            return inside
        kept = self.folder / "backup/training-state.npz"
        now = (0, 0)
        if kept.exists():
            state = read(kept)
            now = (state["epoch"], state["batch"])
            assert now >= self.seen, "an older backup came back"
        # Without one the training had ended, and the process died before it told of that: it begins anew.
        self.seen = now
        return inside

    def _compare(self) -> None:
        assert finished(self.folder) == self.wanted, f"{self.folder} differs from the training that was left alone"
        self.compared += 1
        self._begin()

    def end(self) -> None:
        """Let the last one come to its end."""
        assert os.waitstatus_to_exitcode(os.waitpid(forked(lambda: train(self.folder, self.shared)), 0)[1]) == 0
        self._compare()


def run(trials: int, seed: int) -> dict[str, int]:
    """So many trials, a third of them of training. Returns what was counted."""
    chance, shared = random.Random(seed), Shared()
    kinds = ("trainings", "saves", "models")
    counted = {name: 0 for kind in kinds for name in (kind, f"{kind} killed while writing")}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        trainings = Trainings(root, shared)
        (root / "saves").mkdir()
        for trial in range(trials):
            number = SIGNALS[trial // 3 % 2]
            kind = kinds[trial % 3]
            if kind == "trainings":
                inside = trainings.trial(number, chance)
            else:
                inside = (save_trial if kind == "saves" else model_trial)(root / "saves", shared, number, chance)
            counted[kind] += 1
            counted[f"{kind} killed while writing"] += inside
        trainings.end()
        counted["trainings compared"] = trainings.compared
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if given.seed is None else given.seed
    began = time.monotonic()
    counted = run(given.trials, seed)
    print(json.dumps({"trials": given.trials, "seed": seed, **counted, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
