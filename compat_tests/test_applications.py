"""Applications: sizes as published, names as in Keras 2.2, outputs as today's Keras computes them."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import jax
import numpy as np
import pytest

import kjax
from compat_tests import today
from kjax import applications, models
from kjax import backend as K
from kjax.applications import _weights, imagenet_utils
from kjax.compat import alias
from kjax.datasets import _download
from kjax.layers import Input

# Parameters with the classifier, and layers without it, as published. Those whose parts are compared below and that
# take long to build are not among them.
PUBLISHED = {
    "EfficientNetB0": (5_330_571, 237),
    "InceptionResNetV2": (55_873_736, 780),
    "InceptionV3": (23_851_784, 311),
    "MobileNet": (4_253_864, 87),
    "MobileNetV2": (3_538_984, 155),
    "MobileNetV3Small": (2_554_968, 229),
    "ResNet50": (25_636_712, 175),
    "ResNet50V2": (25_613_800, 190),
    "Xception": (22_910_480, 132),
}
# Layers of the classifier.
HEADS = {"EfficientNetB0": 3, "MobileNet": 6, "MobileNetV3Small": 10}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_size_is_the_published_one(name: str) -> None:
    model = getattr(applications, name)(weights=None)
    count, layers = PUBLISHED[name]
    assert model.count_params() == count
    assert len(model.layers) == layers + HEADS.get(name, 2)
    assert model.output_shape == (None, 1000)


@pytest.mark.parametrize(("name", "count"), [("VGG16", 14_714_688), ("VGG19", 20_024_384)])
def test_vgg_without_its_dense_layers(name: str, count: int) -> None:
    model = getattr(applications, name)(weights=None, include_top=False)
    assert model.count_params() == count
    assert model.output_shape == (None, None, None, 512)
    assert model.layers[1].name == "block1_conv1"
    assert model.layers[-1].name == "block5_pool"


def test_names_of_resnet50_are_those_of_keras_2() -> None:
    model = applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3), pooling="avg")
    names = [layer.name for layer in model.layers if layer.weights]
    assert names[:2] == ["conv1", "bn_conv1"]
    # The order of the layers in the published file: the shortcut comes after the third convolution.
    assert names[6:10] == ["res2a_branch2c", "res2a_branch1", "bn2a_branch2c", "bn2a_branch1"]
    assert names[-2:] == ["res5c_branch2c", "bn5c_branch2c"]
    assert model.name == "resnet50"
    assert model.output_shape == (None, 2048)


def noise(weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights under which every normalization does something."""
    random = np.random.RandomState(3)
    return [w if w.ndim > 1 else random.uniform(0.5, 1.5, w.shape).astype("float32") for w in weights]


def nested(package: Any) -> Any:
    """Keras 3 exports what scripts used; the functions behind are in its source tree."""
    return package.src.applications if hasattr(package, "src") else package.applications


SMALL = {
    "MobileNet": lambda package: nested(package).mobilenet.MobileNet(
        (32, 32, 3), alpha=0.25, depth_multiplier=2, weights=None, classes=7
    ),
    "DenseNet": lambda package: nested(package).densenet.DenseNet(
        [1, 2, 1, 1], weights=None, input_shape=(33, 33, 3), classes=7
    ),
}


@pytest.mark.lenient
@pytest.mark.parametrize("name", sorted(SMALL))
def test_outputs_are_those_of_todays_keras(name: str) -> None:
    import kjax

    theirs, ours = SMALL[name](today.keras()), SMALL[name](kjax)
    weights = noise([np.asarray(w.value) for w in theirs.weights])
    theirs.set_weights(weights)
    ours.set_weights(weights)
    x = np.random.RandomState(4).uniform(-1, 1, (2, *ours.input_shape[1:])).astype("float32")
    state = [v.value for v in theirs.trainable_variables], [v.value for v in theirs.non_trainable_variables]
    program = jax.jit(lambda *a: theirs.stateless_call(*a, training=False)[0])
    quick = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    expected = np.asarray(program.lower(*state, x).compile(quick)(*state, x))
    assert expected.std() > 1e-4
    np.testing.assert_allclose(ours.predict(x), expected, rtol=1e-4, atol=1e-5)


# What today's Keras 3 gives for the weights of `drawn` and pixels of seed 4; it takes long to build them.
RECORDED: dict[str, tuple[Any, list[float]]] = {
    "MobileNetV3Small": (
        lambda: applications.MobileNetV3Small(
            (32, 33, 3), alpha=0.25, weights=None, classes=7, classifier_activation="linear"
        ),
        [26.063858, 58.8653641, -6.1901102, 47.5082016, -45.8527679, -5.4614706, -20.430233],
    ),
}


def drawn(weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights under which numbers neither vanish nor grow, from shapes alone."""
    random = np.random.RandomState(3)
    fans = [w[..., 0].size if w.ndim > 1 and w.shape[-1] > 1 else 9 for w in weights]
    spans = [
        (0.5, 1.5) if w.ndim < 2 else (-((6 / n) ** 0.5), (6 / n) ** 0.5) for w, n in zip(weights, fans, strict=True)
    ]
    return [random.uniform(*span, w.shape).astype(w.dtype) for w, span in zip(weights, spans, strict=True)]


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_outputs_are_those_recorded_of_todays_keras(name: str) -> None:
    make, expected = RECORDED[name]
    model = make()
    model.set_weights(drawn(model.get_weights()))
    x = np.random.RandomState(4).uniform(0, 255, (1, *model.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(model.predict(x)[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("symbolic", [False, True])
def test_preprocessing(data_format: str, symbolic: bool) -> None:
    rgb = np.random.RandomState(0).uniform(0, 255, (2, 4, 5, 3))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = {
        "tf": rgb / 127.5 - 1,
        "torch": (rgb / 255 - mean) / std,
        "caffe": np.stack([rgb[..., 2] - 103.939, rgb[..., 1] - 116.779, rgb[..., 0] - 123.68], -1),
    }
    first = data_format == "channels_first"
    for mode, numbers in expected.items():
        x = (np.moveaxis(rgb, -1, 1) if first else rgb).astype("float32")
        if symbolic:
            tensor = K.placeholder(x.shape)
            done = imagenet_utils.preprocess_input(tensor, data_format, mode=mode)
            (got,) = K.function([tensor], [done])([x])
        else:
            got = imagenet_utils.preprocess_input(x.copy(), data_format, mode=mode)
            one = imagenet_utils.preprocess_input(x[0].copy(), data_format, mode=mode)
            np.testing.assert_array_equal(one, got[0])
        np.testing.assert_allclose(np.moveaxis(got, 1, -1) if first else got, numbers, atol=2e-4)


def test_preprocessing_of_integers_makes_floats_and_floats_are_written_over() -> None:
    pixels = np.array([[[0, 51, 255]]], "uint8")
    got = applications.mobilenet.preprocess_input(pixels)
    np.testing.assert_allclose(got, [[[-1, -0.6, 1]]], atol=1e-6)
    assert got.dtype == np.float32
    assert pixels[0, 0, 2] == 255
    floats = pixels.astype("float32")
    assert applications.xception.preprocess_input(floats) is floats
    with pytest.raises(ValueError, match="Unknown data_format"):
        imagenet_utils.preprocess_input(floats, data_format="last")


def test_predictions_are_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {str(i): [f"n{i:08d}", f"thing_{i}"] for i in range(1000)}
    path = tmp_path / "index.json"
    path.write_text(json.dumps(names))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", {})
    monkeypatch.setattr(_weights, "get_file", lambda *args, **kwargs: str(path))
    predictions = np.zeros((2, 1000), "float32")
    predictions[0, [7, 3, 900]] = 0.5, 0.3, 0.2
    predictions[1, 42] = 1
    decoded = applications.vgg16.decode_predictions(predictions, top=3)
    assert [name for _, name, _ in decoded[0]] == ["thing_7", "thing_3", "thing_900"]
    assert decoded[1][0] == ("n00000042", "thing_42", 1.0)
    with pytest.raises(ValueError, match=re.escape("(samples, 1000)). Found array with shape: (2, 10)")):
        imagenet_utils.decode_predictions(predictions[:, :10])


def test_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "reachable", lambda *args: False)
    with pytest.raises(OSError, match=r"no network.*put it here as .*models.mobilenet_2_5_128_tf_no_top\.h5"):
        applications.MobileNet(input_shape=(128, 128, 3), alpha=0.25, include_top=False)


def test_which_weights_are_loaded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    loaded: list[str] = []

    def get_file(name: str, origin: str, **kwargs: Any) -> str:
        asked.append((name, origin.rsplit("/", 1)[-1], kwargs["file_hash"]))
        return f"there/{name}"

    monkeypatch.setattr(_weights, "get_file", get_file)
    monkeypatch.setattr(models.Model, "load_weights", lambda self, path, **kwargs: loaded.append(path))
    applications.MobileNet(alpha=0.25)
    assert asked.pop() == ("mobilenet_2_5_224_tf.h5", "mobilenet_2_5_224_tf.h5", None)
    applications.VGG16(include_top=False)
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert asked.pop() == (name, name, "6d6bbae143d832006294945121d1f1fc")
    applications.MobileNetV3Small(minimalistic=True, include_top=False)
    third = "weights_mobilenet_v3_small_minimalistic_224_1.0_float_no_top_v2.h5"
    assert asked.pop() == (third, third, "cde8136e733e811080d9fcd8a252f7e4")
    path = tmp_path / "mine.h5"
    path.touch()
    applications.MobileNet((32, 32, 3), alpha=0.25, weights=str(path), classes=3)
    assert loaded == ["there/mobilenet_2_5_224_tf.h5", f"there/{name}", f"there/{third}", str(path)]
    assert not asked


def test_weights_of_a_file(tmp_path: pathlib.Path) -> None:
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.25, "classes": 3}
    saved = applications.MobileNet(**arguments, weights=None)
    saved.set_weights(noise(saved.get_weights()))
    path = str(tmp_path / "mine.h5")
    saved.save_weights(path)
    loaded = applications.MobileNet(**arguments, weights=path)
    for ours, theirs in zip(loaded.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    bare = applications.MobileNet((32, 32, 3), alpha=0.25, include_top=False, weights=None)
    bare.load_weights(path, by_name=True)
    np.testing.assert_array_equal(bare.get_weights()[-1], saved.get_weights()[-3])


def test_a_model_on_a_tensor() -> None:
    image = Input((40, 40, 1))
    with pytest.warns(UserWarning, match="expects 1 or 3 input channels"):
        imagenet_utils._obtain_input_shape((40, 40, 2), 224, 32, "channels_last", False)
    base = applications.MobileNet(weights=None, alpha=0.25, input_tensor=image, include_top=False, pooling="max")
    assert base.input is image
    assert base.output_shape == (None, 256)


def test_a_model_on_computed_images() -> None:
    style, target = np.random.RandomState(0).rand(2, 1, 32, 32, 3).astype("float32")
    generated = K.placeholder(shape=(1, 32, 32, 3))
    images = K.concatenate([K.variable(style), K.constant(target), generated], axis=0)
    base = applications.MobileNet(weights=None, alpha=0.25, input_tensor=images, include_top=False)
    assert base.input is images
    features = base.get_layer("conv1").output
    loss = K.sum(K.square(features[0] - features[2]))
    both = K.function([generated], [loss, K.gradients(loss, generated)[0]])
    assert both([style])[0] == 0
    value, slope = both([target])
    assert value > 0
    assert slope.shape == (1, 32, 32, 3)
    assert np.abs(slope).max() > 0
    assert base.predict(np.concatenate([style, target])).shape == (2, 1, 1, 256)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"weights": "imagnet"}, "`weights` argument should be either"),
        ({"classes": 10}, "`classes` should be 1000"),
        ({"weights": None, "input_shape": (16, 16, 3)}, "at least 32x32; got `input_shape=(16, 16, 3)`"),
        ({"weights": None, "input_shape": (32, 32)}, "tuple of three integers"),
        ({"weights": None, "input_shape": (None, None, 3)}, "specify a static `input_shape`"),
        ({"input_shape": (160, 160, 3)}, "`input_shape` should be (224, 224, 3)"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        applications.VGG16(**arguments)


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="'poling'"):
        applications.ResNet50(weights=None, poling="avg")


def test_what_networks_of_others_use_of_keras_applications() -> None:
    with alias():
        import keras_applications  # pyright: ignore[reportMissingImports]

        modules = {"backend": kjax.backend, "layers": kjax.layers, "models": kjax.models, "utils": kjax.utils}
        assert keras_applications.get_submodules_from_kwargs({}) == tuple(modules.values())
        assert keras_applications.get_submodules_from_kwargs({"layers": "mine"})[1] == "mine"
        with pytest.raises(TypeError, match="'level'"):
            keras_applications.get_submodules_from_kwargs({"level": 1})
        padding = keras_applications.correct_pad(kjax.backend, kjax.layers.Input((8, 9, 3)), (3, 5))
    # An even length is padded by one less in front, so that the last cell is seen.
    assert padding == ((0, 1), (2, 2))
