"""Layers of one's own that change the steps of LSTM, GRU and SimpleRNN, as Keras 1 and 2.0 let them.

Those that repeat the layer's formula are compared with the layer itself, which `test_recurrent` compares with formulas.
"""

# Layers of users override and call what types do not tell.
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false, reportCallIssue=false
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kjax import backend as K
from kjax import layers
from kjax.layers import GRU, LSTM, RNN, Bidirectional, Input, InputSpec, LSTMCell, Recurrent, SimpleRNN
from kjax.layers.recurrent import time_distributed_dense
from kjax.models import Model, Sequential

STEPS, FEATURES, UNITS = 5, 4, 3
X = np.random.RandomState(0).rand(6, STEPS, FEATURES).astype("float32")
V = np.random.RandomState(1).rand(6, 2).astype("float32")
SHAPE = {"input_shape": (STEPS, FEATURES), "return_sequences": True}

pytestmark = pytest.mark.lenient  # steps add vectors to matrices


def same_as(layer: Any, plain: Any) -> None:
    """With the weights of one another, two layers predict the same."""
    model, other = Sequential([layer]), Sequential([plain])
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("base", "implementation"), [(LSTM, 1), (LSTM, 2), (GRU, 1), (GRU, 2), (SimpleRNN, None)])
def test_the_step_of_the_layer_below(base: Any, implementation: int | None) -> None:
    class Counting(base):
        calls = 0

        def step(self, x: Any, states: Any) -> Any:
            Counting.calls += 1
            return super().step(x, states)

    asked = {} if implementation is None else {"implementation": implementation}
    same_as(Counting(UNITS, **asked, **SHAPE), base(UNITS, **SHAPE))
    assert Counting.calls


class Attentive(LSTM):
    """In the manner of Keras 1: outputs that a vector for each sample scales, by a constant of the steps."""

    def __init__(self, output_dim: int, vector: Any, **kwargs: Any) -> None:
        self.vector = vector
        super().__init__(output_dim, **kwargs)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.U_m = self.inner_init((self.vector._keras_shape[1], self.output_dim), name=f"{self.name}_U_m")
        self.trainable_weights += [self.U_m]
        if self.initial_weights is not None:
            self.set_weights(self.initial_weights)
            del self.initial_weights

    def step(self, x: Any, states: Any) -> Any:
        h, [h, c] = super().step(x, states)
        h = h * states[4]
        return h, [h, c]

    def get_constants(self, x: Any) -> Any:
        return [*super().get_constants(x), K.sigmoid(K.dot(self.vector, self.U_m))]


@pytest.mark.parametrize("consume_less", ["cpu", "gpu"])
def test_an_attentive_lstm_of_keras_1(consume_less: str) -> None:
    entry, vector = Input((STEPS, FEATURES)), Input((2,))
    with pytest.warns(UserWarning, match="Update your `LSTM` call"):
        layer = Attentive(UNITS, vector, consume_less=consume_less, return_sequences=True)
    model = Model([entry, vector], layer(entry))
    w, u, b, m = (weight.astype(np.float64) for weight in model.get_weights())
    scale = 1 / (1 + np.exp(-V @ m))
    h = c = np.zeros((len(X), UNITS))
    for t in range(STEPS):
        i, f, g, o = np.split(X[:, t] @ w + h @ u + b, 4, axis=1)
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c) * scale
        np.testing.assert_allclose(model.predict([X, V])[:, t], h, rtol=1e-5, atol=1e-6)
    model.compile("adam", "mse")
    before = model.get_weights()
    model.train_on_batch([X, V], np.ones((len(X), STEPS, UNITS)))
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))


class Whole(GRU):
    """In the manner of Keras 1, with weights and steps of its own."""

    def build(self, input_shape: Any) -> None:
        self.input_spec = [InputSpec(shape=input_shape)]
        self.states = [None]
        self.W = self.init((input_shape[2], 3 * self.output_dim), name=f"{self.name}_W")
        self.U = self.inner_init((self.output_dim, 3 * self.output_dim), name=f"{self.name}_U")
        self.b = K.zeros((3 * self.output_dim,), name=f"{self.name}_b")
        self.trainable_weights = [self.W, self.U, self.b]

    def preprocess_input(self, x: Any) -> Any:
        return x

    def step(self, x: Any, states: Any) -> Any:
        h, n = states[0], self.output_dim
        of_x, of_h = K.dot(x, self.W) + self.b, K.dot(h * states[1][0], self.U[:, : 2 * n])
        z = self.inner_activation(of_x[:, :n] + of_h[:, :n])
        r = self.inner_activation(of_x[:, n : 2 * n] + of_h[:, n:])
        new = z * h + (1 - z) * self.activation(of_x[:, 2 * n :] + K.dot(r * h, self.U[:, 2 * n :]))
        return new, [new]


def test_weights_and_steps_of_ones_own() -> None:
    same_as(Whole(UNITS, **SHAPE), GRU(UNITS, **SHAPE))


class Written(LSTM):
    """In the manner of Keras 2.0: both implementations, the input's dropout before the state's."""

    def step(self, inputs: Any, states: Any) -> Any:
        h, c, of_inputs, of_states = states
        if self.implementation == 2:
            z = K.dot(inputs * of_inputs[0], self.kernel) + K.dot(h * of_states[0], self.recurrent_kernel)
            z = K.bias_add(z, self.bias)
            i, f, g, o = (z[:, k * self.units : (k + 1) * self.units] for k in range(4))
        else:
            kernels = [getattr(self, f"recurrent_kernel_{gate}") for gate in "ifco"]
            i, f, g, o = (
                inputs[:, k * self.units : (k + 1) * self.units] + K.dot(h * of_states[k], kernels[k]) for k in range(4)
            )
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]


@pytest.mark.parametrize("implementation", [1, 2])
def test_a_step_of_keras_2_0(implementation: int) -> None:
    layer = Written(UNITS, return_sequences=True, implementation=implementation)
    plain = LSTM(UNITS, return_sequences=True)
    shape = {"input_shape": (STEPS, FEATURES)}
    same_as(Bidirectional(layer, **shape), Bidirectional(plain, **shape))


@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_in_steps(implementation: int) -> None:
    """With the same weights and a dropout of nearly everything, only the bias is left."""
    layer = Written(
        UNITS, dropout=0.999, recurrent_dropout=0.999, implementation=implementation, unit_forget_bias=False
    )
    out = K.eval(layer(K.constant(X), training=True))
    assert np.count_nonzero(np.abs(out) > 1e-6) < out.size / 2
    assert np.abs(K.eval(layer(K.constant(X), training=False))).min() > 1e-6


class Pieces(LSTM):
    """Puts the pieces together itself, with the whole input as one more constant."""

    def call(self, x: Any, mask: Any = None) -> Any:
        constants = [*self.get_constants(x), x]
        first, prepared = self.get_initial_states(x), self.preprocess_input(x)
        return K.rnn(self.step, prepared, first, constants=constants, input_length=STEPS)[1]

    def step(self, x: Any, states: Any) -> Any:
        assert K.int_shape(states[-1])[1:] == (STEPS, FEATURES)
        return super().step(x, states[:-1])


def test_a_call_of_ones_own() -> None:
    same_as(Pieces(UNITS, input_shape=(STEPS, FEATURES)), LSTM(UNITS, **SHAPE))


def test_first_states_of_ones_own() -> None:
    class Later(SimpleRNN):
        def get_initial_states(self, x: Any) -> Any:
            return [zeros + 1 for zeros in super().get_initial_states(x)]

    layer = Later(UNITS, activation="linear", input_shape=(STEPS, FEATURES))
    model = Sequential([layer])
    w, u, b = model.get_weights()
    h = np.ones((len(X), UNITS))
    for t in range(STEPS):
        h = X[:, t] @ w + h @ u + b
    np.testing.assert_allclose(model.predict(X), h, rtol=1e-4, atol=1e-5)


def test_states_that_stay() -> None:
    class Kept(LSTM):
        def step(self, x: Any, states: Any) -> Any:
            return super().step(x, states)

    shape = {"batch_input_shape": (len(X), STEPS, FEATURES), "stateful": True}
    model, plain = Sequential([Kept(UNITS, **shape)]), Sequential([LSTM(UNITS, **shape)])
    plain.set_weights(model.get_weights())
    for _ in range(2):
        again = model.predict(X, batch_size=len(X)), plain.predict(X, batch_size=len(X))
    np.testing.assert_allclose(*again, rtol=1e-5, atol=1e-6)


class OfParts(LSTMCell):
    """A cell of one's own that reads the weights of each gate."""

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        h, c = states
        i, f, g, o = (
            K.dot(inputs, getattr(self, f"kernel_{gate}"))
            + K.dot(h, getattr(self, f"recurrent_kernel_{gate}"))
            + getattr(self, f"bias_{gate}")
            for gate in "ifco"
        )
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]


def test_parts_of_the_weights() -> None:
    same_as(RNN(OfParts(UNITS), **SHAPE), LSTM(UNITS, **SHAPE))
    gru = layers.GRUCell(UNITS, reset_after=True, bias_initializer="uniform")
    gru.build((None, FEATURES))
    whole, bias = gru.get_weights()[0], gru.get_weights()[2]
    np.testing.assert_array_equal(K.eval(gru.kernel_r), whole[:, UNITS : 2 * UNITS])
    np.testing.assert_array_equal(K.eval(gru.recurrent_bias_h), bias[1, 2 * UNITS :])
    assert layers.LSTMCell(UNITS, use_bias=False).bias_f is None
    with pytest.raises(AttributeError, match="'LSTMCell' object has no attribute 'kernel_z'"):
        _ = layers.LSTMCell(UNITS).kernel_z


class Summing(Recurrent):
    """In the manner of Keras 1, on the base class alone."""

    def __init__(self, output_dim: int, **kwargs: Any) -> None:
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.input_spec = [InputSpec(shape=input_shape)]
        self.states = [None]
        self.W = self.add_weight((input_shape[2], self.output_dim), initializer="uniform", name="W")

    def get_constants(self, x: Any) -> Any:
        return [x[:, 0, :1]]

    def preprocess_input(self, x: Any) -> Any:
        return time_distributed_dense(x, self.W, None, 0, FEATURES, self.output_dim, STEPS)

    def step(self, x: Any, states: Any) -> Any:
        h = states[0] + x * states[1]
        return h, [h]


def test_methods_that_are_not_told_the_phase() -> None:
    model = Sequential([Summing(UNITS, input_shape=(STEPS, FEATURES))])
    wanted = (X @ model.get_weights()[0]).sum(1) * X[:, 0, :1]
    np.testing.assert_allclose(model.predict(X), wanted, rtol=1e-5, atol=1e-6)
