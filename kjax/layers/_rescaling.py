"""A layer that brings inputs to another range."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import operators
from kjax.engine.base_layer import Layer


class Rescaling(Layer):
    """`inputs * scale + offset`, as floats: `Rescaling(1 / 255)` brings pixels to 0 to 1.

    Arguments:
        scale: the factor; a number, or a list with one for each channel.
        offset: what is added; a number, or such a list.

    Input shape:
        Any.

    Output shape:
        That of the input.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs)
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(K.floatx())
        scale, offset = (jnp.asarray(np.asarray(given), x.dtype) for given in (self.scale, self.offset))
        return operators.add(operators.multiply(x, scale), offset)

    def get_config(self) -> dict[str, Any]:
        plain = [np.asarray(given).tolist() for given in (self.scale, self.offset)]
        return {**super().get_config(), "scale": plain[0], "offset": plain[1]}
