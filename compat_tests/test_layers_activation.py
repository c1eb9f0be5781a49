"""Activation layers with parameters, and layers of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, cotangent, layer_numbers, round_trip
from kjax.engine.input_layer import Input
from kjax.engine.training import Model
from kjax.layers.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from kjax.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise

X = np.random.RandomState(0).normal(0, 2, (4, 3, 5)).astype("float32")


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


CASES: dict[str, tuple[Any, Any]] = {
    "leaky": (lambda: LeakyReLU(), lambda x: np.where(x > 0, x, 0.3 * x)),
    "leaky_slope": (lambda: LeakyReLU(alpha=0.05), lambda x: np.where(x > 0, x, 0.05 * x)),
    "elu": (lambda: ELU(), lambda x: np.where(x > 0, x, np.expm1(x))),
    "elu_alpha": (lambda: ELU(alpha=0.7), lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
    "thresholded": (lambda: ThresholdedReLU(), lambda x: np.where(x > 1, x, 0)),
    "thresholded_theta": (lambda: ThresholdedReLU(theta=0.25), lambda x: np.where(x > 0.25, x, 0)),
    "softmax": (lambda: Softmax(), lambda x: softmax(x, -1)),
    "softmax_axis1": (lambda: Softmax(axis=1), lambda x: softmax(x, 1)),
    "relu": (lambda: ReLU(), lambda x: np.maximum(x, 0)),
    "relu_max": (lambda: ReLU(max_value=1.5), lambda x: np.clip(x, 0, 1.5)),
    "relu_slope": (lambda: ReLU(negative_slope=0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "relu_all": (
        lambda: ReLU(max_value=2.0, negative_slope=0.1, threshold=0.5),
        lambda x: np.where(x >= 2, 2, np.where(x >= 0.5, x, 0.1 * (x - 0.5))),
    ),
    "prelu": (
        lambda: PReLU(weights=[np.linspace(-1, 1, 15).reshape(3, 5)]),
        lambda x: np.where(x > 0, x, x * np.linspace(-1, 1, 15).reshape(3, 5)),
    ),
    "prelu_shared": (
        lambda: PReLU(shared_axes=[1], weights=[np.linspace(-1, 1, 5).reshape(1, 5)]),
        lambda x: np.where(x > 0, x, x * np.linspace(-1, 1, 5)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivative_are_those_of_the_formula(name: str) -> None:
    make, formula = CASES[name]
    got = layer_numbers(make(), X)
    weighted = cotangent(X.shape).astype("float64")
    np.testing.assert_allclose(got.outputs[0], formula(X.astype("float64")), 1e-6, 1e-6)
    slope = today.slope(lambda x: formula(x) * weighted, X)
    np.testing.assert_allclose(got.input_gradients[0], slope, 1e-5, 1e-5)


def test_derivative_of_alpha() -> None:
    layer = PReLU(shared_axes=[1])
    got = layer_numbers(layer, X)
    wanted = (np.minimum(X, 0).astype("float64") * cotangent(X.shape)).sum((0, 1))[None]
    np.testing.assert_allclose(got.weight_gradients[0], wanted, 1e-5)


def test_no_derivative_where_prelu_meets_zero() -> None:
    layer = PReLU(alpha_initializer="ones")
    got = layer_numbers(layer, np.zeros((2, 3), "float32"))
    assert not np.any(got.input_gradients[0])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: LeakyReLU(0.2), lambda k: k.LeakyReLU(negative_slope=0.2)),
        (lambda: ELU(0.5), lambda k: k.ELU(0.5)),
        (lambda: Softmax(axis=1), lambda k: k.Softmax(axis=1)),
        (lambda: ReLU(3.0, 0.1, 0.4), lambda k: k.ReLU(3.0, 0.1, 0.4)),
        (lambda: PReLU("glorot_uniform"), lambda k: k.PReLU()),
        (lambda: PReLU("glorot_uniform", shared_axes=[2]), lambda k: k.PReLU(shared_axes=[2])),
    ],
)
def test_same_as_todays_keras(ours: Any, theirs: Any) -> None:
    assert_same_as_today(ours(), theirs(today.keras().layers), X)


def test_prelu_weight() -> None:
    layer = PReLU(shared_axes=1, alpha_regularizer="l2", alpha_constraint="nonneg", name="slopes")
    output = layer(Input((None, 5)))
    assert output.shape == (None, None, 5)
    assert layer.shared_axes == [1]
    assert layer.alpha.shape == (1, 5)
    assert layer.alpha.name == "slopes/alpha:0"
    assert layer.alpha.constraint is layer.alpha_constraint
    assert len(layer.losses) == 1


def test_prelu_refuses_shapes_that_it_cannot_have() -> None:
    with pytest.raises(ValueError, match=r"\(None, None, 5\)"):
        PReLU()(Input((None, 5)))
    with pytest.raises(ValueError, match="axis 3"):
        PReLU(shared_axes=[3])(Input((4, 5)))
    layer = PReLU()
    layer(Input((4, 5)))
    with pytest.raises(ValueError, match="to have value 5 but got shape"):
        layer(Input((4, 6)))


def test_softmax_refuses_an_axis_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="axis 3"):
        Softmax(axis=3)(Input((4, 5)))


CONFIGS = [
    (LeakyReLU(0.5), {"alpha": 0.5}),
    (LeakyReLU(), {"alpha": float(np.float32(0.3))}),
    (ELU(2), {"alpha": 2.0}),
    (ThresholdedReLU(0.5), {"theta": 0.5}),
    (Softmax(1), {"axis": 1}),
    (ReLU(6, 0.5, 1), {"max_value": 6.0, "negative_slope": 0.5, "threshold": 1.0}),
    (ReLU(), {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
    (
        PReLU("ones", "l1", "unit_norm", (1,)),
        {
            "alpha_initializer": {"class_name": "Ones", "config": {}},
            "alpha_regularizer": {"class_name": "L1L2", "config": {"l1": float(np.float32(0.01)), "l2": 0.0}},
            "alpha_constraint": {"class_name": "UnitNorm", "config": {"axis": 0}},
            "shared_axes": [1],
        },
    ),
    (GaussianNoise(0.1), {"stddev": 0.1}),
    (GaussianDropout(0.25), {"rate": 0.25}),
    (AlphaDropout(0.25), {"rate": 0.25}),
    (AlphaDropout(0.25, (None, 1), 3), {"rate": 0.25, "noise_shape": (None, 1), "seed": 3}),
]


@pytest.mark.parametrize(("layer", "config"), CONFIGS, ids=lambda x: getattr(x, "name", ""))
def test_config(layer: Any, config: dict[str, Any]) -> None:
    got = layer.get_config()
    assert list(got) == ["name", "trainable", *config]
    for key, value in config.items():
        if key == "alpha_regularizer":
            assert got[key]["class_name"] == "L1L2"
            assert got[key]["config"]["l1"] == pytest.approx(0.01)
        else:
            assert got[key] == value
    round_trip(layer)


MASKED = (LeakyReLU(), PReLU(), ELU(), ThresholdedReLU(), Softmax(), ReLU())
NOISES = (GaussianNoise(1.0), GaussianDropout(0.5), AlphaDropout(0.5))


@pytest.mark.parametrize("layer", [*MASKED, *NOISES], ids=lambda layer: layer.name)
def test_mask_is_passed_on(layer: Any) -> None:
    mask = np.array([True, False])
    assert layer.compute_mask(np.zeros((2, 3)), mask) is mask


@pytest.mark.parametrize("layer", NOISES, ids=lambda layer: layer.name)
def test_noise_leaves_tests_alone(layer: Any) -> None:
    np.testing.assert_array_equal(layer_numbers(layer, X).outputs[0], X)
    np.testing.assert_array_equal(layer(X), X)
    inputs = Input((3, 5))
    np.testing.assert_array_equal(Model(inputs, layer(inputs)).predict(X), X)


@pytest.mark.parametrize("layer", NOISES, ids=lambda layer: layer.name)
def test_noise_follows_the_seed(layer: Any) -> None:
    def draw() -> np.ndarray:
        return np.asarray(layer(X, training=True))

    first = draw()
    assert np.any(first != draw())
    np.random.seed(3)
    again = draw()
    np.random.seed(3)
    np.testing.assert_array_equal(draw(), again)
    one, two = (layer_numbers(layer, X, training=True, seed=s).outputs[0] for s in (1, 2))
    assert np.any(one != two)


BIG = np.random.RandomState(1).normal(size=(400, 500)).astype("float32")
SE = 1 / np.sqrt(BIG.size)  # standard error of a mean of unit variance


def test_moments_of_gaussian_noise() -> None:
    noise = layer_numbers(GaussianNoise(0.3), BIG, training=True).outputs[0].astype("float64") - BIG
    assert abs(noise.mean()) < 5 * 0.3 * SE
    assert noise.std() == pytest.approx(0.3, rel=5 * SE)
    assert abs(np.mean(noise * BIG)) < 5 * 0.3 * SE  # it does not depend on the input


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_moments_of_gaussian_dropout(rate: float) -> None:
    ones = np.ones_like(BIG)
    factor = layer_numbers(GaussianDropout(rate), ones, training=True).outputs[0].astype("float64")
    stddev = np.sqrt(rate / (1 - rate))
    assert abs(factor.mean() - 1) < 5 * stddev * SE
    assert factor.std() == pytest.approx(stddev, rel=5 * SE)
    twice = layer_numbers(GaussianDropout(rate), 2 * ones, training=True).outputs[0]
    np.testing.assert_allclose(twice, 2 * factor, 1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_alpha_dropout_keeps_mean_and_variance(rate: float) -> None:
    got = layer_numbers(AlphaDropout(rate), BIG, training=True).outputs[0].astype("float64")
    limit = -1.0507009873554805 * 1.6732632423543772
    a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    b = -a * limit * rate
    dropped = ~np.isclose(got, a * BIG.astype("float64") + b, atol=1e-5)
    np.testing.assert_allclose(got[dropped], a * limit + b, 1e-5)
    assert dropped.mean() == pytest.approx(rate, abs=5 * SE)
    assert abs(got.mean()) < 10 * SE
    assert got.std() == pytest.approx(1.0, abs=10 * SE)


def test_alpha_dropout_shares_its_choice_along_an_axis() -> None:
    x = np.zeros((50, 6, 3), "float32")
    got = layer_numbers(AlphaDropout(0.5, noise_shape=(None, 1, 3)), x, training=True).outputs[0]
    np.testing.assert_array_equal(got, np.broadcast_to(got[:, :1], got.shape))
    assert len(np.unique(got)) == 2
    with pytest.raises(ValueError, match="noise_shape"):
        AlphaDropout(0.5, noise_shape=(None, 1))(Input((6, 3)))


def test_alpha_dropout_mixes_its_seed_in() -> None:
    one, same, two = (layer_numbers(AlphaDropout(0.5, seed=s), X, training=True, seed=5).outputs[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != two)


@pytest.mark.parametrize("layer", [GaussianDropout(0), GaussianDropout(1.0), AlphaDropout(0.0), AlphaDropout(1)])
def test_no_noise_outside_of_the_rates(layer: Any) -> None:
    np.testing.assert_array_equal(layer_numbers(layer, X, training=True).outputs[0], X)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32"])
def test_noise_keeps_the_type(dtype: str) -> None:
    import jax.numpy as jnp

    for layer in NOISES:
        for training in (False, True):
            got = layer(jnp.asarray(X).astype(dtype), training=training)
            assert got.dtype == ("float32" if dtype == "int32" else dtype)
