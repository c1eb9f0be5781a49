"""`K.conv2d` and its kin against today's Keras, closed formulas and their own rules."""

from __future__ import annotations

import re
from typing import Any

import jax
import numpy as np
import pytest

from compat_tests.backend_check import check_same
from compat_tests.today import keras, lenient
from kjax import backend as K

pytestmark = pytest.mark.optimized


def random(*shape: int) -> np.ndarray:
    return np.random.standard_normal(shape).astype("float32")


def today(name: str, x: np.ndarray, *args: Any) -> Any:
    """What an operation of today's Keras gives."""
    with lenient():
        return np.asarray(getattr(keras().ops, name)(x, *args))


def first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize(
    ("strides", "padding", "dilation"),
    [(1, "valid", 1), (1, "same", 1), (2, "same", 1), (3, "valid", 1), (1, "same", 2)],
)
def test_conv2d(strides: int, padding: str, dilation: int) -> None:
    x, kernel = random(2, 9, 8, 3), random(3, 2, 3, 5)
    wanted = today("conv", x, kernel, strides, padding, "channels_last", dilation)
    rest = ((strides,) * 2, padding)
    np.testing.assert_allclose(K.conv2d(x, kernel, *rest, None, dilation), wanted, rtol=1e-4, atol=1e-5)
    turned = K.conv2d(first(x), kernel, *rest, "channels_first", (dilation,) * 2)
    np.testing.assert_allclose(turned, first(wanted), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("strides", "padding"), [(1, "valid"), (2, "same")])
def test_depthwise_and_separable(strides: int, padding: str) -> None:
    x, kernel, point = random(2, 8, 7, 3), random(3, 3, 3, 2), random(1, 1, 6, 4)
    rest = (strides, padding)
    wanted = today("depthwise_conv", x, kernel, *rest)
    np.testing.assert_allclose(K.depthwise_conv2d(x, kernel, *rest), wanted, rtol=1e-4, atol=1e-5)
    wanted = today("separable_conv", x, kernel, point, *rest)
    np.testing.assert_allclose(K.separable_conv2d(x, kernel, point, *rest), wanted, rtol=1e-4, atol=1e-5)
    turned = K.separable_conv2d(first(x), kernel, point, *rest, "channels_first")
    np.testing.assert_allclose(turned, first(wanted), rtol=1e-4, atol=1e-5)


def test_one_and_three_dimensions() -> None:
    x, kernel = random(2, 10, 3), random(3, 3, 4)
    wanted = today("conv", x, kernel, 1, "valid", "channels_last", 2)
    np.testing.assert_allclose(K.conv1d(x, kernel, dilation_rate=2), wanted, rtol=1e-4, atol=1e-5)
    wanted = today("separable_conv", x, random(3, 3, 1), random(1, 3, 5), 2, "same")
    assert K.separable_conv1d(x, random(3, 3, 1), random(1, 3, 5), 2, "same").shape == wanted.shape
    x, kernel = random(2, 5, 6, 4, 2), random(2, 3, 2, 2, 3)
    wanted = today("conv", x, kernel, 2, "same")
    np.testing.assert_allclose(K.conv3d(x, kernel, (2, 2, 2), "same"), wanted, rtol=1e-4, atol=1e-5)


def test_causal_sees_no_later_step() -> None:
    x, kernel = np.zeros((1, 6, 1), "float32"), np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    x[0, 2] = 1
    np.testing.assert_array_equal(K.conv1d(x, kernel, padding="causal")[0, :, 0], [0, 0, 100, 10, 1, 0])
    spread = K.conv1d(x, kernel, padding="causal", dilation_rate=2)
    np.testing.assert_array_equal(spread[0, :, 0], [0, 0, 100, 0, 10, 0])


def test_same_puts_the_odd_cell_behind() -> None:
    """A window of 2 over 3 cells with a stride of 2: cells 0 and 1, then 2 and one of zeros."""
    x = np.array([1.0, 2.0, 4.0]).reshape(1, 3, 1)
    np.testing.assert_array_equal(K.conv1d(x, np.ones((2, 1, 1)), 2, "same")[0, :, 0], [3, 4])


@pytest.mark.parametrize(("strides", "padding"), [(1, "valid"), (2, "same"), (3, "valid")])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv2d_transpose_is_the_gradient(strides: int, padding: str, data_format: str) -> None:
    x, kernel = random(2, 7, 8, 3), random(3, 3, 3, 4)
    x = first(x) if data_format == "channels_first" else x
    rest = ((strides, strides), padding, data_format)
    y, transpose = jax.vjp(lambda x: K.conv2d(x, kernel, *rest), jax.numpy.asarray(x))
    g = random(*y.shape)
    got = K.conv2d_transpose(g, kernel, (None, *x.shape[1:]), *rest)
    np.testing.assert_allclose(got, transpose(g)[0], rtol=1e-4, atol=1e-5)
    wanted = today("conv_transpose", g, kernel, strides, padding, None, data_format)
    if wanted.shape == x.shape:  # today's Keras chooses the output's size itself
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_conv3d_transpose() -> None:
    g, kernel = random(2, 3, 3, 3, 4), random(2, 2, 2, 3, 4)
    wanted = today("conv_transpose", g, kernel, 2, "same")
    got = K.conv3d_transpose(g, kernel, (2, 6, 6, 6, 3), (2, 2, 2), "same")
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_groups_follow_from_the_kernel() -> None:
    x, kernel = random(2, 6, 6, 4), random(3, 3, 2, 6)
    halves = [K.conv2d(x[..., 2 * i : 2 * i + 2], kernel[..., 3 * i : 3 * i + 3]) for i in range(2)]
    np.testing.assert_allclose(K.conv2d(x, kernel), np.concatenate(halves, -1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_local_convolution_has_a_kernel_at_each_place(data_format: str) -> None:
    x, kernel = random(2, 5, 6, 3), random(6, 3 * 2 * 3, 4)
    turned = first(x) if data_format == "channels_first" else x
    wanted = np.zeros((2, 2, 3, 4))
    for place, (row, column) in enumerate(np.ndindex(2, 3)):
        seen = x[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 2]
        seen = first(seen) if data_format == "channels_first" else seen
        wanted[:, row, column] = seen.reshape(2, -1) @ kernel[place]
    got = K.local_conv2d(turned, kernel, (3, 2), (2, 2), (2, 3), data_format)
    wanted = first(wanted) if data_format == "channels_first" else wanted
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_local_convolution_with_equal_kernels_is_a_convolution() -> None:
    x, kernel = random(2, 9, 3), random(2, 3, 4)
    local = np.tile(kernel.reshape(1, 6, 4), (4, 1, 1))
    np.testing.assert_allclose(K.local_conv1d(x, local, (2,), (2,)), K.conv1d(x, kernel, 2), rtol=1e-4, atol=1e-5)


def test_the_same_on_arrays_symbols_and_variables() -> None:
    x, kernel, point = random(4, 5, 5, 2), random(2, 2, 2, 1), random(1, 1, 2, 3)
    check_same("conv2d", (x, kernel), {"padding": "same"}, today("conv", x, kernel, 1, "same"))
    check_same("separable_conv2d", (x, kernel, point), {}, today("separable_conv", x, kernel, point))


def test_unknown_sizes_stay_unknown() -> None:
    x = K.placeholder((None, None, 8, 3))
    assert K.conv2d(x, K.variable(random(3, 3, 3, 4))).shape == (None, None, 6, 4)
    assert K.conv2d_transpose(K.placeholder((None, 4, 4, 2)), random(2, 2, 3, 2), (None, 8, 8, 3), (2, 2)).shape == (
        None,
        8,
        8,
        3,
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: K.conv2d(random(1, 2, 5, 1), random(3, 3, 1, 1)), "subtracting 3 from 2"),
        (lambda: K.conv2d(random(1, 5, 5, 1), random(3, 3, 1, 1), padding="full"), "Invalid padding: full"),
        (lambda: K.conv2d(random(1, 5, 5, 3), random(3, 3, 2, 1)), "3 channels"),
        (lambda: K.conv2d(random(5, 5, 3), random(3, 3, 3, 1)), "4 axes"),
        (lambda: K.conv2d(random(1, 5, 5, 1), random(3, 3, 1, 1), data_format="middle"), "data_format"),
        (lambda: K.conv2d(random(1, 5, 5, 1), random(3, 3, 1, 1), (0, 1)), "`strides`"),
        (lambda: K.conv2d_transpose(random(1, 5, 5, 1), random(3, 3, 1, 1), (1, 9, 9, 1)), "cannot give an output"),
        (lambda: K.depthwise_conv2d(random(1, 5, 5, 2), random(3, 3, 1, 1)), "depthwise kernel"),
        (lambda: K.separable_conv1d(random(1, 5, 2), random(3, 2, 1), random(1, 3, 1)), "pointwise kernel"),
        (lambda: K.local_conv1d(random(1, 5, 2), random(3, 3, 1), (3,), (1,)), "for (3,) places"),
    ],
)
def test_errors_say_what_came(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        call()
