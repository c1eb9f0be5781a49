"""Training of models that are put together: frozen, shared, nested, subclassed; and what they are by config."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from compat_tests.fit_helper import close, data, forward, in_order, linear, losses, same_bits, start, train
from kjax import backend as K
from kjax.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
    add,
    concatenate,
)
from kjax.models import Model, Sequential
from kjax.optimizers import SGD

X, Y = data()


def test_two_models_share_layers_and_one_optimizer() -> None:
    """A GAN of linear players: each step of each player, with momentum of its own, is worked out in numpy."""
    optimizer = SGD(lr=0.1, momentum=0.9)
    random = np.random.RandomState(0)
    a, b = random.normal(size=(2, 3)), random.normal(size=(3, 1))
    judge = Sequential([Dense(1, use_bias=False, input_dim=3)])
    maker = Sequential([Dense(3, use_bias=False, input_dim=2)])
    judge.set_weights([b])
    maker.set_weights([a])
    judge.compile(optimizer, "mse")
    judge.trainable = False
    z = Input((2,))
    both = Model(z, judge(maker(z)))
    both.compile(optimizer, "mse")
    noise = random.normal(size=(10, 2))
    speed_a, speed_b = np.zeros_like(a), np.zeros_like(b)
    for _ in range(3):
        with pytest.warns(UserWarning, match="Discrepancy between trainable weights"):
            loss = judge.train_on_batch(X, Y)
        np.testing.assert_allclose(loss, ((X @ b - Y) ** 2).mean(), rtol=1e-4)
        speed_b = 0.9 * speed_b - 0.1 * 2 * X.T @ (X @ b - Y) / 10
        b = b + speed_b
        np.testing.assert_allclose(
            both.train_on_batch(noise, np.ones(10)), ((noise @ a @ b - 1) ** 2).mean(), rtol=1e-4
        )
        speed_a = 0.9 * speed_a - 0.1 * 2 * noise.T @ (noise @ a @ b - 1) @ b.T / 10
        a = a + speed_a
        close([*maker.get_weights(), *judge.get_weights()], [a, b])
    assert both.trainable_weights == maker.trainable_weights


def test_averages_of_a_frozen_part_stand_still() -> None:
    part = Sequential([Dense(3, input_dim=3), BatchNormalization()])
    model = Sequential([part, BatchNormalization(), Dense(1)])
    part.trainable = False
    model.compile("sgd", "mse")
    before, averages = part.get_weights(), model.layers[1].get_weights()[2:]
    model.fit(X, Y, epochs=2, verbose=0)
    assert same_bits(part.get_weights(), before)
    assert not same_bits(model.layers[1].get_weights()[2:], averages)
    part.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    after = part.get_weights()  # but for the bias, which the normalization takes away again
    assert not any(np.array_equal(after[i], before[i]) for i in (0, 2, 3, 4, 5))


def test_a_frozen_layer_waits_for_compile() -> None:
    model = Sequential([Dense(2, input_dim=3), Dense(1)])
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="Discrepancy"):
        model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.get_weights()[0], before[0])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert same_bits(model.get_weights()[:2], before[:2])
    assert not np.array_equal(model.get_weights()[2], before[2])


def test_shared_layers() -> None:
    a, b = Input((3,)), Input((3,))
    shared = Dense(1)
    model = Model([a, b], add([shared(a), shared(b)]))
    model.set_weights(start())
    model.compile(SGD(0.1), "mse")
    x2 = data(seed=7)[0]
    error = forward(start(), X) + forward(start(), x2) - Y
    np.testing.assert_allclose(model.train_on_batch([X, x2], Y), (error**2).mean(), rtol=1e-5)
    close(model.get_weights(), [start()[0] - 0.1 * 2 * (X + x2).T @ error / 10, start()[1] - 0.1 * 4 * error.mean()])


def test_nested_models_train_like_one_model() -> None:
    results = []
    for nested in ("flat", "sequential", "functional"):
        np.random.seed(1)
        if nested == "flat":
            layers: list[Any] = [Dense(4, input_dim=3), Dense(2), Dense(1)]
        else:
            inner = Sequential([Dense(4, input_dim=3), Dense(2)])
            layers = [inner if nested == "sequential" else Model(inner.inputs, inner.outputs), Dense(1)]
        model = Sequential(layers)
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0)
        results.append(model.get_weights())
    close(results[1], results[0])
    close(results[2], results[0])


def test_a_model_called_with_training_drops_out_while_predicting() -> None:
    inner = Sequential([Dropout(0.5, input_shape=(50,))])
    x = Input((50,))
    always, never = Model(x, inner(x, training=True)), Model(x, inner(x))
    ones = np.ones((4, 50))
    drawn = always.predict(ones)
    assert set(np.unique(drawn)) == {0.0, 2.0}
    assert not np.array_equal(drawn, always.predict(ones))
    np.testing.assert_array_equal(never.predict(ones), ones)
    np.random.seed(5)
    first = always.predict(ones)
    np.random.seed(5)
    np.testing.assert_array_equal(first, always.predict(ones))


def test_a_subclass_with_call() -> None:
    class Own(Model):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.out = BatchNormalization(), Dense(1)

        def call(self, inputs: Any, training: Any = None) -> Any:
            return self.out(self.norm(inputs, training=training))

    results = []
    for make in (Own, lambda: Sequential([BatchNormalization(), Dense(1)])):
        np.random.seed(2)
        model = make()
        model.compile("sgd", "mse", metrics=["mae"])
        model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
        assert model.predict(X).shape == (10, 1)
        results.append([*model.get_weights(), *model.evaluate(X, Y, verbose=0)])
    close(*results)


def test_a_subclass_may_make_its_layers_in_build() -> None:
    class Late(Model):
        def build(self, input_shape: Any) -> None:
            self.out = Dense(1)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return self.out(inputs)

    inner, x = Late(), Input((3,))
    for model in (Late(), Model(x, inner(x))):
        model.compile(SGD(0.1), "mse")
        model.predict(X)
        model.set_weights(start())
        model.fit(X, Y, verbose=0)
        close(model.get_weights(), train(X, Y, in_order(10, 10))[0])
        close([model.predict(X)], [forward(model.get_weights(), X)])


def test_deferred_building_add_and_pop() -> None:
    model = Sequential()
    model.add(Dense(2))
    model.add(Dense(5))
    assert model.weights == []
    assert not model.built
    model.pop()
    model.add(Dense(1))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert [w.shape for w in model.get_weights()] == [(3, 2), (2,), (2, 1), (1,)]
    model.pop()
    assert model.output_shape == (None, 2)
    a, b = model.get_weights()
    close([model.predict(X)], [X @ a + b])
    model.add(Dense(1, name="top"))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.get_layer("top") is model.layers[-1] is model.get_layer(index=1)
    with pytest.raises(ValueError, match="No such layer: bottom"):
        model.get_layer("bottom")


def graph_of_many_nodes() -> Model:
    a, b = Input((3,), name="a"), Input((3,), name="b")
    shared, inner = Dense(4, activation="tanh", name="shared"), Sequential([Dense(2, input_dim=4)], name="inner")
    left, right = shared(a), shared(b)
    joined = concatenate([inner(left), inner(right), left])
    return Model([a, b], [Dense(1, name="out")(joined), shared(add([a, b]))], name="graph")


@pytest.mark.parametrize("kind", ["graph", "sequential"])
def test_a_model_from_its_config_predicts_the_same(kind: str) -> None:
    stack = [Dense(4, input_dim=3), Sequential([Activation("tanh", input_shape=(4,))]), Dropout(0.3), Dense(1)]
    model = graph_of_many_nodes() if kind == "graph" else Sequential(stack)
    feed = [X, data(seed=4)[0]] if kind == "graph" else X
    again = type(model).from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert again.get_config() == model.get_config()
    assert again.name == model.name
    got, wanted = again.predict(feed), model.predict(feed)
    close(got if kind == "graph" else [got], wanted if kind == "graph" else [wanted], 0)
    assert [w.name for w in again.weights] == [w.name for w in model.weights]


def test_a_pure_model_trains_with_optax() -> None:
    model = Sequential([BatchNormalization(momentum=0.5, input_shape=(3,)), Dense(1)])
    apply, params, state = model.to_jax()
    got, _, penalties = apply(params, state, X)
    close([got], [model.predict(X)], 1e-6)
    assert penalties == []
    optimizer = optax.sgd(0.05)

    @jax.jit
    def step(params: Any, state: Any, slots: Any) -> Any:
        def loss(params: Any) -> Any:
            outputs, new_state, _ = apply(params, state, X, training=True)
            return jnp.mean(jnp.square(outputs - Y)), new_state

        (value, state), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        updates, slots = optimizer.update(gradient, slots)
        return optax.apply_updates(params, updates), state, slots, value

    slots, values = optimizer.init(params), []
    model.compile(SGD(0.05), "mse")
    for _ in range(5):
        params, state, slots, value = step(params, state, slots)
        values.append(float(value))
    trained = model.fit(X, Y, epochs=5, batch_size=10, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(values, trained, rtol=1e-5)
    close([params[w.name[:-2]] for w in model.trainable_weights], [K.get_value(w) for w in model.trainable_weights])
    close([state[w.name[:-2]] for w in model.non_trainable_weights], model.layers[0].get_weights()[2:])
    assert not np.allclose(model.layers[0].get_weights()[2], 0)


def test_one_model_after_another_of_the_same_layer() -> None:
    first = linear()
    second = Sequential([first.layers[0]])
    second.compile(SGD(0.1), "mse")
    first.fit(X, Y, shuffle=False, verbose=0)
    second.fit(X, Y, shuffle=False, verbose=0)
    wanted = train(X, Y, in_order(10, 10, 2))[0]
    close(second.get_weights(), wanted)
    np.testing.assert_allclose(first.evaluate(X, Y, verbose=0), losses(wanted, X, Y).mean(), rtol=1e-4)
