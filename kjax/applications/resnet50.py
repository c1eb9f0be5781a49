"""ResNet50 as Keras 2.2 had it, with the layer names of its weights: `res2a_branch2a`, `bn2a_branch2a`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kjax import layers
from kjax.applications import _frame
from kjax.applications._weights import File, Pretrained
from kjax.applications.imagenet_utils import decode_predictions, preprocess_input

__all__ = ["ResNet50", "conv_block", "decode_predictions", "identity_block", "preprocess_input"]

_RELEASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/"
_TOP, _NOTOP = (f"resnet50_weights_tf_dim_ordering_tf_kernels{suffix}.h5" for suffix in ("", "_notop"))
_PRETRAINED = Pretrained(
    File(_TOP, _RELEASE + _TOP, "a7b3fe01876f51b976af0dea6bc144eb"),
    File(_NOTOP, _RELEASE + _NOTOP, "a268eb855778b3df3c7506639542a6af"),
)

# Filters and number of blocks of the stages 2 to 5.
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


def _unit(x: Any, filters: int, size: Any, label: str, activation: Any = "relu", **options: Any) -> Any:
    conv = layers.Conv2D(filters, size, kernel_initializer="he_normal", name=f"res{label}", **options)
    return _frame.normalized(conv(x), f"bn{label}", activation)


def _main_path(x: Any, kernel_size: Any, filters: Sequence[int], label: str, strides: Any) -> Any:
    x = _unit(x, filters[0], 1, f"{label}2a", strides=strides)
    x = _unit(x, filters[1], kernel_size, f"{label}2b", padding="same")
    return _unit(x, filters[2], 1, f"{label}2c", None)


def identity_block(input_tensor: Any, kernel_size: Any, filters: Sequence[int], stage: int, block: str) -> Any:
    """A block whose input is added to what three convolutions make of it.

    Arguments:
        input_tensor: of as many channels as the last of `filters`.
        kernel_size: of the second convolution.
        filters: numbers of filters of the three convolutions.
        stage, block: number and letter in the names of the layers.
    """
    x = _main_path(input_tensor, kernel_size, filters, f"{stage}{block}_branch", 1)
    return layers.Activation("relu")(layers.add([x, input_tensor]))


def conv_block(
    input_tensor: Any, kernel_size: Any, filters: Sequence[int], stage: int, block: str, strides: Any = (2, 2)
) -> Any:
    """A block in whose shortcut there is a convolution; the arguments are those of `identity_block`.

    Arguments:
        strides: of the first convolution and the shortcut.
    """
    label = f"{stage}{block}_branch"
    x = _main_path(input_tensor, kernel_size, filters, label, strides)
    shortcut = _unit(input_tensor, filters[2], 1, f"{label}1", None, strides=strides)
    return layers.Activation("relu")(layers.add([x, shortcut]))


def ResNet50(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet50, of 25,636,712 parameters with its classifier. `kjax.applications.resnet` has the one of Keras 2.3.

    Arguments:
        include_top: whether the dense layer at the end is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        input_shape: shape of an image, at least 32x32; 224x224 with the classifier by default.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, 224, 32)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(start)
    x = layers.Conv2D(64, 7, strides=2, kernel_initializer="he_normal", name="conv1")(x)
    x = _frame.normalized(x, "bn_conv1", "relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, (width, depth) in enumerate(_STAGES, 2):
        filters = (width, width, 4 * width)
        x = conv_block(x, 3, filters, stage, "a", strides=1 if stage == 2 else 2)
        for block in "bcdef"[: depth - 1]:
            x = identity_block(x, 3, filters, stage, block)
    return _frame.finish("resnet50", start, x, asked, _frame.averaged("fc1000"), _PRETRAINED)
