"""Initializers: distributions, fans, seeds, types, lookups, configs and errors."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from kjax import backend as K
from kjax import initializers
from kjax._core.registry import CustomObjectScope

N = 200_000
SHAPE = (400, 500)


def check_moments(values: np.ndarray, mean: float, stddev: float) -> None:
    """Mean and standard deviation within five standard errors."""
    values = values.astype("float64")
    assert abs(values.mean() - mean) < 5 * stddev / math.sqrt(values.size)
    assert abs(values.std() / stddev - 1) < 5 / math.sqrt(values.size)


def share_within(values: np.ndarray, mean: float, distance: float) -> float:
    return float(np.mean(np.abs(values - mean) < distance))


def test_random_normal() -> None:
    values = initializers.RandomNormal(mean=0.5, stddev=2.0, seed=1)(SHAPE)
    check_moments(values, 0.5, 2.0)
    for deviations in (0.5, 1, 2, 3):
        wanted = math.erf(deviations / math.sqrt(2))
        assert share_within(values, 0.5, 2.0 * deviations) == pytest.approx(wanted, abs=0.005)


def test_random_uniform() -> None:
    values = initializers.RandomUniform(-1.0, 3.0, seed=1)(SHAPE)
    check_moments(values, 1.0, 4 / math.sqrt(12))
    assert -1 <= values.min() < -0.99
    assert 2.99 < values.max() <= 3


def test_truncated_normal() -> None:
    values = initializers.TruncatedNormal(mean=0.5, stddev=2.0, seed=1)(SHAPE)
    check_moments(values, 0.5, 2.0 * 0.87962566)
    assert np.abs(values - 0.5).max() <= 4.0 + 1e-5
    inside = math.erf(2 / math.sqrt(2))
    for deviations in (0.5, 1, 1.5):
        wanted = math.erf(deviations / math.sqrt(2)) / inside
        assert share_within(values, 0.5, 2.0 * deviations) == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("make", [initializers.RandomNormal, initializers.RandomUniform, initializers.TruncatedNormal])
def test_defaults(make: Any) -> None:
    values = make()(SHAPE)
    stddev = {
        "RandomNormal": 0.05,
        "RandomUniform": 0.1 / math.sqrt(12),
        "TruncatedNormal": 0.05 * 0.87962566,
    }
    check_moments(values, 0.0, stddev[make.__name__])


FANS = [
    ((3, 7), (3, 7)),
    ((5, 3, 7), (15, 35)),
    ((2, 3, 4, 5), (24, 30)),
    ((2, 2, 2, 3, 4), (24, 32)),
    ((9,), (3, 3)),
    ((), (1, 1)),
    ((2, 2, 2, 2, 2, 2), (8, 8)),
]


@pytest.mark.parametrize(("shape", "fans"), FANS)
def test_fans(shape: tuple[int, ...], fans: tuple[float, float]) -> None:
    assert initializers._compute_fans(shape) == fans


def test_fans_of_channels_first() -> None:
    assert initializers._compute_fans((5, 4, 2, 3), "channels_first") == (24, 30)
    with pytest.raises(ValueError, match="Invalid data_format: channels_middle"):
        initializers._compute_fans((5, 4, 2, 3), "channels_middle")


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated_normal", "untruncated_normal"])
def test_variance_scaling(mode: str, distribution: str) -> None:
    shape = (3, 3, 40, 500)
    fans = {"fan_in": 360, "fan_out": 4500, "fan_avg": 2430}
    stddev = math.sqrt(2.5 / fans[mode])
    values = initializers.VarianceScaling(2.5, mode, distribution, seed=3)(shape)
    assert values.shape == shape
    check_moments(values, 0, stddev)
    bound = {"uniform": math.sqrt(3), "untruncated_normal": math.inf}.get(distribution, 2 / 0.87962566)
    assert np.abs(values).max() <= bound * stddev * (1 + 1e-5)
    assert np.abs(values).max() > min(bound, 3.5) * stddev * 0.99


MAKERS = {
    "lecun_uniform": (1.0, "fan_in", "uniform"),
    "lecun_normal": (1.0, "fan_in", "normal"),
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "he_normal": (2.0, "fan_in", "normal"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_makers(name: str) -> None:
    scale, mode, distribution = MAKERS[name]
    config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": None}
    camel = "".join(word.capitalize() for word in name.split("_"))
    maker = getattr(initializers, name)
    for initializer in (
        maker(),
        initializers.get(name),
        initializers.get(camel),
        initializers.get(maker),
        initializers.deserialize(name),
        getattr(initializers, camel)(),
        initializers.get({"class_name": name, "config": {}}),
        initializers.get({"class_name": camel, "config": {"seed": None, "dtype": "float32"}}),
    ):
        assert initializers.serialize(initializer) == {"class_name": "VarianceScaling", "config": config}
        assert list(initializer.get_config()) == ["scale", "mode", "distribution", "seed"]
    assert maker(7).seed == 7
    assert maker(seed=7).get_config() == {**config, "seed": 7}


def test_constants() -> None:
    assert initializers.Zeros()((2, 3)).tolist() == [[0] * 3] * 2
    assert initializers.Ones()((2, 3)).tolist() == [[1] * 3] * 2
    assert initializers.Constant()((2,)).tolist() == [0, 0]
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    table = np.arange(6.0).reshape(2, 3)
    assert initializers.Constant(table)((2, 3)).tolist() == table.tolist()
    assert initializers.Constant(table.ravel().tolist())((2, 3)).tolist() == table.tolist()
    with pytest.raises(ValueError, match=r"shape \(2, 3\) cannot fill a weight of shape \(3, 3\)"):
        initializers.Constant(table)((3, 3))


def test_constant_gives_away_no_view_of_its_array() -> None:
    table = np.ones((2, 2), "float32")
    initializers.Constant(table)((2, 2))[:] = 5
    assert (table == 1).all()


def test_identity() -> None:
    assert initializers.Identity()((3, 3)).tolist() == np.eye(3).tolist()
    assert initializers.Identity(gain=0.5)((2, 2)).tolist() == [[0.5, 0], [0, 0.5]]
    assert initializers.Identity()((4, 2)).tolist() == np.vstack([np.eye(2)] * 2).tolist()
    assert initializers.Identity()((2, 6)).tolist() == np.hstack([np.eye(2)] * 3).tolist()
    with pytest.raises(ValueError, match=r"multiple of short side. Got shape \(3, 4\)"):
        initializers.Identity()((3, 4))
    with pytest.raises(ValueError, match=r"only be used for 2D matrices. Got shape \(3, 3, 3\)"):
        initializers.Identity()((3, 3, 3))


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (2, 3, 4), (2, 2, 3, 20), (1, 1), (64, 256)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    values = initializers.Orthogonal(gain=1.5, seed=2)(shape)
    assert values.shape == shape
    assert values.flags.c_contiguous
    matrix = values.reshape(-1, shape[-1]).astype("float64") / 1.5
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=2e-6)


def test_orthogonal_is_uniform() -> None:
    """Under the uniform distribution on rotations and reflections entries have mean 0 and variance 1 / n."""
    drawn = np.array([initializers.Orthogonal(seed=seed)((3, 3)) for seed in range(2000)])
    np.testing.assert_allclose(drawn.mean(0), 0, atol=5 * math.sqrt(1 / 3 / 2000))
    np.testing.assert_allclose(np.square(drawn).mean(0), 1 / 3, atol=0.04)
    assert 0.4 < np.mean(np.linalg.det(drawn) > 0) < 0.6


@pytest.mark.parametrize("shape", [(), (4,)])
def test_orthogonal_needs_a_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        initializers.Orthogonal()(shape)


RANDOM = [
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
    initializers.VarianceScaling,
    initializers.Orthogonal,
    initializers.glorot_uniform,
    initializers.he_normal,
]


@pytest.mark.parametrize("make", RANDOM)
def test_seeds(make: Any) -> None:
    initializer = make(seed=7)
    first = initializer((5, 6))
    np.testing.assert_array_equal(initializer((5, 6)), first)
    np.testing.assert_array_equal(make(seed=7)((5, 6)), first)
    assert not np.array_equal(make(seed=8)((5, 6)), first)
    assert np.isfinite(make(seed=-1)((5, 6))).all()


@pytest.mark.parametrize("make", RANDOM)
def test_global_seed(make: Any) -> None:
    initializer = make()
    np.random.seed(7)
    first, second = initializer((5, 6)), initializer((5, 6))
    assert not np.array_equal(first, second)
    np.random.seed(7)
    np.testing.assert_array_equal(make()((5, 6)), first)
    np.testing.assert_array_equal(make()((5, 6)), second)


ALL = [
    initializers.Zeros(),
    initializers.Ones(),
    initializers.Constant(0.5),
    initializers.RandomNormal(0.1, 0.2, 3),
    initializers.RandomUniform(-0.1, 0.2, 3),
    initializers.TruncatedNormal(0.1, 0.2, 3),
    initializers.VarianceScaling(3.0, "fan_out", "uniform", 3),
    initializers.Orthogonal(2.0, 3),
    initializers.Identity(2.0),
]


@pytest.mark.parametrize("initializer", ALL, ids=lambda x: type(x).__name__)
def test_types(initializer: Any) -> None:
    assert type(initializer((4, 4))) is np.ndarray
    assert initializer((4, 4)).dtype == "float32"
    assert initializer([4, 4], dtype=np.float32).shape == (4, 4)
    for name in ("float16", "bfloat16", "float64"):
        values = initializer((4, 4), dtype=name)
        assert values.dtype.name == name
        if name != "float64":
            near = initializer((4, 4)).astype("float64")
            np.testing.assert_allclose(values.astype("float64"), near, rtol=0.01)
    K.set_floatx("float16")
    try:
        assert initializer((4, 4)).dtype == "float16"
    finally:
        K.set_floatx("float32")


@pytest.mark.parametrize("initializer", ALL, ids=lambda x: type(x).__name__)
def test_config(initializer: Any) -> None:
    written = initializers.serialize(initializer)
    assert written == {"class_name": type(initializer).__name__, "config": initializer.get_config()}
    for again in (
        initializers.deserialize(written),
        initializers.get(written),
        # As tf.keras wrote it.
        initializers.get({**written, "config": {**written["config"], "dtype": "float32"}}),
    ):
        assert type(again) is type(initializer)
        assert again.get_config() == initializer.get_config()
        np.testing.assert_array_equal(again((4, 4)), initializer((4, 4)))
    assert initializers.get(initializer) is initializer
    assert initializers.get(type(initializer)).get_config() == type(initializer)().get_config()


def test_configs_to_the_letter() -> None:
    assert [initializer.get_config() for initializer in ALL] == [
        {},
        {},
        {"value": 0.5},
        {"mean": 0.1, "stddev": 0.2, "seed": 3},
        {"minval": -0.1, "maxval": 0.2, "seed": 3},
        {"mean": 0.1, "stddev": 0.2, "seed": 3},
        {"scale": 3.0, "mode": "fan_out", "distribution": "uniform", "seed": 3},
        {"gain": 2.0, "seed": 3},
        {"gain": 2.0},
    ]


ALIASES = {
    "Zeros": ("zero", "zeros"),
    "Ones": ("one", "ones"),
    "Constant": ("constant",),
    "RandomUniform": ("uniform", "random_uniform"),
    "RandomNormal": ("normal", "random_normal"),
    "TruncatedNormal": ("truncated_normal",),
    "Identity": ("identity",),
    "Orthogonal": ("orthogonal",),
    "VarianceScaling": (),
}


@pytest.mark.parametrize(("kind", "alias"), [(k, a) for k, names in ALIASES.items() for a in (k, *names)])
def test_names(kind: str, alias: str) -> None:
    cls = getattr(initializers, kind)
    assert getattr(initializers, alias) is cls
    assert type(initializers.get(alias)) is cls


class Own(initializers.Initializer):
    def __init__(self, dtype: str = "float32") -> None:
        self.dtype = dtype

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 3.0)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype}


def own(shape: Any, dtype: Any = None) -> Any:
    return np.full(shape, 3.0)


def test_own_initializers() -> None:
    assert initializers.get(None) is None
    assert initializers.get(own) is own
    written = initializers.serialize(Own("float16"))
    assert initializers.deserialize(written, {"Own": Own}).dtype == "float16"
    with CustomObjectScope({"Own": Own, "own": own}):
        assert initializers.get(written).dtype == "float16"
        assert initializers.get("own") is own
    with pytest.raises(NotImplementedError, match="Initializer has to define `__call__"):
        initializers.Initializer()((2,))


def test_errors() -> None:
    with pytest.raises(ValueError, match="Unknown initializer: foo"):
        initializers.get("foo")
    with pytest.raises(ValueError, match="Could not interpret initializer identifier: 3"):
        initializers.get(3)
    with pytest.raises(ValueError, match=r"`scale` must be a positive float. Got: 0"):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match=r"Invalid `mode` argument: .*fan_in.*'fan'"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match=r"Invalid `distribution` argument: .*uniform.*'cauchy'"):
        initializers.VarianceScaling(distribution="cauchy")


@pytest.mark.parametrize("make", [initializers.RandomNormal, initializers.TruncatedNormal, initializers.RandomUniform])
def test_speed(make: Any) -> None:
    """Drawing costs little more than numpy's default generator needs for as many normals in float64."""

    def seconds(call: Any) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    shape = (2000, 500)
    generator = np.random.default_rng(0)
    ours = min(seconds(lambda: make(seed=1)(shape)) for _ in range(5))
    plain = min(seconds(lambda: generator.standard_normal(shape)) for _ in range(5))
    assert ours < 2 * plain
