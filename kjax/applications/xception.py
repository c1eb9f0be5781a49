"""Xception: convolutions whose channels and whose places are taken apart, with shortcuts."""

from __future__ import annotations

from typing import Any

from kjax import layers
from kjax.applications import _frame, imagenet_utils
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

_PRETRAINED = stored("xception", "xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")


def _separable(x: Any, filters: int, name: str) -> Any:
    conv = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)
    return _frame.normalized(conv(x), f"{name}_bn")


def _relu(x: Any, name: str) -> Any:
    return layers.Activation("relu", name=f"{name}_act")(x)


def _reduction(x: Any, block: int, first: int, second: int) -> Any:
    """Two separable convolutions and a pooling, beside a convolution of stride 2."""
    past = layers.Conv2D(second, 1, strides=2, padding="same", use_bias=False)(x)
    past = _frame.normalized(past)
    name = f"block{block}_sepconv"
    if block > 2:
        x = _relu(x, f"{name}1")
    x = _separable(x, first, f"{name}1")
    x = _separable(_relu(x, f"{name}2"), second, f"{name}2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return layers.add([x, past])


def _middle(x: Any, block: int) -> Any:
    past = x
    for i in (1, 2, 3):
        name = f"block{block}_sepconv{i}"
        x = _separable(_relu(x, name), 728, name)
    return layers.add([x, past])


def Xception(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """Xception, of 22,910,480 parameters with its classifier.

    Arguments:
        include_top: whether the dense layer at the end is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        input_shape: shape of an image, at least 71x71; 299x299 with the classifier by default.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Chollet: Xception: Deep Learning with Depthwise Separable Convolutions (2016).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = x = _frame.image(asked, 299, 71)
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = _frame.normalized(x, f"{name}_bn", "relu", f"{name}_act")
    for block, filters in ((2, 128), (3, 256), (4, 728)):
        x = _reduction(x, block, filters, filters)
    for block in range(5, 13):
        x = _middle(x, block)
    x = _reduction(x, 13, 728, 1024)
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = _relu(_separable(x, filters, name), name)
    return _frame.finish("xception", start, x, asked, _frame.averaged("predictions"), _PRETRAINED)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
