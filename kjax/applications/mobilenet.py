"""MobileNet: convolutions within a channel and between channels, in turn."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax import layers
from kjax.applications import _frame, _mobile, imagenet_utils
from kjax.applications._weights import Pretrained, named
from kjax.applications.imagenet_utils import decode_predictions
from kjax.layers import DepthwiseConv2D

__all__ = ["DepthwiseConv2D", "MobileNet", "decode_predictions", "preprocess_input", "relu6"]

# Filters and stride of each block.
_BLOCKS = (
    ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2))
    + ((512, 1),) * 5
    + ((1024, 2), (1024, 1))
)  # fmt: skip
_ALPHAS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
_SIZES = (128, 160, 192, 224)


def relu6(x: Any) -> Any:
    """The positive part of `x`, up to 6."""
    return K.relu(x, max_value=6)


def _relu(x: Any, name: str) -> Any:
    return layers.ReLU(6.0, name=f"{name}_relu")(_frame.normalized(x, f"{name}_bn"))


def _block(x: Any, filters: int, depth_multiplier: int, strides: int, number: int) -> Any:
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = DepthwiseConv2D(
        3,
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        strides=strides,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _relu(x, f"conv_dw_{number}")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _relu(x, f"conv_pw_{number}")


def _classifier(dropout: float) -> Any:
    def classifier(x: Any, asked: _frame.Wishes) -> Any:
        count = _frame.count(x)
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Reshape((1, 1, count) if _frame.channels() == 3 else (count, 1, 1), name="reshape_1")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(asked.classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((asked.classes,), name="reshape_2")(x)
        return layers.Activation(asked.activation, name="act_softmax")(x)

    return classifier


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """MobileNet, of 4,253,864 parameters with its classifier.

    Arguments:
        input_shape: shape of an image, at least 32x32; 224x224 with the classifier by default.
        alpha: factor of all numbers of filters.
        depth_multiplier: outputs of each channel in the convolutions within a channel.
        dropout: part of the features that is dropped in front of the classifier.
        include_top: whether the classifier is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Howard et al.: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications (2017).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, _mobile.default_size(input_shape, None, _SIZES), 32)
    rows = _mobile.rows_of(start, asked, alpha, depth_multiplier, (tuple(_ALPHAS), _SIZES))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(start)
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, use_bias=False, name="conv1")(x)
    x = _relu(x, "conv1")
    for number, (filters, strides) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), depth_multiplier, strides, number)
    name = f"mobilenet_{alpha:0.2f}_{rows}"
    return _frame.finish(name, start, x, asked, _classifier(dropout), _pretrained(alpha, rows))


def _pretrained(alpha: float, rows: int | None) -> Pretrained | None:
    if alpha not in _ALPHAS:
        return None
    stem = f"mobilenet_{_ALPHAS[alpha]}_{rows}_tf"
    top, notop = (named("mobilenet", file, file) for file in (f"{stem}.h5", f"{stem}_no_top.h5"))
    return Pretrained(top, notop)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
