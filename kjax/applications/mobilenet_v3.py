"""MobileNetV3: the blocks of MobileNetV2, some with shares for the channels, and cheaper activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kjax import layers
from kjax.applications import _frame
from kjax.applications._weights import File, Pretrained
from kjax.applications.imagenet_utils import correct_pad, decode_predictions
from kjax.applications.mobilenet_v2 import _make_divisible

# The constructors stand in `kjax.applications`, as in tf.keras, whose module has only these two.
__all__ = ["decode_predictions", "preprocess_input"]

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v3"

# md5 sums of the weights with and without the classifier.
_MD5 = {
    "large_224_0.75": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


class _Block(NamedTuple):
    """How often wider inside, channels, size of the kernel, stride, whether with shares, whether with hard swish."""

    widening: float
    filters: int
    kernel: int
    strides: int
    excited: bool
    swish: bool


_SMALL = (
    _Block(1, 16, 3, 2, True, False),
    _Block(72 / 16, 24, 3, 2, False, False),
    _Block(88 / 24, 24, 3, 1, False, False),
    _Block(4, 40, 5, 2, True, True),
    *((_Block(6, 40, 5, 1, True, True),) * 2),
    *((_Block(3, 48, 5, 1, True, True),) * 2),
    _Block(6, 96, 5, 2, True, True),
    *((_Block(6, 96, 5, 1, True, True),) * 2),
)
_LARGE = (
    _Block(1, 16, 3, 1, False, False),
    _Block(4, 24, 3, 2, False, False),
    _Block(3, 24, 3, 1, False, False),
    _Block(3, 40, 5, 2, True, False),
    *((_Block(3, 40, 5, 1, True, False),) * 2),
    _Block(6, 80, 3, 2, False, True),
    _Block(2.5, 80, 3, 1, False, True),
    *((_Block(2.3, 80, 3, 1, False, True),) * 2),
    *((_Block(6, 112, 3, 1, True, True),) * 2),
    _Block(6, 160, 5, 2, True, True),
    *((_Block(6, 160, 5, 1, True, True),) * 2),
)
_SQUEEZE = 0.25


def _depth(filters: float) -> int:
    return _make_divisible(filters, 8)


def _hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`, in as many layers as tf.keras makes of it: some scripts count them."""
    return layers.Rescaling(1 / 6)(layers.ReLU(6.0)(layers.Rescaling(1.0, 3.0)(x)))


def _hard_swish(x: Any) -> Any:
    return layers.Multiply()([x, _hard_sigmoid(x)])


def _relu(x: Any) -> Any:
    return layers.ReLU()(x)


def _normalized(x: Any, name: str) -> Any:
    return _frame.normalized(x, f"{name}/BatchNorm", epsilon=1e-3, momentum=0.999)


def _convolved(x: Any, filters: int, name: str, **options: Any) -> Any:
    options = {"kernel_size": 1, "padding": "same", **options}
    return layers.Conv2D(filters, name=name, **options)(x)


def _excited(x: Any, prefix: str) -> Any:
    """Each channel times a share that follows from the means of all."""
    width, name = _frame.count(x), f"{prefix}squeeze_excite/"
    share = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}AvgPool")(x)
    share = _convolved(share, _depth(width * _SQUEEZE), f"{name}Conv")
    share = layers.ReLU(name=f"{name}Relu")(share)
    share = _hard_sigmoid(_convolved(share, width, f"{name}Conv_1"))
    return layers.Multiply(name=f"{name}Mul")([x, share])


def _block(x: Any, block: _Block, filters: int, number: int, activation: Callable[[Any], Any]) -> Any:
    past, width = x, _frame.count(x)
    prefix = f"expanded_conv_{number}/" if number else "expanded_conv/"
    if number:
        x = _convolved(x, _depth(width * block.widening), f"{prefix}expand", use_bias=False)
        x = activation(_normalized(x, f"{prefix}expand"))
    if block.strides == 2:
        x = layers.ZeroPadding2D(correct_pad(x, block.kernel), name=f"{prefix}depthwise/pad")(x)
    padding = "same" if block.strides == 1 else "valid"
    x = layers.DepthwiseConv2D(
        block.kernel, strides=block.strides, padding=padding, use_bias=False, name=f"{prefix}depthwise"
    )(x)
    x = activation(_normalized(x, f"{prefix}depthwise"))
    x = _excited(x, prefix) if block.excited else x
    x = _normalized(_convolved(x, filters, f"{prefix}project", use_bias=False), f"{prefix}project")
    return layers.Add(name=f"{prefix}Add")([past, x]) if width == filters and block.strides == 1 else x


def _classifier(filters: int, dropout: float, activation: Callable[[Any], Any]) -> Callable[..., Any]:
    def classifier(x: Any, asked: _frame.Wishes) -> Any:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = activation(_convolved(x, filters, "Conv_2"))
        x = layers.Dropout(dropout)(x) if dropout > 0 else x
        x = layers.Flatten()(_convolved(x, asked.classes, "Logits"))
        return layers.Activation(asked.activation, name="Predictions")(x)

    return classifier


class _Kind(NamedTuple):
    """What a call asks for beside the arguments of all applications: see `MobileNetV3Small`."""

    name: str
    blocks: tuple[_Block, ...]
    last: int
    alpha: float
    minimalistic: bool
    dropout: float
    preprocessing: bool


def _network(kind: _Kind, asked: _frame.Wishes) -> Any:
    """The network of a kind: any size of images of at least 32x32, with the classifier too."""
    _check_alpha(kind, asked.weights)
    start = x = _frame.image(asked._replace(include_top=False), 224, 32)
    swish = _relu if kind.minimalistic else _hard_swish
    if kind.preprocessing:
        x = layers.Rescaling(1 / 127.5, -1.0)(x)
    x = swish(_normalized(_convolved(x, 16, "Conv", kernel_size=3, strides=2, use_bias=False), "Conv"))
    for number, block in enumerate(kind.blocks):
        if kind.minimalistic:
            block = block._replace(kernel=3, excited=False)
        x = _block(x, block, _depth(block.filters * kind.alpha), number, swish if block.swish else _relu)
    x = _convolved(x, _depth(_frame.count(x) * 6), "Conv_1", use_bias=False)
    x = swish(_normalized(x, "Conv_1"))
    last = _depth(kind.last * kind.alpha) if kind.alpha > 1 else kind.last
    name, classifier = f"MobilenetV3{kind.name}", _classifier(last, kind.dropout, swish)
    return _frame.finish(name, start, x, asked, classifier, _pretrained(kind), pool_names=True)


def _check_alpha(kind: _Kind, weights: str | None) -> None:
    alphas = (1.0,) if kind.minimalistic else (0.75, 1.0)
    if weights == "imagenet" and kind.alpha not in alphas:
        raise ValueError(
            "If imagenet weights are being loaded, alpha can be one of `0.75`, `1.0` for non minimalistic or `1.0` for "
            f"minimalistic only. Found: alpha={kind.alpha}, minimalistic={kind.minimalistic}"
        )


def _pretrained(kind: _Kind) -> Pretrained | None:
    stem = f"{kind.name}{'_minimalistic' if kind.minimalistic else ''}_224_{float(kind.alpha)}"
    if stem not in _MD5:
        return None
    files = (f"weights_mobilenet_v3_{stem}_float{suffix}.h5" for suffix in ("", "_no_top_v2"))
    top, notop = (File(file, f"{_STORE}/{file}", md5) for file, md5 in zip(files, _MD5[stem], strict=True))
    return Pretrained(top, notop)


def MobileNetV3Small(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """MobileNetV3Small, of 2,554,968 parameters with its classifier, for pixels from 0 to 255.

    Arguments:
        input_shape: shape of an image, at least 32x32; any size by default.
        alpha: factor of the numbers of filters, which are rounded to multiples of 8.
        minimalistic: whether to leave out kernels of 5x5, hard swish, and the shares for the channels.
        dropout_rate: dropout before the classifier.
        classifier_activation: of the classifier.
        include_preprocessing: whether the network scales the pixels itself; without it they must be from -1 to 1.
        include_top, weights, input_tensor, pooling, classes: see `MobileNet`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Howard et al.: Searching for MobileNetV3 (2019).
    """
    more = {"classifier_activation": classifier_activation}
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, more)
    return _network(_Kind("small", _SMALL, 1024, alpha, minimalistic, dropout_rate, include_preprocessing), asked)


def MobileNetV3Large(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
) -> Any:
    """MobileNetV3Large, of 5,507,432 parameters with its classifier. Arguments: see `MobileNetV3Small`."""
    more = {"classifier_activation": classifier_activation}
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, more)
    return _network(_Kind("large", _LARGE, 1280, alpha, minimalistic, dropout_rate, include_preprocessing), asked)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """`x` as it is: the network's first layer does the scaling, of pixels from 0 to 255."""
    return x
