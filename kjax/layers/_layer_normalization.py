"""Normalization of each sample by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax import constraints, initializers, regularizers
from kjax._core.graph import Variable
from kjax.engine.base_layer import InputSpec, Layer


class LayerNormalization(Layer):
    """Brings the features of each sample to mean 0 and variance 1, then scales and shifts them.

    `gamma * (x - mean) / sqrt(variance + epsilon) + beta`

    Arguments:
        axis: the axis of the features, or several: mean and variance are taken over them.
        epsilon: added to the variance, so that its root is never 0.
        center: whether there is a `beta`; 0 otherwise.
        scale: whether there is a `gamma`; 1 otherwise.
        beta_initializer, gamma_initializer: first values of `beta` and `gamma`.
        beta_regularizer, gamma_regularizer: penalties of the weights, or None.
        beta_constraint, gamma_constraint: functions applied to the weights after each update, or None.

    Input shape:
        Any, with the lengths of `axis` known.

    Output shape:
        That of the input.

    Raises:
        ValueError: when built, if the input lacks an axis, an axis comes twice or its length is not known.

    Reference: Ba, Kiros and Hinton, Layer Normalization, https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
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
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape: Any) -> None:
        axes = self._axes(len(input_shape), tuple(input_shape))
        shape = tuple(input_shape[axis] for axis in axes)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: input_shape[axis] for axis in axes})
        self.built = True

    def _axes(self, rank: int, shape: tuple[Any, ...]) -> tuple[int, ...]:
        """The axes of the features, counted from the first."""
        given = [self.axis] if isinstance(self.axis, int) else self.axis
        axes = tuple(axis % rank for axis in given if -rank <= axis < rank)
        if len(axes) < len(given) or len(set(axes)) < len(axes) or not axes:
            raise ValueError(
                f"LayerNormalization layer {self.name} normalizes axis {self.axis}, which an input of shape {shape} "
                f"does not have. `axis` must be from {-rank} to {rank - 1}, or a list of different ones."
            )
        if None in [shape[axis] for axis in axes]:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an "
                f"input with shape {shape}. Give this axis of its `Input` a length."
            )
        return axes

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs)
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.dtype(K.floatx())
        # Means of half floats would lose most digits.
        x = x.astype(jnp.dtype("float32") if dtype.itemsize < 4 else dtype)
        axes = self._axes(x.ndim, x.shape)
        normed = x - jnp.mean(x, axes, keepdims=True)
        normed = normed * jax.lax.rsqrt(jnp.mean(jnp.square(normed), axes, keepdims=True) + self.epsilon)
        shape = [length if axis in axes else 1 for axis, length in enumerate(x.shape)]
        if self.gamma is not None:
            normed = normed * self.gamma.value.astype(x.dtype).reshape(shape)
        if self.beta is not None:
            normed = normed + self.beta.value.astype(x.dtype).reshape(shape)
        return normed.astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
