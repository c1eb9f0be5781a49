"""Layers around another layer."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax.engine.base_layer import InputSpec, Layer
from kjax.layers._bidirectional import Bidirectional
from kjax.layers._wrapper import Wrapper


class TimeDistributed(Wrapper):
    """Applies a layer to every time step, with the same weights.

    Arguments:
        layer: the layer to apply.

    Input shape:
        (batch, time, ...).

    Output shape:
        (batch, time, ...) of the layer's output.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` needs inputs with a time dimension: (batch, time, ...). "
                f"Found shape {tuple(input_shape)} at layer {self.name}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape))
        step = (input_shape[0], *input_shape[2:])
        if not self.layer.built:
            self.layer.build(step)
            self.layer.built = True
        super().build(input_shape)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        kwargs: dict[str, Any] = {}
        accepted = type(self.layer)._call_parameters
        if "training" in accepted:
            kwargs["training"] = training
        if "mask" in accepted and mask is not None:
            kwargs["mask"] = _fold(mask)
        output = self.layer(_fold(inputs), **kwargs)
        return output.reshape(batch, steps, *output.shape[1:])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        inner = None if mask is None else _fold(mask)
        made = self.layer.compute_mask(_fold(inputs), inner) if self._masks_steps(mask) else None
        if made is not None:
            return made.reshape(*inputs.shape[:2], *made.shape[1:])
        return None if mask is None else jnp.any(mask.reshape(*mask.shape[:2], -1), axis=-1)

    def _masks_steps(self, mask: Any) -> bool:
        """Whether the layer inside says itself what is masked."""
        own = type(self.layer).compute_mask is not Layer.compute_mask
        return own or (mask is not None and mask.ndim > 2 and self.layer.supports_masking)

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (inner[0], input_shape[1], *inner[1:])


def _fold(x: Any) -> Any:
    """Time steps as samples: (batch * time, ...)."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]
