"""Programs of TensorFlow 1: the session, variables, formulas, and small programs that learn.

Numbers are compared with numpy's, and with `tf.compat.v1` where TensorFlow is installed.
"""

from __future__ import annotations

import gzip
import importlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax import compat
from kjax.compat import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENT = ROOT.parent / "shared" / "documents" / "mnist_tensorflow1.py"


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default():
        tf._graph.get_default_graph().seed = 1
        yield


def started() -> Any:
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    return sess


# -- the session -------------------------------------------------------------------------------------------------------


def test_fetches_in_every_structure() -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    total = tf.reduce_sum(x, name="total")
    op = tf.group(total)
    with tf.Session() as sess:
        feed = {x: [[1, 2], [3, 4]]}
        assert sess.run(total, feed) == 10
        assert type(sess.run(total, feed)) is np.float32
        assert sess.run([total, op], feed) == [10, None]
        nested = sess.run({"a": total, "b": [x, (total, op)]}, feed)
        np.testing.assert_array_equal(nested["b"][0], [[1, 2], [3, 4]])
        assert nested["a"] == nested["b"][1][0] == 10
        assert sess.run("total:0", {"x:0": [[1, 1]]}) == total.eval({x: [[1, 1]]}) == 2
        assert sess.run(op, feed) is None
        assert sess.run(tf.constant("hello")) == b"hello"
        result = sess.run(x, feed)
        result[0, 0] = 9  # what is fetched belongs to the caller
        assert sess.run(x, feed)[0, 0] == 1


def test_one_program_for_each_shape() -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    y = x * 2.0
    sess = tf.Session()
    for rows in (3, 3, 5, 3, 5):
        sess.run(y, {x: np.ones((rows, 2))})
    (run,) = sess._runs.values()
    assert run.program.count == 2


def test_errors_of_running() -> None:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.Variable([1.0], name="w")
    sess = tf.Session()
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(2, 2\) for Tensor 'x:0', .* '\(\?, 3\)'"):
        sess.run(x, {x: np.ones((2, 2))})
    with pytest.raises(ValueError, match=r"'nothing:0' cannot be interpreted as a Tensor"):
        sess.run("nothing:0")
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w"):
        sess.run(w)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"placeholder tensor 'x' with dtype float32"):
        sess.run(x * 2.0)
    with pytest.raises(TypeError, match="Fetch argument None"):
        sess.run(None)
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
        sess.run(w, {"y:0": 1})
    sess.close()
    with pytest.raises(RuntimeError, match="closed Session"):
        sess.run(w)
    with pytest.raises(ValueError, match="no default session"):
        x.eval()


def test_missing_names_tell_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"tensorflow\.reduce_men .*reduce_mean"):
        _ = tf.reduce_men
    with pytest.raises(AttributeError, match=r"tensorflow\.nn\.max_pol .*max_pool"):
        _ = tf.nn.max_pol
    with pytest.raises(AttributeError, match=r"tensorflow\.train\.AdamOptimiser .*AdamOptimizer"):
        _ = tf.train.AdamOptimiser
    with pytest.raises(AttributeError, match=r"tensorflow\.GradientTape is not there.*`model\.fit`"):
        _ = tf.GradientTape


def test_fed_arrays_are_placed_once_and_changes_are_seen() -> None:
    x = tf.placeholder(tf.float32, [None, 1000])
    y = tf.reduce_sum(x)
    sess = tf.Session()
    for dtype in (np.float32, np.float64):
        room = np.ones(1000 * 1000 + 1, dtype)
        data = room[1:].reshape(1000, 1000)  # not where XLA could take it over
        before = sess.feeds.placements
        for _ in range(5):
            assert sess.run(y, {x: data}) == 1e6
        assert sess.feeds.placements - before == 2
        data[7, 7] = 2
        assert sess.run(y, {x: data}) == 1e6 + 1


# -- variables ---------------------------------------------------------------------------------------------------------


def test_variables_belong_to_a_session_and_start_anew() -> None:
    w = tf.Variable(tf.random_normal([3]))
    init = tf.global_variables_initializer()
    first, second = tf.Session(), tf.Session()
    first.run(init)
    value = first.run(w)
    with pytest.raises(tf.errors.FailedPreconditionError):
        second.run(w)
    second.run(init)
    np.testing.assert_array_equal(first.run(w), value)
    first.run(init)
    assert not np.array_equal(first.run(w), value)


def test_assign_and_control_dependencies() -> None:
    v = tf.Variable(1.0)
    add = tf.assign_add(v, 2.0)
    with tf.control_dependencies([add]):
        after = tf.identity(v)
    before = v * 1.0
    sess = started()
    assert sess.run([before, after, add]) == [1.0, 3.0, 3.0]
    assert sess.run(v) == 3.0
    assert sess.run(v.assign(v * 2.0)) == 6.0
    v.load(0.5, sess)
    assert v.eval(sess) == 0.5


def test_get_variable_and_scopes() -> None:
    with tf.variable_scope("layer"):
        w = tf.get_variable("w", [2], initializer=tf.zeros_initializer())
    with tf.variable_scope("layer", reuse=True):
        assert tf.get_variable("w", [2]) is w
        with pytest.raises(ValueError, match="does not exist"):
            tf.get_variable("b", [2])
    with tf.variable_scope("layer"), pytest.raises(ValueError, match="already exists"):
        tf.get_variable("w", [2])
    assert w.name == "layer/w:0"
    with tf.name_scope("outer"):
        assert tf.constant(1.0, name="c").name == "outer/c:0"
    assert [v.name for v in tf.trainable_variables()] == ["layer/w:0"]
    assert tf.Variable(0.0).name == "Variable:0"
    assert tf.Variable(0.0).name == "Variable_1:0"


def test_random_tensors_have_one_value_in_a_run_and_another_in_the_next() -> None:
    r = tf.random_normal([4])
    same = r * 1.0
    with tf.Session() as sess:
        a, b = sess.run([r, same])
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, sess.run(r))
    with tf.Session() as sess:
        np.testing.assert_array_equal(a, sess.run(r))  # the graph has a seed


def test_dropout_and_its_gradient_agree() -> None:
    x = tf.Variable(np.ones(100, np.float32))
    dropped = tf.nn.dropout(x, keep_prob=0.5)
    (gradient,) = tf.gradients(tf.reduce_sum(dropped), [x])
    sess = started()
    for fetches in ([dropped, gradient], [gradient, dropped]):
        first, second = sess.run(fetches)
        np.testing.assert_array_equal(first, second)
    assert set(first) == {0.0, 2.0}


# -- numbers -----------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=(4, 3)).astype(np.float32)
HOT = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]


def np_softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


CASES: dict[str, tuple[Any, Any]] = {
    "matmul": (lambda a, b: tf.matmul(a, b, transpose_b=True), A @ B.T),
    "mean": (lambda a, b: tf.reduce_mean(a, reduction_indices=[1], keep_dims=True), A.mean(1, keepdims=True)),
    "argmax": (lambda a, b: tf.argmax(a, 1), A.argmax(1)),
    "accuracy": (
        lambda a, b: tf.reduce_mean(tf.cast(tf.equal(tf.argmax(a, 1), tf.argmax(b, 1)), "float")),
        np.mean(A.argmax(1) == B.argmax(1)),
    ),
    "concat": (lambda a, b: tf.concat([a, b], 1), np.concatenate([A, B], 1)),
    "reshape": (lambda a, b: tf.reshape(a, [-1, 2]), A.reshape(-1, 2)),
    "transpose": (lambda a, b: tf.transpose(a), A.T),
    "softmax": (lambda a, b: tf.nn.softmax(a, name="p"), np_softmax(A)),
    "entropy": (
        lambda a, b: tf.nn.softmax_cross_entropy_with_logits(logits=a, labels=HOT),
        -(HOT * np.log(np_softmax(A))).sum(1),
    ),
    "entropy by position": (
        lambda a, b: tf.nn.softmax_cross_entropy_with_logits(a, HOT),
        -(HOT * np.log(np_softmax(A))).sum(1),
    ),
    "sparse entropy": (
        lambda a, b: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2, 1, 1], logits=a),
        -(HOT * np.log(np_softmax(A))).sum(1),
    ),
    "sigmoid entropy": (
        lambda a, b: tf.nn.sigmoid_cross_entropy_with_logits(labels=HOT, logits=a),
        -HOT * np.log(1 / (1 + np.exp(-A))) - (1 - HOT) * np.log(1 - 1 / (1 + np.exp(-A))),
    ),
    "l2": (lambda a, b: tf.nn.l2_loss(a), (A**2).sum() / 2),
    "clip": (lambda a, b: tf.clip_by_value(a, -0.5, 0.5), A.clip(-0.5, 0.5)),
    "one_hot": (lambda a, b: tf.one_hot([0, 2, 1, 1], 3), HOT),
    "where": (lambda a, b: tf.where(a > b, a, b), np.maximum(A, B)),
    "split": (lambda a, b: tf.split(a, 2, 0)[1], A[2:]),
    "gradient": (lambda a, b: tf.gradients(tf.reduce_sum(tf.square(a) * b), a)[0], 2 * A * B),
    "polynomial": (lambda a, b: tf.train.polynomial_decay(0.1, 5, 10, 0.01, power=2.0), 0.09 * 0.25 + 0.01),
    "exponential": (lambda a, b: tf.train.exponential_decay(0.1, 25, 10, 0.5, staircase=True), 0.025),
    "piecewise": (lambda a, b: tf.train.piecewise_constant(10, [10, 20], [1.0, 2.0, 3.0]), 1.0),
    "cond": (lambda a, b: tf.cond(tf.reduce_sum(a) < 1e9, lambda: a, lambda: b), A),
    "while": (lambda a, b: tf.while_loop(lambda i, x: i < 3, lambda i, x: [i + 1, x * 2.0], [0, a])[1], A * 8),
    "map": (lambda a, b: tf.map_fn(lambda row: tf.reduce_sum(row), a), A.sum(1)),
    "scan": (lambda a, b: tf.scan(lambda s, row: s + row, a), np.cumsum(A, 0)),
    "py_func": (lambda a, b: tf.py_func(lambda x: np.sort(x), [a], tf.float32), np.sort(A)),
}


@pytest.mark.parametrize("name", CASES)
def test_numbers(name: str) -> None:
    build, expected = CASES[name]
    a, b = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32, [None, 3])
    with tf.Session() as sess:
        np.testing.assert_allclose(sess.run(build(a, b), {a: A, b: B}), expected, rtol=2e-5, atol=1e-6)


def test_known_tensors_have_values() -> None:
    c = tf.constant([[1.0, 2.0]]) * 2.0
    np.testing.assert_array_equal(c.numpy(), [[2.0, 4.0]])
    np.testing.assert_array_equal(np.asarray(tf.cast(np.array([1.5]), tf.int32)), [1])
    r = tf.random.normal([3])
    np.testing.assert_array_equal(r.numpy(), np.asarray(r))


P0, GRADS = np.array([1.0, -2.0, 0.5]), RNG.normal(size=(4, 3))


def steps_of(name: str) -> np.ndarray:
    """The formulas in float64, four steps with a learning rate of 0.1."""
    p, s, u = P0.copy(), np.zeros(3), np.zeros(3)
    if name == "Adagrad":
        s += 0.1
    if name.startswith("RMSProp"):
        s += 1.0
    for t, g in enumerate(GRADS, 1):
        if name == "GradientDescent":
            p = p - 0.1 * g
        elif name.startswith("Momentum"):
            s = 0.9 * s + g
            p = p - 0.1 * (g + 0.9 * s if name.endswith("nesterov") else s)
        elif name == "Adagrad":
            s = s + g * g
            p = p - 0.1 * g / np.sqrt(s)
        elif name == "Adadelta":
            s = 0.95 * s + 0.05 * g * g
            d = np.sqrt(u + 1e-8) / np.sqrt(s + 1e-8) * g
            u = 0.95 * u + 0.05 * d * d
            p = p - 0.1 * d
        elif name == "RMSProp":
            s = 0.9 * s + 0.1 * g * g
            u = 0.5 * u + 0.1 * g / np.sqrt(s + 1e-10)
            p = p - u
        else:
            s, u = 0.9 * s + 0.1 * g, 0.999 * u + 0.001 * g * g
            p = p - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * s / (np.sqrt(u) + 1e-8)
    return p


def optimizer_of(tf: Any, name: str, rate: Any) -> Any:
    train = tf.train
    return {
        "GradientDescent": lambda: train.GradientDescentOptimizer(rate),
        "Momentum": lambda: train.MomentumOptimizer(rate, 0.9),
        "Momentum nesterov": lambda: train.MomentumOptimizer(rate, 0.9, use_nesterov=True),
        "Adagrad": lambda: train.AdagradOptimizer(rate),
        "Adadelta": lambda: train.AdadeltaOptimizer(rate),
        "RMSProp": lambda: train.RMSPropOptimizer(rate, momentum=0.5),
        "Adam": lambda: train.AdamOptimizer(rate),
    }[name]()


def run_steps(tf: Any, name: str) -> np.ndarray:
    rate = tf.placeholder(tf.float32, [])
    g = tf.placeholder(tf.float32, [3])
    p = tf.Variable(P0.astype(np.float32))
    step = tf.Variable(0, trainable=False)
    train = optimizer_of(tf, name, rate).minimize(tf.reduce_sum(p * g), global_step=step)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for grads in GRADS:
            sess.run(train, {g: grads, rate: 0.1})
        assert sess.run(step) == 4
        return sess.run(p)


OPTIMIZERS = ["GradientDescent", "Momentum", "Momentum nesterov", "Adagrad", "Adadelta", "RMSProp", "Adam"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_formulas_of_optimizers(name: str) -> None:
    np.testing.assert_allclose(run_steps(tf, name), steps_of(name), rtol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_like_tensorflows(name: str) -> None:
    real = pytest.importorskip("tensorflow", reason="TensorFlow is not installed").compat.v1
    with real.Graph().as_default():
        expected = run_steps(real, name)
    np.testing.assert_allclose(run_steps(tf, name), expected, rtol=1e-5)


# -- files -------------------------------------------------------------------------------------------------------------


def test_saver(tmp_path: pathlib.Path) -> None:
    w = tf.Variable([1.0, 2.0], name="layer/w")
    saver = tf.train.Saver(max_to_keep=2)
    sess = started()
    for step in range(4):
        sess.run(w.assign([step, step]))
        assert saver.save(sess, str(tmp_path / "model.ckpt"), global_step=step) == str(tmp_path / f"model.ckpt-{step}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", "model.ckpt-2.npz", "model.ckpt-3.npz"]
    latest = tf.train.latest_checkpoint(str(tmp_path))
    assert latest == str(tmp_path / "model.ckpt-3")
    with tf.Session() as other:
        saver.restore(other, str(tmp_path / "model.ckpt-2"))
        np.testing.assert_array_equal(other.run(w), [2.0, 2.0])
        with pytest.raises(ValueError, match="not a valid checkpoint"):
            saver.restore(other, str(tmp_path / "nothing"))
        with pytest.raises(tf.errors.NotFoundError, match="Key v not found"):
            tf.train.Saver({"v": w}).restore(other, latest)


def test_summaries(tmp_path: pathlib.Path) -> None:
    from compat_tests.test_events import read_fields, read_records

    x = tf.placeholder(tf.float32, [None], name="x")
    tf.summary.scalar("average", tf.reduce_mean(x))
    tf.summary.histogram("all", x)
    merged = tf.summary.merge_all()
    with tf.Session() as sess:
        writer = tf.summary.FileWriter(str(tmp_path), sess.graph)
        writer.add_summary(sess.run(merged, {x: [1.0, 3.0]}), 5)
        writer.close()
    (path,) = tmp_path.iterdir()
    _, graph, summary = (dict(read_fields(r)) for r in read_records(path))
    assert any(b"Placeholder" in node for field, node in read_fields(graph[4]) if field == 1)
    values = [dict(read_fields(v)) for _, v in read_fields(summary[5])]
    assert summary[2] == 5
    assert [v[1] for v in values] == [b"average", b"all"]
    assert values[0][2] == 2.0


def idx(array: np.ndarray) -> bytes:
    sides = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(bytes((0, 0, 8, array.ndim)) + sides + array.tobytes(), compresslevel=1)


def test_read_data_sets(tmp_path: pathlib.Path) -> None:
    from kjax.compat.tensorflow.examples.tutorials.mnist import input_data

    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(20) * 10
    for name in ("train", "t10k"):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx((np.arange(20) % 10).astype(np.uint8)))
    mnist = input_data.read_data_sets(str(tmp_path), one_hot=True, validation_size=5, seed=0)
    assert (mnist.train.num_examples, mnist.validation.num_examples, mnist.test.num_examples) == (15, 5, 20)
    np.testing.assert_allclose(mnist.test.images[:, 0], np.arange(20) * 10 / 255, rtol=1e-6)
    assert mnist.test.labels.shape == (20, 10)
    seen = [mnist.train.next_batch(6) for _ in range(5)]  # two epochs
    numbers = np.round(np.concatenate([x[:, 0] for x, _ in seen]) * 25.5).astype(int)
    assert sorted(numbers[:15]) == sorted(numbers[15:]) == list(range(5, 20))
    assert mnist.train.epochs_completed == 1
    np.testing.assert_array_equal(np.concatenate([y for _, y in seen]).argmax(1), numbers % 10)


def test_the_documents_program(tmp_path: pathlib.Path) -> None:
    """Unmodified, but for a number of steps that a test can wait for; on digits drawn by a program."""
    if not DOCUMENT.exists():
        pytest.skip("the documents are not beside the project (../shared/documents)")
    from kjax.datasets import drawn_digits

    folder = tmp_path / "data_MNIST"
    folder.mkdir()
    (x, y), (x_test, y_test) = drawn_digits.load_data()
    for name, images, labels in (("train", x, y), ("t10k", x_test, y_test)):
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(labels.astype(np.uint8)))
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.count("num_steps = 5000") == 1
    (tmp_path / "program.py").write_text(text.replace("num_steps = 5000", "num_steps = 20"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "kjax", "run", "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    accuracies = [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("Testing")]
    assert len(accuracies) == 20
    assert accuracies[-1] > accuracies[0]


def test_tensorflow_is_this_module_under_the_aliases() -> None:
    with compat.alias():
        tensorflow = importlib.import_module("tensorflow")
        v1 = importlib.import_module("tensorflow.compat.v1")
        assert tensorflow is v1 is tf


@pytest.mark.parametrize("steps", [41, 49, 1000])
def test_a_staircase_steps_down_where_it_should(steps: int) -> None:
    # step / steps may be rounded to less than 1 where a compiler multiplies by 1 / steps.
    step = tf.placeholder(tf.int64, [])
    rate = tf.train.exponential_decay(1.0, step, steps, 0.5, staircase=True)
    with tf.Session() as session:
        found = [session.run(rate, {step: n * steps + k}) for n in (1, 2, 3) for k in (-1, 0)]
    assert found == [1.0, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_a_mean_is_the_sum_divided_by_the_count() -> None:
    right = tf.placeholder(tf.float32, [None])
    mean = tf.reduce_mean(right)
    with tf.Session() as session:
        for count in (9296, 9300, 9556, 8730):
            fed = np.arange(10_000) < count
            assert session.run(mean, {right: fed}) == np.float32(count) / np.float32(10_000)
