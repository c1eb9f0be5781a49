"""`Model.to_jax`: the pure function computes what the model computes, and trains as `fit` trains."""

from __future__ import annotations

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from kjax import optimizers
from kjax.layers import BatchNormalization, Dense, Dropout, Input, add
from kjax.models import Model, Sequential

X = np.random.RandomState(0).rand(24, 6).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(24) % 3]


def classifier() -> Sequential:
    return Sequential(
        [
            Dense(8, activation="relu", input_shape=(6,), kernel_regularizer="l2"),
            BatchNormalization(momentum=0.5),
            Dense(3, activation="softmax"),
        ]
    )


def test_outputs_are_those_of_predict() -> None:
    a, b = Input((6,)), Input((6,))
    model = Model([a, b], [add([Dense(4)(a), Dense(4)(b)]), Dense(2)(a)])
    apply, params, state = model.to_jax()
    outputs, _, losses = jax.jit(apply, static_argnames="training")(params, state, [X, X])
    chex.assert_trees_all_close(outputs, model.predict([X, X]), atol=1e-6)
    assert losses == []


def test_a_step_written_in_jax_is_a_step_of_fit() -> None:
    model = classifier()
    apply, params, state = model.to_jax()

    def loss(params: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        outputs, new_state, losses = apply(params, state, X, training=True)
        return -jnp.mean(jnp.sum(Y * jnp.log(outputs), axis=-1)) + sum(losses), new_state

    gradients, new_state = jax.jit(jax.grad(loss, has_aux=True))(params)
    optimizer = optax.sgd(0.1)
    updates, _ = optimizer.update(gradients, optimizer.init(params))
    stepped = optax.apply_updates(params, updates)

    model.compile(optimizers.SGD(0.1), "categorical_crossentropy")
    model.train_on_batch(X, Y)
    _, trained, moved = model.to_jax()
    chex.assert_trees_all_close(stepped, trained, atol=1e-6)
    chex.assert_trees_all_close(new_state, moved, atol=1e-6)
    assert float(jnp.max(jnp.abs(moved["batch_normalization_1/moving_mean"]))) > 0


def test_the_pytrees_are_copies() -> None:
    model = classifier()
    _, params, _ = model.to_jax()
    before = jax.tree.map(np.array, params)
    model.compile("adam", "categorical_crossentropy")
    model.fit(X, Y, epochs=2, verbose=0)
    chex.assert_trees_all_equal(params, before)


def test_dropout_follows_the_key() -> None:
    apply, params, state = Sequential([Dropout(0.5, input_shape=(6,))]).to_jax()

    def run(seed: int) -> np.ndarray:
        return np.asarray(apply(params, state, X, training=True, key=jax.random.key(seed))[0])

    np.testing.assert_array_equal(run(1), run(1))
    assert (run(1) != run(2)).any()
    np.testing.assert_array_equal(apply(params, state, X)[0], X)


def test_a_model_without_variables_yet_says_so() -> None:
    with pytest.raises(RuntimeError, match="has not been built"):
        Sequential([Dense(3)]).to_jax()
