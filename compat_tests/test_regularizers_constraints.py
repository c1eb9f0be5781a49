"""Regularizers, constraints: formulas, recorded Keras 2.2.4, today's Keras, lookups, configs, errors."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from compat_tests import golden, today
from kjax import constraints, regularizers
from kjax._core import graph, scope
from kjax._core.registry import CustomObjectScope


def weight(*shape: int) -> np.ndarray:
    return np.random.RandomState(5).normal(size=shape)


def numpy_penalty(w: np.ndarray, l1: float, l2: float) -> float:
    return l1 * np.abs(w).sum() + l2 * np.square(w).sum()


PENALTIES = [
    (regularizers.L1L2(), 0, 0),
    (regularizers.L1L2(0.1, 0.3), 0.1, 0.3),
    (regularizers.L1L2(l2=0.5), 0, 0.5),
    (regularizers.l1(), 0.01, 0),
    (regularizers.l1(0.2), 0.2, 0),
    (regularizers.l1(l=0.2), 0.2, 0),
    (regularizers.l1(l1=0.2), 0.2, 0),
    (regularizers.l2(), 0, 0.01),
    (regularizers.l2(0.2), 0, 0.2),
    (regularizers.l2(l=0.2), 0, 0.2),
    (regularizers.l2(l2=0.2), 0, 0.2),
    (regularizers.L1(0.2), 0.2, 0),
    (regularizers.L2(l2=0.2), 0, 0.2),
    (regularizers.l1_l2(), 0.01, 0.01),
    (regularizers.l1_l2(0.2, 0.4), 0.2, 0.4),
    (regularizers.get("l1"), 0.01, 0),
    (regularizers.get("l2"), 0, 0.01),
    (regularizers.get("l1_l2"), 0.01, 0.01),
    (regularizers.get("L1L2"), 0, 0),
    (regularizers.get("L2"), 0, 0.01),
    (regularizers.get(regularizers.l2), 0, 0.01),
    (regularizers.get(regularizers.L1L2), 0, 0),
    (regularizers.get({"class_name": "l2", "config": {"l": 0.2}}), 0, 0.2),
    (regularizers.get({"class_name": "L2", "config": {"l2": 0.2}}), 0, 0.2),
    (regularizers.deserialize("l1"), 0.01, 0),
]


@pytest.mark.parametrize(("regularizer", "l1", "l2"), PENALTIES)
def test_penalty(regularizer: Any, l1: float, l2: float) -> None:
    assert type(regularizer) is regularizers.L1L2
    for shape in [(4,), (3, 4), (2, 2, 3, 4)]:
        w = weight(*shape)
        np.testing.assert_allclose(regularizer(w.astype("float32")), numpy_penalty(w, l1, l2), rtol=1e-5)
    config = regularizer.get_config()
    assert config == {"l1": l1, "l2": l2}
    assert all(type(value) is float for value in config.values())
    written = regularizers.serialize(regularizer)
    assert written == {"class_name": "L1L2", "config": config}
    assert regularizers.deserialize(written).get_config() == config
    assert regularizers.get(regularizer) is regularizer


def test_penalty_derivative() -> None:
    w = weight(3, 4)
    with jax.enable_x64(True):
        got = today.gradient(regularizers.l1_l2(0.1, 0.3), w)
    np.testing.assert_allclose(got, 0.1 * np.sign(w) + 0.6 * w, rtol=1e-9)
    assert (today.gradient(regularizers.l1_l2(0.1, 0.3), np.zeros((2, 2), "float32")) == 0).all()


def test_penalty_of_todays_keras() -> None:
    w = weight(3, 4).astype("float32")
    with today.lenient():
        wanted = today.keras().regularizers.L1L2(0.1, 0.3)(w)
    np.testing.assert_allclose(regularizers.L1L2(0.1, 0.3)(w), wanted, rtol=1e-6)


def test_penalty_of_a_variable() -> None:
    variable = graph.Variable(weight(3, 4))
    penalty = regularizers.l2(0.5)(variable)
    assert tuple(penalty.shape) == ()
    with scope.Scope([variable], [jax.numpy.full((3, 4), 2.0)]):
        (value,), _ = graph.evaluate([penalty], {})
    assert float(value) == 0.5 * 12 * 4


def own_penalty(w: Any) -> Any:
    return w.sum()


class OwnRegularizer(regularizers.Regularizer):
    def __init__(self, strength: float = 1.0) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        return x.sum() * self.strength

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}


def test_own_regularizers() -> None:
    assert regularizers.get(None) is None
    assert regularizers.get(own_penalty) is own_penalty
    assert regularizers.Regularizer()(weight(2)) == 0.0
    written = regularizers.serialize(OwnRegularizer(3.0))
    assert written == {"class_name": "OwnRegularizer", "config": {"strength": 3.0}}
    assert regularizers.deserialize(written, {"OwnRegularizer": OwnRegularizer}).strength == 3.0
    with CustomObjectScope({"OwnRegularizer": OwnRegularizer, "own_penalty": own_penalty}):
        assert regularizers.get("OwnRegularizer").strength == 1.0
        assert regularizers.get("own_penalty") is own_penalty


def norms(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.sqrt(np.square(w).sum(tuple(axis) if isinstance(axis, list) else axis, keepdims=True))


EPSILON = 1e-7
AXES = [(0, (4, 5)), (1, (4, 5)), ([0, 1, 2], (3, 3, 2, 4)), (-1, (2, 3, 4))]


@pytest.mark.parametrize(("axis", "shape"), AXES)
def test_norm_constraints(axis: Any, shape: tuple[int, ...]) -> None:
    w = weight(*shape)
    n = norms(w, axis)
    middle = float(np.median(n))
    clipped = 0.7 * np.clip(n, middle * 0.9, middle * 1.1) + 0.3 * n
    for constraint, wanted in [
        (constraints.MaxNorm(middle, axis=axis), w * np.minimum(n, middle) / (n + EPSILON)),
        (constraints.UnitNorm(axis=axis), w / (n + EPSILON)),
        (constraints.MinMaxNorm(middle * 0.9, middle * 1.1, 0.7, axis), w * clipped / (n + EPSILON)),
    ]:
        got = constraint(w.astype("float32"))
        assert got.dtype == "float32"
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
        # Layers pass tuples and lists; both name the axes.
        if isinstance(axis, list):
            constraint.axis = tuple(axis)
            np.testing.assert_array_equal(constraint(w.astype("float32")), got)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_rings_of_a_kernel(size: int) -> None:
    w = np.arange(size * size * 4).reshape(size, size, 2, 2).astype("float32")
    # What tf.keras takes from the diagonal, from the innermost ring outwards.
    taken = {2: [0], 3: [0, 1], 4: [1, 3], 5: [1, 2, 3]}[size]
    got = np.asarray(constraints.get("RadialConstraint")(w))
    for ring, place in enumerate(taken):
        low = (size - 1) // 2 - ring
        for part in (got[low], got[size - 1 - low], got[:, low], got[:, size - 1 - low]):
            np.testing.assert_array_equal(part[low : size - low], np.tile(w[place, place], (size - 2 * low, 1, 1)))


def test_nonneg() -> None:
    w = np.array([[-1.5, 0.0, 2.0], [np.inf, -np.inf, -0.0]], "float32")
    got = np.asarray(constraints.NonNeg()(w))
    assert got.tolist() == [[0, 0, 2], [np.inf, 0, 0]]


def test_zero_weights_stay_finite() -> None:
    for constraint in (constraints.MaxNorm(), constraints.UnitNorm(), constraints.MinMaxNorm(0.5)):
        assert (np.asarray(constraint(np.zeros((3, 2), "float32"))) == 0).all()


CONSTRAINTS = [
    (constraints.MaxNorm(), {"max_value": 2, "axis": 0}),
    (constraints.MaxNorm(3.0, axis=1), {"max_value": 3.0, "axis": 1}),
    (constraints.NonNeg(), {}),
    (constraints.RadialConstraint(), {}),
    (constraints.UnitNorm(), {"axis": 0}),
    (constraints.UnitNorm([0, 1]), {"axis": [0, 1]}),
    (constraints.MinMaxNorm(), {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0}),
    (
        constraints.MinMaxNorm(0.1, 0.5, 0.3, 1),
        {"min_value": 0.1, "max_value": 0.5, "rate": 0.3, "axis": 1},
    ),
]


@pytest.mark.parametrize(("constraint", "config"), CONSTRAINTS)
def test_constraint_config(constraint: Any, config: dict[str, Any]) -> None:
    assert constraint.get_config() == config
    written = constraints.serialize(constraint)
    assert written == {"class_name": type(constraint).__name__, "config": config}
    again = constraints.deserialize(written)
    assert type(again) is type(constraint)
    assert again.get_config() == config
    assert constraints.get(written).get_config() == config
    assert constraints.get(constraint) is constraint


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[(name, constraints.MaxNorm) for name in ("MaxNorm", "max_norm", "maxnorm")],
        *[(name, constraints.NonNeg) for name in ("NonNeg", "non_neg", "nonneg")],
        *[(name, constraints.UnitNorm) for name in ("UnitNorm", "unit_norm", "unitnorm")],
        *[(name, constraints.MinMaxNorm) for name in ("MinMaxNorm", "min_max_norm")],
    ],
)
def test_constraint_names(name: str, kind: type) -> None:
    assert type(constraints.get(name)) is kind
    assert getattr(constraints, name) is kind
    assert type(constraints.get(kind)) is kind


@pytest.mark.parametrize("name", ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"])
def test_constraints_of_todays_keras(name: str) -> None:
    w = weight(6, 5).astype("float32")
    arguments = {
        "MaxNorm": {"max_value": 1.5},
        "MinMaxNorm": {"min_value": 0.9, "max_value": 1.5, "rate": 0.6},
    }
    config = arguments.get(name, {})
    with today.lenient():
        wanted = getattr(today.keras().constraints, name)(**config)(w)
    np.testing.assert_allclose(getattr(constraints, name)(**config)(w), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("case", "constraint"),
    [
        ("regcon_maxnorm", constraints.MaxNorm(0.5)),
        ("regcon_maxnorm_ax1", constraints.MaxNorm(0.5, axis=1)),
        ("regcon_nonneg", constraints.NonNeg()),
        ("regcon_unitnorm", constraints.UnitNorm()),
    ],
)
def test_recorded_weights_are_fixed_points(case: str, constraint: Any) -> None:
    """Keras applied the constraint last, and applying it twice changes nothing."""
    kernel = golden.load("layers")[case].arrays["w1_0"]
    np.testing.assert_allclose(constraint(kernel), kernel, rtol=2e-6, atol=1e-7)


def test_own_constraints() -> None:
    def own(w: Any) -> Any:
        return w

    assert constraints.get(None) is None
    assert constraints.get(own) is own
    assert constraints.Constraint()(3) == 3
    with CustomObjectScope({"own": own}):
        assert constraints.get("own") is own


@pytest.mark.parametrize(("module", "kind"), [(regularizers, "regularizer"), (constraints, "constraint")])
def test_errors(module: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown {kind}: foo"):
        module.get("foo")
    with pytest.raises(ValueError, match=f"Could not interpret {kind} identifier: 3"):
        module.get(3)
    with pytest.raises(ValueError, match=f"Improper config of {kind}"):
        module.get({"name": "l2"})
