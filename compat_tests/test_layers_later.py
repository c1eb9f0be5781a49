"""Layers that came after Keras 2.2: layer normalization and rescaling, compared with formulas and today's Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, layer_numbers, round_trip
from kjax.layers import Dense, Input, LayerNormalization, Rescaling
from kjax.layers.experimental import preprocessing
from kjax.models import Model, Sequential, load_model

X = np.random.RandomState(0).normal(2, 3, (4, 5, 3)).astype("float32")
CASES: dict[str, dict[str, Any]] = {
    "last": {},
    "middle": {"axis": 1, "epsilon": 1e-2},
    "both": {"axis": [1, 2]},
    "bare": {"center": False, "scale": False},
    "noscale": {"scale": False},
}


def built(**kwargs: Any) -> Any:
    """A layer with weights that are neither zero nor one."""
    layer = LayerNormalization(**kwargs)
    layer(X)
    random = np.random.RandomState(1)
    layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("name", CASES)
def test_layer_normalization_is_that_of_today(name: str) -> None:
    keras = today.keras()
    assert_same_as_today(built(**CASES[name]), keras.layers.LayerNormalization(**CASES[name]), X)
    assert round_trip(LayerNormalization(**CASES[name])).axis == CASES[name].get("axis", -1)


def test_layer_normalization_is_the_formula() -> None:
    layer = built(axis=[1, 2])
    gamma, beta = (np.asarray(w, "float64") for w in layer.get_weights())
    x = X.astype("float64")
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    wanted = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta
    np.testing.assert_allclose(layer_numbers(layer, X).outputs[0], wanted, 1e-5, 1e-5)
    assert layer_numbers(layer, X.astype("float16")).outputs[0].dtype == np.float16


def test_layer_normalization_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"normalizes axis 3, which an input of shape \(None, 5, 3\) does not have"):
        LayerNormalization(axis=3)(Input((5, 3)))
    with pytest.raises(ValueError, match="a list of different ones"):
        LayerNormalization(axis=[1, -2])(Input((5, 3)))
    with pytest.raises(ValueError, match="should have a defined dimension"):
        LayerNormalization(axis=1)(Input((None, 3)))


def test_a_model_with_both_learns_and_is_saved(tmp_path: Any) -> None:
    np.random.seed(0)
    model = Sequential([Rescaling(1 / 255.0, input_shape=(4,)), Dense(8), LayerNormalization(), Dense(1)])
    model.compile("adam", "mse")
    x = np.random.randint(0, 256, (64, 4)).astype("uint8")
    losses = model.fit(x, x.mean(1) / 255.0, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    model.save(tmp_path / "model.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "model.h5").predict(x), model.predict(x))


def test_rescaling() -> None:
    assert preprocessing.Rescaling is Rescaling
    for scale, offset in ((1 / 127.5, -1.0), ([1.0, 2.0, 3.0], [0.0, 0.5, 1.0])):
        layer = Rescaling(scale, offset)
        np.testing.assert_allclose(layer(X), X.astype("float64") * scale + offset, 1e-5, 1e-6)
        assert_same_as_today(layer, today.keras().layers.Rescaling(scale, offset), X)
        assert round_trip(layer).scale == scale
    pixels = Input((2, 2, 1), dtype="uint8")
    images = np.full((1, 2, 2, 1), 255, "uint8")
    scaled = Model(pixels, Rescaling(1 / 255.0)(pixels)).predict(images)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, 1.0)
