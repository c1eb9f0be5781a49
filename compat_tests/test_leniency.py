"""What Keras let pass and its examples rely on."""

from __future__ import annotations

import numpy as np
import pytest

from kjax.layers import LSTM, Conv2D, Dense, Embedding, GlobalMaxPooling2D, Input, Reshape, multiply
from kjax.models import Model, Sequential


def test_a_model_is_called_with_other_shapes_than_its_own() -> None:
    network = Sequential([Dense(12, input_dim=5), Reshape((2, 6))])
    latent, number = Input((5,)), Input((1,), dtype="int32")
    scaled = multiply([latent, Embedding(3, 5)(number)])  # (None, 1, 5)
    model = Model([latent, number], network(scaled))
    assert model.output_shape == (None, 2, 6)
    assert model.predict([np.ones((4, 5)), np.zeros((4, 1))]).shape == (4, 2, 6)
    pictures = Sequential([Conv2D(2, 3, input_shape=(8, 8, 1)), GlobalMaxPooling2D()])
    larger = Input((12, 10, 1))
    assert Model(larger, pictures(larger)).predict(np.ones((2, 12, 10, 1))).shape == (2, 2)
    with pytest.raises(ValueError, match="expects 1 inputs, but it received 2"):
        network([latent, latent])


def test_predict_takes_as_many_samples_as_the_first_input_has() -> None:
    a, b = Input((2,)), Input((2,))
    model = Model([a, b], multiply([a, b]))
    x = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(model.predict([x[:4], x]), x[:4] ** 2)
    with pytest.raises(ValueError, match="same number of samples"):
        model.predict([x, x[:4]])


def test_a_stateful_network_is_validated_in_its_own_batches() -> None:
    model = Sequential([LSTM(2, batch_input_shape=(2, 3, 1), stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3, 1)), np.ones((8, 1))
    model.fit(x, y, batch_size=2, validation_data=(x[:4], y[:4]), verbose=0)
    model.fit(x, y, batch_size=2, validation_split=0.5, verbose=0)
    with pytest.raises(ValueError, match="stateful network"):
        model.fit(x, y, batch_size=2, validation_data=(x[:3], y[:3]), verbose=0)
