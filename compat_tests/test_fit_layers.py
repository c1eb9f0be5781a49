"""Layers that users write, functions as layers, and masks: in training, by numbers worked out in numpy."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import close, data, forward, in_order, start, train
from kjax import backend as K
from kjax.layers import Activation, Dense, Flatten, Input, Lambda, Layer, Masking, TimeDistributed
from kjax.models import Model, Sequential
from kjax.optimizers import SGD

X, Y = data()


class Linear(Layer):
    """As in the documentation, K and jax.numpy mixed."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[1], self.units), initializer="uniform")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros", trainable=True)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return jnp.add(K.dot(x, self.kernel), jnp.reshape(self.bias.value, (1, self.units)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Twice(Layer):
    """A layer that owns layers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.second = Linear(2, name="a"), Dense(1, name="b")

    def call(self, x: Any, training: Any = None) -> Any:
        return self.second(self.first(x))


class Counter(Layer):
    """Counts its training batches, and keeps the last mean."""

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
        self.last = self.add_weight(name="last", shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.add_update([K.update_add(self.count, 1.0)], inputs=x)
        self.add_update((self.last, K.mean(x)))
        return x


def test_a_layer_of_one_s_own() -> None:
    model = Sequential([Linear(1, input_shape=(3,))])
    model.set_weights(start())
    model.compile(SGD(0.1), "mse")
    assert model.output_shape == (None, 1)
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    close(model.get_weights(), train(X, Y, in_order(10, 4))[0])
    again = Sequential.from_config(model.get_config(), custom_objects={"Linear": Linear})
    again.set_weights(model.get_weights())
    close([again.predict(X)], [model.predict(X)], 0)


def test_a_layer_of_layers() -> None:
    model = Sequential([Twice(input_shape=(3,))])
    assert [w.shape for w in model.get_weights()] == [(3, 2), (2,), (2, 1), (1,)]
    a, b, c, d = before = model.get_weights()
    model.compile("sgd", "mse")
    close([model.predict(X)], [(X @ a + b) @ c + d])
    model.fit(X, Y, verbose=0)
    assert not any(np.array_equal(x, y) for x, y in zip(model.get_weights(), before, strict=True))
    model.layers[0].trainable = False
    assert model.trainable_weights == []


def test_updates_happen_in_training_only() -> None:
    model = Sequential([Counter(input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    for _ in range(2):
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        model.predict(X)
        model.evaluate(X, Y, verbose=0)
    close(model.layers[0].get_weights(), [np.float32(12), X[8:].mean()])


def test_initializers_may_return_one_array_twice() -> None:
    kept = jnp.ones((3, 3))
    layers = [Dense(3, use_bias=False, kernel_initializer=lambda shape, dtype=None: kept) for _ in range(2)]
    x = Input((3,))
    model = Model(x, layers[1](layers[0](x)))
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    np.testing.assert_array_equal(kept, np.ones((3, 3)))


def test_lambda() -> None:
    def scaled(x: Any, by: float) -> Any:
        return x * by

    model = Sequential([Lambda(scaled, arguments={"by": 2.0}, input_shape=(3,)), Dense(1)])
    model.set_weights(start())
    close([model.predict(X)], [forward(start(), 2 * X)])
    x = Input((3,))
    both = Model(x, Lambda(lambda pair: K.concatenate(pair))([x, x]))
    assert both.output_shape == (None, 6)
    close([both.predict(X)], [np.hstack([X, X])], 0)


# -- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
def test_masked_steps_do_not_count(wrapped: bool) -> None:
    x = np.random.RandomState(0).normal(size=(6, 4, 3)).astype("float32")
    y = np.random.RandomState(1).normal(size=(6, 4, 1)).astype("float32")
    kept = np.random.RandomState(2).uniform(size=(6, 4)) < 0.6
    x[~kept] = 9
    dense = Dense(1)
    model = Sequential([Masking(9.0, input_shape=(4, 3)), TimeDistributed(dense) if wrapped else dense])
    model.set_weights(start())
    model.compile(SGD(0.1), "mse", metrics=["mae"])
    error = (forward(start(), x * kept[..., None]) - y)[..., 0]
    wanted = (error**2 * kept).sum() / kept.sum()
    got = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(got, [wanted, (np.abs(error) * kept).sum() / kept.sum()], rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(x, y)[0], wanted, rtol=1e-5)
    slope = np.einsum("bt,btf->f", 2 * error * kept, x * kept[..., None]) / kept.sum()
    close([model.get_weights()[0][:, 0]], [start()[0][:, 0] - 0.1 * slope])


def test_a_mask_of_one_s_own_reaches_the_layer_that_asks_for_it() -> None:
    class Marks(Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return K.greater(inputs[..., 0], 0.0)

    class MaskedMean(Layer):
        def call(self, x: Any, mask: Any = None) -> Any:
            weight = K.expand_dims(K.cast(mask, "float32"))
            return K.sum(x * weight, axis=1) / (K.sum(weight, axis=1) + 1e-6)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return None

    x = np.random.RandomState(0).normal(size=(6, 4, 3)).astype("float32")
    model = Sequential([Marks(input_shape=(4, 3)), Activation("linear"), MaskedMean()])
    kept = (x[..., :1] > 0).astype("float64")
    close([model.predict(x)], [(x * kept).sum(axis=1) / (kept.sum(axis=1) + 1e-6)])
    with pytest.raises(TypeError, match=r"flatten_1 does not support masking"):
        Sequential([Marks(input_shape=(4, 3)), Flatten()])
