"""Activations: closed formulas, derivatives, recorded Keras 2.2.4, today's Keras, lookups and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from compat_tests import golden, today
from kjax import activations
from kjax._core import graph, scope
from kjax._core.registry import CustomObjectScope

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def numpy_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def numpy_elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "softmax": numpy_softmax,
    "elu": numpy_elu,
    "selu": lambda x: SCALE * numpy_elu(x, ALPHA),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "exponential": np.exp,
    "linear": lambda x: x,
}
# Keras 3 changed what these compute.
CHANGED = {"hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1)}
NAMES = sorted(FORMULAS)


def points(*shape: int) -> np.ndarray:
    """Numbers on both sides of every kink, none of them on one."""
    return np.random.RandomState(3).uniform(-4, 4, shape)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (2, 2, 3, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_formula(name: str, shape: tuple[int, ...]) -> None:
    x = points(*shape)
    got = activations.get(name)(x.astype("float32"))
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, FORMULAS[name](x), rtol=2e-6, atol=2e-6)
    with jax.enable_x64(True):
        np.testing.assert_allclose(activations.get(name)(x), FORMULAS[name](x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_derivative(name: str) -> None:
    x = points(4, 5)
    weights = points(4, 5)[::-1]  # so that the softmax, whose outputs add up to 1, has a derivative to speak of
    with jax.enable_x64(True):
        got = today.gradient(lambda v: activations.get(name)(v) * weights, x)
    np.testing.assert_allclose(got, today.slope(lambda v: FORMULAS[name](v) * weights, x), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "exponential"])
def test_far_out(name: str) -> None:
    x = np.array([[-1e30, -1e4, -100, 0, 100, 1e4, 1e30]], "float32")
    function = activations.get(name)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(function(x), FORMULAS[name](x.astype("float64")), rtol=1e-6, atol=1e-30)
    assert np.isfinite(today.gradient(function, x)).all()


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.5])
@pytest.mark.parametrize("max_value", [None, 1.0, 6.0])
@pytest.mark.parametrize("threshold", [0.0, 0.5, -0.5])
def test_relu_arguments(alpha: float, max_value: float | None, threshold: float) -> None:
    x = points(4, 5)
    top = np.inf if max_value is None else max_value
    # An input between a negative threshold and 0 passes without a limit, and is clipped to 0 with one.
    bottom = -np.inf if max_value is None else 0
    wanted = np.where(x > threshold, np.clip(x, bottom, top), alpha * (x - threshold))
    got = activations.relu(x.astype("float32"), alpha=alpha, max_value=max_value, threshold=threshold)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    if threshold >= 0:  # today's Keras leaves numbers between a negative threshold and 0 as they are
        with today.lenient():
            peer = today.keras().activations.relu(
                x.astype("float32"), negative_slope=alpha, max_value=max_value, threshold=threshold
            )
        np.testing.assert_allclose(got, peer, rtol=1e-5, atol=1e-6)


def test_arguments() -> None:
    x = points(3, 4, 5)
    np.testing.assert_allclose(activations.elu(x, alpha=0.3), numpy_elu(x, 0.3), rtol=1e-5)
    np.testing.assert_allclose(activations.softmax(x, axis=1), numpy_softmax(x, 1), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_todays_keras(name: str) -> None:
    x = points(4, 5).astype("float32")
    weights = points(4, 5).astype("float32")
    peer = today.keras().activations.get(name)
    with today.lenient():
        values, slopes = np.asarray(peer(x)), today.gradient(lambda v: peer(v) * weights, x)
    if name in CHANGED:
        np.testing.assert_allclose(values, CHANGED[name](x), atol=1e-6)
        assert np.abs(values - activations.get(name)(x)).max() > 0.01
        return
    np.testing.assert_allclose(activations.get(name)(x), values, rtol=2e-6, atol=2e-6)
    got = today.gradient(lambda v: activations.get(name)(v) * weights, x)
    np.testing.assert_allclose(got, slopes, rtol=1e-5, atol=1e-6)


RECORDED = [name for name in golden.load("activations") if name.startswith(("act_", "actlayer_"))]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded(name: str) -> None:
    """The recorded models are Dense(8), the activation, Dense(3)."""
    case = golden.load("activations")[name]
    kernel, bias, kernel2, bias2 = case.series("w0_", 4)
    hidden = np.asarray(activations.get(name.split("_", 1)[1])(case.arrays["x0"] @ kernel + bias))
    np.testing.assert_allclose(hidden @ kernel2 + bias2, case.arrays["pred0_0"], rtol=1e-4, atol=1e-5)


def test_recorded_cases_cover_every_activation() -> None:
    assert {name.split("_", 1)[1] for name in RECORDED} == set(FORMULAS)


@pytest.mark.parametrize("name", NAMES)
def test_symbolic(name: str) -> None:
    x = graph.Tensor((None, 4), "float32")
    y = activations.get(name)(x)
    assert tuple(y.shape) == (None, 4)
    value = points(3, 4).astype("float32")
    with scope.Scope():
        (got,), _ = graph.evaluate([y], {x: jax.numpy.asarray(value)})
    np.testing.assert_allclose(got, FORMULAS[name](value), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_lookup(name: str) -> None:
    function = getattr(activations, name)
    assert activations.get(name) is function
    assert activations.get(function) is function
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function


def test_lookup_of_others() -> None:
    assert activations.get(None) is activations.linear

    def own(x: Any) -> Any:
        return x

    class LikeALayer:
        def __call__(self, x: Any) -> Any:
            return x

    layer = LikeALayer()
    assert activations.get(own) is own
    assert activations.get(layer) is layer
    assert activations.serialize(own) == "own"
    assert activations.deserialize("own", custom_objects={"own": own}) is own
    with CustomObjectScope({"own": own}):
        assert activations.get("own") is own


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown activation function: ?foo"):
        activations.get("foo")
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="Could not interpret activation function identifier: 3"):
        activations.get(3)
    with pytest.raises(ValueError, match="Cannot apply softmax to a tensor that is 1D"):
        activations.softmax(np.ones(3))
