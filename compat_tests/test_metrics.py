"""Metrics: closed formulas, recorded Keras 2.2.4, today's Keras, lookups and errors."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests import golden, today
from kjax import losses, metrics
from kjax._core import graph, scope
from kjax._core.registry import CustomObjectScope

OWN = [
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "top_k_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
]


def predictions(*shape: int) -> np.ndarray:
    return np.random.RandomState(8).uniform(size=shape).astype("float32")


def classes(*shape: int, count: int = 10) -> np.ndarray:
    return np.random.RandomState(9).randint(count, size=shape)


def place(p: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Place of the right class among the predictions in falling order."""
    order = np.argsort(-p, -1)
    return np.argmax(order == right[..., None], -1)


@pytest.mark.parametrize("shape", [(40,), (5, 8), (2, 4, 5)])
def test_accuracies(shape: tuple[int, ...]) -> None:
    p, right = predictions(*shape, 10), classes(*shape)
    hot = np.eye(10)[right]
    places = place(p, right)
    assert 0 < (places == 0).sum() < places.size
    for got, wanted in [
        (metrics.categorical_accuracy(hot, p), places == 0),
        (metrics.sparse_categorical_accuracy(right, p), places == 0),
        (metrics.of_samples(metrics.top_k_categorical_accuracy)(hot, p), places < 5),
        (metrics.of_samples(metrics.sparse_top_k_categorical_accuracy)(right, p, k=2), places < 2),
    ]:
        assert got.dtype == "float32"
        assert got.shape == shape
        np.testing.assert_array_equal(got, wanted)
    for function, y in (
        (metrics.top_k_categorical_accuracy, hot),
        (metrics.sparse_top_k_categorical_accuracy, right),
    ):
        for k in (5, 2):
            np.testing.assert_allclose(function(y, p, k=k), np.mean(places < k), 1e-6)


@pytest.mark.parametrize("shape", [(40,), (5, 8)])
def test_sparse_targets_as_a_model_gives_them(shape: tuple[int, ...]) -> None:
    p, right = predictions(*shape, 10), classes(*shape)
    for function in (metrics.sparse_categorical_accuracy, metrics.sparse_top_k_categorical_accuracy):
        wanted = np.asarray(function(right, p))
        for targets in (
            right[..., None],
            right[..., None].astype("float32"),
            right.tolist(),
            right.astype("uint8"),
        ):
            np.testing.assert_array_equal(function(targets, p), wanted)


def test_ties_count_for_the_right_class() -> None:
    p = np.array([[0.5, 0.5, 0.5, 0.1], [np.nan, 0.5, 0.4, 0.3]], "float32")
    of_samples = metrics.of_samples(metrics.sparse_top_k_categorical_accuracy)
    assert of_samples([2, 1], p, k=1).tolist() == [1, 1]
    assert of_samples([3, 0], p, k=3).tolist() == [0, 0]


def test_binary_accuracy() -> None:
    p = np.array([[0.2, 0.5, 0.51, 0.9], [0.1, 0.7, 0.3, 1.6]], "float32")
    t = np.array([[0, 0, 1, 0], [1, 1, 0, 2]])
    assert metrics.binary_accuracy(t, p).tolist() == [0.75, 0.75]
    assert metrics.binary_accuracy(t.astype("float64"), p).tolist() == [0.75, 0.75]
    assert metrics.binary_accuracy(t == 1, p).tolist() == [0.75, 0.5]
    assert metrics.binary_accuracy(t, p, threshold=0.25).tolist() == [0.5, 0.25]
    assert metrics.binary_accuracy([1, 0], [[0.7], [0.7]]).tolist() == [1, 0]
    assert metrics.binary_accuracy(np.ones((2, 3, 4)), np.ones((2, 3, 4))).shape == (2, 3)


@pytest.mark.parametrize("name", OWN)
def test_todays_keras(name: str) -> None:
    p, right = predictions(30, 10), classes(30)
    t: np.ndarray = right if name.startswith("sparse") else np.eye(10, dtype="float32")[right]
    if name == "binary_accuracy":
        t = classes(30, 10, count=2)
    with today.lenient():
        peer = np.asarray(getattr(today.keras().metrics, name)(t, p))
    if name == "binary_accuracy":
        assert peer.shape == (30, 10)  # it no longer takes the mean
        peer = peer.mean(-1)
    np.testing.assert_allclose(metrics.of_samples(metrics.get(name))(t, p), peer, rtol=1e-6)


RECORDED = [
    case.name
    for case in golden.load("losses").values()
    if re.search(r"loss='\w+'", case.meta["compile"])
    and case.meta["n_y"] == 1
    and "Masking" not in case.meta["build"]
    and re.search(r" metrics=\[", case.meta["compile"])
]


def accuracy(loss: str, outputs: int) -> Any:
    """What `'acc'` means beside a loss."""
    if outputs == 1 or loss == "binary_crossentropy":
        return metrics.binary_accuracy
    sparse = loss == "sparse_categorical_crossentropy"
    return metrics.sparse_categorical_accuracy if sparse else metrics.categorical_accuracy


@pytest.mark.parametrize("name", RECORDED)
def test_recorded(name: str) -> None:
    """What `evaluate` returned after the loss are means over the predictions after training."""
    case = golden.load("losses")[name]
    source = case.meta["compile"]
    named = re.findall(r"'(\w+)'", re.search(r" metrics=\[(.*?)\]", source)[1])  # type: ignore[index]
    t, p = case.arrays["y0"], case.arrays["pred1_0"]
    loss = re.search(r"loss='(\w+)'", source)[1]  # type: ignore[index]
    for metric, key, wanted in zip(named, case.meta["metrics_names"][1:], case.meta["evaluate"][1:], strict=False):
        short = metric in ("acc", "accuracy")
        function = accuracy(loss, p.shape[-1]) if short else metrics.get(metric)
        assert key == ("acc" if short else function.__name__)
        np.testing.assert_allclose(np.mean(function(t, p)), wanted, rtol=2e-5, atol=1e-6)


def test_recorded_metrics_are_many() -> None:
    keys = {key for name in RECORDED for key in golden.load("losses")[name].meta["metrics_names"][1:]}
    assert keys >= {
        "acc",
        "mean_absolute_error",
        "mean_squared_error",
        "cosine_proximity",
        "logcosh",
        "hinge",
    }


@pytest.mark.parametrize("name", OWN)
def test_symbolic(name: str) -> None:
    p, right = predictions(6, 10), classes(6, 1)
    t: np.ndarray = right if name.startswith("sparse") else np.eye(10, dtype="float32")[right[:, 0]]
    feeds = {
        graph.Tensor((None, t.shape[1]), "float32"): jnp.asarray(t, "float32"),
        graph.Tensor((None, 10), "float32"): jnp.asarray(p),
    }
    metric = metrics.of_samples(metrics.get(name))(*feeds)
    assert tuple(metric.shape) == (None,)
    with scope.Scope():
        (got,), _ = graph.evaluate([metric], feeds)
    np.testing.assert_allclose(got, metrics.of_samples(metrics.get(name))(t, p), rtol=1e-6)


@pytest.mark.parametrize("name", OWN)
def test_lookup(name: str) -> None:
    function = getattr(metrics, name)
    assert metrics.get(name) is function
    assert metrics.get(function) is function
    assert metrics.serialize(function) == name
    assert metrics.deserialize(name) is function


LOSSES = [n for n in losses.registry.names() if not isinstance(losses.registry.find(n), type)]


@pytest.mark.parametrize("name", [n for n in LOSSES if n != "cosine_similarity"])
def test_losses_are_metrics(name: str) -> None:
    assert metrics.get(name) is losses.get(name)


@pytest.mark.parametrize(
    "name",
    [
        "mean_squared_error",
        "mse",
        "MSE",
        "mean_absolute_error",
        "mae",
        "MAE",
        "mean_absolute_percentage_error",
        "mape",
        "MAPE",
        "mean_squared_logarithmic_error",
        "msle",
        "MSLE",
        "squared_hinge",
        "hinge",
        "categorical_hinge",
        "logcosh",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "binary_crossentropy",
        "kullback_leibler_divergence",
        "kld",
        "KLD",
        "poisson",
        "cosine_proximity",
        "cosine",
    ],
)
def test_losses_are_names_of_the_module(name: str) -> None:
    assert getattr(metrics, name) is getattr(losses, name)


def test_cosine_similarity_has_no_minus() -> None:
    """The loss of this name has one, and so has the older metric `cosine`."""
    t, p = predictions(4, 3), predictions(4, 3) ** 2
    wanted = (t * p).sum(-1) / np.sqrt(np.square(t).sum(-1) * np.square(p).sum(-1))
    np.testing.assert_allclose(metrics.get("cosine_similarity")(t, p), wanted, rtol=1e-5)
    np.testing.assert_allclose(metrics.get("cosine")(t, p), -wanted, rtol=1e-5)
    np.testing.assert_allclose(losses.get("cosine_similarity")(t, p), -wanted, rtol=1e-5)
    with today.lenient():
        measure = today.keras().metrics.CosineSimilarity()
        measure.update_state(t, p)
        np.testing.assert_allclose(float(measure.result()), wanted.mean(), rtol=1e-5)


def test_own_metrics() -> None:
    def own(y_true: Any, y_pred: Any) -> Any:
        return y_pred

    assert metrics.get(own) is own
    assert metrics.serialize(own) == "own"
    with CustomObjectScope({"own": own}):
        assert metrics.get("own") is own


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Unknown metric function: ?foo"):
        metrics.get("foo")
    with pytest.raises(ValueError, match="Could not interpret metric function identifier: 3"):
        metrics.get(3)
