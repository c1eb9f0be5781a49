"""Constraints: projections that an optimizer applies to a weight after each update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kjax import backend as K
from kjax._core.arguments import accepts_old_names
from kjax._core.registry import Registry

registry = Registry("constraint")

Axes = int | list[int] | tuple[int, ...]


class Constraint:
    """A function from a weight to an allowed weight. A subclass defines `__call__` and `get_config`."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The constraint that `get_config` described."""
        return cls(**config)


def _norms(w: Any, axis: Axes) -> Any:
    return K.sqrt(K.sum(K.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scales the weights of a unit down where their norm is greater than a bound.

    Arguments:
        max_value: the bound.
        axis: axis or axes along which a norm is taken. 0 for `Dense`, whose kernel is (inputs, units): one
            norm a unit. `[0, 1, 2]` for `Conv2D`, whose kernel is (rows, columns, channels, filters).

    Reference: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014
    """

    @accepts_old_names("MaxNorm")
    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (K.clip(norms, 0, self.max_value) / (norms + K.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to zero."""

    def __call__(self, w: Any) -> Any:
        return K.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Scales the weights of a unit to norm 1.

    Arguments:
        axis: axis or axes along which a norm is taken, as for `MaxNorm`.
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (_norms(w, self.axis) + K.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Moves the norm of a unit's weights towards an interval: `rate * clip(norm) + (1 - rate) * norm`.

    Arguments:
        min_value: lower bound.
        max_value: upper bound.
        rate: part of the way that one step goes. 1: the norm is in the interval after each step.
        axis: axis or axes along which a norm is taken, as for `MaxNorm`.
    """

    @accepts_old_names("MinMaxNorm")
    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = K.clip(norms, self.min_value, self.max_value) * self.rate + norms * (1 - self.rate)
        return w * (wanted / (norms + K.epsilon()))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


class RadialConstraint(Constraint):
    """Makes kernels of convolutions (rows, columns, channels, filters) the same in each ring about their centre.

    The value at the centre, or in the innermost ring of an even size, is the one on the diagonal before the middle;
    those of the rings around it are the next ones on the diagonal, from the middle on, as in tf.keras.

    Raises:
        ValueError: when called, for weights of other than four dimensions, or rows and columns that differ.
    """

    def __call__(self, w: Any) -> Any:
        shape = K.int_shape(w)
        if len(shape) != 4 or shape[0] != shape[1]:
            raise ValueError(
                "RadialConstraint takes square kernels of shape (rows, columns, channels, filters). "
                f"Received: shape={tuple(shape)}"
            )
        size: Any = shape[0]
        places = np.abs(np.arange(size) - (size - 1) / 2)
        rings = np.maximum(places[:, None], places[None]).astype(int)
        middle, even = size // 2, size % 2 == 0
        diagonal = [middle - 1, *range(middle + even, middle + middle)]
        taken = np.array(diagonal)[rings]
        flat = K.reshape(w, (size * size, *shape[2:]))
        return K.reshape(K.gather(flat, (taken * size + taken).reshape(-1)), shape)


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm
radial_constraint = RadialConstraint

registry.register(MaxNorm, "max_norm", "maxnorm")
registry.register(NonNeg, "non_neg", "nonneg")
registry.register(UnitNorm, "unit_norm", "unitnorm")
registry.register(MinMaxNorm, "min_max_norm")
registry.register(RadialConstraint, "radial_constraint")


def serialize(constraint: Any) -> Any:
    """The config of a constraint: `{'class_name', 'config'}`."""
    return registry.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described."""
    return registry.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """The constraint meant by None (none), a name, a config, a class, or the object itself.

    Raises:
        ValueError: for an unknown name or something that cannot be called.
    """
    return registry.get(identifier)
