"""ResNet50V2, ResNet101V2 and ResNet152V2: the residual networks that normalize before each convolution."""

from __future__ import annotations

from typing import Any

from kjax.applications import _residual, imagenet_utils
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["ResNet101V2", "ResNet152V2", "ResNet50V2", "decode_predictions", "preprocess_input"]


def ResNet50V2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet50V2, of 25,613,800 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (2016).
    """
    return _residual.build("resnet50v2", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)


def ResNet101V2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet101V2, of 44,675,560 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (2016).
    """
    return _residual.build("resnet101v2", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)


def ResNet152V2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet152V2, of 60,380,648 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (2016).
    """
    return _residual.build("resnet152v2", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
