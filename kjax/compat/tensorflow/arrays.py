"""Functions of the top level of TensorFlow that make arrays."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import graph


def one_hot(
    indices: Any,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """`on_value` at each index, `off_value` elsewhere; an index outside of 0..depth-1 marks nothing.

    Arguments:
        indices: integers of any shape, an array or a symbolic tensor.
        depth: length of the new axis.
        on_value, off_value: 1 and 0 by default.
        axis: where the new axis goes; the last by default.
        dtype: float32 by default.
        name: accepted, not used.
    """
    kind = str(dtype or "float32") if not isinstance(dtype, type) else dtype
    on, off = (1 if on_value is None else on_value), (0 if off_value is None else off_value)

    def compute(values: Any) -> Any:
        hot = jax.nn.one_hot(jnp.asarray(values), int(depth), axis=-1 if axis is None else axis, dtype=bool)
        return jnp.where(hot, jnp.asarray(on, dtype=kind), jnp.asarray(off, dtype=kind))

    compute.__name__ = "one_hot"  # the node is named after it
    return graph.apply(compute, indices)
