"""What the loops of recurrent cells are made of: products with kernels through dropout masks, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

Activation = Callable[[Any], Any]
Masks = Sequence[Any] | None  # dropout masks: one for all gates, or one for each


class Loop(NamedTuple):
    """What is fixed about a loop.

    Attributes:
        kind: key of `_recurrent.STEPS`.
        activation, recurrent_activation: elementwise functions, of the output and of the gates.
        unroll: whether the steps are written one after the other.
        sequences: whether all outputs are asked for, or the last states alone.
    """

    kind: str
    activation: Activation
    recurrent_activation: Activation
    unroll: bool = False
    sequences: bool = True


def into(x: Any, kernel: Any, masks: Masks) -> Any:
    """`x · kernel`; with a mask for each gate, its columns see `x` through its mask."""
    if not masks:
        return jnp.matmul(x, kernel)
    if len(masks) == 1:
        return jnp.matmul(masked(x, masks[0]), kernel)
    parts = jnp.split(kernel, len(masks), axis=1)
    return jnp.concatenate([jnp.matmul(masked(x, m), part) for m, part in zip(masks, parts, strict=True)], -1)


def out_of(by_products: Any, transposed: Any, masks: Masks) -> Any:
    """The derivative with respect to `x` of `into`, given that of its result and the transposed kernel."""
    if not masks:
        return jnp.matmul(by_products, transposed)
    if len(masks) == 1:
        return masked(jnp.matmul(by_products, transposed), masks[0])
    count = len(masks)
    parts = zip(jnp.split(by_products, count, -1), jnp.split(transposed, count, 0), masks, strict=True)
    return sum(masked(jnp.matmul(product, kernel), mask) for product, kernel, mask in parts)


def masked(x: Any, mask: Any) -> Any:
    """`x` times a mask, the same for all time steps in front."""
    return x * mask.reshape((1,) * (x.ndim - mask.ndim) + mask.shape)


def project(xs: Any, kernel: Any, bias: Any, masks: Masks = None) -> Any:
    """`x · kernel + bias` for all time steps `(time, batch, features)` at once."""
    flat = xs.reshape(-1, xs.shape[-1])
    if masks:
        masks = [jnp.tile(mask, (xs.shape[0], 1)) for mask in masks]
    return add_bias(into(flat, kernel, masks), bias).reshape(*xs.shape[:2], kernel.shape[1])


def add_bias(x: Any, bias: Any) -> Any:
    """`x + bias` along the last axis; `x` where there is none."""
    return x if bias is None else x + bias.reshape((1,) * (x.ndim - 1) + (-1,))


def kernel_gradient(h: Any, by_products: Any, masks: Masks) -> Any:
    """The sum of `h[t]ᵀ · by_products[t]` over the steps, as one product."""
    columns = by_products.shape[-1]
    if not masks:
        return jnp.matmul(h.reshape(-1, h.shape[-1]).T, by_products.reshape(-1, columns))
    if len(masks) == 1:
        return kernel_gradient(masked(h, masks[0]), by_products, None)
    parts = jnp.split(by_products, len(masks), axis=-1)
    return jnp.concatenate(
        [kernel_gradient(masked(h, m), part, None) for m, part in zip(masks, parts, strict=True)], axis=1
    )
