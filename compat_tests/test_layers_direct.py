"""Layers asked directly: `call` and `compute_mask` on symbolic tensors, and what programs of Keras 2.2 rely on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax import layers, models

X = np.random.RandomState(1).rand(2, 3, 4).astype("float32")


def test_masks_of_merges_need_no_inputs() -> None:
    a, b = layers.Input((3, 4)), layers.Input((3, 4))
    ones = K.variable(X)
    for layer in (layers.Add(), layers.Concatenate()):
        layer([a, b])
        assert layer.compute_mask([a, b], [None, None]) is None
        assert np.all(K.eval(layer.compute_mask([a, b], [ones, ones])))
        holes = K.variable(X * (np.arange(3)[:, None] > 0))
        assert not np.all(K.eval(layer.compute_mask([a, b], [ones, holes])))
        with pytest.raises(ValueError, match="list of at least 2"):
            layer([a])


def test_call_and_masks_of_layers_in_a_function() -> None:
    x = layers.Input((3, 4))
    both = layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="sum")
    inner = layers.TimeDistributed(layers.Masking())
    masked = layers.Masking()
    y = both(x)
    forward, backward = both.forward_layer.call(x), both.backward_layer.call(x)
    ask: Any = K.function([x], [y, forward, backward, masked.compute_mask(x), inner.compute_mask(x)])
    given = X * (np.arange(3)[:, None] > 0)
    merged, one, other, mask, same = ask([given])
    np.testing.assert_allclose(merged, one + other[:, ::-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(mask, np.any(given, -1))
    np.testing.assert_array_equal(same, np.any(given, -1))


def test_a_lambda_of_two_outputs_without_a_mask_inside_of_a_model() -> None:
    x = layers.Input((4,))
    inner = models.Model(x, layers.add(layers.Lambda(lambda t: [t * 2.0, t * 3.0])(x)))
    again = layers.Input((4,))
    outer = models.Model(again, inner(again))
    np.testing.assert_allclose(outer.predict(X[:, 0]), X[:, 0] * 5, rtol=1e-6)


def test_batches_of_stateful_layers() -> None:
    model = models.Sequential([layers.SimpleRNN(2, stateful=True, batch_input_shape=(2, 3, 4))])
    model.compile("sgd", "mse")
    first = model.predict(X)  # fewer samples than a batch of the default size, but as many as the states
    assert not np.allclose(first, model.predict(X))
    twice, y = np.concatenate([X, X]), np.zeros((4, 2))
    for refused in (
        lambda: model.fit(twice, y, verbose=0),
        lambda: model.evaluate(twice, y, verbose=0),
        lambda: model.predict(twice, batch_size=3),
    ):
        with pytest.raises(ValueError, match="divided by the batch size"):
            refused()
    model.fit(twice, y, batch_size=2, verbose=0)


def test_sizes_that_a_cell_knows_once_it_is_built() -> None:
    class Cell(layers.Layer):
        state_size: Any = None
        output_size: Any = None

        def build(self, input_shape: Any) -> None:
            self.state_size = self.output_size = input_shape[-1]

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, [states[0] + 1]

    x, start = layers.Input((3, 4)), layers.Input((4,))
    model = models.Model([x, start], layers.RNN(Cell(), return_state=True)(x, initial_state=start))
    last, state = model.predict([X, X[:, 0]])
    np.testing.assert_allclose(last, X[:, -1])
    np.testing.assert_allclose(state, X[:, 0] + 3, rtol=1e-6)


def test_masked_steps_of_stacked_cells_and_of_cells_that_do_not_return_their_state() -> None:
    mask = np.array([[True, False, False], [False, True, True]])
    cells = [layers.SimpleRNNCell(2), layers.SimpleRNNCell(2)]
    both = layers.RNN(cells)
    y = np.asarray(both(X, mask=mask))
    weights = both.get_weights()
    one, other = layers.SimpleRNN(2, return_sequences=True), layers.SimpleRNN(2)
    one.build(X.shape)
    one.built = True
    one.set_weights(weights[:3])
    middle = one(X, mask=mask)
    other.build(middle.shape)
    other.built = True
    other.set_weights(weights[3:])
    np.testing.assert_allclose(y, other(middle, mask=mask), rtol=1e-5, atol=1e-6)


def test_arguments_that_cannot_be() -> None:
    for name in ("max_value", "negative_slope"):
        with pytest.raises(ValueError, match=f"`{name}`.*-2"):
            layers.ReLU(**{name: -2.0})
    assert layers.Cropping1D(2)(layers.Input((4, 3))).shape == (None, 0, 3)
    with pytest.raises(ValueError, match="off an axis of length 4"):
        layers.Cropping1D((3, 2))(layers.Input((4, 3)))


def test_hinge_of_labels_0_and_1() -> None:
    y, p = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.6, 0.4], [-0.7, 0.2]], "float32")
    wanted = np.maximum(1 - (2 * y - 1) * p, 0).mean()
    for hinge in (kjax.losses.Hinge(), kjax.losses.LossFunctionWrapper(kjax.losses.hinge)):
        given = y if type(hinge) is kjax.losses.Hinge else 2 * y - 1
        np.testing.assert_allclose(K.eval(hinge(given, p)), wanted, rtol=1e-6)
    metric = kjax.metrics.Hinge()
    metric.update_state(y, p)
    np.testing.assert_allclose(K.eval(metric.result()), wanted, rtol=1e-6)


def test_a_layer_keeps_the_phase_that_was_fixed_when_it_was_called() -> None:
    x = layers.Input((4,))
    K.set_learning_phase(0)
    tested = models.Model(x, layers.BatchNormalization()(x))
    K.set_learning_phase(1)
    trained = models.Model(x, layers.BatchNormalization()(x))
    both = models.Model(x, [tested.outputs[0], layers.BatchNormalization()(x), tested(x)])
    K.clear_session()
    data = X[:, 0].repeat(20, 0) + np.random.RandomState(3).rand(40, 4).astype("float32")
    normed = (data - data.mean(0)) / np.sqrt(data.var(0) + 1e-3)
    np.testing.assert_allclose(trained.predict(data, batch_size=40), normed, rtol=1e-3, atol=1e-4)
    first, second, anew = both.predict(data, batch_size=40)
    np.testing.assert_allclose(first, data / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_allclose(second, normed, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(anew, normed, rtol=1e-3, atol=1e-4)  # a model's layers are called anew
    for model in (tested, trained):
        np.testing.assert_array_equal(model.get_weights()[2], np.zeros(4))  # predicting moves no averages
        model.compile("sgd", "mse")
        model.train_on_batch(data, data)
    np.testing.assert_array_equal(tested.get_weights()[2], np.zeros(4))
    assert not np.allclose(trained.get_weights()[2], np.zeros(4))
