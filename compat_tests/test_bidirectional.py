"""`Bidirectional` against both of its layers, run one by one, and against today's Keras."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import kjax
from compat_tests import recurrence, today
from compat_tests.layers_helper import assert_same_as_today, round_trip
from compat_tests.recurrence import BATCH, FEATURES, MASK, STEPS, UNITS, X
from kjax.layers import GRU, LSTM, RNN, Bidirectional, CuDNNGRU, Dense, Embedding, Input, LSTMCell
from kjax.models import Model, Sequential

MERGES = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: np.concatenate([a, b], -1),
}


@pytest.mark.parametrize("mode", [*MERGES, None])
def test_formula(mode: str | None) -> None:
    layer = Bidirectional(LSTM(UNITS, return_sequences=True, return_state=True), merge_mode=mode)
    random = np.random.RandomState(1)
    first = [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(4)]
    results = layer(X, initial_state=first, mask=jnp.asarray(MASK))
    weights = layer.get_weights()
    forward, forward_states = recurrence.run("lstm", weights[:3], X, first[:2], MASK)
    backward, backward_states = recurrence.run("lstm", weights[3:], X, first[2:], MASK, go_backwards=True)
    backward = backward[:, ::-1]
    outputs = [forward, backward] if mode is None else [MERGES[mode](forward, backward)]
    for got, wanted in zip(results, [*outputs, *forward_states, *backward_states], strict=True):
        np.testing.assert_allclose(got, wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("sequences", [False, True])
def test_same_as_today(sequences: bool) -> None:
    keras = today.keras()
    options = {"return_sequences": sequences, "recurrent_activation": "sigmoid", "reset_after": True}
    ours = Bidirectional(GRU(UNITS, **options))
    theirs = keras.layers.Bidirectional(keras.layers.GRU(UNITS, **options))
    assert_same_as_today(ours, theirs, X, weights=False)


def test_names_of_weights_and_config() -> None:
    wrapped = GRU(UNITS, reset_after=True, kernel_regularizer="l2")
    layer = Bidirectional(wrapped, merge_mode="sum", input_shape=(STEPS, FEATURES))
    model = Sequential([layer, Dense(1)])
    inner = ("kernel", "recurrent_kernel", "bias")
    parts = [f"bidirectional_1/{way}_gru_1/{name}:0" for way in ("forward", "backward") for name in inner]
    assert [weight.name for weight in layer.weights] == parts
    config = layer.get_config()
    assert list(config) == ["name", "trainable", "batch_input_shape", "dtype", "layer", "merge_mode"]
    assert config["layer"]["config"]["name"] == "gru_1"
    made = round_trip(layer)
    assert made.backward_layer.go_backwards
    assert made.backward_layer.kernel_regularizer.get_config() == wrapped.kernel_regularizer.get_config()
    copied = Sequential.from_config(model.get_config())
    copied.set_weights(model.get_weights())
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))
    assert len(model.losses) == 2


def test_symbolic_shapes_and_masks() -> None:
    x = Embedding(9, 3, mask_zero=True)(Input((None,)))
    both = Bidirectional(LSTM(UNITS, return_sequences=True), merge_mode=None)(x)
    assert [tuple(y.shape) for y in both] == [(None, None, UNITS)] * 2
    assert all(y.mask is not None for y in both)
    last = Bidirectional(LSTM(UNITS, return_state=True))(x)
    assert [tuple(y.shape) for y in last] == [(None, 2 * UNITS), *[(None, UNITS)] * 4]
    layer = Bidirectional(GRU(UNITS, return_state=True), merge_mode=None)
    assert layer.compute_output_shape((None, 5, 3)) == [(None, UNITS)] * 4


def test_states_of_another_layer() -> None:
    source, target = Input((STEPS, FEATURES)), Input((STEPS, FEATURES))
    _, *states = Bidirectional(GRU(UNITS, return_state=True))(source)
    model = Model([source, target], Bidirectional(GRU(UNITS))(target, initial_state=states))
    copied = Model.from_config(model.get_config())
    copied.set_weights(model.get_weights())
    other = X[::-1].copy()
    np.testing.assert_array_equal(copied.predict([X, other]), model.predict([X, other]))
    weights, zeros = model.get_weights(), [np.zeros((BATCH, UNITS))]
    (_, first), (_, second) = (
        recurrence.run("gru", weights[3 * i : 3 * i + 3], X, zeros, go_backwards=bool(i)) for i in range(2)
    )
    ends = [
        recurrence.run("gru", weights[6 + 3 * i : 9 + 3 * i], other, state, go_backwards=bool(i))[0][:, -1]
        for i, state in enumerate((first, second))
    ]
    np.testing.assert_allclose(model.predict([X, other]), np.concatenate(ends, -1), 1e-5, 1e-6)
    with pytest.raises(ValueError, match="even number"):
        Bidirectional(GRU(UNITS))(target, initial_state=states[:1])


def test_stateful() -> None:
    layer = Bidirectional(GRU(UNITS, stateful=True), batch_input_shape=(BATCH, STEPS, FEATURES))
    model = Sequential([layer])
    assert model.stateful
    first, second = (model.predict(X, batch_size=BATCH) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=BATCH), first)


def test_weights_trained_and_frozen() -> None:
    given = [np.full(shape, 0.1, "float32") for shape in [(FEATURES, 6), (UNITS, 6), (6,)] * 2]
    layer = Bidirectional(GRU(UNITS), weights=given, input_shape=(STEPS, FEATURES))
    model = Sequential([layer])
    for got, wanted in zip(layer.get_weights(), given, strict=True):
        np.testing.assert_array_equal(got, wanted)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((BATCH, 2 * UNITS)), verbose=0)
    assert all(not np.array_equal(got, old) for got, old in zip(layer.get_weights(), given, strict=True))
    layer.trainable = False
    assert model.trainable_weights == []
    assert not layer.backward_layer.trainable


@pytest.mark.parametrize("make", [lambda: RNN(LSTMCell(UNITS)), lambda: CuDNNGRU(UNITS)], ids=["RNN", "CuDNNGRU"])
def test_other_recurrent_layers(make: Any) -> None:
    layer = Bidirectional(make())
    assert layer(X).shape == (BATCH, 2 * UNITS)
    made = round_trip(layer)
    made(X)
    made.set_weights(layer.get_weights())
    np.testing.assert_array_equal(made(X), layer(X))


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="Invalid merge mode: 'max'"):
        Bidirectional(kjax.layers.LSTM(2), merge_mode="max")
