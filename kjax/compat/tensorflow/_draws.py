"""Random tensors, drawn anew in each run of a session. Within a run a tensor has one value."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import scope
from kjax.backend._ops import array
from kjax.backend.random import draw_key
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import dimensions, dtype_name
from kjax.compat.tensorflow._graph import node


def key_for(seed: int | None) -> Any:
    """The key of one draw: of the run; with a seed, of that and the number of the run."""
    opened = scope.current()
    from_seed = getattr(opened, "key_of_seed", None)
    if seed is None or from_seed is None:
        return draw_key(seed)
    return from_seed(seed)


def _drawn(kind: str, shape: Any, seed: int | None, dtype: Any, name: str | None, draw: Any, *args: Any) -> Any:
    wanted = dtype_name(dtype)

    def run(shape: Any, *args: Any) -> Any:
        return draw(key_for(seed), tuple(int(d) for d in shape), wanted, *args)

    run.fills_shape = True  # type: ignore[attr-defined]
    return node(kind, _graph.draws(run), dimensions(shape), *args, name=name)


def _scaled(x: Any, mean: Any, stddev: Any) -> Any:
    return x * jnp.asarray(array(stddev), x.dtype) + jnp.asarray(array(mean), x.dtype)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers of a normal distribution."""

    def draw(key: Any, shape: Any, dtype: Any, mean: Any, stddev: Any) -> Any:
        return _scaled(jax.random.normal(key, shape, dtype), mean, stddev)

    return _drawn("random_normal", shape, seed, dtype, name, draw, mean, stddev)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers of a normal distribution, none further than two standard deviations from the mean."""

    def draw(key: Any, shape: Any, dtype: Any, mean: Any, stddev: Any) -> Any:
        return _scaled(jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype), mean, stddev)

    return _drawn("truncated_normal", shape, seed, dtype, name, draw, mean, stddev)


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers spread evenly from `minval` to `maxval` (1 if None), without it."""

    def draw(key: Any, shape: Any, dtype: Any, low: Any, high: Any) -> Any:
        if jnp.issubdtype(dtype, jnp.integer):
            return jax.random.randint(key, shape, low, high, dtype)
        low, high = jnp.asarray(low, dtype), jnp.asarray(high, dtype)
        return jax.random.uniform(key, shape, dtype) * (high - low) + low

    return _drawn("random_uniform", shape, seed, dtype, name, draw, minval, 1 if maxval is None else maxval)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """The rows of a tensor in a random order."""
    return node(
        "RandomShuffle", _graph.draws(lambda x: jax.random.permutation(key_for(seed), array(x))), value, name=name
    )


def multinomial(logits: Any, num_samples: int, seed: int | None = None, name: str | None = None, **_: Any) -> Any:
    """Classes drawn for each row of `logits`, `num_samples` of them."""

    def draw(x: Any) -> Any:
        x = array(x)
        return jax.random.categorical(key_for(seed), x, axis=-1, shape=(num_samples, x.shape[0])).T

    return node("Multinomial", _graph.draws(draw), logits, name=name)


def random_gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Any:
    """Numbers of gamma distributions, `shape` for each of `alpha` and `beta` (1 if None)."""

    def draw(key: Any, shape: Any, dtype: Any, alpha: Any, beta: Any) -> Any:
        alpha, beta = jnp.broadcast_arrays(jnp.asarray(alpha, dtype), jnp.asarray(beta, dtype))
        drawn = jax.random.gamma(key, jnp.broadcast_to(alpha, (*shape, *alpha.shape)), dtype=dtype)
        return drawn / jnp.broadcast_to(beta, drawn.shape)

    return _drawn("random_gamma", shape, seed, dtype, name, draw, alpha, 1.0 if beta is None else beta)


def random_poisson(
    lam: Any, shape: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Any:
    """Numbers of Poisson distributions, `shape` for each mean."""

    def draw(key: Any, shape: Any, dtype: Any, lam: Any) -> Any:
        lam = jnp.asarray(lam, "float32")
        return jax.random.poisson(key, jnp.broadcast_to(lam, (*shape, *lam.shape))).astype(dtype)

    return _drawn("random_poisson", shape, seed, dtype, name, draw, lam)


__all__ = [
    "multinomial",
    "random_gamma",
    "random_normal",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "truncated_normal",
]
