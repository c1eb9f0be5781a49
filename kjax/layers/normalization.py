"""Batch normalization."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax import constraints, initializers, regularizers
from kjax._core import scope
from kjax._core.graph import Variable
from kjax.backend._channels import channel_sums, spread
from kjax.engine.base_layer import InputSpec, Layer


class BatchNormalization(Layer):
    """Brings each feature to mean 0 and variance 1 over the batch, then scales and shifts it.

    `gamma * (x - mean) / sqrt(variance + epsilon) + beta`

    While training, mean and variance are those of the batch, over all axes but `axis`. Moving averages follow
    them: `moving = moving * momentum + batch * (1 - momentum)`, where the variance of the batch counts as
    `(variance + epsilon) * n / (n - (1 + epsilon))`, `n` being the number of values of a feature: so recorded runs of
    Keras 2.2 have it. While testing, the moving averages take their place.

    A layer with `trainable = False` still normalizes by the batch while training, as in Keras 2.2: what
    stands still are its weights, the moving averages among them. (Since TensorFlow 2 it normalizes by the moving
    averages. Pass `training=False` in the call for that.)

    Arguments:
        axis: the axis of the features: -1, or 1 after convolutions with channels first.
        momentum: how slowly the moving averages move, from 0 to 1.
        epsilon: added to the variance, so that its root is never 0.
        center: whether there is a `beta`; 0 otherwise.
        scale: whether there is a `gamma`; 1 otherwise. Not needed before a linear layer or `relu`.
        beta_initializer, gamma_initializer: first values of `beta` and `gamma`.
        moving_mean_initializer, moving_variance_initializer: first values of the moving averages.
        beta_regularizer, gamma_regularizer: penalties of the weights, or None.
        beta_constraint, gamma_constraint: functions applied to the weights after each update, or None.

    Input shape:
        Any, with the length of `axis` known.

    Output shape:
        That of the input.

    Raises:
        ValueError: when built, if the input lacks the axis or its length is not known.

    Reference: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift, https://arxiv.org/abs/1502.03167
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        # tf.keras writes a list of one axis into its files.
        self.axis: Any = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape: Any) -> None:
        features = self._features(input_shape)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=(features,),
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=(features,),
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=(features,), initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(features,),
            initializer=self.moving_variance_initializer,
            trainable=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: features})
        self.built = True

    def _features(self, input_shape: Any) -> int:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"BatchNormalization layer {self.name} normalizes axis {self.axis}, which an input of shape "
                f"{tuple(input_shape)} does not have. `axis` must be from {-rank} to {rank - 1}."
            )
        if input_shape[self.axis] is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an "
                f"input with shape {tuple(input_shape)}. Give this axis of its `Input` a length."
            )
        return int(input_shape[self.axis])

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = jnp.asarray(inputs)
        dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.dtype(K.floatx())
        x = x.astype(_at_least_float32(dtype))  # sums over a batch of half floats would lose most digits
        normed = K.in_train_phase(lambda: self._by_batch(x), lambda: self._by_averages(x), training=training)
        return normed.astype(dtype)

    def _by_batch(self, x: Any) -> Any:
        """Normalize by mean and variance of the batch, and let the moving averages follow them."""
        mean = self._means(x)
        variance = self._means(jnp.square(x - self._over(mean, x)))
        opened = scope.current()
        if self.trainable and opened is not None and opened.trains and opened.training:
            n = x.size // x.shape[self.axis]
            self._follow(self.moving_mean, mean)
            # With epsilon in it, as in the recorded runs; Keras on TensorFlow took the variance without.
            self._follow(self.moving_variance, (variance + self.epsilon) * n / (n - (1.0 + self.epsilon)))
        return self._normalize(x, mean, variance)

    def _by_averages(self, x: Any) -> Any:
        mean, variance = (v.value.astype(x.dtype) for v in (self.moving_mean, self.moving_variance))
        return self._normalize(x, mean, variance)

    def _normalize(self, x: Any, mean: Any, variance: Any) -> Any:
        factor = jax.lax.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * self.gamma.value.astype(x.dtype)
        normed = (x - self._over(mean, x)) * self._over(factor, x)
        return normed if self.beta is None else normed + self._over(self.beta.value.astype(x.dtype), x)

    def _means(self, x: Any) -> Any:
        """The mean of each feature."""
        axis = self.axis % x.ndim
        if axis == x.ndim - 1 > 1:
            return channel_sums(x) / (x.size // x.shape[-1])
        return jnp.mean(x, tuple(i for i in range(x.ndim) if i != axis))

    def _over(self, features: Any, x: Any) -> Any:
        """Numbers of features, to be combined with `x`."""
        axis = self.axis % x.ndim
        if axis == x.ndim - 1 > 1:
            return spread(features, x.shape)
        return features.reshape((1,) * axis + (-1,) + (1,) * (x.ndim - axis - 1))

    def _follow(self, average: Variable, value: Any) -> None:
        old = average.value.astype(value.dtype)
        average.assign(old * self.momentum + value * (1.0 - self.momentum))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def _at_least_float32(dtype: Any) -> Any:
    return jnp.dtype("float32") if dtype.itemsize < 4 else dtype
