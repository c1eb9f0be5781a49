"""Functions of `K` in Keras 1's spelling are today's, and the metrics that Keras 2 dropped follow their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend, metrics
from kjax.legacy import backend as old

K: Any = backend
IMAGE = np.random.RandomState(0).rand(1, 4, 4, 2).astype("float32")
KERNEL = np.random.RandomState(1).rand(3, 3, 2, 2).astype("float32")

# The old call, and today's.
CALLS = [
    (
        "conv2d(IMAGE, KERNEL, border_mode='same', dim_ordering='tf', image_shape=None, filter_shape=None)",
        "conv2d(IMAGE, KERNEL, padding='same', data_format='channels_last')",
    ),
    (
        "pool2d(IMAGE, (2, 2), border_mode='valid', dim_ordering='tf')",
        "pool2d(IMAGE, (2, 2), padding='valid', data_format='channels_last')",
    ),
    (
        "spatial_2d_padding(IMAGE, (1, 1), dim_ordering='th')",
        "spatial_2d_padding(IMAGE, ((1, 1), (1, 1)), 'channels_first')",
    ),
    ("resize_images(IMAGE, 2, 2, dim_ordering='tf')", "resize_images(IMAGE, 2, 2, 'channels_last')"),
    ("one_hot([1, 0], nb_classes=3)", "one_hot([1, 0], 3)"),
    ("random_normal((2, 3), std=0.1, seed=1)", "random_normal((2, 3), stddev=0.1, seed=1)"),
    ("random_uniform((2, 3), low=-1., high=2., seed=1)", "random_uniform((2, 3), -1., 2., seed=1)"),
]

# Names that changed alone.
RENAMED = [
    ("lesser(IMAGE, 0.5)", "less(IMAGE, 0.5)"),
    ("lesser_equal(IMAGE, 0.5)", "less_equal(IMAGE, 0.5)"),
    ("pack([IMAGE, IMAGE])", "stack([IMAGE, IMAGE])"),
    ("asymmetric_temporal_padding(IMAGE[0], 1, 2)", "temporal_padding(IMAGE[0], (1, 2))"),
    (
        "asymmetric_spatial_2d_padding(IMAGE, 1, 2, 3, 4, dim_ordering='tf')",
        "spatial_2d_padding(IMAGE, ((1, 2), (3, 4)))",
    ),
    (
        "atrous_conv2d(IMAGE, KERNEL, 2, border_mode='same')",
        "conv2d(IMAGE, KERNEL, padding='same', dilation_rate=(2, 2))",
    ),
]


def value(call: str) -> np.ndarray:
    np.random.seed(0)
    return K.eval(eval(f"K.{call}"))


@pytest.mark.parametrize(("call", "today"), CALLS)
def test_the_old_call_is_todays(call: str, today: str) -> None:
    with pytest.warns(UserWarning, match="Keras 2 API|no longer exists"):
        made = value(call)
    np.testing.assert_array_equal(made, value(today))


@pytest.mark.parametrize(("call", "today"), RENAMED)
def test_the_old_function_is_todays(call: str, today: str) -> None:
    np.testing.assert_array_equal(value(call), value(today))


def test_metrics_that_keras_2_dropped() -> None:
    y_true = np.array([1, 1, 1, 0, 0, 0], "float32")
    y_pred = np.array([0.9, 0.8, 0.1, 0.7, 0.2, 0.3], "float32")  # 2 found, 1 missed, 1 wrong, 2 right
    named: Any = metrics
    expected = {"precision": 2 / 3, "recall": 2 / 3, "fmeasure": 2 / 3, "matthews_correlation": 3 / 9}
    for name, number in expected.items():
        assert K.eval(metrics.get(name)(K.variable(y_true), K.variable(y_pred))) == pytest.approx(number, rel=1e-4)
    with pytest.raises(ValueError, match="beta"):
        named.fbeta_score(y_true, y_pred, beta=-1)
    layers: Any = kjax.layers
    model = kjax.Sequential([layers.Activation("linear", input_shape=(1,))])
    model.compile("sgd", "mse", metrics=["precision", "recall"])
    assert model.metrics_names == ["loss", "precision", "recall"]
    assert model.evaluate(y_pred, y_true, verbose=0)[1] == pytest.approx(2 / 3, rel=1e-4)


def test_every_table_is_of_a_function() -> None:
    for name in old.TABLES:
        assert callable(getattr(K, name)), name
