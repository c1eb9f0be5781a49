"""Bad arguments to constructors, `compile`, graphs, layers and `set_weights`: the exception and its facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compat_tests.test_errors import check, params
from kjax import layers as L
from kjax import optimizers
from kjax.layers import Dense, Input
from kjax.models import Model, Sequential

TEXT: Any = "a"


def small() -> Sequential:
    model = Sequential([Dense(2, input_dim=4), Dense(1)])
    model.compile("sgd", "mse")
    return model


def temporal(mode: str) -> Callable[[Any], Any]:
    def call(model: Model) -> None:
        model.compile("sgd", "mse", sample_weight_mode=mode)
        model.fit(np.ones((12, 4)), np.ones((12, 1)))

    return call


@params(
    ("number as metric", lambda m: m.compile("sgd", "mse", metrics=[3]), ValueError, ("metric", "3")),
    ("number as loss", lambda m: m.compile("sgd", 3), ValueError, ("loss", "3")),
    ("no optimizer", lambda m: m.compile(None, "mse"), ValueError, ("optimizer", "None")),
    ("text as optimizer", lambda m: m.compile("adamm", "mse"), ValueError, ("optimizer", "adamm")),
    ("weighted metric", lambda m: m.compile("sgd", "mse", weighted_metrics=["foo"]), ValueError, ("metric", "foo")),
    ("unknown argument", lambda m: m.compile("sgd", "mse", foo=1), TypeError, ("'foo'",)),
    ("temporal without time", temporal("temporal"), ValueError, ("dense_2", "(12, 1)")),
    ("unknown mode", temporal("foo"), ValueError, ("dense_2", "'foo'")),
    ("text as rate", lambda m: m.compile(optimizers.SGD(TEXT), "mse"), TypeError, ("`lr`", "'a'")),
)
def test_compile(call: Any, kind: Any, facts: Any) -> None:
    model = small()
    check(model, call, kind, facts)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(np.ones((2, 4)), np.ones((2, 1))))


KERNEL, BIAS, KERNEL_2, BIAS_2 = np.ones((4, 2)), np.ones(2), np.ones((2, 1)), np.ones(1)


@params(
    ("too few", lambda m: m.set_weights([KERNEL]), ValueError, ("length 1", "4 weights", "sequential_1")),
    ("too many", lambda m: m.set_weights([KERNEL] * 5), ValueError, ("length 5", "4 weights")),
    ("none", lambda m: m.set_weights([]), ValueError, ("length 0", "4 weights")),
    (
        "the last of a wrong shape",
        lambda m: m.set_weights([KERNEL, BIAS, KERNEL_2, np.ones(3)]),
        ValueError,
        ("(1,)", "(3,)", "dense_2/bias"),
    ),
    ("a transposed kernel", lambda m: m.layers[0].set_weights([KERNEL.T, BIAS]), ValueError, ("(4, 2)", "(2, 4)")),
    ("a layer's too few", lambda m: m.layers[0].set_weights([KERNEL]), ValueError, ("dense_1", "length 1", "2")),
    ("no layer at the index", lambda m: m.get_layer(index=7), ValueError, ("7", "2 layers")),
    ("neither name nor index", lambda m: m.get_layer(), ValueError, ("name", "index")),
)
def test_set_weights_and_get_layer(call: Any, kind: Any, facts: Any) -> None:
    check(small(), call, kind, facts)


def refused(call: Callable[[], Any], kind: type[Exception], facts: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert caught.type is kind
    for fact in facts:
        assert fact in str(caught.value), str(caught.value)


@params(
    ("units 0", lambda _: Dense(0), ValueError, ("units", "0")),
    ("units -2", lambda _: Dense(-2), ValueError, ("units", "-2")),
    ("number as activation", lambda _: Dense(2, activation=3), ValueError, ("activation", "3")),
    ("unknown activation", lambda _: L.Activation("foo"), ValueError, ("activation", "foo")),
    ("a vector for RepeatVector", lambda _: L.RepeatVector(3)(Input((2, 3))), ValueError, ("ndim=2", "ndim=3")),
    ("SpatialDropout1D", lambda _: L.SpatialDropout1D(0.5)(Input((3,))), ValueError, ("ndim=3", "ndim=2")),
    ("TimeDistributed", lambda _: L.TimeDistributed(Dense(2))(Input((3,))), ValueError, ("time_distributed_1",)),
    ("Permute", lambda _: L.Permute((2, 1))(Input((3,))), ValueError, ("permute_1", "ndim=3", "ndim=2")),
    ("Dense on unknown size", lambda _: Dense(2)(Input((None,))), ValueError, ("dense_1",)),
    ("Add of one", lambda _: L.Add()([Input((3,))]), ValueError, ("2",)),
    ("Add of a tensor", lambda _: L.Add()(Input((3,))), ValueError, ("list",)),
    ("Subtract of three", lambda _: L.Subtract()([Input((3,))] * 3), ValueError, ("2",)),
    ("Dot sizes", lambda _: L.Dot(1)([Input((3,)), Input((4,))]), ValueError, ("3", "4")),
    ("an array to Dense", lambda _: Dense(2, input_dim=3)(np.ones(3)), ValueError, ("dense_1", "ndim")),
)
def test_layers(call: Any, kind: Any, facts: Any) -> None:
    refused(lambda: call(None), kind, facts)


def shared_name() -> Model:
    x = Input((3,))
    return Model(x, Dense(2, name="d")(Dense(2, name="d")(x)))


def disconnected_deep() -> Model:
    x, other = Input((3,), name="x"), Input((3,), name="other")
    return Model(x, L.add([Dense(2, name="near")(x), Dense(2, name="far")(other)]))


@params(
    ("the same name twice", lambda _: shared_name(), ValueError, ('"d"', "2 times")),
    ("an input left out", lambda _: disconnected_deep(), ValueError, ("disconnected", "other", "near")),
    ("an array as input", lambda _: Model(np.ones((2, 3)), Dense(2)(Input((3,)))), ValueError, ("Input",)),
    ("an array as output", lambda _: Model(Input((3,)), np.ones((2, 3))), ValueError, ("Layer",)),
    ("a layer as output", lambda _: Model(Input((3,)), Dense(2)), ValueError, ("Layer", "dense_1")),
    (
        "a wrong next layer",
        lambda _: Sequential([Dense(2, input_dim=3), L.Permute((2, 1))]),
        ValueError,
        ("permute_1",),
    ),
    ("a class as layer", lambda _: Sequential().add(Dense), TypeError, ("Layer", "Dense")),
    ("inputs of a network", lambda _: two_into_one(), ValueError, ("2 inputs", "received 1")),
)
def test_graphs(call: Any, kind: Any, facts: Any) -> None:
    refused(lambda: call(None), kind, facts)


def two_into_one() -> Any:
    a, b = Input((3,)), Input((3,))
    return Model([a, b], L.add([a, b]))(Input((3,)))
