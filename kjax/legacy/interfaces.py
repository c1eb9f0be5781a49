"""`keras.legacy.interfaces` of Keras 2: decorators for classes of one's own that accept old arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kjax._core import arguments
from kjax.legacy._convert import Args, Kwargs, Table, convert

Method = Callable[..., Any]


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Sequence[tuple[str, str]] | None = None,
    preprocessor: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None,
    value_conversions: Mapping[str, Mapping[Any, Any]] | None = None,
    object_type: str = "class",
) -> Callable[[Method], Method]:
    """A decorator of methods, by which they accept old names and values of arguments, with a warning.

    Arguments:
        allowed_positional_args: accepted; Python itself checks the places.
        conversions: pairs of an old name and today's.
        preprocessor: changes the arguments first: from (args, kwargs), `args` with `self` in front, to
            (args, kwargs, names that it converted).
        value_conversions: today's name to a table of old values and today's.
        object_type: `'class'` for a constructor, `'method'` for others: what the warning calls it.
    """

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            name = type(args[0]).__name__ if object_type == "class" else method.__name__
            if preprocessor is not None:
                args, kwargs, _ = preprocessor(args, kwargs)
            table = Table(names=dict(conversions or ()), values=value_conversions or {})
            rest, kwargs = convert(name, table, tuple(args[1:]), kwargs)
            return method(args[0], *rest, **kwargs)

        return call

    return decorate


generate_legacy_method_interface = functools.partial(generate_legacy_interface, object_type="method")


# By the name in Keras 2, and the class or method here whose table it uses.
SUPPORTS = {
    "dense": "Dense", "dropout": "Dropout", "embedding": "Embedding", "pooling1d": "MaxPooling1D", "prelu": "PReLU",
    "gaussiannoise": "GaussianNoise", "recurrent": "LSTM", "gaussiandropout": "GaussianDropout", "input": "InputLayer",
    "lambda": "Lambda", "conv1d": "Conv1D", "separable_conv2d": "SeparableConv2D", "conv2d": "Conv2D",
    "deconv2d": "Conv2DTranspose", "conv3d": "Conv3D", "batchnorm": "BatchNormalization", "pooling2d": "MaxPooling2D",
    "pooling3d": "MaxPooling3D", "global_pooling": "GlobalMaxPooling2D", "upsampling1d": "UpSampling1D",
    "upsampling2d": "UpSampling2D", "upsampling3d": "UpSampling3D", "zeropadding2d": "ZeroPadding2D",
    "zeropadding3d": "ZeroPadding3D", "cropping2d": "Cropping2D", "cropping3d": "Cropping3D",
    "convlstm2d": "ConvLSTM2D", "spatialdropout1d": "SpatialDropout1D", "spatialdropoutNd": "SpatialDropout2D",
    "add_weight": "Layer.add_weight", "get_updates": "Optimizer.get_updates", "model_constructor": "Model",
    "generator_methods": "Model.fit_generator",
}  # fmt: skip


# What Keras 2 called before it renamed arguments, and whose table it uses here.
PREPROCESSORS = {
    "embedding_kwargs_preprocessor": "Embedding", "recurrent_args_preprocessor": "LSTM",
    "conv1d_args_preprocessor": "Conv1D", "conv2d_args_preprocessor": "Conv2D",
    "separable_conv2d_args_preprocessor": "SeparableConv2D", "deconv2d_args_preprocessor": "Conv2DTranspose",
    "conv3d_args_preprocessor": "Conv3D", "batchnorm_args_preprocessor": "BatchNormalization",
    "convlstm2d_args_preprocessor": "ConvLSTM2D", "zeropadding2d_args_preprocessor": "ZeroPadding2D",
    "generator_methods_args_preprocessor": "Model.fit_generator",
    "add_weight_args_preprocessing": "Layer.add_weight",
    "get_updates_arg_preprocessing": "Optimizer.get_updates",
}  # fmt: skip


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> None:
    """Raise the TypeError of a call that has an argument under its old name and under today's."""
    raise TypeError(
        f"For the `{new_arg}` argument, the layer received both the legacy keyword argument `{old_arg}` and the "
        f"Keras 2 keyword argument `{new_arg}`. Stick to the latter!"
    )


def _preprocessor(owner: str) -> Callable[[Args, Kwargs], tuple[Args, Kwargs, list[Any]]]:
    """From the arguments, `self` in front, to today's; all names are converted, so none is left to do."""

    def preprocess(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs, list[Any]]:
        rest, kwargs = arguments.converted_arguments(owner, args[1:], kwargs)
        return (*args[:1], *rest), kwargs, []

    return preprocess


def __getattr__(name: str) -> Any:
    key = name.removeprefix("legacy_").removesuffix("_support")
    if name == f"legacy_{key}_support" and key in SUPPORTS:
        return arguments.accepts_old_names(SUPPORTS[key])
    if name in PREPROCESSORS:
        return _preprocessor(PREPROCESSORS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
