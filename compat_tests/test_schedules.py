"""Learning-rate schedules against today's Keras and closed formulas, and training with them."""

from __future__ import annotations

import copy
import json
import math
import pathlib
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from kjax import backend as K
from kjax import optimizers
from kjax.callbacks import LambdaCallback
from kjax.layers import Dense
from kjax.models import Sequential, load_model
from kjax.optimizers import SGD, schedules

STEPS = np.arange(0, 50)
CLASSES = [getattr(optimizers, n) for n in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")]


def cosine(s: float, first: float, d: float, alpha: float) -> float:
    return first * ((1 - alpha) * (1 + math.cos(math.pi * min(s, d) / d)) / 2 + alpha)


def restarts(step: int, length: int, longer: int, lower: float) -> float:
    """A rate of 0.1 that falls to a tenth of it in periods of growing length, counted one by one."""
    rate = 1.0
    while step >= length:
        step, length, rate = step - length, length * longer, rate * lower
    return 0.1 * (0.9 * rate * (1 + math.cos(math.pi * step / length)) / 2 + 0.1)


# (class, arguments, its formula in Python's floats)
CASES: list[tuple[str, dict[str, Any], Any]] = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
        lambda s: 0.1 * 0.5 ** (s / 10),
    ),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": True},
        lambda s: 0.1 * 0.9 ** (s // 7),
    ),
    (
        "PiecewiseConstantDecay",
        {"boundaries": [10, 20], "values": [1.0, 0.5, 0.25]},
        lambda s: 1.0 if s <= 10 else 0.5 if s <= 20 else 0.25,
    ),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 30},
        lambda s: (0.1 - 0.0001) * (1 - min(s, 30) / 30) + 0.0001,
    ),
    (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 12,
            "end_learning_rate": 0.01,
            "power": 0.5,
            "cycle": True,
        },
        lambda s: 0.09 * (1 - s / (12 * max(1, -(-s // 12)))) ** 0.5 + 0.01,
    ),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.3},
        lambda s: 0.1 / (1 + 0.3 * s / 5),
    ),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.3, "staircase": True},
        lambda s: 0.1 / (1 + 0.3 * (s // 5)),
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 40, "alpha": 0.2},
        lambda s: cosine(s, 0.1, 40, 0.2),
    ),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 10},
        lambda s: 0.01 + 0.09 * s / 10 if s < 10 else cosine(s - 10, 0.1, 20, 0.0),
    ),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 6, "t_mul": 2.0, "m_mul": 0.5, "alpha": 0.1},
        lambda s: restarts(s, 6, 2, 0.5),
    ),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 7, "t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1},
        lambda s: restarts(s, 7, 1, 0.9),
    ),
    (
        "LinearCosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 20, "num_periods": 1.5, "alpha": 0.1, "beta": 0.01},
        lambda s: 0.1 * ((1.1 - min(s, 20) / 20) * (1 + np.cos(3 * np.pi * min(s, 20) / 20)) / 2 + 0.01),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "formula"), CASES)
def test_formula(name: str, arguments: dict[str, Any], formula: Any) -> None:
    schedule = getattr(schedules, name)(**arguments)
    expected = np.array([formula(int(s)) for s in STEPS])
    # In a program, where a division by a constant may become a product; and called by hand, on an array and a number.
    np.testing.assert_allclose(jax.jit(schedule)(STEPS), expected, rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(schedule(STEPS), expected, rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(schedule(13), expected[13], rtol=2e-6)
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(("name", "arguments"), [case[:2] for case in CASES])
def test_as_in_todays_keras(name: str, arguments: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras")
    if not hasattr(keras.optimizers.schedules, name):
        return  # it has gone
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    ours = getattr(schedules, name)(**arguments)
    some = (0, 7, 12, 13, 30)
    expected = [float(theirs(np.float32(s))) for s in some]
    np.testing.assert_allclose(ours(np.array(some)), expected, rtol=3e-6, atol=1e-9)
    config = {key: value for key, value in theirs.get_config().items() if key != "name"}
    assert {key: value for key, value in ours.get_config().items() if key != "name"} == config


def test_a_staircase_has_no_early_or_late_steps_in_a_program() -> None:
    for d in (3, 41, 47, 49, 55, 61, 82, 1000):
        steps = np.concatenate([np.arange(1, 400) * d, np.arange(1, 400) * d - 1])
        schedule = schedules.InverseTimeDecay(1.0, d, 1.0, staircase=True)
        np.testing.assert_allclose(jax.jit(schedule)(steps), 1 / (1.0 + steps // d), rtol=1e-6)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_optimizer_steps_at_the_rate_of_its_schedule(cls: Any) -> None:
    schedule = schedules.PolynomialDecay(0.5, 4, 0.1)
    scheduled, plain = cls(learning_rate=schedule), cls(lr=0.5)
    params, state = [jnp.array([1.0, -2.0])], scheduled.init_state([jnp.array([1.0, -2.0])])
    for step in range(3):
        grads = [jnp.array([0.3, 0.1 * step])]
        plain.lr = 0.5 - 0.1 * step
        expected, _ = plain.apply(grads, state, params)
        params, state = scheduled.apply(grads, state, params)
        np.testing.assert_allclose(params[0], expected[0], rtol=1e-6)


class Warmup(schedules.LearningRateSchedule):
    """The rate of the transformer: it rises, then falls."""

    def __init__(self, d_model: int, warmup_steps: int = 5) -> None:
        self.d_model, self.warmup_steps = d_model, warmup_steps

    def __call__(self, step: Any) -> Any:
        step = K.cast(step, "float32") + 1.0
        return self.d_model**-0.5 * K.minimum(1.0 / K.sqrt(step), step * self.warmup_steps**-1.5)

    def get_config(self) -> dict[str, Any]:
        return {"d_model": self.d_model, "warmup_steps": self.warmup_steps}


def warmup(s: int) -> float:
    return 16**-0.5 * min((s + 1) ** -0.5, (s + 1) * 5**-1.5)


def linear(optimizer: Any, **compiled: Any) -> Any:
    model = Sequential([Dense(1, use_bias=False, input_shape=(3,), kernel_initializer="ones")])
    model.compile(optimizer, "mse", **compiled)
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(0)
    x = rng.randn(20, 3).astype("float32")
    return x, x @ np.array([[1.0], [-2.0], [0.5]], "float32")


def by_hand(rate: Any, momentum: float, steps: int) -> np.ndarray:
    """SGD on the mean square, 4 samples a step, in float64."""
    x, y = (np.asarray(a, "float64") for a in data())
    w, v = np.ones((3, 1)), np.zeros((3, 1))
    for s in range(steps):
        rows = slice(4 * (s % 5), 4 * (s % 5) + 4)
        v = momentum * v - rate(s) * 2 * x[rows].T @ (x[rows] @ w - y[rows]) / 4
        w = w + v
    return w


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_fit_is_sgd_at_the_rates_of_the_schedule(momentum: float) -> None:
    model = linear(SGD(learning_rate=Warmup(16), momentum=momentum))
    assert float(model.optimizer.lr) == pytest.approx(warmup(0))
    seen: list[float] = []
    watch = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(float(K.get_value(model.optimizer.lr))))
    model.fit(*data(), batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    model.fit(*data(), batch_size=4, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], by_hand(warmup, momentum, 25), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(seen, [warmup(s) for s in range(1, 11)], rtol=1e-6)
    assert float(model.optimizer.lr) == pytest.approx(warmup(25))
    assert float(model.optimizer.lr(3)) == pytest.approx(warmup(3))
    model.optimizer.lr = 0.0  # a number that is assigned rules from then on, in the same program
    before = model.get_weights()[0]
    if not momentum:
        model.fit(*data(), batch_size=4, shuffle=False, verbose=0)
        np.testing.assert_array_equal(model.get_weights()[0], before)
    assert model.optimizer.get_config()["lr"] == 0.0


def test_a_metric_reads_the_rate() -> None:
    optimizer = SGD(schedules.InverseTimeDecay(0.1, 1, 1.0), decay=0.5)

    def rate(y_true: Any, y_pred: Any) -> Any:
        return optimizer.lr

    model = linear(optimizer, metrics=[rate])
    logs = [model.train_on_batch(data()[0][:4], data()[1][:4])[1] for _ in range(3)]
    np.testing.assert_allclose(logs, [0.1, 0.05, 0.1 / 3], rtol=1e-6)
    expected = 0.1 / 4 / (1 + 0.5 * 3)  # `decay` comes on top
    assert float(optimizer.decayed_rate(optimizer.iterations.value)) == pytest.approx(expected)


def test_saved_and_copied(tmp_path: pathlib.Path) -> None:
    model = linear(optimizers.Adam(Warmup(16)))
    model.train_on_batch(*data())
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5", custom_objects={"Warmup": Warmup})
    assert loaded.optimizer.lr.schedule.get_config() == {"d_model": 16, "warmup_steps": 5}
    for each in (model, loaded):
        each.train_on_batch(*data())
    np.testing.assert_array_equal(model.get_weights()[0], loaded.get_weights()[0])
    for again in (copy.deepcopy(model.optimizer), copy.deepcopy(model).optimizer):
        assert float(again.lr) == float(model.optimizer.lr) == pytest.approx(warmup(2))
    pickled = pickle.loads(pickle.dumps(model.optimizer.lr))
    assert float(pickled) == float(model.optimizer.lr)


def test_todays_keras_reads_what_was_saved(tmp_path: pathlib.Path) -> None:
    keras = pytest.importorskip("keras")
    model = linear(optimizers.Adam(schedules.CosineDecay(0.1, 10, 0.1)))
    model.train_on_batch(*data())
    model.save(tmp_path / "model.keras")
    theirs = keras.models.load_model(tmp_path / "model.keras")
    assert float(theirs.optimizer.learning_rate) == pytest.approx(float(model.optimizer.lr), rel=1e-6)
    ours = load_model(tmp_path / "model.keras")
    assert ours.optimizer.get_config() == model.optimizer.get_config()
    for each in (model, ours):
        each.train_on_batch(*data())
    np.testing.assert_array_equal(model.get_weights()[0], ours.get_weights()[0])


def test_errors() -> None:
    with pytest.raises(ValueError, match="1 less"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="increase"):
        schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="decay_steps"):
        schedules.CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="learning rate schedule"):
        SGD(lr={"class_name": "Falls", "config": {}})  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="`momentum` must be a number"):
        SGD(momentum=schedules.CosineDecay(0.1, 10))
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)
