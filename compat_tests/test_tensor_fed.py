"""Models fed by tensors, targets that are tensors, metrics that layers add."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kjax import backend as K
from kjax import layers as L
from kjax import losses, metrics
from kjax.engine import training_utils
from kjax.models import Model, Sequential, clone_model

X = np.random.RandomState(0).rand(6, 3).astype("float32")
Y = np.random.RandomState(1).rand(6, 2).astype("float32")


def dense(inputs: Any) -> Model:
    return Model(inputs, L.Dense(2, kernel_initializer="ones", name="d")(inputs))


def test_nothing_is_fed() -> None:
    held = K.variable(X)
    fed, free = dense(L.Input((3,))), dense(L.Input(tensor=held))
    assert free.input_shape == (6, 3)
    assert free._feed_inputs == []
    fed.compile("sgd", "mse", metrics=["mae"])
    free.compile("sgd", "mse", metrics=["mae"], target_tensors=K.variable(Y))
    one = fed.fit(X, Y, batch_size=6, epochs=3, verbose=0).history
    two = free.fit(None, None, steps_per_epoch=1, epochs=3, verbose=0, validation_steps=2).history
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-5)
    np.testing.assert_allclose(fed.get_weights()[0], free.get_weights()[0], rtol=1e-5)
    assert len(two["val_mae" if "val_mae" in two else "val_mean_absolute_error"]) == 3
    np.testing.assert_allclose(free.evaluate(None, None, steps=2, verbose=0), fed.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(free.predict(None, steps=2), np.tile(fed.predict(X), (2, 1)), rtol=1e-5)
    np.testing.assert_allclose(free.train_on_batch(None, None), fed.train_on_batch(X, Y), rtol=1e-5)
    held.assign(np.zeros_like(X))  # a program reads what the variable holds now
    np.testing.assert_allclose(free.predict_on_batch(None), np.tile(free.get_weights()[1], (6, 1)), atol=1e-6)
    for call in (
        lambda: free.fit(None, None, batch_size=6),
        lambda: free.evaluate(None, None),
        lambda: free.predict(None),
    ):
        with pytest.raises(ValueError, match="you should specify the `steps"):
            call()
    with pytest.raises(ValueError, match="expected no data"):
        free.train_on_batch(X, None)


def test_some_inputs_are_fed() -> None:
    a, b = L.Input(tensor=K.constant(X)), L.Input((3,), name="b")
    model = Model([a, b], L.add([a, b]))
    model.compile("sgd", "mse")
    assert model._feed_input_names == ["b"]
    np.testing.assert_allclose(model.predict({"b": X}, batch_size=6), 2 * X, rtol=1e-6)
    assert model.evaluate(X, 2 * X, batch_size=6, verbose=0) == pytest.approx(0, abs=1e-6)
    loss = float(np.mean((X + X[::-1]) ** 2))
    assert model.fit(X[::-1], 0 * X, batch_size=6, shuffle=False, verbose=0).history["loss"][0] == pytest.approx(loss)


def test_targets_are_tensors() -> None:
    inputs = L.Input((3,))
    hidden = L.Dense(3, name="h")(inputs)
    model = Model(inputs, [hidden, L.Dense(2, name="o")(hidden)])
    placeholder = K.placeholder((None, 2))
    model.compile("sgd", "mse", target_tensors={"h": 2 * inputs, "o": placeholder})
    assert model.targets[1] is placeholder
    assert model._feed_targets == [placeholder]
    h, o = model.predict(X)
    told = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(told[1:], [np.mean((h - 2 * X) ** 2), np.mean((o - Y) ** 2)], rtol=1e-5)
    history = model.fit(X, Y, epochs=2, validation_split=0.5, verbose=0, sample_weight={"h": np.ones(6)}).history
    assert history["h_loss"][1] < history["h_loss"][0]
    for wrong, kind in (
        ({"z": None}, ValueError),
        ([placeholder], ValueError),
        (placeholder, ValueError),
        (3, TypeError),
    ):
        with pytest.raises(kind, match="target_tensors"):
            model.compile("sgd", "mse", target_tensors=wrong)


def test_tensors_in_the_place_of_arrays() -> None:
    model = dense(L.Input((3,)))
    model.compile("sgd", "mse")
    x, y = K.variable(X), K.variable(Y)
    first = float(np.mean((model.predict(X) - Y) ** 2))
    assert model.evaluate(x, y, steps=2, verbose=0) == pytest.approx(first, rel=1e-5)
    logs = model.fit(x, y, steps_per_epoch=2, verbose=0, validation_data=(x, y), validation_steps=1).history
    assert logs["val_loss"][0] < logs["loss"][0] < first
    assert model.predict(x, steps=3).shape == (18, 2)


def test_clones_on_variables() -> None:
    model = Sequential([L.Dense(2, input_shape=(3,)), L.BatchNormalization()])
    for original in (model, Model(model.input, model.output)):
        clone = clone_model(original, input_tensors=K.variable(X))
        clone.compile("sgd", "mse")
        assert np.isfinite(clone.train_on_batch(None, Y))
        clone.set_weights(model.get_weights())
        np.testing.assert_allclose(clone.predict(None, steps=1), model.predict(X), rtol=1e-5)


class Measured(L.Dense):
    """A dense layer that measures what it makes; what trains it says nothing of its metrics."""

    def build(self, input_shape: Any) -> None:
        self.largest = metrics.Mean(name="largest")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        made = super().call(inputs)
        self.add_metric(K.sum(made, axis=-1), name="total", aggregation="mean")
        self.add_metric(self.largest(K.max(made)))
        return made


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclass"])
def test_layers_add_metrics(kind: str) -> None:
    layer = Measured(2, kernel_initializer="ones", trainable=False)
    if kind == "sequential":
        model: Model = Sequential([L.InputLayer((3,)), layer, L.Dense(1)])
    elif kind == "functional":
        inputs = L.Input((3,))
        model = Model(inputs, L.Dense(1)(layer(inputs)))
        model.add_metric(K.mean(inputs), "inputs", aggregation="mean")
    else:

        class Own(Model):
            def __init__(self) -> None:
                super().__init__()
                self.layer, self.last = layer, L.Dense(1)

            def call(self, inputs: Any) -> Any:
                return self.last(self.layer(inputs))

        model = Own()
        model.build((None, 3))
    model.compile("sgd", "mse", metrics=["mae"])
    assert [name for name in model.metrics_names if name in ("total", "largest")] == ["largest", "total"]
    sums = X.sum(axis=1)
    expected = {"total": 2 * sums.mean(), "largest": np.mean([sums[:4].max(), sums[4:].max()])}
    if kind == "functional":
        expected["inputs"] = np.mean([X[:4].mean(), X[4:].mean()])
    held = X[:4], Y[:4, :1]
    history = model.fit(X, Y[:, :1], batch_size=4, shuffle=False, epochs=2, verbose=0, validation_data=held).history
    for name, value in expected.items():
        assert history[name] == pytest.approx([value, value], rel=1e-5)
    assert history["val_total"] == pytest.approx([2 * sums[:4].mean()] * 2, rel=1e-5)
    tested = dict(zip(model.metrics_names, model.evaluate(X, Y[:, :1], batch_size=4, verbose=0), strict=True))
    assert tested["largest"] == pytest.approx(expected["largest"], rel=1e-5)
    assert model.predict(X).shape == (6, 1)


def test_what_is_no_metric() -> None:
    model = dense(L.Input((3,)))
    with pytest.raises(ValueError, match="needs a name"):
        model.add_metric(K.mean(model.output))
    with pytest.raises(ValueError, match="'sum'"):
        model.add_metric(K.mean(model.output), "m", aggregation="sum")
    model.compile("sgd", "mse")
    model.add_metric(metrics.Mean("seen")(model.output))
    assert model.metrics_names == ["loss", "seen"]


def test_two_metrics_of_a_layer_with_one_name() -> None:
    class Twice(L.Dense):
        def build(self, input_shape: Any) -> None:
            self.first, self.second = metrics.Mean(name="level"), metrics.Mean(name="level")
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            self.add_metric(self.second(inputs))
            return super().call(inputs)

    with pytest.raises(ValueError, match="2 metrics called 'level'"):
        Sequential([Twice(2, input_shape=(3,))])


@pytest.mark.parametrize("name_first", [True, False])
def test_metrics_are_appended_after_compile(name_first: bool) -> None:
    inputs = L.Input((3,))
    code = L.Dense(2)(inputs)
    model = Model(inputs, L.Dense(3)(code))
    model.compile("sgd", "mse", metrics=["mae"])
    for name, tensor in {"size": K.mean(K.square(code)), "sum": K.sum(code, axis=-1)}.items():
        lists = [(model.metrics_names, name), (model.metrics_tensors, tensor)]
        for appended, item in lists if name_first else lists[::-1]:
            appended.append(item)
    assert model.metrics_names == ["loss", "mean_absolute_error", "size", "sum"]
    codes = Model(inputs, code).predict(X)
    told = model.evaluate(X, X, batch_size=3, verbose=0)
    np.testing.assert_allclose(told[2:], [np.mean(codes**2), codes.sum(1).mean()], rtol=1e-5)
    assert "val_size" in model.fit(X, X, validation_data=(X, X), verbose=0).history


def test_what_programs_standardize() -> None:
    model = dense(L.Input((3,)))
    assert [len(part) for part in model._standardize_user_data(X)] == [1, 0, 0]
    model.compile("sgd", "mse", metrics=["mae"])
    x, y, w = model._standardize_user_data(X, Y[:, :2], sample_weight=None)
    assert (x[0].shape, y[0].shape, w[0].tolist()) == ((6, 3), (6, 2), [1.0] * 6)
    assert model._compile_metrics == ["mae"]
    check = training_utils.check_loss_and_target_compatibility
    with pytest.raises(ValueError, match="same shape"):
        check([Y], [losses.CategoricalCrossentropy()], [(None, 3)])
