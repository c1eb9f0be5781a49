"""`.keras` archives and `.weights.h5` files, between kjax and today's Keras in both directions."""

from __future__ import annotations

import io
import json
import os
import pathlib
import zipfile
from typing import Any

import numpy as np
import pytest

from kjax import layers as ours
from kjax import models

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.lenient,
    # Of today's Keras: what it says of files in an older layout, and how numpy reads its variables.
    pytest.mark.filterwarnings("ignore::UserWarning:keras"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def convolutions(L: Any, sequential: Any, shape: Any) -> Any:
    model = sequential([
        shape((9, 9, 3)),
        L.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"), L.BatchNormalization(),
        L.LeakyReLU(), L.MaxPooling2D(2), L.SeparableConv2D(5, 2), L.DepthwiseConv2D(2),
        L.Conv2DTranspose(3, 2, strides=2), L.ZeroPadding2D(1), L.Cropping2D(1), L.UpSampling2D(2), L.PReLU(),
        L.SpatialDropout2D(0.1), L.GlobalAveragePooling2D(), L.Dropout(0.5, seed=3),
        L.Dense(3, kernel_initializer="he_normal"), L.Softmax(),
    ])  # fmt: skip
    return model, [np.random.RandomState(0).rand(3, 9, 9, 3).astype("float32")]


def sequences(L: Any, sequential: Any, shape: Any) -> Any:
    gates = {"recurrent_activation": "sigmoid"}
    model = sequential([
        shape((6,)),
        L.Embedding(20, 8),
        L.Bidirectional(L.GRU(4, return_sequences=True, reset_after=True, **gates), merge_mode="sum"),
        L.TimeDistributed(L.Dense(5, activation="tanh")), L.Conv1D(4, 2),
        L.RNN([L.LSTMCell(3, **gates), L.SimpleRNNCell(2)], return_sequences=True), L.LSTM(3, **gates),
        L.Reshape((3, 1)), L.Flatten(), L.RepeatVector(2), L.Permute((2, 1)), L.Activation("relu"),
    ])  # fmt: skip
    return model, [np.random.RandomState(0).randint(0, 20, (3, 6)).astype("float32")]


def branches(L: Any, sequential: Any, shape: Any) -> Any:
    module = keras if L is keras.layers else models
    a, b = (
        module.Input((4,)) if L is not keras.layers else keras.Input((4,)),
        (keras.Input((6, 4)) if L is keras.layers else module.Input((6, 4))),
    )
    inner = sequential([shape((4,)), L.Dense(4, activation="relu"), L.Dense(4)])
    shared = L.Dense(4)
    one, two = shared(inner(a)), shared(inner(shared(a)))
    state = L.Dense(3)(a)
    read = L.GRU(3, reset_after=True, recurrent_activation="sigmoid")(b, initial_state=[state])
    joined = L.Concatenate()([L.Add()([one, two]), L.Dot(axes=1)([one, two]), read, L.Multiply()([one, two])])
    model = module.Model([a, b], [L.Dense(2)(joined), one])
    random = np.random.RandomState(0)
    return model, [random.rand(3, 4).astype("float32"), random.rand(3, 6, 4).astype("float32")]


CASES = [convolutions, sequences, branches]


def mine(case: Any) -> Any:
    return case(ours, models.Sequential, lambda shape: ours.InputLayer(shape))


def theirs(case: Any) -> Any:
    return case(keras.layers, keras.Sequential, keras.Input)


def outputs(model: Any, x: list[np.ndarray]) -> list[np.ndarray]:
    given = x if len(x) > 1 else x[0]
    found = model.predict_on_batch(given)
    return [np.asarray(y) for y in (found if isinstance(found, (list, tuple)) else [found])]


def agree(got: Any, wanted: Any, x: list[np.ndarray]) -> None:
    for a, b in zip(outputs(got, x), outputs(wanted, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def same_weights(a: Any, b: Any) -> None:
    for got, wanted in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("case", CASES)
def test_read(case: Any, tmp_path: pathlib.Path) -> None:
    model, x = theirs(case)
    for variable in model.trainable_variables:  # biases that are not zeros
        variable.assign(np.asarray(variable) + 0.1 * np.random.RandomState(1).rand(*variable.shape))
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    loaded = models.load_model(tmp_path / "m.keras", compile=False)
    agree(loaded, model, x)
    for name in ("m.weights.h5", "m.keras"):
        built, _ = mine(case)
        built.load_weights(tmp_path / name)
        same_weights(built, loaded)


@pytest.mark.parametrize("case", CASES)
def test_written(case: Any, tmp_path: pathlib.Path) -> None:
    model, x = mine(case)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    loaded = keras.models.load_model(tmp_path / "m.keras", compile=False)
    agree(loaded, model, x)
    built, _ = theirs(case)
    built.load_weights(tmp_path / "m.weights.h5")
    same_weights(built, loaded)
    same_weights(models.load_model(tmp_path / "m.keras", compile=False), model)


TRAINED = ["SGD", "Adadelta", "Adam", "Nadam"]


@pytest.mark.parametrize("name", TRAINED)
def test_training_goes_on_from_an_archive(name: str, tmp_path: pathlib.Path) -> None:
    x = np.random.RandomState(0).rand(8, 4).astype("float32")
    kwargs: dict[str, Any] = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}}.get(name, {})
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    model.compile(getattr(keras.optimizers, name)(learning_rate=0.01, **kwargs), "mse", metrics=["mae"])
    model.train_on_batch(x, x[:, :1])
    model.save(tmp_path / "m.keras")
    loaded = models.load_model(tmp_path / "m.keras")
    loaded.save(tmp_path / "n.keras")
    back = keras.models.load_model(tmp_path / "n.keras")
    for m in (model, loaded, back):
        for _ in range(3):
            m.train_on_batch(x, x[:, :1])
    for a, b, c in zip(model.get_weights(), loaded.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_allclose(c, a, rtol=1e-6, atol=1e-6)
        # Both add epsilon at other places, where they differ at all.
        np.testing.assert_allclose(b, a, rtol=2e-4, atol=2e-4)


def test_hdf5_of_both(tmp_path: pathlib.Path) -> None:
    """Today's Keras reads and writes Keras 2's layout too."""
    entry = ours.Input((4,))
    model = models.Model(entry, ours.Dense(2)(ours.Dense(3, activation="tanh")(entry)))
    x = [np.random.RandomState(0).rand(3, 4).astype("float32")]
    model.save(tmp_path / "m.h5")
    other = keras.models.load_model(tmp_path / "m.h5", compile=False)
    agree(other, model, x)
    other.compile("adam", "mse", metrics=["mae"])
    other.train_on_batch(x[0], x[0][:, :2])
    other.save(tmp_path / "n.h5")
    back = models.load_model(tmp_path / "n.h5")
    for m in (back, other):
        m.train_on_batch(x[0], x[0][:, :2])
    agree(back, other, x)


def test_what_has_no_counterpart(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.keras"
    for layer in (ours.LSTM(2), ours.Activation("hard_sigmoid"), ours.CuDNNGRU(2), ours.Lambda(lambda v: v)):
        model = models.Sequential([ours.Dense(2, input_shape=(3, 2)), layer])
        with pytest.raises(ValueError, match=r"today's Keras.*\.h5"):
            model.save(path)
        assert not path.exists()
    x = keras.Input((2,))
    keras.Model(x, x + 1.0).save(path)
    with pytest.raises(ValueError, match=r"operation 'Add'.*load its weights"):
        models.load_model(path)


def test_a_broken_archive_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.keras"
    models.Sequential([ours.Dense(2, input_shape=(3,))]).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    for broken in ({}, [], {**config, "class_name": "run", "module": "subprocess"}, {**config, "config": 3}):
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as archive:
            archive.writestr("config.json", json.dumps(broken))
            archive.writestr("model.weights.h5", parts["model.weights.h5"])
        memory.seek(0)
        with pytest.raises(ValueError, match=r".{20}"):
            models.load_model(memory)
