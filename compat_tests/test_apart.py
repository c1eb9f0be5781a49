"""Testing and predicting many samples at once: where it is done, and that it changes no number."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from kjax import backend as K
from kjax import callbacks, losses, metrics
from kjax.engine import _scanner
from kjax.engine._apart import keeps_samples_apart
from kjax.layers import (
    LSTM,
    RNN,
    Activation,
    ActivityRegularization,
    Add,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    LSTMCell,
    Softmax,
    TimeDistributed,
)
from kjax.models import Model, Sequential

Make = Callable[[], Any]


def chain(*layers: Any, shape: tuple[int, ...] = (3,)) -> Model:
    """A model of layers, one after the other."""
    x = first = Input(shape)
    for layer in layers:
        x = layer(x)
    return Model(first, x)


def two_inputs(join: Any) -> Model:
    a, b = Input((3,)), Input((3,))
    return Model([a, b], Dense(2)(join([Dense(4)(a), Dense(4)(b)])))


def several_outputs() -> Model:
    x = Input((3,))
    hidden = Dense(4, activation="tanh")(x)
    return Model(x, [Dense(2, name="a")(hidden), Dense(1, name="b")(hidden)])


def _shared() -> Model:
    x = Input((3,))
    dense = Dense(3)
    return Model(x, dense(dense(x)))


APART: dict[str, Make] = {
    "dense": lambda: chain(Dense(4, activation="relu"), Dropout(0.5), BatchNormalization(), Dense(2), Softmax()),
    "sequential": lambda: Sequential([Dense(4, input_dim=3), Activation("softmax")]),
    "convolution": lambda: chain(Conv2D(2, 3), BatchNormalization(axis=1), Flatten(), Dense(2), shape=(6, 6, 1)),
    "lstm": lambda: chain(Embedding(9, 4, mask_zero=True), LSTM(3), Dense(1), shape=(5,)),
    "wrapped": lambda: chain(TimeDistributed(Dense(2)), Bidirectional(LSTM(3)), shape=(5, 3)),
    "nested": lambda: chain(chain(Dense(4), chain(Dense(3), shape=(4,))), Dense(1)),
    "two inputs": lambda: two_inputs(Add()),
    "joined": lambda: two_inputs(Concatenate()),
    "several outputs": several_outputs,
    "shared": _shared,
    "layer as activation": lambda: chain(Dense(4, activation=Softmax())),
    "regularized weights": lambda: chain(Dense(4, kernel_regularizer="l2")),
}


class Centred(Layer):
    """What a user might write: the batch minus its mean."""

    def call(self, x: Any) -> Any:
        return x - jnp.mean(x, axis=0, keepdims=True)


class Mine(Dense):
    """A class of the user's that changes nothing: who could tell?"""


def centred(x: Any) -> Any:
    return x - K.mean(x, axis=0, keepdims=True)


def _operation() -> Model:
    x = Input((3,))
    return Model(x, Dense(1)(Activation("linear")(K.square(Dense(4)(x)))))


def _in_training() -> Model:
    x = Input((3,))
    return Model(x, Dense(2)(BatchNormalization()(x, training=True)))


def _nested_in_training() -> Model:
    x = Input((3,))
    return Model(x, chain(BatchNormalization())(x, training=True))


def _replaced_call() -> Model:
    layer = Activation("linear")
    layer.call = centred  # type: ignore[method-assign]
    return chain(layer)


def _penalized() -> Model:
    model = chain(Dense(2))
    model.add_loss(K.mean(K.square(model.output)))
    return model


NOT_APART: dict[str, Make] = {
    "lambda": lambda: chain(Lambda(centred)),
    "user layer": lambda: chain(Dense(2), Centred()),
    "user subclass": lambda: chain(Mine(2)),
    "replaced call": _replaced_call,
    "user activation": lambda: chain(Dense(2, activation=centred)),
    "user activation by itself": lambda: chain(Activation(centred)),
    "user activation in a cell": lambda: chain(LSTM(3, activation=centred), shape=(4, 3)),
    "cumulated": lambda: chain(Activation(K.cumsum)),
    "wrapped activation": lambda: chain(Dense(2, activation=functools.wraps(losses.mse)(centred))),
    "lambda in a wrapper": lambda: chain(TimeDistributed(Lambda(centred)), shape=(4, 3)),
    "lambda in a model in a model": lambda: chain(chain(chain(Lambda(centred)))),
    "cells": lambda: chain(RNN(LSTMCell(3)), shape=(4, 3)),
    "softmax over the batch": lambda: chain(Softmax(axis=0)),
    "the same from behind": lambda: chain(Softmax(axis=-2)),
    "inside of a wrapper": lambda: chain(TimeDistributed(Softmax(axis=-2)), shape=(4, 3)),
    "as an activation": lambda: chain(Dense(4, activation=Softmax(axis=-2))),
    "joined along the batch": lambda: two_inputs(Concatenate(axis=0)),
    "stateful": lambda: Sequential([LSTM(2, stateful=True, batch_input_shape=(4, 5, 3))]),
    "batch size": lambda: Sequential([Dense(2, batch_input_shape=(4, 3))]),
    "penalty of activity": lambda: chain(Dense(2, activity_regularizer="l2")),
    "layer of penalty": lambda: chain(ActivityRegularization(l2=0.1)),
    "added loss": _penalized,
    "operation": _operation,
    "normalized by the batch": _in_training,
    "model that trains": _nested_in_training,
}


@pytest.mark.filterwarnings("ignore:Do not pass a layer instance:UserWarning")
@pytest.mark.parametrize("kind", APART)
def test_models_that_keep_samples_apart(kind: str) -> None:
    assert keeps_samples_apart(APART[kind]())


@pytest.mark.filterwarnings("ignore:Do not pass a layer instance:UserWarning")
@pytest.mark.parametrize("kind", NOT_APART)
def test_models_that_do_not(kind: str) -> None:
    assert not keeps_samples_apart(NOT_APART[kind]())


def my_loss(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.square(y_true - y_pred), axis=-1)


class MyLoss(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return my_loss(y_true, y_pred)


COMPILED: list[tuple[Any, Any, bool]] = [
    ("mse", ["mae", "acc"], True),
    (losses.MeanSquaredError(), [metrics.binary_accuracy], True),
    ("binary_crossentropy", ["acc", "ce"], True),
    (my_loss, None, False),
    (functools.wraps(losses.mse)(my_loss), None, False),
    (MyLoss(), None, False),
    (MyLoss(reduction="sum"), None, False),
    (losses.MeanSquaredError(reduction="sum"), None, False),
    (losses.CosineSimilarity(axis=0), None, False),
    ("mse", [my_loss], False),
    ("mse", [losses.MeanSquaredError()], False),
]


@pytest.mark.parametrize(("loss", "measured", "apart"), COMPILED)
def test_losses_and_metrics_that_score_each_sample(loss: Any, measured: Any, apart: bool) -> None:
    model = chain(Dense(2, activation="sigmoid"))
    model.compile("sgd", loss, metrics=measured)
    x, y = numbers(10, 3), numbers(10, 2) > 0
    got = np.atleast_1d(model.evaluate(x, y, batch_size=4, verbose=0))
    # The metric that is an object is found out while it is traced.
    assert model._scanner("test").apart is apart
    assert model._scanner("predict").apart
    one_by_one = [np.atleast_1d(model.test_on_batch(x[rows], y[rows])) for rows in cut(10, 4)]
    np.testing.assert_allclose(got, np.average(one_by_one, axis=0, weights=[4, 4, 2]), rtol=1e-5)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).normal(size=shape).astype("float32")


def cut(samples: int, batch_size: int) -> list[slice]:
    return [slice(i, min(i + batch_size, samples)) for i in range(0, samples, batch_size)]


ROWS = [(1, 4), (3, 4), (4, 4), (5, 4), (33, 4), (100, 32), (100, 7), (10, 1), (5, 1000), (9, 10**9)]


def weighted(scores: np.ndarray, weight: np.ndarray) -> float:
    """The mean as Keras 2.2 takes it, of one batch."""
    return float(np.mean(scores * weight) / np.mean(weight != 0))


def test_several_outputs_and_sample_weights_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scanner._feed, "_SCAN_SAMPLES", 16)  # so that there are several pieces
    model = several_outputs()
    model.compile("sgd", ["mse", "mae"], metrics=["mae"], weighted_metrics=["mse"], loss_weights=[1, 0.5])
    hidden, bias, *heads = (w.astype("float64") for w in model.get_weights())
    for samples, batch_size in ROWS:
        x, a, b = numbers(samples, 3), numbers(samples, 2, seed=1), numbers(samples, 1, seed=2)
        weight = np.random.RandomState(3).randint(3, size=samples) * 0.5
        weight[::batch_size] = 1.5  # no batch of zeros alone, which comes to nan
        inner = np.tanh(x @ hidden + bias)
        made = [inner @ heads[0] + heads[1], inner @ heads[2] + heads[3]]
        got = model.predict(x, batch_size=batch_size)
        for output, wanted in zip(got, made, strict=True):
            np.testing.assert_allclose(output, wanted, rtol=1e-4, atol=1e-5)
            output[:] = 0  # it belongs to the caller
        square, distance = (made[0] - a) ** 2, np.abs(made[0] - a)
        other, other_square = np.abs(made[1] - b), (made[1] - b) ** 2
        lines = []
        for rows in cut(samples, batch_size):
            w = weight[rows]
            first = weighted(square[rows].mean(-1), w)
            second = weighted(other[rows].mean(-1), w)
            measured = [distance[rows].mean(), first, other[rows].mean(), weighted(other_square[rows].mean(-1), w)]
            lines.append([first + 0.5 * second, first, second, *measured])
        sizes = [rows.stop - rows.start for rows in cut(samples, batch_size)]
        wanted = np.average(lines, axis=0, weights=sizes)
        found = model.evaluate(x, [a, b], batch_size=batch_size, sample_weight=[weight, weight], verbose=0)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, err_msg=str((samples, batch_size)))
    assert model._scanner("test").apart


def test_masks_and_weights_equal_single_batches() -> None:
    random = np.random.RandomState(5)
    model = chain(Embedding(9, 4, mask_zero=True), LSTM(3, return_sequences=True), Dense(2), shape=(5,))
    model.compile("sgd", "mse", metrics=["mae"], sample_weight_mode="temporal", weighted_metrics=["mae"])
    for samples, batch_size in ((3, 4), (33, 4), (10, 7)):
        x = random.randint(1, 9, size=(samples, 5))
        x[:, 3:] *= random.randint(2, size=(samples, 2))
        x[random.randint(samples)] = 0  # a row of nothing
        y, weight = numbers(samples, 5, 2), random.randint(1, 3, size=(samples, 5)) * 1.0
        weight[:, 2] = 0
        batches = cut(samples, batch_size)
        singles = [model.test_on_batch(x[rows], y[rows], weight[rows]) for rows in batches]
        wanted = np.average(singles, axis=0, weights=[rows.stop - rows.start for rows in batches])
        got = model.evaluate(x, y, batch_size=batch_size, sample_weight=weight, verbose=0)
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
        alone = np.concatenate([model.predict_on_batch(x[rows]) for rows in batches])
        np.testing.assert_allclose(model.predict(x, batch_size), alone, rtol=1e-5, atol=1e-6)
    assert model._scanner("test").apart


@pytest.mark.parametrize("kind", ["lambda", "normalized by the batch", "inside of a wrapper"])
def test_other_models_see_the_batches_that_were_asked_for(kind: str) -> None:
    model = NOT_APART[kind]()
    x = numbers(5, *model.input_shape[1:])
    alone = np.concatenate([model.predict_on_batch(x[rows]) for rows in cut(5, 2)])
    np.testing.assert_allclose(model.predict(x, batch_size=2), alone, rtol=1e-5, atol=1e-6)
    assert np.abs(alone - model.predict(x)).max() > 0.1


def test_callbacks_are_told_of_the_batches_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scanner._feed, "_SCAN_SAMPLES", 8)
    monkeypatch.setattr(_scanner._feed, "_SCAN_BYTES", 400)  # few samples at once, fewer than a batch of 10 has
    model = chain(Dense(3))
    model.compile("sgd", "mse")
    for samples, batch_size in ((10, 4), (29, 4), (29, 10), (3, 10), (16, 8), (31, 3)):
        told: dict[str, list[Any]] = {"predict": [], "test": []}
        watch = callbacks.LambdaCallback(
            on_predict_batch_end=lambda b, logs, to=told["predict"]: to.append((b, logs["size"])),
            on_test_batch_end=lambda b, logs, to=told["test"]: to.append((b, logs["size"])),
        )
        x = numbers(samples, 3)
        model.predict(x, batch_size=batch_size, callbacks=[watch])
        model.evaluate(x, x, batch_size=batch_size, callbacks=[watch], verbose=0)
        wanted = [(i, rows.stop - rows.start) for i, rows in enumerate(cut(samples, batch_size))]
        assert told == {"predict": wanted, "test": wanted}


def test_the_short_way_sees_new_weights_and_takes_any_array() -> None:
    model = chain(Dense(2, use_bias=False))
    shortcuts = model._scanner("predict").shortcuts
    for round_, factor in enumerate((1.0, 2.0, -3.0)):
        kernel = np.full((3, 2), factor, "float32")
        model.set_weights([kernel])
        x = numbers(5, 3, seed=round_)
        strange = [np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x[::-1], x.astype("float64"), x.astype(">f4")]
        for given in (x, *strange, x.tolist(), x[:2], (x * 4).astype("int32"), (x * 4).astype("int64"), x > 0):
            got = model.predict(np.asarray(given) if isinstance(given, list) else given)
            np.testing.assert_allclose(got, np.asarray(given, "float64") @ kernel, rtol=1e-5, atol=1e-6)
            assert got.flags.writeable
            got[:] = 0
    assert 0 < len(shortcuts) < 10
    K.set_value(model.weights[0], np.ones((3, 2)))
    np.testing.assert_allclose(model.predict(x), x.sum(axis=1, keepdims=True).repeat(2, 1), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="shape"):
        model.predict(numbers(5, 4))


def test_the_short_way_ends_where_the_model_changes() -> None:
    model = Sequential([Dense(2, input_dim=3)])
    x = numbers(4, 3)
    assert model.predict(x).shape == (4, 2)
    assert model.predict(x).shape == (4, 2)
    model.add(Dense(5))
    assert model.predict(x).shape == (4, 5)
    model.pop()
    assert model.predict(x).shape == (4, 2)


def test_many_shapes_keep_few_short_ways() -> None:
    model = chain(Dense(2))
    most = 0
    for samples in range(1, 2 * _scanner._MOST_SHORTCUTS + 10):
        assert model.predict(np.ones((samples, 3), "float32")).shape == (samples, 2)
        most = max(most, len(model._scanner("predict").shortcuts))
    assert 1 < most <= _scanner._MOST_SHORTCUTS
    assert model._scanner("predict").count <= 9  # a program for each power of two


def test_a_batch_size_beyond_the_samples_computes_no_more_than_they_need() -> None:
    model = chain(Dense(1))
    model.compile("sgd", "mse")
    sizes: list[int] = []
    original = _scanner._feed.cut

    def noted(data: Any, first: int, count: int, size: int) -> Any:
        sizes.append(size)
        return original(data, first, count, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scanner._feed, "cut", noted)
        model.evaluate(numbers(5, 3), numbers(5, 1), batch_size=10**9, verbose=0)
        model.predict(numbers(5, 3), batch_size=10**9)
    assert max(sizes) == 8
