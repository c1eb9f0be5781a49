"""Losses: closed formulas, derivatives, recorded Keras 2.2.4, today's Keras, objects, lookups and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests import golden, today
from kjax import losses
from kjax._core import graph, scope
from kjax._core.registry import CustomObjectScope

EPSILON = 1e-7


def clip(p: np.ndarray) -> np.ndarray:
    return np.clip(p, EPSILON, 1 - EPSILON)


def numpy_categorical(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(t * np.log(clip(p / p.sum(-1, keepdims=True)))).sum(-1)


def numpy_sparse(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    log = np.log(clip(p)) - np.log(clip(p).sum(-1, keepdims=True))
    return -np.take_along_axis(log, t.astype(int).reshape((*p.shape[:-1], 1)), -1)[..., 0]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt(np.maximum(np.square(x).sum(-1, keepdims=True), 1e-12))


def numpy_kld(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    t, p = np.clip(t, EPSILON, 1), np.clip(p, EPSILON, 1)
    return (t * np.log(t / p)).sum(-1)


def numpy_msle(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.square(np.log(np.maximum(p, EPSILON) + 1) - np.log(np.maximum(t, EPSILON) + 1)).mean(-1)


def numpy_huber(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    e = np.abs(p - t)
    return np.where(e <= 1, e * e / 2, e - 0.5).mean(-1)


FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean_squared_error": lambda t, p: np.square(p - t).mean(-1),
    "mean_absolute_error": lambda t, p: np.abs(p - t).mean(-1),
    "mean_absolute_percentage_error": lambda t, p: 100 * (np.abs(t - p) / np.maximum(np.abs(t), EPSILON)).mean(-1),
    "mean_squared_logarithmic_error": numpy_msle,
    "squared_hinge": lambda t, p: np.square(np.maximum(1 - t * p, 0)).mean(-1),
    "hinge": lambda t, p: np.maximum(1 - t * p, 0).mean(-1),
    "categorical_hinge": lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0),
    "logcosh": lambda t, p: np.log(np.cosh(p - t)).mean(-1),
    "huber_loss": numpy_huber,
    "categorical_crossentropy": numpy_categorical,
    "sparse_categorical_crossentropy": numpy_sparse,
    "binary_crossentropy": lambda t, p: -(t * np.log(clip(p)) + (1 - t) * np.log(1 - clip(p))).mean(-1),
    "kullback_leibler_divergence": numpy_kld,
    "poisson": lambda t, p: (p - t * np.log(p + EPSILON)).mean(-1),
    "cosine_proximity": lambda t, p: -(unit(t) * unit(p)).sum(-1),
    "cosine_similarity": lambda t, p: -(unit(t) * unit(p)).sum(-1),
}
NAMES = sorted(FORMULAS)
SIGNED = {"squared_hinge", "hinge"}
ONE_HOT = {"categorical_crossentropy", "categorical_hinge"}
PROBABILITIES = {"kullback_leibler_divergence"}


def data(name: str, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions that suit a loss, none of them on a kink of it."""
    draw = np.random.RandomState(11)
    p = draw.uniform(0.02, 0.98, shape)
    if name in ONE_HOT or name == "sparse_categorical_crossentropy":
        p = p / p.sum(-1, keepdims=True)
        classes = draw.randint(shape[-1], size=shape[:-1])
        return (np.eye(shape[-1])[classes] if name in ONE_HOT else classes), p
    if name in SIGNED:
        return draw.choice([-1.0, 1.0], size=shape), draw.uniform(-2, 2, shape)
    if name == "binary_crossentropy":
        return draw.randint(2, size=shape).astype("float64"), p
    if name in PROBABILITIES:
        return draw.uniform(0.02, 0.98, shape), p
    if name in {"poisson", "mean_squared_logarithmic_error"}:
        return draw.uniform(0.1, 3, shape), draw.uniform(0.1, 3, shape)
    return draw.uniform(-2, 2, shape), draw.uniform(-2, 2, shape)


def single(y: np.ndarray) -> np.ndarray:
    return y.astype("float32") if y.dtype == "float64" else y


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4), (2, 3, 2, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_formula(name: str, shape: tuple[int, ...]) -> None:
    t, p = data(name, *shape)
    wanted = FORMULAS[name](t, p)
    assert wanted.shape == shape[:-1]
    got = losses.get(name)(single(t), single(p))
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6)
    with jax.enable_x64(True):
        np.testing.assert_allclose(losses.get(name)(t, p), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_derivative(name: str) -> None:
    t, p = data(name, 6, 4)
    with jax.enable_x64(True):
        got = today.gradient(lambda v: losses.get(name)(t, v), p)
    np.testing.assert_allclose(got, today.slope(lambda v: FORMULAS[name](t, v), p), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_targets_of_any_type(name: str) -> None:
    classes = np.array([0, 2, 1, 2, 3, 0])
    hot = np.eye(4)[classes]
    t = classes if name == "sparse_categorical_crossentropy" else hot
    p = single(np.random.RandomState(2).uniform(0.1, 0.9, (6, 4)))
    function = losses.get(name)
    wanted = np.asarray(function(t.astype("float32"), p))
    for dtype in ("int64", "int32", "uint8", "float64", "float16"):
        got = function(t.astype(dtype), p)
        assert got.dtype == "float32"
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(function(t.tolist(), jnp.asarray(p)), wanted)
    if t is hot:
        np.testing.assert_array_equal(function(t.astype(bool), p), wanted)
    assert function(t, p.astype("float16")).dtype == "float16"


@pytest.mark.parametrize("name", [n for n in NAMES if n != "sparse_categorical_crossentropy"])
def test_targets_without_the_last_axis(name: str) -> None:
    t, p = (single(y) for y in data(name, 5, 1))
    wanted = np.asarray(losses.get(name)(t, p))
    np.testing.assert_array_equal(losses.get(name)(t[:, 0], p), wanted)
    assert wanted.shape == (5,)


def test_sparse_targets_with_a_last_axis() -> None:
    t, p = data("sparse_categorical_crossentropy", 2, 3, 4)
    got = losses.sparse_categorical_crossentropy(t[..., None], single(p))
    np.testing.assert_allclose(got, numpy_sparse(t, p), rtol=1e-5)


# Where a formula has a kink, a pole or a division by zero: equal, zero or saturated targets and predictions.
CORNERS = [(0, 0), (1, 1), (0, 1), (1, 0)]


@pytest.mark.parametrize(("target", "prediction"), CORNERS)
@pytest.mark.parametrize("name", NAMES)
def test_corners(name: str, target: int, prediction: int) -> None:
    """Rows of one value, but for probabilities, which are 1 in one place."""
    t, p = np.full((6, 4), target, "float32"), np.full((6, 4), prediction, "float32")
    if name in ONE_HOT or name == "sparse_categorical_crossentropy":
        classes = np.full(6, target)
        t = np.eye(4, dtype="float32")[classes] if name in ONE_HOT else classes
        p = np.eye(4, dtype="float32")[np.full(6, prediction)]
    function = losses.get(name)
    assert np.isfinite(function(t, p)).all()
    assert np.isfinite(today.gradient(lambda v: function(t, v), p)).all()


def test_derivative_of_an_exact_prediction_is_zero() -> None:
    y = np.array([[0.0, 1.0, -2.0]], "float32")
    for name in ("mse", "mae", "mape", "logcosh", "huber"):
        assert (today.gradient(lambda v, name=name: losses.get(name)(y, v), y) == 0).all(), name


def test_large_errors_do_not_overflow() -> None:
    t, p = np.zeros((2, 2), "float32"), np.array([[1e4, -1e4], [1e8, -1e8]], "float32")
    np.testing.assert_allclose(losses.logcosh(t, p), [1e4 - np.log(2), 1e8], rtol=1e-6)
    np.testing.assert_allclose(losses.huber_loss(t, p), [1e4 - 0.5, 1e8], rtol=1e-6)
    logits = np.array([[1e4, -1e4], [-1e8, 1e8]], "float32")
    hot = np.array([[0, 1], [0, 1]])
    got = losses.categorical_crossentropy(hot, logits, from_logits=True)
    np.testing.assert_allclose(got, [2e4, 0], rtol=1e-6)
    got = losses.binary_crossentropy(hot, logits, from_logits=True)
    np.testing.assert_allclose(got, [1e4, 0], rtol=1e-6)


def test_from_logits() -> None:
    logits = np.random.RandomState(4).normal(size=(5, 3))
    soft = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    classes = np.array([0, 1, 2, 1, 0])
    hot = np.eye(3)[classes]
    for name, t, p in [
        ("categorical_crossentropy", hot, soft),
        ("sparse_categorical_crossentropy", classes, soft),
        ("binary_crossentropy", hot, 1 / (1 + np.exp(-logits))),
    ]:
        got = losses.get(name)(t, single(logits), from_logits=True)
        np.testing.assert_allclose(got, FORMULAS[name](t, p), rtol=1e-5)


def test_label_smoothing() -> None:
    t, p = data("categorical_crossentropy", 6, 4)
    got = losses.categorical_crossentropy(t, single(p), label_smoothing=0.2)
    np.testing.assert_allclose(got, numpy_categorical(t * 0.8 + 0.05, p), rtol=1e-5)
    t, p = data("binary_crossentropy", 6, 4)
    got = losses.binary_crossentropy(t, single(p), label_smoothing=0.2)
    np.testing.assert_allclose(got, FORMULAS["binary_crossentropy"](t * 0.8 + 0.1, p), rtol=1e-5)


def test_axis() -> None:
    t, p = data("sparse_categorical_crossentropy", 2, 3, 4)
    got = losses.sparse_categorical_crossentropy(t, single(np.moveaxis(p, -1, 1)), axis=1)
    np.testing.assert_allclose(got, numpy_sparse(t, p), rtol=1e-5)
    t, p = data("cosine_proximity", 3, 4)
    np.testing.assert_allclose(
        losses.cosine_similarity(single(t), single(p), axis=0),
        FORMULAS["cosine_proximity"](t.T, p.T),
        rtol=1e-5,
    )


TODAY = {"logcosh": "log_cosh", "huber_loss": "huber", "cosine_proximity": "cosine_similarity"}
TODAY["kullback_leibler_divergence"] = "kl_divergence"


@pytest.mark.parametrize("name", NAMES)
def test_todays_keras(name: str) -> None:
    t, p = (single(y) for y in data(name, 6, 4))
    peer = getattr(today.keras().losses, TODAY.get(name, name))
    with today.lenient():
        values, slopes = np.asarray(peer(t, p)), today.gradient(lambda v: peer(t, v), p)
    np.testing.assert_allclose(losses.get(name)(t, p), values, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(today.gradient(lambda v: losses.get(name)(t, v), p), slopes, rtol=1e-4, atol=1e-5)


def test_where_todays_keras_differs() -> None:
    """It takes 0 for -1 in hinges, and the derivative of an absolute value at 0 is not 0, as TensorFlow's was."""
    peer = today.keras().losses
    t, p = np.array([[0.0, 1.0]], "float32"), np.array([[0.5, 0.5]], "float32")
    with today.lenient():
        assert float(peer.hinge(t, p)[0]) == 1.0
        assert (today.gradient(lambda v: peer.mean_absolute_error(p, v), p) != 0).all()
    assert float(losses.hinge(t, p)[0]) == 0.75
    assert (today.gradient(lambda v: losses.mean_absolute_error(p, v), p) == 0).all()


def recorded_losses() -> list[tuple[str, str]]:
    """Recorded runs with one loss that is named, no penalties in it and no masks: case and loss."""
    found = []
    for case in golden.load("losses").values():
        named = re.search(r"loss='(\w+)'", case.meta["compile"])
        if named and case.meta["n_y"] == 1 and not re.search("regularizer|Masking", case.meta["build"]):
            found.append((case.name, named[1]))
    return found


@pytest.mark.parametrize(("name", "loss"), recorded_losses())
def test_recorded(name: str, loss: str) -> None:
    """What `evaluate` returned is the mean over the samples of the predictions after training."""
    case = golden.load("losses")[name]
    got = losses.get(loss)(case.arrays["y0"], case.arrays["pred1_0"])
    np.testing.assert_allclose(np.mean(got), case.meta["evaluate"][0], rtol=2e-5)


def test_recorded_losses_are_many() -> None:
    assert {losses.get(loss).__name__ for _, loss in recorded_losses()} >= set(FORMULAS) - {
        "huber_loss",
        "cosine_similarity",
        "binary_crossentropy",
    }


@pytest.mark.parametrize("name", NAMES)
def test_symbolic(name: str) -> None:
    t, p = (single(y) for y in data(name, 6, 4))
    feeds = {
        graph.Tensor((None, *t.shape[1:]), t.dtype): jnp.asarray(t),
        graph.Tensor((None, 4), "float32"): jnp.asarray(p),
    }
    loss = losses.get(name)(*feeds)
    assert tuple(loss.shape) == (None,)
    with scope.Scope():
        (got,), _ = graph.evaluate([loss], feeds)
    np.testing.assert_allclose(got, losses.get(name)(t, p), rtol=1e-5)


ALIASES = {
    "mean_squared_error": ("mse", "MSE"),
    "mean_absolute_error": ("mae", "MAE"),
    "mean_absolute_percentage_error": ("mape", "MAPE"),
    "mean_squared_logarithmic_error": ("msle", "MSLE"),
    "kullback_leibler_divergence": ("kld", "KLD", "kl_divergence"),
    "cosine_proximity": ("cosine",),
    "logcosh": ("log_cosh",),
    "huber_loss": ("huber",),
}


@pytest.mark.parametrize("name", NAMES)
def test_lookup(name: str) -> None:
    function = getattr(losses, name)
    assert function.__name__ == name
    for alias in (name, *ALIASES.get(name, ())):
        assert getattr(losses, alias) is function
        assert losses.get(alias) is function
        assert losses.deserialize(alias) is function
    assert losses.get(function) is function
    assert losses.serialize(function) == name


OBJECTS: list[tuple[str, str, dict[str, Any]]] = [
    ("MeanSquaredError", "mean_squared_error", {}),
    ("MeanAbsoluteError", "mean_absolute_error", {}),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {}),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", {}),
    ("Hinge", "hinge", {}),
    ("SquaredHinge", "squared_hinge", {}),
    ("CategoricalHinge", "categorical_hinge", {}),
    ("LogCosh", "logcosh", {}),
    ("KLDivergence", "kullback_leibler_divergence", {}),
    ("Poisson", "poisson", {}),
    ("BinaryCrossentropy", "binary_crossentropy", {"from_logits": False, "label_smoothing": 0.0}),
    ("CategoricalCrossentropy", "categorical_crossentropy", {"from_logits": False, "label_smoothing": 0.0}),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", {"from_logits": False}),
    ("Huber", "huber_loss", {"delta": 1.0}),
    ("CosineSimilarity", "cosine_similarity", {"axis": -1}),
]


@pytest.mark.parametrize(("name", "function", "options"), OBJECTS)
def test_objects(name: str, function: str, options: dict[str, Any]) -> None:
    cls = getattr(losses, name)
    loss = cls()
    t, p = (single(y) for y in data(function, 6, 4))
    each = np.asarray(losses.get(function)(t, p))
    np.testing.assert_array_equal(loss.call(t, p), each)
    np.testing.assert_allclose(loss(t, p), each.mean(), rtol=1e-6)
    assert loss.get_config() == {"reduction": "sum_over_batch_size", "name": loss.name, **options}
    written = losses.serialize(loss)
    assert written == {"class_name": name, "config": loss.get_config()}
    assert losses.get(written).get_config() == loss.get_config()
    assert type(losses.get(name)) is cls
    assert type(losses.get(cls)) is cls
    assert losses.get(loss) is loss


@pytest.mark.parametrize(("name", "function", "options"), OBJECTS)
def test_objects_of_todays_keras(name: str, function: str, options: dict[str, Any]) -> None:
    t, p = (single(y) for y in data(function, 6, 4))
    weights = np.array([0, 1, 2, 0.5, 1, 3], "float32")
    for reduction in ("sum_over_batch_size", "sum", "none"):
        with today.lenient():
            peer = getattr(today.keras().losses, name)(reduction=reduction)
            plain, weighted = np.asarray(peer(t, p)), np.asarray(peer(t, p, weights))
        loss = getattr(losses, name)(reduction=reduction)
        np.testing.assert_allclose(loss(t, p), plain, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(loss(t, p, sample_weight=weights), weighted, rtol=2e-5, atol=1e-6)


def test_options_of_objects() -> None:
    t, p = (single(y) for y in data("binary_crossentropy", 5, 4))
    loss = losses.BinaryCrossentropy(True, 0.1, name="mine")
    assert loss.get_config() == {
        "reduction": "sum_over_batch_size",
        "name": "mine",
        "from_logits": True,
        "label_smoothing": 0.1,
    }
    wanted = losses.binary_crossentropy(t, p, from_logits=True, label_smoothing=0.1)
    np.testing.assert_array_equal(losses.get(losses.serialize(loss)).call(t, p), wanted)
    e = np.abs(p - t)
    wanted = np.where(e <= 0.3, e * e / 2, 0.3 * e - 0.045).mean(-1)
    np.testing.assert_allclose(losses.Huber(delta=0.3).call(t, p), wanted, rtol=1e-5)
    wanted = losses.sparse_categorical_crossentropy([1, 2, 0, 1, 1], p, from_logits=True)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(loss([1, 2, 0, 1, 1], p), np.mean(wanted), rtol=1e-6)


def test_sample_weights() -> None:
    t, p = (single(y) for y in data("mean_squared_error", 2, 3, 4))
    each = np.asarray(losses.mse(t, p))
    loss = losses.MeanSquaredError()
    for weights in (np.array([1.0, 3.0]), np.array([[1.0], [3.0]]), np.arange(6.0).reshape(2, 3), 2.0):
        shaped = np.array(weights)[:, None] if np.ndim(weights) == 1 else weights
        np.testing.assert_allclose(loss(t, p, weights), (each * shaped).mean(), rtol=1e-5)
    column = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(loss(t[:, 0], p[:, 0], column), (each[:, 0] * column[:, 0]).mean(), rtol=1e-5)


class Own(losses.Loss):
    def __init__(self, power: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return jnp.mean((y_pred - y_true) ** self.power, -1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


def test_own_losses() -> None:
    def own(y_true: Any, y_pred: Any) -> Any:
        return y_pred - y_true

    assert losses.get(None) is None
    assert losses.get(own) is own
    assert losses.serialize(own) == "own"
    loss = Own(2, reduction=losses.Reduction.SUM)
    assert loss.name == "own"
    assert float(loss(np.zeros((3, 2), "float32"), np.full((3, 2), 2.0, "float32"))) == 12
    with CustomObjectScope({"Own": Own, "own": own}):
        assert losses.get("own") is own
        again = losses.get(losses.serialize(loss))
    assert (again.power, again.reduction) == (2, "sum")
    np.testing.assert_array_equal(type("Mine", (losses.Hinge,), {})().call([[1.0]], [[0.5]]), [0.5])


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown loss function: ?foo"):
        losses.get("foo")
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="Could not interpret loss function identifier: 3"):
        losses.get(3)
    with pytest.raises(ValueError, match=r"Invalid Reduction Key 'mean'. Expected one of .*'sum'"):
        losses.Hinge(reduction="mean")
    with pytest.raises(NotImplementedError, match=r"Loss has to define `call\(y_true, y_pred\)`"):
        losses.Loss()([1.0], [1.0])
