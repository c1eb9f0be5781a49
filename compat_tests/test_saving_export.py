"""Exported programs: reloaded and run in a process that never imports the model's code."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import kjax
from kjax.layers import LSTM, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, Lambda, concatenate
from kjax.models import Model, Sequential

RUN = """
import sys
import numpy as np
from jax import export
data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[8:12], "little")
program = export.deserialize(bytearray(data[12 + size:]))
assert "kjax" not in sys.modules
x = np.load(sys.argv[2])
np.save(sys.argv[3], np.asarray(program.call(x)[0]))
"""


@pytest.mark.lenient
def test_runs_without_the_models_code(tmp_path: pathlib.Path) -> None:
    model = Sequential([
        Conv2D(3, 3, activation="relu", input_shape=(6, 6, 2)), BatchNormalization(), Dropout(0.5), Flatten(),
        Lambda(lambda v: v * 2.0), Dense(4, activation="softmax"),
    ])  # fmt: skip
    path = str(tmp_path / "model.kjax")
    kjax.export(model, path, platforms=["cpu"])
    loaded = kjax.load_exported(path)
    assert loaded.input_shapes == [(None, 6, 6, 2)]
    for count in (1, 7):
        x = np.random.RandomState(count).rand(count, 6, 6, 2).astype("float32")
        np.testing.assert_allclose(loaded.predict(x), model.predict(x), rtol=1e-5, atol=1e-6)
    np.save(tmp_path / "x.npy", x)
    names = [str(tmp_path / name) for name in ("model.kjax", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", RUN, *names], check=True, timeout=100, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model.predict(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"shape \(None, 6, 6, 2\)"):
        loaded(x[0])
    data = (tmp_path / "model.kjax").read_bytes()
    for broken in (b"", data[:10], data[:-100], b"KJAXEXP1\xff\xff\xff\xff", data[:12] + b"{" * 200):
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(ValueError, match="broken"):
            kjax.load_exported(tmp_path / "broken")


@pytest.mark.lenient
def test_several_inputs_and_outputs(tmp_path: pathlib.Path) -> None:
    a, b = Input((3,)), Input((4, 2))
    joined = concatenate([a, LSTM(3)(b)])
    model = Model([a, b], [Dense(2)(joined), joined])
    kjax.export(model, tmp_path / "m.kjax", platforms=["cpu"])
    x = [np.ones((5, 3), "float32"), np.ones((5, 4, 2), "float32")]
    for got, wanted in zip(kjax.load_exported(tmp_path / "m.kjax").predict(x), model.predict(x), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    entry = Input((None, 2))
    with pytest.raises(ValueError, match="all dimensions"):
        kjax.export(Model(entry, LSTM(3)(entry)), tmp_path / "n.kjax")
