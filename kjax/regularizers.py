"""Regularizers: penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kjax import backend as K
from kjax._core.registry import Registry

registry = Registry("regularizer", makers=True)


class Regularizer:
    """A function from a tensor to a scalar penalty. A subclass defines `__call__` and `get_config`."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The regularizer that `get_config` described."""
        return cls(**config)


class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(x ** 2)`.

    Arguments:
        l1: factor of the absolute values.
        l2: factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = float(l1)
        self.l2 = float(l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = K.sum(K.abs(x)) * self.l1 + penalty
        if self.l2:
            penalty = K.sum(K.square(x)) * self.l2 + penalty
        return penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """A penalty on rows, or columns, of a matrix not at right angles: the mean of the absolute values of their cosines.

    Arguments:
        factor: of the penalty.
        mode: `'rows'` or `'columns'`.

    Raises:
        ValueError: for another mode, or when it is applied to something else than a matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"Invalid value for argument `mode`. Expected 'rows' or 'columns'. Received: mode={mode}")
        self.factor, self.mode = float(factor), mode

    def __call__(self, x: Any) -> Any:
        if K.ndim(x) != 2:
            raise ValueError(f"An `OrthogonalRegularizer` takes a matrix. Received a tensor of {K.ndim(x)} dimensions.")
        rows = K.l2_normalize(x if self.mode == "rows" else K.transpose(x), axis=1)
        size: Any = K.int_shape(rows)[0]
        pairs = size * (size - 1.0) / 2.0
        cosines = K.dot(rows, K.transpose(rows)) * (1.0 - np.eye(size, dtype="float32"))
        return K.sum(K.abs(cosines)) * (self.factor * 0.5 / pairs)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def l1(l: float = 0.01, l1: float | None = None) -> L1L2:  # noqa: E741  # `l` is what Keras calls it
    """`l * sum(abs(x))`. `l1` is another name of the factor `l`."""
    return L1L2(l1=l if l1 is None else l1)


def l2(l: float = 0.01, l2: float | None = None) -> L1L2:  # noqa: E741  # `l` is what Keras calls it
    """`l * sum(x ** 2)`. `l2` is another name of the factor `l`."""
    return L1L2(l2=l if l2 is None else l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """`l1 * sum(abs(x)) + l2 * sum(x ** 2)`."""
    return L1L2(l1=l1, l2=l2)


L1 = l1
L2 = l2
orthogonal_regularizer = OrthogonalRegularizer

# Functions that make a regularizer. They are not regularizers themselves, so a lookup calls them.
_MAKERS = (l1, l2, l1_l2)

registry.register(L1L2)
registry.register(OrthogonalRegularizer)
registry.register(l1, "L1")
registry.register(l2, "L2")
registry.register(l1_l2)


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer: `{'class_name', 'config'}`."""
    return registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described."""
    found = registry.deserialize(config, custom_objects)
    return found() if found in _MAKERS else found


def get(identifier: Any) -> Any:
    """The regularizer meant by None (none), a name, a config, a class, or the object itself.

    Raises:
        ValueError: for an unknown name or something that cannot be called.
    """
    found = registry.get(identifier)
    return found() if found in _MAKERS else found
