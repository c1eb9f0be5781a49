"""Files of Keras 1, of Theano and of cuDNN, put together here in their layouts, against formulas in float64."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.signal

import kjax
from compat_tests.recurrence import run
from kjax.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    CuDNNGRU,
    CuDNNLSTM,
    Dense,
    TimeDistributed,
)
from kjax.models import Sequential, load_model, model_from_json

R = np.random.RandomState(11)


def write_layers(group: Any, layers: Mapping[str, Sequence[np.ndarray]], **attributes: str) -> None:
    """The layout of all Kerases up to version 2; those of version 1 wrote no attributes but the layers' names."""
    group.attrs["layer_names"] = [name.encode() for name in layers]
    for name, arrays in layers.items():
        inner = group.create_group(name)
        inner.attrs["weight_names"] = [f"{name}_{i}".encode() for i in range(len(arrays))]
        for i, array in enumerate(arrays):
            inner.create_dataset(f"{name}_{i}", data=array)
    for key, text in attributes.items():
        group.attrs[key] = text.encode()


def random(*shape: int) -> np.ndarray:
    return R.normal(size=shape).astype("float32")


def correlated(x: np.ndarray, kernel: np.ndarray, turned: bool = False) -> np.ndarray:
    """'valid' correlation, or convolution, of samples with channels first with a kernel (filters, channels, ...)."""
    kernel = np.flip(kernel, tuple(range(2, kernel.ndim))) if turned else kernel
    return np.array(
        [
            [sum(scipy.signal.correlate(c, k, "valid") for c, k in zip(sample, one, strict=True)) for one in kernel]
            for sample in x.astype("float64")
        ]
    )


@pytest.mark.parametrize(("backend", "by_name"), [("tensorflow", False), ("theano", True)])
def test_convolutions_of_keras_1(backend: str, by_name: bool, tmp_path: pathlib.Path) -> None:
    x2, x3 = random(2, 3, 6, 5), random(2, 2, 4, 5, 3)
    planes, volumes, bias = random(4, 3, 3, 2), random(3, 2, 2, 3, 2), random(4)
    models = [
        Sequential([Conv2D(4, (3, 2), data_format="channels_first", input_shape=(3, 6, 5), name="planes")]),
        Sequential([Conv3D(3, (2, 3, 2), data_format="channels_first", input_shape=(2, 4, 5, 3), name="volumes")]),
        Sequential([Conv2D(4, (3, 2), input_shape=(6, 5, 3), name="planes")]),
    ]
    files = [{"planes": [planes, bias]}, {"volumes": [volumes, bias[:3]]}]
    files.append({"planes": [planes.transpose(2, 3, 1, 0), bias]})  # 'tf' dim_ordering: Keras 2's order of axes
    for i, (model, layers) in enumerate(zip(models, files, strict=True)):
        with h5py.File(tmp_path / f"{i}.h5", "w") as file:
            write_layers(file, layers, **({"backend": "theano"} if backend == "theano" else {}))
        model.load_weights(tmp_path / f"{i}.h5", by_name=by_name)
    turned = backend == "theano"
    wanted = correlated(x2, planes, turned) + bias[:, None, None]
    np.testing.assert_allclose(models[0].predict(x2), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(models[2].predict(np.moveaxis(x2, 1, 3)), np.moveaxis(wanted, 1, 3), 1e-4, 1e-5)
    wanted = correlated(x3, volumes, turned) + bias[:3, None, None, None]
    np.testing.assert_allclose(models[1].predict(x3), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("version", ["1.2", "1.0"])
def test_sequences_and_wrappers_of_keras_1(version: str, tmp_path: pathlib.Path) -> None:
    x, kernel, bias = random(2, 7, 3), random(4, 3, 3), random(4)  # (filters, channels, steps)
    stored = kernel[:, :, :, None] if version == "1.0" else kernel.transpose(2, 1, 0)[:, None]
    lstm = [random(*s) for _ in range(4) for s in ((4, 2), (2, 2), (2,))]
    back = [random(*s) for _ in range(4) for s in ((4, 2), (2, 2), (2,))]
    gru = [random(*s) for _ in range(3) for s in ((4, 3), (3, 3), (3,))]
    norm = [random(3), random(3), random(3), np.abs(random(3)) + 0.5]
    dense = [random(3, 2), random(2)]
    model = Sequential(
        [
            Conv1D(4, 3, input_shape=(7, 3), name="conv"),
            Bidirectional(LSTM(2, return_sequences=True), name="both"),
            GRU(3, return_sequences=True, name="gru"),
            BatchNormalization(name="norm"),
            TimeDistributed(Dense(2), name="each"),
        ]
    )
    with h5py.File(tmp_path / "w.h5", "w") as file:
        layers = {"conv": [stored, bias], "both": [*lstm, *back], "gru": gru, "norm": norm, "each": dense}
        write_layers(file, layers)
    model.load_weights(tmp_path / "w.h5")

    def joined(arrays: Sequence[np.ndarray], order: Sequence[int]) -> list[np.ndarray]:
        return [np.concatenate([arrays[3 * gate + part] for gate in order], -1) for part in range(3)]

    h = np.moveaxis(correlated(np.moveaxis(x, 1, 2), kernel), 1, 2) + bias
    zero = [np.zeros((2, 2))] * 2
    there = run("lstm", joined(lstm, (0, 2, 1, 3)), h, zero)[0]  # Keras 1 stored input, cell, forget, output
    back_again = run("lstm", joined(back, (0, 2, 1, 3)), h, zero, go_backwards=True)[0][:, ::-1]
    h = np.concatenate([there, back_again], -1)
    h = run("gru", joined(gru, (0, 1, 2)), h, [np.zeros((2, 3))])[0]
    h = (h - norm[2]) / np.sqrt(norm[3] + 1e-3) * norm[0] + norm[1]
    np.testing.assert_allclose(model.predict(x), h @ dense[0] + dense[1], rtol=1e-4, atol=1e-5)


def test_nested_models_and_transposed_kernels_of_keras_1(tmp_path: pathlib.Path) -> None:
    x, kernel, bias = random(1, 2, 3, 3), random(3, 2, 2, 2), random(3)  # (filters, channels, rows, columns)
    inner = Sequential(
        [
            Conv2DTranspose(3, (2, 2), data_format="channels_first", input_shape=(2, 3, 3), name="up"),
            Conv2D(1, (2, 2), data_format="channels_first", name="down"),
        ]
    )
    model = Sequential([inner])
    model.build((None, 2, 3, 3))
    down = [random(1, 3, 2, 2), random(1)]
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_layers(file, {"inner": [kernel, bias, *down]})
    model.load_weights(tmp_path / "w.h5")
    up = np.array(
        [
            sum(scipy.signal.convolve(x[0, c].astype("float64"), kernel[f, c]) for c in range(2)) + bias[f]
            for f in range(3)
        ]
    )
    wanted = correlated(up[None], down[0].astype("float64")) + down[1]
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", ["nested", "both directions", "by name"])
@pytest.mark.parametrize(("plain", "cudnn"), [("lstm", CuDNNLSTM), ("gru", CuDNNGRU)])
def test_between_cudnn_and_plain_layers(plain: str, cudnn: Any, way: str, tmp_path: pathlib.Path) -> None:
    def layer(fast: bool) -> Any:
        if fast:
            return cudnn(2, name="r")
        kind = LSTM if plain == "lstm" else GRU
        return kind(2, recurrent_activation="sigmoid", name="r", **({} if kind is LSTM else {"reset_after": True}))

    def model(fast: bool) -> Sequential:
        if way == "both directions":
            return Sequential([Bidirectional(layer(fast), input_shape=(5, 4), name="b")])
        made = Sequential([layer(fast)], name="inner")
        made.build((None, 5, 4))
        if way != "nested":
            return made
        outer = Sequential([made])
        outer.build((None, 5, 4))
        return outer

    first, x = model(False), random(3, 5, 4)
    first.set_weights([random(*w.shape) for w in first.get_weights()])
    second, third = model(True), model(False)
    first.save_weights(tmp_path / "plain.h5")
    second.load_weights(tmp_path / "plain.h5", by_name=way == "by name")
    np.testing.assert_allclose(second.predict(x), first.predict(x), rtol=1e-4, atol=1e-6)
    second.save_weights(tmp_path / "cudnn.h5")
    third.load_weights(tmp_path / "cudnn.h5", by_name=way == "by name")
    np.testing.assert_allclose(third.predict(x), first.predict(x), rtol=1e-4, atol=1e-6)


def test_the_formula_of_cudnn() -> None:
    """What a file of cuDNN's layer holds: kernels transposed gate by gate, two biases."""
    kernels, recurrent, biases = random(4, 4, 2), random(4, 2, 2), random(2, 8)
    layer = CuDNNLSTM(2)
    model = Sequential([layer])
    model.build((None, 5, 4))
    layer.set_weights(
        [
            np.hstack([k.T.reshape(4, 2) for k in kernels]),
            np.hstack([k.T for k in recurrent]),
            biases.ravel(),
        ]
    )
    x = random(3, 5, 4)
    plain = [np.hstack(list(kernels)), np.hstack(list(recurrent)), biases.sum(0)]
    wanted = run("lstm", plain, x, [np.zeros((3, 2))] * 2, gate=lambda v: 1 / (1 + np.exp(-v)))[0][:, -1]
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-4, atol=1e-6)


def test_a_gru_of_the_other_kind_is_refused(tmp_path: pathlib.Path) -> None:
    plain, fast = Sequential([GRU(2, input_shape=(5, 4))]), Sequential([CuDNNGRU(2, input_shape=(5, 4))])
    plain.save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match=r"GRU\(reset_after=False\) is not compatible with CuDNNGRU"):
        fast.load_weights(tmp_path / "w.h5")


def dense_of_keras_1(name: str, size: int, **more: Any) -> dict[str, Any]:
    config = {
        "name": name, "trainable": True, "output_dim": size, "init": "glorot_uniform", "activation": "relu",
        "W_regularizer": {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.25}, "b_regularizer": None,
        "activity_regularizer": None, "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "b_constraint": None,
        "bias": True, "input_dim": None, **more,
    }  # fmt: skip
    return {"class_name": "Dense", "config": config}


@pytest.mark.filterwarnings("ignore:Update your", "ignore:`Merge`")
def test_an_architecture_of_keras_1() -> None:
    image = {
        "name": "image", "trainable": True, "nb_filter": 2, "nb_row": 2, "nb_col": 3, "init": "he_normal",
        "activation": "linear", "border_mode": "same", "subsample": [1, 2], "dim_ordering": "th",
        "W_regularizer": None, "b_regularizer": None, "activity_regularizer": None, "W_constraint": None,
        "b_constraint": None, "bias": False,
    }  # fmt: skip
    inputs = {"batch_input_shape": [None, 1, 4, 6], "input_dtype": "float32", "sparse": False, "name": "x"}
    merge = {
        "name": "m", "mode": "concat", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1, "output_shape": None,
        "output_shape_type": "raw", "output_mask": None, "output_mask_type": "raw", "arguments": {},
    }  # fmt: skip

    def entry(kind: str, config: dict[str, Any], *before: str) -> dict[str, Any]:
        nodes = [[[name, 0, 0] for name in before]] if before else []
        return {"class_name": kind, "config": config, "name": config["name"], "inbound_nodes": nodes}

    layers = [
        entry("InputLayer", inputs),
        entry("Convolution2D", image, "x"),
        entry("Flatten", {"name": "f", "trainable": True}, "image"),
        entry("Dense", dense_of_keras_1("a", 3)["config"], "f"),
        entry("Dense", dense_of_keras_1("b", 2)["config"], "f"),
        entry("Merge", merge, "a", "b"),
    ]
    config = {"name": "net", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["m", 0, 0]]}
    model = model_from_json(json.dumps({"class_name": "Model", "config": config, "keras_version": "1.2.2"}))
    assert model.output_shape == (None, 5)
    assert [tuple(w.shape) for w in model.weights] == [(2, 3, 1, 2), (24, 3), (3,), (24, 2), (2,)]
    layers[-1]["config"] = {**merge, "mode": ["4wEA", None, None], "mode_type": "lambda"}
    with pytest.raises(ValueError, match="never runs"):
        model_from_json(json.dumps({"class_name": "Model", "config": config, "keras_version": "1.2.2"}))
    first = model.get_layer("image").get_config()
    assert (first["padding"], first["strides"], first["data_format"]) == ("same", (1, 2), "channels_first")
    a = model.get_layer("a")
    assert float(a.kernel_regularizer.l2) == 0.25
    assert a.kernel_constraint.max_value == 2


@pytest.mark.filterwarnings("ignore:Update your")
def test_a_whole_file_of_keras_1(tmp_path: pathlib.Path) -> None:
    first = dense_of_keras_1("a", 3, batch_input_shape=[None, 4], input_dtype="float32")
    second = dense_of_keras_1("b", 1)
    arrays = [random(4, 3), random(3), random(3, 1), random(1)]
    settings = {"lr": 0.5, "momentum": 0.5, "decay": 0.0, "nesterov": False}
    training = {
        "optimizer_config": {"class_name": "SGD", "config": settings},
        "loss": "mse", "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None,
    }  # fmt: skip
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": [first, second]}).encode()
        write_layers(file.create_group("model_weights"), {"a": arrays[:2], "b": arrays[2:]})
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("optimizer_weights")
        state = [np.float32(7), *map(np.zeros_like, arrays)]
        group.attrs["weight_names"] = [f"param_{i}".encode() for i in range(5)]
        for i, value in enumerate(state):
            group.create_dataset(f"param_{i}", data=value)
    model = load_model(tmp_path / "model.h5")
    x = random(5, 4)
    hidden = np.maximum(x.astype("float64") @ arrays[0] + arrays[1], 0)
    np.testing.assert_allclose(model.predict(x), np.maximum(hidden @ arrays[2] + arrays[3], 0), rtol=1e-4, atol=1e-5)
    assert float(model.optimizer.lr.numpy()) == 0.5
    assert int(model.optimizer.iterations.numpy()) == 7
    model.train_on_batch(x, np.ones((5, 1)))


# How Keras 2.3 names the slots of its optimizers, in its order; the number of steps stands before them.
SLOTS_OF_2_3 = {
    "SGD": {"moments": "moment"}, "RMSprop": {"accumulators": "accumulator"},
    "Adagrad": {"accumulators": "accumulator"},
    "Adadelta": {"accumulators": "accumulator", "delta_accumulators": "delta_accumulator"},
    "Adam": {"ms": "m", "vs": "v", "vhats": "vhat"}, "Adamax": {"ms": "m", "us": "u"}, "Nadam": {"ms": "m", "vs": "v"},
}  # fmt: skip


@pytest.mark.parametrize("name", SLOTS_OF_2_3)
def test_the_state_of_optimizers_of_keras_2_3(name: str, tmp_path: pathlib.Path) -> None:
    x = random(12, 4)
    settings = {"momentum": 0.9} if name == "SGD" else {"decay": 0.1} if name != "Nadam" else {}
    model = Sequential([Dense(3, activation="tanh", input_shape=(4,)), Dense(1)])
    model.compile(kjax.optimizers.get({"class_name": name, "config": settings}), "mse")
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    model.save(tmp_path / "m.h5")
    slots = model.optimizer.variables_by_slot()
    state = {f"{name}/iterations:0": np.int64(model.optimizer.iterations.numpy())}
    if name == "Nadam":
        state["Nadam/m_schedule:0"] = slots["m_schedule"][0].numpy()
    for slot, word in SLOTS_OF_2_3[name].items():
        state |= {f"training/{name}/{word}_{i}:0": v.numpy() for i, v in enumerate(slots[slot])}
    config = model.optimizer.get_config()
    config["learning_rate"] = config.pop("lr")
    training = {"optimizer_config": {"class_name": name, "config": config}, "loss": "mse", "metrics": None}
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["keras_version"] = b"2.3.1"
        file.attrs["training_config"] = json.dumps(training).encode()
        del file["optimizer_weights"]
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = [key.encode() for key in state]
        for key, value in state.items():
            group[key] = value
    loaded = load_model(tmp_path / "m.h5")
    histories = [m.fit(x, x[:, :1], epochs=2, shuffle=False, verbose=0).history for m in (model, loaded)]
    assert histories[0] == histories[1]
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))
