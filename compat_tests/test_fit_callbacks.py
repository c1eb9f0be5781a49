"""What callbacks may do to a training: change the rate, look at weights, stop it, interrupt it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compat_tests.fit_helper import LR, Rows, close, data, in_order, linear, losses, start, train
from kjax import backend as K
from kjax import callbacks
from kjax.layers import Dense
from kjax.models import Sequential

X, Y = data()


def by_hand(rates: list[float]) -> list[np.ndarray]:
    """Weights after one step on all rows at each of the rates."""
    kernel, bias = (w.astype("float64") for w in start())
    for rate in rates:
        error = X @ kernel + bias - Y
        kernel, bias = kernel - rate * 2 * X.T @ error / 10, bias - rate * 2 * error.mean()
    return [kernel, bias]


def test_a_schedule_of_the_rate() -> None:
    model = linear()
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.2 / (epoch + 1))
    history = model.fit(X, Y, epochs=4, verbose=0, callbacks=[schedule]).history
    rates = [0.2, 0.1, 0.2 / 3, 0.05]
    close(model.get_weights(), by_hand(rates))
    np.testing.assert_allclose(history["lr"], rates, rtol=1e-6)
    np.testing.assert_allclose(K.get_value(model.optimizer.lr), 0.05, rtol=1e-6)


def test_the_rate_set_between_batches_counts_from_the_next_on() -> None:
    class Halve(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            K.set_value(self.model.optimizer.lr, K.get_value(self.model.optimizer.lr) / 2)

    model = linear()
    model.fit(np.tile(X, (3, 1)), np.tile(Y, (3, 1)), batch_size=10, shuffle=False, verbose=0, callbacks=[Halve()])
    close(model.get_weights(), by_hand([LR, LR / 2, LR / 4]))


def test_a_plateau_lowers_the_rate() -> None:
    model = linear()
    plateau = callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=100.0)
    history = model.fit(X, Y, epochs=4, verbose=0, callbacks=[plateau]).history
    np.testing.assert_allclose(history["lr"], [LR, LR, LR / 2, LR / 4], rtol=1e-6)
    close(model.get_weights(), by_hand([LR, LR, LR / 2, LR / 4]))


def test_a_callback_sees_the_weights_after_each_batch() -> None:
    class Look(callbacks.Callback):
        def __init__(self) -> None:
            self.before: list[Any] = []
            self.after: list[Any] = []

        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.before.append(self.model.get_weights())

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.after.append(self.model.get_weights())

    model, look = linear(), Look()
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[look])
    batches = in_order(10, 4, 2)
    for i in range(6):
        close(look.before[i], train(X, Y, batches[:i])[0] if i else by_hand([]))
        close(look.after[i], train(X, Y, batches[: i + 1])[0])


def test_weights_set_by_a_callback_are_trained_on() -> None:
    class Reset(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.model.set_weights(by_hand([]))

    model = linear()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[Reset()])
    close(model.get_weights(), by_hand([LR]))


def test_a_callback_may_evaluate_and_predict() -> None:
    class Test(callbacks.Callback):
        def __init__(self) -> None:
            self.seen: list[float] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            loss = self.model.evaluate(X, Y, verbose=0)
            np.testing.assert_allclose(np.mean((self.model.predict(X) - Y) ** 2), loss, rtol=1e-4)
            self.seen.append(float(loss))

    model, test = linear(), Test()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[test])
    wanted = [losses(by_hand([LR] * n), X, Y).mean() for n in (1, 2, 3)]
    np.testing.assert_allclose(test.seen, wanted, rtol=1e-4)


@pytest.mark.parametrize("hook", ["batch", "epoch"])
@pytest.mark.parametrize("generator", [False, True])
def test_stop_training(hook: str, generator: bool) -> None:
    class Stop(Rows):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_batch_end(batch, logs)
            if hook == "batch" and batch == 1:
                self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            super().on_epoch_end(epoch, logs)
            if epoch == 1:
                self.model.stop_training = True

    model, stop = linear(), Stop()
    if generator:
        source = ((X[rows], Y[rows]) for rows in in_order(10, 4, 20))
        history = model.fit_generator(source, steps_per_epoch=3, epochs=9, verbose=0, callbacks=[stop])
    else:
        history = model.fit(X, Y, batch_size=4, epochs=9, shuffle=False, verbose=0, callbacks=[stop])
    count = 2 if hook == "batch" else 6
    close(model.get_weights(), train(X, Y, in_order(10, 4, 2)[:count])[0])
    assert history.epoch == ([0] if hook == "batch" else [0, 1])
    assert stop.calls[-1] == ("train_end", -1)
    model.fit(X, Y, epochs=2, verbose=0)
    assert model.history.epoch == [0, 1]


def test_early_stopping_gives_the_best_weights_back() -> None:
    kept: list[Any] = []

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            kept.append(self.model.get_weights())

    model = linear()
    K.set_value(model.optimizer.lr, 2.0)  # diverges: the first epoch is the best
    stopping = callbacks.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=9, verbose=0, callbacks=[Keep(), stopping])
    assert history.epoch == [0, 1, 2]
    assert stopping.stopped_epoch == 2
    close(model.get_weights(), kept[0], 0)
    assert history.history["loss"][1] > history.history["loss"][0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_training_leaves_the_model_as_far_as_it_came(error: type[BaseException]) -> None:
    class Interrupt(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                raise error

    model = linear()
    with pytest.raises(error):
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[Interrupt()])
    close(model.get_weights(), train(X, Y, in_order(10, 4)[:2])[0])
    model.fit(X[8:], Y[8:], shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(10, 4))[0])
    assert model.predict(X).shape == (10, 1)


def test_metrics_that_a_callback_adds_to_the_logs_are_in_the_history() -> None:
    class Add(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["extra"] = epoch * 10

    assert linear().fit(X, Y, epochs=3, verbose=0, callbacks=[Add()]).history["extra"] == [0, 10, 20]


def test_a_batch_hook_alone_hears_of_each_batch_of_each_epoch() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    heard: list[tuple[int, int]] = []
    hook = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: heard.append((batch, logs["size"])))
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=3, verbose=0, callbacks=[hook])
    assert heard == [(batch, 2) for _ in range(3) for batch in range(4)]


class Listener(callbacks.Callback):
    """Writes down the hooks of testing and predicting."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def on_test_begin(self, logs: Any = None) -> None:
        self.heard.append("test")

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append((batch, logs["size"], float(logs["loss"])))

    def on_test_end(self, logs: Any = None) -> None:
        self.heard.append("end of test")

    def on_predict_begin(self, logs: Any = None) -> None:
        self.heard.append("predict")

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.heard.append((batch, logs["size"]))

    def on_predict_end(self, logs: Any = None) -> None:
        self.heard.append("end of predict")


@pytest.mark.parametrize("generator", [False, True])
def test_hooks_of_testing_and_predicting(generator: bool) -> None:
    model = linear()
    model.compile("sgd", "mse")
    parts = [slice(0, 4), slice(4, 8), slice(8, 10)]
    wanted = [float(model.evaluate(X[p], Y[p], verbose=0)) for p in parts]
    source: Any = [(X[p], Y[p]) for p in parts]
    listener = Listener()
    if generator:
        score = model.evaluate_generator(iter(source), steps=3, callbacks=[listener])
        model.predict_generator(iter(source), steps=3, callbacks=[listener])
    else:
        score = model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[listener])
        model.predict(X, batch_size=4, callbacks=[listener])
    test, predict = listener.heard[:5], listener.heard[5:]
    assert [test[0], test[-1]] == ["test", "end of test"]
    assert [entry[:2] for entry in test[1:-1]] == [(0, 4), (1, 4), (2, 2)]
    np.testing.assert_allclose([entry[2] for entry in test[1:-1]], wanted, 1e-5)
    np.testing.assert_allclose(score, np.average(wanted, weights=[4, 4, 2]), 1e-5)
    assert predict == ["predict", (0, 4), (1, 4), (2, 2), "end of predict"]


def test_validation_in_fit_is_a_test() -> None:
    model = linear()
    model.compile("sgd", "mse")
    listener = Listener()
    history = model.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[listener]).history
    assert [entry for entry in listener.heard if isinstance(entry, str)] == ["test", "end of test"] * 2
    np.testing.assert_allclose([e[2] for e in listener.heard if isinstance(e, tuple)], history["val_loss"], 1e-5)
