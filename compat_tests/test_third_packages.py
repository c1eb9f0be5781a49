"""What packages written for Keras 2 do, beyond what scripts do."""

# Modules that the alias gives.
# pyright: reportMissingModuleSource=false, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import copy

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax.compat import alias
from kjax.layers import RNN, Dense, Dropout, Embedding, Input, Layer, concatenate
from kjax.models import Model, Sequential


def test_the_alias_says_which_keras_it_is():
    own = kjax.__version__
    with alias():
        import keras

        assert keras.__version__ == "2.2.4"
    assert kjax.__version__ == own


class KeepsMask(Layer):
    """A recurrent cell that draws its mask of dropout at its first call, as the cells of Keras 2.2 did."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.kept = None

    def call(self, inputs, states, training=None):
        if self.kept is None:
            ones = K.ones_like(states[0])
            self.kept = K.in_train_phase(lambda: K.dropout(ones, 0.5), ones, training=training)
        h = states[0] + K.mean(inputs, axis=-1, keepdims=True) * self.kept
        return h, [h]


class KeepingRNN(RNN):
    def call(self, inputs, mask=None, training=None, initial_state=None):
        self.cell.kept = None
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)


def test_a_cell_keeps_one_mask_for_all_steps():
    x = np.ones((8, 5, 1), "float32")
    inputs = Input((5, 1))
    outputs = KeepingRNN(KeepsMask(40), return_sequences=True)(inputs)
    model = Model(inputs, outputs)
    steps = K.function([inputs, K.learning_phase()], [outputs])
    trained = steps([x, 1])[0]
    # What is added is the same at each step: 0 where the unit is dropped, 2 where it is not.
    np.testing.assert_allclose(trained, trained[:, :1] * np.arange(1, 6)[:, None], rtol=1e-6)
    assert set(np.unique(trained[:, 0])) == {0.0, 2.0}
    np.testing.assert_allclose(model.predict(x)[:, :, 0], np.tile(np.arange(1.0, 6.0), (8, 1)), rtol=1e-6)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(x, np.zeros((8, 5, 40))))


class WithTable(Embedding):
    """An embedding that also gives its table, as models with tied weights use."""

    def compute_output_shape(self, input_shape):
        return [super().compute_output_shape(input_shape), (self.input_dim, self.output_dim)]

    def compute_mask(self, inputs, mask=None):
        return [super().compute_mask(inputs, mask), None]

    def call(self, inputs):
        return [super().call(inputs), self.embeddings]


class Similarity(Layer):
    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:2], input_shape[1][0])

    def call(self, inputs):
        return K.softmax(K.dot(inputs[0], K.transpose(inputs[1])))


def test_a_layer_returns_a_weight_of_its_own():
    inputs = Input((4,), dtype="int32")
    embedded, table = WithTable(6, 3, name="table")(inputs)
    assert K.int_shape(table) == (6, 3)
    model = Model(inputs, Similarity()([embedded, table]))
    weights = model.get_weights()[0]
    x = np.array([[0, 1, 5, 2]])
    scores = np.exp(weights[x].astype("float64") @ weights.T.astype("float64"))
    np.testing.assert_allclose(model.predict(x), scores / scores.sum(-1, keepdims=True), rtol=1e-5)
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.eye(6)[x])
    assert not np.array_equal(model.get_weights()[0], weights)  # both uses train the one table


def test_a_learning_phase_that_is_not_fed():
    model = Sequential([Dropout(0.5, input_shape=(3,))])
    run = K.function([*model.inputs, K.learning_phase()], model.outputs)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(run([x])[0], x)
    with pytest.raises(ValueError, match="2 inputs"):
        run([])


class Loops(Layer):
    """Control flow of TensorFlow on the values that a call has."""

    def build(self, input_shape):
        self.steps = self.add_weight(name="steps", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        import tensorflow as tf

        sums = tf.scan(lambda total, row: total + row, inputs, initializer=K.zeros((2,)))
        running = tf.scan(lambda a, row: K.maximum(a, row), inputs)
        pairs = tf.map_fn(lambda row: [row[0] * 2, row[1] - K.sum(row)], inputs)
        _, halved = tf.while_loop(lambda i, x: i < 3, lambda i, x: [i + 1, x / 2], [tf.constant(0), inputs])

        def count():
            self.steps.assign(self.steps + 1.0)
            return inputs * 10.0

        chosen = tf.cond(K.sum(inputs) > 0, count, lambda: inputs)
        return [sums, running, K.stack(pairs, axis=-1), halved, chosen]

    def compute_output_shape(self, input_shape):
        return [input_shape] * 5


def test_control_flow_of_tensorflow_in_a_call():
    with alias():
        inputs = Input((2,))
        model = Model(inputs, Loops()(inputs))
        x = np.array([[1.0, -2.0], [0.5, 4.0], [-3.0, 1.0]], "float32")
        sums, running, pairs, halved, chosen = model.predict(x)
        gradient = K.function([inputs], K.gradients(K.sum(model.outputs[0]), inputs))([x])[0]
    np.testing.assert_allclose(sums, np.cumsum(x, 0))
    np.testing.assert_allclose(running, np.maximum.accumulate(x, 0))
    np.testing.assert_allclose(pairs, np.stack([x[:, 0] * 2, -x[:, 0]], -1))
    np.testing.assert_allclose(halved, x / 8)
    np.testing.assert_allclose(chosen, x * 10)
    np.testing.assert_allclose(gradient, [[3, 3], [2, 2], [1, 1]])


def test_copied_layers_are_saved_with_their_own_calls():
    # A shallow copy has the list of calls in common with its original, as octave convolutions use it.
    inputs = Input((4,))
    first = Dense(3, name="first")
    second = copy.copy(first)
    second.name = "second"
    model = Model(inputs, second(concatenate([first(Dense(4, name="below")(inputs)), Dense(1, name="beside")(inputs)])))
    again = Model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    calls = {entry["name"]: entry["inbound_nodes"] for entry in model.get_config()["layers"]}
    assert calls["first"] == [[["below", 0, 0, {}]]]
    assert calls["second"] == [[["concatenate_1", 0, 0, {}]]]


class Positions(Layer):
    """Adds the first rows of a table, as many as the text has words."""

    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=(10, input_shape[-1]), initializer="uniform")
        super().build(input_shape)

    def call(self, inputs):
        samples, words = K.shape(inputs)[0], K.shape(inputs)[1]
        return inputs + K.tile(K.expand_dims(self.table[:words], 0), [samples, 1, 1])


def test_a_table_of_positions_shorter_than_any_text_may_be():
    layer = Positions()
    inputs = Input((None, 3))
    outputs = layer(inputs)
    assert K.int_shape(outputs) == (None, None, 3)
    x = np.random.rand(2, 7, 3).astype("float32")
    np.testing.assert_allclose(Model(inputs, outputs).predict(x), x + layer.get_weights()[0][:7], rtol=1e-6)


def test_an_output_is_the_last_layer_beside_inputs_that_nothing_needs():
    inputs = [Input((2,), name="used"), Input((3,), name="unused")]
    model = Model(inputs, Dense(4)(inputs[0]))
    assert [layer.name for layer in model.layers] == ["used", "unused", "dense_1"]
    assert Model.from_config(model.get_config()).layers[-1].output_shape == (None, 4)


def test_modules_inside_of_tensorflow():
    with alias():
        import tensorflow as tf
        import tensorflow.python.ops.nn_ops as nn_ops
        from tensorflow.python import ops as operations
        from tensorflow.python import state_ops
        from tensorflow.python.framework import dtypes, ops
        from tensorflow.python.keras.utils.conv_utils import deconv_output_length
        from tensorflow.python.layers import utils
        from tensorflow.python.ops import array_ops, math_ops
        from tensorflow.python.ops import variable_scope as vs
        from tensorflow.python.ops.math_ops import erf
        from tensorflow.python.training import optimizer
        from tensorflow.python.util import nest

        assert (math_ops.reduce_sum, array_ops.gather, erf) == (tf.reduce_sum, tf.gather, tf.math.erf)
        assert (vs.get_variable, state_ops.assign, nn_ops.softmax) == (tf.get_variable, tf.assign, tf.nn.softmax)
        assert (ops.convert_to_tensor, operations.control_dependencies) == (
            tf.convert_to_tensor,
            tf.control_dependencies,
        )
        assert (optimizer.Optimizer, dtypes.float32) == (tf.train.Optimizer, tf.float32)
        assert utils.conv_output_length(7, 3, "valid", 2) == 3
        assert deconv_output_length(3, 3, "valid", stride=2) == 7
        assert nest.flatten({"a": [1, (2, 3)]}) == [1, 2, 3]
        assert nest.map_structure(lambda x, y: x + y, (1, [2]), (3, [4])) == (4, [6])
        with pytest.raises(ValueError, match="same way"):
            nest.assert_same_structure([1, 2], [1, [2]])
        with pytest.raises(AttributeError, match="not there"):
            math_ops.no_such_operation  # noqa: B018
        x = Input((2,))
        seen = []
        keras_layer = tf.keras.layers.Lambda(lambda t: seen.append(isinstance(t, tf.Tensor)) or t)
        keras_layer(x)
        assert [isinstance(v, tf.Tensor) for v in (x, K.variable(1.0), np.ones(2), 3)] == [True, False, False, False]
        assert all(seen)


class Tags(Layer):
    """A last layer whose loss asks for what the layer was called on, and its mask, as those of CRFs do."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs, mask=None):
        return inputs * 2

    def loss(self, y_true, y_pred):
        node = self._inbound_nodes[0]
        counted = K.cast(node.input_masks[0], K.floatx())
        return K.sum(K.square(y_true[..., 0] - node.input_tensors[0][..., 0]) * counted, axis=-1)


def test_a_loss_asks_for_the_mask_of_a_layer():
    tags = Tags()
    model = Sequential([Embedding(5, 1, mask_zero=True, input_length=3), tags])
    model.compile("sgd", tags.loss)
    words, y = np.array([[1, 2, 0], [3, 0, 0]]), np.ones((2, 3, 1), "float32")
    table = model.get_weights()[0][:, 0]
    expected = ((1 - table[1:4]) ** 2).sum() / 2
    np.testing.assert_allclose(model.evaluate(words, y, verbose=0), expected, rtol=1e-5)
    assert np.isfinite(model.train_on_batch(words, y))


def test_a_slice_from_where_a_step_says():
    with alias():
        import tensorflow as tf

        def step(x, states):
            _before, time, table = states
            at = K.cast(time[0, 0], "int32")
            return x + tf.slice(table, [0, at], [-1, 1]), [x, time + 1]

        x, table = np.zeros((2, 3, 1), "float32"), np.arange(6.0).reshape(2, 3)
        states = [K.constant(x[:, 0]), K.constant(x[:, 0])]
        _, outputs, _ = K.rnn(step, K.constant(x), states, constants=[K.constant(table)])
        np.testing.assert_array_equal(K.eval(outputs)[..., 0], table)


class Attends(Layer):
    """An attention that keeps its weights for others, and a factor that it computes at its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.shares = self.factor = None

    def call(self, inputs):
        if self.factor is None:
            self.factor = 1 + 0 * K.sum(inputs)
        self.shares = K.softmax(inputs[..., 0])
        self.scores = 2 * self.shares
        return K.sum(inputs * K.expand_dims(self.shares), axis=1) * self.factor


def test_what_a_call_keeps_is_a_tensor_for_others():
    layer, inputs = Attends(), Input((4, 3))
    model = Model(inputs, Dense(1)(layer(inputs)))
    model.compile("sgd", "mse")
    x = np.random.rand(6, 4, 3).astype("float32")
    model.fit(x, np.zeros((6, 1)), batch_size=3, verbose=0)  # the ragged batch and the second trace find no old values
    model.evaluate(x[:5], np.zeros((5, 1)), verbose=0)
    shares = np.exp(x[..., 0]) / np.exp(x[..., 0]).sum(axis=1, keepdims=True)
    run = K.function([inputs], [layer.shares, layer.scores])
    for found, factor in zip(run([x]), (1, 2), strict=True):
        np.testing.assert_allclose(found, factor * shares, rtol=1e-5)
    assert K.int_shape(layer.shares) == (None, 4)
    with pytest.raises(AttributeError, match="'Attends' object has no attribute 'other'"):
        layer.other  # noqa: B018
    with pytest.raises(AttributeError, match="never been called"):
        Attends().output  # noqa: B018


class Halves(Layer):
    """Says the shape of what it makes of a weight, as layers of complex numbers did for Theano."""

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 4), initializer="uniform")
        super().build(input_shape)

    def call(self, inputs):
        half = self.kernel[:, :2]
        half._keras_shape = (K.int_shape(inputs)[-1], 2)
        both = K.concatenate([half, -half], axis=1)
        both._keras_shape = (half._keras_shape[0], 4)
        return K.dot(inputs, both)


def test_a_call_says_the_shape_of_what_it_makes_of_weights():
    model = Sequential([Halves(input_shape=(3,))])
    x, half = np.random.rand(5, 3).astype("float32"), model.get_weights()[0][:, :2]
    np.testing.assert_allclose(model.predict(x), np.hstack([x @ half, -x @ half]), rtol=1e-5)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(x, np.zeros((5, 4))))


class Asks(Layer):
    """Asks the shapes that `build` is given what TensorFlow 1's shapes tell."""

    def build(self, input_shape):
        first, second = input_shape
        assert (first.as_list(), second.as_list()) == ([None, 3], [None, 4])
        assert first == (None, 3)
        self.kernel = self.add_weight(name="kernel", shape=(first[-1].value, second[1].value), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return K.dot(inputs[0], self.kernel) + inputs[1]


def test_build_is_given_shapes_that_tell_as_tensorflows_do():
    inputs = [Input((3,)), Input((4,))]
    model = Model(inputs, Asks()(inputs))
    np.testing.assert_allclose(model.predict([np.ones((2, 3)), np.ones((2, 4))]), np.full((2, 4), 4.0))
    assert type(model.layers[-1].output_shape) is tuple
    assert Model.from_config(model.get_config(), {"Asks": Asks}).count_params() == 12
