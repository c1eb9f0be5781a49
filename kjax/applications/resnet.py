"""ResNet50, ResNet101 and ResNet152 with the layer names of Keras 2.3: `conv2_block1_1_conv`."""

from __future__ import annotations

from typing import Any

from kjax.applications import _residual
from kjax.applications.imagenet_utils import decode_predictions, preprocess_input

__all__ = ["ResNet101", "ResNet152", "ResNet50", "decode_predictions", "preprocess_input"]


def ResNet50(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet50, of 25,636,712 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015).
    """
    return _residual.build("resnet50", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)


def ResNet101(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet101, of 44,707,176 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015).
    """
    return _residual.build("resnet101", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)


def ResNet152(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """ResNet152, of 60,419,944 parameters with its classifier. The arguments are those of `resnet50.ResNet50`.

    Reference:
        He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015).
    """
    return _residual.build("resnet152", include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
