"""Random tensors.

Outside of a program they are symbolic, and drawn anew whenever they are computed. Without a seed, numbers come
from the running program's key, or outside of a program from numpy's global generator: `np.random.seed` makes a
script repeat. With a seed, `K.eval` of a tensor gives the same series of numbers in each script; in a program, the
seed is mixed into its key, so that each step of a training draws other numbers.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from kjax._core import config, operators, scope
from kjax._core.graph import Variable, apply, is_symbolic, make_node
from kjax.backend._ops import device_dtype, dimensions

# Which of the draws of a symbolic tensor with a seed this is.
_nth: contextvars.ContextVar[int] = contextvars.ContextVar("_nth", default=0)


def draw_key(seed: int | None) -> jax.Array:
    """The random key for one draw."""
    if seed is None:
        return scope.next_key()
    opened = scope.current()
    if opened is None or opened.eager:
        key = jax.random.key(int(seed))
        return jax.random.fold_in(key, _nth.get()) if _nth.get() else key
    return jax.random.fold_in(scope.next_key(), int(seed))


class _Draw:
    """The operation of a random tensor: counts how often its value was asked for."""

    fills_shape = True

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = function.__name__.strip("_")
        self._count = 0

    def __call__(self, *args: Any) -> Any:
        opened = scope.current()
        if opened is None or not opened.eager:
            return self.function(*args)
        before = _nth.set(self._count)
        self._count += 1
        try:
            return self.function(*args)
        finally:
            _nth.reset(before)


def _drawn(function: Callable[..., Any], *args: Any) -> Any:
    """The draw: now in a program; else a tensor, for which numbers are drawn whenever it is computed."""
    outside = scope.current() is None and not isinstance(jnp.zeros(()), Tracer)
    if outside or any(is_symbolic(leaf) for leaf in jax.tree.leaves(args)):
        return make_node(_Draw(function), args, {}).result
    return apply(function, *args)


def _normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    return _scaled(jax.random.normal(draw_key(seed), dimensions(shape), dtype), mean, stddev)


def _truncated(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any) -> Any:
    return _scaled(jax.random.truncated_normal(draw_key(seed), -2.0, 2.0, dimensions(shape), dtype), mean, stddev)


def _scaled(draw: Any, mean: Any, stddev: Any) -> Any:
    return operators.add(operators.multiply(draw, stddev), mean).astype(draw.dtype)


def _uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.integer):
        return jax.random.randint(draw_key(seed), dimensions(shape), minval, maxval, dtype)
    return _scaled(jax.random.uniform(draw_key(seed), dimensions(shape), dtype), minval, maxval - minval)


def _binomial(shape: Any, p: Any, dtype: Any, seed: Any) -> Any:
    return (jax.random.uniform(draw_key(seed), dimensions(shape)) <= p).astype(dtype)


for _function in (_normal, _truncated, _uniform, _binomial):
    _function.fills_shape = True  # type: ignore[attr-defined]
    _function.draws = True  # type: ignore[attr-defined]  # where a step is described, each step draws


def _dtype(dtype: Any) -> Any:
    return device_dtype(dtype or config.floatx())


def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Numbers of a normal distribution.

    Arguments:
        shape: a shape; it may contain lengths taken from `K.shape` of a symbolic tensor.
        mean, stddev: mean and standard deviation.
        dtype: type of the result; `K.floatx()` if None.
        seed: int, or None for other numbers at each call.
    """
    return _drawn(_normal, shape, mean, stddev, _dtype(dtype), seed)


def random_uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Numbers spread evenly from `minval` to `maxval`, without it. The rest as for `random_normal`."""
    return _drawn(_uniform, shape, minval, maxval, _dtype(dtype), seed)


def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability `p`, zeros otherwise. Other arguments as for `random_normal`."""
    return _drawn(_binomial, shape, p, _dtype(dtype), seed)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Like `random_normal`, but never further than two standard deviations from the mean."""
    return _drawn(_truncated, shape, mean, stddev, _dtype(dtype), seed)


def random_normal_variable(
    shape: Any, mean: Any, scale: Any, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable that starts with numbers of a normal distribution.

    Arguments:
        shape: a shape of ints.
        mean, scale: mean and standard deviation.
        dtype: type of the variable; `K.floatx()` if None.
        name: name of the variable; counted up if None.
        seed: int, or None for other numbers at each call.
    """
    return Variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Any, low: Any, high: Any, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable that starts with numbers spread evenly from `low` to `high`. Other arguments as above."""
    return Variable(random_uniform(shape, low, high, dtype, seed), dtype, name)
