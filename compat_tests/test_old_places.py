"""What stood below Keras 2's models: its loops, its way to keep weights in HDF5, helpers that scripts import."""

# Tables and modules add names when they are asked for, which a type checker cannot see.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from kjax.callbacks import LambdaCallback
from kjax.engine import saving, training_arrays, training_generator
from kjax.layers import Conv2D, Dense, Lambda
from kjax.legacy import interfaces
from kjax.legacy.curves import ParametricSoftplus, SReLU
from kjax.models import Sequential
from kjax.utils import H5Dict


def two_layers(name: str = "") -> Sequential:
    return Sequential([Dense(3, input_dim=2, name=f"{name}a"), Dense(1, name=f"{name}b")])


def test_h5dict_takes_over_dictionaries() -> None:
    kept = H5Dict({"a": 1})
    kept.update({"b": 2}, {"c": 3})
    assert [kept.get(name) for name in kept.iter()] == [1, 2, 3]


def test_weights_of_layers_in_a_group(tmp_path) -> None:
    import h5py

    model, other = two_layers(), two_layers()
    third = two_layers("other_")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        saving.save_weights_to_hdf5_group(file, model.layers)
        assert saving.load_attributes_from_hdf5_group(file, "layer_names") == ["a", "b"]
        saving.load_weights_from_hdf5_group(file, other.layers)
        before = third.get_weights()
        saving.load_weights_from_hdf5_group_by_name(file, third.layers)
        saving.save_attributes_to_hdf5_group(file, "long", ["x" * 40000, "y" * 40000])
        assert "long" not in file.attrs
        assert saving.load_attributes_from_hdf5_group(file, "long") == ["x" * 40000, "y" * 40000]
        assert saving.load_attributes_from_hdf5_group(file, "none") == []
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert all(np.array_equal(a, b) for a, b in zip(before, third.get_weights(), strict=True))


def test_a_model_goes_through_pickle_as_plain_values() -> None:
    model = two_layers()
    model.compile("sgd", "mse")
    again = saving.unpickle_model(pickle.loads(pickle.dumps(saving.pickle_model(model))))
    x = np.ones((2, 2), "float32")
    assert np.array_equal(again.predict(x), model.predict(x))


def test_kernels_of_keras_1_are_turned() -> None:
    layer = Conv2D(2, (1, 3), input_shape=(1, 4, 4), data_format="channels_first")
    Sequential([layer])
    old = np.arange(6.0).reshape(2, 1, 1, 3)  # Theano's order: outputs, inputs, rows, columns
    kernel, bias = saving.preprocess_weights_for_loading(layer, [old, np.zeros(2)], "1", "theano")
    assert kernel.shape == (1, 3, 1, 2)
    assert kernel[0, :, 0, 0].tolist() == [2, 1, 0]  # and its convolutions turn their kernels
    flat = [np.zeros(kernel.size), bias]
    assert saving.preprocess_weights_for_loading(layer, flat, "2", reshape=True)[0].shape == (1, 3, 1, 2)


def test_loops_over_a_function() -> None:
    seen: list[int] = []

    def step(arrays):
        seen.append(len(arrays[0]))
        return [float(np.mean(arrays[0])), 2.0]

    model = two_layers()
    x = np.arange(10.0).reshape(10, 1)
    history = training_arrays.fit_loop(
        model, step, [x, x], ["loss", "two"], batch_size=4, epochs=2, verbose=0, shuffle=False,
        callback_metrics=["loss", "val_loss"],
        val_f=step, val_ins=[x[:3], x[:3]],
    )  # fmt: skip
    assert seen == [4, 4, 2, 3] * 2
    assert model.history is history
    assert history.history["loss"] == pytest.approx([4.5, 4.5])
    assert history.history["val_loss"] == pytest.approx([1.0, 1.0])
    assert training_arrays.test_loop(model, step, [x, x], batch_size=4) == pytest.approx([4.5, 2.0])
    found = training_arrays.predict_loop(model, lambda arrays: [arrays[0] * 2, arrays[1]], [x, x], batch_size=3)
    assert np.array_equal(found[0], x * 2)
    assert training_arrays.predict_loop(model, lambda arrays: arrays[0], [x], steps=2).shape == (20, 1)


def test_generator_functions_take_the_model() -> None:
    model = two_layers()
    model.compile("sgd", "mse")
    batches = [(np.ones((2, 2)), np.ones((2, 1)))] * 3
    assert len(training_generator.fit_generator(model, iter(batches), 3, verbose=0).history["loss"]) == 1
    assert training_generator.predict_generator(model, iter(batches), steps=2).shape == (4, 1)


def test_generator_methods_in_the_orders_of_2_2_and_2_3() -> None:
    model: Any = two_layers()  # whose two orders have other types
    model.compile("sgd", "mse")
    batches = [(np.ones((2, 2)), np.ones((2, 1)))] * 3
    told: list[int] = []

    watcher = LambdaCallback(on_epoch_end=lambda epoch, logs: told.append(epoch))
    valid = ([np.ones((2, 2))], np.ones((2, 1)))
    old = model.fit_generator(iter(batches * 2), 3, 2, 0, [watcher], valid, None, {1: 1.0}, 5)
    assert len(old.history["val_loss"]) == 2
    new = model.fit_generator(iter(batches * 2), 3, 2, 0, [watcher], valid, None, 2, None, 5)
    assert len(new.history["val_loss"]) == 1  # every second epoch
    assert told == [0, 1, 0, 1]
    assert model.evaluate_generator(iter(batches), 3, 5, 1) == pytest.approx(
        model.evaluate_generator(iter(batches), 3, None, 5, 1)
    )


def test_preprocessors_of_old_arguments() -> None:
    with pytest.warns(UserWarning, match="Keras 2 API"):
        args, kwargs, left = interfaces.conv2d_args_preprocessor((None, 3, 2, 2), {"border_mode": "same"})
    assert args == (None, 3, (2, 2))
    assert kwargs == {"padding": "same"}
    assert left == []
    with pytest.raises(TypeError, match="nb_filter"):
        interfaces.raise_duplicate_arg_error("nb_filter", "filters")


def test_what_costs_something_is_imported_when_asked_for() -> None:
    from kjax import callbacks, models
    from kjax.layers import core

    assert core.np is np
    assert models.h5py.__name__ == "h5py"
    assert callbacks.standardize_input_data is training_arrays.standardize_input_data
    with pytest.raises(AttributeError, match="nothing"):
        models.nothing  # noqa: B018


def test_lambda_finds_its_function_among_custom_objects() -> None:
    config = Lambda(lambda x: x + 1, name="plus").get_config()
    config["function"] = "one_more"
    assert isinstance(Lambda.from_config(config, custom_objects={"one_more": lambda x: x}), Lambda)


def test_activations_with_weights_that_keras_2_dropped() -> None:
    x = np.array([[-3.0, 0.0, 4.0]], "float32")
    lines = Sequential([SReLU(input_shape=(3,))])
    lines.set_weights([np.full(3, v, "float32") for v in (-1.0, 0.5, 2.0, 3.0)])
    assert lines.predict(x).tolist() == [[-2.0, 0.0, 10.0]]  # -1 + (-3 + 1) / 2, and 1 + 3 * (4 - 1)
    curve = ParametricSoftplus(0.5, 2.0, shared_axes=[1], input_shape=(3,))
    assert np.allclose(Sequential([curve]).predict(x), 0.5 * np.log1p(np.exp(2 * x)), atol=1e-5)
    assert curve.weights[0].shape == (1,)
    assert ParametricSoftplus.from_config(curve.get_config()).beta_init == 2.0
