"""Callbacks, driven by hand: what they print and record, and when they act."""

from __future__ import annotations

import pathlib
import re
import time
import warnings
from typing import Any

import numpy as np
import pytest

from compat_tests import golden
from kjax._core import progbar
from kjax._core.graph import Variable
from kjax._core.logs import Logs
from kjax.callbacks import (
    BaseLogger,
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TerminateOnNaN,
    steers,
    watches_batches,
    watches_epochs,
)

TEXTS = golden.load_texts()


class Optimizer:
    def __init__(self, lr: float = 0.01) -> None:
        self.lr = Variable(lr)


class Model:
    """What callbacks see of a model."""

    def __init__(self, lr: float = 0.01) -> None:
        self.stop_training = False
        self.optimizer = Optimizer(lr)
        self.weights = [0]

    def get_weights(self) -> list[int]:
        return list(self.weights)

    def set_weights(self, weights: list[int]) -> None:
        self.weights = list(weights)


def prepare(callbacks: list[Any], model: Model | None = None, **params: Any) -> tuple[CallbackList, Model]:
    """A list of callbacks as `fit` prepares it."""
    told = CallbackList(callbacks)
    model = model or Model()
    told.set_model(model)
    metrics = ["loss", "acc", "val_loss", "val_acc"]
    told.set_params(
        {"epochs": 1, "samples": 96, "steps": None, "verbose": 0, "do_validation": True, "metrics": metrics} | params
    )
    return told, model


def run_epochs(callbacks: list[Any], epochs: list[dict[str, Any]], model: Model | None = None, **params: Any) -> int:
    """Tell of epochs whose logs are given, until the training is stopped. Returns how many were run."""
    told, model = prepare(callbacks, model, epochs=len(epochs), **params)
    told.on_train_begin()
    done = 0
    for epoch, logs in enumerate(epochs):
        model.weights = [epoch]
        told.on_epoch_begin(epoch)
        told.on_epoch_end(epoch, Logs(logs))
        done += 1
        if model.stop_training:
            break
    told.on_train_end()
    return done


def replay(name: str, callback: Any, **params: Any) -> None:
    """Tell the callback, and what `fit` adds, of the losses that a recorded run printed."""
    rows = [
        {key: float(value) for key, value in re.findall(r" - (\w+): (\S+)", line)}
        for line in TEXTS[name]["stdout"].splitlines()
        if line.startswith(" - ")
    ]
    declared = int(re.search(r"epochs=(\d+)", TEXTS[name]["source"])[1])  # type: ignore[index]
    told, model = prepare(
        [BaseLogger(), ProgbarLogger(), callback, History()],
        epochs=declared,
        verbose=2,
        metrics=["loss", "acc"],
    )
    told.on_train_begin()
    for epoch, row in enumerate(rows):
        told.on_epoch_begin(epoch)
        sizes = np.array([32, 32, 32])
        told.on_chunk_end(0, sizes, np.full((3, 2), [row["loss"], row["acc"]]), ["loss", "acc"])
        told.on_epoch_end(epoch, Logs())
        if model.stop_training:
            break
    told.on_train_end()
    assert epoch + 1 == len(rows)


RECORDED = {
    "callback_earlystop_verbose": lambda: EarlyStopping("loss", patience=1, min_delta=1.0, verbose=1),
    "callback_reducelr_verbose": lambda: ReduceLROnPlateau("loss", patience=1, min_delta=1.0, verbose=1),
    "callback_lrs_verbose": lambda: LearningRateScheduler(lambda epoch: 0.1, verbose=1),
    "verbose2_metrics": Callback,
}


@pytest.mark.parametrize("name", RECORDED)
def test_prints_what_keras_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    replay(name, RECORDED[name]())
    assert capsys.readouterr().out == TEXTS[name]["stdout"]


def test_csv_file_is_the_recorded_one(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log.csv"
    recorded = TEXTS["callback_csvlogger"]["stdout"].removesuffix("\n")
    names, *lines = [line.split(",") for line in recorded.split()]
    epochs = [dict(zip(names[:0:-1], map(np.float64, line[:0:-1]), strict=True)) for line in lines]
    run_epochs([CSVLogger(str(path))], epochs)
    assert path.read_text() == recorded


def test_csv_appends_and_fills(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log.csv"
    first = CSVLogger(path, separator=";", append=True)
    run_epochs([first], [{"val_acc": 0.5, "loss": 1.0}, {"loss": 2.0}])
    run_epochs([CSVLogger(path, separator=";", append=True)], [{"val_acc": 0.25, "loss": [1, 2]}])
    assert path.read_text().splitlines() == [
        "epoch;loss;val_acc",
        "0;1.0;0.5",
        "1;2.0;NA",
        '0;"""[1, 2]""";0.25',
    ]
    run_epochs([CSVLogger(path)], [{"loss": 3.0}])
    assert path.read_text() == "epoch,loss\n0,3.0\n"


def test_history_has_the_recorded_keys_in_their_order() -> None:
    recorded = eval(TEXTS["history_keys_accuracy"]["stdout"].splitlines()[0])
    history = History()
    told, _ = prepare([BaseLogger(), history])
    told.on_train_begin()
    for epoch in range(2):
        told.on_epoch_begin(epoch)
        told.on_batch_begin(0, {"batch": 0, "size": 96})
        told.on_batch_end(0, {"batch": 0, "size": 96, "loss": np.float32(1.5), "acc": np.float32(0.25)})
        told.on_epoch_end(epoch, Logs(val_loss=2.0, val_acc=0.5))
    assert list(history.history) == recorded
    assert history.epoch == [0, 1]
    assert history.history["accuracy"] == history.history["acc"] == [0.25, 0.25]
    assert "val_accuracy" in history.history
    assert (
        repr(history.history)
        == "{'val_loss': [2.0, 2.0], 'val_acc': [0.5, 0.5], 'loss': [1.5, 1.5], 'acc': [0.25, 0.25]}"
    )


class Batches(Callback):
    """Notes what it is told of batches."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.told.append(("begin", batch, dict(logs)))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.told.append(("end", batch, dict(logs)))


def train(chunks: list[int], count_mode: str, verbose: int, watcher: Any = None) -> History:
    """An epoch of random batches, the last of them ragged, told of in chunks of the given lengths."""
    random = np.random.RandomState(5)
    sizes = np.array([32] * 11 + [7])
    values = random.rand(12, 2).astype("float32")
    history = History()
    callbacks = [BaseLogger(), ProgbarLogger(count_mode), *([watcher] if watcher else []), history]
    told, _ = prepare(callbacks, verbose=verbose, samples=int(sizes.sum()), steps=12)
    told.on_train_begin()
    for epoch in range(2):
        told.on_epoch_begin(epoch)
        first = 0
        for length in chunks:
            part = slice(first, first + length)
            if length == 1:
                told.on_batch_begin(first, Logs(batch=first, size=int(sizes[first])))
                logs = {"loss": values[first, 0], "acc": values[first, 1]}
                told.on_batch_end(first, Logs(batch=first, size=int(sizes[first]), **logs))
            else:
                told.on_chunk_end(first, sizes[part], values[part], ["loss", "acc"])
            first += length
        told.on_epoch_end(epoch, Logs(val_loss=0.5, val_acc=0.25))
    told.on_train_end()
    expected = (values.astype("float64") * sizes[:, None]).sum(0) / sizes.sum()
    np.testing.assert_allclose([history.history["loss"][1], history.history["acc"][1]], expected, rtol=1e-14)
    return history


@pytest.mark.parametrize("count_mode", ["samples", "steps"])
@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_chunks_of_any_length_come_to_the_same_bits(
    count_mode: str, verbose: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # With time at a stand, each epoch draws its first and its last line alone.
    monkeypatch.setattr(progbar.time, "time", lambda: 1000.0)
    outcomes = []
    for chunks in ([1] * 12, [12], [5, 7], [1, 2, 8, 1], [3, 9]):
        history = train(chunks, count_mode, verbose)
        lines = capsys.readouterr().out.splitlines()
        outcomes.append((history.history, [line for line in lines if "ETA" not in line]))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    # In each epoch its number and a line of results; with a bar, an empty line between them.
    assert len(outcomes[0][1]) == {0: 0, 1: 6, 2: 4}[verbose]


def test_a_watcher_is_told_of_each_batch_of_a_chunk() -> None:
    single, chunked = Batches(), Batches()
    train([1] * 12, "samples", 0, single)
    train([4, 8], "samples", 0, chunked)
    assert chunked.told != []
    assert sorted(map(repr, single.told)) == sorted(map(repr, chunked.told))
    assert chunked.told[0] == ("begin", 0, {"batch": 0, "size": 32})
    assert {type(event[2]["loss"]) for event in chunked.told if event[0] == "end"} == {np.float32}


def test_stateful_metrics_are_not_averaged() -> None:
    for chunks in ([3], [1, 1, 1]):
        history = History()
        told, _ = prepare([BaseLogger(["acc"]), history])
        told.on_train_begin()
        told.on_epoch_begin(0)
        values, sizes, first = np.array([[1, 5], [2, 6], [6, 9]], "float32"), np.array([32, 32, 32]), 0
        for length in chunks:
            part = slice(first, first + length)
            told.on_chunk_end(first, sizes[part], values[part], ["loss", "acc"])
            first += length
        told.on_epoch_end(0)
        assert history.history == {"loss": [3.0], "acc": [9.0]}


def test_a_chunk_costs_microseconds_when_nothing_watches() -> None:
    told, _ = prepare([BaseLogger(), TerminateOnNaN(), History()])
    told.on_train_begin()
    told.on_epoch_begin(0)
    sizes, values, names = np.full(50, 32), np.ones((50, 2), "float32"), ["loss", "acc"]

    def once() -> float:
        start = time.perf_counter()
        for _ in range(100):
            told.on_chunk_end(0, sizes, values, names)
        return (time.perf_counter() - start) / 100

    # A busy machine only adds time. Fifty batches one by one take several hundred microseconds.
    assert min(once() for _ in range(20)) < 60e-6


class Everything(Callback):
    """Notes every call."""

    def __init__(self) -> None:
        self.calls: list[str] = []


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]
for _hook in HOOKS:

    def _note(self: Everything, *args: Any, hook: str = _hook) -> None:
        self.calls.append(hook)
        getattr(Callback, hook)(self, *args)

    setattr(Everything, _hook, _note)


def test_the_hooks_are_those_of_keras() -> None:
    moments = ("epoch", "batch", "train_batch", "test_batch", "predict_batch", "train", "test", "predict")
    assert set(HOOKS) == {f"on_{moment}_{end}" for moment in moments for end in ("begin", "end")}


@pytest.mark.parametrize("hook", HOOKS)
def test_the_list_passes_each_hook_on(hook: str) -> None:
    first, second = Everything(), Everything()
    told = CallbackList([first])
    told.append(second)
    assert list(told) == [first, second]
    assert len(told) == 2
    arguments = () if hook.split("_")[1] in ("train", "test", "predict") and "batch" not in hook else (0,)
    getattr(told, hook)(*arguments)
    if hook in ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"):
        end = hook.split("_")[-1]
        assert first.calls == second.calls == [f"on_train_batch_{end}", f"on_batch_{end}"]
    else:
        assert first.calls == second.calls == [hook]


def test_a_subclass_need_not_call_the_base_constructor() -> None:
    class Mine(Callback):
        def __init__(self) -> None:
            self.seen = 0

    mine = Mine()
    assert (mine.model, mine.validation_data, mine.params) == (None, None, None)
    _, model = prepare([mine])
    assert mine.model is model
    assert mine.params["samples"] == 96


class Overriding(Callback):
    pass


def with_hook(hook: str, base: type = Callback) -> Any:
    return type("Mine", (base,), {hook: lambda self, *args: None})()


def nothing(*args: Any) -> None:
    """A function for a LambdaCallback."""


OWN = [History(), BaseLogger(), ProgbarLogger()]


def test_who_watches_batches() -> None:
    assert not watches_batches([])
    quiet = [*OWN, TerminateOnNaN(), EarlyStopping(), ReduceLROnPlateau(), CSVLogger("x"), Overriding()]
    assert not watches_batches(quiet)
    assert not watches_batches(CallbackList(quiet))
    assert not watches_batches([LambdaCallback(on_epoch_end=nothing), with_hook("on_epoch_end")])
    assert not watches_batches([with_hook("on_epoch_end", ProgbarLogger)])
    for hook in ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"):
        assert watches_batches([*OWN, with_hook(hook)])
        assert not watches_batches([with_hook(hook)], "test")
    assert watches_batches([with_hook("on_batch_end", ProgbarLogger)])
    assert watches_batches([LambdaCallback(on_batch_end=nothing)])
    assert watches_batches([with_hook("on_test_batch_end")], "test")
    assert watches_batches([LambdaCallback(on_predict_batch_begin=nothing)], "predict")
    assert not watches_batches([with_hook("on_test_batch_end")])
    assigned = Callback()
    assigned.on_batch_end = nothing  # type: ignore[method-assign]
    assert watches_batches([assigned])


def test_who_watches_epochs() -> None:
    assert not watches_epochs([*OWN, Overriding(), LambdaCallback(on_train_begin=nothing)])
    assert not watches_epochs([with_hook("on_train_end")])
    steering = (
        TerminateOnNaN(),
        EarlyStopping(),
        EarlyStopping(restore_best_weights=True),
        ReduceLROnPlateau(),
        CSVLogger("x"),
        ModelCheckpoint("x"),
    )
    assert not watches_epochs([*OWN, *steering])
    assert all(steers([callback]) for callback in steering)
    assert not steers([*OWN, LearningRateScheduler(lambda epoch: 0.1), LambdaCallback(on_epoch_end=nothing)])
    for callback in (
        ModelCheckpoint("x", save_freq=3),
        with_hook("on_epoch_end", EarlyStopping),
        type("Mine", (EarlyStopping,), {})(),
        LearningRateScheduler(lambda epoch: 0.1),
        LambdaCallback(on_epoch_end=nothing),
        LambdaCallback(on_batch_end=nothing),
        with_hook("on_epoch_begin"),
        with_hook("on_test_begin"),
        with_hook("on_batch_end"),
        with_hook("on_epoch_end", History),
    ):
        assert watches_epochs([*OWN, callback])
        assert not steers([callback])


def test_lambda_callback_calls_its_functions() -> None:
    calls: list[Any] = []
    hooks = (
        "on_epoch_begin",
        "on_epoch_end",
        "on_batch_begin",
        "on_batch_end",
        "on_train_begin",
        "on_train_end",
    )
    made: dict[str, Any] = {hook: lambda *args, hook=hook: calls.append((hook, len(args))) for hook in hooks}
    told, _ = prepare([LambdaCallback(**made, on_test_begin=lambda logs: calls.append("test"), extra=3)])
    told.on_train_begin()
    told.on_epoch_begin(0)
    told.on_batch_begin(0)
    told.on_batch_end(0)
    told.on_test_begin()
    told.on_epoch_end(0)
    told.on_train_end()
    order = [
        "on_train_begin",
        "on_epoch_begin",
        "on_batch_begin",
        "on_batch_end",
        "on_epoch_end",
        "on_train_end",
    ]
    expected = [(hook, 1 if "train" in hook else 2) for hook in order]
    assert calls == [*expected[:4], "test", *expected[4:]]
    assert told.callbacks[0].extra == 3


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_terminate_on_nan(broken: float, capsys: pytest.CaptureFixture[str]) -> None:
    for chunked in (False, True):
        told, model = prepare([BaseLogger(), TerminateOnNaN()])
        told.on_epoch_begin(0)
        losses = np.array([[1.0], [2.0]], "float32")
        told.on_chunk_end(0, np.array([8, 8]), losses, ["loss"])
        assert not model.stop_training
        losses[1] = broken
        if chunked:
            told.on_chunk_end(4, np.array([8, 8]), losses, ["loss"])
        else:
            told.on_batch_end(5, {"loss": broken, "size": 8})
        assert model.stop_training
        assert capsys.readouterr().out == "Batch 5: Invalid loss, terminating training\n"


def stops_after(
    values: list[float], larger: bool, delta: float, patience: int, baseline: float | None
) -> tuple[int, int]:
    """Epochs run, and the last that improved, by the definition: too long since the best so far."""
    sign = -1 if larger else 1
    best, at = (np.inf if baseline is None else sign * baseline), -1
    for epoch, value in enumerate(values):
        if sign * value + delta < best:
            best, at = sign * value, epoch
        elif epoch - at >= max(1, patience):
            return epoch + 1, at
    return len(values), at


@pytest.mark.parametrize("seed", range(40))
def test_early_stopping_against_its_definition(seed: int) -> None:
    random = np.random.RandomState(seed)
    values = np.round(np.cumsum(random.randn(30)) / 3 + np.linspace(0, random.randn() * 4, 30), 1).tolist()
    larger, patience, delta = (
        bool(random.randint(2)),
        int(random.randint(0, 6)),
        float(random.choice([0, 0.25])),
    )
    baseline = None if random.randint(2) else float(random.randn())
    monitor = "val_acc" if larger else "val_loss"
    model = Model()
    callback = EarlyStopping(
        monitor,
        delta,
        patience,
        mode=random.choice(["auto", "max" if larger else "min"]),
        baseline=baseline,
        restore_best_weights=True,
    )
    epochs, best = stops_after(values, larger, delta, patience, baseline)
    for _ in range(2):  # a second training starts afresh
        model.stop_training = False
        assert run_epochs([callback], [{monitor: value} for value in values], model) == epochs
        stopped = model.stop_training
        assert model.weights == [best if stopped and best >= 0 else epochs - 1]
        assert callback.stopped_epoch == (epochs - 1 if stopped else 0)


def rates(
    values: list[float], larger: bool, factor: float, patience: int, delta: float, cooldown: int, least: float
) -> list[float]:
    """The learning rate after each epoch, by the definition of a plateau."""
    sign, best, rate, since, resting, result = (-1 if larger else 1), np.inf, np.float32(0.5), 0, 0, []
    for value in values:
        resting = max(0, resting - 1)
        improved = sign * value < best - delta
        best = sign * value if improved else best
        since = 0 if improved or resting else since + 1
        # The epoch in which a rest ends is counted already.
        if since >= max(1, patience) and not improved and not resting and rate > least:
            rate, resting, since = np.float32(max(float(rate) * factor, least)), cooldown, 0
        result.append(float(rate))
    return result


@pytest.mark.parametrize("seed", range(40))
def test_reduce_lr_against_its_definition(seed: int) -> None:
    random = np.random.RandomState(seed)
    values = np.round(np.cumsum(random.randn(30)) / 3, 1).tolist()
    larger, patience, cooldown = bool(random.randint(2)), int(random.randint(0, 5)), int(random.randint(0, 4))
    delta, factor, least = float(random.choice([1e-4, 0.3])), float(random.choice([0.1, 0.5])), 1e-3
    monitor = "val_accuracy" if larger else "val_loss"
    model, history = Model(0.5), History()
    callback = ReduceLROnPlateau(
        monitor,
        factor,
        patience,
        mode="max" if larger else "auto",
        min_delta=delta,
        cooldown=cooldown,
        min_lr=least,
    )
    run_epochs([callback, history], [{monitor: value} for value in values], model)
    expected = rates(values, larger, factor, patience, delta, cooldown, least)
    assert float(model.optimizer.lr) == expected[-1]
    # The history holds the rate that each epoch was trained with.
    np.testing.assert_array_equal(np.float32(history.history["lr"]), np.array([0.5, *expected[:-1]], "float32"))


def test_both_spellings_can_be_monitored() -> None:
    for monitor, key in (("val_accuracy", "val_acc"), ("val_acc", "val_accuracy")):
        assert run_epochs([EarlyStopping(monitor)], [{key: v} for v in (0.1, 0.2, 0.2, 0.3)]) == 3
        callback = ReduceLROnPlateau(monitor, patience=1)
        run_epochs([callback], [{key: v} for v in (0.1, 0.2, 0.1)], model := Model())
        assert float(model.optimizer.lr) == pytest.approx(1e-3)


def test_restoring_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    run_epochs([EarlyStopping(restore_best_weights=True, verbose=1)], [{"val_loss": v} for v in (2, 1, 3)])
    assert capsys.readouterr().out == (
        "Restoring model weights from the end of the best epoch\nEpoch 00003: early stopping\n"
    )


@pytest.mark.parametrize(
    ("callback", "text"),
    [
        (EarlyStopping(), "Early stopping conditioned on metric `val_loss` which is not available."),
        (
            ReduceLROnPlateau(),
            "Reduce LR on plateau conditioned on metric `val_loss` which is not available.",
        ),
    ],
)
def test_a_missing_metric_is_told(callback: Any, text: str) -> None:
    with pytest.warns(RuntimeWarning, match=re.escape(text)) as caught:
        run_epochs([callback], [{"loss": 1.0, "acc": 0.5}])
    assert str(caught[0].message).split("Available metrics are: ")[1].startswith("loss,acc")


def test_unknown_modes_and_arguments() -> None:
    with pytest.warns(RuntimeWarning, match="EarlyStopping mode best is unknown, fallback to auto mode"):
        callback = EarlyStopping("val_acc", mode="best")
    assert callback.monitor_op is np.greater
    with pytest.warns(RuntimeWarning, match="Learning Rate Plateau Reducing mode best is unknown"):
        ReduceLROnPlateau(mode="best")
    with pytest.warns(UserWarning, match="`epsilon` argument is deprecated"):
        assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    with pytest.raises(ValueError, match=r"factor >= 1\.0"):
        ReduceLROnPlateau(factor=1)
    with pytest.raises(TypeError, match="patient"):
        ReduceLROnPlateau(patient=1)
    with pytest.raises(ValueError, match="count_mode"):
        ProgbarLogger("batches")


def test_schedules_of_one_and_two_arguments() -> None:
    for schedule in (lambda epoch: 0.5 / (epoch + 1), lambda epoch, lr: lr / 2 if epoch else 0.5):
        history = History()
        run_epochs([LearningRateScheduler(schedule), history], [{}, {}])
        assert history.history["lr"] == [np.float32(0.5), np.float32(0.25)]


@pytest.mark.parametrize("rate", [1, None, "0.1", np.ones(2)])
def test_a_schedule_must_return_a_float(rate: Any) -> None:
    with pytest.raises(ValueError, match='output of the "schedule" function should be float'):
        run_epochs([LearningRateScheduler(lambda epoch: rate)], [{}])


def test_floats_of_numpy_and_jax_are_floats() -> None:
    import jax.numpy as jnp

    for rate in (np.float32(0.25), np.float64(0.25), np.array(0.25), jnp.float32(0.25)):
        schedule = {0: rate}.get  # a builtin whose second argument is a default
        run_epochs([LearningRateScheduler(schedule)], [{}], model := Model())
        assert float(model.optimizer.lr) == 0.25


def test_an_error_of_the_schedule_is_not_taken_for_its_signature() -> None:
    def schedule(epoch: int, lr: float) -> float:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        run_epochs([LearningRateScheduler(schedule)], [{}])


def test_an_optimizer_without_a_learning_rate_is_told() -> None:
    model = Model()
    del model.optimizer.lr
    with pytest.raises(ValueError, match='must have a "lr" attribute'):
        run_epochs([LearningRateScheduler(lambda epoch: 0.1)], [{}], model)


def test_a_slow_callback_is_told_of() -> None:
    told, _ = prepare([LambdaCallback(on_batch_end=lambda batch, logs: time.sleep(0.12))])
    told.on_epoch_begin(0)
    told.on_batch_begin(0)
    with pytest.warns(UserWarning, match=r"on_batch_end\(\) is slow compared to the batch update"):
        told.on_batch_end(0)


def test_a_slow_batch_is_not_blamed_on_a_callback() -> None:
    told, _ = prepare([LambdaCallback(on_batch_end=lambda batch, logs: time.sleep(0.11))])
    told.on_epoch_begin(0)
    told.on_batch_begin(0)
    time.sleep(0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told.on_batch_end(0)


def test_steps_of_unknown_number(capsys: pytest.CaptureFixture[str]) -> None:
    told, _ = prepare([BaseLogger(), ProgbarLogger("steps")], verbose=1, steps=None)
    told.on_train_begin()
    told.on_epoch_begin(0)
    told.on_chunk_end(0, np.array([8, 8]), np.ones((2, 1), "float32"), ["loss"])
    told.on_epoch_end(0, Logs())
    out = capsys.readouterr().out
    assert "      2/Unknown - " in out
    assert re.search(r"\n2/2 \[=+\] - 0s \d+us/step - loss: 1\.0000\n$", out)
