"""Pooling and locally connected layers: numbers of today's Keras, of float64 formulas, and the facts of Keras 2.2."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, cotangent, layer_numbers, round_trip

layers: Any = kjax.layers
RANDOM = np.random.RandomState(0)
STEPS = RANDOM.normal(size=(2, 7, 3)).astype("float32")
IMAGES = RANDOM.normal(size=(2, 7, 6, 3)).astype("float32")
VOLUMES = RANDOM.normal(size=(2, 4, 5, 4, 2)).astype("float32")
INPUTS = {1: STEPS, 2: IMAGES, 3: VOLUMES}
FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same"}

WINDOWS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("MaxPooling1D", (), {}),
    ("MaxPooling1D", (3, 2), {**SAME, **FIRST}),
    ("AveragePooling1D", (3, 2), SAME),
    ("AveragePooling1D", (2,), FIRST),
    ("MaxPooling2D", (), {}),
    ("MaxPooling2D", ((3, 2), (2, 1)), SAME),
    ("MaxPooling2D", (2,), FIRST),
    ("AveragePooling2D", ((3, 2), 2), SAME),
    ("AveragePooling2D", (2, 1), FIRST),
    ("MaxPooling3D", (), {}),
    ("MaxPooling3D", (3, 2), {**SAME, **FIRST}),
    ("AveragePooling3D", (2,), {}),
    ("AveragePooling3D", ((2, 3, 2), (1, 2, 2)), SAME),
]
GLOBAL = [f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)]


def rank_of(name: str) -> int:
    return int(name[-2])


@pytest.mark.parametrize(("name", "args", "kwargs"), WINDOWS)
def test_numbers_of_todays_keras(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    x = INPUTS[rank_of(name)]
    layer = getattr(layers, name)(*args, **kwargs)
    assert_same_as_today(layer, getattr(today.keras().layers, name)(*args, **kwargs), x)
    assert layer.compute_output_shape(x.shape) == np.shape(layer(x))
    round_trip(layer)


@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize("kwargs", [{}, {**FIRST, "keepdims": True}])
def test_global_numbers_of_todays_keras(name: str, kwargs: dict[str, Any]) -> None:
    x = INPUTS[rank_of(name)]
    layer = getattr(layers, name)(**kwargs)
    assert_same_as_today(layer, getattr(today.keras().layers, name)(**kwargs), x)
    round_trip(layer)


@pytest.mark.parametrize("kwargs", [{}, FIRST, {"keepdims": True}])
def test_the_mean_counts_only_steps_that_are_not_masked(kwargs: dict[str, Any]) -> None:
    mask = np.array([[1, 1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]], bool)
    x = np.moveaxis(STEPS, -1, 1) if kwargs == FIRST else STEPS
    layer = layers.GlobalAveragePooling1D(**kwargs)
    (got,) = layer_numbers(layer, x, mask=mask).outputs
    wanted = np.stack([sample[kept].astype("float64").mean(0) for sample, kept in zip(STEPS, mask, strict=True)])
    np.testing.assert_allclose(got, wanted[:, None] if kwargs.get("keepdims") else wanted, 1e-5, 1e-6)
    assert layer.compute_mask(x, mask) is None


def test_the_mean_of_a_masked_embedding() -> None:
    model = kjax.models.Sequential(
        [layers.Embedding(5, 2, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    table, kernel, bias = model.get_weights()
    wanted = np.stack([(table[1] + table[2]) / 2, table[3]]) @ kernel + bias
    np.testing.assert_allclose(model.predict(ids), wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("name", ["GlobalMaxPooling1D", "MaxPooling1D", "AveragePooling1D"])
def test_other_layers_refuse_a_mask(name: str) -> None:
    with pytest.raises(TypeError, match="does not support masking"):
        getattr(layers, name)()(layers.Masking()(layers.Input((5, 2))))


def test_configs_have_the_keys_of_keras_2() -> None:
    said = {"name": "p", "trainable": True, "padding": "valid", "data_format": "channels_last"}
    for kind, rank in itertools.product(("Max", "Average"), (1, 2, 3)):
        layer = getattr(layers, f"{kind}Pooling{rank}D")(name="p")
        assert layer.get_config() == {**said, "pool_size": (2,) * rank, "strides": (2,) * rank}
        layer = getattr(layers, f"Global{kind}Pooling{rank}D")(name="p")
        assert layer.get_config() == {"name": "p", "trainable": True, "data_format": "channels_last"}


def test_names_and_unknown_lengths() -> None:
    for kind, rank in itertools.product(("Max", "Average"), (1, 2, 3)):
        x = layers.Input((*(None,) * rank, 3))
        layer = getattr(layers, f"{kind}Pooling{rank}D")()
        assert layer.name == f"{kind.lower()}_pooling{rank}d_1"
        assert tuple(layer(x).shape) == (None, *(None,) * rank, 3)
        layer = getattr(layers, f"Global{kind}Pooling{rank}D")()
        assert layer.name == f"global_{kind.lower()}_pooling{rank}d_1"
        assert tuple(layer(x).shape) == (None, 3)


def test_aliases_are_the_same_classes() -> None:
    for rank in (1, 2, 3):
        for short, long in (("Max", "Max"), ("Avg", "Average")):
            for prefix in ("", "Global"):
                alias, name = f"{prefix}{short}Pool{rank}D", f"{prefix}{long}Pooling{rank}D"
                assert getattr(layers, alias) is getattr(layers, name) is getattr(layers.pooling, alias)


def columns(x: np.ndarray, size: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """What each place sees, flat: (batch, places..., taps * channels), channels last."""
    lengths = [range(0, n - k + 1, s) for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)]
    seen = [
        x[(slice(None), *(slice(i, i + k) for i, k in zip(at, size, strict=True)))].reshape(len(x), -1)
        for at in itertools.product(*lengths)
    ]
    return np.stack(seen, 1).reshape(len(x), *map(len, lengths), -1)


LOCAL: list[tuple[str, np.ndarray, Any, Any]] = [
    ("LocallyConnected1D", STEPS, (3,), (1,)),
    ("LocallyConnected1D", STEPS, (2,), (3,)),
    ("LocallyConnected2D", IMAGES, (3, 2), (1, 1)),
    ("LocallyConnected2D", IMAGES, (2, 2), (2, 1)),
]


@pytest.mark.parametrize(("name", "x", "size", "strides"), LOCAL)
def test_locally_connected(name: str, x: np.ndarray, size: Any, strides: Any) -> None:
    layer = getattr(layers, name)(4, size, strides=strides, bias_initializer="normal", activation="tanh", name="c")
    layer(layers.Input(x.shape[1:]))
    kernel, bias = (np.asarray(w, "float64") for w in layer.get_weights())
    seen = columns(x.astype("float64"), size, strides)
    places = seen.shape[1:-1]
    assert kernel.shape == (int(np.prod(places)), seen.shape[-1], 4)
    assert bias.shape == (*places, 4)
    assert [w.name for w in layer.weights] == ["c/kernel:0", "c/bias:0"]
    flat = seen.reshape(len(x), -1, seen.shape[-1])
    wanted = np.tanh(np.einsum("npk,pkf->npf", flat, kernel).reshape(*seen.shape[:-1], 4) + bias)
    got = layer_numbers(layer, x)
    np.testing.assert_allclose(got.outputs[0], wanted, 1e-5, 1e-5)
    back = (cotangent(wanted.shape) * (1 - wanted**2)).reshape(len(x), -1, 4)
    np.testing.assert_allclose(got.weight_gradients[0], np.einsum("npk,npf->pkf", flat, back), 1e-4, 1e-5)
    np.testing.assert_allclose(got.weight_gradients[1], back.sum(0).reshape(bias.shape), 1e-4, 1e-5)
    round_trip(layer)


@pytest.mark.parametrize(("name", "x", "size", "strides"), LOCAL[1::2])
def test_locally_connected_with_channels_first(name: str, x: np.ndarray, size: Any, strides: Any) -> None:
    """The channels are the first factor of the taps then."""
    last = getattr(layers, name)(4, size, strides=strides)
    first = getattr(layers, name)(4, size, strides=strides, **FIRST)
    (wanted,) = layer_numbers(last, x).outputs
    moved = np.moveaxis(x, -1, 1)
    first(layers.Input(moved.shape[1:]))
    kernel, bias = last.get_weights()
    kernel = kernel.reshape(len(kernel), -1, x.shape[-1], 4).swapaxes(1, 2).reshape(kernel.shape)
    first.set_weights([kernel, bias])
    np.testing.assert_allclose(np.moveaxis(layer_numbers(first, moved).outputs[0], 1, -1), wanted, 1e-5, 1e-5)


def test_the_way_to_compute_is_accepted_and_kept() -> None:
    layer = layers.LocallyConnected2D(2, 3, implementation=2)
    assert round_trip(layer).implementation == 2
    assert "implementation" not in layers.LocallyConnected2D(2, 3).get_config()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("MaxPooling2D((2, 2, 2))", ("`pool_size`", "2 integers", "(2, 2, 2)")),
        ("MaxPooling2D(2, padding='foo')", ("`padding`", "foo")),
        ("MaxPooling2D(4)(Input((3, 3, 1)))", ("4 from 3",)),
        ("GlobalMaxPooling2D()(Input((3,)))", ("global_max_pooling2d_1", "expected ndim=4", "found ndim=2")),
        ("LocallyConnected1D(2, 3, padding='same')", ("border mode", "LocallyConnected1D", "valid", "same")),
        ("LocallyConnected2D(2, 3)(Input((None, 8, 3)))", ("spatial dimensions", "(None, None, 8, 3)")),
        ("LocallyConnected1D(2, 3)(Input((8, None)))", ("Axis 2", "fully-defined", "(None, 8, None)")),
        ("LocallyConnected1D(2, 9)(Input((8, 2)))", ("(9,)", "(None, 8, 2)")),
    ],
)
def test_errors_tell_what_came_and_what_was_expected(source: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        eval(source, dict(vars(layers)))
    assert all(word in str(caught.value) for word in words), caught.value
