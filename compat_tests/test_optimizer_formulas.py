"""100 steps of every optimizer in float64 on pytrees, to 1e-9: against optax where the formulas are the same,
and against the formulas of Keras 2.2 written out in numpy. And against today's Keras, where it has them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from kjax import optimizers
from kjax._core import config

STEPS = 100
TOLERANCE = 1e-9


@pytest.fixture
def float64() -> Iterator[None]:
    """64 bits, for kjax and for JAX, until the test ends."""
    before = jax.config.read("jax_enable_x64")
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")
    jax.config.update("jax_enable_x64", before)


def tree(rng: np.random.Generator) -> Any:
    """Dictionaries, tuples, lists, scalars, an empty branch, and sizes from tiny to large."""
    return {
        "scalar": np.float64(rng.normal()),
        "layers": [(rng.normal(size=(4, 3)), {"bias": rng.normal(size=3)}), (rng.normal(size=(3, 1, 2)), {})],
        "large": 1e3 * rng.normal(size=5),
        "small": 1e-3 * rng.normal(size=(1, 1)),
    }


def gradients(rng: np.random.Generator, params: Any) -> Any:
    """Random ones that also pull each parameter to 0, so that a deviation is carried on."""
    return jax.tree.map(lambda p: 0.1 * np.asarray(p) + rng.normal(size=np.shape(p)), params)


def trained(optimizer: Any) -> tuple[Any, Any]:
    """Parameters and state after the steps, each in 64 bits."""
    rng = np.random.default_rng(3)
    params = jax.tree.map(jnp.asarray, tree(rng))
    state = optimizer.init_state(params)
    apply = jax.jit(optimizer.apply)
    for _ in range(STEPS):
        params, state = apply(gradients(rng, params), state, params)
    assert {x.dtype for x in jax.tree.leaves(params)} == {np.dtype("float64")}
    return params, state


def compare(got: Any, expected: Any, tolerance: float = TOLERANCE) -> float:
    """The largest deviation of two pytrees, relative to max(1, |value|)."""
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    largest = 0.0
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        b = np.asarray(b)
        largest = max(largest, float(np.max(np.abs(np.asarray(a) - b) / np.maximum(1, np.abs(b)))))
    assert largest <= tolerance
    return largest


# optax. Where its epsilon stands elsewhere, both have none.

AMSGRAD = optax.chain(
    optax.scale_by_amsgrad(0.8, 0.99, eps=0.0, bias_correction_nu=False),
    optax.scale_by_schedule(lambda t: -0.01 * jnp.sqrt(1 - 0.99 ** (t + 1.0))),
)
SAME_AS_OPTAX: dict[str, tuple[Callable[[], Any], Any]] = {
    "sgd": (lambda: optimizers.SGD(0.1), optax.sgd(0.1)),
    "sgd_momentum": (lambda: optimizers.SGD(0.1, 0.9), optax.sgd(0.1, 0.9)),
    "sgd_nesterov": (
        lambda: optimizers.SGD(0.1, 0.9, nesterov=True),
        optax.sgd(0.1, 0.9, nesterov=True),
    ),
    "sgd_decay": (
        lambda: optimizers.SGD(0.1, decay=0.01),
        optax.sgd(lambda t: 0.1 / (1 + 0.01 * t)),
    ),
    "rmsprop": (
        lambda: optimizers.RMSprop(0.01, 0.8, epsilon=1e-5),
        optax.rmsprop(0.01, 0.8, eps=1e-5, eps_in_sqrt=False),
    ),
    "adagrad": (
        lambda: optimizers.Adagrad(0.1, epsilon=0.0),
        optax.adagrad(0.1, initial_accumulator_value=0.0, eps=0.0),
    ),
    "adadelta": (
        lambda: optimizers.Adadelta(1.0, 0.9, epsilon=1e-6),
        optax.adadelta(1.0, 0.9, 1e-6),
    ),
    "adam": (
        lambda: optimizers.Adam(0.01, 0.8, 0.99, epsilon=0.0),
        optax.adam(0.01, 0.8, 0.99, eps=0.0),
    ),
    "adam_amsgrad": (lambda: optimizers.Adam(0.01, 0.8, 0.99, epsilon=0.0, amsgrad=True), AMSGRAD),
    "adamax": (
        lambda: optimizers.Adamax(0.01, 0.8, 0.99, epsilon=0.0),
        optax.adamax(0.01, 0.8, 0.99, eps=0.0),
    ),
    "clipnorm": (
        lambda: optimizers.SGD(0.1, clipnorm=2.0),
        optax.chain(optax.clip_by_global_norm(2.0), optax.sgd(0.1)),
    ),
    "clipvalue": (
        lambda: optimizers.SGD(0.1, clipvalue=0.5),
        optax.chain(optax.clip(0.5), optax.sgd(0.1)),
    ),
}


@pytest.mark.lenient
@pytest.mark.parametrize("name", SAME_AS_OPTAX)
@pytest.mark.usefixtures("float64")
def test_equals_optax(name: str) -> None:
    ours, theirs = SAME_AS_OPTAX[name]
    rng = np.random.default_rng(3)
    params = jax.tree.map(jnp.asarray, tree(rng))
    state = theirs.init(params)

    @jax.jit
    def step(grads: Any, state: Any, params: Any) -> Any:
        updates, state = theirs.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(STEPS):
        params, state = step(gradients(rng, params), state, params)
    compare(trained(ours())[0], params)


@pytest.mark.lenient
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: optimizers.Adam(epsilon=1e-2), optax.adam(1e-3, eps=1e-2)),
        (lambda: optimizers.RMSprop(epsilon=1e-2), optax.rmsprop(1e-3, eps=1e-2)),
        (lambda: optimizers.Adagrad(epsilon=1e-2), optax.adagrad(0.01, 0.0, eps=1e-2)),
        (lambda: optimizers.Adamax(beta_2=0.5, epsilon=1e-2), optax.adamax(2e-3, b2=0.5, eps=1e-2)),
        (lambda: optimizers.Nadam(), optax.nadam(2e-3)),
    ],
    ids=["adam", "rmsprop", "adagrad", "adamax", "nadam"],
)
def test_differs_from_optax_where_the_documentation_says_so(ours: Any, theirs: Any) -> None:
    params, grads = jnp.array([1.0, -2.0]), jnp.array([0.01, -0.3])
    optimizer = ours()
    state, memory = optimizer.init_state(params), theirs.init(params)
    mine: Any = params
    other: Any = params
    for _ in range(3):
        grads = grads * 0.2
        mine, state = optimizer.apply(grads, state, mine)
        updates, memory = theirs.update(grads, memory, other)
        other = optax.apply_updates(other, updates)
    assert np.max(np.abs((mine - params) / (other - params) - 1)) > 1e-3


# The formulas of Keras 2.2 in numpy: from gradient, step, rate and memory to what is subtracted.


def sgd(g: Any, t: int, lr: float, s: dict[str, Any], momentum: float, nesterov: bool) -> Any:
    s["v"] = momentum * s.get("v", 0) - lr * g
    return -(momentum * s["v"] - lr * g) if nesterov else -s["v"]


def rmsprop(g: Any, t: int, lr: float, s: dict[str, Any], rho: float, epsilon: float) -> Any:
    s["a"] = rho * s.get("a", 0) + (1 - rho) * g**2
    return lr * g / (np.sqrt(s["a"]) + epsilon)


def adagrad(g: Any, t: int, lr: float, s: dict[str, Any], epsilon: float) -> Any:
    s["a"] = s.get("a", 0) + g**2
    return lr * g / (np.sqrt(s["a"]) + epsilon)


def adadelta(g: Any, t: int, lr: float, s: dict[str, Any], rho: float, epsilon: float) -> Any:
    s["a"] = rho * s.get("a", 0) + (1 - rho) * g**2
    step = g * np.sqrt(s.get("d", 0) + epsilon) / np.sqrt(s["a"] + epsilon)
    s["d"] = rho * s.get("d", 0) + (1 - rho) * step**2
    return lr * step


def adam(
    g: Any, t: int, lr: float, s: dict[str, Any], beta_1: float, beta_2: float, epsilon: float, amsgrad: bool
) -> Any:
    s["m"] = beta_1 * s.get("m", 0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0) + (1 - beta_2) * g**2
    s["largest"] = np.maximum(s.get("largest", 0), s["v"])
    v = s["largest"] if amsgrad else s["v"]
    return lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * s["m"] / (np.sqrt(v) + epsilon)


def adamax(g: Any, t: int, lr: float, s: dict[str, Any], beta_1: float, beta_2: float, epsilon: float) -> Any:
    s["m"] = beta_1 * s.get("m", 0) + (1 - beta_1) * g
    s["u"] = np.maximum(beta_2 * s.get("u", 0), np.abs(g))
    return lr / (1 - beta_1**t) * s["m"] / (s["u"] + epsilon)


def nadam(
    g: Any,
    t: int,
    lr: float,
    s: dict[str, Any],
    beta_1: float,
    beta_2: float,
    epsilon: float,
    schedule_decay: float,
) -> Any:
    now, after = (beta_1 * (1 - 0.5 * 0.96 ** (n * schedule_decay)) for n in (t, t + 1))
    s["product"] = s.get("product", 1) * now
    s["m"] = beta_1 * s.get("m", 0) + (1 - beta_1) * g
    s["v"] = beta_2 * s.get("v", 0) + (1 - beta_2) * g**2
    g_hat, m_hat = g / (1 - s["product"]), s["m"] / (1 - s["product"] * after)
    return lr * ((1 - now) * g_hat + after * m_hat) / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)


BETAS = {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4}
FORMULAS: dict[str, tuple[Any, Any, dict[str, Any], float]] = {
    "sgd": (optimizers.SGD, sgd, {"momentum": 0.9, "nesterov": False}, 0.0),
    "sgd_nesterov_decay": (optimizers.SGD, sgd, {"momentum": 0.9, "nesterov": True}, 0.02),
    "rmsprop": (optimizers.RMSprop, rmsprop, {"rho": 0.8, "epsilon": 1e-4}, 0.02),
    "adagrad": (optimizers.Adagrad, adagrad, {"epsilon": 1e-4}, 0.02),
    "adadelta": (optimizers.Adadelta, adadelta, {"rho": 0.9, "epsilon": 1e-4}, 0.02),
    "adam": (optimizers.Adam, adam, {**BETAS, "amsgrad": False}, 0.02),
    "adam_amsgrad": (optimizers.Adam, adam, {**BETAS, "amsgrad": True}, 0.02),
    "adamax": (optimizers.Adamax, adamax, BETAS, 0.02),
    "nadam": (optimizers.Nadam, nadam, {**BETAS, "schedule_decay": 0.01}, 0.0),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.usefixtures("float64")
def test_equals_the_formula(name: str) -> None:
    cls, formula, arguments, decay = FORMULAS[name]
    rng = np.random.default_rng(3)
    params = tree(rng)
    leaves, structure = jax.tree.flatten(params)
    memories: list[dict[str, Any]] = [{} for _ in leaves]
    for t in range(1, STEPS + 1):
        grads = jax.tree.leaves(gradients(rng, structure.unflatten(leaves)))
        lr = 0.05 / (1 + decay * (t - 1))
        steps = [formula(g, t, lr, s, **arguments) for g, s in zip(grads, memories, strict=True)]
        leaves = [p - step for p, step in zip(leaves, steps, strict=True)]
    own = {"decay": decay} if decay else {}
    got, state = trained(cls(lr=0.05, **arguments, **own))
    compare(got, structure.unflatten(leaves))
    assert int(state.iterations) == STEPS


@pytest.mark.parametrize("name", FORMULAS)
def test_hyperparameters_of_float32_leave_float64_parameters_as_wide(name: str) -> None:
    cls, _, arguments, _ = FORMULAS[name]
    with jax.enable_x64(True):
        optimizer = cls(lr=0.05, clipnorm=3.0, **arguments)
        params = {"wide": jnp.ones(2, "float64"), "narrow": jnp.ones(2, "float32")}
        new, state = optimizer.apply(params, optimizer.init_state(params), params)
        assert {k: v.dtype.name for k, v in new.items()} == {"wide": "float64", "narrow": "float32"}
        assert state.iterations.dtype == np.int32
        np.testing.assert_allclose(new["wide"], new["narrow"], rtol=1e-6)


# Today's Keras, in float32.

SAME_AS_KERAS_3 = {
    "SGD": ({"momentum": 0.9}, {"momentum": 0.9}),
    "SGD nesterov": ({"momentum": 0.9, "nesterov": True},) * 2,
    "Adadelta": ({"rho": 0.9, "epsilon": 1e-5},) * 2,
    "Adam": ({"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},) * 2,
    "Adam amsgrad": ({"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3, "amsgrad": True},) * 2,
    "Nadam": ({"schedule_decay": 1.0, "epsilon": 1e-3}, {"epsilon": 1e-3}),
    "Adamax": ({"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},) * 2,
}
UNLIKE_KERAS_3 = {
    "RMSprop": ({"epsilon": 1e-2},) * 2,
    "Adagrad": ({"epsilon": 1e-2}, {"epsilon": 1e-2, "initial_accumulator_value": 0.0}),
    "Nadam": ({}, {}),
}


def steps_of_both(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[Any, Any]:
    """What kjax and today's Keras have moved after 20 steps."""
    keras = importlib.import_module("keras")
    cls = name.split()[0]
    optimizer = getattr(optimizers, cls)(lr=0.05, **ours)
    other = getattr(keras.optimizers, cls)(learning_rate=0.05, **theirs)
    start = np.array([0.5, -2.0, 1.0], "float32")
    mine, state = jnp.asarray(start), optimizer.init_state(jnp.asarray(start))
    variable = keras.Variable(start)
    rng = np.random.default_rng(5)
    for _ in range(20):
        grads = jnp.asarray(rng.normal(0.05, 0.2, size=3), jnp.float32)
        mine, state = optimizer.apply(grads, state, mine)
        other.apply([grads], [variable])
    return np.asarray(mine) - start, np.asarray(variable.value) - start


@pytest.mark.lenient
@pytest.mark.parametrize("name", SAME_AS_KERAS_3)
def test_equals_todays_keras(name: str) -> None:
    pytest.importorskip("keras", reason="today's Keras is not installed")
    mine, other = steps_of_both(name, *SAME_AS_KERAS_3[name])
    np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.lenient
@pytest.mark.parametrize("name", UNLIKE_KERAS_3)
def test_differs_from_todays_keras_where_the_documentation_says_so(name: str) -> None:
    pytest.importorskip("keras", reason="today's Keras is not installed")
    mine, other = steps_of_both(name, *UNLIKE_KERAS_3[name])
    assert np.max(np.abs(mine - other)) > 1e-3 * np.max(np.abs(mine))
