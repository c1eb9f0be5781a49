"""Convolutions, padding, cropping, resizing: numbers of today's Keras, of formulas, and Keras 2.2's facts."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, layer_numbers, round_trip
from kjax import models
from kjax.utils import conv_utils

layers: Any = kjax.layers
RANDOM = np.random.RandomState(0)
STEPS = RANDOM.normal(size=(2, 7, 4)).astype("float32")
IMAGES = RANDOM.normal(size=(2, 7, 6, 4)).astype("float32")
VOLUMES = RANDOM.normal(size=(2, 4, 5, 4, 2)).astype("float32")
FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same"}

# Class, positional arguments, keyword arguments, input. Where channels come first, the same input has 7 (or 4) of them.
CONVOLUTIONS: list[tuple[str, tuple[Any, ...], dict[str, Any], np.ndarray]] = [
    ("Conv1D", (3, 3), {"strides": 2, "activation": "tanh", **SAME}, STEPS),
    ("Conv1D", (3, 2), {"padding": "causal", "dilation_rate": 2}, STEPS),
    ("Conv1D", (3, 2), {**FIRST, "dilation_rate": 2}, STEPS),
    ("Conv2D", (3, (3, 2)), {"strides": (1, 2)}, IMAGES),
    ("Conv2D", (3, 3), {"dilation_rate": (2, 1), "use_bias": False, **SAME}, IMAGES),
    ("Conv2D", (3, 2), {"strides": 2, **SAME, **FIRST}, IMAGES),
    ("Conv3D", (2, (2, 3, 1)), {"strides": (2, 1, 1), **SAME}, VOLUMES),
    ("Conv3D", (2, 2), {**FIRST}, VOLUMES),
    ("SeparableConv1D", (3, 3), {"depth_multiplier": 2, **SAME}, STEPS),
    ("SeparableConv1D", (3, 2), {"dilation_rate": 2, **FIRST}, STEPS),
    ("SeparableConv2D", (3, 3), {"depth_multiplier": 2, "strides": 2, "activation": "relu", **SAME}, IMAGES),
    ("SeparableConv2D", (3, 2), {**FIRST, "use_bias": False}, IMAGES),
    ("DepthwiseConv2D", (3,), {"depth_multiplier": 2}, IMAGES),
    ("DepthwiseConv2D", (2,), {"strides": 2, **SAME, **FIRST}, IMAGES),
    ("DepthwiseConv2D", (2,), {"dilation_rate": 2}, IMAGES),
    ("Conv2DTranspose", (3, 3), {"strides": 2, **SAME}, IMAGES),
    ("Conv2DTranspose", (3, (2, 3)), {"strides": (3, 2)}, IMAGES),
    ("Conv2DTranspose", (3, 3), {"strides": 2, "output_padding": 0, **SAME, **FIRST}, IMAGES),
    ("Conv2DTranspose", (3, 3), {"strides": 2, "output_padding": 1}, IMAGES),
    ("Conv3DTranspose", (2, 2), {"strides": 2, **SAME}, VOLUMES),
    ("Conv3DTranspose", (2, 3), {"strides": (1, 2, 1), "output_padding": (0, 1, 0), **FIRST}, VOLUMES),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "x"), CONVOLUTIONS)
def test_numbers_of_todays_keras(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], x: np.ndarray) -> None:
    layer = getattr(layers, name)(*args, bias_initializer="normal", **kwargs)
    assert_same_as_today(layer, getattr(today.keras().layers, name)(*args, **kwargs), x)
    assert layer.compute_output_shape(x.shape) == np.shape(layer(x))


MOVES: list[tuple[str, tuple[Any, ...], dict[str, Any], np.ndarray]] = [
    ("ZeroPadding1D", (), {}, STEPS),
    ("ZeroPadding1D", ((0, 2),), {}, STEPS),
    ("ZeroPadding2D", (2,), {}, IMAGES),
    ("ZeroPadding2D", ((1, 2),), FIRST, IMAGES),
    ("ZeroPadding2D", (((1, 0), (0, 2)),), {}, IMAGES),
    ("ZeroPadding3D", ((1, 0, 2),), {}, VOLUMES),
    ("ZeroPadding3D", (((1, 0), (0, 2), (1, 1)),), FIRST, VOLUMES),
    ("Cropping1D", (), {}, STEPS),
    ("Cropping1D", ((0, 2),), {}, STEPS),
    ("Cropping2D", (1,), {}, IMAGES),
    ("Cropping2D", (((1, 0), (0, 2)),), FIRST, IMAGES),
    ("Cropping2D", (), {}, IMAGES),
    ("Cropping3D", (), {}, VOLUMES),
    ("Cropping3D", ((1, 0, 0),), FIRST, VOLUMES),
    ("UpSampling1D", (), {}, STEPS),
    ("UpSampling1D", (3,), {}, STEPS),
    ("UpSampling2D", (), {}, IMAGES),
    ("UpSampling2D", ((3, 1),), FIRST, IMAGES),
    ("UpSampling3D", (), {}, VOLUMES),
    ("UpSampling3D", ((1, 2, 3),), FIRST, VOLUMES),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "x"), MOVES)
def test_values_are_moved_as_today(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], x: np.ndarray) -> None:
    layer = getattr(layers, name)(*args, **kwargs)
    assert_same_as_today(layer, getattr(today.keras().layers, name)(*args, **kwargs), x)
    round_trip(layer)


@pytest.mark.parametrize("first", [False, True])
def test_bilinear_upsampling_is_the_formula(first: bool) -> None:
    """Pixel `i` of the output lies at `i / factor`, as TensorFlow 1 placed it; today's lies half a pixel off."""
    x = np.moveaxis(IMAGES, -1, 1) if first else IMAGES
    kwargs = FIRST if first else {}
    (got,) = layer_numbers(layers.UpSampling2D((2, 3), interpolation="bilinear", **kwargs), x).outputs
    wanted = IMAGES.astype("float64")
    for axis, factor in ((1, 2), (2, 3)):
        length = wanted.shape[axis]
        place = np.arange(length * factor) / factor
        low = np.floor(place).astype(int)
        share = (place - low).reshape(-1, *(1,) * (3 - axis))
        high = np.take(wanted, np.minimum(low + 1, length - 1), axis)
        wanted = np.take(wanted, low, axis) * (1 - share) + high * share
    np.testing.assert_allclose(np.moveaxis(got, 1, -1) if first else got, wanted, 1e-5, 1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("first", [False, True])
def test_full_padding_counts_every_place_that_touches(rank: int, first: bool) -> None:
    x = {1: STEPS, 2: IMAGES, 3: VOLUMES}[rank]
    given = np.moveaxis(x, -1, 1) if first else x
    layer = getattr(layers, f"Conv{rank}D")(2, 2, padding="full", data_format=FIRST["data_format"] if first else None)
    (got,) = layer_numbers(layer, given).outputs
    got = np.moveaxis(got, 1, -1) if first else got
    kernel = np.asarray(layer.get_weights()[0], "float64")
    wanted = np.zeros(got.shape)
    for tap in itertools.product((0, 1), repeat=rank):
        # The kernel's last tap touches the first cell first.
        region = tuple(slice(1 - t, 1 - t + n) for t, n in zip(tap, x.shape[1:-1], strict=True))
        wanted[(slice(None), *region)] += x @ kernel[tap]
    np.testing.assert_allclose(got, wanted, 1e-5, 1e-5)


DEFAULT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
ZEROS = {"class_name": "Zeros", "config": {}}
NONE = ("regularizer", "constraint")
COMMON = {"name": "c", "trainable": True, "activity_regularizer": None, "activation": "linear", "use_bias": True}


def roles(*names: str) -> dict[str, Any]:
    """The config of weights of which nothing was said."""
    said = {f"{name}_{kind}": None for name in names for kind in NONE}
    return {**said, **{f"{name}_initializer": ZEROS if name == "bias" else DEFAULT for name in names}}


def windows(rank: int, **changes: Any) -> dict[str, Any]:
    config = {
        "kernel_size": (3,) * rank,
        "strides": (1,) * rank,
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": (1,) * rank,
    }
    return {**COMMON, **config, **changes}


CONFIGS = {
    **{f"Conv{n}D": ((2, 3), {**windows(n), "filters": 2, **roles("kernel", "bias")}) for n in (1, 2, 3)},
    **{
        f"SeparableConv{n}D": (
            (2, 3),
            {**windows(n), "filters": 2, "depth_multiplier": 1, **roles("depthwise", "pointwise", "bias")},
        )
        for n in (1, 2)
    },
    "DepthwiseConv2D": ((3,), {**windows(2), "depth_multiplier": 1, **roles("depthwise", "bias")}),
    "Conv2DTranspose": ((2, 3), {**windows(2), "filters": 2, "output_padding": None, **roles("kernel", "bias")}),
    "Conv3DTranspose": (
        (2, 3),
        {
            **{k: v for k, v in windows(3).items() if k != "dilation_rate"},
            "filters": 2,
            "output_padding": None,
            **roles("kernel", "bias"),
        },
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_have_the_keys_of_keras_2(name: str) -> None:
    args, wanted = CONFIGS[name]
    layer = getattr(layers, name)(*args, name="c")
    assert layer.get_config() == wanted
    round_trip(layer)


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ("ZeroPadding1D(2, name='p')", {"padding": (2, 2)}),
        ("ZeroPadding2D((1, 2), name='p')", {"padding": ((1, 1), (2, 2)), "data_format": "channels_last"}),
        ("Cropping1D(2, name='p')", {"cropping": (2, 2)}),
        ("Cropping3D(1, name='p')", {"cropping": ((1, 1),) * 3, "data_format": "channels_last"}),
        ("UpSampling1D(3, name='p')", {"size": 3}),
        ("UpSampling2D(3, name='p')", {"size": (3, 3), "data_format": "channels_last", "interpolation": "nearest"}),
        ("UpSampling3D(name='p')", {"size": (2, 2, 2), "data_format": "channels_last"}),
    ],
)
def test_configs_of_layers_without_weights(layer: str, wanted: dict[str, Any]) -> None:
    assert eval(layer, vars(layers)).get_config() == {"name": "p", "trainable": True, **wanted}


@pytest.mark.parametrize(
    ("name", "args", "x", "wanted"),
    [
        ("Conv1D", (5, 3), STEPS, {"kernel": (3, 4, 5), "bias": (5,)}),
        ("Conv2D", (5, (3, 2)), IMAGES, {"kernel": (3, 2, 4, 5), "bias": (5,)}),
        ("Conv3D", (5, (1, 2, 3)), VOLUMES, {"kernel": (1, 2, 3, 2, 5), "bias": (5,)}),
        (
            "SeparableConv1D",
            (5, 3),
            STEPS,
            {"depthwise_kernel": (3, 4, 1), "pointwise_kernel": (1, 4, 5), "bias": (5,)},
        ),
        (
            "SeparableConv2D",
            (5, (3, 2)),
            IMAGES,
            {"depthwise_kernel": (3, 2, 4, 1), "pointwise_kernel": (1, 1, 4, 5), "bias": (5,)},
        ),
        ("DepthwiseConv2D", ((3, 2),), IMAGES, {"depthwise_kernel": (3, 2, 4, 1), "bias": (4,)}),
        ("Conv2DTranspose", (5, (3, 2)), IMAGES, {"kernel": (3, 2, 5, 4), "bias": (5,)}),
        ("Conv3DTranspose", (5, (1, 2, 3)), VOLUMES, {"kernel": (1, 2, 3, 5, 2), "bias": (5,)}),
    ],
)
def test_weights(name: str, args: tuple[Any, ...], x: np.ndarray, wanted: dict[str, Any]) -> None:
    layer = getattr(layers, name)(*args, name="c")
    layer.build(x.shape)
    layer = getattr(layers, name)(*args, name="c")
    layer(layers.Input(x.shape[1:]))
    assert {w.name: tuple(w.shape) for w in layer.weights} == {f"c/{key}:0": shape for key, shape in wanted.items()}
    assert layer.count_params() == sum(int(np.prod(shape)) for shape in wanted.values())


def test_penalties_and_bounds_of_every_weight() -> None:
    said: dict[str, Any] = {"bias_regularizer": "l1", "bias_constraint": "nonneg", "activity_regularizer": "l2"}
    for role in ("depthwise", "pointwise"):
        said |= {f"{role}_regularizer": "l2", f"{role}_constraint": "nonneg", f"{role}_initializer": "one"}
    layer = layers.SeparableConv2D(2, 2, **said)
    model = models.Sequential([layer])
    model.compile("sgd", "mse")
    model.fit(IMAGES, np.zeros((2, 6, 5, 2)), epochs=1, verbose=0)
    assert len(layer.losses) == 4  # three weights and the output
    assert [type(w.constraint).__name__ for w in layer.weights] == ["NonNeg"] * 3
    # So far from zero are the sums that an update without bounds would leave it on the other side.
    assert all((w >= 0).all() for w in layer.get_weights())
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Conv2D(2, 3, padding='foo')", ("`padding`", "valid", "same", "causal", "foo")),
        ("Conv2D(2, (3, 3, 3))", ("`kernel_size`", "2 integers", "(3, 3, 3)")),
        ("Conv2D(2, (3, 'a'))", ("`kernel_size`", "2 integers", "'a'")),
        ("Conv2D(2, 3, strides=(1, 1.5))", ("`strides`", "2 integers")),
        ("Conv2D(2, 3, data_format='foo')", ("`data_format`", "channels_first", "foo")),
        ("Conv2D(0, 3)", ("`filters`", "0")),
        ("Conv1D(2, 3, padding='causal', data_format='channels_first')", ("causal", "`Conv1D`", "channels_last")),
        ("Conv2DTranspose(2, 3, strides=2, output_padding=2)", ("Stride (2, 2)", "greater than output padding (2, 2)")),
        ("ZeroPadding2D((1, 2, 3))", ("`padding` should have two elements", "(1, 2, 3)")),
        ("ZeroPadding2D(1.5)", ("`padding`", "int", "symmetric_height_pad", "top_pad", "1.5")),
        ("ZeroPadding2D(((1, 2, 3), 1))", ("1st entry of padding", "2 integers", "(1, 2, 3)")),
        ("ZeroPadding3D((1, 2))", ("`padding` should have 3 elements", "(1, 2)")),
        ("Cropping2D((1, 2, 3))", ("`cropping` should have two elements", "(1, 2, 3)")),
        ("Cropping3D(((1, 2), (1, 2), (1, 2, 3)))", ("3rd entry of cropping", "(1, 2, 3)")),
        ("UpSampling2D(2, interpolation='cubic')", ("interpolation", "nearest", "bilinear", "cubic")),
        ("Conv2D(2, 3)(Input((3,)))", ("conv2d_1", "expected ndim=4", "found ndim=2")),
        ("Conv2D(2, 3)(Input((8, 8, None)))", ("channel dimension", "`Conv2D`", "`None`")),
        ("DepthwiseConv2D(3)(Input((8, 8, None)))", ("channel dimension", "`DepthwiseConv2D`", "`None`")),
        ("Conv2D(2, 3)(Input((1, 28, 28)))", ("subtracting 3 from 1",)),
        ("Cropping2D(5)(Input((8, 8, 3)))", ("`cropping`", "8", "(None, 8, 8, 3)")),
    ],
)
def test_errors_tell_what_came_and_what_was_expected(source: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        eval(source, dict(vars(layers)))
    assert all(word in str(caught.value) for word in words), caught.value


def test_another_number_of_channels_is_refused() -> None:
    layer = layers.Conv2D(2, 3)
    layer(layers.Input((8, 8, 3)))
    with pytest.raises(ValueError, match=r"axis -1 of input shape to have value 3 but got shape \(None, 8, 8, 4\)"):
        layer(layers.Input((8, 8, 4)))


def test_unknown_lengths_stay_unknown() -> None:
    x = layers.Input((None, None, 3))
    for layer, channels in [
        (layers.Conv2D(4, 3, strides=2), 4),
        (layers.Conv2DTranspose(4, 3, strides=2, padding="same"), 4),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 6),
        (layers.UpSampling2D(2, interpolation="bilinear"), 3),
        (layers.ZeroPadding2D(), 3),
        (layers.Cropping2D(1), 3),
    ]:
        assert tuple(layer(x).shape) == (None, None, None, channels)
        assert layer.compute_output_shape((None, None, None, 3)) == (None, None, None, channels)


def test_a_mask_is_refused() -> None:
    with pytest.raises(TypeError, match="conv1d_1 does not support masking"):
        layers.Conv1D(2, 3)(layers.Masking()(layers.Input((5, 2))))


def test_aliases_are_the_same_classes() -> None:
    same = {
        "Conv1D": ["Convolution1D"],
        "Conv2D": ["Convolution2D"],
        "Conv3D": ["Convolution3D"],
        "SeparableConv1D": ["SeparableConvolution1D"],
        "SeparableConv2D": ["SeparableConvolution2D"],
        "Conv2DTranspose": ["Deconvolution2D", "Deconv2D", "Convolution2DTranspose"],
        "Conv3DTranspose": ["Deconvolution3D", "Deconv3D", "Convolution3DTranspose"],
    }
    for name, others in same.items():
        for other in others:
            assert getattr(layers, other) is getattr(layers, name) is getattr(layers.convolutional, other)


def test_under_keras_names() -> None:
    from kjax import compat

    with compat.alias():
        from keras.layers.convolutional import Convolution2D, MaxPooling2D  # pyright: ignore
        from keras.layers.embeddings import Embedding  # pyright: ignore
        from keras.layers.local import LocallyConnected2D  # pyright: ignore
        from keras.layers.pooling import GlobalMaxPooling1D  # pyright: ignore
        from keras.utils.conv_utils import conv_output_length  # pyright: ignore
    names = (MaxPooling2D, Embedding, LocallyConnected2D, GlobalMaxPooling1D)
    assert all(found is getattr(layers, found.__name__) for found in names)
    assert Convolution2D is layers.Conv2D
    assert conv_output_length is conv_utils.conv_output_length


def test_kernels_of_a_whole_model() -> None:
    model = models.Sequential([layers.Conv2D(2, 2, input_shape=(4, 4, 3)), layers.Flatten(), layers.Dense(1)])
    before = model.get_weights()
    kjax.utils.convert_all_kernels_in_model(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0][::-1, ::-1])
    for a, b in zip(model.get_weights()[1:], before[1:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_as_a_dictionary() -> None:
    layer = layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2", name="c")
    said = layers.serialize(layer)
    assert said["class_name"] == "Conv2D"
    assert layers.deserialize(said).get_config() == layer.get_config()
    assert type(layers.deserialize({"class_name": "Convolution2D", "config": said["config"]})) is layers.Conv2D


class TestLengths:
    """`keras.utils.conv_utils`."""

    @pytest.mark.parametrize("padding", ["valid", "same", "causal", "full"])
    def test_of_a_convolution(self, padding: str) -> None:
        for n, k, s, d in itertools.product((5, 6, 9), (1, 2, 3), (1, 2, 3), (1, 2)):
            spread = (k - 1) * d
            padded = n + {"valid": 0, "same": spread, "causal": spread, "full": 2 * spread}[padding]
            places = len(range(0, padded - spread, s))
            assert conv_utils.conv_output_length(n, k, padding, s, d) == places
        assert conv_utils.conv_output_length(None, 3, padding, 1) is None

    @pytest.mark.parametrize("padding", ["valid", "same"])
    def test_back(self, padding: str) -> None:
        for n, k, s in itertools.product((5, 6, 9), (1, 3, 5), (1, 2, 3)):
            places = conv_utils.conv_output_length(n, k, padding, s)
            again = conv_utils.conv_input_length(places, k, padding, s)
            assert conv_utils.conv_output_length(again, k, padding, s) == places
        assert conv_utils.conv_input_length(None, 3, padding, 1) is None

    def test_of_a_transposed_convolution(self) -> None:
        for n, k, s in itertools.product((4, 5), (1, 2, 3, 5), (1, 2, 3)):
            assert conv_utils.deconv_length(n, s, k, "same") == n * s
            assert conv_utils.deconv_length(n, s, k, "valid") == (n - 1) * s + max(k, s)
            assert conv_utils.deconv_length(n, s, k, "valid", 0) == (n - 1) * s + k
            assert conv_utils.deconv_length(n, s, k, "full") == n * s - (s + k - 2)
        assert conv_utils.deconv_length(4, 2, 3, "valid", None, 2) == 11
        assert conv_utils.deconv_length(None, 2, 3, "same") is None

    def test_kernels_of_theano(self) -> None:
        kernel = np.arange(24).reshape(3, 2, 2, 2)
        np.testing.assert_array_equal(conv_utils.convert_kernel(kernel), kernel[::-1, ::-1])
        with pytest.raises(ValueError, match=r"Invalid kernel shape: \(2, 2\)"):
            conv_utils.convert_kernel(np.zeros((2, 2)))
