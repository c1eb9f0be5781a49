"""Models and weights in HDF5 files: those of Keras 2.2.4, and what kjax writes."""

from __future__ import annotations

import io
import json
import pathlib
from typing import Any

import h5py
import numpy as np
import pytest

import kjax
from compat_tests.golden import deviation
from kjax import layers
from kjax.compat import tensorflow
from kjax.layers import Dense, Input, Lambda
from kjax.models import Model, Sequential, load_model, save_model

pytestmark = pytest.mark.optimized

FILES = pathlib.Path(__file__).parent / "recorded" / "files"
INFO = json.loads((FILES / "info.json").read_text())


class Recorded:
    """What Keras 2.2.4 fed to a model, and what came out of it."""

    def __init__(self, name: str) -> None:
        self.name, self.info = name, INFO[name]
        with np.load(FILES / f"{name}.npz", allow_pickle=False) as archive:
            self.arrays = {key: archive[key] for key in archive.files}

    def series(self, prefix: str) -> list[np.ndarray]:
        found = [self.arrays[f"{prefix}{i}"] for i in range(len(self.arrays)) if f"{prefix}{i}" in self.arrays]
        return found

    def fed(self, prefix: str) -> Any:
        found = self.series(prefix)
        return found if len(found) > 1 else found[0]

    def check(self, model: Any) -> None:
        """The model predicts, scores and goes on training as Keras's did."""
        x, y = self.fed("x"), self.fed("y")
        got = model.predict(x)
        for mine, theirs in zip(got if isinstance(got, list) else [got], self.series("pred"), strict=True):
            deviation(mine, theirs, "prediction", 1e-5)
        deviation(model.evaluate(x, y, verbose=0), np.array(self.info["evaluate"]), "evaluate", 1e-5)
        for mine, theirs in zip(model.optimizer.get_weights(), self.series("opt"), strict=True):
            deviation(mine, theirs, "optimizer state", 1e-6)
        if self.info["continued_deterministic"]:
            model.fit(x, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
            names = [weight.name for layer in model.layers for weight in layer.weights]
            for name, mine, theirs in zip(names, model.get_weights(), self.series("cont_w"), strict=True):
                if "/moving_" not in name:  # recorded with TensorFlow's zero-debiasing, which starts over after loading
                    deviation(mine, theirs, f"{name} after the continued training", 2e-4)


@pytest.mark.parametrize("name", sorted(INFO))
def test_recorded_models(name: str, tmp_path: pathlib.Path) -> None:
    recorded = Recorded(name)
    model = load_model(FILES / f"{name}_model.h5")
    assert [w.name for w in model.weights] == INFO[name]["weight_names"]
    model.save(tmp_path / "again.h5")
    recorded.check(model)
    recorded.check(load_model(tmp_path / "again.h5"))


@pytest.mark.parametrize("name", ["mlp_sgd_momentum", "cnn_bn", "two_input"])
def test_the_layout_is_that_of_keras(name: str, tmp_path: pathlib.Path) -> None:
    load_model(FILES / f"{name}_model.h5").save(tmp_path / "again.h5")

    def told(path: pathlib.Path) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def visit(where: str, item: Any) -> None:
            found[where] = (item.shape, item.dtype.str) if isinstance(item, h5py.Dataset) else None
            found.update({f"{where}@{key}": _comparable(value) for key, value in item.attrs.items()})

        with h5py.File(path) as file:
            visit("", file)
            file.visititems(visit)
        return {key: value for key, value in found.items() if not key.startswith("optimizer_weights/kjax")}

    mine, theirs = told(tmp_path / "again.h5"), told(FILES / f"{name}_model.h5")
    assert mine == theirs


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return json.loads(value) if value.startswith("{") else value


@pytest.fixture
def x() -> np.ndarray:
    return np.random.RandomState(3).rand(32, 4).astype("float32")


OPTIMIZERS = ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_bit_for_bit(name: str, x: np.ndarray, tmp_path: pathlib.Path) -> None:
    optimizer = kjax.optimizers.get({"class_name": name, "config": {} if name == "nadam" else {"decay": 0.1}})
    model = Sequential([Dense(3, activation="tanh", input_shape=(4,)), Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    model.save(str(tmp_path / "m.h5"))
    loaded = load_model(str(tmp_path / "m.h5"))
    histories = [m.fit(x, x[:, :1], epochs=2, shuffle=False, verbose=0).history for m in (model, loaded)]
    assert histories[0] == histories[1]
    for got, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def network() -> Model:
    inner = Sequential(
        [Dense(5, activation="relu", input_shape=(4,), name="first"), Dense(4, name="last")], name="inner"
    )
    entry = Input((4,))
    shared = Dense(4, name="shared")
    return Model(entry, layers.concatenate([shared(inner(entry)), shared(entry)]))


def test_places_to_write_to(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    model = network()
    wanted = model.predict(x)
    memory = io.BytesIO()
    model.save(memory)
    with h5py.File(tmp_path / "group.h5", "w") as file:
        save_model(model, file.create_group("inside"))
    memory.seek(0)
    with h5py.File(tmp_path / "group.h5") as file:
        loaded = [load_model(memory, compile=False), load_model(file["inside"], compile=False)]
    for again in loaded:
        np.testing.assert_array_equal(again.predict(x), wanted)


def test_weights_alone(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    model, other = network(), network()
    for name in ("w.h5", "w.hdf5", "w.weights.h5"):
        path = str(tmp_path / name)
        model.save_weights(path)
        other.set_weights([w * 0 for w in other.get_weights()])
        other.load_weights(path)
        np.testing.assert_array_equal(other.predict(x), model.predict(x))
    with pytest.raises(ValueError, match="load_weights"):
        load_model(path)
    with pytest.raises(ValueError, match=r"containing 2 layers into a model with 1 layers"):
        Sequential([Dense(4, input_shape=(4,))]).load_weights(path)
    with pytest.raises(ValueError, match="not created its weights"):
        Sequential([Dense(4)]).load_weights(path)


def test_frozen_parts_of_a_nested_model_keep_their_weights(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    model, other = network(), network()
    inner: Any = model.get_layer("inner")
    inner.layers[0].trainable = False
    model.save_weights(str(tmp_path / "w.h5"))
    other.load_weights(str(tmp_path / "w.h5"))
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_by_name(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "w.h5")
    model = Sequential([Dense(3, input_shape=(4,), name="a"), Dense(2, name="b")])
    model.save_weights(path)
    longer = Sequential([Dense(3, input_shape=(4,), name="a"), Dense(7, name="new"), Dense(5, name="b")])
    before = longer.get_weights()
    with pytest.raises(ValueError, match=r'named "b".*has shape \(7, 5\), but the saved weight has shape \(3, 2\)'):
        longer.load_weights(path, by_name=True)
    np.testing.assert_array_equal(longer.get_weights()[0], before[0])  # all or nothing
    with pytest.warns(UserWarning, match="Skipping loading of weights for layer b due to mismatch in shape"):
        longer.load_weights(path, by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(longer.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(longer.get_weights()[2], before[2])
    with pytest.raises(ValueError, match="by_name"):
        longer.load_weights(path, skip_mismatch=True)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="layout"):  # not by order instead
        longer.load_weights(tmp_path / "m.keras", by_name=True)


def test_numbers_that_look_like_an_archive(tmp_path: pathlib.Path) -> None:
    model = Sequential([Dense(1, input_shape=(64,), use_bias=False)])
    end_of_a_zip = np.frombuffer(b"PK\5\6" + bytes(252), "f4")
    model.set_weights([end_of_a_zip[:, None]])
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5", compile=False).get_weights()[0][:, 0], end_of_a_zip)


def test_names_that_lie_in_each_other(tmp_path: pathlib.Path) -> None:
    model = Sequential([Dense(2, input_shape=(2,), name="a"), Dense(2, name="a/a"), Dense(2, name="ä :.")])
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        loaded = load_model(tmp_path / name, compile=False)
        assert [layer.name for layer in loaded.layers] == ["a", "a/a", "ä :."]
        assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))
    same = Sequential([Dense(2, input_shape=(2,), name=".."), Dense(2, name="unnamed")])
    with pytest.raises(ValueError, match="holds weights already"):
        same.save(tmp_path / "m.h5")
    assert load_model(tmp_path / "m.h5", compile=False).layers[0].name == "a"


def test_more_names_than_an_attribute_holds(tmp_path: pathlib.Path) -> None:
    names = [f"{'a' * 200}_{i}" for i in range(700)]
    model = Sequential([Dense(1, input_shape=(1,), name=names[0])])
    for name in names[1:]:
        model.add(layers.Activation("linear", name=name))
    model.save_weights(str(tmp_path / "w.h5"))
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names" not in file.attrs
        assert [n.decode() for i in range(4) for n in file.attrs.get(f"layer_names{i}", [])] == names
    model.load_weights(str(tmp_path / "w.h5"))


def test_asks_before_a_file_is_replaced(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    path, answers = tmp_path / "w.h5", iter(["what", "n", "y"])
    path.write_bytes(b"old")
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    model = Sequential([Dense(1, input_shape=(1,))])
    model.save(str(path), overwrite=False)
    assert path.read_bytes() == b"old"
    model.save_weights(str(path), overwrite=False)
    assert path.read_bytes().startswith(b"\x89HDF")
    assert "overwrite=True" in capsys.readouterr().out


def test_what_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(str(tmp_path / "none.h5"))
    (tmp_path / "text.h5").write_text("no model")
    with pytest.raises(OSError, match="not an HDF5 file"):
        load_model(str(tmp_path / "text.h5"))
    with pytest.raises(NotImplementedError, match="not been built"):
        Sequential([Dense(3)]).save(str(tmp_path / "x.h5"))
    assert not (tmp_path / "x.h5").exists()
    with pytest.raises(ValueError, match="save_format"):
        Sequential([Dense(3, input_shape=(2,))]).save(str(tmp_path / "x"), save_format="onnx")
    with pytest.warns(UserWarning, match="no SavedModels"):
        Sequential([Dense(3, input_shape=(2,))]).save(str(tmp_path / "tf"), save_format="tf")
    assert load_model(str(tmp_path / "tf"), compile=False).output_shape == (None, 3)
    with pytest.raises(ValueError, match="safe"):
        load_model("x", safe_mode=False)
    model = Sequential([Dense(3, input_shape=(2,), name="d"), Dense(1, name="e")])
    for place, match in ((None, "Found: None"), (io.StringIO(), "as text"), (5, "Found: 5"), ("", "is empty")):
        for use in (model.save, model.save_weights, model.load_weights, load_model):
            with pytest.raises((TypeError, ValueError), match=match):
                use(place)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        model.save(file)
        with pytest.raises(ValueError, match="holds a model already"):
            model.save(file)
    with pytest.raises(ValueError, match="was closed"):
        model.save(file)
    model.save_weights(tmp_path / "w.h5")
    before = model.get_weights()
    for missing, instead in (("e/e/kernel:0", None), ("e", None), ("e/e/kernel:0", np.full((3, 1), b"a"))):
        with h5py.File(tmp_path / "w.h5", "r+") as file:
            del file[missing]
            if instead is not None:
                file[missing] = instead
        with pytest.raises(ValueError, match=r"has no object|holds texts"):
            model.load_weights(tmp_path / "w.h5")
        model.save_weights(tmp_path / "w.h5")
    assert all(map(np.array_equal, model.get_weights(), before))


def test_lambdas_are_loaded_by_their_layers_name(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "m.h5")
    model = Sequential([Lambda(lambda v: v + 1.0, input_shape=(4,), name="shift"), Dense(2)])
    model.save(path)
    with h5py.File(path, "r+") as file:  # as if another process had written it
        config: Any = file.attrs["model_config"]
        file.attrs["model_config"] = config.replace("<lambda> ", "<lambda> 0")
    with pytest.raises(ValueError, match=r"custom_objects=.*load_weights"):
        load_model(path)
    loaded = load_model(path, custom_objects={"shift": lambda v: v + 1.0}, compile=False)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    rebuilt = Sequential([Lambda(lambda v: v + 1.0, input_shape=(4,)), Dense(2)])
    rebuilt.load_weights(path)
    np.testing.assert_array_equal(rebuilt.predict(x), model.predict(x))


def test_custom_objects(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    def loss(y_true, y_pred):
        return kjax.backend.mean((y_true - y_pred) ** 4, axis=-1)

    class Mine(Dense):
        pass

    model = Sequential([Mine(1, input_shape=(4,))])
    model.compile("sgd", loss, metrics=[loss])
    model.save(str(tmp_path / "m.h5"))
    with pytest.raises(ValueError, match="Mine"):
        load_model(str(tmp_path / "m.h5"))
    with pytest.raises(ValueError, match=r"loss.*compile=False"):
        load_model(str(tmp_path / "m.h5"), {"Mine": Mine})
    loaded = load_model(str(tmp_path / "m.h5"), {"Mine": Mine, "loss": loss})
    assert loaded.evaluate(x, x[:, :1], verbose=0) == model.evaluate(x, x[:, :1], verbose=0)


def test_optax_is_told_plainly(x: np.ndarray, tmp_path: pathlib.Path) -> None:
    import optax

    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile(optax.sgd(0.1), "mse")
    model.fit(x, x[:, :1], verbose=0)
    with pytest.warns(UserWarning, match="without what `compile` was told.*optax"):
        model.save(str(tmp_path / "m.h5"))
    with pytest.warns(UserWarning, match="No training configuration"):
        loaded = load_model(str(tmp_path / "m.h5"))
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_float_types(tmp_path: pathlib.Path) -> None:
    for dtype in ("float16", "float64", "bfloat16"):
        if dtype == "float64":
            continue  # JAX has none unless it is told to
        model = Sequential([Dense(2, input_shape=(3,), dtype=dtype)])
        model.save(str(tmp_path / "m.h5"))
        loaded = load_model(str(tmp_path / "m.h5"), compile=False)
        assert [w.dtype for w in loaded.weights] == [w.dtype for w in model.weights]
        for got, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_paths_without_an_ending_get_their_folder(tmp_path: pathlib.Path) -> None:
    model = Sequential([Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    model.save(tmp_path / "saved" / "my_model")
    model.save_weights(tmp_path / "training" / "cp.ckpt")
    again = load_model(tmp_path / "saved" / "my_model")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    again.load_weights(tmp_path / "training" / "cp.ckpt")
    model.save(f"{tmp_path}/saved/as_a_folder/")
    model.set_weights([weight + 1 for weight in model.get_weights()])
    (tmp_path / "training" / "notes.txt").write_text("none")
    model.save_weights(f"{tmp_path}/training/cp-0002.ckpt")
    latest = tensorflow.train.latest_checkpoint(f"{tmp_path}/training")
    assert latest == f"{tmp_path}/training/cp-0002.ckpt"
    again = load_model(f"{tmp_path}/saved/as_a_folder/")
    again.load_weights(latest)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
