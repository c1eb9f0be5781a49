"""Embedding: rows of a table, their gradients, masks, and what Keras 2.2 said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, cotangent, layer_numbers, round_trip
from kjax import models

layers: Any = kjax.layers
IDS = np.array([[1, 4, 1, 0], [3, 3, 3, 2]])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_rows_and_their_gradients(dtype: str) -> None:
    x = IDS.astype(dtype) + np.asarray(0.5 if dtype == "float32" else 0, dtype)
    layer = layers.Embedding(6, 3)
    got = layer_numbers(layer, x)
    (table,) = layer.get_weights()
    np.testing.assert_array_equal(got.outputs[0], table[IDS])
    wanted = np.zeros((6, 3))
    np.add.at(wanted, IDS, cotangent((2, 4, 3)))
    np.testing.assert_allclose(got.weight_gradients[0], wanted, 1e-5, 1e-6)


def test_numbers_of_todays_keras() -> None:
    assert_same_as_today(layers.Embedding(6, 3), today.keras().layers.Embedding(6, 3), IDS.astype("int32"))


@pytest.mark.parametrize("bad", [-1, -6, 6, 2**30])
def test_an_id_that_is_not_in_the_table_gives_nan_and_trains_nothing(bad: int) -> None:
    got = layer_numbers(layers.Embedding(6, 2), np.array([[1, bad]]))
    assert np.isnan(got.outputs[0][0, 1]).all()
    assert np.isfinite(got.outputs[0][0, 0]).all()
    np.testing.assert_array_equal(np.flatnonzero(got.weight_gradients[0].any(1)), [1])


@pytest.mark.parametrize("wrong", [np.array([[1, 7]]), np.array([[1.0, -2.0]])])
def test_the_loss_tells_of_it(wrong: np.ndarray) -> None:
    model = models.Sequential([layers.Embedding(6, 2, input_length=2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isnan(model.evaluate(wrong, np.ones((1, 1)), verbose=0))


def test_many_axes() -> None:
    x = np.arange(8).reshape(2, 2, 2) % 5
    layer = layers.Embedding(5, 3)
    assert layer_numbers(layer, x).outputs[0].shape == (2, 2, 2, 3)
    assert layer.compute_output_shape((None, 2, 2)) == (None, 2, 2, 3)
    assert layers.Embedding(5, 3, input_length=(2, 4)).compute_output_shape((None, 2, None)) == (None, 2, 4, 3)


def test_shapes_before_any_data() -> None:
    model = models.Sequential([layers.Embedding(9, 4)])
    assert model.output_shape == (None, None, 4)
    assert model.input_shape == (None, None)
    model = models.Sequential([layers.Embedding(9, 4, input_length=7)])
    assert model.output_shape == (None, 7, 4)
    model = models.Sequential([layers.Embedding(9, 4, batch_input_shape=(3, 7))])
    assert model.output_shape == (3, 7, 4)


def test_the_config_has_the_keys_of_keras_2() -> None:
    assert layers.Embedding(50, 8, mask_zero=True, input_length=7).get_config() == {
        "name": "embedding_1",
        "trainable": True,
        "batch_input_shape": (None, 7),
        "dtype": "float32",
        "input_dim": 50,
        "output_dim": 8,
        "embeddings_initializer": {
            "class_name": "RandomUniform",
            "config": {"minval": -0.05, "maxval": 0.05, "seed": None},
        },
        "embeddings_regularizer": None,
        "activity_regularizer": None,
        "embeddings_constraint": None,
        "mask_zero": True,
        "input_length": 7,
    }
    round_trip(layers.Embedding(5, 2, embeddings_regularizer="l2", embeddings_constraint="nonneg"))


def test_a_table_to_start_from_that_is_frozen() -> None:
    table = np.arange(10.0).reshape(5, 2)
    model = models.Sequential(
        [layers.Embedding(5, 2, weights=[table], input_length=4, trainable=False), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(IDS, np.ones((2, 1)), epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], table)
    assert [w.name for w in model.layers[0].weights] == ["embedding_1/embeddings:0"]
    assert len(model.trainable_weights) == 2


def test_penalty_and_bounds() -> None:
    layer = layers.Embedding(5, 2, "one", "l2", None, "nonneg", input_length=4)
    model = models.Sequential([layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.evaluate(IDS, model.predict(IDS), verbose=0)
    np.testing.assert_allclose(before, 0.01 * 10, 1e-5)
    model.compile(kjax.optimizers.SGD(100.0), "mse")
    model.fit(IDS, -np.ones((2, 1)), epochs=1, verbose=0)
    assert (layer.get_weights()[0] >= 0).all()


def test_zero_masks() -> None:
    x = layers.Input((4,))
    y = layers.Embedding(5, 2, mask_zero=True)(x)
    np.testing.assert_array_equal(
        models.Model(x, layers.Lambda(lambda v, mask: mask.astype(v.dtype))(y)).predict(IDS), IDS != 0
    )
    assert layers.Embedding(5, 2).compute_mask(IDS) is None


@pytest.mark.parametrize("length", [3, (3,), (4, 2)])
def test_another_length_is_refused(length: Any) -> None:
    with pytest.raises(ValueError, match=r'"input_length" is .*, but received input has shape \(None, 4\)') as caught:
        layers.Embedding(5, 2, input_length=length)(layers.Input((4,)))
    assert str(length) in str(caught.value)


@pytest.mark.parametrize("sizes", [(0, 2), (5, 0)])
def test_an_empty_table_is_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        layers.Embedding(*sizes)
