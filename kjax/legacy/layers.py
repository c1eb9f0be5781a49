"""Constructors of Keras 0 and 1: old argument names, values and orders of each class."""

from __future__ import annotations

import numbers
from typing import Any

from kjax.legacy._convert import Args, Kwargs, Order, Table

# Accepted by every layer.
_LAYER = {"input_dtype": "dtype"}

_RATE = {"p": "rate"}

_DATA_FORMATS = {"data_format": {"tf": "channels_last", "th": "channels_first", "default": None}}

# The initializers of Keras 1. None of them is the name of an activation too.
_INITIALIZERS = (
    "uniform", "lecun_uniform", "normal", "identity", "orthogonal", "zero", "one", "glorot_normal",
    "glorot_uniform", "he_normal", "he_uniform",
)  # fmt: skip

_DENSE_NAMES = ("kernel_initializer", "activation", "weights")


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _second_is_integer(args: Args) -> bool:
    return _is_integer(args[1])


def _second_is_initializer(args: Args) -> bool:
    return isinstance(args[1], str) and args[1] in _INITIALIZERS


def _second_is_old_format(args: Args) -> bool:
    return isinstance(args[1], str) and args[1] in _DATA_FORMATS["data_format"]


def _second_is_list(args: Args) -> bool:
    return isinstance(args[1], list)


def _third_is_dictionary(args: Args) -> bool:
    return isinstance(args[2], dict)


def _first_is_fraction(args: Args) -> bool:
    return isinstance(args[0], float)


def _first_is_shape(args: Args) -> bool:
    return isinstance(args[0], (tuple, list))


def _gather_dimensions(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """`Reshape(28, 28)` of Keras 0 is `Reshape((28, 28))`."""
    if len(args) > 1 and all(map(_is_integer, args)):
        return (args,), kwargs
    return None


_BATCH_NORMALIZATION = (
    "epsilon",
    "mode",
    "axis",
    "momentum",
    "weights",
    "beta_initializer",
    "gamma_initializer",
)

TABLES = {
    "InputLayer": Table(names=_LAYER),
    "Dense": Table(
        names={
            "output_dim": "units",
            "init": "kernel_initializer",
            "W_regularizer": "kernel_regularizer",
            "b_regularizer": "bias_regularizer",
            "W_constraint": "kernel_constraint",
            "b_constraint": "bias_constraint",
            "bias": "use_bias",
            **_LAYER,
        },
        orders=(
            Order(("input_dim", "units", *_DENSE_NAMES), _second_is_integer, least=2),
            Order(("units", *_DENSE_NAMES), _second_is_initializer, least=2),
        ),
    ),
    "Activation": Table(names=_LAYER),
    "Dropout": Table(names={**_RATE, **_LAYER}),
    "SpatialDropout1D": Table(names={**_RATE, **_LAYER}),
    **{
        name: Table(
            names={**_RATE, "dim_ordering": "data_format", **_LAYER},
            values=_DATA_FORMATS,
            orders=(Order(("rate", "data_format"), _second_is_old_format, least=2),),
        )
        for name in ("SpatialDropout2D", "SpatialDropout3D")
    },
    "Flatten": Table(names=_LAYER),
    "Reshape": Table(names={"dims": "target_shape", **_LAYER}, rewrite=_gather_dimensions),
    "Permute": Table(names=_LAYER),
    "RepeatVector": Table(names=_LAYER),
    "Lambda": Table(
        names=_LAYER,
        orders=(Order(("function", "output_shape", "arguments"), _third_is_dictionary, least=3),),
    ),
    "Masking": Table(names=_LAYER),
    "ActivityRegularization": Table(names=_LAYER),
    "LeakyReLU": Table(names=_LAYER),
    "PReLU": Table(
        names={"init": "alpha_initializer", **_LAYER},
        orders=(
            Order(("alpha_initializer", "weights", "shared_axes"), _second_is_list, least=2),
            Order(("input_shape",), _first_is_shape),
        ),
    ),
    "ELU": Table(names=_LAYER),
    "ThresholdedReLU": Table(names=_LAYER),
    "GaussianNoise": Table(names={"sigma": "stddev", **_LAYER}),
    "GaussianDropout": Table(names={**_RATE, **_LAYER}),
    "AlphaDropout": Table(names={**_RATE, **_LAYER}),
    "BatchNormalization": Table(
        names={"gamma_init": "gamma_initializer", "beta_init": "beta_initializer", **_LAYER},
        removed={
            "mode": "The `mode` argument of `BatchNormalization` no longer exists. "
            "`mode=1` and `mode=2` are no longer supported."
        },
        orders=(
            Order(_BATCH_NORMALIZATION, _first_is_fraction),
            Order(("input_shape", "epsilon", "mode", "momentum", "weights"), _first_is_shape),
        ),
    ),
    "MaxNorm": Table(names={"m": "max_value"}),
    "MinMaxNorm": Table(names={"low": "min_value", "high": "max_value"}),
    # Called by the layers that users write. Later versions put the shape first again: nothing to tell.
    "Layer.add_weight": Table(
        orders=(
            Order(
                ("shape", "initializer", "name", "trainable", "regularizer", "constraint"),
                _first_is_shape,
                warn=False,
            ),
        ),
    ),
}
