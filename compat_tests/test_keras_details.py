"""Details of `K.*` and of helpers around models that programs of Keras 2.2 rely on."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kjax
from kjax import backend as K
from kjax.layers import Conv2D, Dense, Flatten, Input, Lambda, dot
from kjax.legacy import saving
from kjax.legacy.h5dict import H5Dict
from kjax.models import Model, Sequential
from kjax.utils import conv_utils, generic_utils, io_utils, layer_utils

Y = np.random.RandomState(7).randn(4, 3).astype("float32")


def test_a_random_tensor_is_drawn_whenever_it_is_computed() -> None:
    x, drawn, seeded = K.placeholder((3,)), K.random_uniform((3,)), K.random_normal((3,), seed=4)
    run = K.function([x], [x + drawn])
    assert not np.array_equal(run([np.zeros(3)])[0], run([np.zeros(3)])[0])
    assert not np.array_equal(K.eval(drawn), K.eval(drawn))
    series = [K.eval(seeded) for _ in range(3)]
    assert len({tuple(draw) for draw in series}) == 3
    again = K.random_normal((3,), seed=4)
    np.testing.assert_array_equal(series, [K.eval(again) for _ in range(3)])
    np.testing.assert_array_equal(np.asarray(drawn), drawn.numpy())


def test_functions_with_more_feeds_and_fetches() -> None:
    x, extra = K.placeholder(()), K.placeholder(())
    first, second = K.variable(0.0), K.variable(0.0)
    feeds = {extra: 3.0}
    run = K.function([x], [x + extra], [(first, x * 2)], feed_dict=feeds, fetches=[K.update(second, extra * 10)])
    assert run([1.0]) == [4.0]
    assert K.batch_get_value([first, second]) == [2.0, 30.0]
    feeds[extra] = 5.0
    assert run([2.0]) == [7.0]
    assert K.batch_get_value([first, second]) == [4.0, 50.0]


def test_dropping_all_or_less_than_nothing_is_refused() -> None:
    for level in (-0.5, 1.0):
        with pytest.raises(ValueError, match=str(level)):
            K.dropout(K.variable(Y), level)


def test_sparse_matrices_as_variables() -> None:
    dense = np.where(Y > 0, Y, 0)
    stored = K.variable(scipy.sparse.csr_matrix(dense))
    both = K.concatenate([stored, stored])
    assert K.is_sparse(stored)
    assert K.is_sparse(both)
    assert not K.is_sparse(K.concatenate([K.variable(Y), stored]))
    np.testing.assert_array_equal(K.eval(both), np.concatenate([dense, dense], -1))
    np.testing.assert_allclose(K.eval(K.dot(stored, K.variable(Y.T))), dense @ Y.T, rtol=1e-5)


def test_a_bias_of_many_axes_is_read_in_its_order_with_channels_first() -> None:
    x, bias = np.zeros((2, 3, 2, 4), "float32"), np.arange(24.0).reshape(2, 4, 3)
    got = K.eval(K.bias_add(K.variable(x), K.variable(bias), "channels_first"))
    np.testing.assert_array_equal(got[1].ravel(), np.arange(24.0))


def test_a_product_over_axes_whose_batches_differ() -> None:
    x, y = np.random.RandomState(0).rand(2, 3, 4, 5), np.random.RandomState(1).rand(2, 2, 3, 4)
    got = K.eval(K.batch_dot(K.variable(x), K.variable(y), (2, 3)))
    np.testing.assert_allclose(got, np.einsum("abcd,aefc->abdef", x, y), rtol=1e-5)


def test_a_masked_output_of_another_shape_than_the_state() -> None:
    x, mask = Y[None].repeat(2, 0), np.array([[0, 1, 0, 1], [1, 0, 0, 1]])

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        return K.concatenate([x, x]), [states[0] + x]

    last, outputs, (state,) = K.rnn(step, K.variable(x), [K.zeros((2, 3))], mask=K.variable(mask))
    wanted, before = np.zeros((2, 4, 6)), np.zeros((2, 6))
    for t in range(4):
        before = wanted[:, t] = np.where(mask[:, t : t + 1], np.concatenate([x[:, t], x[:, t]], -1), before)
    np.testing.assert_allclose(K.eval(outputs), wanted, rtol=1e-6)
    np.testing.assert_allclose(K.eval(last), wanted[:, -1], rtol=1e-6)
    np.testing.assert_allclose(K.eval(state), (x * mask[..., None]).sum(1), rtol=1e-5)


def test_a_layer_that_returns_its_two_inputs() -> None:
    a, b = Input((4, 3)), Input((3,))
    model = Model([a, b], dot(Lambda(lambda x: x)([a, b]), axes=-1))
    model.compile("sgd", "mse")
    model.train_on_batch([Y[None], Y[:1]], np.zeros((1, 4)))
    np.testing.assert_allclose(model.predict([Y[None], Y[:1]])[0], Y @ Y[0], rtol=1e-5)


def test_decoded_labels_are_as_wide_as_the_longest() -> None:
    probabilities = np.eye(4)[[[0, 0, 3, 1, 3, 3], [2, 2, 2, 2, 3, 3]]] * 0.9 + 0.01
    (labels,), _ = K.ctc_decode(K.variable(probabilities), K.variable([6, 6], "int32"))
    np.testing.assert_array_equal(K.eval(labels), [[0, 1], [2, -1]])


def test_functions_of_ones_own_as_text() -> None:
    offset = 3
    described = generic_utils.func_dump(lambda x, y=2: x + y + offset)
    assert generic_utils.func_load(described)(10) == 15
    text, defaults, closure = described
    assert generic_utils.func_load(text, list(defaults or ()), closure)(10, 1) == 14
    power = generic_utils.func_load(generic_utils.func_dump(lambda x: np.square(x))[0], globs={"np": np})
    assert power(3) == 9


@pytest.mark.parametrize("target", ["channels_first", "channels_last"])
def test_networks_in_the_other_data_format(target: str) -> None:
    source = {"channels_first": "channels_last", "channels_last": "channels_first"}[target]
    shapes = {"channels_last": (5, 4, 2), "channels_first": (2, 5, 4)}
    maps = {"channels_last": (3, 3, 3), "channels_first": (3, 3, 3)}

    def network(order: str) -> Sequential:
        return Sequential([Conv2D(3, (3, 2), input_shape=shapes[order], data_format=order), Flatten(), Dense(2)])

    first, second = network(source), network(target)
    x = np.random.RandomState(0).rand(2, *shapes[source])
    wanted = first.predict(x)
    layer_utils.convert_dense_weights_data_format(first.layers[2], maps[target], target)
    second.set_weights(first.get_weights())
    np.testing.assert_allclose(
        second.predict(np.moveaxis(x, *((3, 1) if target == "channels_first" else (1, 3)))), wanted, 1e-5
    )
    kernel = second.layers[0].get_weights()[0]
    layer_utils.convert_all_kernels_in_model(second)
    np.testing.assert_array_equal(second.layers[0].get_weights()[0], kernel[::-1, ::-1])


def test_unknown_paddings() -> None:
    for length in (conv_utils.conv_output_length, conv_utils.conv_input_length):
        with pytest.raises(AssertionError, match="diagonal"):
            length(32, 5, "diagonal", 2)


@pytest.mark.parametrize("kind", ["file", "dictionary"])
def test_a_dictionary_in_a_file(kind: str, tmp_path: pathlib.Path) -> None:
    place: Any = tmp_path / "a.h5" if kind == "file" else {}
    with H5Dict(place, "w") as file:
        file["text"] = "abc"
        file["inner"]["names"] = [b"a", b"bc"]
        file["inner"]["deeper"]["numbers"] = Y
    with H5Dict(place, "r") as file:
        assert "text" in file
        assert "other" not in file
        assert file["text"] == "abc"
        assert file["inner"]["names"] == [b"a", b"bc"]
        assert file.get("other", 5) == 5
        np.testing.assert_array_equal(file["inner"]["deeper"]["numbers"], Y)
        with pytest.raises(ValueError, match="read-only"):
            file["text"] = "new"
        with pytest.raises(ValueError, match="other"):
            file["inner"]["other"]


def test_the_functions_behind_files(tmp_path: pathlib.Path) -> None:
    import h5py

    model = Sequential([Dense(3, input_shape=(3,), name="a"), Dense(1, name="b")])
    other = Sequential([Dense(3, input_shape=(3,), name="a"), Dense(2, name="b")])
    with h5py.File(tmp_path / "w.h5", "w") as file:
        saving.save_weights_to_hdf5_group(file, model.layers)
        assert saving.load_attributes_from_hdf5_group(file, "layer_names") == ["a", "b"]
        with pytest.warns(UserWarning, match="layer b"):
            saving.load_weights_from_hdf5_group_by_name(file, other.layers, skip_mismatch=True)
        np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
        twin = kjax.models.clone_model(model)
        saving.load_weights_from_hdf5_group(file, twin.layers)
    np.testing.assert_array_equal(twin.predict(Y), model.predict(Y))
    np.testing.assert_array_equal(saving.unpickle_model(saving.pickle_model(model)).predict(Y), model.predict(Y))
    stream = io.BytesIO()
    io_utils.save_to_binary_h5py(lambda file: file.create_dataset("x", data=Y), stream)
    stream.seek(0)
    np.testing.assert_array_equal(io_utils.load_from_binary_h5py(lambda file: file["x"][:], stream), Y)
