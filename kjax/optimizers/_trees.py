"""Trees of parameters and gradients, and what steps share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import config
from kjax.optimizers._hyper import as_number


def fuzz(epsilon: float | None) -> float:
    """`epsilon`, or `K.epsilon()` for None."""
    return config.epsilon() if epsilon is None else as_number(epsilon, "epsilon")


def scaled_down(leaves: list[Any], most: float) -> list[Any]:
    """Gradients whose norm, over all of them, is at most `most`."""
    wide = functools.reduce(np.promote_types, (g.dtype for g in leaves), jnp.dtype("float32"))
    square = sum(jnp.sum(jnp.square(g.astype(wide))) for g in leaves)
    over = square >= jnp.asarray(most**2, wide)
    # The root of 0 has no derivative, so it is not taken where it is not used.
    norm = jnp.sqrt(jnp.where(over, square, jnp.ones_like(square)))
    scale = jnp.where(over, most / norm, jnp.ones_like(square))
    return [g * scale.astype(g.dtype) for g in leaves]


def with_count(slots: Any, count: Any) -> Any:
    """The slots with `count` steps in them, where they count at all.

    In an `OptimizerState` their count is None: the state's own counter is the only one.
    """
    return slots._replace(count=count) if "count" in getattr(slots, "_fields", ()) else slots


def zeros_like(params: Any) -> Any:
    """Zeros for each parameter. A numpy array's are numpy's, and take no memory yet."""

    def zeros(p: Any) -> Any:
        return np.broadcast_to(np.zeros((), p.dtype), p.shape) if isinstance(p, np.ndarray) else jnp.zeros_like(p)

    return jax.tree.map(zeros, params)


def map_leaves(function: Callable[..., tuple[Any, ...]], params: Any, *trees: Any) -> tuple[Any, ...]:
    """`function` of each parameter and its place in each tree; as many trees come out, built alike."""
    leaves, structure = jax.tree.flatten(params)
    columns = [structure.flatten_up_to(tree) for tree in trees]
    rows = [function(jnp.asarray(p), *row) for p, *row in zip(leaves, *columns, strict=True)]
    if not rows:
        return tuple(structure.unflatten([]) for _ in trees)
    return tuple(structure.unflatten(column) for column in zip(*rows, strict=True))


def cast_to(p: Any, *scalars: Any) -> list[Any]:
    """Scalars in the type of the parameter `p`."""
    return [jnp.asarray(scalar).astype(p.dtype) for scalar in scalars]
