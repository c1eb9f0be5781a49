"""Layers that came with tf.keras 2: attention, einsum, normalizations, images, vocabularies.

Compared with today's Keras, with formulas, and with what tf.keras 2.21 gave.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kjax
from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, layer_numbers, round_trip
from kjax import layers as L
from kjax.backend import _resizing
from kjax.layers import _random_images
from kjax.models import Model, Sequential, load_model

random = np.random.RandomState(0)
QUERY, VALUE, KEY = (random.normal(size=(2, n, 6)).astype("float32") for n in (5, 4, 4))
IMAGES = random.uniform(0, 255, (3, 7, 9, 2)).astype("float32")

# Class, arguments, inputs.
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "Attention": ("Attention", {}, [QUERY, VALUE, KEY]),
    "Attention scaled": ("Attention", {"use_scale": True}, [QUERY, VALUE]),
    "Attention of sums": ("Attention", {"score_mode": "concat", "use_scale": True}, [QUERY, VALUE, KEY]),
    "AdditiveAttention": ("AdditiveAttention", {}, [QUERY, VALUE, KEY]),
    "AdditiveAttention bare": ("AdditiveAttention", {"use_scale": False}, [QUERY, VALUE]),
    "EinsumDense": (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (5, 2, 3), "bias_axes": "de", "activation": "tanh"},
        QUERY,
    ),
    "EinsumDense left": ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 7, "bias_axes": "y"}, QUERY),
    "EinsumDense right": (
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"},
        QUERY,
    ),
    "EinsumDense apart": (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (5, 2, 3), "bias_axes": "bd"},
        QUERY,
    ),
    "GroupNormalization": ("GroupNormalization", {"groups": 3}, QUERY),
    "GroupNormalization first": ("GroupNormalization", {"groups": -1, "axis": 1, "scale": False}, IMAGES),
    "UnitNormalization": ("UnitNormalization", {"axis": (1, 2)}, QUERY),
    "Conv1DTranspose": (
        "Conv1DTranspose",
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"},
        QUERY,
    ),
    "DepthwiseConv1D": ("DepthwiseConv1D", {"kernel_size": 3, "strides": 2, "depth_multiplier": 2}, QUERY),
    "Identity": ("Identity", {}, QUERY),
    "Resizing": ("Resizing", {"height": 5, "width": 12}, IMAGES),
    "Resizing nearest": ("Resizing", {"height": 14, "width": 5, "interpolation": "nearest"}, IMAGES),
    "CenterCrop": ("CenterCrop", {"height": 4, "width": 3}, IMAGES),
}


@pytest.mark.parametrize("name", CASES)
def test_layers_are_those_of_today(name: str) -> None:
    cls, arguments, inputs = CASES[name]
    layer = getattr(L, cls)(**arguments)
    layer(inputs)
    random = np.random.RandomState(1)
    layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    assert_same_as_today(layer, getattr(today.keras().layers, cls)(**arguments), inputs, tolerance=3e-5)
    round_trip(layer)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish"])
def test_activations(name: str) -> None:
    with today.lenient():
        theirs = getattr(today.keras().activations, name)
        np.testing.assert_allclose(getattr(kjax.activations, name)(QUERY), theirs(QUERY), 1e-5, 1e-6)
        slope = today.gradient(theirs, QUERY)
    np.testing.assert_allclose(today.gradient(kjax.activations.get(name), QUERY), slope, 1e-4, 1e-5)
    assert kjax.activations.get("swish") is kjax.activations.get("silu")


# -- attention of several heads --------------------------------------------------------------------------------------


def test_multi_head_attention_is_the_formula() -> None:
    layer = L.MultiHeadAttention(2, 3, value_dim=4)
    seen = np.random.RandomState(2).rand(2, 5, 4) > 0.3
    output, weights = layer(QUERY, VALUE, KEY, attention_mask=seen, return_attention_scores=True)
    names = [f"{part}/{w}:0" for part in ("query", "key", "value", "attention_output") for w in ("kernel", "bias")]
    assert [w.name.partition("/")[2] for w in layer.weights] == names
    wq, bq, wk, bk, wv, bv, wo, bo = (np.asarray(w, "float64") for w in layer.get_weights())
    q, k, v = (np.einsum("btd,dnh->btnh", x, w) + b for x, w, b in ((QUERY, wq, bq), (KEY, wk, bk), (VALUE, wv, bv)))
    scores = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(3)
    scores = np.where(seen[:, None], scores, -1e9)
    expected = np.exp(scores - scores.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(weights, expected, 1e-5, 1e-5)
    wanted = np.einsum("bnts,bsnh,nhd->btd", expected, v, wo) + bo
    np.testing.assert_allclose(output, wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("axes", [None, (2,), (1, 2)])
def test_multi_head_attention_along_some_axes(axes: Any) -> None:
    x = np.random.RandomState(3).normal(size=(2, 3, 4, 6)).astype("float32")
    layer = L.MultiHeadAttention(2, 3, attention_axes=axes, output_shape=(2, 4))
    ours = layer(x, x)
    with today.lenient():
        theirs = today.keras().layers.MultiHeadAttention(2, 3, attention_axes=axes, output_shape=(2, 4))
        theirs.build(x.shape, x.shape, x.shape)
        theirs.set_weights(layer.get_weights())
        np.testing.assert_allclose(ours, theirs(x, x), 1e-4, 1e-5)


def test_a_model_of_attention_learns_and_is_saved(tmp_path: Any) -> None:
    np.random.seed(0)
    words = L.Input((5,))
    embedded = L.Embedding(10, 6, mask_zero=True)(words)
    attended = L.MultiHeadAttention(2, 3, dropout=0.1)(embedded, embedded)
    again = L.MultiHeadAttention(2, 3)(attended, value=embedded, key=attended, use_causal_mask=True)
    both = L.Attention(use_scale=True)([L.LayerNormalization()(again), embedded])
    model = Model(words, L.Dense(1)(L.GlobalAveragePooling1D()(both)))
    model.compile(kjax.optimizers.Adam(0.01), "mse")
    assert model.count_params() == 60 + 2 * 168 + 12 + 1 + 7
    x = np.random.randint(0, 10, (64, 5))
    y = (x == 3).mean(1)
    losses = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for path in ("model.h5", "model.keras"):
        model.save(tmp_path / path)
        np.testing.assert_array_equal(load_model(tmp_path / path).predict(x), model.predict(x))
    whole, before = x[(x > 0).all(1)][:8], model.predict(x)
    with today.lenient():
        theirs = today.keras().models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(model.predict(whole), theirs.predict(whole, verbose=0), 1e-4, 1e-5)
    table = model.layers[1].get_weights()[0]
    table[0] += 1  # the word that is masked as a query, a value and a key
    model.layers[1].set_weights([table])
    np.testing.assert_allclose(model.predict(x), before, 1e-4, 1e-6)


# -- images ----------------------------------------------------------------------------------------------------------


def test_warping() -> None:
    one, zero = np.ones(3, "float32"), np.zeros(3, "float32")
    shift = _random_images._matrix(one, zero, -2 * one, zero, one, one)  # 2 to the right, 1 up
    padded = {
        "constant": np.pad(IMAGES, ((0, 0), (0, 1), (2, 0), (0, 0)), constant_values=7.0),
        "nearest": np.pad(IMAGES, ((0, 0), (0, 1), (2, 0), (0, 0)), "edge"),
        "reflect": np.pad(IMAGES, ((0, 0), (0, 1), (2, 0), (0, 0)), "symmetric"),
        "wrap": np.pad(IMAGES, ((0, 0), (0, 1), (2, 0), (0, 0)), "wrap"),
    }
    for mode, image in padded.items():
        got = _resizing.warp(IMAGES, shift, mode, 7.0, "nearest" if mode == "wrap" else "bilinear")
        np.testing.assert_allclose(got, image[:, 1:, :9], 1e-5, 1e-4, err_msg=mode)
    square = IMAGES[:, :, :7]
    quarter = _random_images.rotation(np.full(3, np.pi / 2, "float32"), 7, 7)
    got = _resizing.warp(square, quarter, "nearest", 0.0, "bilinear")
    np.testing.assert_allclose(got, np.rot90(square, 1, (1, 2)), 1e-4, 1e-2)


RANDOM = {
    "RandomFlip": {"mode": "horizontal"},
    "RandomRotation": {"factor": 0.2},
    "RandomZoom": {"height_factor": (-0.3, -0.2), "width_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.3, "fill_mode": "constant"},
    "RandomContrast": {"factor": 0.5},
    "RandomBrightness": {"factor": 0.4},
    "RandomCrop": {"height": 4, "width": 5},
}


def test_random_images() -> None:
    entry = L.Input((7, 9, 2))
    made = [getattr(L, name)(**arguments) for name, arguments in RANDOM.items()]
    model = Model(entry, [layer(entry) for layer in made])
    assert model.count_params() == 0
    tested, trained = model.predict(IMAGES), model(IMAGES)
    for layer, before, after in zip(made, tested, trained, strict=True):
        wanted = IMAGES if type(layer).__name__ != "RandomCrop" else before
        np.testing.assert_allclose(before, wanted)
        assert np.abs(np.asarray(after) - before).max() > 1, layer.name
        np.testing.assert_array_equal(layer(IMAGES, training=False), before)
        round_trip(layer)
    flipped = np.asarray(made[0](np.repeat(IMAGES[:1], 200, 0)))
    turned = np.array([np.allclose(image, IMAGES[0, :, ::-1]) for image in flipped])
    assert all(np.allclose(image, IMAGES[0]) for image in flipped[~turned])
    assert 60 < turned.sum() < 140
    crop = np.asarray(L.RandomCrop(4, 5)(IMAGES, training=True))
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES, (3, 4, 5, 2)).reshape(-1, 3, 4, 5, 2)
    assert any(np.array_equal(crop, window) for window in windows)
    with pytest.raises(NotImplementedError, match="Use RandomZoom"):
        L.RandomHeight(0.2)


def test_a_model_that_augments_learns() -> None:
    np.random.seed(1)
    parts: list[Any] = [
        L.RandomFlip(),
        L.RandomRotation(0.1),
        L.RandomZoom(0.1),
        L.Rescaling(1 / 255.0),
        L.Flatten(),
        L.Dense(1),
    ]
    model = Sequential([L.InputLayer((7, 9, 2)), *parts])
    model.compile("adam", "mse")
    losses = model.fit(np.repeat(IMAGES, 20, 0), np.ones(60), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


# -- numbers and vocabularies ----------------------------------------------------------------------------------------


def test_normalization_adapts() -> None:
    data = IMAGES[..., 0].astype("float64")
    for axis, over in ((-1, (0, 1)), (None, (0, 1, 2)), ((1, 2), (0,))):
        layer = L.Normalization(axis=axis)
        layer.adapt(iter([data[:1], data[1:]]))  # in batches
        mean, spread = data.mean(over, keepdims=True), data.std(over, keepdims=True)
        np.testing.assert_allclose(layer(data), (data - mean) / spread, 1e-4, 1e-4)
        back = L.Normalization(axis=axis, mean=layer.mean, variance=layer.variance, invert=True)
        np.testing.assert_allclose(back(layer(data)), data, 1e-4, 1e-3)
    assert [w.name.partition("/")[2] for w in layer.weights] == ["mean:0", "variance:0", "count:0"]
    assert layer.get_weights()[-1] == 3
    model = Sequential([layer, L.Flatten(), L.Dense(1)])
    np.testing.assert_allclose(model.predict(data).shape, (3, 1))
    with pytest.raises(ValueError, match="both `mean` and `variance` must be set"):
        L.Normalization(mean=1.0)


def test_categories() -> None:
    numbers = np.array([[0, 2, 2], [1, 3, 0]])
    hot = np.eye(4, dtype="float32")[numbers]
    for mode, wanted in (("one_hot", hot), ("multi_hot", hot.max(1)), ("binary", hot.max(1)), ("count", hot.sum(1))):
        np.testing.assert_array_equal(L.CategoryEncoding(4, output_mode=mode)(numbers), wanted)
    weighted = L.CategoryEncoding(4, "count")(numbers, count_weights=np.array([[1.0, 2, 3], [4, 5, 6]]))
    np.testing.assert_array_equal(weighted, [[1, 0, 5, 0], [6, 4, 0, 5]])
    layer = L.Discretization([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(layer(np.array([[-1.0, 0.0, 0.5, 2.0, 9.0]])), [[0, 1, 1, 3, 3]])
    learned = L.Discretization(num_bins=4)
    learned.adapt(IMAGES)
    assert np.bincount(np.asarray(learned(IMAGES)).ravel()).tolist() == [95, 94, 94, 95]
    assert L.Discretization.from_config(learned.get_config()).bin_boundaries == learned.bin_boundaries
    with pytest.raises(NotImplementedError, match="StringLookup"):
        L.Hashing(3)


# What tf.keras 2.21 gave: arguments, vocabulary, numbers.
DATA = np.array([[5, 7], [9, 7], [0, 7]])
INTEGERS: list[tuple[dict[str, Any], list[int], Any]] = [
    ({}, [-1, 7, 9, 5, 0], [[3, 0], [2, 4], [1, 1]]),
    ({"mask_token": 0}, [0, -1, 7, 9, 5], [[4, 1], [3, 0], [2, 2]]),
    ({"num_oov_indices": 3}, [-1, -1, -1, 7, 9, 5, 0], [[5, 1], [4, 6], [3, 3]]),
    ({"output_mode": "multi_hot"}, [-1, 7, 9, 5, 0], [[1, 0, 0, 1, 0], [0, 0, 1, 0, 1], [0, 1, 0, 0, 0]]),
    ({"max_tokens": 3}, [-1, 7, 9], [[0, 0], [2, 0], [1, 1]]),
]


@pytest.mark.parametrize("case", INTEGERS, ids=lambda case: str(case[0]))
def test_integer_lookup(case: Any) -> None:
    arguments, vocabulary, wanted = case
    layer = L.IntegerLookup(**arguments)
    layer.adapt(DATA)
    assert layer.get_vocabulary() == vocabulary
    asked = np.array([[5, 1], [9, 0], [7, 7]])
    np.testing.assert_array_equal(layer(asked), wanted)
    entry = L.Input((2,), dtype="int32")
    np.testing.assert_array_equal(Model(entry, layer(entry)).predict(asked), wanted)
    round_trip(layer)


TEXTS = ["The cat, sat on the mat!", "A dog. the DOG", "", "cat cat dog  x"]
WORDS = ["cat", "the", "dog", "x", "sat", "on", "mat", "a"]


def test_text_vectorization() -> None:
    layer = L.TextVectorization()
    layer.adapt(np.array(TEXTS))
    assert layer.get_vocabulary()[:5] == ["", "[UNK]", "the", "dog", "cat"]
    assert sorted(layer.get_vocabulary(include_special_tokens=False)) == sorted(WORDS)
    numbers = layer(["the new cat", "dog"])
    np.testing.assert_array_equal(numbers, [[2, 1, 4], [3, 0, 0]])
    assert round_trip(layer)(["dog the"]).tolist() == [[3, 2]]
    short = L.TextVectorization(max_tokens=4, output_sequence_length=3)
    short.adapt(iter([TEXTS[:2], TEXTS[2:]]))
    np.testing.assert_array_equal(short(np.array(TEXTS)[:, None])[:2], [[2, 1, 1], [1, 3, 2]])
    counted = L.TextVectorization(output_mode="count", ngrams=2, vocabulary=["the dog", "dog", "the"])
    np.testing.assert_array_equal(counted(TEXTS), [[9, 0, 0, 2], [3, 1, 2, 1], [0, 0, 0, 0], [6, 0, 1, 0]])
    weighed = L.TextVectorization(output_mode="tf_idf")
    weighed.adapt(TEXTS)
    place = weighed.get_vocabulary().index("dog")
    np.testing.assert_allclose(weighed(["dog dog"])[0, place], 2 * np.log(1 + 4 / 3), 1e-5)
    letters = L.TextVectorization(split="character", standardize=None, vocabulary=["a", "b"])
    assert letters(["abc"]).tolist() == [[2, 3, 1]]


def test_strings_are_numbered_before_the_model() -> None:
    layer = L.StringLookup(vocabulary=["a", "b"])
    assert layer(np.array([["a", "z"], [b"b".decode(), "a"]])).tolist() == [[1, 0], [2, 1]]
    assert L.StringLookup(vocabulary=layer.get_vocabulary(), invert=True)([0, 2]).tolist() == ["[UNK]", "b"]
    with pytest.raises(ValueError, match="works on strings, which a program of JAX cannot hold"):
        layer(L.Input((1,)))
    with pytest.raises(ValueError, match="should be in vocabulary, found OOV value 'z'"):
        L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["z"])
    config = {**layer.get_config(), "vocabulary": "/etc/hostname"}
    with pytest.raises(ValueError, match="which is not opened"):
        L.StringLookup.from_config(config)


def test_group_normalization_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"groups \(4\) must divide the number of channels \(6\)"):
        L.GroupNormalization(4)(QUERY)
    half = layer_numbers(L.GroupNormalization(2), QUERY.astype("float16")).outputs[0]
    assert half.dtype == np.float16
