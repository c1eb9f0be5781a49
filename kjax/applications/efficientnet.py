"""EfficientNet: blocks of MobileNetV2 that weigh their channels, in eight sizes of width, depth and image."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax import layers
from kjax.applications import _frame
from kjax.applications._weights import File, Pretrained
from kjax.applications.imagenet_utils import correct_pad, decode_predictions

__all__ = [
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "decode_predictions", "preprocess_input",
]  # fmt: skip

# Kernel, number of blocks, filters, factor by which a block widens, and stride of the first block.
_GROUPS = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
_SQUEEZE = 0.25
_DROP_BLOCK = 0.2
# Factors of width and depth, the size of images, the classifier's dropout, and md5 sums of the weights.
_SIZES = {
    "b0": (1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "b1": (1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "b2": (1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "b3": (1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "b4": (1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "b5": (1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "b6": (1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "b7": (2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
_DEVIATIONS = (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue
_STORE = "https://storage.googleapis.com/keras-applications"

_SPREAD = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
_EVEN = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}}


def _rounded(filters: float) -> int:
    """A multiple of 8, but not less than nine tenths."""
    found = max(8, int(filters + 4) // 8 * 8)
    return found + 8 if found < 0.9 * filters else found


def _conv(x: Any, filters: int, size: int, name: str, **options: Any) -> Any:
    options = {"padding": "same", "use_bias": False, **options}
    return layers.Conv2D(filters, size, kernel_initializer=_SPREAD, name=name, **options)(x)


def _swished(x: Any, name: str, stem: str) -> Any:
    return _frame.normalized(x, f"{name}bn", "swish", f"{stem}activation")


def _weighed(x: Any, name: str, filters: int) -> Any:
    """Channels multiplied by what the mean of all of them tells."""
    wide = _frame.count(x)
    shape = (1, 1, wide) if _frame.channels() == 3 else (wide, 1, 1)
    mean = layers.Reshape(shape, name=f"{name}se_reshape")(layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x))
    mean = _conv(mean, filters, 1, f"{name}se_reduce", use_bias=True, activation="swish")
    mean = _conv(mean, wide, 1, f"{name}se_expand", use_bias=True, activation="sigmoid")
    return layers.multiply([x, mean], name=f"{name}se_excite")


def _block(start: Any, size: int, filters: int, widening: int, strides: int, drop: float, name: str) -> Any:
    x, narrow = start, _frame.count(start)
    if widening != 1:
        x = _conv(x, narrow * widening, 1, f"{name}expand_conv")
        x = _swished(x, f"{name}expand_", f"{name}expand_")
    if strides == 2:
        x = layers.ZeroPadding2D(correct_pad(x, size), name=f"{name}dwconv_pad")(x)
    padding = "valid" if strides == 2 else "same"
    x = layers.DepthwiseConv2D(
        size, strides=strides, padding=padding, use_bias=False, depthwise_initializer=_SPREAD, name=f"{name}dwconv"
    )(x)
    x = _weighed(_swished(x, name, name), name, max(1, int(narrow * _SQUEEZE)))
    x = _frame.normalized(_conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    if strides != 1 or narrow != filters:
        return x
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.add([x, start], name=f"{name}add")


def _classifier(dropout: float) -> Callable[[Any, _frame.Wishes], Any]:
    def classifier(x: Any, asked: _frame.Wishes) -> Any:
        x = layers.Dropout(dropout, name="top_dropout")(layers.GlobalAveragePooling2D(name="avg_pool")(x))
        return layers.Dense(asked.classes, asked.activation, kernel_initializer=_EVEN, name="predictions")(x)

    return classifier


def _network(
    size: str,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    width, depth, rows, dropout, *sums = _SIZES[size]
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, rows, 32)
    x = layers.Rescaling(1 / 255, name="rescaling")(start)
    x = layers.Normalization(axis=_frame.channels(), name="normalization")(x)
    if weights == "imagenet":
        x = layers.Rescaling((1 / np.sqrt(_DEVIATIONS)).tolist(), name="rescaling_1")(x)
    x = layers.ZeroPadding2D(correct_pad(x, 3), name="stem_conv_pad")(x)
    x = _swished(_conv(x, _rounded(32 * width), 3, "stem_conv", strides=2, padding="valid"), "stem_", "stem_")
    numbers = [math.ceil(depth * group[1]) for group in _GROUPS]
    done = 0
    for group, (kernel, _, filters, widening, strides) in enumerate(_GROUPS):
        for number in range(numbers[group]):
            name = f"block{group + 1}{chr(ord('a') + number)}_"
            drop = _DROP_BLOCK * done / sum(numbers)
            x = _block(x, kernel, _rounded(filters * width), widening, 1 if number else strides, drop, name)
            done += 1
    x = _swished(_conv(x, _rounded(1280 * width), 1, "top_conv"), "top_", "top_")
    name = f"efficientnet{size}"
    files = [File(f, f"{_STORE}/{f}", md5) for f, md5 in zip((f"{name}.h5", f"{name}_notop.h5"), sums, strict=True)]
    return _frame.finish(name, start, x, asked, _classifier(dropout), Pretrained(*files), pool_names=True)


def _of(size: str) -> Callable[..., Any]:
    @functools.wraps(_network, assigned=())
    def network(*args: Any, **kwargs: Any) -> Any:
        return _network(size, *args, **kwargs)

    network.__name__ = network.__qualname__ = f"EfficientNet{size.upper()}"
    network.__doc__ = f"""EfficientNet{size.upper()}, for images of {_SIZES[size][2]} rows with values from 0 to 255.

    Arguments:
        include_top, weights, input_tensor, input_shape, pooling, classes: see `MobileNet`. `classifier_activation` is
            that of the classifier.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Tan and Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (2019).
    """
    return network


EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3 = (_of(size) for size in ("b0", "b1", "b2", "b3"))
EfficientNetB4, EfficientNetB5, EfficientNetB6, EfficientNetB7 = (_of(size) for size in ("b4", "b5", "b6", "b7"))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """`x` itself: the network brings 0 to 255 to its range by itself."""
    return x
