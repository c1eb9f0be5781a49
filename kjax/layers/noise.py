"""Layers that disturb their input while training, and pass it on as it is while testing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax import backend as K
from kjax.activations import SELU_ALPHA, SELU_SCALE
from kjax.engine.base_layer import Layer


class GaussianNoise(Layer):
    """Adds noise of mean 0: `x + N(0, stddev)`.

    Arguments:
        stddev: standard deviation of the noise.

    Input shape:
        Any.

    Output shape:
        That of the input.
    """

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = None) -> Any:
        def noised() -> Any:
            return inputs + K.random_normal(inputs.shape, 0.0, self.stddev, inputs.dtype)

        inputs = _floats(inputs)
        return K.in_train_phase(noised, inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(Layer):
    """Multiplies by noise of mean 1: `x * N(1, sqrt(rate / (1 - rate)))`, whose variance is dropout's.

    Arguments:
        rate: the rate of dropout that the noise stands for, between 0 and 1; nothing happens outside of that.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Reference: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate = rate

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0 < self.rate < 1:
            return inputs

        def noised() -> Any:
            stddev = (self.rate / (1.0 - self.rate)) ** 0.5
            return inputs * K.random_normal(inputs.shape, 1.0, stddev, inputs.dtype)

        inputs = _floats(inputs)
        return K.in_train_phase(noised, inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(Layer):
    """Dropout that keeps mean and variance of what a `selu` activation gives.

    `a * (x where kept, else alpha') + b`, where `alpha' = -1.7581` is the lower limit of selu,
    `a = ((1 - rate) * (1 + rate * alpha'^2))^-0.5` and `b = -a * alpha' * rate`.

    Arguments:
        rate: share of values that is dropped, between 0 and 1; nothing happens outside of that.
        noise_shape: shape of the choice, 1 where it is shared along an axis, None where it has the length of
            the input; None for one choice a value.
        seed: number mixed into the random key, or None.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Reference: Klambauer et al., Self-Normalizing Neural Networks, https://arxiv.org/abs/1706.02515
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        if self.noise_shape is not None and len(self.noise_shape) != len(input_shape):
            raise ValueError(
                f"`noise_shape` of AlphaDropout layer {self.name} is {tuple(self.noise_shape)}, but its "
                f"input has the shape {tuple(input_shape)}. They must have the same number of axes."
            )
        self.built = True

    def _get_noise_shape(self, inputs: Any) -> tuple[int, ...]:
        if self.noise_shape is None:
            return inputs.shape
        return tuple(size if n is None else int(n) for n, size in zip(self.noise_shape, inputs.shape, strict=True))

    def call(self, inputs: Any, training: Any = None) -> Any:
        rate = self.rate
        if not 0.0 < rate < 1.0:
            return inputs

        def dropped() -> Any:
            limit = -SELU_ALPHA * SELU_SCALE
            a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
            kept = K.random_uniform(self._get_noise_shape(inputs), dtype="float32", seed=self.seed) >= rate
            return jnp.where(kept, inputs, limit) * a - a * limit * rate

        inputs = _floats(inputs)
        return K.in_train_phase(dropped, inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        # Keras 2.2 wrote the rate alone. What differs from the default is added, so that a copy is equal.
        added = {"noise_shape": self.noise_shape, "seed": self.seed}
        return {
            **super().get_config(),
            "rate": self.rate,
            **{name: value for name, value in added.items() if value is not None},
        }


def _floats(x: Any) -> Any:
    """`x` as an array of floats: noise has no meaning for integers."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(K.floatx())
