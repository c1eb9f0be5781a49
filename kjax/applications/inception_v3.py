"""InceptionV3: several convolutions beside each other, in eleven mixed blocks."""

from __future__ import annotations

from typing import Any

from kjax import layers
from kjax.applications import _frame, imagenet_utils
from kjax.applications._inception import MAX, MEAN, STEM, chain, convolution, joined, mixed
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["InceptionV3", "conv2d_bn", "decode_predictions", "preprocess_input"]

_PRETRAINED = stored(
    "inception_v3", "inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"
)


def _large(pooled: int) -> Any:
    return (
        ((64, 1, 1),),
        ((48, 1, 1), (64, 5, 5)),
        ((64, 1, 1), (96, 3, 3), (96, 3, 3)),
        (MEAN, (pooled, 1, 1)),
    )


def _middle(n: int) -> Any:
    return (
        ((192, 1, 1),),
        ((n, 1, 1), (n, 1, 7), (192, 7, 1)),
        ((n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)),
        (MEAN, (192, 1, 1)),
    )


_BLOCKS = (
    _large(32),
    _large(64),
    _large(64),
    (((384, 3, 3, 2, "valid"),), ((64, 1, 1), (96, 3, 3), (96, 3, 3, 2, "valid")), (MAX,)),
    _middle(128),
    _middle(160),
    _middle(160),
    _middle(192),
    (
        ((192, 1, 1), (320, 3, 3, 2, "valid")),
        ((192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2, "valid")),
        (MAX,),
    ),
)


def conv2d_bn(
    x: Any,
    filters: int,
    num_row: int,
    num_col: int,
    padding: str = "same",
    strides: Any = (1, 1),
    name: str | None = None,
) -> Any:
    """A convolution without bias, a batch normalization without scale, and relu.

    Arguments:
        num_row, num_col: size of the kernel.
        name: of the activation; the others add `_conv` and `_bn`.
    """
    conv_name, bn_name = (None, None) if name is None else (f"{name}_conv", f"{name}_bn")
    conv = layers.Conv2D(filters, (num_row, num_col), strides=strides, padding=padding, use_bias=False, name=conv_name)
    return _frame.normalized(conv(x), bn_name, "relu", name, scale=False)


def _last_block(x: Any, number: int) -> Any:
    """The blocks 9 and 10, in which two chains fork."""
    first = convolution(x, 320, 1, 1)
    stem = convolution(x, 384, 1, 1)
    second = joined([convolution(stem, 384, 1, 3), convolution(stem, 384, 3, 1)], f"mixed9_{number - 9}")
    stem = chain(x, ((448, 1, 1), (384, 3, 3)))
    third = joined([convolution(stem, 384, 1, 3), convolution(stem, 384, 3, 1)])
    return joined([first, second, third, chain(x, (MEAN, (192, 1, 1)))], f"mixed{number}")


def InceptionV3(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """InceptionV3, of 23,851,784 parameters with its classifier.

    Arguments:
        include_top: whether the dense layer at the end is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        input_shape: shape of an image, at least 75x75; 299x299 with the classifier by default.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer Vision (2015).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, 299, 75)
    x = chain(start, STEM)
    for number, block in enumerate(_BLOCKS):
        x = mixed(x, block, f"mixed{number}")
    for number in (9, 10):
        x = _last_block(x, number)
    return _frame.finish("inception_v3", start, x, asked, _frame.averaged("predictions"), _PRETRAINED)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
