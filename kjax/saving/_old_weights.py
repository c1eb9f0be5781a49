"""Weights of older versions, other backends and other kinds of a layer, in the order and shape of today's.

Keras 1 kept a matrix for each gate of a recurrent layer and Theano's order of a kernel's axes. Theano's convolutions
turn their kernels around. cuDNN's layers have two biases, and kernels that are transposed in memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Values = list[np.ndarray]

_NETWORKS = ("Model", "Sequential", "Network")
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def converted(layer: Any, values: Values, version: str, backend: str | None) -> Values:
    """The weights that a file holds for `layer`, as the layer has them.

    Arguments:
        layer: the layer that takes them.
        values: what the file holds.
        version: Keras's version that wrote the file; `'1'` if it does not say.
        backend: the backend that Keras ran on, or None if it does not say.

    Raises:
        ValueError: if they are those of a layer of another kind.
    """
    kinds = [cls.__name__ for cls in type(layer).__mro__]
    if "Bidirectional" in kinds:
        half = len(values) // 2
        parts = (layer.forward_layer, values[:half]), (layer.backward_layer, values[half:])
        return [value for inner, own in parts for value in converted(inner, own, version, backend)]
    if "TimeDistributed" in kinds:
        return converted(layer.layer, values, version, backend)
    if any(kind in _NETWORKS for kind in kinds):
        return _nested(layer, values, version, backend)
    kind = next((kind for kind in kinds if kind in _READERS), None)
    if version.startswith("1") and kind is not None:
        values = _READERS[kind](layer, values)
    kind = next((kind for kind in kinds if kind in _CONVOLUTIONS), None)
    if kind is not None and values:
        values = _convolved(layer, values, backend, 2 if kind == "ConvLSTM2D" else 1)
    return _of_cudnn(layer, kinds, values)


def _nested(model: Any, values: Values, version: str, backend: str | None) -> Values:
    """A nested model's weights: the trainable ones of all layers, then the others."""
    layers = list(model.layers)
    counts = [len(layer.trainable_weights) if model.trainable else 0 for layer in layers]
    others = [len(layer.weights) - count for layer, count in zip(layers, counts, strict=True)]
    if sum(counts) + sum(others) != len(values):
        return values
    firsts, rest = iter(values[: sum(counts)]), iter(values[sum(counts) :])
    trained: Values = []
    fixed: Values = []
    for layer, count, other in zip(layers, counts, others, strict=True):
        own = [*itertools.islice(firsts, count), *itertools.islice(rest, other)]
        own = converted(layer, own, version, backend)
        trained += own[:count]
        fixed += own[count:]
    return [*trained, *fixed]


# -- Keras 1 ---------------------------------------------------------------------------------------------------------


def _conv1d(layer: Any, values: Values) -> Values:
    kernel = values[0]
    if kernel.ndim != 4:
        return values
    if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:
        kernel = kernel.transpose(2, 3, 1, 0)  # (filters, channels, steps, 1), of the first versions
    return [kernel[:, 0], *values[1:]]


def _moved(first: tuple[int, ...] | None, last: tuple[int, ...] | None) -> Callable[[Any, Values], Values]:
    """Kernels with other orders of axes, for data with channels first and last."""

    def read(layer: Any, values: Values) -> Values:
        axes = first if layer.data_format == "channels_first" else last
        return values if axes is None or not values else [values[0].transpose(axes), *values[1:]]

    return read


def _joined(values: Values, order: Sequence[int]) -> Values:
    """Kernels, recurrent kernels and biases of gates, each as one array."""
    if len(values) != 3 * len(order):
        return values
    return [np.concatenate([values[3 * gate + part] for gate in order], axis=-1) for part in range(3)]


def _conv_lstm(layer: Any, values: Values) -> Values:
    values = _joined(values, (0, 2, 1, 3))
    if layer.data_format == "channels_first" and len(values) == 3:
        values[:2] = [kernel.transpose(2, 3, 1, 0) for kernel in values[:2]]
    return values


_READERS: dict[str, Callable[[Any, Values], Values]] = {
    "Conv1D": _conv1d,
    "Conv2D": _moved((2, 3, 1, 0), None),
    "Conv2DTranspose": _moved((2, 3, 0, 1), (0, 1, 3, 2)),
    "Conv3D": _moved((2, 3, 4, 1, 0), None),
    "GRU": lambda layer, values: _joined(values, (0, 1, 2)),
    "LSTM": lambda layer, values: _joined(values, (0, 2, 1, 3)),  # Keras 1: input, cell, forget, output
    "ConvLSTM2D": _conv_lstm,
}


# -- backends --------------------------------------------------------------------------------------------------------


def _convolved(layer: Any, values: Values, backend: str | None, count: int) -> Values:
    kernels = values[:count]
    if backend == "theano":
        kernels = [np.flip(kernel, tuple(range(kernel.ndim - 2))) for kernel in kernels]
    wanted = [tuple(weight.shape) for weight in layer.weights[:count]]
    kernels = [
        kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 and kernel.shape != shape else kernel
        for kernel, shape in zip(kernels, wanted, strict=False)
    ]
    return [*map(np.ascontiguousarray, kernels), *values[count:]]


# -- cuDNN -----------------------------------------------------------------------------------------------------------


_PLAIN_GRU = "GRU(reset_after=False)"


def _of_cudnn(layer: Any, kinds: Sequence[str], values: Values) -> Values:
    kind = next((kind for kind in kinds if kind in ("LSTM", "CuDNNLSTM", "GRU", "CuDNNGRU")), None)
    if kind is None or len(values) != 3:
        return values
    gates = 4 if kind.endswith("LSTM") else 3
    columns, bias = gates * layer.units, values[2].shape
    if kind.endswith("LSTM"):
        source = {(columns,): "LSTM", (2 * columns,): "CuDNNLSTM"}.get(bias)
        target = kind
    else:
        sources = {(columns,): _PLAIN_GRU, (2, columns): "GRU(reset_after=True)", (2 * columns,): "CuDNNGRU"}
        source, target = sources.get(bias), kind
        if kind == "GRU":
            target = "GRU(reset_after=True)" if layer.reset_after else _PLAIN_GRU
    if source is None or source == target:
        return values
    if _PLAIN_GRU in (source, target):
        raise ValueError(f"{source} is not compatible with {target}: layer {layer.name!r} is of the second kind.")
    return _between(values, gates, source.startswith("CuDNN"))


def _between(values: Values, gates: int, from_cudnn: bool) -> Values:
    kernel, recurrent, bias = values
    order = "F" if from_cudnn else "C"
    kernel = np.hstack([part.T.reshape(part.shape, order=order) for part in np.hsplit(kernel, gates)])
    recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
    if gates == 3:
        bias = bias.reshape((2, -1) if from_cudnn else (-1,))
    else:
        bias = bias.reshape(2, -1).sum(axis=0) if from_cudnn else np.tile(bias * 0.5, 2).astype(bias.dtype)
    return [kernel, recurrent, bias]
