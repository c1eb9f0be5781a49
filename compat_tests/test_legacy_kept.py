"""Functions, methods and arguments of Keras 1 that have no name today, called as scripts of 2016 called them."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kjax.wrappers.scikit_learn
from kjax import preprocessing
from kjax.engine import topology as engine_topology
from kjax.engine import training as engine_training

# Names and arguments of which today's types know nothing.
K: Any = kjax.backend
constraints: Any = kjax.constraints
layers: Any = kjax.layers
models: Any = kjax.models
optimizers: Any = kjax.optimizers
regularizers: Any = kjax.regularizers
utils: Any = kjax.utils
topology: Any = engine_topology
training: Any = engine_training
image: Any = preprocessing.image
scikit_learn: Any = kjax.wrappers.scikit_learn


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def told(call: Any) -> list[str]:
    """What calling this prints, by lines."""
    with redirect_stdout(io.StringIO()) as out:
        call()
    return out.getvalue().splitlines()


def small() -> Any:
    return models.Sequential([layers.Dense(3, input_shape=(2,)), layers.BatchNormalization()])


def test_a_name_and_its_arguments() -> None:
    assert constraints.get("maxnorm", {"m": 3}).max_value == 3
    assert constraints.get("MinMaxNorm", kwargs={"low": 0.2, "high": 0.4}).get_config()["max_value"] == 0.4
    assert float(optimizers.get("sgd", {"lr": 0.25}).lr) == 0.25
    assert regularizers.get("l1l2", {"l1": 0.5, "l2": 0.25}).get_config() == {"l1": 0.5, "l2": 0.25}
    assert constraints.get(None) is None
    assert isinstance(constraints.get("nonneg", None), constraints.NonNeg)


def test_kernels_of_both_orders() -> None:
    kernel = np.random.RandomState(0).rand(2, 3, 4, 5)
    np.testing.assert_array_equal(utils.np_utils.convert_kernel(kernel), kernel[::-1, ::-1])
    np.testing.assert_array_equal(utils.np_utils.convert_kernel(kernel, "tf"), kernel[::-1, ::-1])
    np.testing.assert_array_equal(utils.np_utils.convert_kernel(kernel, dim_ordering="th"), kernel[:, :, ::-1, ::-1])
    with pytest.raises(ValueError, match="dim_ordering"):
        utils.np_utils.convert_kernel(kernel, "channels_first")


def test_arrays_in_files(tmp_path: Path) -> None:
    array = np.arange(6, dtype="int16").reshape(2, 3)
    utils.io_utils.save_array(array, tmp_path / "a.h5")
    again = utils.io_utils.load_array(tmp_path / "a.h5")
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype


def test_tables_and_counts() -> None:
    model = small()
    assert utils.layer_utils.count_total_params(model.layers) == (9 + 6, 6)
    assert utils.layer_utils.count_total_params([*model.layers, model.layers[0]]) == (9 + 6, 6)
    assert told(lambda: utils.generic_utils.display_table([["ab", "c"], ["d", "efgh"]], [3, 6])) == ["ab c  ", "d  efg"]
    lines = told(lambda: utils.layer_utils.print_summary(model.layers, None, 80))
    assert len(lines[0]) == 80
    assert lines[-4] == "Total params: 21"
    assert told(lambda: utils.layer_utils.print_summary(model))[-4] == "Total params: 21"


def test_a_bar_that_is_forced() -> None:
    bar = utils.generic_utils.Progbar(10, interval=1000)

    def update() -> None:
        bar.update(1, [("loss", 1.0)])
        bar.update(2, [("loss", 1.0)])
        bar.update(3, [("loss", 1.0)], True)
        bar.update(4, [("loss", 1.0)], force=True)

    assert [line.split("/")[0].strip() for line in told(update) if "/10" in line][-2:] == ["3", "4"]
    assert bar.interval == 1000


def test_weights_in_open_files(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    one, other = small(), small()
    one.set_weights([np.full(w.shape, i + 1.0) for i, w in enumerate(one.get_weights())])
    with h5py.File(tmp_path / "w.h5", "w") as file:
        one.save_weights_to_hdf5_group(file)
    with h5py.File(tmp_path / "w.h5", "r") as file:
        other.load_weights_from_hdf5_group(file)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert training.collect_trainable_weights(one) == sorted(one.trainable_weights, key=lambda w: w.name)


def test_queue_of_a_generator() -> None:
    queue, stop = training.generator_queue(iter(range(5)), max_q_size=2, wait_time=0.01)
    assert [queue.get(timeout=10) for _ in range(5)] == list(range(5))
    assert stop.wait(10)


def test_layers_called_by_hand() -> None:
    layer = layers.Dense(2, W_constraint="nonneg")
    layer.create_input_layer((None, 3))
    assert layer.output_shape == (None, 2)
    assert list(layer.constraints) == [layer.kernel]
    following = layers.Activation("relu")
    following.add_inbound_node(layer)
    model = topology.Container(input=layer.input, output=following.output)
    x = np.random.RandomState(1).normal(size=(4, 3)).astype("float32")
    wanted = np.maximum(x @ layer.get_weights()[0], 0)
    np.testing.assert_allclose(K.eval(model(K.constant(x))), wanted, 1e-5, 1e-6)


def test_an_input_that_is_set() -> None:
    x = np.random.RandomState(1).normal(size=(4, 3)).astype("float32")
    first = layers.Dense(2, input_shape=(3,))
    first.set_input(K.variable(x), shape=(4, 3))
    np.testing.assert_allclose(K.eval(first.output), x @ first.get_weights()[0], 1e-5, 1e-6)
    other = layers.Dense(2)
    other(first.output)
    other(first.output)
    with pytest.raises(ValueError, match="2 times"):
        other.set_input(first.output)


def test_layers_of_merged_branches() -> None:
    left, right = (models.Sequential([layers.Dense(2, input_shape=(3,))]) for _ in range(2))
    model = models.Sequential([layers.Merge([left, right], mode="sum"), layers.Dense(1)])
    assert model.flattened_layers == [left.layers[0], right.layers[0], model.layers[-1]]
    assert small().flattened_layers != []


def test_wrappers_with_scikit_learns_names() -> None:
    pytest.importorskip("sklearn")

    def build() -> Any:
        model = models.Sequential([layers.Dense(2, activation="softmax", input_shape=(2,))])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    x, y = np.random.RandomState(2).rand(8, 2), np.arange(8) % 2
    wrapped = scikit_learn.KerasClassifier(build, nb_epoch=1, verbose=0)
    wrapped.fit(X=x, y=y)
    np.testing.assert_array_equal(wrapped.predict(X=x), wrapped.predict(x))
    assert 0 <= wrapped.score(X=x, y=y) <= 1


def test_pictures() -> None:
    x = np.random.RandomState(3).rand(3, 4, 5)
    assert image.img_to_array(image.array_to_img(x, dim_ordering="th"), dim_ordering="th").shape == (3, 4, 5)
    assert image.random_channel_shift(x, intensity=0.0).shape == x.shape
    with pytest.raises(NotImplementedError):
        image.random_barrel_transform(x, 0.1)


def test_old_words_of_helpers() -> None:
    assert [part.tolist() for part in training.slice_X(X=[np.arange(4)], start=1, stop=3)] == [[1, 2]]
    queue = utils.data_utils.GeneratorEnqueuer(iter([(1, 2)] * 3), pickle_safe=False)
    queue.start(nb_worker=1, max_q_size=2, wait_time=0.1)
    assert next(queue.get()) == (1, 2)
    queue.stop()
