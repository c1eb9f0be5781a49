"""What tf.keras 2 added beside layers: focal losses, overlaps, waves of rates, windows of series, EfficientNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from kjax import applications, losses, metrics, regularizers, utils
from kjax.compat.tensorflow import image as tf_image
from kjax.layers import LSTM, Dense
from kjax.models import Sequential
from kjax.optimizers import schedules
from kjax.preprocessing.image import smart_resize

ROWS = np.random.RandomState(0)
TARGETS = ROWS.randint(0, 2, (6, 3)).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[ROWS.randint(0, 3, 6)]
SHARES = ROWS.rand(6, 3).astype("float32")
SCORES = ROWS.normal(size=(6, 3)).astype("float32")
CLASSES = ROWS.randint(0, 4, (2, 5, 4))


@pytest.mark.parametrize(
    ("name", "targets", "predictions", "options"),
    [
        ("BinaryFocalCrossentropy", TARGETS, SHARES, {}),
        (
            "BinaryFocalCrossentropy", TARGETS, SCORES,
            {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1},
        ),
        ("CategoricalFocalCrossentropy", ONE_HOT, SHARES, {}),
        ("CategoricalFocalCrossentropy", ONE_HOT, SCORES, {"alpha": 0.3, "gamma": 1.0, "from_logits": True}),
    ],
)  # fmt: skip
def test_focal_losses(name: str, targets: Any, predictions: Any, options: dict[str, Any]) -> None:
    found = getattr(losses, name)(**options)
    smooth, gamma = options.get("label_smoothing", 0.0), options.get("gamma", 2.0)
    alpha = options.get("alpha", 0.25)
    p = np.asarray(predictions, "float64")
    if name.startswith("Binary"):
        y = targets * (1 - smooth) + smooth / 2
        p = 1 / (1 + np.exp(-p)) if "from_logits" in options else p
        balance = y * alpha + (1 - y) * (1 - alpha) if "apply_class_balancing" in options else 1.0
        right = y * p + (1 - y) * (1 - p)
        expected = np.mean(-balance * (1 - right) ** gamma * (y * np.log(p) + (1 - y) * np.log(1 - p)))
    else:
        p = np.exp(p) if "from_logits" in options else p
        p = p / p.sum(1, keepdims=True)
        expected = np.mean(np.sum(-alpha * (1 - p) ** gamma * targets * np.log(p), 1))
    np.testing.assert_allclose(found(targets, predictions), expected, rtol=1e-5)
    assert losses.deserialize(losses.serialize(found)).get_config() == found.get_config()


def overlap(targets: Any, predictions: Any, chosen: Any, kept: Any = True) -> float:
    """Mean over the chosen classes of intersection by union."""
    pairs = [(kept & (targets == c), kept & (predictions == c)) for c in chosen]
    return float(np.mean([np.sum(a & b) / np.sum(a | b) for a, b in pairs]))


LABELS, NUMBERS = ONE_HOT.argmax(1), SHARES.argmax(1)


@pytest.mark.parametrize(
    ("found", "data", "expected"),
    [
        (metrics.IoU(4, [0, 2]), CLASSES, overlap(CLASSES[0], CLASSES[1], [0, 2])),
        (metrics.IoU(4, [1, 3], ignore_class=0), CLASSES, overlap(CLASSES[0], CLASSES[1], [1, 3], CLASSES[0] != 0)),
        (metrics.BinaryIoU(), (TARGETS, SHARES), overlap(TARGETS, SHARES > 0.5, [0, 1])),
        (metrics.BinaryIoU([1], 0.3), (TARGETS, SHARES), overlap(TARGETS, SHARES > 0.3, [1])),
        (metrics.OneHotIoU(3, [0, 1]), (ONE_HOT, SHARES), overlap(LABELS, NUMBERS, [0, 1])),
        (metrics.OneHotMeanIoU(3), (ONE_HOT, SHARES), overlap(LABELS, NUMBERS, [0, 1, 2])),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_overlaps(found: Any, data: Any, expected: float) -> None:
    for metric in (found, type(found).from_config(found.get_config())):
        metric.update_state(*data)
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)


@pytest.mark.parametrize(("longer", "lower", "alpha"), [(2.0, 1.0, 0.0), (1.0, 0.5, 0.1), (1.5, 0.8, 0.0)])
def test_cosine_decay_with_restarts(longer: float, lower: float, alpha: float) -> None:
    def rate(step: float) -> float:
        top, length = 0.1, 10.0
        while step >= length:
            step, length, top = step - length, length * longer, top * lower
        # alpha is a share of the very first rate, also where later periods begin lower, as in tf.keras.
        return (1 - alpha) * top * (1 + np.cos(np.pi * step / length)) / 2 + 0.1 * alpha

    found = schedules.CosineDecayRestarts(0.1, 10, longer, lower, alpha)
    steps = np.arange(60) + 0.5
    np.testing.assert_allclose(found(steps), [rate(step) for step in steps], atol=1e-6)
    assert schedules.deserialize(schedules.serialize(found)).get_config() == found.get_config()


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer(mode: str) -> None:
    rows = SCORES if mode == "rows" else SCORES.T
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [abs(rows[i] @ rows[j]) for i in range(len(rows)) for j in range(i)]
    found = regularizers.get({"class_name": "OrthogonalRegularizer", "config": {"factor": 0.1, "mode": mode}})
    np.testing.assert_allclose(found(SCORES), 0.1 * np.mean(pairs), rtol=1e-5)


def test_windows_of_a_series() -> None:
    data, targets = np.arange(40).reshape(20, 2), np.arange(20)
    batches = utils.timeseries_dataset_from_array(
        data, targets, 3, sequence_stride=2, sampling_rate=2, batch_size=3, start_index=1, end_index=16
    )
    # Windows begin at every second step from 1 on and end before 16, and take every second step.
    begins = np.arange(1, 12, 2)
    assert len(batches) == 2
    for batch, own in zip(batches, (begins[:3], begins[3:]), strict=True):
        np.testing.assert_array_equal(batch[0], data[own[:, None] + [0, 2, 4]])
        np.testing.assert_array_equal(batch[1], targets[own])
    rest = batches.skip(1)
    assert (int(rest.cardinality()), len(batches.take(1)), len(rest.take(5))) == (1, 1, 1)
    np.testing.assert_array_equal(next(iter(rest))[1], targets[begins[3:]])
    shuffled = utils.timeseries_dataset_from_array(data, targets, 4, shuffle=True, seed=3, batch_size=17)
    for windows, labels in shuffled:
        assert sorted(labels) == list(range(17))
        np.testing.assert_array_equal(windows[:, 0, 0], 2 * labels)
    model = Sequential([LSTM(2, input_shape=(4, 2)), Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(shuffled, epochs=2, verbose=0).history["loss"]) == 2
    with pytest.raises(ValueError, match="must fit into 20"):
        utils.timeseries_dataset_from_array(data, None, 21)


def test_an_image_cut_to_a_proportion() -> None:
    x = ROWS.rand(10, 7, 3).astype("float32")
    np.testing.assert_array_equal(smart_resize(x, (10, 4)), x[:, 1:5])
    np.testing.assert_array_equal(smart_resize(x[None], (4, 7))[0], x[3:7])
    half = smart_resize(x[:4, :4], (2, 2))
    np.testing.assert_allclose(half, x[:4, :4].reshape(2, 2, 2, 2, 3).mean((1, 3)), rtol=1e-6)


@pytest.mark.lenient
@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic", "lanczos3"])
def test_images_in_another_size(method: str) -> None:
    x = ROWS.rand(2, 11, 7, 3).astype("float32")
    rows = np.asarray(tf_image.resize(x, (11, 7), method))
    np.testing.assert_allclose(rows, x, atol=1e-6)
    if method == "bilinear":
        double = np.asarray(tf_image.resize(x, (22, 14)))
        between = [0.75 * x[:, i, 0] + 0.25 * x[:, 1 - i, 0] for i in (0, 1)]
        np.testing.assert_allclose(double[:, 1:3, 0], np.stack(between, 1), rtol=1e-5)
    assert tf_image.resize(x, [20, 20], preserve_aspect_ratio=True).shape == (2, 20, 13, 3)
    padded = np.asarray(tf_image.resize_with_pad(x, 22, 22))
    np.testing.assert_array_equal(padded[:, :, :4], 0)
    np.testing.assert_array_equal(padded[:, :, 18:], 0)
    np.testing.assert_allclose(padded[:, :, 4:18], tf_image.resize(x, (22, 14)), rtol=1e-6)


def test_efficientnet() -> None:
    model = applications.EfficientNetB0(weights=None)
    assert model.count_params() == 5_330_571  # as published
    names = [layer.name for layer in model.layers]
    assert names[-3:] == ["avg_pool", "top_dropout", "predictions"]
    assert {"block1a_dwconv", "block2b_add", "block7a_se_excite", "top_activation"} <= set(names)
    assert model.get_layer("block7a_project_bn").output_shape == (None, 7, 7, 320)


def test_class_numbers_and_series_without_a_last_axis() -> None:
    model = Sequential([LSTM(3, return_sequences=True, input_shape=(4, 1)), Dense(5, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = ROWS.rand(6, 4), ROWS.randint(0, 5, (6, 4))
    expected = model.evaluate(x[..., None], y[..., None], verbose=0)
    assert model.evaluate(x, y, verbose=0) == expected
    assert model.test_on_batch(x, y) == pytest.approx(expected, rel=1e-6)
    model.fit(x, y, verbose=0)
    assert kjax.backend.int_shape(model.output) == (None, 4, 5)
