"""Random tensors.

Without a seed, numbers come from the running program's key, or outside of a program from numpy's global
generator: `np.random.seed` makes a script repeat. With a seed, they are the same at each call outside of a
program; in a program, the seed is mixed into its key, so that each step of a training draws other numbers.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import config, operators, scope
from kjax._core.graph import Variable, apply
from kjax.backend._ops import device_dtype, dimensions


def draw_key(seed: int | None) -> jax.Array:
    """The random key for one draw."""
    if seed is None:
        return scope.next_key()
    if scope.current() is None:
        return jax.random.key(int(seed))
    return jax.random.fold_in(scope.next_key(), int(seed))


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
    return apply(_normal, shape, mean, stddev, _dtype(dtype), seed)


def random_uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Numbers spread evenly from `minval` to `maxval`, without it. The rest as for `random_normal`."""
    return apply(_uniform, shape, minval, maxval, _dtype(dtype), seed)


def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability `p`, zeros otherwise. Other arguments as for `random_normal`."""
    return apply(_binomial, shape, p, _dtype(dtype), seed)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Like `random_normal`, but never further than two standard deviations from the mean."""
    return apply(_truncated, shape, mean, stddev, _dtype(dtype), seed)


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
