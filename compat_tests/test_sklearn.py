"""Estimators of scikit-learn made from models: its searches, cross validations, pipelines and processes."""

from __future__ import annotations

import copy
import os
import pathlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from kjax.layers import Dense
from kjax.models import Sequential
from kjax.optimizers import Adam
from kjax.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

ROOT = pathlib.Path(__file__).parents[1]
sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed: `pip install scikit-learn`")

RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(0, 3, 90)
X = (RANDOM.normal(size=(90, 4)) + LABELS[:, None] * 2 - 2).astype("float32")
NAMES = np.array(["cat", "dog", "owl"])[LABELS]
NUMBERS = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 1


def classifier(units: int = 8, loss: str = "categorical_crossentropy") -> Sequential:
    model = Sequential([Dense(units, input_dim=4, activation="relu"), Dense(3, activation="softmax")])
    model.compile(Adam(0.05), loss, metrics=["accuracy"])
    return model


def binary() -> Sequential:
    model = Sequential([Dense(1, input_dim=4, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def regressor(lr: float = 0.05) -> Sequential:
    model = Sequential([Dense(1, input_dim=4)])
    model.compile(Adam(lr), "mse")
    return model


class Builder:
    """Makes models when it is called."""

    def __call__(self, units: int = 4) -> Sequential:
        return classifier(units)


class Own(KerasClassifier):
    """Makes its models itself."""

    def __call__(self, units: int = 4) -> Sequential:
        return classifier(units)


HOW: dict[str, Any] = {"epochs": 30, "batch_size": 10, "verbose": 0}


MAKERS: dict[str, Any] = {
    "function": lambda: KerasClassifier(classifier, units=12, **HOW),
    "sparse": lambda: KerasClassifier(classifier, loss="sparse_categorical_crossentropy", **HOW),
    "object": lambda: KerasClassifier(Builder(), units=12, **HOW),
    "subclass": lambda: Own(units=12, **HOW),
}
TARGETS = {"numbers": LABELS, "names": NAMES, "column": LABELS[:, None], "one-hot": np.eye(3)[LABELS]}


@pytest.mark.parametrize(
    ("maker", "targets"),
    [("function", "names"), ("function", "column"), ("function", "one-hot"), ("sparse", "numbers"), ("object", "names"),
     ("subclass", "numbers")],
)  # fmt: skip
def test_classification(maker: str, targets: str) -> None:
    estimator, y = MAKERS[maker](), TARGETS[targets]
    history = estimator.fit(X, y)
    assert len(history.history["loss"]) == 30
    assert estimator.score(X, y) > 0.85
    assert estimator.score(X, y, batch_size=7, verbose=0) == pytest.approx(estimator.score(X, y))
    predicted = estimator.predict(X)
    labels = LABELS if y.ndim == 2 and y.shape[1] == 3 else y.ravel()
    assert predicted.shape == (90,)
    assert (predicted == labels).mean() == pytest.approx(estimator.score(X, y))
    assert estimator.n_classes_ == 3
    proba = estimator.predict_proba(X)
    np.testing.assert_array_equal(estimator.classes_[proba.argmax(axis=1)], predicted)
    if "units" in estimator.sk_params:
        assert estimator.model.layers[0].units == 12


def test_two_classes_from_one_output() -> None:
    y = np.where(LABELS > 0, "yes", "no")
    estimator = KerasClassifier(binary, **HOW)
    estimator.fit(X, y, sample_weight=np.ones(90))
    assert estimator.predict(X).shape == (90, 1)
    proba = estimator.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(proba[:, 1] > 0.5, estimator.predict(X)[:, 0] == "yes")


def test_regression() -> None:
    estimator = KerasRegressor(regressor, lr=0.1, epochs=100, verbose=0)
    estimator.fit(X, NUMBERS)
    assert estimator.predict(X).shape == (90,)
    error = ((estimator.predict(X) - NUMBERS) ** 2).mean()
    assert estimator.score(X, NUMBERS) == pytest.approx(-error, rel=1e-3)
    assert error < 0.5


def test_parameters() -> None:
    estimator = KerasClassifier(classifier, units=3, epochs=2)
    assert estimator.get_params(deep=True) == {"units": 3, "epochs": 2, "build_fn": classifier}
    other = Builder()
    assert estimator.set_params(units=5, batch_size=4, build_fn=other) is estimator  # type: ignore[comparison-overlap]
    assert estimator.build_fn is other
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        KerasClassifier(classifier, colour=1)
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        estimator.set_params(colour=1)
    with pytest.raises(ValueError, match=r"Invalid shape for y: \(2, 2, 2\)"):
        KerasClassifier(classifier).fit(X[:2], np.zeros((2, 2, 2)))
    with pytest.warns(UserWarning, match="Keras 2 API"):
        assert KerasRegressor(regressor, nb_epoch=3).sk_params == {"epochs": 3}
    with pytest.warns(UserWarning, match="Keras 2 API"):
        assert KerasRegressor(regressor).set_params(nb_epoch=3).sk_params == {"epochs": 3}
    assert KerasRegressor(regressor, epochs=3).filter_sk_params(Sequential.fit, {"verbose": 0}) == {
        "epochs": 3,
        "verbose": 0,
    }


def test_accuracy_has_to_be_measured() -> None:
    def without() -> Sequential:
        model = Sequential([Dense(3, input_dim=4, activation="softmax")])
        model.compile("sgd", "categorical_crossentropy")
        return model

    estimator = KerasClassifier(without, verbose=0)
    estimator.fit(X, LABELS)
    with pytest.raises(ValueError, match="not configured to compute accuracy"):
        estimator.score(X, LABELS, verbose=0)


def test_what_scikit_learn_asks() -> None:
    from sklearn.base import clone, is_classifier, is_regressor
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    callbacks: list[Any] = []
    estimator = KerasClassifier(classifier, units=3, callbacks=callbacks, class_weight={0: 1.0})
    again: Any = clone(estimator)
    assert again is not estimator
    assert again.get_params() == estimator.get_params()
    assert is_classifier(estimator)
    assert not is_regressor(estimator)
    assert is_regressor(KerasRegressor(regressor))
    with pytest.raises(NotFittedError):
        check_is_fitted(KerasRegressor(regressor))
    assert type(copy.deepcopy(estimator)) is KerasClassifier
    assert copy.copy(estimator).sk_params is estimator.sk_params
    assert pickle.loads(pickle.dumps(estimator)).get_params() == estimator.get_params()


def test_importing_the_wrappers_does_not_import_scikit_learn() -> None:
    code = "import sys, kjax.wrappers.scikit_learn; print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "False\n"


def test_cross_validation_and_grid_search() -> None:
    from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

    estimator = KerasClassifier(classifier, **HOW)
    assert cross_val_score(estimator, X, NAMES, cv=2).mean() > 0.8
    predicted: Any = cross_val_predict(estimator, X, NAMES, cv=2)
    assert (predicted == NAMES).mean() > 0.8
    search = GridSearchCV(estimator, {"units": [16], "epochs": [1, 30]}, cv=2)
    search.fit(X, NAMES)
    assert search.best_params_["epochs"] == 30
    assert float(search.score(X, NAMES)) > 0.8  # type: ignore[arg-type]  # annotated as any object
    assert search.best_estimator_.model.layers[0].units == search.best_params_["units"]
    scores = cross_val_score(KerasRegressor(regressor, epochs=60, verbose=0), X, NUMBERS, cv=2, scoring="r2")
    assert scores.mean() > 0.5


def test_pipelines() -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for estimator, y in ((KerasClassifier(classifier, **HOW), NAMES), (KerasRegressor(regressor, **HOW), NUMBERS)):
        pipeline = make_pipeline(StandardScaler(), estimator)
        pipeline.fit(X * 100, y)
        assert pipeline.predict(X * 100).shape == (90,)
        name = type(estimator).__name__.lower()
        search = GridSearchCV(pipeline, {f"{name}__batch_size": [30]}, cv=2).fit(X * 100, y)
        assert set(search.best_params_) == {f"{name}__batch_size"}


SCRIPT = """
import numpy as np
from sklearn.model_selection import GridSearchCV
from keras.wrappers.scikit_learn import KerasClassifier

def build(units=4):
    from keras.layers import Dense  # looked up in the worker
    from keras.models import Sequential
    model = Sequential([Dense(units, input_dim=2, activation="relu"), Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model

x = np.random.RandomState(0).normal(size=(40, 2))
y = (x[:, 0] > 0).astype(int)
search = GridSearchCV(KerasClassifier(build, epochs=2, verbose=0), {"units": [2, 8]}, cv=2, n_jobs=2)
result = search.fit(x, y)
print(sorted(result.best_params_), np.isfinite(result.cv_results_["mean_test_score"]).all())
"""


def test_processes_of_joblib_under_the_aliases(tmp_path: pathlib.Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "kjax", "run", str(tmp_path / "script.py")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"},
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.stdout == "['units'] True\n", done.stderr[-3000:]


def test_the_base_has_no_model_of_its_own() -> None:
    with pytest.raises(AttributeError, match="__call__"):
        BaseWrapper(epochs=1)
