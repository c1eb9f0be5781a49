"""InceptionResNetV2: inception blocks whose input is added to what they make of it."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax import layers
from kjax.applications import _frame, imagenet_utils
from kjax.applications._inception import MAX, MEAN, STEM, chain, mixed
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input", "scaled_sum"]

_PRETRAINED = stored(
    "inception_resnet_v2",
    "inception_resnet_v2",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
)

_MIXED_5B = (
    ((96, 1, 1),),
    ((48, 1, 1), (64, 5, 5)),
    ((64, 1, 1), (96, 3, 3), (96, 3, 3)),
    (MEAN, (64, 1, 1)),
)
_MIXED_6A = (
    ((384, 3, 3, 2, "valid"),),
    ((256, 1, 1), (256, 3, 3), (384, 3, 3, 2, "valid")),
    (MAX,),
)
_MIXED_7A = (
    ((256, 1, 1), (384, 3, 3, 2, "valid")),
    ((256, 1, 1), (288, 3, 3, 2, "valid")),
    ((256, 1, 1), (288, 3, 3), (320, 3, 3, 2, "valid")),
    (MAX,),
)
# The chains of the residual blocks.
_CHAINS = {
    "block35": (((32, 1, 1),), ((32, 1, 1), (32, 3, 3)), ((32, 1, 1), (48, 3, 3), (64, 3, 3))),
    "block17": (((192, 1, 1),), ((128, 1, 1), (160, 1, 7), (192, 7, 1))),
    "block8": (((192, 1, 1),), ((192, 1, 1), (224, 1, 3), (256, 3, 1))),
}


def scaled_sum(inputs: Any, scale: float) -> Any:
    """The first of two tensors plus `scale` times the second. A saved model needs it among the custom objects."""
    return inputs[0] + inputs[1] * scale


def _residual(x: Any, kind: str, number: int, scale: float, activation: str | None = "relu") -> Any:
    name = f"{kind}_{number}"
    side = mixed(x, _CHAINS[kind], f"{name}_mixed")
    side = layers.Conv2D(_frame.count(x), 1, padding="same", name=f"{name}_conv")(side)
    x = layers.Lambda(scaled_sum, K.int_shape(x)[1:], arguments={"scale": scale}, name=name)([x, side])
    return x if activation is None else layers.Activation(activation, name=f"{name}_ac")(x)


def InceptionResNetV2(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """InceptionResNetV2, of 55,873,736 parameters with its classifier. The arguments are those of `InceptionV3`.

    Reference:
        Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual Connections on
        Learning (2016).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, 299, 75)
    x = mixed(chain(start, STEM), _MIXED_5B, "mixed_5b")
    for number in range(1, 11):
        x = _residual(x, "block35", number, 0.17)
    x = mixed(x, _MIXED_6A, "mixed_6a")
    for number in range(1, 21):
        x = _residual(x, "block17", number, 0.1)
    x = mixed(x, _MIXED_7A, "mixed_7a")
    for number in range(1, 10):
        x = _residual(x, "block8", number, 0.2)
    x = _residual(x, "block8", 10, 1.0, activation=None)
    x = layers.Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
    x = _frame.normalized(x, "conv_7b_bn", "relu", "conv_7b_ac", scale=False)
    return _frame.finish("inception_resnet_v2", start, x, asked, _frame.averaged("predictions"), _PRETRAINED)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
