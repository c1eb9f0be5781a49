"""TensorFlow 1's recurrent cells and loops: formulas in float64, names of variables, and programs that learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax.compat import tensorflow as tf

RNG = np.random.RandomState(0)
X = RNG.randn(4, 5, 3)
LENGTHS = np.array([5, 1, 0, 3])
CELLS = tf.nn.rnn_cell


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default() as graph:
        graph.seed = 3
        yield


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


class Own(CELLS.RNNCell):
    """A program's own cell."""

    @property
    def state_size(self) -> int:
        return 2

    @property
    def output_size(self) -> int:
        return 2

    def call(self, inputs: Any, state: Any) -> Any:
        kernel = tf.get_variable("kernel", [inputs.shape[-1] + 2, 2])
        h = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), kernel))
        return h, h


def step(name: str, x: Any, state: Any, w: dict[str, Any]) -> tuple[Any, Any]:
    """One step of a cell: its output and its states (h, or c and h)."""
    h = state[-1]
    both = np.concatenate([x, h], -1)
    if name in ("BasicRNNCell", "Own"):
        new = np.tanh(both @ w["kernel"] + w.get("bias", 0))
        return new, [new]
    if name == "GRUCell":
        r, u = np.split(sigmoid(both @ w["gates/kernel"] + w["gates/bias"]), 2, -1)
        g = np.tanh(np.concatenate([x, r * h], -1) @ w["candidate/kernel"] + w["candidate/bias"])
        new = u * h + (1 - u) * g
        return new, [new]
    c = state[0]
    i, j, f, o = np.split(both @ w["kernel"] + w["bias"], 4, -1)
    if name == "LSTMCell":  # with peepholes and a projection
        i, f = i + w["w_i_diag"] * c, f + w["w_f_diag"] * c
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
    if name == "LSTMCell":
        new = (sigmoid(o + w["w_o_diag"] * c) * np.tanh(c)) @ w["projection/kernel"]
    else:
        new = sigmoid(o) * np.tanh(c)
    return new, [c, new]


def through(name: str, sizes: list[int], w: dict[str, Any], lengths: Any) -> tuple[Any, Any]:
    state = [np.zeros((4, size)) for size in sizes]
    outputs = []
    for t in range(5):
        output, new = step(name, X[:, t], state, w)
        on = (t < lengths)[:, None]
        outputs.append(np.where(on, output, 0))
        state = [np.where(on, n, s) for n, s in zip(new, state, strict=True)]
    return np.stack(outputs, 1), state


MADE: dict[str, tuple[Any, list[int]]] = {
    "BasicRNNCell": (lambda: CELLS.BasicRNNCell(2), [2]),
    "BasicLSTMCell": (lambda: CELLS.BasicLSTMCell(2), [2, 2]),
    "LSTMCell": (lambda: CELLS.LSTMCell(3, use_peepholes=True, num_proj=2), [3, 2]),
    "GRUCell": (lambda: CELLS.GRUCell(2), [2]),
    "Own": (Own, [2]),
}


def started() -> Any:
    """A session whose trainable variables hold random numbers, and those numbers by name."""
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    draws = np.random.RandomState(1)
    values = {v.name: draws.randn(*v.shape) * 0.5 for v in tf.trainable_variables()}
    for v in tf.trainable_variables():
        v.load(values[v.name], sess)
    return sess, values


@pytest.mark.parametrize("name", MADE)
def test_formulas(name: str) -> None:
    make, sizes = MADE[name]
    x, lengths = tf.placeholder(tf.float32, [None, 5, 3]), tf.placeholder(tf.int32, [None])
    outputs, last = tf.nn.dynamic_rnn(make(), x, sequence_length=lengths, dtype=tf.float32)
    listed, last_of_list = tf.nn.static_rnn(make(), tf.unstack(x, 5, 1), dtype=tf.float32, scope="static")
    sess, values = started()
    base = {"Own": "own"}.get(name) or CELLS.__dict__[name](1).name
    whole = {k.removeprefix(f"rnn/{base}/")[:-2]: v for k, v in values.items() if k.startswith("rnn/")}
    expected, states = through(name, sizes, whole, LENGTHS)
    found, state = sess.run([outputs, last], {x: X, lengths: LENGTHS})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for got, wanted in zip(state if isinstance(state, tuple) else [state], states, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
    whole = {k.removeprefix(f"static/{base}/")[:-2]: v for k, v in values.items() if k.startswith("static/")}
    expected, states = through(name, sizes, whole, np.full(4, 5))
    found, state = sess.run([listed, last_of_list], {x: X})
    np.testing.assert_allclose(np.stack(found, 1), expected, rtol=1e-4, atol=1e-6)


def test_names_of_variables_and_sharing() -> None:
    x = tf.placeholder(tf.float32, [None, 5, 3])
    layers = [CELLS.BasicLSTMCell(2), CELLS.DropoutWrapper(CELLS.GRUCell(2), output_keep_prob=0.5)]
    cell = tf.contrib.rnn.MultiRNNCell(layers)
    tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    below = "rnn/multi_rnn_cell/cell_"
    names = [f"{below}0/basic_lstm_cell/kernel:0", f"{below}0/basic_lstm_cell/bias:0"]
    names += [f"{below}1/gru_cell/{k}:0" for k in ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")]
    assert [v.name for v in tf.trainable_variables()] == names
    tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)  # the same cell has the same variables
    assert len(tf.trainable_variables()) == 6
    tf.nn.bidirectional_dynamic_rnn(CELLS.GRUCell(2), CELLS.GRUCell(2), x, dtype=tf.float32)
    assert tf.trainable_variables("bidirectional_rnn/bw")[0].name == "bidirectional_rnn/bw/gru_cell/gates/kernel:0"
    tf.nn.dynamic_rnn(CELLS.BasicRNNCell(2), x, dtype=tf.float32)
    with pytest.raises(ValueError, match="rnn/basic_rnn_cell/kernel already exists"):
        tf.nn.dynamic_rnn(CELLS.BasicRNNCell(2), x, dtype=tf.float32)
    with pytest.raises(ValueError, match="you must give a dtype"):
        tf.nn.dynamic_rnn(CELLS.BasicRNNCell(2), x)
    with pytest.raises(AttributeError, match=r"nearest that exists is tensorflow\.nn\.rnn_cell\.BasicLSTMCell"):
        _ = CELLS.BasicLSTMCel


def test_both_directions_of_sequences_with_lengths() -> None:
    x = tf.placeholder(tf.float32, [None, 5, 3])
    cells = CELLS.BasicRNNCell(2), CELLS.BasicRNNCell(2)
    (_, back), (_, last) = tf.nn.bidirectional_dynamic_rnn(*cells, x, LENGTHS.tolist(), dtype=tf.float32)
    sess, values = started()
    w = {k[:-2].rpartition("/")[2]: v for k, v in values.items() if "/bw/" in k}
    found, state = sess.run([back, last], {x: X})
    for row, length in enumerate(LENGTHS):
        h = np.zeros((1, 2))
        for t in reversed(range(length)):
            h, _ = step("BasicRNNCell", X[row, t : t + 1], [h], w)
            np.testing.assert_allclose(found[row, t], h[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(state[row], h[0], rtol=1e-4, atol=1e-6)
        assert not found[row, length:].any()


def test_default_names_begin_anew_in_a_scope_that_is_opened_again() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    for reuse in (False, True):
        with tf.variable_scope("generator", reuse=reuse):
            tf.layers.dense(tf.layers.dense(x, 4), 3)
    assert [v.name for v in tf.trainable_variables()] == [
        f"generator/{name}:0" for name in ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    ]


def test_a_loop_is_differentiated_where_its_passes_are_known_or_limited() -> None:
    x, n = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.int32, [])

    def squares(limit: Any, most: int | None = None) -> Any:
        looped = tf.while_loop(lambda i, a: i < limit, lambda i, a: (i + 1, a * a), [0, x], maximum_iterations=most)
        return tf.gradients(looped[1], x)[0]

    with tf.Session() as sess:
        expected = 8 * np.array([1.0, 2.0]) ** 7
        for gradient in (squares(3), squares(n, 5)):
            np.testing.assert_allclose(sess.run(gradient, {x: [1, 2], n: 3}), expected)
        with pytest.raises(ValueError, match="Give it `maximum_iterations`"):
            sess.run(squares(n), {x: [1, 2], n: 3})


def test_a_loop_with_arrays_of_tensors_is_that_of_a_cell() -> None:
    x = tf.placeholder(tf.float32, [None, 5, 3])
    outputs, _ = tf.nn.dynamic_rnn(Own(), x, dtype=tf.float32)
    (kernel,) = tf.trainable_variables()
    rows = tf.TensorArray(tf.float32, size=5).unstack(tf.transpose(x, [1, 0, 2]))

    def body(t: Any, h: Any, written: Any) -> Any:
        h = tf.tanh(tf.matmul(tf.concat([rows.read(t), h], 1), kernel))
        return t + 1, h, written.write(t, h)

    first = [tf.constant(0), tf.zeros([tf.shape(x)[0], 2]), tf.TensorArray(tf.float32, size=5)]
    _, _, written = tf.while_loop(lambda t, *_: t < 5, body, first)
    mine = tf.transpose(written.stack(), [1, 0, 2])
    pairs = [(o, tf.gradients(tf.reduce_sum(tf.square(o)), kernel)[0]) for o in (outputs, mine)]
    sess, _ = started()
    for expected, found in zip(*sess.run(pairs, {x: X}), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_cell_learns_which_row_is_lit() -> None:
    images = np.zeros((30, 4, 4), np.float32)
    kinds = np.arange(30) % 3
    images[np.arange(30), kinds] = 1
    images += RNG.rand(30, 4, 4).astype(np.float32) * 0.1
    x, y, keep = tf.placeholder("float", [None, 4, 4]), tf.placeholder(tf.int32, [None]), tf.placeholder(tf.float32)
    cell = tf.contrib.rnn.DropoutWrapper(tf.contrib.rnn.BasicLSTMCell(8), output_keep_prob=keep)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    logits = tf.layers.dense(outputs[:, -1], 3)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    train = tf.train.AdamOptimizer(0.05).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(60):
            sess.run(train, {x: images, y: kinds, keep: 0.9})
        assert sess.run(loss, {x: images, y: kinds, keep: 1.0}) < 0.1
        drawn = [sess.run(outputs, {x: images[:1], keep: 0.5})[0] == 0 for _ in range(2)]
        assert (drawn[0] != drawn[1]).any()  # others in each run
        assert (drawn[0][1:] != drawn[0][:1]).any()  # and at each step
