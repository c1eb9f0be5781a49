"""Random tensors and dropout: moments, seeds, symbolic shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from kjax import backend as K

Y = np.random.RandomState(7).randn(3, 4)


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [
        (lambda shape, **k: K.random_normal(shape, 2.0, 3.0, **k), 2.0, 3.0),
        (lambda shape, **k: K.random_uniform(shape, -1.0, 3.0, **k), 1.0, 4 / math.sqrt(12)),
        (lambda shape, **k: K.random_binomial(shape, 0.3, **k), 0.3, math.sqrt(0.21)),
        (lambda shape, **k: K.truncated_normal(shape, 1.0, 2.0, **k), 1.0, 2 * 0.87963),
        (lambda shape, **k: K.get_value(K.random_normal_variable(shape, 2.0, 3.0, **k)), 2.0, 3.0),
        (
            lambda shape, **k: K.get_value(K.random_uniform_variable(shape, 0.0, 1.0, **k)),
            0.5,
            1 / math.sqrt(12),
        ),
    ],
)
def test_random(draw: Callable[..., Any], mean: float, deviation: float) -> None:
    x = np.asarray(draw((200, 250)))
    assert x.dtype == np.float32
    assert abs(x.mean() - mean) < 5 * deviation / math.sqrt(x.size)
    assert abs(x.std() - deviation) < 0.02 * deviation
    assert not np.array_equal(x, draw((200, 250)))
    np.testing.assert_array_equal(draw((3, 4), seed=5), draw((3, 4), seed=5))
    assert not np.array_equal(draw((3, 4), seed=5), draw((3, 4), seed=6))
    np.random.seed(3)
    first = np.asarray(draw((5,)))
    np.random.seed(3)
    np.testing.assert_array_equal(first, draw((5,)))


def test_limits_of_random_numbers() -> None:
    assert np.abs(K.truncated_normal((10_000,))).max() <= 2.0
    x = np.asarray(K.random_uniform((10_000,), 2, 5, dtype="int32"))
    assert set(x.tolist()) == {2, 3, 4}


def test_random_numbers_of_a_symbolic_shape() -> None:
    z = K.placeholder((None, 4))
    noise = K.random_normal(shape=(K.shape(z)[0], 2))
    assert tuple(noise.shape) == (None, 2)
    run = K.function([z], [noise])
    first, second = run([np.zeros((5, 4))])[0], run([np.zeros((5, 4))])[0]
    assert first.shape == (5, 2)
    assert not np.array_equal(first, second)
    assert run([np.zeros((3, 4))])[0].shape == (3, 2)
    np.random.seed(1)
    first = run([np.zeros((5, 4))])[0]
    np.random.seed(1)
    np.testing.assert_array_equal(first, run([np.zeros((5, 4))])[0])


def test_random_numbers_of_a_symbolic_mean() -> None:
    mean = K.placeholder((None, 3))
    draw = K.random_normal(K.shape(mean), mean=mean, stddev=1e-3)
    np.testing.assert_allclose(K.function([mean], [draw])([Y[:, :3]])[0], Y[:, :3], atol=0.01)


def test_random_numbers_in_traced_code() -> None:
    def sample(z: Any) -> Any:
        return K.random_normal(shape=(K.shape(z)[0], 2)) + z[:, :2]

    assert jax.jit(sample)(np.zeros((5, 4), "float32")).shape == (5, 2)


def test_dropout() -> None:
    x = np.ones((100, 200), "float32")
    dropped = np.asarray(K.dropout(x, 0.3))
    assert abs((dropped == 0).mean() - 0.3) < 0.02
    np.testing.assert_allclose(dropped[dropped != 0], 1 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(K.dropout(x, 0.0), x)
    rows = np.asarray(K.dropout(x, 0.5, noise_shape=(None, 1)))
    assert all(len(set(row)) == 1 for row in rows.tolist())
    np.testing.assert_array_equal(K.dropout(x, 0.5, seed=3), K.dropout(x, 0.5, seed=3))


def test_dropout_draws_anew_in_each_run_of_a_program() -> None:
    x = K.placeholder((None, 100))
    for seed in (None, 3):
        run = K.function([x], [K.dropout(x, 0.5, seed=seed)])
        first, second = run([np.ones((2, 100))])[0], run([np.ones((2, 100))])[0]
        assert not np.array_equal(first, second)
