"""Functions of `K` as Keras 1 spelled them, and the metrics that Keras 2 dropped."""

from __future__ import annotations

from typing import Any

from kjax import backend, metrics
from kjax import backend as K
from kjax._core.arguments import function_accepts_old_names
from kjax.legacy._convert import Args, Kwargs, Table, install_tables

_FORMAT = {"dim_ordering": "data_format"}
_FORMATS = {"data_format": {"tf": "channels_last", "th": "channels_first", "default": None}}
_SHAPES = {
    name: f"The `{name}` argument of convolutions no longer exists: the tensors tell their shapes."
    for name in ("image_shape", "filter_shape", "volume_shape")
}
_IMAGES = Table(names={"border_mode": "padding", "filter_dilation": "dilation_rate", **_FORMAT}, values=_FORMATS)
_CONVOLUTION = Table(names=_IMAGES.names, values=_FORMATS, removed=_SHAPES)
_SPATIAL = Table(names=_FORMAT, values=_FORMATS)


def _both_sides(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """One number of zeros for both sides of each axis: a pair of them today."""
    padding = args[1] if len(args) > 1 else kwargs.get("padding")
    if not isinstance(padding, (tuple, list)) or not all(isinstance(n, int) for n in padding):
        return None
    pairs = tuple((n, n) for n in padding)
    return ((args[0], pairs, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "padding": pairs})


_PADDING = Table(names=_FORMAT, values=_FORMATS, rewrite=_both_sides)

TABLES = {
    "random_normal": Table(names={"std": "stddev"}),
    "truncated_normal": Table(names={"std": "stddev"}),
    "random_uniform": Table(names={"low": "minval", "high": "maxval"}),
    "conv1d": _CONVOLUTION,
    "conv2d": _CONVOLUTION,
    "conv3d": _CONVOLUTION,
    "conv2d_transpose": _CONVOLUTION,
    "separable_conv2d": _CONVOLUTION,
    "pool2d": _IMAGES,
    "pool3d": _IMAGES,
    "resize_images": _SPATIAL,
    "resize_volumes": _SPATIAL,
    "spatial_2d_padding": _PADDING,
    "spatial_3d_padding": _PADDING,
    "bias_add": _SPATIAL,
    "one_hot": Table(names={"nb_classes": "num_classes"}),
}


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """`temporal_padding` with a number of zeros for each side."""
    return K.temporal_padding(x, (left_pad, right_pad))


def asymmetric_spatial_2d_padding(
    x: Any,
    top_pad: int = 1,
    bottom_pad: int = 1,
    left_pad: int = 1,
    right_pad: int = 1,
    dim_ordering: str = "default",
) -> Any:
    """`spatial_2d_padding` with a number of zeros for each side."""
    data_format = _FORMATS["data_format"].get(dim_ordering, dim_ordering)
    return K.spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), data_format=data_format)


def atrous_conv2d(
    x: Any,
    kernel: Any,
    rate: int = 1,
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """`conv2d` with a `dilation_rate`. The two shapes are not used: the tensors tell theirs."""
    data_format = _FORMATS["data_format"].get(dim_ordering, dim_ordering)
    return K.conv2d(x, kernel, padding=border_mode, data_format=data_format, dilation_rate=(rate, rate))


def legacy_weight_ordering() -> bool:
    """Whether weights are listed in the order of Keras before 1.0.3. They never are here."""
    return False


def set_legacy_weight_ordering(value: bool) -> None:
    """Ask for the order of weights before Keras 1.0.3.

    Raises:
        ValueError: if it is asked for.
    """
    if value:
        raise ValueError("Weights are listed in one order only, that of Keras 2. Reorder what `get_weights` returns.")


def precision(y_true: Any, y_pred: Any) -> Any:
    """Share of the positive predictions of a batch that are right."""
    return _share(y_true, y_pred, of=y_pred)


def recall(y_true: Any, y_pred: Any) -> Any:
    """Share of the positives of a batch that are found."""
    return _share(y_true, y_pred, of=y_true)


def _round(x: Any) -> Any:
    return K.round(K.clip(x, 0, 1))


def _share(y_true: Any, y_pred: Any, of: Any) -> Any:
    return K.sum(_round(y_true * y_pred)) / (K.sum(_round(of)) + K.epsilon())


def fbeta_score(y_true: Any, y_pred: Any, beta: float = 1) -> Any:
    """`(1 + beta²) p r / (beta² p + r)` of precision p and recall r of a batch.

    Raises:
        ValueError: for a negative `beta`.
    """
    if beta < 0:
        raise ValueError(f"The lowest choosable beta is zero (only precision). Found: {beta}")
    p, r, square = precision(y_true, y_pred), recall(y_true, y_pred), beta**2
    return (1 + square) * p * r / (square * p + r + K.epsilon())


def fmeasure(y_true: Any, y_pred: Any) -> Any:
    """The harmonic mean of precision and recall of a batch."""
    return fbeta_score(y_true, y_pred, beta=1)


def matthews_correlation(y_true: Any, y_pred: Any) -> Any:
    """The correlation between targets and predictions, both 0 or 1, of a batch."""
    found, real = _round(y_pred), _round(y_true)
    tp, tn = K.sum(real * found), K.sum((1 - real) * (1 - found))
    fp, fn = K.sum((1 - real) * found), K.sum(real * (1 - found))
    return (tp * tn - fp * fn) / (K.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) + K.epsilon())


_DROPPED = (
    asymmetric_temporal_padding,
    asymmetric_spatial_2d_padding,
    atrous_conv2d,
    legacy_weight_ordering,
    set_legacy_weight_ordering,
)
METRICS = (precision, recall, fbeta_score, fmeasure, matthews_correlation)


def install_functions() -> None:
    """Let `K` accept old arguments and have its old functions; and let the old metrics be found by name."""
    install_tables({f"K.{name}": table for name, table in TABLES.items()})
    for name in TABLES:
        setattr(backend, name, function_accepts_old_names(f"K.{name}")(getattr(backend, name)))
    old: dict[str, Any] = {"lesser": K.less, "lesser_equal": K.less_equal, "pack": K.stack}
    old["deconv2d"] = K.conv2d_transpose
    for function in _DROPPED:
        old[function.__name__] = function
    for name, function in old.items():
        setattr(backend, name, function)
    for metric in METRICS:
        metrics.registry.register(metric)
        setattr(metrics, metric.__name__, metric)
