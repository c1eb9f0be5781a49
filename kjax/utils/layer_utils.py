"""Helpers that look at a model's layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from kjax.engine._geometry import convert_kernel
from kjax.engine._inputs import get_source_inputs

__all__ = [
    "convert_all_kernels_in_model",
    "convert_dense_weights_data_format",
    "count_params",
    "get_source_inputs",
    "print_summary",
]


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of a model's layers, as `model.summary` does.

    Arguments:
        model: a model that has been built.
        line_length: width of the table in characters; chosen by the kind of model if None.
        positions: where each column ends, as fractions of the width; chosen by the kind of model if None.
        print_fn: called with each line; `print` if None.
    """
    model.summary(line_length=line_length, positions=positions, print_fn=print_fn)


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn the kernels of all convolutions of a model, for weights that were trained with Theano.

    Arguments:
        model: a model that has been built. It is changed.
    """
    for layer in model.layers:
        if type(layer).__name__ in ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose"):
            layer.kernel.assign(convert_kernel(layer.kernel.numpy()))


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Reorder the rows of a `Dense` that follows a `Flatten`, for a network whose `data_format` is changed.

    Arguments:
        dense: the layer. It is changed.
        previous_feature_map_shape: the shape of a sample before the `Flatten`, in the target's format.
        target_data_format: the format that the network is to have; its weights are those of the other one.

    Raises:
        AssertionError: for another format.
    """
    assert target_data_format in ("channels_last", "channels_first"), f"Unknown format: {target_data_format!r}."
    kernel, *bias = dense.get_weights()
    if target_data_format == "channels_first":
        channels, *places = previous_feature_map_shape
        maps = np.moveaxis(kernel.reshape(*places, channels, -1), len(places), 0)
    else:
        *places, channels = previous_feature_map_shape
        maps = np.moveaxis(kernel.reshape(channels, *places, -1), 0, len(places))
    dense.set_weights([maps.reshape(kernel.shape), *bias])


def count_params(weights: Iterable[Any]) -> int:
    """The number of numbers in weights, those that occur twice counted once."""
    return sum(math.prod(weight.shape) for weight in dict.fromkeys(weights))
