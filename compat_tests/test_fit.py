"""Every argument of `fit`, by its effect on numbers that numpy works out in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compat_tests.fit_helper import (
    Rows,
    close,
    data,
    forward,
    in_order,
    linear,
    losses,
    same_bits,
    start,
    train,
)
from kjax import backend as K
from kjax import callbacks
from kjax.layers import Activation, Dense, Reshape
from kjax.models import Sequential

X, Y = data()


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 64, 5.0, np.int64(3)])
def test_batch_size_and_epochs(batch_size: Any) -> None:
    model = linear()
    history = model.fit(X, Y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    weights, _ = train(X, Y, in_order(10, int(batch_size), 2))
    close(model.get_weights(), weights)
    assert history.epoch == [0, 1]
    _, first = train(X, Y, in_order(10, int(batch_size), 1))
    np.testing.assert_allclose(history.history["loss"][0], first, rtol=1e-5)


def test_the_default_batch_size_is_32() -> None:
    x, y = data(70)
    model = linear()
    model.fit(x, y, shuffle=False, verbose=0)
    close(model.get_weights(), train(x, y, in_order(70, 32))[0])


def test_initial_epoch_numbers_the_epochs() -> None:
    model, watched = linear(), Rows()
    history = model.fit(X, Y, epochs=5, initial_epoch=3, verbose=0, callbacks=[watched])
    assert history.epoch == [3, 4]
    assert [n for name, n in watched.calls if name == "epoch_begin"] == [3, 4]
    assert model.history is history
    assert linear().fit(X, Y, epochs=3, initial_epoch=3, verbose=0).epoch == []


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    model = linear()
    model.fit(X, Y, batch_size=5, epochs=2, verbose=verbose, validation_data=(X, Y))
    shown = capsys.readouterr().out
    assert ("Epoch 2/2" in shown) == (verbose > 0)
    assert ("Train on 10 samples, validate on 10 samples" in shown) == (verbose > 0)
    assert ("10/10 [=" in shown) == (verbose == 1)
    assert shown.count("val_loss") == (0 if verbose == 0 else 2)


@pytest.mark.parametrize("form", [tuple, list])
def test_validation_data(form: Any) -> None:
    vx, vy = data(7, seed=5)
    model = linear()
    history = model.fit(X, Y, batch_size=3, verbose=0, validation_data=form([vx, vy]))
    np.testing.assert_allclose(history.history["val_loss"], losses(model.get_weights(), vx, vy).mean(), rtol=1e-5)
    weight = np.arange(1.0, 8.0)
    history = model.fit(X, Y, batch_size=10, verbose=0, validation_data=form([vx, vy, weight]))
    wanted = (losses(model.get_weights(), vx, vy) * weight).mean()
    np.testing.assert_allclose(history.history["val_loss"], wanted, rtol=1e-5)


def test_callbacks_see_the_validation_data() -> None:
    vx, vy = data(7, seed=5)
    watched = Rows()
    linear().fit(X, Y, verbose=0, validation_data=(vx, vy), callbacks=[watched])
    close(watched.validation_data, [vx, vy, np.ones(7)], 0)
    linear().fit(X, Y, verbose=0, validation_split=0.2, callbacks=[watched])
    close(watched.validation_data, [X[8:], Y[8:], np.ones(2)], 0)
    linear().fit(X, Y, verbose=0, callbacks=[watched])
    assert watched.validation_data is None


@pytest.mark.parametrize(("split", "cut"), [(0.2, 8), (0.25, 7), (0.5, 5), (0.99, 0)])
def test_validation_split_takes_the_last_rows(split: float, cut: int) -> None:
    model = linear()
    if not cut:
        with pytest.raises(ValueError, match=r"0\.99.*10 samples leaves 0"):
            model.fit(X, Y, validation_split=split, verbose=0)
        return
    history = model.fit(X, Y, validation_split=split, verbose=0)  # shuffled: the last rows are cut off before
    close(model.get_weights(), train(X, Y, [list(range(cut))])[0])
    np.testing.assert_allclose(
        history.history["val_loss"], losses(model.get_weights(), X[cut:], Y[cut:]).mean(), rtol=1e-5
    )


def test_validation_split_cuts_weights_too() -> None:
    weight = np.arange(10.0)
    model = linear()
    history = model.fit(X, Y, validation_split=0.3, sample_weight=weight, verbose=0)
    wanted = (losses(model.get_weights(), X[7:], Y[7:]) * weight[7:]).mean()
    np.testing.assert_allclose(history.history["val_loss"], wanted, rtol=1e-5)


def rows_of_batches(shuffle: Any, epochs: int, batch_size: int, samples: int = 12) -> list[list[int]]:
    """The rows of each batch, written by a metric: targets are powers of two, whose sum names them."""

    def total(y_true: Any, y_pred: Any) -> Any:
        return K.sum(y_true)

    model = Sequential([Dense(1, input_dim=1)])
    model.compile("sgd", "mse", metrics=[total])
    watched = Rows()
    y = 2.0 ** np.arange(samples)
    model.fit(np.zeros((samples, 1)), y, batch_size, epochs, shuffle=shuffle, verbose=0, callbacks=[watched])
    sums = [int(logs["total"]) for logs in watched.logs if "size" in logs]
    return [[i for i in range(samples) if s >> i & 1] for s in sums]


def test_shuffle_true_uses_every_row_once_in_a_new_order_each_epoch() -> None:
    batches = rows_of_batches(True, 3, 5)
    assert [len(rows) for rows in batches] == [5, 5, 2] * 3
    epochs = [batches[i : i + 3] for i in (0, 3, 6)]
    assert all(sorted(row for rows in epoch for row in rows) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_shuffle_false_keeps_the_order() -> None:
    assert rows_of_batches(False, 2, 5) == in_order(12, 5, 2)


@pytest.mark.parametrize(("samples", "size"), [(3, 2), (4, 3), (5, 3)])
def test_blocks_of_epochs_with_a_ragged_batch_read_their_own_rows(samples: int, size: int) -> None:
    x, y = data(samples)
    model = linear()
    history = model.fit(x, y, batch_size=size, epochs=4, verbose=0, shuffle=False).history
    batches = [list(range(size)), list(range(size, samples))] * 4
    close(model.get_weights(), train(x, y, batches)[0])
    close(history["loss"][-1:], [train(x, y, batches)[1] * 4 - train(x, y, batches[:-2])[1] * 3])


def test_shuffle_batch_keeps_batches_together() -> None:
    batches = rows_of_batches("batch", 4, 5)
    assert {tuple(rows) for rows in batches} == {tuple(rows) for rows in in_order(12, 5)}
    assert all(batches[i] == [10, 11] for i in (2, 5, 8, 11))  # the ragged one stays last, as in Keras
    assert len({tuple(batches[i]) for i in (0, 3, 6, 9)}) == 2


def test_sample_weight() -> None:
    weight = np.array([0, 1, 2, 0, 3, 1, 1, 0.5, 4, 1])
    model = linear()
    history = model.fit(X, Y, batch_size=4, shuffle=False, sample_weight=weight, verbose=0)
    weights, loss = train(X, Y, in_order(10, 4), weight)
    close(model.get_weights(), weights)
    np.testing.assert_allclose(history.history["loss"], loss, rtol=1e-5)
    doubled = linear()
    doubled.fit(X, Y, batch_size=4, shuffle=False, sample_weight=weight.tolist(), verbose=0)
    assert same_bits(model.get_weights(), doubled.get_weights())


def test_class_weight_of_labels_and_of_one_hot_rows() -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1])
    by_class = {0: 0.5, 1: 3.0, 7: 9.0}
    weight = np.array([by_class[c] for c in labels])
    model = linear()
    model.fit(X, labels, batch_size=4, shuffle=False, class_weight=by_class, verbose=0)
    close(model.get_weights(), train(X, labels[:, None], in_order(10, 4), weight)[0])
    results = []
    keywords: list[dict[str, Any]] = [{"class_weight": by_class}, {"sample_weight": weight}]
    for keyword in keywords:
        two = Sequential([Dense(2, activation="softmax", input_dim=3)])
        two.compile("sgd", "categorical_crossentropy")
        two.set_weights([np.full((3, 2), 0.1), np.zeros(2)])
        two.fit(X, np.eye(2)[labels], shuffle=False, verbose=0, **keyword)
        results.append(two.get_weights())
    assert same_bits(*results)


def test_sample_weight_wins_over_class_weight() -> None:
    labels = np.arange(10) % 2
    model = linear()
    with pytest.warns(UserWarning, match="`class_weight` argument will be ignored"):
        model.fit(X, labels, sample_weight=np.ones(10), class_weight={0: 5.0, 1: 0.0}, verbose=0)
    close(model.get_weights(), train(X, labels[:, None], [list(range(10))])[0])


def test_temporal_weights() -> None:
    x = np.random.RandomState(3).normal(size=(4, 2)).astype("float32")
    y = np.random.RandomState(4).normal(size=(4, 2, 1)).astype("float32")
    weight = np.array([[1, 0], [2, 1], [0, 0], [1, 3.0]])
    model = Sequential([Reshape((2, 1), input_shape=(2,)), Activation("linear")])
    model.compile("sgd", "mse", sample_weight_mode="temporal", metrics=["mse"], weighted_metrics=["mse"])
    error = (x[:, :, None] - y)[:, :, 0].astype("float64") ** 2
    wanted = (error * weight).mean() / (weight != 0).mean()
    got = model.evaluate(x, y, sample_weight=weight, verbose=0)
    np.testing.assert_allclose(got, [wanted, error.mean(), wanted], rtol=1e-5)
    assert model.metrics_names == ["loss", "mean_squared_error", "weighted_mean_squared_error"]
    with pytest.raises(ValueError, match=r"\(4,\).*2 dimensions"):
        model.evaluate(x, y, sample_weight=np.ones(4), verbose=0)


def test_steps_per_epoch_on_arrays() -> None:
    model = linear()
    model.fit(X, Y, batch_size=3, steps_per_epoch=2, epochs=2, shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(6, 3, 2))[0])


def test_validation_steps_and_freq() -> None:
    model = linear()
    vx, vy = data(9, seed=5)
    history = model.fit(X, Y, batch_size=3, verbose=0, validation_data=(vx, vy), validation_steps=2)
    np.testing.assert_allclose(
        history.history["val_loss"], losses(model.get_weights(), vx[:6], vy[:6]).mean(), rtol=1e-5
    )
    for freq, epochs in ((2, [2, 4]), ([1, 5], [1, 5]), ((3,), [3])):
        seen = Rows()
        history = model.fit(X, Y, epochs=5, verbose=0, validation_data=(vx, vy), validation_freq=freq, callbacks=[seen])
        assert len(history.history["val_loss"]) == len(epochs)
        logs = [log for log in seen.logs if "size" not in log]
        assert [i + 1 for i, log in enumerate(logs) if "val_loss" in log] == epochs


def test_order_of_callbacks() -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        return callbacks.LambdaCallback(
            on_train_begin=lambda logs: order.append(f"{name} begin"),
            on_epoch_begin=lambda epoch, logs: order.append(f"{name} epoch {epoch}"),
            on_epoch_end=lambda epoch, logs: order.append(f"{name} end {epoch} {sorted(logs)}"),
            on_train_end=lambda logs: order.append(f"{name} over"),
        )

    linear().fit(X, Y, verbose=0, callbacks=[named("a"), named("b")])
    wanted = ["begin", "epoch 0", "end 0 ['loss']", "over"]
    assert order == [f"{name} {what}" for what in wanted for name in "ab"]
    watched = Rows()
    linear().fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[watched])
    epoch = [("batch_begin", 0), ("batch_end", 0), ("batch_begin", 1), ("batch_end", 1)]
    inner = [[("epoch_begin", e), *epoch, ("epoch_end", e)] for e in (0, 1)]
    assert watched.calls == [("train_begin", -1), *inner[0], *inner[1], ("train_end", -1)]
    assert watched.params["epochs"] == 2
    assert (watched.params["samples"], watched.params["batch_size"]) == (10, 5)


@pytest.mark.parametrize("samples", [1, 2, 3, 4, 8, 9, 33])
def test_evaluate_and_predict_are_right_for_any_number_of_rows(samples: int) -> None:
    x, y = data(samples)
    model = linear(metrics=["mae"])
    for batch_size in (1, 4, 32, None):
        np.testing.assert_allclose(model.predict(x, batch_size), forward(start(), x), 1e-5, 1e-5)
        wanted = [losses(start(), x, y).mean(), np.abs(forward(start(), x) - y).mean()]
        np.testing.assert_allclose(model.evaluate(x, y, batch_size, verbose=0), wanted, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(x), forward(start(), x), 1e-5, 1e-5)
    np.testing.assert_allclose(model.test_on_batch(x, y), wanted, rtol=1e-5)


def test_evaluate_of_many_pieces() -> None:
    x, y = data(9001)
    model = linear()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), losses(start(), x, y).mean(), rtol=1e-5)
    np.testing.assert_allclose(model.predict(x), forward(start(), x), 1e-4, 1e-5)


def test_evaluate_weighted_and_steps() -> None:
    weight = np.arange(10.0)
    got = linear().evaluate(X, Y, batch_size=10, sample_weight=weight, verbose=0)
    np.testing.assert_allclose(got, (losses(start(), X, Y) * weight).mean() / 0.9, rtol=1e-5)
    got = linear().evaluate(X, Y, batch_size=3, steps=2, verbose=0)
    np.testing.assert_allclose(got, losses(start(), X[:6], Y[:6]).mean(), rtol=1e-5)


def test_train_on_batch() -> None:
    model = linear()
    loss = model.train_on_batch(X, Y)
    weights, wanted = train(X, Y, [list(range(10))])
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    close(model.get_weights(), weights)
    weighted, weight = linear(metrics=["mae"]), np.arange(10.0)
    loss, error = weighted.train_on_batch(X, Y, sample_weight=weight)
    weights, wanted = train(X, Y, [list(range(10))], weight)
    np.testing.assert_allclose([loss, error], [wanted, np.abs(forward(start(), X) - Y).mean()], rtol=1e-5)
    close(weighted.get_weights(), weights)


def test_results_are_numbers_and_lists() -> None:
    assert np.ndim(linear().evaluate(X, Y, verbose=0)) == 0
    assert type(linear().train_on_batch(X, Y)) is np.float32  # as a number is printed within a list
    assert len(linear(metrics=["mae"]).evaluate(X, Y, verbose=0)) == 2
