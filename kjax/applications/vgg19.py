"""VGG19: sixteen convolutions of 3x3 and three dense layers."""

from __future__ import annotations

from typing import Any

from kjax.applications import _vgg
from kjax.applications._frame import wishes
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_PRETRAINED = stored("vgg19", "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6")


def VGG19(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """VGG19, of 143,667,240 parameters with its classifier.

    The arguments are those of `VGG16`.

    Reference:
        Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition (2014).
    """
    asked = wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    return _vgg.build("vgg19", (2, 2, 4, 4, 4), asked, _PRETRAINED)
