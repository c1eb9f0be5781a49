"""Losses and layers that use symbolic tensors from outside, as variational autoencoders of 2016 do."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from kjax import backend as K
from kjax.layers import (
    Dense,
    Dropout,
    Input,
    Lambda,
    Layer,
    MaxPooling2D,
    Reshape,
    TimeDistributed,
    UpSampling2D,
    multiply,
)  # fmt: skip
from kjax.models import Model, Sequential


def test_a_loss_may_use_a_hidden_tensor() -> None:
    x = Input(shape=(6,))
    hidden = Dense(2)(x)

    def loss(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.square(y_true - y_pred), axis=-1) + K.mean(K.square(hidden), axis=-1)

    model = Model(x, Dense(6)(hidden))
    model.compile("sgd", loss)
    data = np.random.random((10, 6)).astype("float32")

    def expected() -> float:
        codes = Model(x, hidden).predict(data)
        return float(((data - model.predict(data)) ** 2).mean() + (codes**2).mean())

    np.testing.assert_allclose(model.evaluate(data, data, batch_size=4, verbose=0), expected(), rtol=1e-5)
    before = expected()
    np.testing.assert_allclose(model.train_on_batch(data, data), before, rtol=1e-5)
    history = model.fit(data, data, batch_size=4, epochs=3, verbose=0, validation_data=(data, data)).history
    np.testing.assert_allclose(history["val_loss"][-1], expected(), rtol=1e-5)
    assert expected() < before


def test_its_gradient_reaches_the_hidden_tensor() -> None:
    x = Input(shape=(3,))
    layer = Dense(1, use_bias=False)
    hidden = layer(x)
    model = Model(x, Lambda(K.stop_gradient)(hidden))
    model.compile("sgd", lambda y_true, y_pred: K.square(hidden))
    data, (kernel,) = np.ones((4, 3), "float32"), layer.get_weights()
    model.train_on_batch(data, np.zeros((4, 1)))
    np.testing.assert_allclose(layer.get_weights()[0], kernel - 0.01 * 2 * kernel.sum(), rtol=1e-5)


def test_a_captured_tensor_has_one_value_in_a_step() -> None:
    x = Input(shape=(50,))
    dropped = Dropout(0.5)(x)
    model = Model(x, dropped)
    model.compile("sgd", lambda y_true, y_pred: K.square(y_pred - dropped))
    assert model.train_on_batch(np.ones((8, 50)), np.zeros((8, 50))) == 0


def test_a_layer_may_use_a_tensor_that_is_not_its_input() -> None:
    a, b = Input(shape=(3,)), Input(shape=(3,))
    model = Model([a, b], Lambda(lambda t: t * K.sum(b, axis=-1, keepdims=True))(a))
    first, second = np.random.random((2, 4, 3)).astype("float32")
    np.testing.assert_allclose(model.predict([first, second]), first * second.sum(-1, keepdims=True), rtol=1e-6)


def test_a_layer_may_add_a_loss_of_such_tensors() -> None:
    x = Input(shape=(3,))
    mean, spread = Dense(2)(x), Dense(2)(x)

    class Penalty(Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(K.mean(1 + spread - K.square(mean) - K.exp(spread)), inputs=inputs)
            return inputs

    model = Model(x, Penalty()(Dense(1)(mean + spread)))
    model.compile("sgd", loss=None)
    data = np.random.random((5, 3)).astype("float32")
    m, s = (Model(x, tensor).predict(data) for tensor in (mean, spread))
    np.testing.assert_allclose(model.evaluate(data, None, verbose=0), (1 + s - m**2 - np.exp(s)).mean(), rtol=1e-5)


def test_numbers_made_for_a_fixed_batch_meet_an_unknown_one() -> None:
    x = Input(shape=(2,))
    noisy = Lambda(lambda t: t + 0 * K.random_normal(shape=(5, 2)), output_shape=(2,))(x)
    data = np.random.random((10, 2)).astype("float32")
    np.testing.assert_allclose(Model(x, noisy).predict(data, batch_size=5), data)


def test_a_layer_may_ask_where_a_maximum_came_from() -> None:
    x = Input(shape=(4, 4, 1))
    pooled = MaxPooling2D()(x)
    where = Lambda(lambda pair: K.gradients(K.sum(pair[1]), pair[0]))([x, pooled])
    model = Model(x, multiply([UpSampling2D()(pooled), where]))
    data = np.random.random((3, 4, 4, 1)).astype("float32")
    blocks = data.reshape(3, 2, 2, 2, 2)
    expected = np.where(blocks == blocks.max(axis=(2, 4), keepdims=True), blocks, 0).reshape(data.shape)
    np.testing.assert_allclose(model.predict(data), expected)
    model.compile("sgd", "mse")
    assert model.evaluate(data, expected, verbose=0) == 0


def test_a_loss_may_penalize_the_gradient_at_a_tensor() -> None:
    x = Input(shape=(3,))
    halfway = Lambda(lambda t: t / 2)(x)
    critic = Sequential([Dense(1, use_bias=False, input_shape=(3,)), Lambda(K.square)])

    def penalty(y_true: Any, y_pred: Any, at: Any) -> Any:
        (gradients,) = K.gradients(y_pred, at)
        return K.mean(K.square(1 - K.sqrt(K.sum(K.square(gradients), axis=1)))) + 0 * y_true

    model = Model(x, critic(halfway))
    model.compile("sgd", functools.partial(penalty, at=halfway))
    data, kernel = np.random.random((5, 3)), critic.get_weights()[0].astype(float)
    norms = 2 * np.abs((data / 2) @ kernel) * np.linalg.norm(kernel)
    expected = ((1 - norms) ** 2).mean()
    for _ in range(2):  # measuring changes nothing
        np.testing.assert_allclose(model.evaluate(data, np.zeros(5), verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(data, np.zeros(5)), expected, rtol=1e-5)
    assert model.evaluate(data, np.zeros(5), verbose=0) < expected


def test_a_loss_may_choose_by_a_value() -> None:
    tf = importlib.import_module("kjax.compat.tensorflow")

    def loss(y_true: Any, y_pred: Any) -> Any:
        total = tf.reduce_sum(tf.multiply(y_true, y_pred))
        return tf.cond(tf.equal(total, 0.0), lambda: tf.constant(7.0), lambda: y_true[0, 0] / total)

    model = Sequential([Lambda(lambda x: x, input_shape=(2,))])
    model.compile("sgd", loss)
    assert model.evaluate(np.ones((1, 2)), np.zeros((1, 2)), verbose=0) == 7
    assert model.evaluate(np.ones((1, 2)), np.array([[1.0, 3.0]]), verbose=0) == 0.25


def test_a_model_of_its_own_call_may_give_several_outputs() -> None:
    class Two(Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = Dense(1), Dense(2)

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return self.first(a), self.second(b)

    model, a, b = Two(), np.ones((4, 3)), np.ones((4, 2))
    model.compile("sgd", "mse")
    model.fit((a, b), (a[:, :1], b), validation_data=((a, b), (a[:, :1], b)), verbose=0)
    assert [output.shape for output in model.predict((a, b))] == [(4, 1), (4, 2)]


class Asking(Layer):
    """Sums of rows, by what only a symbolic tensor of TensorFlow 1 could tell."""

    def call(self, x: Any) -> Any:
        self.add_loss(K.mean(x))
        batch, width = x.get_shape().as_list()
        doubled = x + x
        doubled.set_shape((batch, width))
        assert doubled.shape[1].value == doubled._keras_shape[1] == width
        assert doubled.get_shape()[1:].num_elements() == width
        assert doubled.shape.ndims == 2
        return K.reshape(K.sum(doubled, axis=1) / width, (-1, 1))


def test_values_are_asked_as_tensors() -> None:
    def loss(y_true: Any, y_pred: Any) -> Any:
        return K.sum(K.abs(y_true - y_pred), axis=-1) * y_pred.get_shape()[-1].value

    x = Input(shape=(3,))
    model = Model(x, Asking()(x))
    model.compile("sgd", loss, metrics=[lambda t, p: K.mean(p) * p.shape.as_list()[-1]])
    data = np.random.RandomState(0).rand(4, 3).astype("float32")
    means = 2 * data.mean(1, keepdims=True)
    assert model.output_shape == (None, 1)
    np.testing.assert_allclose(model.predict(data), means, rtol=1e-5)
    # The loss that was added before the layer asked counts once.
    expected = [means.mean() + data.mean(), means.mean()]
    np.testing.assert_allclose(model.evaluate(data, np.zeros((4, 1)), verbose=0), expected, rtol=1e-5)


def test_steps_and_elements_are_asked_as_tensors() -> None:
    x = Input(shape=(4, 3))

    def step(row: Any, states: Any) -> Any:
        total = states[0] + row * row.get_shape().as_list()[-1]
        return total, [total]

    summed = Lambda(lambda t: K.rnn(step, t, [K.zeros_like(t[:, 0])])[0])(x)
    scaled = Lambda(lambda t: K.map_fn(lambda row: row * row.shape[0].value, t))(x)
    data = np.random.RandomState(0).rand(2, 4, 3).astype("float32")
    first, second = Model(x, [summed, scaled]).predict(data)
    np.testing.assert_allclose(first, 3 * data.sum(1), rtol=1e-5)
    np.testing.assert_allclose(second, 4 * data, rtol=1e-6)


def test_functions_see_what_was_there_when_they_were_called():
    x = np.arange(6, dtype="float32").reshape(2, 3)
    inputs = Input((3,))
    columns, powers = [], []
    for i in range(3):
        # As scripts write it, though i is another one when the functions are traced again.
        columns.append(Lambda(lambda t: t[:, i : i + 1])(inputs))  # noqa: B023
        power = Dense(1, use_bias=False, kernel_initializer="ones", activation=lambda t: t**i)  # noqa: B023
        powers.append(power(inputs))
    shift = np.ones((1, 3), "float32")
    shift = Lambda(lambda t: t + shift)(inputs)  # its own result by now has the name
    steps = TimeDistributed(Lambda(lambda t: t * i))(Reshape((3, 1))(inputs))
    i = 7
    found = Model(inputs, [*columns, *powers, shift, steps]).predict(x)
    np.testing.assert_array_equal(np.hstack(found[:3]), x)
    np.testing.assert_allclose(np.hstack(found[3:6]), x.sum(1, keepdims=True) ** np.arange(3), rtol=1e-6)
    np.testing.assert_array_equal(found[6], x + 1)
    np.testing.assert_array_equal(found[7][:, :, 0], x * 2)


def test_one_layer_called_with_other_surroundings():
    inputs = Input((3,))
    column = Lambda(lambda t: t[:, i : i + 1], name="column")
    i = 0
    first = column(inputs)
    i = 2
    second = column(inputs)
    i = 1
    model = Model(inputs, [first, second])
    x = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(np.hstack(model.predict(x)), x[:, [0, 2]])


def test_losses_see_what_was_there_when_the_model_was_compiled():
    factor = 2.0
    model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="ones")])
    model.compile("sgd", lambda t, p: factor * K.abs(t - p), metrics=[lambda t, p: factor + 0 * p])
    factor = 5.0
    np.testing.assert_allclose(model.evaluate(np.ones((2, 1)), np.zeros((2, 1)), verbose=0), [2.0, 2.0])


def test_functions_that_count_their_calls_are_left_alone():
    calls = 0

    def counted(t):
        nonlocal calls
        calls += 1
        return t * 2.0

    inputs = Input((1,))
    model = Model(inputs, Lambda(counted)(inputs))
    before = calls
    assert before > 0
    model.predict(np.ones((1, 1)))
    assert calls > before
