"""DenseNet: blocks in which each layer sees all that came before it."""

from __future__ import annotations

from typing import Any

from kjax import layers
from kjax.applications import _frame, imagenet_utils
from kjax.applications._weights import stored
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_EPSILON = 1.001e-5
_GROWTH = 32

# Layers of the four blocks, and md5 sums of the weights with and without classifier.
_MODELS = {
    (6, 12, 24, 16): ("densenet121", "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    (6, 12, 32, 32): ("densenet169", "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    (6, 12, 48, 32): ("densenet201", "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _relu(x: Any, name: str) -> Any:
    return _frame.normalized(x, f"{name}bn", "relu", f"{name}relu", epsilon=_EPSILON)


def _layer(x: Any, name: str) -> Any:
    new = _relu(x, f"{name}_0_")
    new = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _relu(new, f"{name}_1_")
    new = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(axis=_frame.channels(), name=f"{name}_concat")([x, new])


def _transition(x: Any, name: str) -> Any:
    """Half the channels and half the size."""
    x = _relu(x, f"{name}_")
    count = _frame.count(x)
    x = layers.Conv2D(count // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def DenseNet(
    blocks: Any,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """DenseNet with any number of layers.

    Arguments:
        blocks: number of layers of the four blocks.
        include_top: whether the dense layer at the end is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        input_shape: shape of an image, at least 32x32; 224x224 with the classifier by default.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together, or there are no ImageNet weights for these blocks.

    Reference:
        Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks (2016).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    start = _frame.image(asked, 224, 32)
    x = layers.ZeroPadding2D(3)(start)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _relu(x, "conv1/")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(layers.ZeroPadding2D(1)(x))
    for number, depth in enumerate(blocks, 2):
        if number > 2:
            x = _transition(x, f"pool{number - 1}")
        for i in range(1, depth + 1):
            x = _layer(x, f"conv{number}_block{i}")
    x = _relu(x, "")
    name, *sums = _MODELS.get(tuple(blocks), ("densenet",))
    pretrained = stored("densenet", name, *sums) if sums else None
    return _frame.finish(name, start, x, asked, _frame.averaged("fc1000"), pretrained, pool_names=True)


def DenseNet121(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """DenseNet121, of 8,062,504 parameters with its classifier. The other arguments of `DenseNet`."""
    return DenseNet([6, 12, 24, 16], include_top, weights, input_tensor, input_shape, pooling, classes, **kwargs)


def DenseNet169(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """DenseNet169, of 14,307,880 parameters with its classifier. The other arguments of `DenseNet`."""
    return DenseNet([6, 12, 32, 32], include_top, weights, input_tensor, input_shape, pooling, classes, **kwargs)


def DenseNet201(
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """DenseNet201, of 20,242,984 parameters with its classifier. The other arguments of `DenseNet`."""
    return DenseNet([6, 12, 48, 32], include_top, weights, input_tensor, input_shape, pooling, classes, **kwargs)


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 less the mean of each channel, by its deviation. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="torch")
