"""Small honest files from which damaged ones are made."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from typing import Any

import numpy as np


def npz() -> list[bytes]:
    found = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, a=np.arange(12.0).reshape(3, 4), b=np.array([1, 2], "u1"), c=np.array("text"))
        found.append(buffer.getvalue())
    buffer = io.BytesIO()
    np.savez(buffer, x=np.array([[1, 2], [3]], object), y=np.array([0, 1]))
    return [*found, buffer.getvalue()]


def npy() -> list[bytes]:
    found = []
    for array in (np.arange(12.0, dtype="f4").reshape(3, 4), np.zeros((2, 0), ">i8"), np.array([True])):
        buffer = io.BytesIO()
        np.save(buffer, array)
        found.append(buffer.getvalue())
    return found


def zips() -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("config.json", json.dumps(CONFIGS[0]))
            archive.writestr("folder/", b"")
            archive.writestr("folder/weights", bytes(range(64)) * 3)
        found.append(buffer.getvalue())
    return found


def tars() -> list[bytes]:
    found = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            for name, data in (("a/b.txt", b"hello"), ("x" * 60 + "/" + "y" * 60, b"1" * 700), ("ä", b"")):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            folder = tarfile.TarInfo("folder")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        found.append(buffer.getvalue().rstrip(b"\0") + bytes(1024))
    return [*found, gzip.compress(found[0], mtime=0)]


def pickles() -> list[bytes]:
    lists = np.empty(2, object)
    lists[:] = [[1, 2, 300], [4]]
    batch = {b"data": np.zeros((2, 4), np.uint8), b"labels": [1, 2]}
    return [pickle.dumps(value, protocol) for value in (lists, batch) for protocol in (0, 2, 3, 4)]


def hdf5() -> list[bytes]:
    import h5py

    found = []
    for libver in ("earliest", "latest"):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=libver) as file:
            file.attrs["layer_names"] = [b"dense", b"out"]
            file.attrs["model_config"] = json.dumps(CONFIGS[0])
            group = file.create_group("dense/dense")
            group["kernel:0"] = np.arange(6.0, dtype="f4").reshape(2, 3)
            group.create_dataset("bias:0", data=np.zeros(30), compression="gzip", shuffle=True, chunks=(7,))
            file.create_group("out").attrs["weight_names"] = ["ä", "b"]
            file["out/lzf"] = h5py.SoftLink("/dense")
            file["out/one"] = np.float32(1)
            file["out/flags"] = np.array([True, False])
        found.append(buffer.getvalue())
    return found


def _layer(class_name: str, /, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


CONFIGS: list[dict[str, Any]] = [
    _layer(
        "Sequential",
        name="s",
        layers=[
            _layer("Dense", name="d", units=3, activation="relu", batch_input_shape=[None, 4], dtype="float32",
                   kernel_initializer=_layer("VarianceScaling", scale=1.0, mode="fan_avg", distribution="uniform"),
                   kernel_regularizer=_layer("L1L2", l1=0.0, l2=0.1), bias_constraint=_layer("NonNeg")),
            _layer("Dropout", name="o", rate=0.5, noise_shape=None, seed=None),
            _layer("Activation", name="a", activation="softmax"),
        ],
    ),
    _layer(
        "Model",
        name="m",
        layers=[
            {**_layer("InputLayer", name="i", batch_input_shape=[None, 4, 2], dtype="float32", sparse=False),
             "name": "i", "inbound_nodes": []},
            {**_layer("TimeDistributed", name="t", layer=_layer("Dense", name="d", units=2)),
             "name": "t", "inbound_nodes": [[["i", 0, 0, {}]]]},
            {**_layer("Bidirectional", name="b", merge_mode="concat",
                      layer=_layer("LSTM", name="l", units=2, return_sequences=False)),
             "name": "b", "inbound_nodes": [[["t", 0, 0, {}]]]},
            {**_layer("Lambda", name="f", function="mean", function_type="function", arguments={}),
             "name": "f", "inbound_nodes": [[["b", 0, 0, {}]]]},
        ],
        input_layers=[["i", 0, 0]],
        output_layers=[["b", 0, 0]],
    ),
]  # fmt: skip


# As Keras 1 wrote them, and as tf.keras does.
OTHERS: list[dict[str, Any]] = [
    {
        "class_name": "Sequential", "keras_version": "1.2.2",
        "config": [
            _layer("Dense", name="a", output_dim=3, init="he_normal", activation="relu", b_regularizer=None,
                   W_regularizer={"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.25},
                   W_constraint={"name": "MaxNorm", "m": 2, "axis": 0}, bias=True, input_dim=None,
                   batch_input_shape=[None, 4], input_dtype="float32"),
            _layer("Dropout", name="o", p=0.5),
            _layer("Dense", name="b", output_dim=1, bias=False),
        ],
    },
    {
        "class_name": "Functional", "keras_version": "2.15.0",
        "config": {
            "name": "m", "trainable": True,
            "layers": [
                {**_layer("InputLayer", name="i", batch_input_shape=[None, 5, 4], dtype="float32", sparse=False,
                          ragged=False), "name": "i", "inbound_nodes": []},
                {**_layer("LSTM", name="l", units=3, time_major=False, recurrent_activation="sigmoid",
                          dtype={"module": "keras.mixed_precision", "class_name": "Policy",
                                 "config": {"name": "float32"}}),
                 "name": "l", "module": "keras.layers", "registered_name": None, "build_config": {"input_shape": [3]},
                 "inbound_nodes": [[["i", 0, 0, {}]]]},
            ],
            "input_layers": [["i", 0, 0]], "output_layers": [["l", 0, 0]],
        },
    },
]  # fmt: skip
TRAINING: dict[str, Any] = {
    "optimizer_config": _layer("Adam", learning_rate=0.01, name="Adam", beta_1=0.9), "loss": "mse",
    "metrics": [["mae"]], "sample_weight_mode": None, "loss_weights": None,
}  # fmt: skip


def texts() -> list[bytes]:
    return [json.dumps(config).encode() for config in (*CONFIGS, *OTHERS)]


def training() -> bytes:
    return json.dumps(TRAINING).encode()


def models() -> list[bytes]:
    """Whole models in the layouts of Keras 1 and 2."""
    import h5py

    found = []
    shapes = {"a": [(4, 3), (3,)], "b": [(3, 1)], "l": [(4, 12), (3, 12), (12,)]}
    for config, layers in zip(OTHERS, ("ab", "l"), strict=True):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            file.attrs["keras_version"] = file.attrs["backend"] = config["keras_version"]
            file.attrs["model_config"], file.attrs["training_config"] = json.dumps(config), json.dumps(TRAINING)
            file.attrs["layer_names"] = np.array([name.encode() for name in layers])
            for name in layers:
                group = file.create_group(f"model_weights/{name}")
                group.attrs["weight_names"] = [f"{name}_{i}".encode() for i in range(len(shapes[name]))]
                for i, shape in enumerate(shapes[name]):
                    group[f"{name}_{i}"] = np.zeros(shape, "f4")
            file["model_weights"].attrs["layer_names"] = [name.encode() for name in layers]
            file.create_group("optimizer_weights").attrs["weight_names"] = [b"Adam/iter:0"]
            file["optimizer_weights/Adam/iter:0"] = np.int64(3)
        found.append(buffer.getvalue())
    return found


def yamls() -> list[bytes]:
    tuples = b"a: &x [1, 2]\nb: *x\nc: !!python/tuple [null, 3]\nd: {e: 1.5, f: 'g', h: !!python/unicode 'i'}\n"
    return [tuples, json.dumps(CONFIGS[0]).encode()]
