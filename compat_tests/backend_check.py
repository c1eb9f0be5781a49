"""What the tests of `K.*` share: the check that a function gives the same everywhere, and closed formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K


def as_float32(x: Any) -> Any:
    return x.astype("float32") if isinstance(x, np.ndarray) and x.dtype == np.float64 else x


def assert_same(got: Any, wanted: Any, where: str) -> None:
    if isinstance(wanted, tuple):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other, where)
        return
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, f"{where}: shape {got.shape}, expected {wanted.shape}"
    assert got.dtype.kind == wanted.dtype.kind, f"{where}: type {got.dtype}, expected {wanted.dtype}"
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6, err_msg=where)


def check_same(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], reference: Any) -> None:
    """`K.name(*args, **kwargs)` gives `reference` on arrays, in a program, and on variables.

    Arrays among `args` (and lists of arrays) stand for tensors; everything else is passed as it is.
    """
    function = getattr(K, name)
    is_array: Callable[[Any], bool] = lambda x: isinstance(x, np.ndarray)  # noqa: E731
    args = jax.tree.map(as_float32, args)

    assert_same(function(*args, **kwargs), reference, "on numpy arrays")
    on_jax = jax.tree.map(lambda x: jnp.asarray(x) if is_array(x) else x, args)
    assert_same(function(*on_jax, **kwargs), reference, "on arrays")

    fed: list[tuple[Any, Any]] = []
    batch = next(x.shape[:1] for x in jax.tree.leaves(args) if is_array(x))

    def symbol(x: Any) -> Any:
        if not is_array(x):
            return x
        shape = (None, *x.shape[1:]) if x.ndim and x.shape[:1] == batch else x.shape
        fed.append((K.placeholder(shape, dtype=x.dtype), x))
        return fed[-1][0]

    symbolic = function(*jax.tree.map(symbol, args), **kwargs)
    several = isinstance(symbolic, tuple)
    run = K.function([t for t, _ in fed], list(symbolic) if several else [symbolic])
    values = run([value for _, value in fed])
    assert_same(tuple(values) if several else values[0], reference, "on symbolic tensors")
    for tensor, value in zip(symbolic if several else [symbolic], values, strict=True):
        known = [n for n, m in zip(tensor.shape, value.shape, strict=True) if n not in (None, m)]
        assert not known, f"inferred {tensor.shape}, computed {value.shape}"

    on_variables = function(*jax.tree.map(lambda x: K.variable(x, x.dtype) if is_array(x) else x, args), **kwargs)
    evaluated = tuple(map(K.eval, on_variables)) if several else K.eval(on_variables)
    assert_same(evaluated, reference, "on variables")


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def relu(x: np.ndarray, alpha: float, max_value: float, threshold: float) -> np.ndarray:
    below = alpha * (x - threshold)
    return np.where(x >= max_value, max_value, np.where(x >= threshold, x, below))
