"""How training runs: what is compiled and when, that the cut into dispatches changes no bit, and that runs repeat."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import close, data, forward, in_order, linear, same_bits, start, train
from kjax import backend as K
from kjax import callbacks
from kjax.engine import _epochs, _runs
from kjax.engine._runs import ArrayRun
from kjax.layers import BatchNormalization, Dense, Dropout, Layer
from kjax.models import Model, Sequential

pytestmark = pytest.mark.optimized

X, Y = data()
_COMPILED = "/jax/core/compile/backend_compile_duration"


@contextmanager
def compilations() -> Iterator[list[str]]:
    """A list that grows by one with each program that XLA compiles, of kjax or of JAX itself."""
    seen: list[str] = []

    def listen(event: str, duration_secs: float, **kwargs: Any) -> None:
        if event == _COMPILED:
            seen.append(str(kwargs.get("fun_name", event)))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def counts(model: Any) -> dict[str, int]:
    """Compiled programs by what they are for."""
    return {
        kind: (programs.program.count if kind == "train" else programs.count)
        for kind, programs in model._programs.items()
    }


def test_what_is_compiled() -> None:
    model = linear(metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=5, verbose=0)
    # One program for full batches and the last one of two samples, in dispatches of any length.
    assert counts(model) == {"train": 1}
    with compilations() as compiled:
        model.fit(X, Y, batch_size=4, epochs=5, verbose=0)
        K.set_value(model.optimizer.lr, 0.01)
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False)
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda _: 0.5)])
        model.fit(
            X, Y, batch_size=4, verbose=0, callbacks=[callbacks.LambdaCallback(on_batch_end=lambda b, logs: None)]
        )
        K.set_value(model.optimizer.decay, 0.01)
        model.set_weights(start())
        model.fit(X, Y, batch_size=4, verbose=0)
    assert compiled == []
    assert counts(model) == {"train": 1}


def test_testing_and_predicting_compile_once() -> None:
    model = linear()
    for _ in range(2):
        model.evaluate(X, Y, batch_size=4, verbose=0)
        model.predict(X, batch_size=4)
    assert counts(model) == {"test": 1, "predict": 1}
    with compilations() as compiled:
        for rows in (10, 9, 12, 16):
            model.evaluate(*data(rows), batch_size=4, verbose=0)
            model.predict(data(rows)[0], batch_size=4)
            model.predict_on_batch(data(rows)[0])
    assert compiled == []


def test_single_batches_compile_once_for_each_size() -> None:
    model = linear()
    model.train_on_batch(X, Y)
    model.train_on_batch(X[:4], Y[:4])
    with compilations() as compiled:
        for _ in range(3):
            model.train_on_batch(X, Y)
            model.train_on_batch(X[4:8], Y[4:8])
    assert compiled == []


def noisy(seed: int = 7) -> Sequential:
    """A model with all that could depend on how batches are dispatched: dropout, averages, momentum."""
    np.random.seed(seed)
    model = Sequential([Dense(8, activation="relu", input_dim=3), Dropout(0.5), BatchNormalization(), Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


class Fixed:
    """A pace of a given number of batches a dispatch."""

    length = 1

    rate = 0.0

    def __init__(self, seconds: float, rate: float = 0.0) -> None:
        self.batches = self.length

    def ran(self, batches: int, seconds: float) -> None:
        self.batches = self.length


def trained(model: Sequential, first: list[np.ndarray], samples: int, **kwargs: Any) -> Any:
    """Weights and losses of a training of `model` from the beginning."""
    np.random.seed(7)
    model.set_weights(first)
    model.optimizer.set_weights([np.zeros_like(w) for w in model.optimizer.get_weights()])
    history = model.fit(*data(samples), **{"batch_size": 4, "epochs": 6, "verbose": 0, **kwargs})
    return model.get_weights(), history.history


@pytest.mark.parametrize("samples", [20, 22])
def test_the_same_bits_however_batches_are_dispatched(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = noisy()
    first = model.get_weights()
    np.random.seed(7)
    history = model.fit(*data(samples), batch_size=4, epochs=6, verbose=0).history
    weights = model.get_weights()
    for length in (1, 2, 3, 7, 100):
        monkeypatch.setattr(_epochs, "Pace", type("Pace", (Fixed,), {"length": length}))
        others, logs = trained(model, first, samples)
        assert same_bits(others, weights), length
        assert logs == history, length


def test_the_same_bits_whatever_watches(capsys: pytest.CaptureFixture[str]) -> None:
    model = noisy()
    first = model.get_weights()
    model.train_on_batch(X, Y)
    weights, history = trained(model, first, 20)
    x, y = data(20)
    watching: list[dict[str, Any]] = [
        {"callbacks": [callbacks.LambdaCallback(on_epoch_end=lambda e, logs: None)]},
        {"callbacks": [callbacks.LambdaCallback(on_batch_end=lambda b, logs: None)]},
        {"verbose": 1},
        {"verbose": 2},
        {"validation_data": (x, y)},
    ]
    for kwargs in watching:
        others, logs = trained(model, first, 20, **kwargs)
        assert same_bits(others, weights), kwargs
        assert {name: logs[name] for name in history} == history
    assert "20/20 [====" in capsys.readouterr().out


VALIDATED: list[dict[str, Any]] = [
    {"samples": 20, "held": 8},
    {"samples": 22, "held": 7},
    {"samples": 3, "held": 2},
    {"samples": 22, "held": 7, "validation_freq": 2},
    {"samples": 20, "held": 9, "validation_freq": [1, 4]},
]


@pytest.mark.parametrize("case", VALIDATED, ids=str)
def test_validation_in_the_program_equals_evaluate(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    case = dict(case)
    x, y = data(case.pop("samples"))
    held = data(case.pop("held"))
    model = noisy()
    first = model.get_weights()
    watch = callbacks.LambdaCallback(on_test_begin=lambda logs: None)  # makes the validation a program of its own
    histories, weights = [], []
    for given in ([], [watch]):
        np.random.seed(7)
        model.set_weights(first)
        model.optimizer.set_weights([np.zeros_like(w) for w in model.optimizer.get_weights()])
        kwargs = {"batch_size": 4, "epochs": 6, "verbose": 0, "validation_data": held, "callbacks": given, **case}
        histories.append(model.fit(x, y, **kwargs).history)
        weights.append(model.get_weights())
        for name, value in zip(model.metrics_names, model.evaluate(*held, batch_size=4, verbose=0), strict=True):
            if case.get("validation_freq", 1) == 1:
                np.testing.assert_allclose(histories[-1]["val_" + name][-1], value, rtol=1e-6)
    assert same_bits(*weights)
    assert list(histories[0]) == list(histories[1])
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-6)


class Plain(callbacks.EarlyStopping):
    """A class of the user's, which the engine does not know, and so tells of every epoch at its end."""


class PlainReduce(callbacks.ReduceLROnPlateau):
    """The same for the learning rate."""


STEERING: list[tuple[Any, Any]] = [
    (
        lambda: [callbacks.EarlyStopping("loss", patience=2, min_delta=0.05)],
        lambda: [Plain("loss", patience=2, min_delta=0.05)],
    ),
    (
        lambda: [callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.03)],
        lambda: [PlainReduce("val_loss", factor=0.5, patience=1, min_delta=0.03)],
    ),
    (
        lambda: [
            callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.03),
            callbacks.EarlyStopping("val_loss", patience=5, min_delta=0.03),
        ],
        lambda: [
            PlainReduce("val_loss", factor=0.5, patience=1, min_delta=0.03),
            Plain("val_loss", patience=5, min_delta=0.03),
        ],
    ),
]


@pytest.mark.parametrize("samples", [20, 22])
@pytest.mark.parametrize("number", range(len(STEERING)))
def test_what_steers_acts_at_the_same_epoch_however_it_is_told(number: int, samples: int) -> None:
    x, y = data(samples)
    model = noisy()
    first = model.get_weights()
    found = []
    for make in STEERING[number]:
        np.random.seed(7)
        K.set_value(model.optimizer.lr, 0.1)
        model.set_weights(first)
        model.optimizer.set_weights([np.zeros_like(w) for w in model.optimizer.get_weights()])
        kwargs = {"batch_size": 4, "epochs": 40, "verbose": 0, "validation_data": data(9), "callbacks": make()}
        history = model.fit(x, y, **kwargs)
        # numpy's generator stands where it would have been, so that what follows draws the same numbers.
        found.append((history.epoch, history.history, model.get_weights(), np.random.random()))
    (epochs, logs, weights, drawn), (epochs_told, logs_told, weights_told, drawn_told) = found
    assert epochs == epochs_told
    assert number == 1 or len(epochs) < 40
    assert logs == logs_told
    assert same_bits(weights, weights_told)
    assert drawn == drawn_told


@pytest.mark.parametrize("samples", [2100, 2103])
def test_slots_kept_out_of_the_loop_are_those_of_the_last_batch(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = data(samples)
    found = []
    for least in (0, 1 << 60):
        monkeypatch.setattr(_runs, "_LARGE", least)
        np.random.seed(7)
        model = linear()
        history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=data(9)).history
        found.append((model.get_weights(), model.optimizer.get_weights(), history))
        assert counts(model)["train"] == (2 if least == 0 else 1)
    (weights, slots, history), (plain_weights, plain_slots, plain_history) = found
    assert same_bits(weights, plain_weights)
    assert same_bits(slots, plain_slots)
    assert any(np.any(slot) for slot in slots[1:])
    assert history == plain_history


def test_runs_repeat_with_the_seed() -> None:
    runs = []
    for seed in (7, 7, 8):
        model = noisy(seed)
        model.fit(X, Y, batch_size=5, epochs=3, verbose=0)
        runs.append(model.get_weights())
    assert same_bits(runs[0], runs[1])
    assert not same_bits(runs[0], runs[2])


def test_batches_of_one_training_draw_different_noise() -> None:
    model = Sequential([Dropout(0.5, input_shape=(40,))])
    model.compile(
        "sgd", "mse", metrics=[lambda t, p: K.sum(K.cast(p > 0, "float32") * jnp.arange(40.0).reshape(1, 40))]
    )
    seen: list[float] = []
    watch = callbacks.LambdaCallback(on_batch_end=lambda b, logs: seen.append(float(logs["<lambda>"])))
    for _ in range(2):
        model.fit(np.ones((6, 40)), np.ones((6, 40)), batch_size=1, epochs=2, verbose=0, callbacks=[watch])
    assert len(set(seen)) > 20


def test_many_short_epochs_share_a_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    original = ArrayRun.__call__

    def counted(self: ArrayRun, start: int, stop: int) -> Any:
        runs.append(stop - start)
        return original(self, start, stop)

    monkeypatch.setattr(ArrayRun, "__call__", counted)
    model = linear()
    history = model.fit(X, Y, batch_size=10, epochs=500, verbose=0)
    assert sum(runs) == 500
    assert len(runs) < 50
    assert history.epoch == list(range(500))
    close(model.get_weights(), train(X, Y, in_order(10, 10, 500))[0])
    step_by_step = linear()
    single = [step_by_step.train_on_batch(X, Y) for _ in range(20)]
    np.testing.assert_allclose(history.history["loss"][:20], single, rtol=1e-5)


class Filters(Layer):
    """A convolution by JAX's own name, which runs slowly inside of a loop on a CPU."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(2, 1, 1), initializer="ones")

    def call(self, x: Any) -> Any:
        made = jax.lax.conv_general_dilated(
            x[..., None], self.kernel.value, (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC")
        )
        return made[..., 0]


class Windows(Layer):
    """The same sums by products."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(2, 1, 1), initializer="ones")

    def call(self, x: Any) -> Any:
        kernel = self.kernel.value[:, 0, 0]
        return x[:, :-1] * kernel[0] + x[:, 1:] * kernel[1]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="operations are slow in loops on a CPU only")
def test_what_is_slow_in_a_loop_runs_one_batch_a_dispatch() -> None:
    results = []
    for layer, looped in ((Filters, False), (Windows, True)):
        model = Sequential([layer(input_shape=(3,)), Dense(1)])
        model.set_weights([np.ones((2, 1, 1)), start()[0][:2], start()[1]])
        model.compile("sgd", "mse")
        history = model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
        results.append([*model.get_weights(), history, model.predict(X, 4), model.evaluate(X, Y, 3, verbose=0)])
        # A convolution runs well in a loop, and its gradient, which has other axes, does not.
        looping = {kind: model._programs[kind].program.looped for kind in ("train", "test", "predict")}
        assert looping == {"train": looped, "test": True, "predict": True}
    close(results[0], results[1], 1e-5)


def test_one_sample() -> None:
    model = linear()
    history = model.fit(X[:1], Y[:1], epochs=3, verbose=0)
    close(model.get_weights(), train(X, Y, [[0]] * 3)[0])
    assert len(history.history["loss"]) == 3
    close([model.predict(X[:1])], [forward(train(X, Y, [[0]] * 3)[0], X[:1])])


def test_many_calls_keep_no_memory() -> None:
    model = linear()

    def call() -> tuple[int, int]:
        for _ in range(250):
            model.predict(X)
        model.train_on_batch(X, Y)
        gc.collect()
        return len(gc.get_objects()), len(jax.live_arrays())

    call()
    objects, arrays = call()
    later, arrays_later = call()
    assert arrays_later <= arrays
    assert later < objects + 100


def test_a_variable_that_only_the_loss_reads_can_change_in_training() -> None:
    factor = K.variable(1.0)

    class Off(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            K.set_value(factor, [2.0, 0.0, 0.0][epoch])

    def loss(y_true: Any, y_pred: Any) -> Any:
        return factor * K.mean(K.square(y_true - y_pred), axis=-1)

    model = linear(loss=loss)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[Off()]).history["loss"]
    once = train(X, Y, [list(range(10))])[0]
    error = forward(once, X) - Y
    wanted = [once[0] - 0.2 * 2 * X.T @ error / 10, once[1] - 0.2 * 2 * error.mean()]
    close(model.get_weights(), wanted)
    np.testing.assert_allclose(history, [train(X, Y, in_order(10, 10))[1], 2 * (error**2).mean(), 0], rtol=1e-4)
    assert K.get_value(factor) == 0
    assert model.evaluate(X, Y, verbose=0) == 0


def test_a_variable_made_of_the_user_s_array_leaves_it_alone() -> None:
    mine = jnp.ones(())
    factor = K.variable(mine)
    model = linear(loss=lambda t, p: factor * K.mean(K.square(t - p), axis=-1))
    model.fit(X, Y, verbose=0)
    assert float(mine) == 1.0


def test_arrays_that_were_handed_out_stay_valid_and_unchanged() -> None:
    model = noisy()
    model.fit(X, Y, verbose=0)
    x, y = jnp.asarray(X), jnp.asarray(Y)
    handed = [*model.get_weights(), model.predict(X), *(K.get_value(w) for w in model.optimizer.weights)]
    handed += [model.layers[0].get_weights()[0], np.asarray(model.weights[0]), *model.to_jax().params.values()]
    copies = [np.array(a) for a in handed]
    for _ in range(3):
        model.fit(x, y, epochs=2, verbose=0)
        model.train_on_batch(x, y)
        model.predict(x)
    assert same_bits([np.asarray(a) for a in handed], copies)
    assert same_bits([np.asarray(x), np.asarray(y)], [X, Y])


def test_the_list_of_a_stack_can_be_shortened() -> None:
    """Scripts take the last layers off by `model.layers.pop()`, and go on from what is left."""
    model = Sequential([Dense(5, input_shape=(3,)), Dense(4), Dense(2)])
    model.layers.pop()
    assert [layer.units for layer in model.layers] == [5, 4]  # pyright: ignore[reportAttributeAccessIssue]
    tail = Model(model.input, Dense(7)(model.layers[-1].output))
    assert tail.output_shape == (None, 7)
    assert len(tail.layers) == 4
    model.outputs = [model.layers[-1].output]
    model.add(Dense(6))
    assert model.output_shape == (None, 6)
    assert model.predict(np.ones((2, 3))).shape == (2, 6)
    model.pop()
    assert model.output_shape == (None, 4)
