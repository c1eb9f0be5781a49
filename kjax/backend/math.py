"""Elementwise functions, comparisons and reductions."""

from __future__ import annotations

import builtins
import math
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import config, operators
from kjax.backend._ops import array, axes, float_array, is_static_shape, op


@op
def square(x: Any) -> Any:
    """Elementwise square."""
    return jnp.square(array(x))


@op
def abs(x: Any) -> Any:
    """Elementwise absolute value."""
    return operators.absolute(array(x))


@op
def sqrt(x: Any) -> Any:
    """Elementwise square root; negative elements count as 0 (and have a gradient of 0)."""
    return jnp.sqrt(_maximum(float_array(x), 0.0))


@op
def exp(x: Any) -> Any:
    """Elementwise exponential."""
    return jnp.exp(float_array(x))


@op
def log(x: Any) -> Any:
    """Elementwise natural logarithm."""
    return jnp.log(float_array(x))


@op
def sin(x: Any) -> Any:
    """Elementwise sine."""
    return jnp.sin(float_array(x))


@op
def cos(x: Any) -> Any:
    """Elementwise cosine."""
    return jnp.cos(float_array(x))


@op
def round(x: Any) -> Any:
    """Elementwise rounding to the nearest integer, halves to the even one."""
    return jnp.round(array(x))


@op
def sign(x: Any) -> Any:
    """Elementwise sign: -1, 0 or 1."""
    return jnp.sign(array(x))


@op
def pow(x: Any, a: Any) -> Any:
    """Elementwise power `x ** a`."""
    return operators.power(array(x), a)


@op
def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """Elementwise limits.

    Arguments:
        x: tensor.
        min_value: lower limit; None for none.
        max_value: upper limit; None for none. One below `min_value` counts as `min_value`.
    """
    x = array(x)
    if min_value is None:
        return x if max_value is None else _minimum(x, max_value)
    if isinstance(max_value, (int, float)) and isinstance(min_value, (int, float)):
        max_value = builtins.max(max_value, min_value)
    x = _maximum(x, min_value)
    return x if max_value is None else _minimum(x, max_value)


@op
def equal(x: Any, y: Any) -> Any:
    """Elementwise `x == y`."""
    return operators.equal(array(x), y)


@op
def not_equal(x: Any, y: Any) -> Any:
    """Elementwise `x != y`."""
    return operators.not_equal(array(x), y)


@op
def greater(x: Any, y: Any) -> Any:
    """Elementwise `x > y`."""
    return operators.greater(array(x), y)


@op
def greater_equal(x: Any, y: Any) -> Any:
    """Elementwise `x >= y`."""
    return operators.greater_equal(array(x), y)


@op
def less(x: Any, y: Any) -> Any:
    """Elementwise `x < y`."""
    return operators.less(array(x), y)


@op
def less_equal(x: Any, y: Any) -> Any:
    """Elementwise `x <= y`."""
    return operators.less_equal(array(x), y)


# `jnp.maximum` halves the gradient where both operands are equal, Keras gives it to the first one. A
# selection also keeps an infinite gradient on one side from becoming NaN on the other. NaN stays NaN, in
# either operand.
def _maximum(x: Any, y: Any) -> Any:
    x, y = operators.align(x, y)
    return jnp.where((x >= y) | (x != x), x, y)


def _minimum(x: Any, y: Any) -> Any:
    x, y = operators.align(x, y)
    return jnp.where((x <= y) | (x != x), x, y)


@op
def maximum(x: Any, y: Any) -> Any:
    """Elementwise larger one of two tensors."""
    return _maximum(array(x), y)


@op
def minimum(x: Any, y: Any) -> Any:
    """Elementwise smaller one of two tensors."""
    return _minimum(array(x), y)


@op
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element.

    Arguments:
        x: tensor.
        axis: axis or axes to reduce; all if None.
        keepdims: whether reduced axes stay, with length 1.
    """
    return jnp.max(array(x), axes(axis), keepdims=keepdims)


@op
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element. Arguments as for `max`."""
    return jnp.min(array(x), axes(axis), keepdims=keepdims)


@op
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum of elements. Arguments as for `max`."""
    return jnp.sum(array(x), axes(axis), keepdims=keepdims)


@op
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product of elements. Arguments as for `max`. Of a shape: a Python int, which shapes may contain."""
    if is_static_shape(x):
        return math.prod(x)
    return jnp.prod(array(x), axes(axis), keepdims=keepdims)


@op
def cumsum(x: Any, axis: int = 0) -> Any:
    """Running sum along an axis."""
    return jnp.cumsum(array(x), axis)


@op
def cumprod(x: Any, axis: int = 0) -> Any:
    """Running product along an axis."""
    return jnp.cumprod(array(x), axis)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean of elements; that of integers is truncated to one. Arguments as for `max`."""
    x = array(x)
    if x.dtype == jnp.bool_:
        x = x.astype(config.floatx())
    return jnp.mean(x, axes(axis), keepdims=keepdims).astype(x.dtype)


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance of elements (divided by their number). Arguments as for `max`."""
    x = float_array(x)
    deviation = x - jnp.mean(x, axes(axis), keepdims=True)
    return jnp.mean(jnp.square(deviation), axes(axis), keepdims=keepdims)


@op
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation of elements. Arguments as for `max`."""
    return sqrt(var(x, axis, keepdims))


@op
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any element is true. Arguments as for `max`."""
    return jnp.any(array(x).astype(bool), axes(axis), keepdims=keepdims)


@op
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements are true. Arguments as for `max`."""
    return jnp.all(array(x).astype(bool), axes(axis), keepdims=keepdims)


@op
def argmax(x: Any, axis: int = -1) -> Any:
    """Index of the largest element along an axis, the first one of equals."""
    return jnp.argmax(array(x), axis)


@op
def argmin(x: Any, axis: int = -1) -> Any:
    """Index of the smallest element along an axis, the first one of equals."""
    return jnp.argmin(array(x), axis)


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, without overflow. Arguments as for `max`."""
    return jax.nn.logsumexp(float_array(x), axes(axis), keepdims=keepdims)
