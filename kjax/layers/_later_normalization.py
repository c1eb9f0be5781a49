"""Normalizations that came with tf.keras 2: by groups of channels, to length 1, and by what was seen in data."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax.engine.base_layer import InputSpec, Layer
from kjax.layers import _roles
from kjax.layers.normalization import BatchNormalization


class GroupNormalization(Layer):
    """Brings groups of channels of each sample to mean 0 and variance 1, then scales and shifts each channel.

    `gamma * (x - mean) / sqrt(variance + epsilon) + beta`

    Arguments:
        groups: number of groups, which divides the number of channels; -1 for as many as there are channels.
        axis: the axis of the channels.
        epsilon: added to the variance, so that its root is never 0.
        center: whether there is a `beta`; 0 otherwise.
        scale: whether there is a `gamma`; 1 otherwise.
        beta_initializer, gamma_initializer: first values of `beta` and `gamma`.
        beta_regularizer, gamma_regularizer: penalties of the weights, or None.
        beta_constraint, gamma_constraint: functions applied to the weights after each update, or None.

    Raises:
        ValueError: when built, if the channels are not known or cannot be divided so.

    Reference: Wu and He, Group Normalization, https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self.center, self.scale = center, scale
        _roles.take(
            self,
            gamma=(gamma_initializer, gamma_regularizer, gamma_constraint),
            beta=(beta_initializer, beta_regularizer, beta_constraint),
        )

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input "
                f"with shape {tuple(input_shape)}."
            )
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups or channels % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must divide the number of channels ({channels}), in layer "
                f"{self.name}. Set `groups` to a divisor, or to -1 for one group a channel."
            )
        self.gamma = _roles.add(self, "gamma", (channels,)) if self.scale else None
        self.beta = _roles.add(self, "beta", (channels,)) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs)
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.dtype(K.floatx())
        # Means of half floats would lose most digits.
        x = x.astype(jnp.dtype("float32") if dtype.itemsize < 4 else dtype)
        axis = self.axis % x.ndim
        grouped = x.reshape(*x.shape[:axis], self.groups, -1, *x.shape[axis + 1 :])
        axes = tuple(a for a in range(1, grouped.ndim) if a != axis)
        normed = grouped - jnp.mean(grouped, axes, keepdims=True)
        normed = normed * jax.lax.rsqrt(jnp.mean(jnp.square(normed), axes, keepdims=True) + self.epsilon)
        normed = normed.reshape(x.shape)
        shape = [length if a == axis else 1 for a, length in enumerate(x.shape)]
        if self.gamma is not None:
            normed = normed * self.gamma.value.astype(x.dtype).reshape(shape)
        if self.beta is not None:
            normed = normed + self.beta.value.astype(x.dtype).reshape(shape)
        return normed.astype(dtype)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("groups", "axis", "epsilon", "center", "scale")}
        roles = _roles.serialized(self, "gamma", "beta")
        del roles["activity_regularizer"]
        return {**super().get_config(), **own, **roles}


class UnitNormalization(Layer):
    """Divides each vector along an axis by its length.

    Arguments:
        axis: the axis, or several.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs: Any) -> Any:
        return K.l2_normalize(inputs, axis=tuple(self.axis) if isinstance(self.axis, list) else self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class SyncBatchNormalization(BatchNormalization):
    """`BatchNormalization`, whose statistics are those of the whole batch wherever it is computed. Same arguments."""
