"""What the backend's functions are made with: `op`, and conversions of what users pass."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import config
from kjax._core.graph import apply
from kjax._core.held import Held

F = TypeVar("F", bound=Callable[..., Any])


def op(function: F) -> F:
    """Let a function of arrays also take symbolic tensors and variables: of those it makes a node."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return apply(function, *args, **kwargs)

    return cast(F, call)


def array(x: Any) -> Any:
    """`x` as an array of JAX. Numbers and lists of fractions get the default float type."""
    if isinstance(x, jax.Array):
        return x
    if isinstance(x, Held):
        return x.held
    if isinstance(x, (np.ndarray, np.generic)):
        return jnp.asarray(x)
    if isinstance(x, (list, tuple)) and any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(x)):
        return jnp.stack([array(part) for part in cast("list[Any]", x)])
    plain = np.asarray(x)
    return jnp.asarray(plain, config.floatx() if plain.dtype.kind == "f" else None)


def float_array(x: Any) -> Any:
    """`x` as an array of a float type: integers and truth values get the default one."""
    x = array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())


def device_dtype(dtype: Any) -> Any:
    """The type in which numbers of `dtype` are kept: 64 bits become 32 unless JAX computes in 64."""
    return jax.dtypes.canonicalize_dtype(dtype)


def axes(axis: Any) -> Any:
    """An axis or several, as JAX wants them: an int, a tuple or None."""
    return tuple(int(a) for a in axis) if isinstance(axis, (list, tuple)) else axis


def is_static_shape(x: Any) -> bool:
    """Whether `x` is what `K.shape` gives where shapes are known: a tuple of Python ints."""
    return isinstance(x, tuple) and all(isinstance(d, int) for d in cast("tuple[Any, ...]", x))


def dimensions(shape: Any) -> tuple[int, ...]:
    """A shape given as a list, a tuple, an int or an array, as a tuple of ints."""
    if isinstance(shape, int):
        return (shape,)
    return tuple(int(d) for d in shape)


def signs(labels: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; others as they are."""
    labels = array(labels)
    return jnp.where(jnp.all((labels == 0) | (labels == 1)), labels * 2 - 1, labels)
