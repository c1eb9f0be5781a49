"""`K.pool2d` and `K.pool3d` against today's Keras and their own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compat_tests.backend_check import check_same
from compat_tests.today import keras, lenient
from kjax import backend as K


def today(x: np.ndarray, size: int, strides: int, padding: str, mode: str) -> np.ndarray:
    function = keras().ops.max_pool if mode == "max" else keras().ops.average_pool
    with lenient():
        return np.asarray(function(x, size, strides, padding))


@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize(("size", "strides", "padding"), [(2, 2, "valid"), (3, 2, "same"), (3, 1, "same")])
def test_pools_equal_todays(size: int, strides: int, padding: str, mode: str) -> None:
    x = np.random.standard_normal((2, 7, 6, 3)).astype("float32")
    wanted = today(x, size, strides, padding, mode)
    got = K.pool2d(x, (size, size), (strides, strides), padding, pool_mode=mode)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    turned = K.pool2d(np.moveaxis(x, -1, 1), (size, size), (strides, strides), padding, "channels_first", mode)
    np.testing.assert_allclose(turned, np.moveaxis(wanted, -1, 1), rtol=1e-5, atol=1e-6)
    x = np.random.standard_normal((2, 5, 4, 6, 2)).astype("float32")
    got = K.pool3d(x, (size,) * 3, (strides,) * 3, padding, pool_mode=mode)
    np.testing.assert_allclose(got, today(x, size, strides, padding, mode), rtol=1e-5, atol=1e-6)


def test_a_mean_at_the_edge_counts_real_cells() -> None:
    x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    got = K.pool2d(x, (2, 2), (2, 2), "same", pool_mode="avg")
    np.testing.assert_allclose(got[0, :, :, 0], [[3, 4.5], [7.5, 9]])


def test_the_largest_of_negative_numbers_at_the_edge() -> None:
    x = -np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    got = K.pool2d(x, (2, 2), (2, 2), "same")
    np.testing.assert_allclose(got[0, :, :, 0], [[-1, -3], [-7, -9]])


def test_strides_are_of_one_cell_unless_told() -> None:
    assert K.pool2d(np.zeros((1, 5, 5, 1)), (2, 2)).shape == (1, 4, 4, 1)
    assert K.pool3d(np.zeros((1, 5, 5, 5, 1)), (2, 2, 2)).shape == (1, 4, 4, 4, 1)


def test_the_same_on_arrays_symbols_and_variables() -> None:
    x = np.random.standard_normal((2, 6, 5, 2))
    check_same("pool2d", (x, (2, 2)), {"pool_mode": "avg"}, today(x.astype("float32"), 2, 1, "valid", "avg"))


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"pool_mode": "min"}, "Invalid pooling mode: min"),
        ({"padding": "full"}, "Invalid padding: full"),
        ({"data_format": "middle"}, "data_format"),
        ({"strides": (1, 1, 1)}, "`strides`"),
    ],
)
def test_errors_say_what_came(kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        K.pool2d(np.zeros((1, 4, 4, 1)), (2, 2), **kwargs)


def test_a_window_larger_than_the_image() -> None:
    with pytest.raises(ValueError, match="subtracting 5 from 4"):
        K.pool2d(np.zeros((1, 4, 4, 1)), (5, 5))
