"""Recurrent layers of Keras 0 and 1: old names, values and orders; `TimeDistributedDense`."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from kjax import layers
from kjax._core import notices
from kjax.layers import core
from kjax.legacy._convert import Args, Kwargs, Order, Table

Rewritten = tuple[Args, Kwargs] | None

_LAYER = {"input_dtype": "dtype"}
_COMMON = {
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    **_LAYER,
}
_GATED = {"inner_activation": "recurrent_activation", **_COMMON}
_IMPLEMENTATION = {"consume_less": "implementation"}
# What spared memory or time on a GPU then is one and the same today; with dropout `'gpu'` drew one mask for all gates.
_IMPLEMENTATIONS = {"implementation": {"cpu": 1, "mem": 1, "gpu": 2}}
_FORMATS = {"data_format": {"tf": "channels_last", "th": "channels_first", "default": None}}

_REMOVED = {
    "truncate_gradient": "The `truncate_gradient` argument of recurrent layers no longer exists: gradients go "
    "through all time steps."
}
_IGNORED_BIAS = (
    "The `forget_bias_init` argument has been ignored. Use `unit_forget_bias=True` instead to initialize with ones."
)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _two_integers(args: Args) -> bool:
    return _is_integer(args[0]) and _is_integer(args[1])


# The initializers of Keras 1. None of them is the name of an activation too.
_INITIALIZERS = frozenset(
    ("uniform", "lecun_uniform", "normal", "identity", "orthogonal", "zero", "one", "glorot_normal",
     "glorot_uniform", "he_normal", "he_uniform")
)  # fmt: skip


def _second_is_initializer(args: Args) -> bool:
    return isinstance(args[1], str) and args[1] in _INITIALIZERS


def _without(kwargs: Kwargs, *names: str) -> Kwargs:
    return {key: value for key, value in kwargs.items() if key not in names}


def _shape_of_steps(args: Args, kwargs: Kwargs) -> Rewritten:
    """`input_dim` and `input_length` are one `input_shape`."""
    if "input_dim" not in kwargs:
        return None
    shape = (kwargs.get("input_length"), kwargs["input_dim"])
    return args, {**_without(kwargs, "input_dim", "input_length"), "input_shape": shape}


def _with_forget_bias(rewrite: Callable[[Args, Kwargs], Rewritten]) -> Callable[[Args, Kwargs], Rewritten]:
    """Before `rewrite`: ones as the first values of the forget gate's bias are a flag today."""

    def convert(args: Args, kwargs: Kwargs) -> Rewritten:
        if "forget_bias_init" not in kwargs:
            return rewrite(args, kwargs)
        ones = kwargs["forget_bias_init"] in ("one", "ones")
        if not ones:
            notices.warn(_IGNORED_BIAS)  # and it is: the default stays, as in Keras 2
        kwargs = {**_without(kwargs, "forget_bias_init"), **({"unit_forget_bias": True} if ones else {})}
        return rewrite(args, kwargs) or (args, kwargs)

    return convert


def _without_implementation(args: Args, kwargs: Kwargs) -> Rewritten:
    """A `SimpleRNN` has one implementation."""
    if "consume_less" not in kwargs:
        return _shape_of_steps(args, kwargs)
    kwargs = _without(kwargs, "consume_less")
    return _shape_of_steps(args, kwargs) or (args, kwargs)


def _gather_size(args: Args, kwargs: Kwargs) -> Rewritten:
    """`ConvLSTM2D(8, 3, 3)`, or `nb_row` and `nb_col`, are one `kernel_size`."""
    if len(args) == 3 and all(map(_is_integer, args)):
        return (args[0], args[1:]), kwargs
    if len(args) == 2 and _is_integer(args[1]) and "nb_col" in kwargs:
        return (args[0], (args[1], kwargs["nb_col"])), _without(kwargs, "nb_col")
    if "nb_row" not in kwargs or "nb_col" not in kwargs:
        return None
    size = (kwargs["nb_row"], kwargs["nb_col"])
    kwargs = _without(kwargs, "nb_row", "nb_col")
    return ((args[0], size), kwargs) if args else ((), {"kernel_size": size, **kwargs})


def _orders(*tail: str) -> tuple[Order, ...]:
    """The orders of Keras 0, where the number of features came first, and of Keras 1."""
    return (
        Order(("input_dim", "units", *tail), _two_integers, least=2),
        Order(("units", *tail), _second_is_initializer, least=2),
    )


_INITS = ("kernel_initializer", "recurrent_initializer")
_PENALTIES = ("W_regularizer", "U_regularizer", "b_regularizer", "dropout_W", "dropout_U")

TABLES = {
    "SimpleRNN": Table(
        names={"output_dim": "units", **_COMMON},
        removed=_REMOVED,
        orders=_orders(*_INITS, "activation", *_PENALTIES),
        rewrite=_without_implementation,
    ),
    "GRU": Table(
        names={"output_dim": "units", **_GATED, **_IMPLEMENTATION},
        values=_IMPLEMENTATIONS,
        removed=_REMOVED,
        orders=_orders(*_INITS, "activation", "recurrent_activation", *_PENALTIES),
        rewrite=_shape_of_steps,
    ),
    "LSTM": Table(
        names={"output_dim": "units", **_GATED, **_IMPLEMENTATION},
        values=_IMPLEMENTATIONS,
        removed=_REMOVED,
        orders=_orders(*_INITS, "forget_bias_init", "activation", "recurrent_activation", *_PENALTIES),
        rewrite=_with_forget_bias(_shape_of_steps),
    ),
    "RNN": Table(names=_LAYER, rewrite=_shape_of_steps),
    "Recurrent": Table(names={**_IMPLEMENTATION, **_LAYER}, values=_IMPLEMENTATIONS, rewrite=_shape_of_steps),
    "CuDNNGRU": Table(names=_LAYER, rewrite=_shape_of_steps),
    "CuDNNLSTM": Table(names=_LAYER, rewrite=_shape_of_steps),
    "ConvLSTM2D": Table(
        names={
            "nb_filter": "filters",
            "border_mode": "padding",
            "subsample": "strides",
            "dim_ordering": "data_format",
            "bias": "use_bias",
            **_GATED,
        },
        values=_FORMATS,
        rewrite=_with_forget_bias(_gather_size),
    ),
    "Bidirectional": Table(names=_LAYER),
    "TimeDistributed": Table(names=_LAYER),
}


def TimeDistributedDense(*args: Any, **kwargs: Any) -> layers.TimeDistributed:
    """A `Dense` on every time step: `TimeDistributed(Dense(units))`."""
    notices.warn("The `TimeDistributedDense` layer is gone. Use `TimeDistributed(Dense(...))` instead.")
    kwargs = (_shape_of_steps(args, kwargs) or (args, kwargs))[1]
    outer = ("input_shape", "batch_input_shape", "name", "input_dtype", "dtype")
    if len(args) > 1 and _two_integers(args):
        kwargs, args = {"input_shape": (None, args[0]), **kwargs}, args[1:]
    of_wrapper = {key: kwargs[key] for key in outer if key in kwargs}
    of_dense = {_DENSE.get(key, key): value for key, value in kwargs.items() if key not in outer}
    if len(args) > 1:
        of_dense.update(zip(("kernel_initializer", "activation", "weights"), args[1:], strict=False))
        args = args[:1]
    return layers.TimeDistributed(layers.Dense(*args, **of_dense), **of_wrapper)


_DENSE = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}


def install_layers() -> None:
    """Put the layer that is gone where Keras had it."""
    for module in (layers, core):
        setattr(module, TimeDistributedDense.__name__, TimeDistributedDense)
