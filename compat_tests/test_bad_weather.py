"""What goes wrong outside of a model: memory, files that vanish, others that read or write the same file."""

from __future__ import annotations

import pathlib
import threading
from typing import Any

import h5py
import jax
import numpy as np
import pytest

from kjax.callbacks import LambdaCallback, ModelCheckpoint, TerminateOnNaN
from kjax.engine import _programs
from kjax.layers import Dense, Lambda
from kjax.models import Sequential, load_model
from kjax.preprocessing.image import ImageDataGenerator

X = np.random.RandomState(1).rand(24, 4).astype("float32")
Y = X.sum(1, keepdims=True)


def network(*more: Any) -> Sequential:
    np.random.seed(4)
    model = Sequential([Dense(3, input_dim=4, activation="tanh"), Dense(1), *more])
    model.compile("sgd", "mse")
    return model


def test_a_device_without_memory_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    weights = model.get_weights()

    def full(*args: Any) -> Any:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 12345 bytes.\nMore lines")

    with monkeypatch.context() as patched:
        patched.setattr(_programs.Program, "compile", lambda *args, **more: full)
        with pytest.raises(MemoryError, match=r"predicting with batches of 8 samples.*12345"):
            model.predict(X, batch_size=8)
        with pytest.raises(MemoryError, match="testing with batches of 8"):
            model.evaluate(X, Y, batch_size=8, verbose=0)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert model.predict(X).shape == (24, 1)
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_a_loss_that_is_not_a_number_ends_the_training_and_the_model_lives() -> None:
    model = network(Lambda(lambda x: x / 0 * 0))
    history = model.fit(X, Y, epochs=5, verbose=0, callbacks=[TerminateOnNaN()]).history
    assert len(history["loss"]) <= 1
    assert np.isnan(model.predict(X)).all()
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    assert np.isnan(model.evaluate(X, Y, verbose=0))


def test_a_picture_that_vanishes_is_named(tmp_path: pathlib.Path) -> None:
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "a").mkdir()
    for i in range(4):
        image.fromarray(np.full((2, 2, 3), i, "uint8")).save(tmp_path / "a" / f"{i}.png")
    flow = ImageDataGenerator().flow_from_directory(
        str(tmp_path), target_size=(2, 2), batch_size=2, class_mode="input", shuffle=False
    )
    model = Sequential([Lambda(lambda x: x * 2, input_shape=(2, 2, 3)), Dense(3)])
    model.compile("sgd", "mse")
    vanish = LambdaCallback(on_epoch_end=lambda epoch, logs: (tmp_path / "a" / "2.png").unlink())
    with pytest.raises(FileNotFoundError, match=r"2\.png"):
        model.fit_generator(flow, epochs=3, verbose=0, callbacks=[vanish])
    assert model.predict(np.zeros((1, 2, 2, 3))).shape == (1, 2, 2, 3)


def test_a_folder_of_checkpoints_that_vanishes_is_made_anew(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "inner" / "model.h5"

    def vanish(epoch: int, logs: Any) -> None:
        path.unlink()
        path.parent.rmdir()

    gone = LambdaCallback(on_epoch_begin=lambda epoch, logs: vanish(epoch, logs) if epoch else None)
    model = network()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[ModelCheckpoint(path), gone])
    np.testing.assert_array_equal(load_model(path).predict(X), model.predict(X))


def test_readers_and_writers_of_one_checkpoint_find_whole_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "shared.h5"
    models = [network(), network()]
    for i, model in enumerate(models):
        model.set_weights([np.full_like(w, i) for w in model.get_weights()])
    models[0].save_weights(path)
    errors: list[BaseException] = []
    written = threading.Event()

    def write(model: Sequential) -> None:
        try:
            for _ in range(40):
                model.save_weights(path)
        except BaseException as error:  # told to the test
            errors.append(error)

    def read() -> None:
        reader, seen = network(), set()
        try:
            while not written.is_set():
                reader.load_weights(path)
                values = {float(v) for w in reader.get_weights() for v in w.ravel()}
                assert len(values) == 1, "a file of two writers"
                seen |= values
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(model,)) for model in models]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join(60)
    written.set()
    for thread in readers:
        thread.join(60)
    assert not errors
    assert not any(thread.is_alive() for thread in (*writers, *readers))
    assert [file.name for file in tmp_path.iterdir()] == ["shared.h5"]


@pytest.mark.parametrize("name", ["model.h5", "w.{epoch:02d}-{loss:.3f}.h5"])
def test_a_training_begins_with_the_newest_checkpoint(name: str, tmp_path: pathlib.Path) -> None:
    first = network()
    first.fit(X, Y, epochs=2, verbose=0, callbacks=[ModelCheckpoint(tmp_path / name, save_weights_only=True)])
    (tmp_path / "other.h5").write_bytes(b"no checkpoint")
    again = network()
    assert not np.array_equal(again.get_weights()[0], first.get_weights()[0])
    seen: list[Any] = []
    look = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(again.get_weights()[0]))
    again.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / name, load_weights_on_restart=True), look])
    np.testing.assert_array_equal(seen[0], first.get_weights()[0])
    with h5py.File(max(tmp_path.glob("[mw]*.h5"), key=lambda file: file.stat().st_mtime_ns)) as file:
        assert "model_weights" in file  # the second training's
