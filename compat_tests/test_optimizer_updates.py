"""Optimizers written as in Keras: `get_updates` of the user's, and steps of kjax's own as operations."""

from __future__ import annotations

import copy
import pathlib
import pickle
from typing import Any

import numpy as np
import optax
import pytest

import kjax
from kjax import backend as K
from kjax import constraints, models, optimizers
from kjax._core import notices
from kjax.callbacks import EarlyStopping, LearningRateScheduler
from kjax.layers import Dense

X = np.random.RandomState(0).rand(40, 3).astype("float32")
Y = np.random.RandomState(1).rand(40, 2).astype("float32")


class Momentum(optimizers.Optimizer):
    """SGD with momentum, as a program of Keras 2 would write it."""

    def __init__(self, lr: float = 0.1, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.momentum = K.variable(momentum, name="momentum")

    def get_updates(self, loss: Any, params: Any) -> Any:
        self.updates = [K.update_add(self.iterations, 1)]
        velocities = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        self.weights = [self.iterations, *velocities]
        for p, g, v in zip(params, self.get_gradients(loss, params), velocities, strict=True):
            new = self.momentum * v - self.lr * g
            self.updates += [K.update(v, new)]
            moved = p + new
            if getattr(p, "constraint", None) is not None:
                moved = p.constraint(moved)
            self.updates.append(K.update(p, moved))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        own = {"lr": float(K.get_value(self.lr)), "momentum": float(K.get_value(self.momentum))}
        return {**super().get_config(), **own}


class Old(optimizers.Optimizer):
    """Keras 1's way: constraints are passed, updates are pairs, and a counter is a float."""

    def __init__(self, lr: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__.update(locals())
        self.iterations = K.variable(0.0)
        self.lr = K.variable(lr)

    def get_updates(self, params: Any, constraints: Any, loss: Any) -> Any:
        updates: list[Any] = [(self.iterations, self.iterations + 1)]
        for p, g in zip(params, self.get_gradients(loss, params), strict=True):
            new = p - self.lr * g
            updates.append((p, constraints[p](new) if p in constraints else new))
        self.updates = updates
        return updates


class Halved(optimizers.Adam):
    """Half of each gradient, by the part of the step that asks for it."""

    def get_gradients(self, loss: Any, params: Any) -> Any:
        return [g / 2 for g in super().get_gradients(loss, params)]


class Multiplied(optimizers.SGD):
    """A penalty is added to the loss, and what the class above returns is added to."""

    def get_updates(self, loss: Any, params: Any) -> Any:
        self.seen = K.variable(0.0)
        updates = super().get_updates(loss + 0.5 * K.sum(K.square(params[0])), params)
        return [*updates, K.update(self.seen, loss)]


class Noisy(optimizers.Optimizer):
    """Writes a random number in each step, and changes nothing else."""

    def get_updates(self, loss: Any, params: Any) -> Any:
        self.drawn = K.variable(np.zeros(4))
        return [K.update(self.drawn, K.random_normal((4,))), self.iterations.assign_add(1)]


def compiled(optimizer: Any) -> Any:
    np.random.seed(0)
    hidden = Dense(4, activation="tanh", input_dim=3, kernel_constraint=constraints.max_norm(1.0))
    model = models.Sequential([hidden, Dense(2)])
    model.compile(optimizer, "mse")
    return model


def fitted(optimizer: Any, **options: Any) -> Any:
    model = compiled(optimizer)
    model.fit(X, Y, batch_size=16, epochs=3, verbose=0, shuffle=False, **options)
    return model


def assert_same(first: Any, second: Any, exact: bool = True) -> None:
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        if exact:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)


def test_get_updates_of_the_users_makes_the_steps_of_the_same_formula_here() -> None:
    schedule: Any = [LearningRateScheduler(lambda epoch: [0.2, 0.1, 0.05][epoch])]
    mine = fitted(Momentum(clipnorm=0.3), callbacks=[*schedule, EarlyStopping(patience=5, monitor="loss")])
    theirs = fitted(optimizers.SGD(0.1, momentum=0.9, clipnorm=0.3), callbacks=schedule)
    assert_same(mine, theirs)
    assert K.get_value(mine.optimizer.iterations) == 9
    assert float(mine.optimizer.lr) == np.float32(0.05)
    for a, b in zip(mine.optimizer.get_weights(), theirs.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_state_goes_with_the_model_into_files_and_copies(tmp_path: pathlib.Path) -> None:
    model = fitted(Momentum())
    file = str(tmp_path / "model.h5")
    model.save(file)
    loaded = models.load_model(file, custom_objects={"Momentum": Momentum})
    with kjax.utils.CustomObjectScope({"Momentum": Momentum}):
        scoped = models.load_model(file)
    copies = [loaded, scoped, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for each in [*copies, model]:
        assert type(each.optimizer) is Momentum
        each.train_on_batch(X, Y)
    for each in copies:
        assert_same(each, model)
        assert_same(each.optimizer, model.optimizer)
    alone = pickle.loads(pickle.dumps(model.optimizer))
    assert alone.get_config() == Momentum.from_config(model.optimizer.get_config()).get_config()
    assert_same(fitted(copy.deepcopy(alone)).optimizer, fitted(alone).optimizer)


def test_keras_1_gets_constraints_and_returns_pairs() -> None:
    mine = fitted(Old(clipvalue=0.01))
    assert_same(mine, fitted(optimizers.SGD(0.1, clipvalue=0.01)))
    assert K.get_value(mine.optimizer.iterations) == 9.0


def test_a_part_of_a_step_is_overridden() -> None:
    doubled = compiled(Halved(0.01, epsilon=0.0))
    doubled.compile(Halved(0.01, epsilon=0.0), lambda t, p: 2 * K.mean(K.square(t - p), -1))
    doubled.fit(X, Y, batch_size=16, epochs=3, verbose=0, shuffle=False)
    assert_same(doubled, fitted(optimizers.Adam(0.01, epsilon=0.0)), exact=False)

    patched = optimizers.SGD(0.1)
    given = patched.get_gradients
    patched.get_gradients = lambda loss, params: [3 * g for g in given(loss, params)]
    assert_same(fitted(patched), fitted(optimizers.SGD(0.3)), exact=False)


def test_a_loss_that_was_added_to_is_differentiated_and_its_value_is_there() -> None:
    model = compiled(Multiplied(0.1))
    before = model.get_weights()
    logged = model.train_on_batch(X, Y)
    plain = compiled(optimizers.SGD(0.1))
    plain.set_weights(before)
    plain.train_on_batch(X, Y)
    shrunk = plain.get_weights()[-1]
    np.testing.assert_allclose(model.get_weights()[-1], shrunk, rtol=1e-6)
    kernel = constraints.max_norm(1.0)(before[0] - 0.1 * (unclipped(before, model) + before[0]))
    np.testing.assert_allclose(model.get_weights()[0], K.eval(kernel), rtol=1e-5)
    np.testing.assert_allclose(K.get_value(model.optimizer.seen), logged, rtol=1e-6)


def unclipped(weights: Any, model: Any) -> Any:
    """The gradient of the first kernel, by differences in float64."""

    def loss(kernel: Any) -> Any:
        hidden = np.tanh(X.astype("float64") @ kernel + weights[1])
        return np.mean((hidden @ weights[2] + weights[3] - Y) ** 2)

    kernel = weights[0].astype("float64")
    found = np.zeros_like(kernel)
    for place in np.ndindex(*kernel.shape):
        step = np.zeros_like(kernel)
        step[place] = 1e-6
        found[place] = (loss(kernel + step) - loss(kernel - step)) / 2e-6
    return found


def test_random_steps_draw_anew_and_repeat_with_the_seed() -> None:
    draws = []
    for _ in range(2):
        model = compiled(Noisy())
        np.random.seed(3)
        values = []
        for _ in range(2):
            model.train_on_batch(X, Y)
            values.append(K.get_value(model.optimizer.drawn))
        draws.append(values)
        assert int(model.optimizer.iterations) == 2
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.isclose(draws[0][0], draws[0][1]).any()


@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam"])
def test_updates_of_kjaxs_own_make_the_steps_of_training(name: str) -> None:
    options: dict[str, Any] = {"clipnorm": 0.05, **({} if name == "Nadam" else {"decay": 0.1})}
    trained = compiled(getattr(optimizers, name)(**options))
    by_hand = compiled("sgd")
    optimizer = getattr(optimizers, name)(**options)
    target = K.placeholder((None, 2))
    loss = K.mean(K.square(by_hand.output - target))
    step = K.function([by_hand.input, target], [loss], optimizer.get_updates(loss, by_hand.trainable_weights))
    for _ in range(2):
        logged = trained.train_on_batch(X, Y)
        np.testing.assert_allclose(step([X, Y])[0], logged, rtol=1e-5)
    assert_same(by_hand, trained, exact=False)
    assert [w.shape for w in optimizer.get_weights()] == [w.shape for w in trained.optimizer.get_weights()]
    assert int(optimizer.iterations) == 2


def test_orders_of_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices, "warn", told.append)
    w = K.variable(np.ones((2, 2)))
    loss = K.sum(K.square(w))
    shrunk: Any = {w: constraints.max_norm(0.5)}
    calls: Any = [
        lambda o: o.get_updates(loss, [w]),
        lambda o: o.get_updates(params=[w], loss=loss),
        lambda o: o.get_updates([w], loss),
        lambda o: o.get_updates([w], {}, loss),
        lambda o: o.get_updates([w], [], loss=loss),
        lambda o: o.get_updates(params=[w], constraints={}, loss=loss),
        lambda o: o.get_updates([w], shrunk, loss),
    ]
    for i, call in enumerate(calls):
        K.set_value(w, np.ones((2, 2)))
        K.function([], [loss], updates=call(optimizers.SGD(0.1)))([])
        wanted = 0.8 if i < len(calls) - 1 else 0.5 / np.sqrt(2)
        np.testing.assert_allclose(K.get_value(w), np.full((2, 2), wanted), rtol=1e-6)
    assert len(told) == 5


def test_an_optimizer_of_tensorflow_is_wrapped(tmp_path: pathlib.Path) -> None:
    from kjax.compat.tensorflow import train

    model = fitted(train.AdamOptimizer(0.01, epsilon=1e-7))
    assert type(model.optimizer) is optimizers.TFOptimizer
    assert_same(model, fitted(optimizers.Adam(0.01)), exact=False)
    assert int(model.optimizer.iterations) == 9
    copied = copy.deepcopy(model)
    for each in (model, copied):
        each.train_on_batch(X, Y)
    assert_same(copied, model)
    for part in (lambda o: o.weights, lambda o: o.get_config(), lambda o: o.from_config({})):
        with pytest.raises(NotImplementedError, match="no"):
            part(model.optimizer)
    with pytest.warns(UserWarning, match="without what `compile` was told"):
        model.save(str(tmp_path / "m.h5"))
    assert models.load_model(str(tmp_path / "m.h5"), compile=False).predict(X).shape == (40, 2)
    assert type(optimizers.TFOptimizer(optax.sgd(0.1))) is optimizers.OptaxOptimizer
    with pytest.raises(TypeError, match="optimizer"):
        optimizers.TFOptimizer("adam")


def test_apply_gradients_and_minimize_are_steps_here_and_now() -> None:
    w, b = K.variable([1.0, 2.0], constraint=constraints.non_neg()), K.variable(0.5)
    optimizer = optimizers.RMSprop(0.1, rho=0.5, momentum=0.9, centered=True, clipvalue=1.5)
    wv, a, c, v = np.array([1.0, 2.0]), 0.0, 0.0, 0.0
    for step in range(3):
        g = np.array([2.0, -1.0]) * (step + 1)
        optimizer.apply_gradients([(g, w), (None, b)])
        g = np.clip(g, -1.5, 1.5)
        a, c = 0.5 * a + 0.5 * g**2, 0.5 * c + 0.5 * g
        v = 0.9 * v + 0.1 * g / np.sqrt(a - c**2 + 1e-7)
        wv = np.maximum(wv - v, 0)
        np.testing.assert_allclose(K.get_value(w), wv, rtol=1e-5)
    assert int(optimizer.iterations) == 3
    assert optimizer.get_config()["centered"] is True

    loss = K.sum(K.square(b - 2.0))
    sgd = optimizers.SGD(learning_rate=0.25)
    sgd.minimize(lambda: K.sum(K.square(b - 2.0)), [b])  # computed at once
    np.testing.assert_allclose(K.get_value(b), 1.25)
    sgd.learning_rate = 0.5
    K.get_session().run(sgd.minimize(loss, var_list=[b]))  # a graph's operation
    np.testing.assert_allclose(K.get_value(b), 2.0)
    with pytest.raises(ValueError, match="No gradients"):
        sgd.apply_gradients([(None, b)])
    with pytest.raises(ValueError, match="var_list"):
        sgd.minimize(lambda: b)


class Dense2(optimizers.Optimizer):
    """Momentum in the manner of tf.keras's optimizers."""

    def __init__(self, learning_rate: Any = 0.1, momentum: float = 0.9, name: str = "Dense2", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self.add_slot(var, "velocity")

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
        dtype = var.dtype.base_dtype
        velocity = self.get_slot(var, "velocity")
        kept = self._get_hyper("momentum", dtype) * velocity - self._decayed_lr(dtype) * grad
        moved = velocity.assign(kept, use_locking=self._use_locking)
        return [var.assign_add(moved), moved]

    def get_config(self) -> dict[str, Any]:
        names = ("learning_rate", "momentum", "decay")
        return {**super().get_config(), **{name: self._serialize_hyperparameter(name) for name in names}}


def test_an_optimizer_in_the_manner_of_tf_keras() -> None:
    mine = fitted(
        Dense2(0.1, decay=0.1, clipnorm=0.3), callbacks=[LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))]
    )
    theirs = optimizers.SGD(0.1, momentum=0.9, decay=0.1, clipnorm=0.3)
    assert_same(mine, fitted(theirs, callbacks=[LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))]), exact=False)
    assert [w.shape for w in mine.optimizer.get_weights()] == [w.shape for w in theirs.get_weights()]
    again = Dense2.from_config(mine.optimizer.get_config())
    assert again.get_config() == mine.optimizer.get_config()
    follows = Dense2(optimizers.schedules.PiecewiseConstantDecay([2], [0.1, 0.0]))
    still = fitted(follows)
    assert int(follows.iterations) == 9
    assert float(np.abs(still.get_weights()[0]).max()) <= 1.0


def test_rates_in_all_spellings() -> None:
    optimizer = optimizers.Adam(0.5)
    for assign in (
        lambda rate: setattr(optimizer, "lr", rate),
        lambda rate: setattr(optimizer, "learning_rate", rate),
        lambda rate: setattr(optimizer, "lr", K.variable(rate)),
        lambda rate: K.set_value(optimizer.lr, rate),
        lambda rate: K.set_value(optimizer.learning_rate, rate),
        lambda rate: optimizer.lr.assign(rate),
    ):
        rate = float(np.float32(np.random.rand()))
        assign(rate)
        assert (
            float(optimizer.lr) == float(K.get_value(optimizer.learning_rate)) == optimizer.get_config()["lr"] == rate
        )
    optimizer.learning_rate = optimizers.schedules.InverseTimeDecay(1.0, 1, 1.0)
    optimizer.iterations = 3
    assert (float(optimizer.lr), int(optimizer.iterations)) == (0.25, 3)
