"""Metrics with a state: values against today's Keras and scikit-learn, and their way through training and testing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compat_tests import today
from kjax import backend as K
from kjax import metrics
from kjax.layers import Dense, Layer
from kjax.models import Sequential

RNG = np.random.RandomState(3)
Y = RNG.randint(0, 2, (40, 3)).astype("float32")
P = np.clip(0.3 * Y + 0.7 * RNG.rand(40, 3), 0.01, 0.99).astype("float32")
W = RNG.rand(40).astype("float32")

SAME: dict[str, dict[str, Any]] = {
    "Accuracy": {},
    "BinaryAccuracy": {"threshold": 0.6},
    "CategoricalAccuracy": {},
    "TopKCategoricalAccuracy": {"k": 2},
    "MeanSquaredError": {},
    "RootMeanSquaredError": {},
    "MeanAbsoluteError": {},
    "MeanAbsolutePercentageError": {},
    "MeanSquaredLogarithmicError": {},
    "CosineSimilarity": {},
    "LogCoshError": {},
    "Poisson": {},
    "BinaryCrossentropy": {"label_smoothing": 0.1},
    "TruePositives": {"thresholds": [0.3, 0.6]},
    "TrueNegatives": {},
    "FalsePositives": {},
    "FalseNegatives": {},
    "Precision": {"class_id": 1},
    "Recall": {"top_k": 2},
    "AUC": {"curve": "PR"},
    "SensitivityAtSpecificity": {"specificity": 0.6},
    "SpecificityAtSensitivity": {"sensitivity": 0.6},
    "PrecisionAtRecall": {"recall": 0.6},
    "RecallAtPrecision": {"precision": 0.6},
}


@pytest.mark.parametrize("name", SAME)
def test_as_today(name: str) -> None:
    ours = getattr(metrics, name)(**SAME[name])
    with today.lenient():
        theirs = getattr(today.keras().metrics, name)(**SAME[name])
        for part in (slice(0, 25), slice(25, 40)):
            theirs.update_state(Y[part], P[part], sample_weight=W[part])
        wanted = np.asarray(theirs.result())
    for part in (slice(0, 25), slice(25, 40)):
        ours.update_state(Y[part], P[part], sample_weight=W[part])
    np.testing.assert_allclose(ours.result().numpy(), wanted, rtol=2e-5)
    again = type(ours).from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    ours.reset_states()
    assert all(not variable.numpy().any() for variable in ours.weights)


NUMBERS, SCORES = RNG.randint(0, 3, 40), RNG.rand(40, 3).astype("float32")
OVERLAPS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2, 3]}, NUMBERS, SCORES.argmax(-1)),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.6}, Y, P),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [2]}, np.eye(3, dtype="float32")[NUMBERS], SCORES),
    ("OneHotMeanIoU", {"num_classes": 3}, np.eye(3, dtype="float32")[NUMBERS], SCORES),
    ("F1Score", {}, Y, P),
    ("F1Score", {"average": "micro", "threshold": 0.6}, Y, P),
    ("F1Score", {"average": "weighted"}, Y, P),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, Y, P),
]


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # by today's Keras
@pytest.mark.parametrize(("name", "how", "y_true", "y_pred"), OVERLAPS)
def test_overlaps_as_today(name: str, how: dict[str, Any], y_true: Any, y_pred: Any) -> None:
    how = {**how, "dtype": "float32"}
    ours = getattr(metrics, name)(**how)
    with today.lenient():
        theirs = getattr(today.keras().metrics, name)(**how)
        for metric in (theirs, ours):
            for part in (slice(0, 25), slice(25, 40)):
                metric.update_state(y_true[part], y_pred[part])
        np.testing.assert_allclose(ours.result().numpy(), np.asarray(theirs.result()), rtol=1e-5)
    again = metrics.get(metrics.serialize(ours))
    assert again.get_config() == ours.get_config()
    if y_true.ndim > 1 and ours.result().ndim == 0:
        model = Sequential([Dense(3, input_shape=(3,))])
        model.compile("sgd", "mse", metrics=[again])
        shown = model.evaluate(P, y_true, verbose=0, batch_size=16)[1]
        ours.reset_states()
        np.testing.assert_allclose(shown, ours(y_true, model.predict(P)), rtol=1e-5)


@pytest.mark.parametrize("method", ["interpolation", "minoring", "majoring"])
@pytest.mark.parametrize("curve", ["ROC", "PR"])
@pytest.mark.parametrize("multi_label", [False, True])
def test_areas(curve: str, method: str, multi_label: bool) -> None:
    how: dict[str, Any] = {"curve": curve, "summation_method": method, "multi_label": multi_label, "num_thresholds": 50}
    with today.lenient():
        theirs = today.keras().metrics.AUC(**how)
        theirs.update_state(Y, P)
        wanted = float(theirs.result())
    np.testing.assert_allclose(float(metrics.AUC(**how)(Y, P)), wanted, rtol=1e-5)


def test_area_of_scikit_learn() -> None:
    score = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed").roc_auc_score
    wanted = score(Y.ravel(), P.ravel())
    np.testing.assert_allclose(float(metrics.AUC(num_thresholds=5000)(Y, P)), wanted, atol=1e-3)


def test_means_and_overlap() -> None:
    mean = metrics.Mean()
    mean.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    assert float(mean.result()) == 2.0
    assert float(metrics.Sum()([1, 2], [2, 1])) == 4.0
    assert metrics.MeanTensor()([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    np.testing.assert_allclose(
        metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1]), (0.3 / 0.9 + 0.1 / 0.7) / 2, rtol=1e-6
    )
    assert np.isclose(metrics.MeanRelativeError([1.0, 3.0])([1.0, 3.0], [2.0, 6.0]), 1.0)
    with pytest.raises(ValueError, match="Threshold values"):
        metrics.Precision(thresholds=2)


def test_of_equal_predictions_the_first_are_the_largest() -> None:
    target, scores = [[1, 0, 1, 1, 1]], [[0.2, 0.6, 0.4, 0.2, 0.2]]
    assert np.isclose(metrics.Precision(top_k=3)(target, scores), 2 / 3)
    assert np.isclose(metrics.Recall(top_k=3)(target, scores), 2 / 4)
    assert metrics.SpecificityAtSensitivity(0.4).sensitivity == 0.4  # pyright: ignore[reportAttributeAccessIssue]


class TruePositivesOf22(Layer):
    """A stateful metric as Keras 2.2 had them: a layer."""

    def __init__(self, name: str = "true_positives", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.stateful = True
        self.positives = K.variable(value=0, dtype="int32")

    def reset_states(self) -> None:
        K.set_value(self.positives, 0)

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        right = K.equal(K.cast(K.round(y_pred), "int32"), K.cast(y_true, "int32"))
        found = K.cast(K.sum(K.cast(right, "int32") * K.cast(y_true, "int32")), "int32")
        before = self.positives * 1
        self.add_update(K.update_add(self.positives, found), inputs=[y_true, y_pred])
        return before + found


class Largest(metrics.Metric):
    """A metric of a user, whose state does not begin at 0."""

    def __init__(self, name: str = "largest", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.seen = self.add_weight(name="seen", initializer="zeros")
        self.reset_states()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.seen.assign(K.maximum(self.seen, K.max(y_pred)))

    def result(self) -> Any:
        return self.seen * 1.0

    def reset_states(self) -> None:
        self.seen.assign(-1.0)


def compiled(lr: float = 0.0, **how: Any) -> Sequential:
    np.random.seed(1)
    model = Sequential([Dense(1, activation="sigmoid", input_shape=(3,))])
    model.compile({"class_name": "SGD", "config": {"lr": lr}}, "binary_crossentropy", **how)
    return model


def batches(size: int) -> Callable[[], Any]:
    def make() -> Any:
        while True:
            yield from ((P[i : i + size], Y[i : i + size, :1]) for i in range(0, 40, size))

    return make


@pytest.mark.parametrize("way", ["arrays", "stream", "watched"])
def test_a_fit_measures_an_epoch(way: str) -> None:
    """With a rate of 0 every epoch sees the same predictions, so that each logs what testing gives."""
    from kjax.callbacks import LambdaCallback

    own: list[Any] = [metrics.AUC(name="auc"), metrics.Recall(name="recall"), TruePositivesOf22(), Largest()]
    model = compiled(metrics=own)
    target = Y[:, :1]
    if way == "stream":
        history = model.fit_generator(batches(16)(), 3, 3, verbose=0, validation_data=(P, target)).history
    else:
        seen: list[Any] = []
        watcher = [LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["recall"]))]
        history = model.fit(
            P, target, 16, 3, 0, watcher if way == "watched" else None, validation_data=(P, target), shuffle=False
        ).history
        assert way != "watched" or (len(seen) == 9 and seen[0] != seen[2])
    predictions = model.predict(P)
    wanted = {
        "auc": float(metrics.AUC()(target, predictions)),
        "recall": ((predictions > 0.5) * target).sum() / target.sum(),
        "true_positives": ((predictions > 0.5) * target).sum(),
        "largest": predictions.max(),
    }
    tested = dict(zip(model.metrics_names, model.evaluate(P, target, batch_size=16, verbose=0), strict=True))
    for name, value in wanted.items():
        for got in ([tested[name]], history[name], history[f"val_{name}"]):
            np.testing.assert_allclose(got, value, rtol=1e-5, err_msg=name)
    assert history["loss"][0] == pytest.approx(tested["loss"], rel=1e-4)


def test_batches_one_by_one() -> None:
    model = compiled(weighted_metrics=[metrics.TruePositives(name="tp", thresholds=0.0)])
    target, weight = Y[:, :1], 0.5 * np.ones(40)
    total = float(0.5 * target.sum())
    first = model.train_on_batch(P, target, sample_weight=weight, return_dict=True)
    assert first["tp"] == total
    assert model.train_on_batch(P, target, sample_weight=weight, reset_metrics=False)[1] == 2 * total
    assert model.test_on_batch(P, target, sample_weight=weight)[1] == total
    assert model.evaluate(P, target, sample_weight=weight, verbose=0, return_dict=True)["tp"] == total
    model.reset_metrics()
    assert model.train_on_batch(P, target, reset_metrics=False)[1] == target.sum()


def test_names() -> None:
    K.clear_session()
    model = compiled(metrics=["AUC", metrics.Precision(), metrics.Precision(), metrics.MeanSquaredError(), "mse"])
    assert model.metrics_names == [
        "loss", "auc", "precision", "precision_1", "mean_squared_error", "mean_squared_error_1"
    ]  # fmt: skip
