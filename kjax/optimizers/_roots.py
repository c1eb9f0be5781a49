"""A square root that can be differentiated at 0."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp


@jax.custom_jvp
def safe_sqrt(x: Any) -> Any:
    """Square root whose derivative at 0 is 0, so that a step is differentiable where a gradient is 0."""
    return jnp.sqrt(x)


def _safe_sqrt_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    (x,), (tangent,) = primals, tangents
    root = jnp.sqrt(x)
    positive = x > 0
    slope = jnp.where(positive, 0.5 / jnp.where(positive, root, jnp.ones_like(root)), jnp.zeros_like(root))
    return root, tangent * slope


cast(Any, safe_sqrt).defjvp(_safe_sqrt_jvp)
