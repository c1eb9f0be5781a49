"""Convolution, pooling and embedding layers of Keras 0 and 1: old names, values and orders; dilated convolutions."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from typing import Any, cast

from kjax import layers
from kjax._core import notices
from kjax.layers import convolutional as todays
from kjax.layers._transposed import Shape
from kjax.legacy._convert import Args, Kwargs, Order, Table

Rewritten = tuple[Args, Kwargs] | None

_LAYER = {"input_dtype": "dtype"}
_FORMAT = {"dim_ordering": "data_format"}
_FORMATS = {"data_format": {"tf": "channels_last", "th": "channels_first", "default": None}}
_TODAY = frozenset(("padding", "data_format", "dilation_rate", "use_bias", "kernel_initializer", "kernel_regularizer"))
_BORDER = {"border_mode": "padding"}
_BIAS = {"b_regularizer": "bias_regularizer", "b_constraint": "bias_constraint", "bias": "use_bias"}
_KERNEL = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "W_constraint": "kernel_constraint",
}
_CONV = {"nb_filter": "filters", **_BORDER, **_KERNEL, **_BIAS, **_LAYER}
_CONV_1D = {"filter_length": "kernel_size", "subsample_length": "strides", **_CONV}
_CONV_2D = {"subsample": "strides", **_FORMAT, **_CONV}

# Where Keras 1 had an initializer, Keras 2 has a padding.
_PADDINGS = ("valid", "same", "causal", "full")
_AFTER_SIZES = ("kernel_initializer", "activation", "weights", "padding", "strides")
_REGULARIZERS = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "use_bias",
)


def _are_integers(values: Args) -> bool:
    return all(isinstance(v, numbers.Integral) and not isinstance(v, bool) for v in values)


def _sizes_then_word(count: int) -> Callable[[Args], bool]:
    """Whether filters and `count` sizes are followed by the name of an initializer."""
    return lambda args: _are_integers(args[: count + 1]) and _is_initializer(args[count + 1])


def _is_initializer(value: Any) -> bool:
    return isinstance(value, str) and value not in _PADDINGS


def _four_integers(args: Args) -> bool:
    return _are_integers(args[:4])


def _sizes_then_shape(args: Args) -> bool:
    return _are_integers(args[:3]) and isinstance(args[3], (tuple, list))


def _third_is_word(args: Args) -> bool:
    return _is_initializer(args[2])


def _third_is_truth(args: Args) -> bool:
    return isinstance(args[2], bool)


def _fourth_is_old_format(args: Args) -> bool:
    return args[3] in ("th", "tf", "default")


def _fourth_is_length(args: Args) -> bool:
    return _are_integers(args[3:4])


def _is_old_format(args: Args) -> bool:
    return args[1] in ("th", "tf", "default")


def _without(kwargs: Kwargs, *names: str) -> Kwargs:
    return {key: value for key, value in kwargs.items() if key not in names}


def _gather(args: Args, kwargs: Kwargs, parts: tuple[str, ...]) -> Rewritten:
    """One `kernel_size` out of its parts, which stand behind `filters` or are named."""
    named = {part: kwargs[part] for part in parts if part in kwargs}
    placed = args[1:]
    if len(placed) + len(named) != len(parts) or not _are_integers(placed):
        return None
    size = (*placed, *(named[part] for part in parts[len(placed) :] if part in named))
    if len(size) != len(parts):
        return None
    rest = _without(kwargs, *parts)
    return ((args[0], size), rest) if args else ((), {"kernel_size": size, **rest})


def _gather_2d(args: Args, kwargs: Kwargs) -> Rewritten:
    """`Convolution2D(32, 3, 3)` is `Conv2D(32, (3, 3))`; with a `stack_size`, as in Keras 0, channels come first.

    `Conv2D(32, 3, 1, padding='same')`, where two numbers differ and an argument is called as it is today, is left as
    it is: a kernel of 3, strides of 1. (Keras 2 itself made a kernel of (3, 1) of it, later versions did not.)
    """
    if len(args) == 3 and args[1] != args[2] and _TODAY & set(kwargs) and not set(_CONV_2D) & set(kwargs):
        return None
    if "stack_size" in kwargs:
        kwargs = _without(kwargs, "stack_size")
        if "dim_ordering" not in kwargs:
            kwargs = {"data_format": "channels_first", **kwargs}
        return _gather(args, kwargs, ("nb_row", "nb_col")) or (args, kwargs)
    return _gather(args, kwargs, ("nb_row", "nb_col"))


def _gather_3d(args: Args, kwargs: Kwargs) -> Rewritten:
    return _gather(args, kwargs, ("kernel_dim1", "kernel_dim2", "kernel_dim3"))


def _gather_transposed(args: Args, kwargs: Kwargs) -> Rewritten:
    """As `_gather_2d`. The output's shape was said: with strides, several lead to one input."""
    return _with_padding(args, kwargs, lambda args, kwargs: _gather(args, kwargs, ("nb_row", "nb_col")))


def _gather_transposed_3d(args: Args, kwargs: Kwargs) -> Rewritten:
    return _with_padding(args, kwargs, _gather_3d)


def _with_padding(args: Args, kwargs: Kwargs, gather: Callable[[Args, Kwargs], Rewritten]) -> Rewritten:
    if "output_shape" not in kwargs:
        return gather(args, kwargs)
    said, rest = kwargs["output_shape"], _without(kwargs, "output_shape")
    args, rest = gather(args, rest) or (args, rest)
    return args, {**rest, "output_padding": Shape(said)} if isinstance(said, (tuple, list)) else rest


def _both_initializers(args: Args, kwargs: Kwargs) -> Rewritten:
    """`init` of a separable convolution was that of both kernels."""
    if "init" not in kwargs:
        return _gather_2d(args, kwargs)
    init = kwargs["init"]
    kwargs = {**_without(kwargs, "init"), "depthwise_initializer": init, "pointwise_initializer": init}
    return _gather_2d(args, kwargs) or (args, kwargs)


def _shape_of_steps(args: Args, kwargs: Kwargs) -> Rewritten:
    """`input_dim` and `input_length` are one `input_shape`; Keras 0 had `(input_dim, nb_filter, filter_length)`."""
    old = set(_CONV_1D) - {"input_dtype"}
    if len(args) == 3 and _are_integers(args) and old & set(kwargs):
        args, kwargs = args[1:], {"input_dim": args[0], **kwargs}
    if "input_dim" not in kwargs:
        return None
    shape = (kwargs.get("input_length"), kwargs["input_dim"])
    return args, {**_without(kwargs, "input_dim", "input_length"), "input_shape": shape}


def _first_versions_pooling(args: Args, kwargs: Kwargs) -> Rewritten:
    """`poolsize` is of Keras 0, where channels came first."""
    if "poolsize" not in kwargs or {"dim_ordering", "data_format"} & set(kwargs):
        return None
    return args, {**kwargs, "data_format": "channels_first"}


def _sides(padding: Any, *names: str) -> tuple[int, ...] | None:
    """How many zeros on each side, from a dictionary or a longer tuple."""
    if isinstance(padding, Mapping):
        said = cast("Mapping[str, int]", padding)
        return tuple(said.get(name, 0) for name in names)
    if isinstance(padding, (tuple, list)) and len(padding) == len(names) == 4:
        return tuple(padding)
    return None


def _padding_of_sides(*names: str) -> Callable[[Args, Kwargs], Rewritten]:
    def rewrite(args: Args, kwargs: Kwargs) -> Rewritten:
        sides = _sides(args[0] if args else kwargs.get("padding"), *names)
        if sides is None:
            return None
        padding = sides if len(sides) == 2 else (sides[:2], sides[2:])
        return ((padding, *args[1:]), kwargs) if args else (args, {**kwargs, "padding": padding})

    return rewrite


def _conv_orders(count: int, *parts: str) -> tuple[Order, ...]:
    return (
        Order(
            ("filters", *parts, *_AFTER_SIZES, "data_format", *_REGULARIZERS),
            _sizes_then_word(count),
            least=count + 2,
        ),
    )


_BOTH = ("nb_row", "nb_col")
_ORDERS_2D = (
    *_conv_orders(2, *_BOTH),
    Order(("filters", "stack_size", *_BOTH, *_AFTER_SIZES), _four_integers, least=4),
)
_STEPS = Table(
    names=_CONV_1D,
    orders=(Order(("filters", "kernel_size", *_AFTER_SIZES, *_REGULARIZERS), _third_is_word, least=3),),
    rewrite=_shape_of_steps,
)
_IMAGES = Table(names=_CONV_2D, values=_FORMATS, orders=_ORDERS_2D, rewrite=_gather_2d)
_SPATIAL = Table(
    names={**_FORMAT, **_LAYER},
    values=_FORMATS,
    orders=(Order(("padding", "data_format"), _is_old_format, least=2),),
)
_EMBEDDING = (
    "input_dim",
    "output_dim",
    "embeddings_initializer",
    "input_length",
    "embeddings_regularizer",
    "activity_regularizer",
    "embeddings_constraint",
    "mask_zero",
    "weights",
    "dropout",
)
_IGNORE_BORDER = {
    "ignore_border": "The `ignore_border` argument of pooling no longer exists: borders are ignored, "
    "unless `padding='same'` is given."
}

TABLES = {
    "Conv1D": _STEPS,
    "LocallyConnected1D": _STEPS,
    "Conv2D": _IMAGES,
    "LocallyConnected2D": _IMAGES,
    "Conv3D": Table(
        names=_CONV_2D,
        values=_FORMATS,
        orders=_conv_orders(3, "kernel_dim1", "kernel_dim2", "kernel_dim3"),
        rewrite=_gather_3d,
    ),
    "Conv2DTranspose": Table(
        names=_CONV_2D,
        values=_FORMATS,
        orders=(
            Order(
                ("filters", *_BOTH, "output_shape", *_AFTER_SIZES, "data_format", *_REGULARIZERS),
                _sizes_then_shape,
                least=4,
            ),
        ),
        rewrite=_gather_transposed,
    ),
    "Conv3DTranspose": Table(names=_CONV_2D, values=_FORMATS, rewrite=_gather_transposed_3d),
    "SeparableConv2D": Table(
        names={"nb_filter": "filters", "subsample": "strides", **_BORDER, **_FORMAT, **_BIAS, **_LAYER},
        values=_FORMATS,
        orders=(
            Order(
                ("filters", *_BOTH, "init", "activation", "weights", "padding", "strides"),
                _sizes_then_word(2),
                least=4,
            ),
        ),
        rewrite=_both_initializers,
    ),
    **{
        name: Table(
            names={"pool_length": "pool_size", "stride": "strides", **_BORDER, **_LAYER}, removed=_IGNORE_BORDER
        )
        for name in ("MaxPooling1D", "AveragePooling1D")
    },
    **{
        name: Table(
            names={"poolsize": "pool_size", "stride": "strides", **_BORDER, **_FORMAT, **_LAYER},
            values=_FORMATS,
            removed=_IGNORE_BORDER,
            orders=(
                Order(("poolsize", "strides", "ignore_border"), _third_is_truth, least=3),
                Order(("pool_size", "strides", "padding", "data_format"), _fourth_is_old_format, least=4),
            ),
            rewrite=_first_versions_pooling,
        )
        for name in ("MaxPooling2D", "AveragePooling2D")
    },
    **{
        name: Table(
            names={**_BORDER, **_FORMAT, **_LAYER},
            values=_FORMATS,
            orders=(Order(("pool_size", "strides", "padding", "data_format"), _fourth_is_old_format, least=4),),
        )
        for name in ("MaxPooling3D", "AveragePooling3D")
    },
    **{name: Table(names=_LAYER) for name in ("GlobalMaxPooling1D", "GlobalAveragePooling1D", "Cropping1D")},
    **{
        f"Global{kind}Pooling{rank}D": Table(
            names={**_FORMAT, **_LAYER},
            values=_FORMATS,
            orders=(Order(("data_format",), lambda args: args[0] in ("th", "tf", "default")),),
        )
        for kind in ("Max", "Average")
        for rank in (2, 3)
    },
    "UpSampling1D": Table(names={"length": "size", **_LAYER}),
    **{
        name: Table(
            names={**_FORMAT, **_LAYER},
            values=_FORMATS,
            orders=(Order(("size", "data_format"), _is_old_format, least=2),),
        )
        for name in ("UpSampling2D", "UpSampling3D")
    },
    **{
        name: Table(
            names={**_FORMAT, **_LAYER},
            values=_FORMATS,
            orders=(Order(("cropping", "data_format"), _is_old_format, least=2),),
        )
        for name in ("Cropping2D", "Cropping3D")
    },
    "ZeroPadding1D": Table(names=_LAYER, rewrite=_padding_of_sides("left_pad", "right_pad")),
    "ZeroPadding2D": Table(
        names=_SPATIAL.names,
        values=_FORMATS,
        orders=_SPATIAL.orders,
        rewrite=_padding_of_sides("top_pad", "bottom_pad", "left_pad", "right_pad"),
    ),
    "ZeroPadding3D": _SPATIAL,
    "Embedding": Table(
        names={
            "init": "embeddings_initializer",
            "W_regularizer": "embeddings_regularizer",
            "W_constraint": "embeddings_constraint",
            **_LAYER,
        },
        removed={
            "dropout": "The `dropout` argument is no longer supported in `Embedding`. "
            "A `SpatialDropout1D` layer right after the `Embedding` does the same."
        },
        orders=(
            Order(
                _EMBEDDING,
                _fourth_is_length,
                least=4,
            ),
        ),
    ),
}


def _dilated(name: str, today: Any, args: Args, kwargs: Kwargs) -> Any:
    notices.warn(
        f"The `{name}` layer has been deprecated. Use instead the `{today.__name__}` layer with the `dilation_rate` "
        "argument."
    )
    if "atrous_rate" in kwargs:
        kwargs = {**_without(kwargs, "atrous_rate"), "dilation_rate": kwargs["atrous_rate"]}
    return today(*args, **kwargs)


def AtrousConvolution1D(*args: Any, **kwargs: Any) -> layers.Conv1D:
    """A `Conv1D` whose `dilation_rate` is called `atrous_rate`."""
    return _dilated("AtrousConvolution1D", layers.Conv1D, args, kwargs)


def AtrousConvolution2D(*args: Any, **kwargs: Any) -> layers.Conv2D:
    """A `Conv2D` whose `dilation_rate` is called `atrous_rate`."""
    return _dilated("AtrousConvolution2D", layers.Conv2D, args, kwargs)


AtrousConv1D = AtrousConvolution1D
AtrousConv2D = AtrousConvolution2D


def install_layers() -> None:
    """Put the layers that are gone where Keras had them."""
    for maker in (AtrousConvolution1D, AtrousConvolution2D):
        for module in (layers, todays):
            setattr(module, maker.__name__, maker)
            setattr(module, maker.__name__.replace("Convolution", "Conv"), maker)
