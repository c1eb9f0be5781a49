"""Recurrent layers in the spelling of Keras 0 and 1: the old call's config is the new call's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import kjax
from kjax import backend as K
from kjax import regularizers
from kjax.legacy import recurrent

# To a type checker the old calls are errors.
layers: Any = kjax.layers

PENALTIES = "W_regularizer=l2(0.1), U_regularizer=l2(0.2), b_regularizer=l2(0.3), dropout_W=0.1, dropout_U=0.2"
PENALTIES_2 = (
    "kernel_regularizer=l2(0.1), recurrent_regularizer=l2(0.2), bias_regularizer=l2(0.3), dropout=0.1, "
    "recurrent_dropout=0.2"
)
INITS, INITS_2 = "init='uniform', inner_init='normal'", "kernel_initializer='uniform', recurrent_initializer='normal'"

# The old call, and the same in Keras 2.
CALLS = [
    *(
        pair
        for name in ("SimpleRNN", "GRU", "LSTM")
        for pair in [
            (f"{name}(output_dim=3, input_dim=4)", f"{name}(units=3, input_shape=(None, 4))"),
            (f"{name}(3, input_dim=4, input_length=5)", f"{name}(3, input_shape=(5, 4))"),
            (f"{name}(3, {INITS}, {PENALTIES})", f"{name}(3, {INITS_2}, {PENALTIES_2})"),
            (f"{name}(4, 3)", f"{name}(3, input_shape=(None, 4))"),
            (f"{name}(3, 'uniform', 'normal')", f"{name}(3, {INITS_2})"),
            (
                f"{name}(3, input_shape=(5, 4), input_dtype='float16')",
                f"{name}(3, input_shape=(5, 4), dtype='float16')",
            ),
        ]
    ),
    *(
        pair
        for name in ("GRU", "LSTM")
        for pair in [
            (f"{name}(3, inner_activation='sigmoid')", f"{name}(3, recurrent_activation='sigmoid')"),
            (f"{name}(3, consume_less='cpu')", f"{name}(3, implementation=1)"),
            (f"{name}(3, consume_less='mem')", f"{name}(3, implementation=1)"),
            (f"{name}(3, consume_less='gpu')", f"{name}(3, implementation=2)"),
        ]
    ),
    ("SimpleRNN(3, consume_less='gpu')", "SimpleRNN(3)"),
    ("SimpleRNN(3, 'uniform', 'normal', 'relu')", f"SimpleRNN(3, {INITS_2}, activation='relu')"),
    (
        "GRU(4, 3, 'uniform', 'normal', 'relu', 'sigmoid')",
        f"GRU(3, input_shape=(None, 4), {INITS_2}, activation='relu', recurrent_activation='sigmoid')",
    ),
    (
        "LSTM(4, 3, 'uniform', 'normal', 'one', 'relu', 'sigmoid')",
        f"LSTM(3, input_shape=(None, 4), {INITS_2}, activation='relu', recurrent_activation='sigmoid')",
    ),
    ("LSTM(3, forget_bias_init='one')", "LSTM(3, unit_forget_bias=True)"),
    ("CuDNNGRU(3, input_dim=4)", "CuDNNGRU(3, input_shape=(None, 4))"),
    ("CuDNNLSTM(3, input_dim=4, input_length=5)", "CuDNNLSTM(3, input_shape=(5, 4))"),
    ("RNN(layers.LSTMCell(3, name='c'), input_dim=4)", "RNN(layers.LSTMCell(3, name='c'), input_shape=(None, 4))"),
    ("Recurrent(input_dim=4, consume_less='mem')", "Recurrent(input_shape=(None, 4), implementation=1)"),
    (
        "ConvLSTM2D(nb_filter=3, nb_row=2, nb_col=1, border_mode='same', subsample=(2, 1), dim_ordering='th')",
        "ConvLSTM2D(3, (2, 1), padding='same', strides=(2, 1), data_format='channels_first')",
    ),
    ("ConvLSTM2D(3, 2, 1, dim_ordering='tf', bias=False)", "ConvLSTM2D(3, (2, 1), use_bias=False)"),
    (
        f"ConvLSTM2D(3, nb_row=2, nb_col=1, forget_bias_init='one', inner_activation='sigmoid', {INITS}, {PENALTIES})",
        f"ConvLSTM2D(3, (2, 1), recurrent_activation='sigmoid', {INITS_2}, {PENALTIES_2})",
    ),
    (
        "Bidirectional(layers.GRU(3, name='g'), input_shape=(5, 4), input_dtype='float16')",
        "Bidirectional(layers.GRU(3, name='g'), input_shape=(5, 4), dtype='float16')",
    ),
    (
        "TimeDistributed(layers.Dense(3, name='d'), input_shape=(5, 4), input_dtype='float16')",
        "TimeDistributed(layers.Dense(3, name='d'), input_shape=(5, 4), dtype='float16')",
    ),
]

SILENT = [
    "LSTM(3, 'relu')",
    "GRU(3, 'relu', 'sigmoid', input_shape=(5, 4))",
    "SimpleRNN(units=3, dropout=0.1)",
    "ConvLSTM2D(3, 3)",
    "ConvLSTM2D(3, (2, 1), padding='same')",
    "RNN(layers.LSTMCell(3), input_shape=(5, 4))",
]


def config_of(source: str) -> dict[str, Any]:
    config = eval(f"layers.{source}", {"layers": layers, "l2": regularizers.l2}).get_config()
    config.pop("name")
    return config


@pytest.mark.parametrize(("old", "new"), CALLS)
def test_the_old_call_is_the_new_call(old: str, new: str) -> None:
    name = old.partition("(")[0]
    with pytest.warns(UserWarning, match=rf"^Update your `{name}` call to the Keras 2 API: `{name}\(") as caught:
        config = config_of(old)
    assert len(caught) == 1
    assert config == config_of(new)


@pytest.mark.parametrize("source", SILENT)
def test_todays_calls_pass_without_a_word(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config_of(source)


def test_every_row_is_tested() -> None:
    for owner, table in recurrent.TABLES.items():
        calls = [old for old, _ in CALLS if old.startswith(owner + "(")]
        names = [name for name in table.names if name != "input_dtype"]
        assert calls, owner
        assert not [name for name in names if not any(f"{name}=" in call for call in calls)], owner


def test_what_means_nothing_any_more() -> None:
    with pytest.warns(UserWarning, match="`truncate_gradient` argument of recurrent layers no longer exists") as caught:
        layer = layers.LSTM(3, truncate_gradient=10)
    assert len(caught) == 1
    assert layer.units == 3
    with pytest.warns(UserWarning, match="`forget_bias_init` argument has been ignored|Keras 2 API"):
        assert layers.LSTM(3, forget_bias_init="zero").unit_forget_bias
    with pytest.warns(UserWarning, match="`implementation` argument in `SimpleRNN` has been deprecated"):
        layers.SimpleRNN(3, implementation=1)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {"output_dim": 3, "input_dim": 4, "input_length": 5, "activation": "relu", "init": "uniform"}),
        ((3, "uniform", "relu"), {"input_shape": (5, 4)}),
    ],
)
def test_time_distributed_dense(args: Any, kwargs: Any) -> None:
    with pytest.warns(UserWarning, match=r"Use `TimeDistributed\(Dense\(...\)\)` instead") as caught:
        old = layers.TimeDistributedDense(*args, **kwargs)
    assert len(caught) == 1
    inner = layers.Dense(3, activation="relu", kernel_initializer="uniform")
    new = layers.TimeDistributed(inner, input_shape=(5, 4))
    configs = [layer.get_config() for layer in (old, new)]
    for config in configs:
        config.pop("name")
        config["layer"]["config"].pop("name")
    assert configs[0] == configs[1]
    assert kjax.models.Sequential([old]).predict(np.ones((2, 5, 4))).shape == (2, 5, 3)


def test_time_distributed_dense_of_the_first_versions() -> None:
    with pytest.warns(UserWarning, match="TimeDistributedDense"):
        layer = layers.TimeDistributedDense(4, 3)
    assert layer.batch_input_shape == (None, None, 4)
    assert layer.layer.units == 3


class Running(layers.Recurrent):
    """A layer as they were written for Keras 1: a running sum that begins at its first weight."""

    def __init__(self, output_dim: int, penalty: Any, **kwargs: Any) -> None:
        self.output_dim = output_dim
        self.penalty = penalty
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.W = K.variable(np.full(self.output_dim, 2.0))
        self.trainable_weights = [self.W]
        self.states = [None]
        self.regularizers = []
        self.penalty.set_param(self.W)
        self.regularizers.append(self.penalty)

    def get_initial_states(self, x: Any) -> list[Any]:
        return [K.zeros_like(x[:, 0]) + K.expand_dims(self.W, 0)]

    def get_constants(self, x: Any) -> list[Any]:
        return [[K.ones_like(x[:, 0]), K.cast_to_floatx(3.0)], K.ones_like(x[:, 0, :1])]

    def step(self, x: Any, states: Any) -> Any:
        ones, factor = states[1]
        total = states[0] + factor * x * ones * states[2]
        return total, [total]


@pytest.mark.lenient  # a vector is added to a matrix
def test_a_layer_of_keras_1_on_recurrent() -> None:
    with pytest.warns(UserWarning, match="Keras 2 API"):
        layer = Running(2, regularizers.l2(0.5), input_shape=(3, 2), consume_less="gpu")
    assert layer.consume_less == "gpu"
    assert Running(2, None).consume_less == "cpu"
    model = kjax.models.Sequential([layer])
    model.compile("sgd", "mse")
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    np.testing.assert_allclose(model.predict(x), 2 + 3 * x.sum(1))
    assert len(layer.regularizers) == 1
    np.testing.assert_allclose(model.test_on_batch(x, 2 + 3 * x.sum(1)), 0.5 * (4 + 4))
