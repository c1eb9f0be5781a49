"""Programs whose shapes depend on values: they run operation by operation, with the results of numpy."""

# Modules that the alias gives.
# pyright: reportMissingModuleSource=false, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportArgumentType=false

from __future__ import annotations

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax.compat import alias
from kjax.compat import tensorflow as tf
from kjax.layers import Dense, Input, Lambda, Layer
from kjax.models import Model, Sequential

BOXES = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [1, 1, 0.5, 0.5], [2, 2, 3, 3], [2, 2, 2.5, 3]], "float32")
SCORES = np.array([0.8, 0.9, 0.7, 0.2, 0.6], "float32")


def test_a_loss_of_the_targets_that_are_there():
    x = np.arange(24, dtype="float32").reshape(8, 3) / 24
    y = np.array([1, -1, 0, 2, -1, -1, 3, 1], "float32")[:, None]

    def loss(y_true, y_pred):
        import tensorflow as tf

        there = tf.not_equal(y_true[:, 0], -1.0)
        large = K.shape(tf.where(y_true > 0.5))[0]
        differences = tf.boolean_mask(y_true, there) - tf.boolean_mask(y_pred, there)
        return K.sum(K.square(differences)) / K.maximum(1.0, K.cast(large, "float32"))

    model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
    model.compile(kjax.optimizers.SGD(0.1), loss)
    w, b = np.ones(3), 0.0
    losses = []
    for first in (0, 4):
        xs, t = x[first : first + 4].astype("float64"), y[first : first + 4, 0]
        kept = t != -1
        error = (xs @ w + b - t) * kept
        losses.append(np.sum(error**2) / np.sum(t > 0.5))
        w, b = w - 0.2 * error @ xs / np.sum(t > 0.5), b - 0.2 * error.sum() / np.sum(t > 0.5)
    with alias():
        with pytest.warns(UserWarning, match="operation by operation"):
            logged = model.fit(x, y, batch_size=4, shuffle=False, verbose=0, validation_data=(x, y)).history
        tested = model.evaluate(x, y, batch_size=8, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], w, rtol=1e-5)
    np.testing.assert_allclose(logged["loss"], np.mean(losses), rtol=1e-5)
    kept = y[:, 0] != -1
    np.testing.assert_allclose(tested, np.sum((x @ w + b - y[:, 0])[kept] ** 2) / np.sum(y > 0.5), rtol=1e-4)


class Positive(Layer):
    """The rows that begin with a positive number, and how many these are."""

    def call(self, inputs):
        import tensorflow as tf

        rows = tf.gather(inputs, tf.where(inputs[:, 0] > 0)[:, 0])
        least = tf.minimum(tf.shape(inputs)[1], 2)
        return [rows, tf.nn.top_k(inputs, least).indices]

    def compute_output_shape(self, input_shape):
        return [(None, input_shape[1]), (input_shape[0], 2)]


def test_a_layer_that_selects():
    x = np.array([[1.0, 3.0, 2.0], [-1.0, 0.0, 4.0], [2.0, 1.0, 0.0]], "float32")
    with alias():
        inputs = Input((3,))
        rows, best = Positive()(inputs)
        assert K.int_shape(rows) == (None, 3)
        assert K.int_shape(best) == (None, 2)
        twice = Lambda(lambda r: r * 2.0)(rows)
        run = K.function([inputs], [twice, best, K.gradients(K.sum(twice), inputs)[0]])
        for part in (x, x[:2]):
            found, at, gradient = run([part])
            positive = part[:, 0] > 0
            np.testing.assert_array_equal(found, 2 * part[positive])
            np.testing.assert_array_equal(at, np.argsort(-part, 1)[:, :2])
            np.testing.assert_array_equal(gradient, np.where(positive[:, None], 2.0, 0.0) * np.ones(3))
        with pytest.warns(UserWarning, match="operation by operation"):
            outputs = Model(inputs, best).predict(x)
    np.testing.assert_array_equal(outputs, np.argsort(-x, 1)[:, :2])


def test_selecting_in_a_session():
    with alias():
        import tensorflow as tf

        tf.reset_default_graph()
        boxes, scores = tf.placeholder("float32", [None, 4]), tf.placeholder("float32", [None])
        likely = scores > 0.5
        chosen = tf.image.non_max_suppression(tf.boolean_mask(boxes, likely), tf.boolean_mask(scores, likely), 3, 0.5)
        # Of the likely ones the second is the best; the first overlaps it, a quarter of the first does so less.
        wanted = [1, 2, 3]
        values, where = tf.unique(tf.cast(scores * 10, "int32"))
        common = tf.sets.set_intersection([[5, 1, 9]], [[9, 2, 5]])
        ends = tf.pad(scores[: tf.shape(chosen)[0]], [[0, 5 - tf.shape(chosen)[0]]])
        with tf.Session() as session:
            fed = {boxes: BOXES, scores: SCORES}
            np.testing.assert_array_equal(session.run(chosen, fed), wanted)
            np.testing.assert_array_equal(session.run(ends, fed), [*SCORES[:3], 0, 0])
            found, at = session.run([values, where], {scores: [0.5, 0.1, 0.55, 0.9, 0.1]})
            dense = session.run(tf.sparse_tensor_to_dense(common))
            parts = session.run(tf.dynamic_partition(scores, [0, 1, 0, 1, 1], 2), fed)
            picked = session.run(tf.boolean_mask(boxes, boxes > 1.0), fed)
    assert (found.tolist(), at.tolist()) == ([5, 1, 9], [0, 1, 0, 2, 1])
    np.testing.assert_array_equal(dense, [[5, 9]])
    np.testing.assert_array_equal(np.concatenate(parts), SCORES[[0, 2, 1, 3, 4]])
    np.testing.assert_array_equal(picked, BOXES[BOXES > 1])


def test_loops_over_selections():
    x = np.array([[1.0, -2.0, 3.0], [-1.0, -1.0, 4.0]], "float32")
    with alias():
        import tensorflow as tf

        def sums(values):
            def add(i, found):
                return i + 1, found.write(i, K.sum(tf.boolean_mask(values[i], values[i] > 0)))

            start = tf.TensorArray("float32", size=1, dynamic_size=True)
            _, found = tf.while_loop(lambda i, _: i < K.shape(values)[0], add, [0, start])
            return found.stack()

        def largest_below_3(row):
            found = tf.boolean_mask(row, row < 3)
            found.set_shape([None])  # what tensors have, and values have not
            return K.max(found)

        mapped = Lambda(lambda v: tf.map_fn(largest_below_3, v))
        inputs = Input((3,))
        run = K.function([inputs], [Lambda(sums)(inputs), mapped(inputs)])
        positive, largest = run([x])
    np.testing.assert_array_equal(positive, [4.0, 4.0])
    np.testing.assert_array_equal(largest, [1.0, -1.0])


def test_parts_of_pictures():
    rows, columns = np.mgrid[0:5, 0:4].astype("float32")
    image = np.stack([rows, columns], -1)[None]
    with alias():
        import tensorflow as tf

        tf.reset_default_graph()
        cut = tf.image.crop_and_resize(image, [[0.25, 0.0, 1.0, 1.0], [0.0, -0.5, 1.0, 0.5]], [0, 0], [3, 3])
        with tf.Session() as session:
            found = session.run(cut)
    # The pictures hold their own coordinates; what lies outside is 0.
    down, across = np.meshgrid([1, 2.5, 4], [0, 1.5, 3], indexing="ij")
    np.testing.assert_allclose(found[0], np.stack([down, across], -1), rtol=1e-6)
    down, across = np.meshgrid([0, 2, 4], [-1.5, 0, 1.5], indexing="ij")
    inside = across[..., None] >= 0
    np.testing.assert_allclose(found[1], np.where(inside, np.stack([down, across], -1), 0.0), rtol=1e-6)


def test_a_variable_that_only_the_model_knows():
    with alias():
        import tensorflow as tf

        inputs = Input((2,))
        shifted = Lambda(lambda x: x + tf.Variable([[1.0, 2.0]]))(inputs)
        found = Model(inputs, shifted).predict(np.zeros((1, 2)))
    np.testing.assert_array_equal(found, [[1.0, 2.0]])


def test_a_mask_as_long_as_the_longest():
    lengths = tf.placeholder(tf.int32, [None])
    mask = tf.sequence_mask(lengths, dtype=tf.float32)
    assert mask.get_shape().as_list() == [None, None]
    with tf.Session() as sess:
        found = sess.run(mask, {lengths: [1, 3, 0]})
    np.testing.assert_array_equal(found, [[1, 0, 0], [1, 1, 1], [0, 0, 0]])


class Prior(Layer):
    """Makes a constant in each call, as layers around `tf.Variable` do."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.boolean_mask(inputs + tf.Variable([[1.0, 2.0]]), inputs[:, 0] > 0)


def test_variables_that_each_call_makes():
    with alias():
        inputs = Input((2,))
        model = Model(inputs, Prior()(inputs))
        with pytest.warns(UserWarning, match="operation by operation"):
            found = model.predict(np.array([[1.0, 0.0], [-1.0, 0.0], [2.0, 1.0]]))
    np.testing.assert_array_equal(found, [[2.0, 2.0], [3.0, 3.0]])


def test_calculating_with_the_shape_of_values():
    with alias():
        import tensorflow as tf

        def doubled(images):
            size = tf.shape(images)[1:3]
            size *= tf.constant(np.array([2, 3], "int32"))
            return tf.image.resize_nearest_neighbor(images, size)

        for known in ((2, 2, 1), (None, None, 1)):
            inputs = Input(known)
            inside, outside = Lambda(doubled)(inputs), doubled(inputs)
            sizes = [None if n is None else n * m for n, m in zip(known[:2], (2, 3), strict=True)]
            assert K.int_shape(inside) == K.int_shape(outside) == (None, *sizes, 1)
            x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
            for found in K.function([inputs], [inside, outside])([x]):
                np.testing.assert_array_equal(found, x.repeat(2, 1).repeat(3, 2))
        last = Lambda(lambda t: K.reshape(t, (K.shape(t)[0], K.shape(t)[1] // 2, 2)))(Input((None,)))
    assert K.int_shape(last) == (None, None, 2)
