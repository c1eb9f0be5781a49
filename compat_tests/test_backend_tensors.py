"""Kinds and shapes of tensors, new tensors, settings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kjax import backend as K

RNG = np.random.RandomState(7)
X = RNG.randn(3, 4)
Y = RNG.randn(3, 4)
P = RNG.uniform(0.05, 0.95, (3, 4))
CUBE = RNG.randn(2, 3, 4)
IMAGES = RNG.randn(2, 3, 5, 4)
BOOLS = RNG.rand(3, 4) > 0.5


def test_kinds_of_tensors() -> None:
    x, v, a = K.placeholder((None, 3)), K.variable(X), K.constant(X)
    assert [K.int_shape(t) for t in (x, v, a)] == [(None, 3), (3, 4), (3, 4)]
    assert [K.ndim(t) for t in (x, v, a, 1.0)] == [2, 2, 2, 0]
    assert [K.dtype(t) for t in (x, v, a)] == ["float32"] * 3
    assert K.dtype(K.placeholder((2,), dtype="int32")) == "int32"
    assert [K.is_placeholder(t) for t in (x, K.square(x), v)] == [True, False, False]
    assert [K.is_variable(t) for t in (x, v, a)] == [False, True, False]
    assert [K.is_tensor(t) for t in (x, v, a, X, [1])] == [True, True, True, False, False]
    assert not K.is_sparse(x)
    assert not K.is_keras_tensor(x)
    assert not K.is_keras_tensor(v)
    with pytest.raises(ValueError, match="Unexpectedly found an instance of type"):
        K.is_keras_tensor(X)
    assert K.count_params(v) == 12
    assert K.get_variable_shape(v) == (3, 4)
    assert K.int_shape(K.placeholder(ndim=3)) == (None, None, None)
    with pytest.raises(ValueError, match="number of axes"):
        K.placeholder()


def test_shape() -> None:
    assert K.shape(np.zeros((2, 3))) == (2, 3)
    x = K.placeholder((None, 3))
    (value,) = K.function([x], [K.shape(x)])([np.zeros((5, 3))])
    np.testing.assert_array_equal(value, [5, 3])


def test_shapes_made_of_shapes() -> None:
    z = K.placeholder((None, 4))
    batch = K.shape(z)[0]
    made = {
        "stack": K.reshape(z, K.stack([batch, 2, 2])),
        "concatenate": K.reshape(z, K.concatenate([K.shape(z)[:1], [2, 2]])),
        "prod": K.reshape(z, (K.prod(K.shape(z)),)),
        "zeros": K.zeros((batch, 2)),
        "ones": K.ones(K.shape(z)),
        "arange": K.arange(batch),
        "tile": K.tile(K.variable([[1.0]]), (batch, 3)),
        "sum": K.sum(z, 1) / K.cast(batch, "float32"),
    }
    shapes = {name: tuple(x.shape) for name, x in made.items()}
    assert shapes == {
        "stack": (None, 2, 2),
        "concatenate": (None, 2, 2),
        "prod": (None,),
        "zeros": (None, 2),
        "ones": (None, 4),
        "arange": (None,),
        "tile": (None, 3),
        "sum": (None,),
    }
    fed = np.arange(12.0).reshape(3, 4)
    values = dict(zip(made, K.function([z], list(made.values()))([fed]), strict=True))
    np.testing.assert_array_equal(values["stack"], fed.reshape(3, 2, 2))
    np.testing.assert_array_equal(values["concatenate"], fed.reshape(3, 2, 2))
    np.testing.assert_array_equal(values["prod"], fed.ravel())
    np.testing.assert_array_equal(values["zeros"], np.zeros((3, 2)))
    np.testing.assert_array_equal(values["ones"], np.ones((3, 4)))
    np.testing.assert_array_equal(values["arange"], [0, 1, 2])
    np.testing.assert_array_equal(values["tile"], np.ones((3, 3)))
    np.testing.assert_allclose(values["sum"], fed.sum(1) / 3, rtol=1e-6)


def test_slice_from_a_place_that_the_program_computes() -> None:
    x, i = K.placeholder((4, 3)), K.placeholder((), dtype="int32")
    run = K.function([x, i], [K.slice(x, [i, 0], [2, -1])])
    fed = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(run([fed, 1])[0], fed[1:3])


def test_new_tensors() -> None:
    for made, wanted in (
        (K.zeros((2, 3)), np.zeros((2, 3))),
        (K.ones((2,)), np.ones(2)),
        (K.eye(3), np.eye(3)),
    ):
        assert K.is_variable(made)
        np.testing.assert_array_equal(K.get_value(made), wanted)
    assert K.dtype(K.zeros((1,), dtype="int32")) == "int32"
    np.testing.assert_array_equal(K.arange(4), [0, 1, 2, 3])
    assert K.dtype(K.arange(4)) == "int32"
    np.testing.assert_array_equal(K.arange(1, 8, 3, dtype="float32"), [1.0, 4.0, 7.0])
    np.testing.assert_array_equal(K.constant(2.5, shape=(2, 2)), np.full((2, 2), 2.5))
    np.testing.assert_array_equal(K.constant([1, 2, 3]), [1.0, 2.0, 3.0])
    assert K.dtype(K.constant([1, 2])) == "float32"


def test_repeat_wants_two_axes() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 4\)"):
        K.repeat(CUBE, 2)


def test_bias_of_a_wrong_rank() -> None:
    with pytest.raises(ValueError, match="Unexpected bias dimensions 2, expect to be 1 or 3 dimensions"):
        K.bias_add(IMAGES, X)
    with pytest.raises(ValueError, match="channels_middle"):
        K.bias_add(IMAGES, X[0], "channels_middle")


def test_switch_refuses_a_condition_of_too_many_axes() -> None:
    with pytest.raises(ValueError, match="Rank of `condition`"):
        K.switch(BOOLS, X[0], Y[0])


# Settings


def test_settings() -> None:
    assert K.backend() == "tensorflow"
    assert (K.floatx(), K.epsilon(), K.image_data_format(), K.image_dim_ordering()) == (
        "float32",
        1e-7,
        "channels_last",
        "tf",
    )
    assert K.cast_to_floatx([1, 2]).dtype == np.float32
    K.set_image_dim_ordering("th")
    try:
        assert K.image_data_format() == "channels_first"
        assert K.normalize_data_format(None) == "channels_first"
    finally:
        K.set_image_data_format("channels_last")
    assert K.normalize_data_format("Channels_First") == "channels_first"
    with pytest.raises(ValueError, match="data_format"):
        K.normalize_data_format("nhwc")
    with pytest.raises(ValueError, match="dim_ordering"):
        K.set_image_dim_ordering("nhwc")
    assert (K.get_uid("thing"), K.get_uid("thing")) == (1, 2)
    K.reset_uids()
    assert K.get_uid("thing") == 1


def test_epsilon_is_read_when_it_is_needed() -> None:
    K.set_epsilon(0.1)
    try:
        np.testing.assert_allclose(K.binary_crossentropy([1.0], [0.0]), [-math.log(0.1)], rtol=1e-5)
    finally:
        K.set_epsilon(1e-7)
