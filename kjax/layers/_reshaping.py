"""Layers that move values and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax.engine.base_layer import InputSpec, Layer


class Flatten(Layer):
    """Makes one axis of all but the first.

    Arguments:
        data_format: `'channels_first'` moves the channels to the end first, so that weights fit either format.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=2)
        self.data_format = data_format or "channels_last"

    def compute_output_shape(self, input_shape: Any) -> Any:
        if None in input_shape[1:]:
            raise ValueError(
                f'The shape of the input to "Flatten" is not fully defined (got {tuple(input_shape[1:])}). Make sure '
                'to pass a complete "input_shape" or "batch_input_shape" argument to the first layer in your model.'
            )
        return (input_shape[0], int(np.prod(input_shape[1:])))

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first":
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], -1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Gives each sample another shape.

    Arguments:
        target_shape: the shape without the batch dimension; one entry may be -1.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def build(self, input_shape: Any) -> None:
        self._fixed(tuple(input_shape[1:]))
        super().build(input_shape)

    def _fixed(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The target shape for samples of `shape`, with -1 worked out."""
        free = self.target_shape.count(-1)
        known = int(np.prod([d for d in self.target_shape if d != -1]))
        if free > 1:
            raise ValueError(f"Only one dimension of `target_shape` can be -1. Found: {self.target_shape}")
        if None in shape:
            return tuple(None if d == -1 else d for d in self.target_shape)
        size = int(np.prod([d for d in shape if d is not None]))
        if (free and (known == 0 or size % known)) or (not free and size != known):
            raise ValueError(
                f"total size of new array must be unchanged: layer {self.name} cannot reshape samples of shape {shape} "
                f"({size} values) to {self.target_shape}."
            )
        return tuple(size // known if d == -1 else d for d in self.target_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self._fixed(tuple(input_shape[1:])))

    def call(self, inputs: Any) -> Any:
        return inputs.reshape(inputs.shape[0], *self._fixed(tuple(inputs.shape[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Reorders the axes of each sample.

    Arguments:
        dims: the new order of the axes, counted from 1, without the batch axis.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Invalid permutation `dims` for Permute layer: {self.dims}. It must hold each of the axes 1 to "
                f"{len(self.dims)} once (the batch axis is not counted)."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return jnp.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Repeats each sample's vector n times.

    Arguments:
        n: how often.

    Input shape:
        (batch, features).

    Output shape:
        (batch, n, features).
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
