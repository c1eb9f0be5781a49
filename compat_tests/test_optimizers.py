"""Optimizers against the runs of Keras 2.2.4, and their arguments, state, clipping and errors.

Their formulas against optax and numpy are in `test_optimizer_formulas.py`.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from compat_tests import golden
from kjax import optimizers
from kjax._core.graph import Tensor, Variable, evaluate
from kjax._core.scope import Scope

CLASSES = [getattr(optimizers, n) for n in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")]
CASES = golden.load("optimizers")
KNOWN = {name: getattr(optimizers, name) for name in optimizers.__all__}


# Runs of Keras 2.2.4.


def mlp(weights: list[Any], x: Any) -> Any:
    """Dense 16 relu, Dense 8 tanh, Dense 3 softmax."""
    hidden = jax.nn.relu(x @ weights[0] + weights[1][None])
    hidden = jnp.tanh(hidden @ weights[2] + weights[3][None])
    return jax.nn.softmax(hidden @ weights[4] + weights[5][None])


def crossentropy(weights: list[Any], x: Any, y: Any) -> Any:
    """What Keras 2.2 computes: probabilities are scaled to sum to 1, then clipped."""
    p = mlp(weights, x)
    p = jnp.clip(p / p.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -jnp.mean(jnp.sum(y * jnp.log(p), -1))


def compiled_optimizer(case: golden.Case) -> Any:
    """The optimizer that the case's source passes to `compile`."""
    seen: dict[str, Any] = {}

    class Model:
        def compile(self, **arguments: Any) -> None:
            seen.update(arguments)

    exec(case.meta["compile"], {**KNOWN, "model": Model()})
    return optimizers.get(seen["optimizer"])


@pytest.mark.parametrize("name", CASES)
def test_recorded_run(name: str) -> None:
    case = CASES[name]
    optimizer = compiled_optimizer(case)
    assert type(optimizer).__name__ == case.meta["optimizer"]
    params = [Variable(w) for w in case.series("w0_", case.meta["n_w"])]
    optimizer.build(params)
    assert [w.name for w in optimizer.weights] == case.meta["opt_weight_names"]

    @jax.jit
    def step(values: Any, state: Any, x: Any, y: Any) -> Any:
        return optimizer.apply(jax.grad(crossentropy)(values, x, y), state, values)

    values, state = [p.stored for p in params], optimizer.state
    x, y, size = case.arrays["x0"], case.arrays["y0"], case.meta["batch_size"]
    for _ in range(case.meta["epochs"]):
        for start in range(0, len(x), size):
            values, state = step(values, state, x[start : start + size], y[start : start + size])
    for variable, value in zip(optimizer.state_variables, jax.tree.leaves(state), strict=True):
        variable.store(value)

    for got, recorded in zip(values, case.series("w1_", case.meta["n_w"]), strict=True):
        golden.deviation(got, recorded, "weight", 1e-5)
    for got, recorded in zip(optimizer.get_weights(), case.series("opt_", case.meta["n_opt"]), strict=True):
        golden.deviation(got, recorded, "optimizer state", 2e-5)
    golden.config_deviation(optimizer.get_config(), case.meta["optimizer_config"])
    assert list(optimizer.get_config()) == list(case.meta["optimizer_config"])
    assert optimizer.get_config() == case.meta["optimizer_config"]


# Constructors, names, configs.


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (optimizers.SGD, {"lr": 0.01, "momentum": 0.0, "decay": 0.0, "nesterov": False}),
        # The last two are tf.keras's, behind those of Keras 2.2.
        (
            optimizers.RMSprop,
            {"lr": 0.001, "rho": 0.9, "epsilon": None, "decay": 0.0, "momentum": 0.0, "centered": False},
        ),
        (optimizers.Adagrad, {"lr": 0.01, "epsilon": None, "decay": 0.0}),
        (optimizers.Adadelta, {"lr": 1.0, "rho": 0.95, "epsilon": None, "decay": 0.0}),
        (
            optimizers.Adam,
            {"lr": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "decay": 0.0, "amsgrad": False},
        ),
        (optimizers.Adamax, {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "decay": 0.0}),
        (
            optimizers.Nadam,
            {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "schedule_decay": 0.004},
        ),
    ],
)
def test_signature_and_position_of_arguments(cls: Any, arguments: dict[str, Any]) -> None:
    parameters = list(inspect.signature(cls).parameters.values())
    assert {p.name: p.default for p in parameters[:-1]} == arguments
    assert [p.name for p in parameters[:-1]] == list(arguments)
    assert parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    given = [False if d is False else 0.25 if d is None else d / 2 for d in arguments.values()]
    config = cls(*given).get_config()
    # What Keras 2.2 did not have is written where it is used, so that other configs are Keras 2.2's.
    written = {name: v for name, v in zip(arguments, given, strict=True) if v or name not in cls.options}
    assert config == pytest.approx(written)


@pytest.mark.parametrize("cls", CLASSES)
def test_lookup_by_name_in_any_case_by_class_and_by_config(cls: Any) -> None:
    name = cls.__name__
    for identifier in (name, name.lower(), name.upper(), cls, {"class_name": name.lower(), "config": {}}):
        found = optimizers.get(identifier)
        assert type(found) is cls
        assert found.get_config() == cls().get_config()
    assert getattr(optimizers, name.lower()) is cls
    instance = cls()
    assert optimizers.get(instance) is instance


@pytest.mark.parametrize("cls", CLASSES)
def test_config_round_trip(cls: Any) -> None:
    optimizer = cls(lr=0.03, clipnorm=1.5, clipvalue=0.5)
    optimizer.lr = 0.02
    config = optimizers.serialize(optimizer)
    assert config["class_name"] == cls.__name__
    assert config["config"]["lr"] == float(np.float32(0.02))
    assert config["config"]["clipnorm"] == 1.5
    again = optimizers.deserialize(config)
    assert type(again) is cls
    assert again.get_config() == cls.from_config(config["config"]).get_config() == config["config"]
    assert "clipnorm" not in cls().get_config()


def test_own_class_by_name() -> None:
    class Slow(optimizers.SGD):
        pass

    found = optimizers.deserialize({"class_name": "Slow", "config": {"lr": 0.5}}, custom_objects={"Slow": Slow})
    assert type(found) is Slow
    assert float(found.lr) == 0.5


@pytest.mark.parametrize("cls", CLASSES)
def test_learning_rate_is_lr(cls: Any) -> None:
    optimizer = cls(learning_rate=0.25, name="mine")
    assert optimizer.learning_rate is optimizer.lr
    assert float(optimizer.lr) == 0.25
    variable = optimizer.lr
    optimizer.learning_rate = 0.5
    assert optimizer.lr is variable
    assert float(variable) == 0.5
    for given in ({"lr": 0.25}, {"lr": inspect.signature(cls).parameters["lr"].default}):
        with pytest.raises(TypeError, match="both `lr` and `learning_rate`"):
            cls(learning_rate=0.25, **given)
    with pytest.raises(TypeError, match="both `lr` and `learning_rate`"):
        cls(0.1, learning_rate=0.25)


def test_attributes_of_keras() -> None:
    adam = optimizers.Adam(decay=0.5, amsgrad=True)
    assert (adam.initial_decay, adam.epsilon, adam.amsgrad) == (0.5, 1e-7, True)
    assert adam.iterations.dtype == np.int32
    assert [v.name for v in adam.hyper_variables] == [
        "Adam/lr:0",
        "Adam/beta_1:0",
        "Adam/beta_2:0",
        "Adam/decay:0",
    ]
    assert all(v.dtype == np.float32 and not v.trainable for v in adam.hyper_variables)
    assert optimizers.SGD(nesterov=True).nesterov is True
    assert optimizers.Nadam().schedule_decay == 0.004
    assert not hasattr(optimizers.Nadam(), "decay")
    assert optimizers.Adam(epsilon=0.0).epsilon == 0.0


def test_epsilon_is_the_one_at_construction() -> None:
    from kjax._core import config

    config.set_epsilon(1e-3)
    try:
        optimizer = optimizers.RMSprop()
    finally:
        config.set_epsilon(1e-7)
    assert optimizer.epsilon == 1e-3
    assert optimizers.RMSprop().epsilon == 1e-7


# Errors.


def test_unknown_keyword() -> None:
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: foo") as error:
        optimizers.SGD(foo=1)
    for accepted in ("lr", "learning_rate", "momentum", "decay", "nesterov", "clipnorm", "clipvalue", "name"):
        assert accepted in str(error.value)
    with pytest.raises(TypeError, match="passed to optimizer: decay"):
        optimizers.Nadam(decay=0.1)


@pytest.mark.parametrize("rate", [lambda step: 0.1, "0.1", [0.1], np.ones(3), object(), 1j])
def test_rate_that_is_no_number(rate: Any) -> None:
    with pytest.raises(TypeError, match="`lr` must be a number"):
        optimizers.Adam(lr=rate)
    with pytest.raises(TypeError, match="`lr` must be a number"):
        optimizers.Adam(learning_rate=rate)
    with pytest.raises(TypeError, match="`lr` must be a number"):
        optimizers.Adam().lr = rate


def test_identifiers_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="Unknown optimizer: foo"):
        optimizers.get("foo")
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        optimizers.get("Adan")
    for identifier in (3, None, len, dict, np.ones(2)):
        with pytest.raises(ValueError, match="Could not interpret optimizer identifier: "):
            optimizers.get(identifier)
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier: 3"):
        optimizers.get(3)
    with pytest.raises(ValueError, match="Improper config of optimizer"):
        optimizers.get({"lr": 0.1})


def test_set_weights_checks_before_it_writes() -> None:
    optimizer = optimizers.Adam()
    with pytest.raises(ValueError, match=r"weight list \(1\).*\(0\).*has none before"):
        optimizer.set_weights([np.array(3)])
    optimizer.build([Variable(np.ones((2, 3))), Variable(np.ones(3))])
    weights = optimizer.get_weights()
    assert [w.shape for w in weights] == [(), (2, 3), (3,), (2, 3), (3,), (1,), (1,)]
    with pytest.raises(ValueError, match=r"weight list \(6\) does not match the number of weights of Adam \(7\)"):
        optimizer.set_weights(weights[:-1])
    wrong = [np.array(9), *weights[1:]]
    wrong[4] = np.ones(4)
    with pytest.raises(ValueError, match=r"shape \(3,\) of 'training/Adam/Variable_3:0'.*shape \(4,\)"):
        optimizer.set_weights(wrong)
    assert int(optimizer.iterations) == 0


def test_state_before_build() -> None:
    with pytest.raises(RuntimeError, match="no state before"):
        optimizers.SGD().state  # noqa: B018 the property raises
    assert optimizers.SGD().get_weights() == []


# State.


@pytest.mark.parametrize("cls", CLASSES)
def test_state_survives_get_and_set_weights(cls: Any) -> None:
    """Training that goes on from saved weights equals training that never stopped."""
    rng = np.random.default_rng(0)
    grads = [[rng.normal(size=(2, 3)).astype("float32"), np.float32(rng.normal())] for _ in range(6)]
    params = [Variable(np.ones((2, 3))), Variable(np.float32(2.0))]

    def run(optimizer: Any, values: Any, steps: Any) -> Any:
        state = optimizer.state
        for g in steps:
            values, state = optimizer.apply([jnp.asarray(x) for x in g], state, values)
        leaves, structure = jax.tree.flatten(state)
        assert structure == jax.tree.structure(optimizer.state)
        for variable, leaf in zip(optimizer.state_variables, leaves, strict=True):
            assert variable.dtype == leaf.dtype
            variable.store(leaf)
        return values

    whole, first, second = cls(lr=0.1), cls(lr=0.1), cls(lr=0.1)
    for optimizer in (whole, first, second):
        optimizer.build(params)
    start = [p.stored for p in params]
    expected = run(whole, start, grads)
    middle = run(first, start, grads[:3])
    second.set_weights(first.get_weights())
    if cls is optimizers.Nadam:
        # Keras did not save the product of the schedule, so it starts over; here it is handed on.
        second.state_variables[-1].assign(first.state_variables[-1].numpy())
    got = run(second, middle, grads[3:])
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert int(whole.iterations) == 6
    assert int(second.iterations) == (6 if cls.saves_iterations else 3)


def test_build_starts_slots_over_and_keeps_the_counter() -> None:
    optimizer = optimizers.SGD()
    optimizer.build([Variable(np.ones(2))])
    optimizer.set_weights([np.array(5), np.ones(2)])
    optimizer.build([Variable(np.ones(3))])
    assert int(optimizer.iterations) == 5
    np.testing.assert_array_equal(optimizer.get_weights()[1], np.zeros(3))


def test_copies_are_independent() -> None:
    optimizer = optimizers.Adam(lr=0.5)
    optimizer.build([Variable(np.ones(2))])
    copied = copy.deepcopy(optimizer)
    copied.lr = 0.1
    assert float(optimizer.lr) == 0.5
    assert copied.state_variables[1] is not optimizer.state_variables[1]
    assert copied.hyper_variables[0] is copied.lr


@pytest.mark.parametrize("cls", CLASSES)
def test_slots_have_the_type_of_their_parameter(cls: Any) -> None:
    params = {"half": jnp.ones(2, jnp.bfloat16), "single": jnp.ones(2)}
    optimizer = cls(lr=0.25)
    state = optimizer.init_state(params)
    new, after = optimizer.apply(params, state, params)
    assert new["half"].dtype == jnp.bfloat16
    assert [x.dtype for x in jax.tree.leaves(after)] == [x.dtype for x in jax.tree.leaves(state)]
    np.testing.assert_allclose(np.asarray(new["half"], "float32"), new["single"], rtol=2e-2)


@pytest.mark.parametrize("cls", CLASSES)
def test_nothing_to_train(cls: Any) -> None:
    optimizer = cls(clipnorm=1.0)
    optimizer.build([])
    params, state = optimizer.apply([], optimizer.state, [])
    assert params == []
    assert int(state.iterations) == 1


# A training step of one's own.


@pytest.mark.parametrize("cls", CLASSES)
def test_init_and_update_make_the_steps_of_apply(cls: Any) -> None:
    params = {"w": jnp.array([1.0, -2.0]), "b": (jnp.float32(0.5),)}
    optimizer = cls(lr=0.1)
    slots, state = optimizer.init(params), optimizer.init_state(params)
    by_hand = by_apply = params
    for i in range(4):
        grads = jax.tree.map(lambda p, scale=i + 1.0: p * scale + 0.1, params)
        updates, slots = jax.jit(optimizer.update)(grads, slots, by_hand, optimizer.lr.value)
        by_hand = jax.tree.map(jnp.add, by_hand, updates)
        by_apply, state = jax.jit(optimizer.apply)(grads, state, by_apply)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), by_hand, by_apply)
    default, _ = optimizer.update(params, optimizer.init(params), params)
    given, _ = optimizer.update(params, optimizer.init(params), params, 0.1)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), default, given)


@pytest.mark.parametrize("cls", CLASSES)
def test_steps_are_differentiable_even_where_a_gradient_is_zero(cls: Any) -> None:
    optimizer = cls(lr=0.01, clipnorm=5.0, clipvalue=4.0, epsilon=1e-3) if cls is not optimizers.SGD else cls()

    def after_two_steps(x: Any) -> Any:
        params = jnp.stack([x, jnp.zeros_like(x)])
        state = optimizer.init_state(params)
        for _ in range(2):
            grads = jax.grad(lambda p: jnp.sum(p**2))(params)
            params, state = optimizer.apply(grads, state, params)
        return jnp.sum(params**2)

    x = 1.2
    slope = jax.grad(after_two_steps)(x)
    numeric = (after_two_steps(x + 1e-2) - after_two_steps(x - 1e-2)) / 2e-2
    np.testing.assert_allclose(slope, numeric, rtol=2e-3)
    assert np.isfinite(jax.grad(after_two_steps)(0.0))


def test_hyperparameters_change_without_another_trace() -> None:
    optimizer = optimizers.Adam(lr=0.1, clipnorm=1.0)
    params = [jnp.array([1.0, 2.0])]
    state = optimizer.init_state(params)
    traces = []

    @jax.jit
    def step(hyper: Any, state: Any, params: Any) -> Any:
        traces.append(1)
        with Scope(optimizer.hyper_variables, hyper) as scope:
            result = optimizer.apply(params, state, params)
        assert not scope.missed
        return result

    def values() -> list[Any]:
        return [v.stored for v in optimizer.hyper_variables]

    moved, _ = step(values(), state, params)
    for change in ({"lr": 0.2}, {"beta_1": 0.5}, {"beta_2": 0.9}, {"decay": 0.1}):
        for name, value in change.items():
            setattr(optimizer, name, value)
        again, after = step(values(), state, params)
    assert len(traces) == 1
    # At the first step Adam moves by the learning rate, whatever the betas are.
    np.testing.assert_allclose(params[0] - moved[0], 0.1, rtol=1e-5)
    np.testing.assert_allclose(params[0] - again[0], 0.2, rtol=1e-5)
    _, (_, slots) = step(values(), after, again)
    assert int(after.iterations) == 1
    assert slots.count is None


# Clipping, decay, constraints.


def sgd_step(grads: Any, **arguments: Any) -> Any:
    """What SGD at rate 1 subtracts."""
    optimizer = optimizers.SGD(lr=1.0, **arguments)
    params = jax.tree.map(jnp.zeros_like, grads)
    new, _ = optimizer.apply(grads, optimizer.init_state(params), params)
    return jax.tree.map(lambda p: -np.asarray(p), new)


def test_clipnorm_is_one_norm_over_all() -> None:
    grads = {"a": jnp.array([3.0]), "b": [jnp.array([[0.0, 4.0]]), jnp.float32(12.0)]}  # norm 13
    clipped = sgd_step(grads, clipnorm=6.5)
    jax.tree.map(lambda c, g: np.testing.assert_allclose(c, np.asarray(g) / 2, rtol=1e-6), clipped, grads)
    for unchanged in (13.1, 0, None):
        kept = sgd_step(grads, clipnorm=unchanged)
        jax.tree.map(lambda c, g: np.testing.assert_array_equal(c, np.asarray(g)), kept, grads)
    np.testing.assert_array_equal(sgd_step([jnp.zeros(2)], clipnorm=1.0)[0], [0, 0])


def test_clipvalue_and_the_order_of_both() -> None:
    grads = [jnp.array([3.0, -4.0])]
    np.testing.assert_allclose(sgd_step(grads, clipvalue=3.5)[0], [3.0, -3.5])
    # The norm first: (3, -4) -> (1.5, -2) -> (1.5, -1.8). The values first would give (1.78, -1.78).
    np.testing.assert_allclose(sgd_step(grads, clipnorm=2.5, clipvalue=1.8)[0], [1.5, -1.8], rtol=1e-6)


def test_decay_counts_from_zero() -> None:
    optimizer = optimizers.SGD(lr=1.0, decay=0.5)
    params, state = jnp.float32(0.0), optimizer.init_state(jnp.float32(0.0))
    steps = []
    for _ in range(3):
        new, state = optimizer.apply(jnp.float32(-1.0), state, params)
        steps.append(float(new - params))
        params = new
    np.testing.assert_allclose(steps, [1.0, 1 / 1.5, 1 / 2.0], rtol=1e-6)
    assert int(state.iterations) == 3


def test_constraints_follow_the_update() -> None:
    optimizer = optimizers.SGD(lr=1.0, momentum=0.5)
    params = {"free": jnp.array([1.0]), "positive": jnp.array([1.0, 3.0])}
    grads = jax.tree.map(lambda p: jnp.full_like(p, 2.0), params)
    constraints = {"free": None, "positive": jax.nn.relu}
    new, state = optimizer.apply(grads, optimizer.init_state(params), params, constraints)
    np.testing.assert_array_equal(new["free"], [-1.0])
    np.testing.assert_array_equal(new["positive"], [0.0, 1.0])
    np.testing.assert_array_equal(state.slots.moments["positive"], [-2.0, -2.0])


def test_get_gradients_are_symbolic_and_clipped() -> None:
    x: Any = Tensor((None,), "float32")
    weight = Variable(np.array(3.0, "float32"))
    loss = x * weight * weight
    with Scope([weight], [weight.stored]):
        cases: Any = (({}, 18.0), ({"clipnorm": 2.0}, 2.0), ({"clipvalue": 5.0}, 5.0))
        for arguments, expected in cases:
            (gradient,) = optimizers.SGD(**arguments).get_gradients(loss, [weight])
            assert isinstance(gradient, Tensor)
            (value,), _ = evaluate([gradient], {x: jnp.array([1.0, 2.0])})
            np.testing.assert_allclose(value, expected, rtol=1e-6)


# optax in the place of an optimizer.


@pytest.mark.lenient
@pytest.mark.parametrize(
    "transformation",
    [
        optax.adamw(1e-2),
        optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1, 0.9)),
        optax.lion(optax.cosine_decay_schedule(0.1, 10)),
        optax.chain(optax.add_noise(0.1, 0.5, 3), optax.masked(optax.sgd(0.1, 0.9), [True, False])),
    ],
    ids=["adamw", "chain", "schedule", "random"],
)
def test_optax_wrapper_equals_optax(transformation: Any) -> None:
    optimizer = optimizers.get(transformation)
    assert isinstance(optimizer, optimizers.OptaxOptimizer)
    assert optimizers.get(optimizer) is optimizer
    rng = np.random.default_rng(1)
    params = [rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")]
    optimizer.build([Variable(p) for p in params])
    ours, state = params, optimizer.state
    theirs: Any = [jnp.asarray(p) for p in params]
    memory = transformation.init(params)
    for _ in range(5):
        grads = [jnp.asarray(rng.normal(size=p.shape), jnp.float32) for p in params]
        ours, state = jax.jit(optimizer.apply)(grads, state, ours)
        updates, memory = transformation.update(grads, memory, theirs)
        theirs = optax.apply_updates(theirs, updates)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert int(state.iterations) == 5
    optimizer.set_weights([np.asarray(leaf) for leaf in jax.tree.leaves(state)])
    for got, want in zip(optimizer.get_weights(), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(got, want)


def test_optax_wrapper_has_no_rate_and_no_config() -> None:
    wrapped = optimizers.OptaxOptimizer(optax.sgd(0.1), clipnorm=1.0)
    assert wrapped.hyper_variables == []
    assert not hasattr(wrapped, "lr")
    with pytest.raises(AttributeError, match="OptaxOptimizer has no hyperparameter 'lr'"):
        wrapped.lr = 0.1
    with pytest.raises(ValueError, match="has no config"):
        optimizers.serialize(wrapped)
    with pytest.raises(TypeError, match="its own learning rate"):
        optimizers.OptaxOptimizer(optax.sgd(0.1), learning_rate=0.1)
    with pytest.raises(TypeError, match="`init` and `update`"):
        optimizers.OptaxOptimizer(0.1)
    new, _ = wrapped.apply([jnp.array([30.0])], wrapped.init_state([jnp.zeros(1)]), [jnp.zeros(1)])
    np.testing.assert_allclose(new[0], -0.1, rtol=1e-6)
