"""Convolution, pooling and embedding layers of Keras 0 and 1: each old call is the new call, and tells so."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

from compat_tests.test_legacy import config_of, layers, models
from kjax.legacy import convolutional

REST_1 = (
    "border_mode='same', init='one', W_regularizer=l2(0.1), b_regularizer=l2(0.2), W_constraint=max_norm(1.), "
    "b_constraint=non_neg(), bias=True"
)
REST_2 = (
    "padding='same', kernel_initializer='one', kernel_regularizer=l2(0.1), bias_regularizer=l2(0.2), "
    "kernel_constraint=max_norm(1.), bias_constraint=non_neg(), use_bias=True"
)
SEPARABLE_1 = "init='one', border_mode='same', b_regularizer=l2(0.2), b_constraint=non_neg(), bias=True"
SEPARABLE_2 = (
    "depthwise_initializer='one', pointwise_initializer='one', padding='same', bias_regularizer=l2(0.2), "
    "bias_constraint=non_neg(), use_bias=True"
)
FORMATS = [("'th'", "'channels_first'"), ("'tf'", "'channels_last'"), ("'default'", "None")]


def valid(call: str) -> str:
    """The same call for layers that have no other padding."""
    return call.replace("'same'", "'valid'")


# The old call, and the same in Keras 2.
CONVOLUTIONS = [
    (f"Conv2D(32, 3, 3, {REST_1})", f"Conv2D(32, (3, 3), {REST_2})"),
    ("Conv2D(32, 3, 5, subsample=(2, 1))", "Conv2D(32, (3, 5), strides=(2, 1))"),
    ("Conv2D(nb_filter=32, nb_row=3, nb_col=5)", "Conv2D(filters=32, kernel_size=(3, 5))"),
    ("Conv2D(32, nb_row=3, nb_col=5)", "Conv2D(32, (3, 5))"),
    ("Conv2D(32, 3, 5)", "Conv2D(32, (3, 5))"),
    ("Conv2D(32, 3, 3, padding='same')", "Conv2D(32, (3, 3), padding='same')"),
    ("Conv2D(32, 3, nb_col=5)", "Conv2D(32, (3, 5))"),
    ("Conv2D(32, (3, 3), border_mode='same')", "Conv2D(32, (3, 3), padding='same')"),
    *((f"Conv2D(32, 3, 3, dim_ordering={a})", f"Conv2D(32, (3, 3), data_format={b})") for a, b in FORMATS),
    (
        "Conv2D(8, 3, 3, 'one', 'relu', None, 'same', (2, 2), 'th')",
        "Conv2D(8, (3, 3), kernel_initializer='one', activation='relu', padding='same', strides=(2, 2), "
        "data_format='channels_first')",
    ),
    (
        "Conv2D(32, 1, 3, 3, border_mode='full')",
        "Conv2D(32, (3, 3), padding='full', data_format='channels_first')",
    ),
    (
        "Conv2D(nb_filter=32, stack_size=1, nb_row=3, nb_col=3, dim_ordering='tf')",
        "Conv2D(32, (3, 3), data_format='channels_last')",
    ),
    (
        "Conv2D(32, 3, 3, input_shape=(1, 8, 8), input_dtype='float16')",
        "Conv2D(32, (3, 3), input_shape=(1, 8, 8), dtype='float16')",
    ),
    (f"Conv1D(nb_filter=4, filter_length=3, {REST_1})", f"Conv1D(4, 3, {REST_2})"),
    ("Conv1D(4, 3, subsample_length=2)", "Conv1D(4, 3, strides=2)"),
    ("Conv1D(4, 3, 'one', 'relu')", "Conv1D(4, 3, kernel_initializer='one', activation='relu')"),
    ("Conv1D(4, 3, input_dim=5, input_length=9)", "Conv1D(4, 3, input_shape=(9, 5))"),
    ("Conv1D(4, 3, input_dim=5)", "Conv1D(4, 3, input_shape=(None, 5))"),
    ("Conv1D(5, 4, 3, border_mode='same')", "Conv1D(4, 3, padding='same', input_shape=(None, 5))"),
    (f"Conv3D(4, 3, 2, 1, {REST_1})", f"Conv3D(4, (3, 2, 1), {REST_2})"),
    (
        "Conv3D(nb_filter=4, kernel_dim1=3, kernel_dim2=2, kernel_dim3=1, subsample=(1, 2, 1))",
        "Conv3D(4, (3, 2, 1), strides=(1, 2, 1))",
    ),
    (
        "Conv3D(4, 3, 2, 1, 'one', dim_ordering='th')",
        "Conv3D(4, (3, 2, 1), data_format='channels_first', kernel_initializer='one')",
    ),
    (f"SeparableConv2D(4, 3, 3, {SEPARABLE_1})", f"SeparableConv2D(4, (3, 3), {SEPARABLE_2})"),
    (
        "SeparableConv2D(nb_filter=4, nb_row=3, nb_col=2, subsample=(2, 2), dim_ordering='th')",
        "SeparableConv2D(4, (3, 2), strides=(2, 2), data_format='channels_first')",
    ),
    (
        "SeparableConv2D(4, 3, 3, 'one', 'relu')",
        "SeparableConv2D(4, (3, 3), depthwise_initializer='one', pointwise_initializer='one', activation='relu')",
    ),
    (
        f"Conv2DTranspose(3, 3, 3, output_shape=(None, 3, 14, 14), {REST_1})",
        f"Conv2DTranspose(3, (3, 3), {REST_2})",
    ),
    ("Conv2DTranspose(3, (3, 3), output_shape=(None, 3, 14, 14))", "Conv2DTranspose(3, (3, 3))"),
    (
        "Conv2DTranspose(3, 3, 2, (None, 3, 14, 14), subsample=(2, 2), dim_ordering='th')",
        "Conv2DTranspose(3, (3, 2), strides=(2, 2), data_format='channels_first')",
    ),
    ("Conv2DTranspose(nb_filter=3, nb_row=3, nb_col=2)", "Conv2DTranspose(3, (3, 2))"),
    (
        f"Conv3DTranspose(nb_filter=3, kernel_dim1=3, kernel_dim2=3, kernel_dim3=2, output_shape=(9,), {REST_1})",
        f"Conv3DTranspose(3, (3, 3, 2), {REST_2})",
    ),
    (
        "Conv3DTranspose(3, 3, 3, 2, subsample=(2, 2, 2), dim_ordering='th')",
        "Conv3DTranspose(3, (3, 3, 2), strides=(2, 2, 2), data_format='channels_first')",
    ),
    (
        valid(f"LocallyConnected2D(4, 3, 3, subsample=(2, 2), {REST_1})"),
        valid(f"LocallyConnected2D(4, (3, 3), (2, 2), {REST_2})"),
    ),
    (
        "LocallyConnected2D(nb_filter=4, nb_row=3, nb_col=3, dim_ordering='th')",
        "LocallyConnected2D(4, (3, 3), data_format='channels_first')",
    ),
    (
        valid(f"LocallyConnected1D(nb_filter=4, filter_length=3, {REST_1})"),
        valid(f"LocallyConnected1D(4, 3, {REST_2})"),
    ),
    ("LocallyConnected1D(4, 3, subsample_length=2, input_dim=5)", "LocallyConnected1D(4, 3, 2, input_shape=(None, 5))"),
]

POOLINGS = [
    *(
        (f"{kind}Pooling1D({old})", f"{kind}Pooling1D({new})")
        for kind in ("Max", "Average")
        for old, new in [
            ("pool_length=3", "3"),
            ("2, stride=1, border_mode='same'", "2, strides=1, padding='same'"),
        ]
    ),
    *(
        (f"{kind}Pooling2D({old})", f"{kind}Pooling2D({new})")
        for kind in ("Max", "Average")
        for old, new in [
            ("(2, 2), border_mode='same'", "(2, 2), padding='same'"),
            ("(2, 2), (1, 1), 'valid', 'th'", "(2, 2), (1, 1), 'valid', 'channels_first'"),
            ("poolsize=(3, 2), stride=(1, 1)", "(3, 2), (1, 1), data_format='channels_first'"),
            *((f"dim_ordering={a}", f"data_format={b}") for a, b in FORMATS),
        ]
    ),
    *(
        (f"{kind}Pooling3D({old})", f"{kind}Pooling3D({new})")
        for kind in ("Max", "Average")
        for old, new in [
            ("border_mode='same'", "padding='same'"),
            ("dim_ordering='th'", "data_format='channels_first'"),
            ("(2, 2, 2), None, 'valid', 'th'", "(2, 2, 2), None, 'valid', 'channels_first'"),
        ]
    ),
    *(
        (f"Global{kind}Pooling{n}D({old})", f"Global{kind}Pooling{n}D(data_format='channels_first')")
        for kind in ("Max", "Average")
        for n in (2, 3)
        for old in ("dim_ordering='th'", "'th'")
    ),
    *(
        (f"{name}(input_shape=(4, 2), input_dtype='float16')", f"{name}(input_shape=(4, 2), dtype='float16')")
        for name in ("GlobalMaxPooling1D", "GlobalAveragePooling1D", "Cropping1D", "ZeroPadding1D")
    ),
]

SHAPES = [
    ("UpSampling1D(length=3)", "UpSampling1D(3)"),
    *(
        (f"{name}({size}{old})", f"{name}({size}data_format='channels_first')")
        for name, size in [
            ("UpSampling2D", "(2, 3), "),
            ("UpSampling3D", "(2, 3, 2), "),
            ("Cropping2D", "((1, 1), (0, 1)), "),
            ("Cropping3D", "1, "),
            ("ZeroPadding2D", "(1, 2), "),
            ("ZeroPadding3D", "(1, 2, 1), "),
        ]
        for old in ("dim_ordering='th'", "'th'")
    ),
    ("ZeroPadding1D({'left_pad': 1, 'right_pad': 2})", "ZeroPadding1D((1, 2))"),
    ("ZeroPadding2D((1, 2, 3, 4))", "ZeroPadding2D(((1, 2), (3, 4)))"),
    ("ZeroPadding2D(padding={'top_pad': 1, 'left_pad': 2})", "ZeroPadding2D(((1, 0), (2, 0)))"),
    (
        "Embedding(9, 2, init='one', W_regularizer=l2(0.1), W_constraint=max_norm(1.))",
        "Embedding(9, 2, embeddings_initializer='one', embeddings_regularizer=l2(0.1), "
        "embeddings_constraint=max_norm(1.))",
    ),
    ("Embedding(9, 2, 'one', 7)", "Embedding(9, 2, 'one', input_length=7)"),
]

GONE = [
    ("MaxPooling1D(2, ignore_border=True)", "MaxPooling1D(2)", "`ignore_border`"),
    ("MaxPooling2D((2, 2), ignore_border=True)", "MaxPooling2D((2, 2))", "`ignore_border`"),
    ("Embedding(9, 2, dropout=0.2)", "Embedding(9, 2)", "`SpatialDropout1D`"),
]

# Calls that mean today what they say, and pass without a word.
SILENT = [
    "Conv2D(32, 3)",
    "Conv2D(32, (3, 3), (2, 2), 'same')",
    "Conv2D(32, [3, 3], 2)",
    "Conv2D(filters=32, kernel_size=3, strides=2)",
    "Conv1D(32, 3, 2, 'same')",
    "Conv1D(32, 3, 1)",
    "Conv3D(32, 3, 2)",
    "SeparableConv2D(32, (3, 3), 2)",
    "Conv2DTranspose(32, (3, 3), (2, 2), 'same')",
    "LocallyConnected1D(32, 3, 2)",
    "MaxPooling2D((2, 2), (1, 1), 'same', 'channels_first')",
    "MaxPooling2D(2, 2)",
    "Conv2D(32, 3, 1, padding='same')",
    "Conv2D(32, 3, 2, 'same')",
    "Conv2D(32, 3, 2, 'valid', use_bias=False)",
    "ZeroPadding2D(((1, 2), (3, 4)))",
    "Embedding(9, 2, 'uniform', None)",
    "Embedding(9, 2, input_length=3)",
]

ROWS = [*CONVOLUTIONS, *POOLINGS, *SHAPES]


@pytest.mark.parametrize(("old", "new"), ROWS)
def test_the_old_call_is_the_new_call(old: str, new: str) -> None:
    name = old.partition("(")[0]
    with pytest.warns(UserWarning, match="Keras 2 API") as caught:
        config = config_of(old)
    assert config == config_of(new)
    assert len(caught) == 1
    assert re.match(rf"Update your `{name}` call to the Keras 2 API: `{name}\(", str(caught[0].message))


@pytest.mark.parametrize(("old", "new", "said"), GONE)
def test_arguments_that_mean_nothing_any_more(old: str, new: str, said: str) -> None:
    with pytest.warns(UserWarning, match=said) as caught:
        config = config_of(old)
    assert config == config_of(new)
    assert len(caught) == 1


@pytest.mark.parametrize("source", SILENT)
def test_todays_calls_pass_without_a_word(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config_of(source)


def test_every_row_is_tested() -> None:
    """Each old name of each table is in a call above."""
    sources = [row[0] for row in [*ROWS, *GONE]]
    for owner, table in convolutional.TABLES.items():
        calls = [old for old in sources if old.startswith(owner + "(")]
        assert calls, owner
        missing = [n for n in table.names if n != "input_dtype" and not any(f"{n}=" in call for call in calls)]
        assert not missing, f"{owner}: {missing}"
        function = getattr(layers, owner).__init__
        assert re.search(r"accepts_old_names", function.__code__.co_qualname), owner


def test_the_text_is_the_recorded_kind() -> None:
    with pytest.warns(UserWarning, match="Conv2D") as caught:
        layers.Convolution2D(32, 3, 3, border_mode="same")
    assert str(caught[0].message) == (
        'Update your `Conv2D` call to the Keras 2 API: `Conv2D(32, (3, 3), padding="same")`'
    )


@pytest.mark.parametrize("rank", [1, 2])
def test_dilated_convolutions(rank: int) -> None:
    name, rate = f"AtrousConvolution{rank}D", (2,) * rank
    make = getattr(layers, name)
    assert make is getattr(layers.convolutional, name)
    with pytest.warns(UserWarning, match=f"Conv.*{rank}D") as caught:
        layer = make(4, *(3,) * rank, atrous_rate=rate, name="c")
    assert len(caught) == rank  # the second tells of the three numbers
    assert re.match(f"The `{name}` layer has been deprecated.*`Conv{rank}D`", str(caught[0].message))
    assert type(layer) is getattr(layers, f"Conv{rank}D")
    assert layer.get_config() == type(layer)(4, 3, dilation_rate=rate, name="c").get_config()


def test_a_network_of_keras_0() -> None:
    with pytest.warns(UserWarning, match="Keras 2 API"):
        model = models.Sequential(
            [
                layers.Convolution2D(4, 1, 3, 3, border_mode="full"),
                layers.Activation("relu"),
                layers.Convolution2D(4, 4, 3, 3),
                layers.MaxPooling2D(poolsize=(2, 2)),
                layers.Flatten(),
                layers.Dense(2),
            ]
        )
    x: Any = np.random.rand(8, 1, 6, 6)
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((8, 2)), batch_size=4, epochs=1, verbose=0)
    assert model.layers[0].output_shape == (None, 4, 8, 8)
    assert model.layers[3].output_shape == (None, 4, 3, 3)


def test_the_shape_of_a_transposed_convolution_is_the_one_that_was_said() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for said, made in ((29, 29), (28, 28), (40, 28)):  # of 40, no convolution leads to 14
            layer = layers.Deconvolution2D(3, 2, 2, (None, said, said, 3), subsample=(2, 2))
            assert layer(layers.Input((14, 14, 1))).shape == (None, made, made, 3)
            assert layer.get_config()["output_padding"] == ((1, 1) if said == 29 else None)
