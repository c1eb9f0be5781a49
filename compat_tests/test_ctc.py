"""CTC: the loss against every path counted out, and against optax; decoding against every labelling counted out."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import numpy as np
import optax
import pytest

from kjax import backend as K

STEPS, CLASSES = 4, 3
BLANK = CLASSES - 1


def probabilities(samples: int, steps: int = STEPS, classes: int = CLASSES) -> np.ndarray:
    x = np.exp(np.random.RandomState(1).normal(size=(samples, steps, classes)))
    return (x / x.sum(-1, keepdims=True)).astype("float32")


def read(path: tuple[int, ...]) -> tuple[int, ...]:
    """The labels of a path: repetitions merged, blanks dropped."""
    return tuple(label for label, _ in itertools.groupby(path) if label != BLANK)


def labellings(y_pred: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of all labels that can be read, summed over the paths."""
    p = y_pred.astype("float64") + 1e-7
    p /= p.sum(-1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(CLASSES), repeat=len(p)):
        labels = read(path)
        found[labels] = found.get(labels, 0.0) + math.prod(p[t, c] for t, c in enumerate(path))
    return found


def test_loss_is_the_sum_over_all_paths() -> None:
    rows = [((0, 1), 4), ((0, 0), 4), ((1,), 3), ((), 4), ((1, 0, 1), 3), ((0, 0, 0), 4)]
    y_pred = probabilities(len(rows))
    y_true = np.full((len(rows), 3), -1)
    for i, (labels, _) in enumerate(rows):
        y_true[i, : len(labels)] = labels
    lengths = np.array([[steps] for _, steps in rows])
    counts = np.array([[len(labels)] for labels, _ in rows])
    got = np.asarray(K.ctc_batch_cost(y_true, y_pred, lengths, counts))
    assert got.shape == (len(rows), 1)
    for i, (labels, steps) in enumerate(rows):
        expected = labellings(y_pred[i, :steps]).get(labels, 0.0)
        np.testing.assert_allclose(got[i, 0], -math.log(expected) if expected else np.inf, rtol=1e-5)


@pytest.mark.lenient
def test_loss_and_gradient_are_those_of_optax() -> None:
    steps, count, classes = 12, 5, 6
    y_pred = probabilities(3, steps, classes)
    y_true = np.random.RandomState(0).randint(0, classes - 1, (3, count))
    input_length, label_length = np.array([12, 9, 7]), np.array([5, 3, 0])
    cotangent = np.array([1.0, -2.0, 0.5], "float32")

    def ours(y_pred: Any) -> Any:
        return K.ctc_batch_cost(y_true, y_pred, input_length[:, None], label_length[:, None])[:, 0]

    def theirs(y_pred: Any) -> Any:
        late = (np.arange(steps) >= input_length[:, None]).astype("float32")
        behind = (np.arange(count) >= label_length[:, None]).astype("float32")
        logits = jax.numpy.log(y_pred + 1e-7)
        return optax.ctc_loss(logits, late, y_true, behind, blank_id=classes - 1)

    np.testing.assert_allclose(ours(y_pred), theirs(y_pred), rtol=1e-5)
    gradients = [np.asarray(jax.grad(lambda p, f=f: (f(p) * cotangent).sum())(y_pred)) for f in (ours, theirs)]
    assert np.isfinite(gradients[0]).all()
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-4)


def test_loss_of_symbolic_tensors() -> None:
    shapes = [(None, 2), (None, STEPS, CLASSES), (None, 1), (None, 1)]
    tensors = [K.placeholder(shape) for shape in shapes]
    loss = K.ctc_batch_cost(*tensors)
    assert K.int_shape(loss) == (None, 1)
    values = [np.array([[0, 1]]), probabilities(1), np.array([[4]]), np.array([[2]])]
    (got,) = K.function(tensors, [loss])(values)
    np.testing.assert_allclose(got, K.ctc_batch_cost(*values), rtol=1e-6)


def test_greedy_decoding() -> None:
    paths = np.array([[0, 0, 2, 0], [1, 2, 2, 1], [2, 2, 2, 2], [1, 0, 1, 1]])
    y_pred = np.full((4, STEPS, CLASSES), 0.1, "float32")
    np.put_along_axis(y_pred, paths[..., None], 0.8, -1)
    (labels,), scores = K.ctc_decode(y_pred, np.array([4, 4, 4, 2]))
    np.testing.assert_array_equal(labels, [[0, 0], [1, 1], [-1, -1], [1, 0]])
    np.testing.assert_allclose(scores, [[-4 * math.log(0.8)]] * 3 + [[-2 * math.log(0.8)]], rtol=1e-5)


def test_search_finds_the_most_probable_labels() -> None:
    y_pred = probabilities(4)
    lengths = np.array([4, 4, 3, 1])
    paths, scores = K.ctc_decode(y_pred, lengths, greedy=False, beam_width=50, top_paths=3, merge_repeated=False)
    for i, steps in enumerate(lengths):
        best = sorted(labellings(y_pred[i, :steps]).items(), key=lambda item: -item[1])[:3]
        for path, score, (labels, probability) in zip(paths, scores[i], best, strict=True):
            assert tuple(label for label in np.asarray(path)[i].tolist() if label >= 0) == labels
            np.testing.assert_allclose(score, math.log(probability), rtol=1e-4)
    # A narrow beam keeps the probable beginnings.
    (narrow,), _ = K.ctc_decode(y_pred, lengths, greedy=False, beam_width=8, merge_repeated=False)
    np.testing.assert_array_equal(narrow, np.asarray(paths[0])[:, : narrow.shape[1]])


def test_search_merges_repetitions_if_told() -> None:
    y_pred = np.full((1, 3, CLASSES), 0.01, "float32")
    y_pred[0, [0, 1, 2], [0, BLANK, 0]] = 0.98
    (whole,), _ = K.ctc_decode(y_pred, [3], greedy=False, beam_width=5, merge_repeated=False)
    (merged,), _ = K.ctc_decode(y_pred, [3], greedy=False, beam_width=5)
    assert whole.tolist() == [[0, 0]]
    assert merged.tolist() == [[0]]


def test_labels_as_a_sparse_tensor() -> None:
    labels, lengths = np.array([[3, 1, 4], [1, 5, 9]]), np.array([2, 3])
    sparse = K.ctc_label_dense_to_sparse(labels, lengths)
    assert K.is_sparse(sparse)
    assert sparse.indices.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]]
    assert sparse.values.tolist() == [3, 1, 1, 5, 9]
    dense = [[3, 1, 0], [1, 5, 9]]
    assert K.to_dense(sparse).tolist() == dense
    tensor = K.placeholder((2, 3), dtype="int32")
    symbolic = K.ctc_label_dense_to_sparse(tensor, lengths)
    assert K.is_sparse(symbolic)
    (got,) = K.function([tensor], [K.to_dense(symbolic)])([labels])
    assert got.tolist() == dense
