"""Batch normalization."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests import today
from compat_tests.layers_helper import assert_same, cotangent, layer_numbers, round_trip, today_numbers
from kjax._core.scope import Scope
from kjax.engine.input_layer import Input
from kjax.engine.training import Model
from kjax.layers.normalization import BatchNormalization

RANDOM = np.random.RandomState(0)
X2 = RANDOM.normal(3, 2, (8, 5)).astype("float32")
X4 = RANDOM.normal(-1, 3, (4, 6, 2, 3)).astype("float32")

CASES = {
    "dense": (X2, {}),
    "images": (X4, {"momentum": 0.9, "epsilon": 1e-2}),
    "channels_first": (X4, {"axis": 1}),
    "middle": (X4, {"axis": 2}),
    "noscale": (X2, {"scale": False}),
    "nocenter": (X4, {"center": False}),
    "bare": (X2, {"scale": False, "center": False}),
}


def built(x: np.ndarray, **kwargs: Any) -> Any:
    """A layer with weights that are neither zero nor one."""
    layer = BatchNormalization(**kwargs)
    layer(x)
    random = np.random.RandomState(1)
    layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    return layer


def formula(x: np.ndarray, weights: dict[str, np.ndarray], axis: int, epsilon: float, training: bool) -> np.ndarray:
    """The normalized `x` in float64."""
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    lifted = {name: np.expand_dims(np.asarray(w, "float64"), others) for name, w in weights.items()}
    mean = x.mean(others, keepdims=True) if training else lifted["moving_mean"]
    variance = x.var(others, keepdims=True) if training else lifted["moving_variance"]
    return lifted.get("gamma", 1.0) * (x - mean) / np.sqrt(variance + epsilon) + lifted.get("beta", 0.0)


def named(layer: Any) -> dict[str, np.ndarray]:
    return {w.name.split("/")[1].removesuffix(":0"): w.numpy() for w in layer.weights}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_value_and_derivatives_are_those_of_the_formula(name: str, training: bool) -> None:
    x, kwargs = CASES[name]
    layer = built(x, **kwargs)
    weights = named(layer)
    weighted = cotangent(x.shape).astype("float64")

    def value(x: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
        return formula(x, weights, layer.axis, layer.epsilon, training)

    got = layer_numbers(layer, x, training)
    np.testing.assert_allclose(got.outputs[0], value(x.astype("float64"), weights), 1e-5, 1e-5)
    slope = today.slope(lambda x: value(x, weights) * weighted, x)
    np.testing.assert_allclose(got.input_gradients[0], slope, 1e-4, 1e-5)
    for i, key in enumerate(k for k in ("gamma", "beta") if k in weights):
        slope = today.slope(lambda w: value(x.astype("float64"), {**weights, key: w}) * weighted, weights[key])  # noqa: B023
        np.testing.assert_allclose(got.weight_gradients[i], slope, 1e-4, 1e-4)


@pytest.mark.parametrize("name", CASES)
def test_moving_averages(name: str) -> None:
    x, kwargs = CASES[name]
    layer = built(x, **kwargs)
    before = named(layer)
    mean, variance = layer_numbers(layer, x, training=True).weights[-2:]
    others = tuple(i for i in range(x.ndim) if i != layer.axis % x.ndim)
    n = x.size // x.shape[layer.axis]
    m, x = layer.momentum, x.astype("float64")
    corrected = (x.var(others) + layer.epsilon) * n / (n - (1 + layer.epsilon))
    np.testing.assert_allclose(mean, before["moving_mean"] * m + x.mean(others) * (1 - m), 1e-5)
    np.testing.assert_allclose(variance, before["moving_variance"] * m + corrected * (1 - m), 1e-5)


def test_tests_leave_the_averages_alone() -> None:
    layer = built(X2)
    before = layer.get_weights()
    got = layer_numbers(layer, X2, training=False).weights
    for a, b in zip(got, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_same_as_todays_keras(name: str, training: bool) -> None:
    x, kwargs = CASES[name]
    layer = built(x, **kwargs)
    wanted = today_numbers(today.keras().layers.BatchNormalization(**kwargs), x, layer.get_weights(), training=training)
    got = layer_numbers(layer, x, training)
    assert_same(got, wanted, 5e-5, weights=False)
    np.testing.assert_allclose(got.weights[-2], wanted.weights[-2], 1e-5)
    # Today's Keras lets the moving variance follow the variance of the batch as it is, without epsilon in it.
    n = x.size // x.shape[layer.axis]
    m, old = layer.momentum, layer.get_weights()[-1]
    factor, added = (n / (n - (1 + layer.epsilon)), (1 - m) * layer.epsilon) if training else (1.0, 0.0)
    np.testing.assert_allclose(got.weights[-1] - m * old, (wanted.weights[-1] - m * old + added) * factor, 1e-3, 1e-6)


def test_weights_and_their_order() -> None:
    layer = BatchNormalization(name="bn")
    layer(Input((5,)))
    assert [w.name for w in layer.weights] == [f"bn/{n}:0" for n in ("gamma", "beta", "moving_mean", "moving_variance")]
    assert [w.trainable for w in layer.weights] == [True, True, False, False]
    np.testing.assert_array_equal(layer.get_weights(), [np.ones(5), np.zeros(5), np.zeros(5), np.ones(5)])
    assert layer.count_params() == 20


def test_a_frozen_layer_normalizes_by_the_batch_and_keeps_its_weights() -> None:
    layer = built(X2)
    normed = layer_numbers(layer, X2, training=True).outputs[0]
    layer.trainable = False
    got = layer_numbers(layer, X2, training=True)
    np.testing.assert_array_equal(got.outputs[0], normed)
    for a, b in zip(got.weights, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert got.weight_gradients == []


def test_the_phase_can_be_told_in_the_call() -> None:
    layer = built(X2)
    by_batch, by_averages = (layer_numbers(layer, X2, training=t).outputs[0] for t in (True, False))
    with Scope(layer.weights, [w.stored for w in layer.weights], training=True) as scope:
        np.testing.assert_allclose(layer(X2, training=False), by_averages, 1e-6)
    assert not scope.updates
    with Scope(layer.weights, [w.stored for w in layer.weights], training=False) as scope:
        np.testing.assert_allclose(layer(X2, training=True), by_batch, 1e-5, 1e-5)
    assert not scope.updates
    np.testing.assert_allclose(layer(X2), by_averages, 1e-6)


def test_training_a_model_moves_the_averages() -> None:
    inputs = Input((5,))
    layer = BatchNormalization(momentum=0.5)
    model = Model(inputs, layer(inputs))
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.predict(X2), X2 / np.sqrt(1.001), 1e-5)
    model.fit(X2, np.zeros((8, 5)), batch_size=8, epochs=1, verbose=0)
    mean, variance = layer.get_weights()[2:]
    x = X2.astype("float64")
    np.testing.assert_allclose(mean, 0.5 * x.mean(0), 1e-5)
    np.testing.assert_allclose(variance, 0.5 + 0.5 * (x.var(0) + 1e-3) * 8 / (8 - 1.001), 1e-5)


def test_far_from_zero_the_variance_is_still_right() -> None:
    x = (np.random.RandomState(2).normal(size=(1000, 3)) + 3000).astype("float32")
    got = layer_numbers(BatchNormalization(), x, training=True).outputs[0]
    np.testing.assert_allclose(got.std(0), 1, 2e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_floats_are_summed_up_in_float32(dtype: str) -> None:
    x = jnp.asarray(np.random.RandomState(2).normal(3, 1, (5000, 2)), dtype)
    layer = BatchNormalization()
    layer(x)
    with Scope(layer.weights, [w.stored for w in layer.weights], training=True) as scope:
        got = layer(x)
    assert got.dtype == dtype
    mean = np.asarray(scope.updates[layer.moving_mean]) / 0.01
    np.testing.assert_allclose(mean, np.asarray(x, "float64").mean(0), 1e-3)


def test_shapes_are_checked_where_the_layer_is_called() -> None:
    with pytest.raises(
        ValueError, match=r"Axis -1 of input tensor should have a defined dimension .* \(None, 4, None\)"
    ):
        BatchNormalization()(Input((4, None)))
    with pytest.raises(ValueError, match="axis 3"):
        BatchNormalization(axis=3)(Input((4, 5)))
    layer = BatchNormalization()
    assert layer(Input((None, 5))).shape == (None, None, 5)
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 5 but got shape"):
        layer(Input((4, 6)))
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(Input((5,)))


def test_mask_is_passed_on() -> None:
    mask = np.array([True, False])
    assert BatchNormalization().compute_mask(np.zeros((2, 3)), mask) is mask


def test_regularizers_and_constraints() -> None:
    layer: Any = BatchNormalization(beta_regularizer="l2", gamma_regularizer="l1", gamma_constraint="nonneg")
    layer(Input((5,)))
    assert len(layer.losses) == 2
    assert layer.gamma.constraint is layer.gamma_constraint
    assert layer.beta.constraint is None


def test_config() -> None:
    assert BatchNormalization(name="bn").get_config() == {
        "name": "bn",
        "trainable": True,
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 1e-3,
        "center": True,
        "scale": True,
        "beta_initializer": {"class_name": "Zeros", "config": {}},
        "gamma_initializer": {"class_name": "Ones", "config": {}},
        "moving_mean_initializer": {"class_name": "Zeros", "config": {}},
        "moving_variance_initializer": {"class_name": "Ones", "config": {}},
        "beta_regularizer": None,
        "gamma_regularizer": None,
        "beta_constraint": None,
        "gamma_constraint": None,
    }
    layer = BatchNormalization(
        1, 0.8, 1e-5, False, True, "ones", "random_normal", "ones", "zeros", "l1", "l2", "nonneg", "unit_norm"
    )
    assert list(layer.get_config()) == list(BatchNormalization().get_config())
    made = round_trip(layer)
    made(Input((3, 4)))
    assert [w.shape for w in made.weights] == [(3,)] * 3
