"""A training that dies and is resumed gives the bits of one that was left alone; Ctrl-C leaves a model whole."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import textwrap
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import same_bits
from kjax import callbacks as cb
from kjax.layers import BatchNormalization, Dense, Dropout, Lambda
from kjax.models import Sequential
from kjax.optimizers import Adam
from kjax.utils import Sequence

X = np.random.RandomState(3).rand(50, 6).astype("float32")
Y = (X.sum(1, keepdims=True) > 3).astype("float32")


class Dies(Exception):
    pass


class Notes(cb.Callback):
    """A user's callback: it remembers, draws numbers, and dies at a batch or an epoch."""

    def __init__(self, at: int = -1) -> None:
        self.seen: list[float] = []
        self.sums = {"loss": 0.0}
        self.at = at

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(np.random.rand() + random.random())
        self.sums["loss"] += logs["loss"]
        if epoch == self.at:
            raise Dies


class QuietNotes(Notes):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(epoch)
        if epoch == self.at:
            raise Dies


class NotesOfBatches(Notes):
    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(float(logs["loss"]))
        if len(self.seen) == self.at:
            raise Dies

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.sums["loss"] += logs["loss"]


def network(seed: int = 5) -> Sequential:
    np.random.seed(seed)
    random.seed(seed)
    layers = [Dense(8, input_dim=6, activation="relu"), BatchNormalization(), Dropout(0.5), Dense(1)]
    model = Sequential(layers)
    model.compile(Adam(), "mse", metrics=["mae"])
    return model


def batches() -> Any:
    while True:
        rows = np.random.randint(0, 50, 8)
        yield X[rows] + np.random.rand(8, 1).astype("float32"), Y[rows]


class Numbered(Sequence):
    """Its order changes at each epoch's end."""

    def __init__(self) -> None:
        self.order = np.arange(50)

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        rows = self.order[8 * index : 8 * index + 8]
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        np.random.shuffle(self.order)


def fitted(model: Any, kind: str, common: dict[str, Any]) -> Any:
    if kind == "arrays":
        return model.fit(X, Y, batch_size=8, validation_split=0.2, **common)
    if kind == "generator":
        return model.fit_generator(
            batches(), steps_per_epoch=7, validation_data=batches(), validation_steps=2, workers=0, **common
        )
    return model.fit_generator(Numbered(), validation_data=(X, Y), shuffle=True, **common)


def outcome(folder: pathlib.Path, kind: str, at: int, own: type[Notes], freq: Any, **backup: Any) -> Any:
    """Train with callbacks of all kinds. Returns all that can be seen of it afterwards."""
    model, notes = network(), own(at)
    given = [
        notes,
        cb.ReduceLROnPlateau("loss", patience=1, min_delta=0.1),
        cb.EarlyStopping("loss", patience=50, restore_best_weights=True),
        cb.CSVLogger(folder / "log.csv"),
        cb.BackupAndRestore(folder / "backup", save_freq=freq, **backup),
    ]
    common = {"epochs": 5, "verbose": 0, "callbacks": given}
    try:
        history = fitted(model, kind, common)
    finally:
        given[3].csv_file.close()  # as when a process dies
    drawn = None if kind == "sequence" else (np.random.rand(), random.random())
    return {
        "weights": [*model.get_weights(), *model.optimizer.get_weights()],
        "history": (dict(history.history), history.epoch, [type(v[0]) for v in history.history.values()]),
        "notes": (notes.seen, notes.sums),
        "csv": (folder / "log.csv").read_text(),
        "drawn": drawn,
    }


def check_same(got: Any, wanted: Any) -> None:
    assert same_bits(got.pop("weights"), wanted.pop("weights"))
    assert got == wanted


@pytest.mark.parametrize(
    ("kind", "own", "freq", "at"),
    [
        ("arrays", Notes, "epoch", 2),
        ("arrays", NotesOfBatches, 3, 17),
        ("generator", Notes, "epoch", 3),
        ("generator", NotesOfBatches, 4, 18),
        # Beside a thread that fetches ahead, a callback must not draw from the same generator.
        ("sequence", QuietNotes, "epoch", 2),
    ],
)
def test_resumed_gives_the_same_bits(kind: str, own: type[Notes], freq: Any, at: int, tmp_path: pathlib.Path) -> None:
    for name in ("whole", "died"):
        (tmp_path / name).mkdir()
    whole = outcome(tmp_path / "whole", kind, -1, own, freq)
    with pytest.raises(Dies):
        outcome(tmp_path / "died", kind, at, own, freq)
    assert (tmp_path / "died/backup/training-state.npz").exists()
    check_same(outcome(tmp_path / "died", kind, -1, own, freq), whole)
    # A training that has ended leaves nothing to resume from.
    assert not (tmp_path / "died/backup").exists()


def test_a_kept_end_gives_the_model_and_the_history_again(tmp_path: pathlib.Path) -> None:
    first = outcome(tmp_path, "arrays", -1, Notes, "epoch", delete_checkpoint=False)
    again = outcome(tmp_path, "arrays", 4, Notes, "epoch", delete_checkpoint=False)  # would die if it trained
    check_same(again, first)


def test_short_epochs_are_resumed_from_where_a_dispatch_ended(tmp_path: pathlib.Path) -> None:
    def train(epochs: int, folder: str, keep: bool) -> Any:
        model = network()
        backup = cb.BackupAndRestore(tmp_path / folder, delete_checkpoint=not keep)
        history = model.fit(X, Y, batch_size=25, epochs=epochs, verbose=0, callbacks=[backup])
        return [*model.get_weights(), *model.optimizer.get_weights()], dict(history.history), np.random.rand()

    wanted = train(300, "a", False)
    cut = train(137, "b", True)
    assert len(cut[1]["loss"]) == 137
    got = train(300, "b", False)
    assert same_bits(got[0], wanted[0])
    assert got[1:] == wanted[1:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("data", "sum of the data"),
        ("rows", "shape of the data"),
        ("model", "the model was"),
        ("optimizer", "the optimizer was 'Adam', now it is 'SGD'"),
        ("rate", "the optimizer's configuration"),
        ("batch", "the size of a batch was 10, now it is 5"),
        ("loss", "the loss was 'mse', now it is 'mae'"),
    ],
)
def test_another_training_is_refused(change: str, words: str, tmp_path: pathlib.Path) -> None:
    def train(change: str) -> None:
        model = Sequential([Dense(2 if change == "model" else 1, input_dim=6), Dense(1)])
        optimizer = "sgd" if change == "optimizer" else Adam(lr=0.5 if change == "rate" else 0.01)
        model.compile(optimizer, "mae" if change == "loss" else "mse")
        x = X + 1 if change == "data" else X[:40] if change == "rows" else X
        backup = cb.BackupAndRestore(tmp_path, delete_checkpoint=False)
        model.fit(x, Y[: len(x)], 5 if change == "batch" else 10, verbose=0, callbacks=[backup])

    if not (tmp_path / "training-state.npz").exists():
        train("")
    with pytest.raises(ValueError, match=words):
        train(change)


def test_a_damaged_backup_is_told_of(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "training-state.npz"
    backup = cb.BackupAndRestore(tmp_path, delete_checkpoint=False)
    network().fit(X, Y, verbose=0, callbacks=[backup])
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    for broken in (bytes(content), content[:-100], b"", b"no archive"):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match=r"is damaged .* Delete it"):
            network().fit(X, Y, verbose=0, callbacks=[backup])


def test_a_nan_does_not_replace_a_good_backup(tmp_path: pathlib.Path) -> None:
    class Poison(cb.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.set_weights([w * np.nan for w in self.model.get_weights()])

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            backup.wait()  # so that each epoch is kept
            if epoch == 3:
                raise Dies

    backup = cb.BackupAndRestore(tmp_path)
    with pytest.raises(Dies), pytest.warns(UserWarning, match="not finite"):
        network().fit(X, Y, epochs=6, verbose=0, callbacks=[Poison(), backup])
    kept = backup.read()
    assert kept["epoch"] == 2
    assert all(np.isfinite(value).all() for value in kept["variables"])


def test_a_folder_that_cannot_be_is_told_of_before_training(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    model = network()
    before = model.get_weights()
    with pytest.raises(OSError, match="file"):
        model.fit(X, Y, verbose=0, callbacks=[cb.BackupAndRestore(tmp_path / "file")])
    assert same_bits(model.get_weights(), before)
    for wrong in (0, -3, "batch", True, 1.5):
        with pytest.raises(ValueError, match="`save_freq` must be 'epoch' or a number of batches"):
            cb.BackupAndRestore(tmp_path, save_freq=wrong)


def test_a_disk_that_fills_up_is_warned_of_and_the_old_backup_stays(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from kjax._core import states

    whole = states.dump

    def full(file: Any, tree: Any) -> None:
        if tree["epoch"] > 2:
            file.write(b"x" * 100)
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(file, tree)

    class Slow(cb.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            backup.wait()
            if epoch == 5:
                raise Dies

    monkeypatch.setattr(states, "dump", full)
    backup = cb.BackupAndRestore(tmp_path / "Füße 你好")
    with pytest.raises(Dies), pytest.warns(UserWarning, match="not backed up, and goes on.*disk is full") as told:
        network().fit(X, Y, epochs=6, verbose=0, callbacks=[Slow(), backup])
    assert len(told) == 1
    assert backup.read()["epoch"] == 2
    assert [path.name for path in backup.path.parent.iterdir()] == ["training-state.npz"]


INTERRUPTED = """
    import os, signal, sys, threading, time
    import numpy as np
    from kjax.layers import Dense
    from kjax.models import Sequential
    x, y = np.random.rand(4096, 32).astype("float32"), np.random.rand(4096, 1).astype("float32")
    model = Sequential([Dense(64, input_dim=32, activation="relu"), Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    def interrupt(after):
        time.sleep(after)
        os.kill(os.getpid(), signal.SIGINT)
    went_on = 0
    for trial in range(12):
        steps = int(model.optimizer.iterations.numpy())
        thread = threading.Thread(target=interrupt, args=(0.02 + 0.017 * trial,))
        thread.start()
        try:
            if trial % 3 == 2:
                while True:
                    model.train_on_batch(x[:32], y[:32])
            model.fit(x, y, batch_size=32, epochs=10**6, verbose=0)
        except KeyboardInterrupt:
            pass
        thread.join()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert np.isfinite(model.predict(x[:5])).all() and len(model.get_weights()) == 4
        done = int(model.optimizer.iterations.numpy()) - steps
        went_on += done > 0
        assert trial % 3 == 2 or len(model.history.epoch) <= done // 128
    assert went_on > 6
    model.fit(x, y, verbose=0)
    print("usable", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
"""


def test_ctrl_c_leaves_a_model_that_works() -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[1])},
    )
    assert run.stdout == "usable\n", run.stderr
    # Ctrl-C goes through in the end.
    assert run.returncode in (-signal.SIGINT, 130, 1)
    assert "KeyboardInterrupt" in run.stderr


def test_ctrl_c_is_not_lost_where_python_drops_errors() -> None:
    class Dropped:  # as in what JAX does when garbage is collected
        def __del__(self) -> None:
            raise KeyboardInterrupt

    model = Sequential([Dense(1, input_dim=6)])
    model.compile("sgd", "mse")
    once = iter([Dropped()])
    interrupted = cb.LambdaCallback(on_epoch_end=lambda epoch, logs: next(once, None))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=10**5, verbose=0, callbacks=[interrupted])
    assert np.isfinite(model.predict(X)).all()


def test_a_device_that_runs_out_of_memory_is_told_of_and_the_weights_stay() -> None:
    def greedy(x: Any) -> Any:
        huge = jnp.broadcast_to(x[:1, :1], (2**20, 2**21))
        return x + jnp.sort(huge, axis=0)[7, 0] * jnp.float32(0)

    model = Sequential([Dense(4, input_dim=6), Lambda(greedy), Dense(1)])
    model.compile("adam", "mse")
    before = model.get_weights()
    calls = [
        lambda: model.fit(X, Y, batch_size=16, verbose=0),
        lambda: model.train_on_batch(X[:16], Y[:16]),
    ]
    for call in calls:
        with pytest.raises(MemoryError, match=r"training on batches of 16 samples. Use a smaller `batch_size`"):
            call()
        assert same_bits(model.get_weights(), before)
