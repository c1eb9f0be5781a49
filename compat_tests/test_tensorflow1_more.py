"""More of TensorFlow 1: iterators of data sets, streaming metrics, images, losses over samples, layers as objects."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kjax.compat import tensorflow as tf

RNG = np.random.RandomState(0)
ROWS = np.arange(20, dtype=np.float32).reshape(10, 2)


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default() as graph:
        graph.seed = 3
        yield


def run(fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return sess.run(fetches, feed)


# -- tf.data -----------------------------------------------------------------------------------------------------------


def rest(sess: Any, fetches: Any) -> list[Any]:
    found = []
    while True:
        try:
            found.append(sess.run(fetches))
        except tf.errors.OutOfRangeError:
            return found


def test_an_iterator_gives_the_next_element_in_each_run() -> None:
    x, y = tf.data.Dataset.from_tensor_slices((ROWS, np.arange(10))).batch(4).make_one_shot_iterator().get_next()
    assert (tuple(x.shape), tuple(y.shape)) == ((None, 2), (None,))
    total = tf.reduce_sum(x)
    for _ in range(2):  # each session begins anew
        with tf.Session() as sess:
            assert sess.run([total, total * 2.0]) == [28.0, 56.0]
            np.testing.assert_array_equal(sess.run(y), [4, 5, 6, 7])
            assert sess.run(total, {x: [[1.0, 1.0]]}) == 2.0  # what is fed is not taken
            assert [len(found) for found in rest(sess, y)] == [2]


def test_an_iterator_is_initialized_with_what_is_fed() -> None:
    x, size = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.int64, [])
    data = tf.data.Dataset.from_tensor_slices(x).map(lambda row: row * 2.0).batch(size)
    iterator = tf.data.make_initializable_iterator(data)
    row = iterator.get_next()
    with pytest.raises(ValueError, match="Use `make_initializable_iterator`"):
        data.make_one_shot_iterator()
    with tf.Session() as sess:
        with pytest.raises(tf.errors.FailedPreconditionError, match="has not been initialized"):
            sess.run(row)
        for count, batch in ((10, 5), (3, 2)):
            sess.run(iterator.initializer, {x: ROWS[:count], size: batch})
            np.testing.assert_array_equal(np.concatenate(rest(sess, row)), ROWS[:count] * 2)


def test_one_iterator_for_two_data_sets() -> None:
    first, second = tf.data.Dataset.range(3), tf.data.Dataset.range(10, 12)
    iterator = tf.data.Iterator.from_structure(first.output_types, first.output_shapes)
    number = iterator.get_next()
    starts = [iterator.make_initializer(first), iterator.make_initializer(second)]
    with pytest.raises(TypeError, match="types"):
        iterator.make_initializer(tf.data.Dataset.from_tensor_slices(ROWS))
    with tf.Session() as sess:
        found = []
        for start in (*starts, starts[0]):
            sess.run(start)
            found.append([int(n) for n in rest(sess, number)])
    assert found == [[0, 1, 2], [10, 11], [0, 1, 2]]


def test_padded_batches() -> None:
    data = tf.data.Dataset.from_generator(lambda: ([1] * k for k in range(1, 5)), tf.int32, [None])
    found = list(data.padded_batch(2, [None], padding_values=7).as_numpy_iterator())
    np.testing.assert_array_equal(found[0], [[1, 7], [1, 1]])
    np.testing.assert_array_equal(found[1], [[1, 1, 1, 7], [1, 1, 1, 1]])
    assert tuple(data.padded_batch(2, [None]).make_one_shot_iterator().get_next().shape) == (None, None)
    with pytest.raises(ValueError, match="cannot shorten"):
        list(data.padded_batch(4, [2]))


# -- tf.metrics --------------------------------------------------------------------------------------------------------

LABELS, SCORES, WEIGHTS = RNG.randint(0, 2, (3, 20)), RNG.rand(3, 20), RNG.rand(3, 20)


def area(y: Any, p: Any, w: Any) -> float:
    """The area under the curve of 200 thresholds, by trapezoids."""
    limits = np.concatenate([[-1e-7], np.arange(1, 199) / 199, [1 + 1e-7]])
    over = p[None] > limits[:, None]
    true = (over & (y == 1)) @ w / (w @ (y == 1))
    false = (over & (y == 0)) @ w / (w @ (y == 0))
    return float(np.sum((false[:-1] - false[1:]) * (true[:-1] + true[1:]) / 2))


def test_metrics_of_many_batches() -> None:
    y, p, w = tf.placeholder(tf.int64, [None]), tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    guess, m = tf.cast(p > 0.5, tf.int64), tf.metrics
    made = {
        "accuracy": m.accuracy(y, guess, weights=w), "precision": m.precision(y, guess, weights=w),
        "recall": m.recall(y, guess), "mean": m.mean(p, weights=w), "auc": m.auc(y, p, weights=w),
        "mse": m.mean_squared_error(tf.cast(y, tf.float32), p),
    }  # fmt: skip
    names = [v.name for v in tf.local_variables()]
    assert names[:4] == ["accuracy/total:0", "accuracy/count:0", "precision/true_positives/count:0", names[3]]
    assert tf.global_variables() == []
    with tf.Session() as sess:
        sess.run(tf.local_variables_initializer())
        assert sess.run(made["accuracy"][0]) == 0
        for batch in range(3):
            feed = {y: LABELS[batch], p: SCORES[batch], w: WEIGHTS[batch]}
            last = sess.run({k: update for k, (_, update) in made.items()}, feed)
        values = sess.run({k: value for k, (value, _) in made.items()})
    truth, scores, weights = LABELS.ravel(), SCORES.ravel(), WEIGHTS.ravel()
    found = scores > 0.5
    expected = {
        "accuracy": np.average(found == truth, weights=weights), "mean": np.average(scores, weights=weights),
        "precision": np.average(truth[found], weights=weights[found]), "recall": found[truth == 1].mean(),
        "auc": area(truth, scores, weights), "mse": np.mean((truth - scores) ** 2),
    }  # fmt: skip
    for name, value in expected.items():
        assert values[name] == last[name] == pytest.approx(value, rel=1e-5), name


# -- numbers -----------------------------------------------------------------------------------------------------------

X = RNG.rand(2, 5, 4, 3)
IMAGE = X.astype(np.float32)
TABLE, BIAS, INPUTS = RNG.randn(9, 3), RNG.randn(9), RNG.randn(4, 3)
TRUE, DRAWN = np.array([[1], [8], [0], [3]]), np.array([3, 2, 5])
EXPECTED_TRUE, EXPECTED_DRAWN = RNG.rand(4, 1), RNG.rand(3)


def sampled() -> tuple[Any, Any]:
    """Scores of the true and of the drawn classes."""
    true = (INPUTS * TABLE[TRUE[:, 0]]).sum(1) + BIAS[TRUE[:, 0]] - np.log(EXPECTED_TRUE[:, 0])
    return true, INPUTS @ TABLE[DRAWN].T + BIAS[DRAWN] - np.log(EXPECTED_DRAWN)


def by_nce() -> Any:
    true, drawn = sampled()
    return np.log1p(np.exp(-true)) + np.log1p(np.exp(drawn)).sum(1)


def by_softmax() -> Any:
    true, drawn = sampled()
    drawn = np.where(TRUE == DRAWN, -np.inf, drawn)  # a drawn class that is the true one does not count
    return np.log(np.exp(true) + np.exp(drawn).sum(1)) - true


def neighbours() -> Any:
    sums = np.stack([(X[..., max(0, c - 1) : c + 2] ** 2).sum(-1) for c in range(3)], -1)
    return X / (2 + 0.5 * sums) ** 0.75


def resized() -> Any:
    rows, columns = np.arange(7) * 5 / 7, np.arange(3) * 4 / 3
    down = X[:, np.floor(rows).astype(int)] * (1 - rows % 1)[:, None, None]
    down += X[:, np.minimum(np.floor(rows).astype(int) + 1, 4)] * (rows % 1)[:, None, None]
    across = down[:, :, np.floor(columns).astype(int)] * (1 - columns % 1)[:, None]
    return across + down[:, :, np.minimum(np.floor(columns).astype(int) + 1, 3)] * (columns % 1)[:, None]


def draws() -> Any:
    return tuple(tf.constant(x.astype(np.float32)) for x in (EXPECTED_TRUE, EXPECTED_DRAWN))


def over_samples(loss: Any) -> Any:
    floats = [tf.constant(x.astype(np.float32)) for x in (TABLE, BIAS)]
    chosen = (tf.constant(DRAWN), *draws())
    return loss(*floats, TRUE, tf.constant(INPUTS.astype(np.float32)), 3, 9, sampled_values=chosen)


CASES: dict[str, tuple[Any, Any]] = {
    "nce": (lambda: over_samples(tf.nn.nce_loss), by_nce),
    "sampled softmax": (lambda: over_samples(tf.nn.sampled_softmax_loss), by_softmax),
    "lrn": (lambda: tf.nn.lrn(IMAGE, 1, bias=2.0, alpha=0.5, beta=0.75), neighbours),
    "resize": (lambda: tf.image.resize_images(IMAGE, [7, 3]), resized),
    "standardization": (
        lambda: tf.image.per_image_standardization(IMAGE),
        lambda: (X - X.mean((1, 2, 3), keepdims=True)) / X.std((1, 2, 3), keepdims=True),
    ),
    "grayscale": (lambda: tf.image.rgb_to_grayscale(IMAGE), lambda: X @ np.array([[0.2989], [0.587], [0.114]])),
    "crop or pad": (
        lambda: tf.image.resize_image_with_crop_or_pad(IMAGE, 3, 6),
        lambda: np.pad(X[:, 1:4], ((0, 0), (0, 0), (1, 1), (0, 0))),
    ),
    "scatter_nd": (lambda: tf.scatter_nd([[0], [2], [0]], [1.0, 2.0, 3.0], [3]), lambda: [4.0, 0.0, 2.0]),
    "band": (lambda: tf.matrix_band_part(INPUTS[:3], 0, -1), lambda: np.triu(INPUTS[:3])),
    "foldl": (lambda: tf.foldl(lambda a, row: a * 0.5 + row, INPUTS), lambda: INPUTS.T @ 0.5 ** np.array([3, 2, 1, 0])),
    "hinge": (lambda: tf.losses.hinge_loss([0.0, 1.0], tf.constant([0.5, 0.2])), lambda: 1.15),
    "case": (lambda: tf.case([(tf.constant(False), lambda: 1.0)], default=lambda: 2.0), lambda: 2.0),
    "reverse_sequence": (
        lambda: tf.reverse_sequence(INPUTS[None], [3], seq_axis=1, batch_axis=0),
        lambda: INPUTS[None, [2, 1, 0, 3]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_numbers(name: str) -> None:
    build, expected = CASES[name]
    np.testing.assert_allclose(run(build()), expected(), rtol=2e-5, atol=1e-5)


def test_ctc_loss_by_listing_all_paths() -> None:
    import itertools

    scores = RNG.randn(4, 2, 3)
    labels = tf.sparse_placeholder(tf.int32)
    loss = tf.nn.ctc_loss(labels, tf.constant(scores.astype(np.float32)), np.array([4, 3]))
    wanted = [[0, 1], [1]]
    value = (np.array([[0, 0], [0, 1], [1, 0]]), np.array([0, 1, 1]), np.array([2, 2]))
    chances = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    expected = np.zeros(2)
    for sample, steps in enumerate((4, 3)):
        for path in itertools.product(range(3), repeat=steps):
            read = [k for k, _ in itertools.groupby(path) if k != 2]
            if read == wanted[sample]:
                expected[sample] += np.prod([chances[t, sample, k] for t, k in enumerate(path)])
    np.testing.assert_allclose(run(loss, {labels: value}), -np.log(expected), rtol=1e-5)


def test_rows_of_a_variable_are_changed() -> None:
    v = tf.Variable(tf.zeros([3, 2]))
    with tf.control_dependencies([tf.scatter_update(v, [0, 2], [[1.0, 2.0], [3.0, 4.0]])]):
        added = tf.scatter_add(v, [2], [[1.0, 1.0]])
    np.testing.assert_array_equal(run(added), [[1, 2], [0, 0], [4, 5]])


def test_random_images_differ_from_run_to_run() -> None:
    flipped = tf.image.random_flip_left_right(np.repeat(IMAGE, 16, 0))
    cropped = tf.random_crop(np.arange(100.0), [10])
    with tf.Session() as sess:
        first, second = sess.run([flipped, cropped]), sess.run([flipped, cropped])
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    backwards = np.repeat(IMAGE, 16, 0)[:, :, ::-1]
    turned = [np.array_equal(one, other) for one, other in zip(first[0], backwards, strict=True)]
    assert 0 < sum(turned) < 32
    np.testing.assert_array_equal(np.diff(first[1]), 1)


def test_assertions_raise_when_they_run() -> None:
    x = tf.placeholder(tf.float32, [None])
    with tf.control_dependencies([tf.assert_positive(x, message="of x")]):
        y = x * 2.0
    finite = tf.verify_tensor_all_finite(x, "x is bad")
    np.testing.assert_array_equal(run([y, finite], {x: [1.0]}), [[2.0], [1.0]])
    for fetch, value, text in ((y, -1.0, "of x Condition"), (finite, np.nan, "x is bad")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            run(fetch, {x: [value]})


def test_layers_as_objects_and_names_of_contrib() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    layer = tf.layers.Dense(4, activation=tf.nn.relu, name="shared")
    first, second = layer(x), layer(x * 2.0)
    assert [v.name for v in tf.global_variables()] == ["shared/kernel:0", "shared/bias:0"]
    assert layer.kernel is tf.global_variables()[0]
    one, two = run([first, second], {x: INPUTS})
    np.testing.assert_allclose(two, one * 2, rtol=1e-5)
    slim = tf.contrib.slim
    with slim.arg_scope([slim.conv2d], activation_fn=None, normalizer_fn=slim.batch_norm):
        slim.conv2d(tf.placeholder(tf.float32, [None, 6, 6, 2]), 4, [3, 3], scope="conv")
    names = [v.name for v in tf.global_variables("conv")]
    assert names == [
        f"conv/{n}:0" for n in ("weights", *(f"BatchNorm/{k}" for k in ("beta", "moving_mean", "moving_variance")))
    ]
    with pytest.raises(AttributeError, match="has no estimators"):
        _ = tf.estimator.Estimator


def test_a_branch_is_what_it_makes_itself() -> None:
    training = tf.placeholder(tf.bool, [])
    x = out = tf.placeholder(tf.float32, [None, 2])
    for _ in range(12):  # each evaluating all before it in both branches would take 2 ** 24 evaluations
        out = tf.layers.batch_normalization(out, training=training)
    assert run(out, {x: ROWS, training: False}).shape == (10, 2)


def test_dropout_in_branches_and_a_shape_that_tells_the_number_of_samples() -> None:
    x, training = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.bool)
    out = tf.reshape(x, [10, 2]) * 1.0
    assert tuple(tf.layers.dense(x, 4).shape) == (None, 4)
    for _ in range(2):
        out = tf.layers.dropout(out, 0.5, training=training)
    loss = tf.reduce_sum(out)
    (gradient,) = tf.gradients(loss, x)
    dropped, slope = run([out, gradient], {x: ROWS + 1, training: True})
    np.testing.assert_array_equal(dropped, slope * (ROWS + 1))
    assert 0 < (dropped == 0).sum() < 20
    np.testing.assert_array_equal(run(out, {x: ROWS, training: False}), ROWS)


def test_files(tmp_path: pathlib.Path) -> None:
    folder = str(tmp_path / "a" / "b")
    assert not tf.gfile.Exists(folder)
    tf.gfile.MakeDirs(folder)
    with tf.gfile.GFile(f"{folder}/text", "w") as file:
        file.write("two\nlines")
    assert tf.gfile.ListDirectory(folder) == ["text"]
    with tf.gfile.Open(f"{folder}/text") as file:
        assert [line.strip() for line in file] == ["two", "lines"]
    tf.gfile.DeleteRecursively(str(tmp_path / "a"))
    with pytest.raises(tf.errors.NotFoundError):
        tf.gfile.Remove(f"{folder}/text")


# -- beside models of Keras --------------------------------------------------------------------------------------------


def test_measures_as_metrics_of_a_keras_model() -> None:
    """The snippet that wrapped `tf.metrics` for Keras 2: what is counted goes on over batches, epochs and tests."""
    import kjax
    from kjax import backend as K
    from kjax.layers import Dense
    from kjax.models import Sequential

    def share(y_true: Any, y_pred: Any) -> Any:
        value, update_op = tf.metrics.precision(y_true, y_pred)
        K.get_session().run(tf.local_variables_initializer())
        with tf.control_dependencies([update_op]):
            return tf.identity(value)

    def area(y_true: Any, y_pred: Any) -> Any:
        return tf.metrics.auc(y_true, y_pred, curve="PR", summation_method="careful_interpolation")[1]

    x, y = np.ones((6, 1), "float32"), np.array([1, 0, 1, 1, 0, 0], "float32")
    models = []
    for _ in range(2):
        model = Sequential([Dense(1, input_dim=1, activation="sigmoid", trainable=False)])
        model.set_weights([[[9.0]], [0.0]])
        model.compile("sgd", "mse", metrics=[share, area])
        models.append(model)
    logs = models[0].fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history
    first, second = [1 / 2, 3 / 4, 3 / 6], [4 / 8, 6 / 10, 6 / 12]
    np.testing.assert_allclose(logs["share"], [np.mean(first), np.mean(second)], rtol=1e-5)
    np.testing.assert_allclose(models[0].test_on_batch(x[:2], y[:2])[1], 7 / 14, rtol=1e-5)
    found = models[1].test_on_batch(x, y)  # another model counts for itself
    np.testing.assert_allclose(found[1], 0.5, rtol=1e-5)
    exact = kjax.metrics.AUC(curve="PR")
    exact.update_state(y, models[1].predict(x)[:, 0])
    np.testing.assert_allclose(found[2], float(exact.result()), rtol=1e-4)


def test_summaries_made_by_hand(tmp_path: pathlib.Path) -> None:
    from compat_tests.test_events import read_fields, read_records
    from kjax import callbacks

    summary = tf.Summary(value=[tf.Summary.Value(tag="reward", simple_value=2.5)])
    added = summary.value.add()
    added.tag, added.simple_value = "loss", 0.5
    told = tf.HistogramProto(min=1, max=2, num=3, sum=4, sum_squares=6, bucket_limit=[1, 2], bucket=[1, 2])
    summary.value.add(tag="all", histo=told)
    again = tf.Summary()
    again.ParseFromString(summary.SerializeToString())
    writer = callbacks.TensorBoard(str(tmp_path))
    events = writer.writer = tf.summary.FileWriter(str(tmp_path))  # as subclasses do
    events.add_summary(again, np.int64(7))
    writer._write_logs({"reward": 1.0}, 8)
    events.close()
    (path,) = tmp_path.iterdir()
    _, first, second = (dict(read_fields(r)) for r in read_records(path))
    values = [dict(read_fields(v)) for _, v in read_fields(first[5])]
    assert first[2] == 7
    assert second[2] == 8
    assert [(v[1], v.get(2)) for v in values] == [(b"reward", 2.5), (b"loss", 0.5), (b"all", None)]
    histogram = dict(read_fields(values[2][5]))
    assert [histogram[i] for i in range(1, 6)] == [1, 2, 3, 4, 6]
    assert np.frombuffer(histogram[6]).tolist() == [1, 2]
    assert np.frombuffer(histogram[7]).tolist() == [1, 2]
    with tf.summary.FileWriter(str(tmp_path)) as other, pytest.raises(TypeError, match="Summary"):
        other.add_summary(3)


def test_a_moving_average_from_inside_of_tensorflow() -> None:
    import importlib

    from kjax import compat

    with compat.alias():
        inner = importlib.import_module("tensorflow.python.training.moving_averages")
    variable = tf.Variable(1.0)
    assert run(inner.assign_moving_average(variable, 3.0, 0.5)) == 2.0
    assert inner.ExponentialMovingAverage is tf.train.ExponentialMovingAverage
