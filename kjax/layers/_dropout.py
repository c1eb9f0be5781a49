"""Layers that drop a part of their input while training."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import config
from kjax.engine.base_layer import InputSpec, Layer


class Dropout(Layer):
    """While training, sets a share `rate` of the inputs to 0 and divides the others by `1 - rate`.

    Arguments:
        rate: share that is dropped, from 0 up to, but not including, 1.
        noise_shape: shape of the choice, 1 where it is shared along an axis; None for one choice an item.
        seed: number that fixes the choices; drawn from numpy's global generator if None.

    Reference: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = _share(rate, type(self).__name__)
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return None
        return tuple(n if n is not None else size for n, size in zip(self.noise_shape, jnp.shape(inputs), strict=True))

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0.0 < self.rate < 1.0:
            return inputs
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.rate, self._get_noise_shape(inputs), seed=self.seed),
            inputs,
            training=training,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}


def _share(rate: Any, what: str) -> float:
    """A rate of dropping, brought into [0, 1] as Keras 2.2 did."""
    if not isinstance(rate, (int, float, np.floating, np.integer)):
        raise ValueError(f"`rate` of {what} must be a number from 0 to 1. Found: {rate!r}")
    return min(1.0, max(0.0, float(rate)))


class _SpatialDropout(Dropout):
    """Drops whole feature maps."""

    rank = 1

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(f'data_format must be in {{"channels_first", "channels_last"}}. Found: {data_format}')
        self.data_format = data_format or config.image_data_format()
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _get_noise_shape(self, inputs: Any) -> Any:
        shape = jnp.shape(inputs)
        ones = (1,) * self.rank
        if self.rank > 1 and self.data_format == "channels_first":
            return (*shape[:2], *ones)
        return (shape[0], *ones, shape[-1])


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence.

    Arguments:
        rate: share of the channels that is dropped.

    Input shape:
        (batch, time, channels).
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images.

    Arguments:
        rate: share of the channels that is dropped.
        data_format: `'channels_last'` or `'channels_first'`; `K.image_data_format()` by default.

    Reference: Tompson et al., Efficient Object Localization Using Convolutional Networks, 2014.
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes.

    Arguments:
        rate: share of the channels that is dropped.
        data_format: `'channels_last'` or `'channels_first'`; `K.image_data_format()` by default.
    """

    rank = 3
