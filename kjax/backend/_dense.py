"""The product of two matrices whose gradient by the second one is fast on a CPU.

XLA multiplies by a transposed matrix on the left in a way of its own, which takes up to four times as long as a product
of matrices as they lie in memory. JAX's gradient of `x · w` by `w` is such a product, `xᵀ · g`. So the smaller of the
operands is transposed first, for itself, and an ordinary product follows. Barriers keep XLA from joining them again.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax._core import operators
from kjax.backend import _products
from kjax.backend._lowerings import on_cpu

# Multiplications and samples from which on the gradient takes longer than starting it.
_LEAST, _SAMPLES = 2**15, 16
# Columns of g up to which it is g that is transposed, and the result.
_NARROW = 32
# Numbers of x up to which its copy costs less than it saves: for any g, and for one of few columns.
_SMALL, _MEDIUM, _FEW = 2**16, 2**18, 128


def product(x: Any, w: Any) -> Any:
    """`x · w` of two arrays of one type, each with at least one axis."""
    if x.ndim == w.ndim == 2 and x.dtype == w.dtype == jnp.float32 and on_cpu() and _is_long(x, w):
        return _PRODUCTS.forward.bind(x, w, window=None)
    return jnp.matmul(x, w)


def matmul(a: Any, b: Any) -> Any:
    """The same of two arrays whose types may differ."""
    dtype = jax.dtypes.canonicalize_dtype(operators.common_dtype(a, b))
    return product(jnp.asarray(a, dtype), jnp.asarray(b, dtype))


def _is_long(x: Any, w: Any) -> bool:
    if not all(isinstance(length, int) for length in (*x.shape, *w.shape)):  # exported for batches of any length
        return False
    return x.shape[1] == w.shape[0] and x.shape[0] >= _SAMPLES and x.size * w.shape[1] >= _LEAST


def _forward(x: Any, w: Any, window: None) -> Any:
    return jnp.matmul(x, w)


def _to_input(g: Any, w: Any, window: None) -> Any:
    return jnp.matmul(g, jnp.swapaxes(w, -1, -2))


def _to_kernel(x: Any, g: Any, window: None) -> Any:
    turned = jnp.swapaxes(x, -1, -2)
    if not x.ndim == g.ndim == 2:
        return jnp.matmul(turned, g)
    if g.shape[1] <= _NARROW:
        return lax.optimization_barrier(jnp.matmul(lax.optimization_barrier(g.T), x)).T
    if x.size < _SMALL or (x.size < _MEDIUM and g.shape[1] <= _FEW):
        turned = lax.optimization_barrier(turned)
    return jnp.matmul(turned, g)


_PRODUCTS = _products.make("dense", _forward, _to_input, _to_kernel, lambda: None, stacks=True)
