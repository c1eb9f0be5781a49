"""MobileNetV2: blocks that widen, look at places, and narrow again."""

from __future__ import annotations

from typing import Any

from kjax import layers
from kjax.applications import _frame, _mobile, imagenet_utils
from kjax.applications._weights import Pretrained, named
from kjax.applications.imagenet_utils import correct_pad, decode_predictions

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Filters and stride of each block. The first one does not widen.
_BLOCKS = (
    ((16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2))
    + ((64, 1),) * 3
    + ((96, 1),) * 3
    + ((160, 2), (160, 1), (160, 1), (320, 1))
)  # fmt: skip
_WIDENING = 6
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """`v` rounded to a multiple of `divisor`, but not down by more than a tenth."""
    rounded = max(min_value or divisor, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded


def _normalized(x: Any, name: str) -> Any:
    return _frame.normalized(x, name, epsilon=1e-3, momentum=0.999)


def _block(x: Any, filters: int, strides: int, number: int) -> Any:
    past, width = x, _frame.count(x)
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(_WIDENING * width, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = layers.ReLU(6.0, name=f"{name}expand_relu")(_normalized(x, f"{name}expand_BN"))
    if strides > 1:
        x = layers.ZeroPadding2D(correct_pad(x, 3), name=f"{name}pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=strides, use_bias=False, padding=padding, name=f"{name}depthwise")(x)
    x = layers.ReLU(6.0, name=f"{name}depthwise_relu")(_normalized(x, f"{name}depthwise_BN"))
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _normalized(x, f"{name}project_BN")
    return layers.Add(name=f"{name}add")([past, x]) if width == filters and strides == 1 else x


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """MobileNetV2, of 3,538,984 parameters with its classifier.

    Arguments:
        input_shape: shape of an image, at least 32x32; 224x224 with the classifier by default.
        alpha: factor of the numbers of filters, which are rounded to multiples of 8.
        depth_multiplier: must be 1 for ImageNet weights; it changes nothing.
        include_top, weights, input_tensor, pooling, classes: see `MobileNet`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018).
    """
    if not isinstance(depth_multiplier, int):  # Keras 2.2.5 left it out: what follows it moves up
        raise ValueError(f"`depth_multiplier` must be an integer. Found: {depth_multiplier!r}")
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, _mobile.default_size(input_shape, input_tensor, _SIZES), 32)
    rows = _mobile.rows_of(start, asked, alpha, depth_multiplier, (_ALPHAS, _SIZES))
    x = layers.ZeroPadding2D(correct_pad(start, 3), name="Conv1_pad")(start)
    x = layers.Conv2D(_make_divisible(32 * alpha, 8), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(_normalized(x, "bn_Conv1"))
    for number, (filters, strides) in enumerate(_BLOCKS):
        x = _block(x, _make_divisible(int(filters * alpha), 8), strides, number)
    last = _make_divisible(1280 * alpha, 8) if alpha > 1 else 1280
    x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = layers.ReLU(6.0, name="out_relu")(_normalized(x, "Conv_1_bn"))
    name = f"mobilenetv2_{alpha:0.2f}_{rows}"
    return _frame.finish(name, start, x, asked, _frame.averaged("Logits", None), _pretrained(alpha, rows))


def _pretrained(alpha: float, rows: int | None) -> Pretrained:
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    top, notop = (named("mobilenet_v2", file, file) for file in (f"{stem}.h5", f"{stem}_no_top.h5"))
    return Pretrained(top, notop)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
