"""Programs in the style of TensorFlow 1's tutorials on networks: recurrent, adversarial, embedded. Each learns."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax.compat import tensorflow as tf

RNG = np.random.RandomState(0)
PATTERNS = RNG.rand(4, 36) > 0.6
KINDS = np.arange(80) % 4
IMAGES = (PATTERNS[KINDS] ^ (RNG.rand(80, 36) < 0.05)).astype(np.float32)
HOT = np.eye(4, dtype=np.float32)[KINDS]
TEXT = np.array([" helowrd,".index(c) for c in "hello world, " * 20])


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default() as graph:
        graph.seed = 3
        yield


def started() -> Any:
    sess = tf.Session()
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    return sess


def test_an_lstm_on_rows_with_a_batch_size_that_is_fed() -> None:
    size, keep = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])
    x, y = tf.placeholder(tf.float32, [None, 36]), tf.placeholder(tf.float32, [None, 4])

    def layer() -> Any:
        cell = tf.contrib.rnn.BasicLSTMCell(num_units=12, forget_bias=1.0, state_is_tuple=True)
        return tf.contrib.rnn.DropoutWrapper(cell=cell, input_keep_prob=1.0, output_keep_prob=keep)

    cell = tf.contrib.rnn.MultiRNNCell([layer() for _ in range(2)], state_is_tuple=True)
    first = cell.zero_state(size, dtype=tf.float32)
    _, state = tf.nn.dynamic_rnn(cell, inputs=tf.reshape(x, [-1, 6, 6]), initial_state=first, time_major=False)
    logits = tf.layers.dense(state[-1][1], 4)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    sess = started()
    for _ in range(40):
        sess.run(step, {x: IMAGES[:64], y: HOT[:64], keep: 0.8, size: 64})
    assert sess.run(loss, {x: IMAGES[64:], y: HOT[64:], keep: 1.0, size: 16}) < 0.4


def test_both_directions_of_a_list_of_rows() -> None:
    x, y = tf.placeholder("float", [None, 6, 6]), tf.placeholder("float", [None, 4])
    cells = tf.contrib.rnn.BasicLSTMCell(8, forget_bias=1.0), tf.contrib.rnn.GRUCell(8)
    outputs, _, _ = tf.contrib.rnn.static_bidirectional_rnn(*cells, tf.unstack(x, 6, 1), dtype=tf.float32)
    logits = tf.matmul(outputs[-1], tf.Variable(tf.random_normal([16, 4])))
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    sess = started()
    for _ in range(50):
        sess.run(step, {x: IMAGES.reshape(-1, 6, 6), y: HOT})
    assert sess.run(loss, {x: IMAGES.reshape(-1, 6, 6), y: HOT}) < 0.4


def letters(training: bool) -> dict[str, Any]:
    """A network that tells the next letter: for texts of ten letters, or one letter at a time."""
    samples, steps = (4, 10) if training else (1, 1)
    cell = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.GRUCell(16), tf.contrib.rnn.BasicLSTMCell(16)])
    ids, targets = tf.placeholder(tf.int32, [samples, steps]), tf.placeholder(tf.int32, [samples, steps])
    first = cell.zero_state(samples, tf.float32)
    embedding = tf.get_variable("embedding", [9, 16])
    rows = [tf.squeeze(row, [1]) for row in tf.split(tf.nn.embedding_lookup(embedding, ids), steps, 1)]
    outputs, last = tf.contrib.legacy_seq2seq.rnn_decoder(rows, first, cell, scope="letters")
    with tf.variable_scope("softmax"):
        w, b = tf.get_variable("w", [16, 9]), tf.get_variable("b", [9])
    logits = tf.matmul(tf.reshape(tf.concat(outputs, 1), [-1, 16]), w) + b
    each = tf.contrib.legacy_seq2seq.sequence_loss_by_example(
        [logits], [tf.reshape(targets, [-1])], [tf.ones([samples * steps])]
    )
    cost = tf.reduce_sum(each) / samples / steps
    return {"x": ids, "y": targets, "first": first, "last": last, "cost": cost, "next": tf.argmax(logits, 1)}


def test_letters_are_learnt_saved_and_sampled(tmp_path: pathlib.Path) -> None:
    m = letters(training=True)
    grads, _ = tf.clip_by_global_norm(tf.gradients(m["cost"], tf.trainable_variables()), 5.0)
    step = tf.train.AdamOptimizer(0.02).apply_gradients(zip(grads, tf.trainable_variables(), strict=True))
    sess = started()
    texts = TEXT.reshape(4, -1)
    for _ in range(14):
        state = sess.run(m["first"])
        for at in range(0, 60, 10):
            feed = {m["x"]: texts[:, at : at + 10], m["y"]: texts[:, at + 1 : at + 11], m["first"]: state}
            state, _ = sess.run([m["last"], step], feed)
    path = tf.train.Saver(tf.global_variables()).save(sess, str(tmp_path / "letters"))
    with tf.Graph().as_default():
        m = letters(training=False)
        with tf.Session() as sess:
            tf.train.Saver(tf.global_variables()).restore(sess, path)
            state, found = sess.run(m["first"]), [1]
            for _ in range(12):
                feed = {m["x"]: [[found[-1]]], m["first"]: state}
                (best,), state = sess.run([m["next"], m["last"]], feed)
                found.append(int(best))
    assert "".join(" helowrd,"[i] for i in found) == "hello world, "


def test_an_adversarial_pair_with_batch_normalization() -> None:
    noise, real = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 6, 6, 1])
    training = tf.placeholder(tf.bool)

    def generator(x: Any) -> Any:
        with tf.variable_scope("generator"):
            x = tf.nn.relu(tf.layers.batch_normalization(tf.layers.dense(x, 3 * 3 * 4), training=training))
            return tf.nn.sigmoid(tf.layers.conv2d_transpose(tf.reshape(x, [-1, 3, 3, 4]), 1, 3, 2, padding="same"))

    def discriminator(x: Any, reuse: bool = False) -> Any:
        with tf.variable_scope("discriminator", reuse=reuse):
            x = tf.layers.conv2d(x, 4, 3, strides=2, padding="same")
            x = tf.nn.leaky_relu(tf.layers.batch_normalization(x, training=training))
            return tf.layers.dense(tf.contrib.layers.flatten(x), 1)

    made = generator(noise)
    is_real, is_made = discriminator(real), discriminator(made, reuse=True)
    entropy = tf.losses.sigmoid_cross_entropy
    loss = entropy(tf.ones_like(is_real), is_real) + entropy(tf.zeros_like(is_made), is_made)
    fooled = entropy(tf.ones_like(is_made), is_made)
    of = {scope: tf.trainable_variables(scope) for scope in ("generator", "discriminator")}
    assert [len(v) for v in of.values()] == [6, 6]
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        steps = [
            tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(loss, var_list=of["discriminator"]),
            tf.train.AdamOptimizer(0.01, beta1=0.5).minimize(fooled, var_list=of["generator"]),
        ]
    sess = started()
    feed = {noise: RNG.rand(20, 4), real: IMAGES[:20].reshape(-1, 6, 6, 1), training: True}
    before = sess.run([loss, of["generator"][0]], feed)
    for _ in range(20):
        sess.run(steps[0], feed)
    assert sess.run(loss, feed) < before[0]
    np.testing.assert_array_equal(sess.run(of["generator"][0]), before[1])
    losing = sess.run(fooled, feed)
    for _ in range(20):
        sess.run(steps[1], feed)
    assert sess.run(fooled, feed) < losing
    averages = [v for v in tf.global_variables("generator") if "moving_mean" in v.name]
    assert np.abs(sess.run(averages[0])).max() > 0
    assert sess.run(made, {noise: feed[noise], training: False}).shape == (20, 6, 6, 1)


def test_words_by_noise_contrastive_estimation() -> None:
    ids, around = tf.placeholder(tf.int32, [16]), tf.placeholder(tf.int32, [16, 1])
    with tf.device("/cpu:0"), tf.name_scope("embeddings"):
        table = tf.Variable(tf.random_uniform([9, 6], -1.0, 1.0))
        embed = tf.nn.embedding_lookup(table, ids)
    weights, biases = tf.Variable(tf.truncated_normal([9, 6], stddev=0.4)), tf.Variable(tf.zeros([9]))
    loss = tf.reduce_mean(
        tf.nn.nce_loss(weights=weights, biases=biases, labels=around, inputs=embed, num_sampled=3, num_classes=9)
    )
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    sess = started()
    values = []
    for _ in range(150):
        at = RNG.randint(1, len(TEXT) - 1, 16)
        feed = {ids: TEXT[at], around: TEXT[at + RNG.choice([-1, 1], 16)][:, None]}
        values.append(sess.run([loss, step], feed)[0])
    assert np.mean(values[-30:]) < 0.8 * np.mean(values[:30])


def test_policy_gradients_gathered_in_placeholders() -> None:
    slim = tf.contrib.slim
    state, reward = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [None])
    action = tf.placeholder(tf.int32, [None])
    hidden = slim.fully_connected(state, 8, biases_initializer=None, activation_fn=tf.nn.relu)
    policy = slim.fully_connected(hidden, 2, biases_initializer=None, activation_fn=tf.nn.softmax)
    places = tf.range(0, tf.shape(policy)[0]) * tf.shape(policy)[1] + action
    loss = -tf.reduce_mean(tf.log(tf.gather(tf.reshape(policy, [-1]), places)) * reward)
    variables = tf.trainable_variables()
    assert [v.name for v in variables] == ["fully_connected/weights:0", "fully_connected_1/weights:0"]
    holders = [tf.placeholder(tf.float32, name=f"{i}_holder") for i, _ in enumerate(variables)]
    gradients = tf.gradients(loss, variables)
    step = tf.train.AdamOptimizer(0.05).apply_gradients(zip(holders, variables, strict=True))
    sess = started()
    right = 0.0
    for _ in range(40):
        states = RNG.randn(40, 2)
        taken = (RNG.rand(40) > sess.run(policy, {state: states})[:, 0]).astype(int)
        right = float(np.mean(taken == (states[:, 0] > 0)))
        rewards = (taken == (states[:, 0] > 0)) - 0.5
        found = sess.run(gradients, {state: states, action: taken, reward: rewards})
        sess.run(step, dict(zip(holders, found, strict=True)))
    assert right > 0.8


def test_a_monitored_training_over_a_data_set_goes_on(tmp_path: pathlib.Path) -> None:
    data = tf.data.Dataset.from_tensor_slices((IMAGES, HOT)).batch(16).repeat(4)
    x, y = data.make_one_shot_iterator().get_next()
    loss = tf.losses.softmax_cross_entropy(y, tf.layers.dense(x, 4))
    count = tf.train.get_or_create_global_step()
    step = tf.train.AdamOptimizer(0.05).minimize(loss, global_step=count)

    class Watch(tf.train.SessionRunHook):
        values: list[float]

        def begin(self) -> None:
            self.values = []

        def before_run(self, run_context: Any) -> Any:
            return tf.train.SessionRunArgs(loss)

        def after_run(self, run_context: Any, run_values: Any) -> None:
            self.values.append(float(run_values.results))

    watch = Watch()
    hooks = [watch, tf.train.StopAtStepHook(last_step=12), tf.train.NanTensorHook(loss)]
    with tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), hooks=hooks) as sess:
        while not sess.should_stop():
            sess.run(step)
    assert len(watch.values) == 12
    assert watch.values[-1] < watch.values[0] / 2
    with tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), hooks=[watch]) as sess:
        while not sess.should_stop():  # until the data end
            sess.run(step)
    assert len(watch.values) == 20
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-32")
    with tf.train.Supervisor(logdir=str(tmp_path)).managed_session() as sess:
        assert sess.run(count) == 32
