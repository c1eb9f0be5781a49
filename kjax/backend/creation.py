"""New tensors: placeholders, variables, constants, zeros and ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from kjax._core import config, naming, scope
from kjax._core.graph import Tensor, Variable, apply
from kjax._core.tensors import Constant
from kjax.backend._ops import array, device_dtype, dimensions, op
from kjax.backend.sparse import is_scipy_sparse


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """A symbolic tensor that a caller feeds.

    Arguments:
        shape: its shape, with None for lengths that may vary.
        ndim: its number of axes, if no shape is given.
        dtype: its type; `K.floatx()` if None.
        sparse: whether it is fed with sparse matrices of scipy. They are made dense.
        name: its name; counted up if None.

    Raises:
        ValueError: if neither `shape` nor `ndim` is given.
    """
    if shape is None and ndim is None:
        raise ValueError("`K.placeholder` needs to know the number of axes: pass `shape` or `ndim`.")
    if shape is None:
        shape = (None,) * (ndim or 0)
    if isinstance(shape, int):
        shape = (shape,)
    tensor = Tensor(
        shape,
        device_dtype(dtype or config.floatx()),
        naming.scoped(name or naming.unique_name("placeholder")),
    )
    tensor.sparse = sparse
    return tensor


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Callable[[Any], Any] | None = None
) -> Variable:
    """A variable: a tensor that keeps its value, and that programs may change.

    Of a sparse matrix of scipy it is a sparse tensor that never changes, as in Keras.

    Arguments:
        value: its first value: number, list or array.
        dtype: its type; `K.floatx()` if None.
        name: its name; counted up if None.
        constraint: function applied to its value after each update of an optimizer, or None.
    """
    dtype = device_dtype(dtype or config.floatx())
    if is_scipy_sparse(value):
        constant = Constant(np.asarray(value.toarray(), dtype), naming.scoped(name or naming.unique_name("variable")))
        constant.sparse = True
        return constant  # type: ignore[return-value]  # what Keras calls so
    return Variable(value, dtype, naming.scoped(name or naming.unique_name("variable")), True, constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """An array.

    Arguments:
        value: number, list or array.
        dtype: its type; `K.floatx()` if None.
        shape: its shape; that of `value` if None. A single number fills it.
        name: ignored: arrays have no names.
    """
    filled = np.asarray(value, device_dtype(dtype or config.floatx()))
    if shape is not None:
        shape = dimensions(shape)
        filled = np.full(shape, filled) if filled.size == 1 else filled.reshape(shape)
    return jnp.asarray(filled)


def _zeros(shape: Any, dtype: Any) -> Any:
    return jnp.zeros(dimensions(shape), dtype)


def _ones(shape: Any, dtype: Any) -> Any:
    return jnp.ones(dimensions(shape), dtype)


def _arange(start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    return jnp.asarray(np.arange(start, stop, step), dtype)


for _function in (_zeros, _ones, _arange):
    _function.fills_shape = True  # type: ignore[attr-defined]


def _filled(fill: Callable[[Any, Any], Any], shape: Any, dtype: Any, name: str | None) -> Any:
    filled = apply(fill, shape, device_dtype(dtype or config.floatx()))
    return filled if isinstance(filled, Tensor) else _outside_variable(filled, name)


def _outside_variable(filled: Any, name: str | None) -> Any:
    """`filled` as a variable; in a program, or while JAX traces, as it is."""
    if scope.current() is not None or isinstance(filled, Tracer):
        return filled
    return variable(filled, filled.dtype, name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros: a variable, as in Keras; in a program, or if the shape has symbolic lengths, a plain tensor.

    Arguments:
        shape: a shape; it may contain lengths taken from `K.shape` of a symbolic tensor.
        dtype: type of the elements; `K.floatx()` if None.
        name: name of the variable; counted up if None.
    """
    return _filled(_zeros, shape, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones. Arguments as for `zeros`."""
    return _filled(_ones, shape, dtype, name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Any:
    """An identity matrix: a variable, or in a program a plain tensor.

    Arguments:
        size: number of rows, an int; or a pair of rows and columns.
        dtype, name: as for `zeros`.
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    matrix = jnp.eye(rows, columns, dtype=device_dtype(dtype or config.floatx()))
    return _outside_variable(matrix, name)


@op
def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of `x`, of its type if `dtype` is None."""
    return jnp.zeros_like(array(x), None if dtype is None else device_dtype(dtype))


@op
def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`, of its type if `dtype` is None."""
    return jnp.ones_like(array(x), None if dtype is None else device_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """Numbers from `start` up to, but without, `stop`; with one argument, from 0 up to it.

    Arguments:
        start, stop, step: as in `np.arange`; they may be lengths taken from `K.shape` of a symbolic tensor.
        dtype: type of the elements.
    """
    if stop is None:
        start, stop = 0, start
    return apply(_arange, start, stop, step, device_dtype(dtype))
