"""What old scripts use beside Keras and Python's packages have dropped: there for a script, and gone afterwards."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import pickle
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax import backend as K
from kjax.compat import _around, _pictures
from kjax.layers import Dense
from kjax.models import Sequential


@pytest.fixture
def given() -> Iterator[None]:
    _around.install()
    yield
    _around.uninstall()


def test_names_come_and_go() -> None:
    before = vars(np).copy()
    _around.install()
    _around.install()
    assert np.zeros(2, np.float).dtype == "float64"  # type: ignore[attr-defined]
    assert np.product([2, 3]) == 6  # type: ignore[attr-defined]
    assert np.bool is before["bool"]
    assert inspect.getargspec(lambda a, b=1: a).defaults == (1,)  # type: ignore[attr-defined]
    _around.uninstall()
    assert vars(np) == before
    assert not hasattr(inspect, "getargspec")
    assert not any(type(finder).__module__ == _around.__name__ for finder in sys.meta_path)


def test_words_as_scripts_of_2016_found_them(given: None) -> None:
    words = ["Where", " ", "is", " ", "Mary", "? ", ""]
    assert re.split(r"(\W+)?", "Where is Mary? ") == re.split(r"(\W+)", "Where is Mary? ") == words
    assert re.split("a?", "bab", maxsplit=1) == ["", "bab"]  # all else as Python has it
    _around.uninstall()
    assert None in re.split(r"(\W+)?", "so it is")


def test_rows_of_different_lengths(given: None) -> None:
    texts = np.array([["a", "b"], ["c"]])
    assert texts.dtype == object
    assert [type(text) for text in texts] == [list, list]
    assert np.asarray([[1], [2, 3]]).shape == (2,)
    np.testing.assert_array_equal(np.array([[1, 2]], copy=False), [[1, 2]])
    assert type(np.meshgrid([1], [2, 3])) is list
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([[1], [2, 3]], dtype=float)
    _around.uninstall()
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([[1], [2, 3]])


def test_what_a_model_gives_is_a_number_if_it_is_one(given: None) -> None:
    model = Sequential([Dense(1, input_dim=3, kernel_initializer="ones", bias_initializer="ones")])
    x, targets = np.ones((2, 3), "float32"), np.zeros(2)
    predicted, whole = model.predict(x), "%d"
    targets[1] = predicted[0]
    assert (float(model.predict(x[:1])), whole % predicted[0], targets[1]) == (4.0, "4", 4.0)
    assert int(model.predict_classes(x)[1]) == float(model.get_weights()[1]) == 1
    assert float(K.function(model.inputs, model.outputs)([x[:1]])[0]) == float(model.predict_on_batch(x[:1])) == 4.0
    assert type(predicted.sum()) is np.float32
    assert repr(predicted[0]) == repr(np.array(predicted[0]))
    assert type(pickle.loads(pickle.dumps(predicted))) is np.ndarray
    with pytest.raises(ValueError, match="size 1"):
        float(predicted)
    _around.uninstall()
    assert type(model.predict(x)) is np.ndarray


def test_pictures(given: None, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("PIL", reason="pictures are read with Pillow")
    misc: Any = importlib.import_module("scipy.misc")
    picture = np.random.randint(0, 256, (6, 4, 3)).astype("uint8")
    misc.imsave(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(misc.imread(tmp_path / "a.png"), picture)
    assert misc.imresize(picture, (3, 8)).shape == (3, 8, 3)
    assert misc.imresize(picture, 50).shape == misc.imresize(picture, 0.5).shape == (3, 2, 3)
    assert misc.imread(tmp_path / "a.png", flatten=True).dtype == "float32"


def test_numbers_become_bytes_by_their_range() -> None:
    np.testing.assert_array_equal(_pictures.bytescale(np.array([-1.0, 0.0, 1.0])), [0, 128, 255])
    np.testing.assert_array_equal(_pictures.bytescale(np.array([0.0, 0.5]), cmin=0, cmax=1), [0, 128])
    np.testing.assert_array_equal(_pictures.bytescale(np.array([7.0, 7.0])), [0, 0])
    np.testing.assert_array_equal(_pictures.bytescale(np.array([3, 9], "uint8")), [3, 9])


def test_old_model_selection(given: None) -> None:
    pytest.importorskip("sklearn", reason="it is scikit-learn's")
    old: Any = importlib.import_module("sklearn.cross_validation")
    labels = np.array([0, 1] * 6)
    folds = list(old.StratifiedKFold(y=labels, n_folds=3, shuffle=True, random_state=7))
    assert len(folds) == 3
    assert all(labels[test].sum() == 2 for _, test in folds)
    assert [len(test) for _, test in old.KFold(10, n_folds=5)] == [2] * 5
    assert old.train_test_split is importlib.import_module("sklearn.model_selection").train_test_split


def test_old_tables(given: None) -> None:
    pandas = pytest.importorskip("pandas", reason="it is pandas's")
    table = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
    np.testing.assert_array_equal(table.as_matrix(["b"]), [[3], [4]])
    assert len(table.append({"a": 5, "b": 6}, ignore_index=True)) == 3
    _around.uninstall()
    assert not hasattr(table, "as_matrix")


def test_weights_are_drawn_anew_by_their_initializers(given: None) -> None:
    model = Sequential([Dense(50, input_dim=40, kernel_initializer="he_normal")])
    model.set_weights([np.zeros((40, 50)), np.ones(50)])
    session = K.get_session()
    for layer in model.layers:
        layer.kernel.initializer.run(session=session)
    session.run([layer.bias.initializer for layer in model.layers])
    kernel, bias = model.get_weights()
    assert not bias.any()
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 40), rtol=0.1)
    assert not hasattr(K.variable(1.0), "initializer")
