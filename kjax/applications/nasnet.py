"""NASNet: cells whose wiring a search has found, in two sizes."""

from __future__ import annotations

from typing import Any

from kjax.applications import _frame, _nasnet, imagenet_utils
from kjax.applications._weights import Pretrained, named
from kjax.applications.imagenet_utils import decode_predictions

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

# By the default size of an image.
_PRETRAINED = {
    size: Pretrained(
        named("nasnet", f"nasnet_{kind}.h5", f"NASNet-{kind}.h5", top),
        named("nasnet", f"nasnet_{kind}_no_top.h5", f"NASNet-{kind}-no-top.h5", notop),
    )
    for size, kind, top, notop in (
        (224, "mobile", "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
        (331, "large", "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
    )
}


def NASNet(
    input_shape: Any = None,
    penultimate_filters: int = 4032,
    num_blocks: int = 6,
    stem_block_filters: int = 96,
    skip_reduction: bool = True,
    filter_multiplier: int = 2,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    default_size: int | None = None,
    **kwargs: Any,
) -> Any:
    """NASNet-A of any size.

    Arguments:
        input_shape: shape of an image, at least 32x32.
        penultimate_filters: channels of the features, divisible by 24.
        num_blocks: normal cells in each of the three stages.
        stem_block_filters: filters of the first convolution.
        skip_reduction: whether the cell after a reduction looks past it.
        filter_multiplier: how many times as many filters the next stage has.
        include_top: whether the dense layer at the end is part of the model.
        weights: `'imagenet'`, None for random ones, or the path of a file.
        input_tensor: tensor to build the model on.
        pooling: what follows without the classifier: None for nothing, `'avg'` or `'max'` over the image.
        classes: number of classes, if `weights` is not `'imagenet'`.
        default_size: height and width with the classifier if no shape is given; 331 if None.

    Raises:
        OSError: if the weights cannot be downloaded.
        ValueError: if the arguments do not fit together.

    Reference:
        Zoph, Vasudevan, Shlens, Le: Learning Transferable Architectures for Scalable Image Recognition (2017).
    """
    asked = _frame.wishes(include_top, weights, input_tensor, input_shape, pooling, classes, kwargs)
    if penultimate_filters % 24:
        raise ValueError(
            "For NASNet-A models, the value of `penultimate_filters` needs to be divisible by 24. "
            f"Current value: {penultimate_filters}"
        )
    if input_shape is not None and None in input_shape and weights == "imagenet":
        raise ValueError(
            "When specifying the input shape of a NASNet and loading `ImageNet` weights, the input_shape argument "
            f"must be static (no None entries). Got: `input_shape={input_shape}`."
        )
    size = default_size or 331
    start = _frame.image(asked, size, 32)
    x = _nasnet.features(
        start, penultimate_filters // 24, num_blocks, stem_block_filters, skip_reduction, filter_multiplier
    )
    return _frame.finish("NASNet", start, x, asked, _frame.averaged("predictions", None), _PRETRAINED.get(size))


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """NASNet-A (6 @ 4032), of 88,949,818 parameters with its classifier; 331x331. See `NASNet`."""
    return NASNet(
        input_shape, 4032, 6, 96, True, 2, include_top, weights, input_tensor, pooling, classes, 331, **kwargs
    )


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: str | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """NASNet-A (4 @ 1056), of 5,326,716 parameters with its classifier; 224x224. See `NASNet`."""
    return NASNet(
        input_shape, 1056, 4, 32, False, 2, include_top, weights, input_tensor, pooling, classes, 224, **kwargs
    )


def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """Images of 0 to 255 scaled to -1 to 1. See `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")
