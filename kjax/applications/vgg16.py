"""VGG16: thirteen convolutions of 3x3 and three dense layers."""

from __future__ import annotations

from typing import Any

from kjax.applications import _vgg
from kjax.applications._frame import wishes
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_PRETRAINED = stored("vgg16", "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc")


def VGG16(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """VGG16, of 138,357,544 parameters with its classifier.

    Arguments:
        include_top: whether the three dense layers at the end are part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        input_shape: shape of an image, at least 32x32; 224x224 with the classifier by default.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition (2014).
    """
    asked = wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    return _vgg.build("vgg16", (2, 2, 3, 3, 3), asked, _PRETRAINED)
