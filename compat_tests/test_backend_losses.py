"""Cross entropies against closed formulas, gradients against differences in float64 numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.backend_check import check_same, relu, sigmoid, softmax
from kjax import backend as K

RNG = np.random.RandomState(7)
X = RNG.randn(3, 4)
Y = RNG.randn(3, 4)
P = RNG.uniform(0.05, 0.95, (3, 4))
EPSILON = 1e-7


def crossentropy(target: np.ndarray, output: np.ndarray, axis: int = -1) -> np.ndarray:
    p = np.clip(output / output.sum(axis, keepdims=True), EPSILON, 1 - EPSILON)
    return -(target * np.log(p)).sum(axis)


def binary(target: np.ndarray, output: np.ndarray) -> np.ndarray:
    p = np.clip(output, EPSILON, 1 - EPSILON)
    return -target * np.log(p) - (1 - target) * np.log(1 - p)


TARGET = softmax(RNG.randn(3, 4))
CLASSES = np.array([3, 0, 2])
CUBE_P = RNG.uniform(0.1, 0.9, (2, 3, 4))
CUBE_TARGET = softmax(RNG.randn(2, 3, 4), 1)
ROWS = np.arange(3)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "wanted"),
    [
        ("categorical_crossentropy", (TARGET, P), {}, crossentropy(TARGET, P)),
        ("categorical_crossentropy", (CUBE_TARGET, CUBE_P), {"axis": 1}, crossentropy(CUBE_TARGET, CUBE_P,
        1)), ("categorical_crossentropy", (TARGET, X), {"from_logits": True}, -(TARGET *
        np.log(softmax(X))).sum(-1)), ("sparse_categorical_crossentropy", (CLASSES, P), {}, -np.log(P /
        P.sum(-1, keepdims=True))[ROWS, CLASSES]), ("sparse_categorical_crossentropy", (CLASSES[:,
        None].astype(float), P), {},
         -np.log(P / P.sum(-1, keepdims=True))[ROWS, CLASSES]),
        ("sparse_categorical_crossentropy", (CLASSES, X), {"from_logits": True}, -np.log(softmax(X))[ROWS,
        CLASSES]), ("sparse_categorical_crossentropy", (np.array([[0, 2, 1, 1], [1, 0, 0, 2]]), CUBE_P),
        {"axis": 1},
         -np.log(np.take_along_axis(CUBE_P / CUBE_P.sum(1, keepdims=True),
                                    np.array([[[0, 2, 1, 1]], [[1, 0, 0, 2]]]), 1))[:, 0]),
        ("binary_crossentropy", (TARGET, P), {}, binary(TARGET, P)),
        ("binary_crossentropy", (TARGET, X), {"from_logits": True}, binary(TARGET, sigmoid(X))),
        ("binary_crossentropy", (TARGET[:, :1], X[:, :1]), {"from_logits": True},
         binary(TARGET[:, :1], sigmoid(X[:, :1]))),
    ],
)  # fmt: skip
def test_crossentropy(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], wanted: Any) -> None:
    check_same(name, args, kwargs, wanted)


def test_crossentropies_of_impossible_predictions_are_finite() -> None:
    target, output = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    np.testing.assert_allclose(K.categorical_crossentropy(target, output), [-math.log(1e-7)], rtol=1e-5)
    np.testing.assert_allclose(K.sparse_categorical_crossentropy([1], output), [-math.log(1e-7)], rtol=1e-5)
    # In float32, 1 - (1 - 1e-7) is 1.19e-7.
    wanted = [[-math.log(2.0**-23), -math.log(1e-7)]]
    np.testing.assert_allclose(K.binary_crossentropy(target, output), wanted, rtol=1e-4)


@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_crossentropy_refuses_an_axis_that_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match="Unexpected channels axis 5"):
        getattr(K, name)(P, P, axis=5)


def numeric_gradient(f: Callable[[np.ndarray], Any], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of the sum of `f`, in float64."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        moved = np.zeros_like(x)
        moved[i] = step
        gradient[i] = (np.sum(f(x + moved)) - np.sum(f(x - moved))) / (2 * step)
    return gradient


GRADIENTS: list[tuple[str, Callable[[Any], Any], Callable[[np.ndarray], Any], np.ndarray]] = [
    ("relu", lambda x: K.relu(x, 0.2, 1.5, 0.3), lambda x: relu(x, 0.2, 1.5, 0.3), X),
    ("elu", K.elu, lambda x: np.where(x > 0, x, np.expm1(x)), X),
    ("softmax", lambda x: K.square(K.softmax(x)), lambda x: softmax(x) ** 2, X),
    ("softplus", K.softplus, lambda x: np.log1p(np.exp(x)), X),
    ("softsign", K.softsign, lambda x: x / (1 + np.abs(x)), X),
    ("sigmoid", K.sigmoid, sigmoid, X),
    ("hard_sigmoid", K.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1), X),
    ("tanh", K.tanh, np.tanh, X),
    (
        "l2_normalize",
        lambda x: Y * K.l2_normalize(x, 1),
        lambda x: Y * x / np.sqrt((x**2).sum(1, keepdims=True)),
        X,
    ),
    ("std", lambda x: K.std(x, 1), lambda x: x.std(1), X),
    ("logsumexp", lambda x: K.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1)), X),
    ("categorical", lambda x: K.categorical_crossentropy(TARGET, x), lambda x: crossentropy(TARGET, x), P),
    (
        "categorical logits",
        lambda x: K.categorical_crossentropy(TARGET, x, from_logits=True),
        lambda x: crossentropy(TARGET, softmax(x)),
        X,
    ),
    (
        "sparse",
        lambda x: K.sparse_categorical_crossentropy(CLASSES, x),
        lambda x: -np.log(x / x.sum(-1, keepdims=True))[ROWS, CLASSES],
        P,
    ),
    ("binary", lambda x: K.binary_crossentropy(TARGET, x), lambda x: binary(TARGET, x), P),
    (
        "binary logits",
        lambda x: K.binary_crossentropy(TARGET, x, from_logits=True),
        lambda x: binary(TARGET, sigmoid(x)),
        X,
    ),
    ("batch_dot", lambda x: K.batch_dot(x, x, 1), lambda x: (x * x).sum(1), X),
]


@pytest.mark.parametrize(("function", "reference", "at"), [g[1:] for g in GRADIENTS], ids=[g[0] for g in GRADIENTS])
def test_gradient(function: Callable[[Any], Any], reference: Callable[[np.ndarray], Any], at: np.ndarray) -> None:
    x = K.placeholder(at.shape)
    run = K.function([x], K.gradients(function(x), [x]))
    np.testing.assert_allclose(run([at])[0], numeric_gradient(reference, at), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(
    ("function", "at", "wanted"),
    [
        (K.relu, 0.0, 0.0),
        (lambda x: K.relu(x, alpha=0.3), 0.0, 0.3),
        (K.abs, 0.0, 0.0),
        (K.elu, 0.0, 1.0),
        (K.sqrt, -1.0, 0.0),
        (lambda x: K.maximum(x, 0.0), 0.0, 1.0),
        (lambda x: K.minimum(0.0, x), 0.0, 0.0),
        (lambda x: K.clip(x, 0.0, 1.0), 1.0, 1.0),
        (lambda x: K.clip(x, 0.0, 1.0), 2.0, 0.0),
        (lambda x: K.l2_normalize(K.reshape(x, (1,))), 0.0, 1e6),
        (lambda x: K.pow(x, 2.0), 0.0, 0.0),
        (K.softplus, 200.0, 1.0),
        (K.sigmoid, -200.0, 0.0),
        (lambda x: K.binary_crossentropy(1.0, x), 0.0, 0.0),
        (lambda x: K.elu(x), 1000.0, 1.0),
    ],
)
def test_gradient_at_an_edge(function: Callable[[Any], Any], at: float, wanted: float) -> None:
    v = K.variable(at)
    gradient = K.eval(K.gradients(function(v), v)[0])
    tolerance = 1e-6 if wanted or "binary" not in str(function) else 1e8
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=tolerance)


def test_nan_is_not_hidden() -> None:
    for function in (K.relu, lambda x: K.relu(x, threshold=1.0), lambda x: K.maximum(x, 0.0), K.elu, K.sqrt,
                     lambda x: K.clip(x, 0.0, 1.0), lambda x: K.minimum(0.0, x)):  # fmt: skip
        assert np.isnan(function(np.float32("nan")))


@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_binary_crossentropy_has_the_right_slope_at_a_logit_of_zero(target: float) -> None:
    # Where a kink of `relu` and one of `abs` in the usual formula meet; the slope is sigmoid(z) - target.
    def loss(z: jax.Array) -> jax.Array:
        return K.binary_crossentropy(jnp.float32(target), z, from_logits=True)

    assert float(jax.grad(loss)(jnp.float32(0.0))) == 0.5 - target
