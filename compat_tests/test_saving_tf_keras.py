"""HDF5 files between kjax and tf_keras, which goes on from tf.keras 2: architecture, weights, optimizer, both ways.

TensorFlow is no dependency of the tests. `KJAX_TF_PYTHON` names a Python that has tf_keras; without it the present
one is asked.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from kjax import layers as L
from kjax.models import Model, load_model

PYTHON = os.environ.get("KJAX_TF_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not PYTHON and importlib.util.find_spec("tf_keras") is None,
    reason="tf_keras is not installed, and KJAX_TF_PYTHON names no Python that has it",
)

# Reads a model, says what it predicts and holds, trains it for a step, and writes it.
THEIRS = """
import sys
import numpy as np
import tf_keras
folder = sys.argv[1]
data = np.load(folder + "/data.npz")
x, y = [data["pictures"], data["words"]], data["y"]
model = tf_keras.models.load_model(folder + "/ours.h5")
first = model.predict(x, verbose=0)
model.train_on_batch(x, y)
model.save(folder + "/theirs.h5")
arrays = {f"w{i}": w for i, w in enumerate(model.get_weights())}
iterations = np.array(model.optimizer.iterations.numpy())
np.savez(folder + "/said.npz", first=first, second=model.predict(x, verbose=0), iterations=iterations, **arrays)
"""


def network() -> Model:
    pictures, words = L.Input((6, 6, 2), name="pictures"), L.Input((5,), name="words")
    a = L.Conv2D(3, 3, padding="same", activation="relu")(pictures)
    a = L.BatchNormalization()(a)
    a = L.Flatten()(L.MaxPooling2D()(a))
    b = L.Embedding(7, 4, mask_zero=True)(words)
    b = L.Bidirectional(L.LSTM(3))(b)
    model = Model([pictures, words], L.Dense(2, activation="softmax")(L.concatenate([a, b])))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_files_of_both(tmp_path: pathlib.Path) -> None:
    random = np.random.RandomState(0)
    x = [random.rand(8, 6, 6, 2).astype("float32"), random.randint(0, 7, (8, 5))]
    x[1][:, 0] = 1
    y = np.eye(2, dtype="float32")[random.randint(0, 2, 8)]
    model = network()
    model.train_on_batch(x, y)
    np.savez(tmp_path / "data.npz", pictures=x[0], words=x[1], y=y)
    model.save(tmp_path / "ours.h5")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    command = [PYTHON or sys.executable, "-c", THEIRS, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert told.returncode == 0, told.stderr[-3000:]
    with np.load(tmp_path / "said.npz") as archive:
        said: dict[str, Any] = dict(archive)
    np.testing.assert_allclose(said["first"], model.predict(x), atol=1e-5)
    # Its optimizer went on where ours had been: the second step is the same.
    model.train_on_batch(x, y)
    assert int(said["iterations"]) == 2
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(said[f"w{i}"], weight, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(said["second"], model.predict(x), atol=1e-4)
    back = load_model(tmp_path / "theirs.h5")
    np.testing.assert_allclose(said["second"], back.predict(x), atol=1e-5)
    assert int(back.optimizer.iterations.numpy()) == 2
    for ours, theirs in zip(model.optimizer.get_weights(), back.optimizer.get_weights(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-5)
    assert back.get_layer("bidirectional_1").forward_layer.units == 3
