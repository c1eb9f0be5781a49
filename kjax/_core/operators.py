"""Arithmetic with explicit broadcasting and explicit types, shared by `K.*` and by the operators of tensors.

Nothing here relies on JAX's implicit promotion of ranks or types, so it also runs where both are forbidden. A numpy
array of float64 counts as a constant: it takes the float type of what it meets.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


def _is_scalar(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex))


def as_array(x: Any) -> Any:
    """`x` as something with a shape and a type: arrays as they are, lists and numpy scalars as arrays."""
    return x if isinstance(x, (jax.Array, np.ndarray)) or _is_scalar(x) else jnp.asarray(x)


def common_dtype(a: Any, b: Any) -> Any:
    """The type in which two arrays meet: the float one if only one is float, the wider one otherwise."""
    first, second = a.dtype, b.dtype
    if first == second:
        return first
    floats = jnp.issubdtype(first, jnp.inexact), jnp.issubdtype(second, jnp.inexact)
    if all(floats):
        if isinstance(a, np.ndarray) != isinstance(b, np.ndarray):
            return second if isinstance(a, np.ndarray) else first
        return first if first.itemsize >= second.itemsize else second
    if any(floats):
        return first if floats[0] else second
    return np.promote_types(first, second)


def _is_of_integers(x: Any) -> bool:
    return not _is_scalar(x) and not jnp.issubdtype(x.dtype, jnp.inexact)


def align(first: Any, second: Any) -> tuple[Any, Any]:
    """Both operands with the same rank and type. A Python number keeps its own."""
    a: Any = as_array(first)
    b: Any = as_array(second)
    if _is_scalar(a) or _is_scalar(b):
        # A fractional number meets an integer array: the result is of the default float type, as in numpy.
        if isinstance(a, float) and _is_of_integers(b):
            return a, jnp.asarray(b, jnp.result_type(float))
        if isinstance(b, float) and _is_of_integers(a):
            return jnp.asarray(a, jnp.result_type(float)), b
        return a, b
    dtype = common_dtype(a, b)
    rank = max(a.ndim, b.ndim)
    return _lift(a, rank, dtype), _lift(b, rank, dtype)


def _lift(x: Any, rank: int, dtype: Any) -> Any:
    x = jnp.asarray(x, jax.dtypes.canonicalize_dtype(dtype))
    return x.reshape((1,) * (rank - x.ndim) + x.shape) if x.ndim < rank else x


def binary(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`function` of two aligned operands."""

    def call(a: Any, b: Any) -> Any:
        return function(*align(a, b))

    call.__name__ = function.__name__
    return call


def _power(a: Any, b: Any) -> Any:
    return jnp.power(a, b) if not isinstance(b, int) else a**b


add = binary(operator.add)
subtract = binary(operator.sub)
multiply = binary(operator.mul)
divide = binary(operator.truediv)
floor_divide = binary(operator.floordiv)
modulo = binary(operator.mod)
power = binary(_power)
equal = binary(operator.eq)
not_equal = binary(operator.ne)
less = binary(operator.lt)
less_equal = binary(operator.le)
greater = binary(operator.gt)
greater_equal = binary(operator.ge)
logical_and = binary(operator.and_)
logical_or = binary(operator.or_)


def matmul(a: Any, b: Any) -> Any:
    """Matrix product of two arrays whose types may differ."""
    dtype = jax.dtypes.canonicalize_dtype(common_dtype(a, b))
    return jnp.matmul(jnp.asarray(a, dtype), jnp.asarray(b, dtype))


def absolute(x: Any) -> Any:
    """Absolute value. Where it is 0, so is its gradient, as in TensorFlow; that of `jnp.abs` is 1."""
    return jnp.where(x == 0, jnp.zeros_like(x), jnp.abs(x))


class Slice(NamedTuple):
    """A slice whose ends are tensors: their values have to be known when it is used."""

    start: Any
    stop: Any
    step: Any


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`; also for the tuple of Python ints that is a traced shape."""
    return x[_plain(index)]


def _plain(index: Any) -> Any:
    if isinstance(index, Slice):
        return slice(*(None if end is None else int(end) for end in index))
    return tuple(map(_plain, index)) if isinstance(index, tuple) else index
