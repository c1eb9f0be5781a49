"""The layers of cuDNN and the convolutional recurrent layers."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests import recurrence, today
from compat_tests.layers_helper import assert_same, assert_same_as_today, layer_numbers, round_trip
from compat_tests.recurrence import BATCH, FEATURES, UNITS, X
from kjax import backend as K
from kjax.layers import (
    ConvLSTM2D,
    ConvLSTM2DCell,
    ConvRecurrent2D,
    ConvRNN2D,
    CuDNNGRU,
    CuDNNLSTM,
    Embedding,
    Input,
)
from kjax.models import Sequential

IMAGES = np.random.RandomState(4).normal(size=(2, 3, 5, 4, 2)).astype("float32")


# -- cuDNN -------------------------------------------------------------------------------------------------------------


def turned(kernel: np.ndarray, gates: int) -> np.ndarray:
    """Each gate's kernel as cuDNN reads it: its memory holds the transposed matrix."""
    return np.concatenate([part.ravel().reshape(part.shape[::-1]).T for part in np.split(kernel, gates, 1)], 1)


@pytest.mark.parametrize(("make", "kind", "gates"), [(CuDNNGRU, "gru_after", 3), (CuDNNLSTM, "lstm", 4)])
def test_cudnn(make: Any, kind: str, gates: int) -> None:
    layer = make(UNITS, return_sequences=True, return_state=True)
    layer(X)
    random = np.random.RandomState(1)
    layer.set_weights([random.normal(size=w.shape).astype("float32") for w in layer.weights])
    kernel, recurrent, bias = layer.get_weights()
    assert bias.shape == (2 * gates * UNITS,)
    biases = bias.reshape(2, -1)
    weights = [turned(kernel, gates), turned(recurrent, gates), biases if kind == "gru_after" else biases.sum(0)]
    zeros = [np.zeros((BATCH, UNITS))] * (2 if kind == "lstm" else 1)
    wanted, last = recurrence.run(kind, weights, X, zeros, gate=recurrence.sigmoid)
    outputs, *states = layer(X)
    np.testing.assert_allclose(outputs, wanted, 1e-5, 1e-5)
    for state, other in zip(states, last, strict=True):
        np.testing.assert_allclose(state, other, 1e-5, 1e-5)
    round_trip(layer)


def test_cudnn_bias_and_masks() -> None:
    layer = CuDNNLSTM(UNITS)
    layer(X)
    np.testing.assert_array_equal(layer.get_weights()[2], np.repeat([0, 0, 0, 0, 0, 1, 0, 0], UNITS))
    with pytest.raises(ValueError, match="Masking is not supported for CuDNN RNNs"):
        CuDNNGRU(UNITS)(Embedding(5, 3, mask_zero=True)(Input((None,))))


def test_cudnn_stateful() -> None:
    model = Sequential([CuDNNLSTM(UNITS, stateful=True, batch_input_shape=(BATCH, 5, FEATURES))])
    first = model.predict(X, batch_size=BATCH)
    assert np.abs(model.predict(X, batch_size=BATCH) - first).max() > 1e-3
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=BATCH), first)


# -- convolutions ------------------------------------------------------------------------------------------------------


def test_conv_lstm_is_that_of_today() -> None:
    keras = today.keras()
    options = {"strides": (2, 1), "padding": "same", "recurrent_activation": "sigmoid", "return_sequences": True}
    ours = ConvLSTM2D(3, (3, 2), **options)
    theirs = keras.layers.ConvLSTM2D(3, (3, 2), **options)
    assert_same_as_today(ours, theirs, IMAGES, weights=False)


class PlainCell(ConvLSTM2DCell):
    """The same cell, run step by step since its `call` is its own."""

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        return super().call(inputs, states, training)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv_lstm_with_dropout_and_mask(data_format: str) -> None:
    options: dict[str, Any] = {"dropout": 0.3, "recurrent_dropout": 0.3, "data_format": data_format}
    layer = ConvLSTM2D(3, 2, return_state=True, **options)
    general = ConvRNN2D(PlainCell(3, 2, **options), return_state=True)
    x = np.moveaxis(IMAGES, -1, 2) if data_format == "channels_first" else IMAGES
    for one in (layer, general):
        one(x)
    general.set_weights(layer.get_weights())
    mask = jnp.asarray([[True, True, False], [False, True, True]])
    fast, slow = (layer_numbers(one, x, training=True, mask=mask) for one in (layer, general))
    assert_same(fast, slow)
    shape = (2, 3, 4, 3) if data_format == "channels_first" else (2, 4, 3, 3)
    assert layer.compute_output_shape(x.shape) == [shape] * 3
    round_trip(layer)
    round_trip(ConvRNN2D(layer.cell, return_sequences=True))


def test_data_formats_agree() -> None:
    last, first = ConvLSTM2D(3, 3), ConvLSTM2D(3, 3, data_format="channels_first")
    y = last(IMAGES)
    first(np.moveaxis(IMAGES, -1, 2))
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(np.moveaxis(first(np.moveaxis(IMAGES, -1, 2)), 1, -1), y, 1e-5, 1e-6)


def test_conv_lstm_of_one_pixel_is_an_lstm() -> None:
    layer = ConvLSTM2D(UNITS, 1, return_sequences=True)
    outputs = layer(X[:, :, None, None, :])
    weights = [np.squeeze(w) for w in layer.get_weights()]
    wanted, _ = recurrence.run("lstm", weights, X, [np.zeros((BATCH, UNITS))] * 2)
    np.testing.assert_allclose(np.squeeze(outputs), wanted, 1e-5, 1e-6)
    np.testing.assert_array_equal(weights[2], np.repeat([0, 1, 0, 0], UNITS))


def test_conv_lstm_in_a_model() -> None:
    model = Sequential([ConvLSTM2D(2, 3, stateful=True, batch_input_shape=IMAGES.shape, kernel_regularizer="l2")])
    assert model.output_shape == (2, 3, 2, 2)
    first = model.predict(IMAGES, batch_size=2)
    assert np.abs(model.predict(IMAGES, batch_size=2) - first).max() > 1e-4
    model.reset_states()
    np.testing.assert_array_equal(model.predict(IMAGES, batch_size=2), first)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(IMAGES, np.zeros((2, 3, 2, 2)))
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert [w.name.split("/")[1] for w in model.weights] == ["kernel:0", "recurrent_kernel:0", "bias:0"]


def test_what_conv_rnn_refuses() -> None:
    with pytest.raises(TypeError, match="Unrolling"):
        ConvRNN2D(ConvLSTM2DCell(2, 3), unroll=True)
    with pytest.raises(TypeError, match="stack"):
        ConvRNN2D([ConvLSTM2DCell(2, 3)])


class Counting(ConvRecurrent2D):
    """A layer of the older form: adds up the means over the channels."""

    def step(self, inputs: Any, states: Any) -> Any:
        new = states[0] + K.mean(inputs, axis=-1, keepdims=True)
        return new, [new]


def test_conv_recurrent() -> None:
    layer = Counting(1, (1, 1))
    np.testing.assert_allclose(layer(IMAGES), IMAGES.mean(-1, keepdims=True).sum(1), 1e-5, 1e-6)
    assert layer.get_config()["kernel_size"] == (1, 1)


def test_a_step_that_asks_for_shapes_may_call_the_cell() -> None:
    from kjax import backend as K
    from kjax.layers import LSTM
    from kjax.models import Sequential

    class Steps(LSTM):
        def call(self, x: Any, mask: Any = None) -> Any:
            def step(x: Any, states: Any) -> Any:
                assert x.get_shape().as_list()[-1] == 2
                return self.cell.call(x, states)

            return K.rnn(step, x, self.get_initial_state(x))[0]

    own, plain = Sequential([Steps(3, input_shape=(4, 2))]), Sequential([LSTM(3, input_shape=(4, 2))])
    plain.set_weights(own.get_weights())
    x = np.random.RandomState(0).rand(2, 4, 2)
    np.testing.assert_allclose(own.predict(x), plain.predict(x), rtol=1e-5)
