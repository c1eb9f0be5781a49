"""What goes into an ImageNet model, and what comes out of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kjax import backend as K
from kjax._core.guards import texts
from kjax.applications import _weights

CLASS_INDEX: dict[str, list[str]] = {}  # filled when first needed
CLASS_INDEX_PATH = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"

# Mean and standard deviation of ImageNet's channels. Caffe's are in the order blue, green, red, of 0 to 255.
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe", **kwargs: Any) -> Any:
    """Images of 0 to 255 as a model was trained on them.

    - `'caffe'`: red, green, blue become blue, green, red, less the mean of each.
    - `'tf'`: `x / 127.5 - 1`, so -1 to 1.
    - `'torch'`: `(x / 255 - mean) / std` of each channel.

    Arguments:
        x: array of one image or a batch of them, or a symbolic tensor. Arrays of floats are written over, as in Keras.
        data_format: `'channels_last'` or `'channels_first'`; `K.image_data_format()` if None.
        mode: `'caffe'`, `'tf'` or `'torch'`.

    Raises:
        ValueError: for another data format.
    """
    data_format = K.image_data_format() if data_format is None else data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Unknown data_format {data_format}: it is 'channels_first' or 'channels_last'.")
    axis = -1 if data_format == "channels_last" else -3
    if isinstance(x, np.ndarray):
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(K.floatx())
        return _preprocess_array(x, axis, mode)
    return _preprocess_tensor(x, axis, mode)


def _preprocess_array(x: np.ndarray, axis: int, mode: str) -> np.ndarray:
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    if mode == "torch":
        x /= 255.0
        x -= _along(_TORCH_MEAN, axis, x.dtype)
        x /= _along(_TORCH_STD, axis, x.dtype)
        return x
    x = np.flip(x, axis)
    x -= _along(_CAFFE_MEAN, axis, x.dtype)
    return x


def _preprocess_tensor(x: Any, axis: int, mode: str) -> Any:
    if mode == "tf":
        return x / 127.5 - 1.0
    dtype = K.dtype(x)
    if mode == "torch":
        return (x / 255.0 - _along(_TORCH_MEAN, axis, dtype)) / _along(_TORCH_STD, axis, dtype)
    return K.reverse(x, K.ndim(x) + axis) - _along(_CAFFE_MEAN, axis, dtype)


def _along(values: Sequence[float], axis: int, dtype: Any) -> np.ndarray:
    """One value a channel, in the shape that meets an image's."""
    return np.asarray(values, dtype).reshape((-1,) + (1,) * (-1 - axis))


def decode_predictions(preds: Any, top: int = 5, **kwargs: Any) -> list[list[tuple[str, str, Any]]]:
    """The most probable classes of ImageNet, with their names.

    Arguments:
        preds: array of shape (samples, 1000).
        top: how many of each sample.

    Returns:
        For each sample a list of (WordNet's id, name, probability), the most probable first.

    Raises:
        ValueError: if `preds` has another shape.
        OSError: if the list of the names is not there and cannot be downloaded.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). "
            f"Found array with shape: {preds.shape}"
        )
    if not CLASS_INDEX:
        path = _weights.fetch("imagenet_class_index.json", CLASS_INDEX_PATH, _CLASS_INDEX_HASH)
        CLASS_INDEX.update(texts.parse_json(texts.read(path), str(path)))
    best = np.argsort(preds)[:, ::-1][:, :top]
    return [
        [(*CLASS_INDEX[str(i)], row[i]) for i in indices]  # type: ignore[misc]  # an id and a name
        for row, indices in zip(preds, best, strict=True)
    ]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str,
    require_flatten: bool,
    weights: str | None = None,
) -> tuple[int | None, ...]:
    """The shape of a model's images.

    Arguments:
        input_shape: what the user wishes, or None.
        default_size: height and width if nothing is wished.
        min_size: least height and width.
        data_format: where the channels are.
        require_flatten: whether height and width have to be known.
        weights: `'imagenet'` needs three channels, and with `require_flatten` the default size.

    Raises:
        ValueError: if the shape does not suit the model.
    """
    last = data_format == "channels_last"

    def image(channels: int | None, size: int | None) -> tuple[int | None, ...]:
        return (size, size, channels) if last else (channels, size, size)

    if not input_shape:
        return image(3, default_size if require_flatten else None)
    shape = tuple(input_shape)
    if weights == "imagenet" and require_flatten:
        if shape != image(3, default_size):
            raise ValueError(
                "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be "
                f"{image(3, default_size)}. Found: {shape}"
            )
        return shape
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Found: {shape}")
    channels, sizes = (shape[-1], shape[:2]) if last else (shape[0], shape[1:])
    if weights == "imagenet" and channels != 3:
        raise ValueError(f"The input must have 3 channels; got `input_shape={shape}`")
    if channels not in (1, 3):
        warnings.warn(
            "This model usually expects 1 or 3 input channels. "
            f"However, it was passed an input_shape with {channels} input channels.",
            stacklevel=5,
        )
    if any(size is not None and size < min_size for size in sizes):
        raise ValueError(f"Input size must be at least {min_size}x{min_size}; got `input_shape={shape}`")
    if require_flatten and None in shape:
        raise ValueError(
            f"If `include_top` is True, you should specify a static `input_shape`. Got `input_shape={shape}`"
        )
    return shape


def correct_pad(x: Any, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding in front of a convolution of stride 2 that gives what TensorFlow's `'same'` would.

    Arguments:
        x: a batch of images.
        kernel_size: of the convolution.
    """
    shape = K.int_shape(x)
    sizes = shape[1:3] if K.image_data_format() == "channels_last" else shape[2:4]
    half = kernel_size // 2
    rows, columns = (half - 1 if size is None or size % 2 == 0 else half for size in sizes)
    return (rows, half), (columns, half)


_obtain_input_shape = obtain_input_shape  # as Keras called it, and scripts that build on it
