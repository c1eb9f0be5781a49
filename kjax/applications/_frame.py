"""What all applications share: checking the arguments, the input, the end of the network, and the weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from kjax import backend as K
from kjax import layers
from kjax.applications import _weights
from kjax.applications.imagenet_utils import obtain_input_shape
from kjax.models import Model
from kjax.utils.layer_utils import get_source_inputs

# Older callers hand the modules over that a model is to be built of.
_MODULES = frozenset(("backend", "layers", "models", "utils"))


class Wishes(NamedTuple):
    """The arguments that every application takes.

    Attributes:
        include_top: whether the classifier is part of the model.
        weights: None for random ones, `'imagenet'`, or the path of a file.
        input_tensor: tensor to build the model on, or None.
        input_shape: shape of an image, or None.
        pooling: what follows without the classifier: None, `'avg'` or `'max'`.
        classes: number of classes.
        activation: of the classifier.
    """

    include_top: bool
    weights: str | None
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    activation: Any = "softmax"


def wishes(
    include_top: bool,
    weights: str | None,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    more: dict[str, Any],
) -> Wishes:
    """The arguments of a call, checked.

    Raises:
        TypeError: for an argument in `more` that no application ever took.
        ValueError: if `weights` is neither None nor `'imagenet'` nor a file, or comes with another number of classes.
    """
    unknown = sorted(set(more) - _MODULES - {"classifier_activation"})
    if unknown:
        raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
    if weights not in (None, "imagenet") and not os.path.exists(weights):
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), `imagenet` (pre-training on "
            f"ImageNet), or the path to the weights file to be loaded. Found: {weights!r}"
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(
            f'If using `weights` as `"imagenet"` with `include_top` as true, `classes` should be 1000. Found: {classes}'
        )
    activation = more.get("classifier_activation", "softmax")
    return Wishes(bool(include_top), weights, input_tensor, input_shape, pooling, classes, activation)


def image(asked: Wishes, size: int, least: int) -> Any:
    """The tensor that the network is built on.

    Arguments:
        size: height and width if none are asked for.
        least: the smallest height and width.
    """
    shape = obtain_input_shape(asked.input_shape, size, least, K.image_data_format(), asked.include_top, asked.weights)
    given = asked.input_tensor
    if given is None:
        return layers.Input(shape=shape)
    return given if K.is_keras_tensor(given) else layers.Input(tensor=given, shape=shape)


def finish(
    name: str,
    start: Any,
    x: Any,
    asked: Wishes,
    classifier: Callable[[Any, Wishes], Any],
    pretrained: _weights.Pretrained | None,
    *,
    pool_names: bool = False,
) -> Any:
    """The model from the input to the features `x`, with its classifier or its pooling, and its weights.

    Arguments:
        name: of the model.
        start: what `image` returned.
        classifier: makes the classifier on `x`.
        pretrained: files of weights.
        pool_names: whether the pooling in place of the classifier has a name of its own.
    """
    if asked.include_top:
        x = classifier(x, asked)
    elif asked.pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="avg_pool" if pool_names else None)(x)
    elif asked.pooling == "max":
        x = layers.GlobalMaxPooling2D(name="max_pool" if pool_names else None)(x)
    model = Model(get_source_inputs(start), x, name=name)
    _weights.load(model, asked.weights, pretrained, asked.include_top)
    return model


def averaged(name: str, pool: str | None = "avg_pool") -> Callable[[Any, Wishes], Any]:
    """The usual classifier: the mean over the image, then one layer called `name`."""

    def classifier(x: Any, asked: Wishes) -> Any:
        x = layers.GlobalAveragePooling2D(name=pool)(x)
        return layers.Dense(asked.classes, activation=asked.activation, name=name)(x)

    return classifier


def channels() -> int:
    """The axis of the channels."""
    return 3 if K.image_data_format() == "channels_last" else 1


def count(x: Any) -> int:
    """The number of channels of images."""
    number = K.int_shape(x)[channels()]
    assert number is not None, "a convolution needs to know the number of channels"
    return number


def normalized(
    x: Any, name: str | None = None, activation: Any = None, activation_name: str | None = None, **options: Any
) -> Any:
    """Batch normalization over the channels, and an activation unless it is None.

    Arguments:
        name, activation_name: names of the two layers; counted up if None.
        options: of the batch normalization.
    """
    x = layers.BatchNormalization(axis=channels(), name=name, **options)(x)
    return x if activation is None else layers.Activation(activation, name=activation_name)(x)
