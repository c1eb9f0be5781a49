"""Accuracy by loss, the optimizer's counter in metrics, constraints, masks, updates: what `compile` and layers add."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import LR, close, data, forward, linear, losses, start, train
from kjax import backend as K
from kjax import optimizers
from kjax.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Input,
    Lambda,
    Layer,
    Masking,
    TimeDistributed,
    add,
)
from kjax.models import Model, Sequential

X, Y = data()
LOSS = losses(start(), X, Y).mean()


def compiled(model: Any) -> Any:
    model.compile(optimizers.SGD(lr=LR), "mse")
    return model


@pytest.mark.parametrize(
    ("loss", "units", "target", "wanted"),
    [
        ("binary_crossentropy", 1, np.array([0, 1, 1, 0]), "binary"),
        ("categorical_crossentropy", 3, np.eye(3)[[0, 1, 2, 0]], "categorical"),
        ("sparse_categorical_crossentropy", 3, np.array([0, 1, 2, 0]), "sparse"),
        ("binary_crossentropy", 3, np.eye(3)[[0, 1, 2, 0]], "binary"),
        ("mse", 1, np.array([0, 1, 1, 0]), "binary"),
    ],
)
@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_accuracy_suits_the_loss(loss: str, units: int, target: np.ndarray, wanted: str, name: str) -> None:
    model = Sequential([Dense(units, activation="sigmoid", input_dim=3)])
    kernel = np.random.RandomState(1).normal(size=(3, units))
    model.set_weights([kernel, np.zeros(units)])
    model.compile("sgd", loss, metrics=[name])
    p = 1 / (1 + np.exp(-X[:4].astype("float64") @ kernel))
    right = {
        "binary": lambda: np.mean(np.round(p) == target.reshape(p.shape)),
        "categorical": lambda: np.mean(p.argmax(-1) == target.argmax(-1)),
        "sparse": lambda: np.mean(p.argmax(-1) == target),
    }[wanted]()
    np.testing.assert_allclose(model.evaluate(X[:4], target, verbose=0)[1], right, rtol=1e-6)
    assert model.metrics_names == ["loss", "acc"]


@pytest.mark.parametrize("with_counter", [False, True])
def test_the_learning_rate_as_a_metric(with_counter: bool) -> None:
    optimizer = optimizers.SGD(lr=0.5, decay=0.5)

    def lr(y_true: Any, y_pred: Any) -> Any:
        if not with_counter:
            return optimizer.lr
        return optimizer.lr * (1.0 / (1.0 + optimizer.decay * K.cast(optimizer.iterations, K.dtype(optimizer.decay))))

    model = linear(optimizer=optimizer, metrics=[lr])
    history = model.fit(X, Y, epochs=3, verbose=0)
    wanted = [0.5 / (1 + 0.5 * i) if with_counter else 0.5 for i in range(3)]
    np.testing.assert_allclose(history.history["lr"], wanted, rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[1], 0.2 if with_counter else 0.5, rtol=1e-6)


class Distance(Layer):
    """Adds the distance of its two inputs to the loss, in `call`, as layers of variational autoencoders do."""

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        self.add_loss(K.mean(K.square(a - b)), inputs=inputs)
        return a


@pytest.mark.parametrize("loss", [None, "mse"])
def test_add_loss_in_call(loss: Any) -> None:
    x = Input((3,))
    out = Dense(1)
    model = Model(x, Distance()([out(x), Lambda(lambda v: v[:, :1])(x)]))
    model.set_weights(start())
    model.compile(optimizers.SGD(lr=LR), loss)
    wanted = losses(start(), X, X[:, :1]).mean() + (LOSS if loss else 0.0)
    target = Y if loss else None
    np.testing.assert_allclose(model.evaluate(X, target, verbose=0), wanted, rtol=1e-5)
    model.fit(X, target, verbose=0)
    if not loss:
        close(model.get_weights(), train(X, X[:, :1], [list(range(10))])[0])


def test_an_activity_regularizer_alone_can_be_trained_on() -> None:
    model = Sequential([Dense(1, input_dim=3, activity_regularizer="l2")])
    model.set_weights(start())
    model.compile("sgd")
    got = model.evaluate(X, verbose=0)
    np.testing.assert_allclose(got, 0.01 * (forward(start(), X) ** 2).sum(), rtol=1e-5)


def test_constraints_hold_after_every_step() -> None:
    model = Sequential([Dense(1, input_dim=3, kernel_constraint="non_neg")])
    model.set_weights(start())
    model.compile(optimizers.SGD(lr=LR), "mse")
    model.fit(X, Y, verbose=0)
    close(model.get_weights()[:1], [np.maximum(train(X, Y, [list(range(10))])[0][0], 0)])


def test_compiling_again_starts_the_optimizer_anew() -> None:
    results = []
    for again in (False, True):
        model = linear(optimizer=optimizers.SGD(lr=LR, momentum=0.9))
        model.fit(X, Y, verbose=0)
        if again:
            model.compile(optimizers.SGD(lr=LR, momentum=0.9), "mse")
        model.fit(X, Y, verbose=0)
        results.append(model.get_weights())
    fresh = linear()
    fresh.fit(X, Y, epochs=2, verbose=0)
    close(results[1], fresh.get_weights())
    assert not np.allclose(results[0][0], results[1][0])


def test_masks_count_in_loss_and_metrics() -> None:
    x = np.random.RandomState(0).normal(size=(4, 3, 2)).astype("float32")
    x[1, 1:] = 0
    x[2, 2] = 0
    y = np.random.RandomState(1).normal(size=(4, 3, 2))
    model = Sequential([Masking(input_shape=(3, 2)), Activation("linear")])
    model.compile("sgd", "mse", metrics=["mae"])
    mask = (x != 0).any(-1)
    error = x - y
    wanted = [(error**2).mean(-1)[mask].mean(), np.abs(error).mean(-1)[mask].mean()]
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), wanted, rtol=1e-5)


class FirstSteps(Layer):
    """Masks all but the first steps."""

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.broadcast_to(jnp.arange(inputs.shape[1])[None] < self.steps, inputs.shape[:2])

    def call(self, inputs: Any) -> Any:
        return inputs


class Average(Layer):
    """The mean over the steps that are not masked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return K.mean(inputs, axis=1)
        shares = K.expand_dims(K.cast(mask, K.floatx()), -1)
        return K.sum(inputs * shares, axis=1) / K.sum(shares, axis=1)


@pytest.mark.parametrize("between", [[], [Dense(1)], [TimeDistributed(Dense(1)), Activation("linear"), Dropout(0.5)]])
def test_masks_pass_through_layers(between: list[Layer]) -> None:
    x = np.random.RandomState(0).normal(size=(3, 4, 1)).astype("float32")
    x[0, 2:] = 0
    mask = np.any(x != 0, -1)
    model = Sequential([Masking(input_shape=(4, 1)), *between, Average()])
    for w in model.weights:
        K.set_value(w, np.full_like(w.numpy(), "kernel" in w.name))
    wanted = (x[..., 0] * mask).sum(1) / mask.sum(1)
    np.testing.assert_allclose(model.predict(x)[:, 0], wanted, 1e-5)


def test_masks_of_own_layers_and_in_nested_models() -> None:
    x = np.random.RandomState(0).normal(size=(3, 4, 1)).astype("float32")
    inner = Sequential([Activation("linear", input_shape=(4, 1))])
    model = Sequential([FirstSteps(2, input_shape=(4, 1)), inner, Average()])
    np.testing.assert_allclose(model.predict(x), x[:, :2].mean(1), 1e-5)
    with pytest.raises(TypeError, match="flatten_1 does not support masking"):
        Sequential([FirstSteps(2, input_shape=(4, 1)), Flatten()])


class Counts(Layer):
    """Counts batches and keeps a moving mean, by `add_update` in the three ways that people write it."""

    def __init__(self, how: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how = how

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        if self.how == "pair":
            self.add_update((self.count, self.count + 1.0), x)
        elif self.how == "list":
            self.add_update([K.update_add(self.count, 1.0)], x)
        else:
            self.add_update(K.update(self.count, self.count + 1.0))
        return x


@pytest.mark.parametrize("how", ["pair", "list", "update"])
def test_add_update_runs_once_a_training_step(how: str) -> None:
    model = compiled(Sequential([Counts(how, input_shape=(3,)), Dense(1)]))
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    model.predict(X, batch_size=2)
    model.evaluate(X, Y, verbose=0)
    assert model.layers[0].get_weights()[0] == 6
    model.train_on_batch(X, Y)
    assert model.layers[0].get_weights()[0] == 7
    model.layers[0].trainable = False
    model = compiled(model)
    model.fit(X, Y, verbose=0)
    assert model.layers[0].get_weights()[0] == 7  # a frozen layer is not updated, as in Keras


def test_a_layer_that_a_frozen_model_shares_still_follows_outside_of_it() -> None:
    """The averages of a normalization in a frozen model stand still there, not where the layer is called itself."""
    shared = BatchNormalization()
    x = Input((3,))
    part = Model(x, shared(x))
    part.trainable = False
    for inside, moves in ((True, False), (False, True)):
        y = Input((3,))
        model = Model(y, Dense(1)(part(y) if inside else add([part(y), shared(y)])))
        model.compile("sgd", "mse")
        before = shared.get_weights()[2]
        model.fit(X, Y, verbose=0)
        assert np.array_equal(before, shared.get_weights()[2]) != moves


def test_random_losses_do_not_repeat_the_noise_of_layers() -> None:
    """A loss that draws numbers has other ones than the first layer that draws."""
    drawn = lambda v: K.random_normal(shape=(K.shape(v)[0], 1))  # noqa: E731
    model = Sequential([Lambda(drawn, input_shape=(3,)), Dense(1)])
    model.compile("sgd", lambda t, p: K.abs(drawn(t) - p))
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    assert model.evaluate(X, Y, batch_size=10, verbose=0) > 0.1
    assert model.train_on_batch(X, Y) > 0.1


def test_a_stack_that_changes_after_compile_is_planned_anew() -> None:
    """The last layer is taken off, or one is put on: loss and accuracy are those of the new output."""
    model = Sequential([Dense(2, input_dim=3), Dense(1)])
    model.compile(optimizers.SGD(lr=LR), "mse")
    model.fit(X, Y, verbose=0)
    model.pop()
    kernel, bias = model.get_weights()
    target = np.hstack([Y, X[:, :1]])
    np.testing.assert_allclose(model.evaluate(X, target, verbose=0), ((X @ kernel + bias - target) ** 2).mean(), 1e-5)
    model.add(Lambda(lambda v: v[:, :1]))
    before = ((X @ kernel + bias)[:, :1] - Y) ** 2
    np.testing.assert_allclose(model.train_on_batch(X, Y), before.mean(), 1e-5)
    assert model.evaluate(X, Y, verbose=0) < before.mean()


def test_one_number_a_batch_counts_for_each_of_its_samples() -> None:
    x = Input((3,))
    model = Model(x, Lambda(lambda v: K.mean(v))(x))
    wanted = np.repeat([X[:4].mean(), X[4:8].mean(), X[8:].mean()], [4, 4, 2])
    close([model.predict(X, batch_size=4)], [wanted])


def test_steps_limit_predictions_and_never_repeat_samples() -> None:
    model = linear()
    close([model.predict(X, batch_size=4, steps=2)], [forward(start(), X[:8])])
    for steps in (3, 9):
        close([model.predict(X, batch_size=4, steps=steps)], [forward(start(), X)])
        np.testing.assert_allclose(model.evaluate(X, Y, batch_size=4, steps=steps, verbose=0), LOSS, rtol=1e-5)
