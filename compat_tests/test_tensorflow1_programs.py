"""Small programs in the style of TensorFlow 1's tutorials: each runs and learns."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kjax.compat import tensorflow as tf

RNG = np.random.RandomState(0)
LINE_X = RNG.rand(50).astype(np.float32)
LINE_Y = 3 * LINE_X + 2
XOR_X, XOR_Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]], np.float32)
CENTERS = RNG.randn(3, 4) * 3
CLASSES = np.repeat(np.arange(3), 40)
POINTS = (CENTERS[CLASSES] + RNG.randn(120, 4) * 0.5).astype(np.float32)
HOT = np.eye(3, dtype=np.float32)[CLASSES]
IMAGES = np.zeros((40, 8, 8, 1), np.float32)
IMAGES[:20, 2, :] = IMAGES[20:, :, 5] = 1  # rows and columns
IMAGES += RNG.rand(40, 8, 8, 1).astype(np.float32) * 0.2
KINDS = np.repeat([0, 1], 20)


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default() as graph:
        graph.seed = 3
        yield


def train(step: Any, loss: Any, feed: Any, steps: int, more: Any = None) -> tuple[float, float, Any]:
    """Loss before and after, and what else was asked for."""
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        before = sess.run(loss, feed)
        for _ in range(steps):
            sess.run(step, feed_dict=feed)
        return float(before), float(sess.run(loss, feed)), None if more is None else sess.run(more, feed)


def accuracy_of(scores: Any, hot: Any) -> Any:
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(scores, 1), tf.argmax(hot, 1)), tf.float32))


def test_linear_regression_with_placeholders_of_any_shape() -> None:
    x, y = tf.placeholder("float"), tf.placeholder("float")
    w, b = tf.Variable(0.0, name="weight"), tf.Variable(0.0, name="bias")
    cost = tf.reduce_sum(tf.pow(tf.add(tf.multiply(x, w), b) - y, 2)) / (2 * len(LINE_X))
    step = tf.train.GradientDescentOptimizer(0.5).minimize(cost)
    _, after, (w_found, b_found) = train(step, cost, {x: LINE_X, y: LINE_Y}, 300, [w, b])
    assert after < 1e-4
    assert (w_found, b_found) == pytest.approx((3, 2), abs=0.05)


def test_linear_regression_one_sample_at_a_time() -> None:
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    w, b = tf.Variable(RNG.randn()), tf.Variable(RNG.randn())
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.square(x * w + b - y))
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables())
        for _ in range(20):
            for one_x, one_y in zip(LINE_X, LINE_Y, strict=True):
                sess.run(step, feed_dict={x: one_x, y: one_y})
        assert sess.run(w) == pytest.approx(3, abs=0.05)


def test_a_line_from_constants() -> None:
    w = tf.Variable(tf.random_uniform([1], -1.0, 1.0))
    b = tf.Variable(tf.zeros([1]))
    loss = tf.reduce_mean(tf.square(w * LINE_X + b - LINE_Y))
    _, after, found = train(tf.train.GradientDescentOptimizer(0.5).minimize(loss), loss, None, 200, w)
    assert after < 1e-4
    assert found == pytest.approx([3], abs=0.05)


def test_logistic_regression() -> None:
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 1])
    w, b = tf.Variable(tf.zeros([4, 1])), tf.Variable(tf.zeros([1]))
    h = tf.sigmoid(tf.matmul(x, w) + b)
    cost = -tf.reduce_mean(y * tf.log(h + 1e-7) + (1 - y) * tf.log(1 - h + 1e-7))
    right = tf.reduce_mean(tf.cast(tf.equal(tf.cast(h > 0.5, tf.float32), y), tf.float32))
    feed = {x: POINTS[:80], y: HOT[:80, :1]}
    before, after, share = train(tf.train.GradientDescentOptimizer(0.1).minimize(cost), cost, feed, 100, right)
    assert before == pytest.approx(np.log(2), rel=1e-4)
    assert after < 0.2
    assert share > 0.95


def test_softmax_regression_with_old_names() -> None:
    x, y = tf.placeholder("float", [None, 4]), tf.placeholder("float", [None, 3])
    w, b = tf.Variable(tf.zeros([4, 3])), tf.Variable(tf.zeros([3]))
    pred = tf.nn.softmax(tf.matmul(x, w) + b)
    cost = tf.reduce_mean(-tf.reduce_sum(y * tf.log(pred), reduction_indices=1))
    step = tf.train.GradientDescentOptimizer(0.05).minimize(cost)
    _, after, share = train(step, cost, {x: POINTS, y: HOT}, 100, accuracy_of(pred, y))
    assert after < 0.2
    assert share > 0.95


@pytest.mark.parametrize("optimizer", ["Adam", "RMSProp", "Momentum", "Adagrad"])
def test_two_layers(optimizer: str) -> None:
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 3])
    w = {"h": tf.Variable(tf.random_normal([4, 16])), "out": tf.Variable(tf.random_normal([16, 3]))}
    b = {"h": tf.Variable(tf.random_normal([16])), "out": tf.Variable(tf.random_normal([3]))}
    logits = tf.matmul(tf.nn.relu(tf.add(tf.matmul(x, w["h"]), b["h"])), w["out"]) + b["out"]
    cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    made = {
        "Adam": tf.train.AdamOptimizer(0.05),
        "RMSProp": tf.train.RMSPropOptimizer(0.05),
        "Momentum": tf.train.MomentumOptimizer(0.01, 0.9),
        "Adagrad": tf.train.AdagradOptimizer(0.5),
    }[optimizer]
    _, after, share = train(made.minimize(cost), cost, {x: POINTS, y: HOT}, 100, accuracy_of(logits, y))
    assert after < 0.3
    assert share > 0.95


def test_xor_with_layers() -> None:
    x, y = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [None, 1])
    hidden = tf.layers.dense(x, 8, tf.nn.tanh)
    logits = tf.layers.dense(hidden, 1)
    loss = tf.losses.sigmoid_cross_entropy(y, logits)
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    _, _, found = train(step, loss, {x: XOR_X, y: XOR_Y}, 300, tf.round(tf.sigmoid(logits)))
    np.testing.assert_array_equal(found, XOR_Y)
    assert [v.name for v in tf.trainable_variables()] == [
        "dense/kernel:0", "dense/bias:0", "dense_1/kernel:0", "dense_1/bias:0",
    ]  # fmt: skip


def test_xor_with_an_interactive_session() -> None:
    x, y = tf.placeholder(tf.float32, [4, 2]), tf.placeholder(tf.float32, [4, 1])
    w1, b1 = tf.Variable(tf.random_uniform([2, 8], -1, 1)), tf.Variable(tf.zeros([8]))
    w2, b2 = tf.Variable(tf.random_uniform([8, 1], -1, 1)), tf.Variable(tf.zeros([1]))
    out = tf.sigmoid(tf.matmul(tf.sigmoid(tf.matmul(x, w1) + b1), w2) + b2)
    step = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.square(out - y)))
    sess = tf.InteractiveSession()
    tf.global_variables_initializer().run()
    for _ in range(400):
        step.run(feed_dict={x: XOR_X, y: XOR_Y})
    np.testing.assert_array_equal(np.round(out.eval(feed_dict={x: XOR_X})), XOR_Y)
    sess.close()
    assert tf.get_default_session() is None


def test_convolutions_with_placeholders() -> None:
    x, y = tf.placeholder(tf.float32, [None, 64]), tf.placeholder(tf.int64, [None])
    keep = tf.placeholder(tf.float32)
    images = tf.reshape(x, [-1, 8, 8, 1])
    w = tf.Variable(tf.truncated_normal([3, 3, 1, 4], stddev=0.1))
    b = tf.Variable(tf.constant(0.1, shape=[4]))
    hidden = tf.nn.relu(tf.nn.conv2d(images, w, strides=[1, 1, 1, 1], padding="SAME") + b)
    pooled = tf.nn.max_pool(hidden, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    flat = tf.nn.dropout(tf.reshape(pooled, [-1, 4 * 4 * 4]), keep)
    w2 = tf.Variable(tf.truncated_normal([64, 2], stddev=0.1))
    logits = tf.matmul(flat, w2)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    step = tf.train.AdamOptimizer(0.02).minimize(loss)
    flat_images = IMAGES.reshape(40, 64)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(40):
            sess.run(step, feed_dict={x: flat_images, y: KINDS, keep: 0.7})
        found = sess.run(tf.argmax(logits, 1), feed_dict={x: flat_images, keep: 1.0})
    assert np.mean(found == KINDS) > 0.95


def test_convolutions_with_layers_and_batch_normalization() -> None:
    x, training = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.bool, [])
    y = tf.placeholder(tf.int32, [None])
    net = tf.layers.conv2d(x, 4, 3, padding="same")
    net = tf.nn.relu(tf.layers.batch_normalization(net, training=training, momentum=0.5))
    net = tf.layers.max_pooling2d(net, 2, 2)
    net = tf.layers.dropout(tf.layers.flatten(net), 0.3, training=training)
    logits = tf.layers.dense(net, 2)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=y, logits=logits)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.AdamOptimizer(0.02).minimize(loss)
    (mean,) = [v for v in tf.global_variables() if "moving_mean" in v.name and "Adam" not in v.name]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(30):
            sess.run(step, {x: IMAGES, y: KINDS, training: True})
        assert np.abs(sess.run(mean)).max() > 0
        found = sess.run(tf.argmax(logits, 1), {x: IMAGES, training: False})
    assert np.mean(found == KINDS) > 0.95


def test_global_step_and_decay() -> None:
    step = tf.Variable(0, trainable=False, name="global_step")
    rate = tf.train.exponential_decay(0.5, step, 10, 0.5, staircase=True)
    w = tf.Variable(5.0)
    loss = tf.square(w)
    minimize = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=step)
    _, after, (count, last) = train(minimize, loss, None, 25, [step, rate])
    assert (count, last) == (25, 0.125)
    assert after < 1e-6


def test_saving_and_going_on(tmp_path: pathlib.Path) -> None:
    w = tf.Variable(tf.random_normal([3]), name="w")
    loss = tf.reduce_sum(tf.square(w - 1.0))
    step = tf.train.AdamOptimizer(0.1).minimize(loss)
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(5):
            sess.run(step)
        path = saver.save(sess, str(tmp_path / "model.ckpt"))
        for _ in range(5):
            sess.run(step)
        expected = sess.run(w)
    with tf.Session() as sess:
        saver.restore(sess, path)
        for _ in range(5):
            sess.run(step)
        np.testing.assert_array_equal(sess.run(w), expected)


def test_an_adversary_trains_its_own_variables() -> None:
    with tf.variable_scope("G"):
        g = tf.get_variable("w", [], initializer=tf.constant_initializer(0.0))
    with tf.variable_scope("D"):
        d = tf.get_variable("w", [], initializer=tf.constant_initializer(1.0))
    loss = tf.square(g - 3.0) + d
    only_g = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=tf.trainable_variables("G"))
    _, _, (g_found, d_found) = train(only_g, loss, None, 100, [g, d])
    assert g_found == pytest.approx(3)
    assert d_found == 1


def test_gradients_that_are_clipped() -> None:
    w = tf.Variable([10.0, -10.0])
    loss = tf.reduce_sum(tf.square(w))
    optimizer = tf.train.GradientDescentOptimizer(1.0)
    pairs = [(tf.clip_by_norm(g, 1.0), v) for g, v in optimizer.compute_gradients(loss)]
    step = optimizer.apply_gradients(pairs)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(step)
        np.testing.assert_allclose(sess.run(w), [10 - 0.5**0.5, -10 + 0.5**0.5], rtol=1e-5)


def test_an_autoencoder_with_a_penalty() -> None:
    x = tf.placeholder(tf.float32, [None, 4])
    regularizer = tf.contrib.layers.l2_regularizer(1e-4)
    code = tf.contrib.layers.fully_connected(x, 3, tf.nn.tanh, weights_regularizer=regularizer)
    back = tf.contrib.layers.fully_connected(code, 4, None)
    loss = tf.losses.mean_squared_error(x, back) + tf.losses.get_regularization_loss()
    before, after, _ = train(tf.train.AdamOptimizer(0.05).minimize(loss), loss, {x: POINTS}, 200)
    assert after < before / 5


def test_embeddings() -> None:
    ids, y = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.float32, [None])
    table = tf.get_variable("table", [5, 1])
    out = tf.squeeze(tf.nn.embedding_lookup(table, ids), [1])
    loss = tf.reduce_mean(tf.square(out - y))
    feed = {ids: np.arange(5), y: np.arange(5.0)}
    _, after, found = train(tf.train.AdamOptimizer(0.3).minimize(loss), loss, feed, 150, table)
    assert after < 1e-2
    np.testing.assert_allclose(found[:, 0], np.arange(5), atol=0.2)


def test_moving_averages_of_variables() -> None:
    w = tf.Variable(0.0)
    grow = tf.assign_add(w, 1.0)
    averages = tf.train.ExponentialMovingAverage(0.5)
    with tf.control_dependencies([grow]):
        step = averages.apply([w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(step)
        # 0.5, then 0.25 + 1, then 0.625 + 1.5
        assert sess.run([w, averages.average(w)]) == [3.0, 2.125]


def test_k_means_by_assignments() -> None:
    points = tf.constant(POINTS)
    centers = tf.Variable(tf.constant(POINTS[[0, 40, 80]]))
    distances = tf.reduce_sum(tf.square(tf.expand_dims(points, 0) - tf.expand_dims(centers, 1)), 2)
    nearest = tf.argmin(distances, 0)
    sums = tf.unsorted_segment_sum(points, nearest, 3)
    counts = tf.reduce_sum(tf.one_hot(nearest, 3), 0)
    step = centers.assign(sums / tf.expand_dims(counts, 1))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(5):
            sess.run(step)
        found = sess.run(nearest)
    np.testing.assert_array_equal(found, CLASSES)


def test_a_layer_of_keras_in_a_graph() -> None:
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 3])
    out = tf.keras.layers.Dense(3, activation="softmax")(tf.keras.layers.Dense(8, activation=tf.nn.relu)(x))
    loss = tf.reduce_mean(tf.keras.losses.categorical_crossentropy(y, out))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    _, after, share = train(step, loss, {x: POINTS, y: HOT}, 60, accuracy_of(out, y))
    assert after < 0.3
    assert share > 0.95


def test_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Callable[..., Any] = type(tf.app.flags.FLAGS)
    flags = made()
    monkeypatch.setattr(tf.flags, "FLAGS", flags)
    tf.app.flags.DEFINE_integer("steps", 5, "Number of steps.")
    tf.app.flags.DEFINE_float("rate", 0.1, "100% of the rate.")
    tf.app.flags.DEFINE_boolean("verbose", True, "Whether to talk.")
    rest: list[Any] = []
    with pytest.raises(SystemExit):
        tf.app.run(main=rest.append, argv=["program", "--steps", "7", "--noverbose", "more"])
    assert (flags.steps, flags.rate, flags.verbose, rest) == (7, 0.1, False, [["program", "more"]])


@pytest.mark.lenient  # the layer multiplies a matrix and a vector
def test_variables_of_a_layer_are_its_weights() -> None:
    class Scaled(tf.keras.layers.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.scale = tf.Variable(tf.ones((units,)), trainable=True)
            self.seen = tf.Variable(tf.zeros((units,)), trainable=False)
            self.trainable_weights = [self.scale]  # as layers of Keras 2.2 had to say

        def call(self, inputs: Any) -> Any:
            self.seen.assign_add(tf.reduce_sum(inputs, axis=0))
            return inputs * self.scale

    layer = Scaled(2)
    model = tf.keras.Sequential([tf.keras.layers.InputLayer((2,)), layer])
    assert [w is v for w, v in zip(layer.weights, (layer.scale, layer.seen), strict=True)] == [True, True]
    model.compile(tf.keras.optimizers.SGD(0.5), "mse")
    x = np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)
    model.fit(x, 0 * x, batch_size=2, verbose=0)  # no session has initialized anything
    scale, seen = model.get_weights()
    np.testing.assert_allclose(scale, 1 - 0.5 * (2 * x**2).mean(0) / 2, rtol=1e-6)
    np.testing.assert_array_equal(seen, x.sum(0))
    with tf.Session() as sess:  # a session of one's own begins with the initial values
        sess.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(sess.run(layer.scale), [1, 1])
