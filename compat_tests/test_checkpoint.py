"""`ModelCheckpoint` saves the weights of the right epoch however it is told of it; `RemoteMonitor` reaches a server."""

from __future__ import annotations

import errno
import http.server
import json
import os
import pathlib
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from compat_tests.fit_helper import same_bits
from kjax import callbacks as cb
from kjax.engine._runs import ArrayRun
from kjax.layers import Dense
from kjax.models import Sequential, load_model
from kjax.optimizers import SGD

X = np.random.RandomState(1).rand(24, 4).astype("float32")
Y = (X.sum(1, keepdims=True) > 2).astype("float32")

Saved = list[tuple[str, list[np.ndarray]]]


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Saved:
    """What models saved and when, in the place of files."""
    calls: Saved = []

    def save(model: Any, path: str, overwrite: bool) -> None:
        calls.append((path, model.get_weights()))

    monkeypatch.setattr(Sequential, "save", save, raising=False)
    monkeypatch.setattr(Sequential, "save_weights", save, raising=False)
    return calls


def train(*given: Any, epochs: int = 60, metrics: Any = None) -> Sequential:
    np.random.seed(4)
    model = Sequential([Dense(3, input_dim=4, activation="tanh"), Dense(1, activation="sigmoid")])
    # So fast that the loss jumps up and down.
    model.compile(SGD(lr=3.0), "binary_crossentropy", metrics=metrics)
    model.fit(X, Y, batch_size=6, epochs=epochs, verbose=0, validation_split=0.25, callbacks=list(given))
    return model


def watcher() -> cb.Callback:
    """Makes the engine run epoch after epoch."""
    return cb.LambdaCallback(on_epoch_end=lambda epoch, logs: None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"save_best_only": True},
        {"save_best_only": True, "period": 3},
        {"period": 7, "save_weights_only": True},
        {"save_best_only": True, "monitor": "val_acc", "mode": "max"},
    ],
)
def test_the_weights_saved_are_those_of_the_epoch(
    options: dict[str, Any], saved: Saved, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = []
    for others in ((), (watcher(),)):
        saved.clear()
        path = str(tmp_path / "{epoch:03d}-{val_loss:.4f}")
        plateau = cb.ReduceLROnPlateau("val_loss", patience=9, factor=0.9)
        stop = cb.EarlyStopping("loss", patience=55, restore_best_weights=True)
        checkpoint = cb.ModelCheckpoint(path, verbose=1, **options)
        model = train(plateau, checkpoint, *others, stop, metrics=["accuracy"])
        printed = capsys.readouterr().out
        outcomes.append((list(saved), model.get_weights(), dict(model.history.history), printed))
    (fast, weights, history, told), (slow, slow_weights, slow_history, slow_told) = outcomes
    assert [path for path, _ in fast] == [path for path, _ in slow]
    assert all(same_bits(a, b) for (_, a), (_, b) in zip(fast, slow, strict=True))
    assert same_bits(weights, slow_weights)
    assert (history, told) == (slow_history, slow_told)
    if "save_best_only" in options:
        assert 1 < len(fast) < 60
    else:
        assert len(fast) == 60 // options.get("period", 1)


def test_only_epochs_that_save_cost_a_dispatch(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[int, int]] = []
    run = ArrayRun.__call__

    def counted(self: ArrayRun, start: int, stop: int) -> Any:
        runs.append((start, stop))
        return run(self, start, stop)

    monkeypatch.setattr(ArrayRun, "__call__", counted)
    # No loss is below 0.
    train(cb.ModelCheckpoint("x", "loss", save_best_only=True, initial_value_threshold=0.0), epochs=400)
    assert not saved
    assert len(runs) < 40
    runs.clear()
    train(cb.ModelCheckpoint("x", period=50), epochs=400)
    assert len(saved) == 8
    assert len(runs) < 40


def test_best_weights_are_restored_however_it_is_told(saved: Saved) -> None:
    def stopped(*others: Any) -> tuple[list[np.ndarray], int]:
        stop = cb.EarlyStopping("val_loss", patience=4, restore_best_weights=True)
        model = train(stop, *others)
        return model.get_weights(), stop.stopped_epoch

    fast, slow = stopped(), stopped(watcher())
    assert same_bits(fast[0], slow[0])
    assert fast[1] == slow[1] > 0


def test_after_so_many_batches(saved: Saved) -> None:
    train(cb.ModelCheckpoint("{epoch}-{batch}", save_freq=2), epochs=3)  # 3 batches an epoch
    assert [path for path, _ in saved] == ["1-2", "2-1", "2-3", "3-2"]


def test_where_tensorflow_kept_it() -> None:
    assert cb.experimental.BackupAndRestore is cb.BackupAndRestore


def test_names(saved: Saved, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "neuer Ordner ü" / "w.{epoch:02d}-{val_acc:.2f}-{val_accuracy:.2f}.hdf5"
    train(cb.ModelCheckpoint(path), epochs=1, metrics=["accuracy"])
    ((name, _),) = saved
    assert pathlib.Path(name).parent.is_dir()
    first, *accuracies = pathlib.Path(name).name.removesuffix(".hdf5").split("-")
    assert first == "w.01"
    assert accuracies[0] == accuracies[1]
    with pytest.raises(KeyError, match=r"needs 'val_mae', which is not among the logs. Available are: .*val_loss"):
        train(cb.ModelCheckpoint("{val_mae}"), epochs=1)


def test_an_error_of_saving_stops_the_training_and_the_model_lives(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(model: Any, path: str, overwrite: bool) -> None:
        raise OSError(28, f"{path} is not written: the disk is full")

    monkeypatch.setattr(Sequential, "save", full)
    checkpoint = cb.ModelCheckpoint("x", "loss", save_best_only=True)
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    with pytest.raises(OSError, match="x is not written: the disk is full"):
        model.fit(X, Y, epochs=50, verbose=0, callbacks=[checkpoint])
    assert len(model.history.epoch) == 0
    assert checkpoint.best == np.inf
    model.fit(X, Y, verbose=0)
    assert np.isfinite(model.predict(X)).all()


def test_a_metric_that_is_not_there(saved: Saved) -> None:
    with pytest.warns(RuntimeWarning, match="Can save best model only with val_f1 available, skipping"):
        train(cb.ModelCheckpoint("x", "val_f1", save_best_only=True), epochs=1)
    assert not saved
    with pytest.warns(RuntimeWarning, match="ModelCheckpoint mode up is unknown, fallback to auto mode"):
        assert cb.ModelCheckpoint("x", "val_acc", mode="up").best == -np.inf
    assert cb.ModelCheckpoint("x", "fmeasure").best == -np.inf
    assert cb.ModelCheckpoint("x", "val_loss").best == np.inf


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    posted: list[tuple[str, dict[str, str], str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.posted.append((self.path, dict(self.headers), body))
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, Any]]:
    handler = type("Handler", (Listener,), {"posted": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", handler.posted
        listening.shutdown()
        thread.join()


def test_metrics_reach_a_server(server: tuple[str, Any]) -> None:
    root, posted = server
    form = cb.RemoteMonitor(root, headers={"X-Run": "7"})
    body = cb.RemoteMonitor(root, path="/json", send_as_json=True)
    model = train(form, body, epochs=2)
    assert [path for path, _, _ in posted] == ["/publish/epoch/end/", "/json"] * 2
    _, headers, text = posted[2]
    assert headers["X-Run"] == "7"
    wanted = {"epoch": 1, **{name: values[1] for name, values in model.history.history.items()}}
    assert json.loads(urllib.parse.parse_qs(text)["data"][0]) == wanted
    _, headers, text = posted[3]
    assert headers["Content-Type"] == "application/json"
    assert json.loads(text) == wanted


def test_a_server_that_is_not_there_is_warned_of(server: tuple[str, Any]) -> None:
    root, _ = server
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://127.0.0.1:9"):
        train(cb.RemoteMonitor("http://127.0.0.1:9"), epochs=1)
    with pytest.warns(UserWarning, match="Could not reach .*: Internal Server Error"):
        train(cb.RemoteMonitor(root, path="/broken"), epochs=1)
    with pytest.raises(ValueError, match="`root` must be the address of a server"):
        cb.RemoteMonitor("file:///etc")


@pytest.mark.parametrize("name", ["best.h5", "best.hdf5", "best", "best.keras"])
def test_files_hold_the_best_epoch(name: str, tmp_path: pathlib.Path) -> None:
    """Real files: what is loaded gives the metric by which it was chosen."""
    path = tmp_path / "übung 1" / name
    model = train(cb.ModelCheckpoint(path, save_best_only=True), epochs=30)
    best = min(model.history.history["val_loss"])
    loaded = load_model(path)
    assert loaded.evaluate(X[18:], Y[18:], verbose=0) == pytest.approx(best, rel=1e-5)
    assert [file.name for file in path.parent.iterdir()] == [name]
    train(cb.ModelCheckpoint(path.with_suffix(".weights.h5"), save_best_only=True, save_weights_only=True), epochs=30)
    model.load_weights(path.with_suffix(".weights.h5"))
    assert model.evaluate(X[18:], Y[18:], verbose=0) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("broken", ["full", "read-only"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    broken: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.h5"
    train(cb.ModelCheckpoint(path), epochs=1)
    old = path.read_bytes()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC if broken == "full" else errno.EROFS, "refused")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="model.h5 is not written: " + ("the disk is full" if broken == "full" else "")):
        train(cb.ModelCheckpoint(path), epochs=3)
    monkeypatch.setattr(os, "fsync", real)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
