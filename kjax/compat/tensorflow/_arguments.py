"""Arguments as TensorFlow takes them: values that become tensors, dtypes in any spelling, old names of arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from kjax._core import scope
from kjax._core.concrete import is_known
from kjax._core.held import Held
from kjax._core.tensors import Constant, Tensor, Variable
from kjax.backend._ops import array, device_dtype
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._fetches import HostTensor, holds_strings, string_constant


def dtype_name(dtype: Any, default: str | None = None) -> Any:
    """A dtype that was given as `tf.float32`, a name (also `'float'`), or a numpy type, as one that JAX keeps."""
    if dtype is None:
        return None if default is None else device_dtype(default)
    if isinstance(dtype, str):
        plain = {"float": "float32", "double": "float64", "half": "float16", "int": "int32"}.get(str(dtype), str(dtype))
        return device_dtype(plain.removesuffix("_ref"))
    return device_dtype(np.dtype(dtype))


def convert(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor of the default graph; in a program, as an array."""
    if isinstance(value, HostTensor):
        return value
    if isinstance(value, (Tensor, Variable, Held)):
        wanted = dtype_name(dtype)
        if wanted is None or wanted == value.dtype:
            return value
        return _graph.node("Cast", lambda x: array(x).astype(wanted), value, name=name)
    if dtype is None and holds_strings(value):
        return string_constant(value, name)
    leaves = jax.tree.leaves(value) if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(leaf, (Tensor, Variable, Held)) for leaf in leaves):
        return _graph.node("stack", lambda parts: _stacked(parts, dtype_name(dtype)), value, name=name)
    if scope.current() is not None or any(isinstance(leaf, Tracer) for leaf in leaves):
        with jax.ensure_compile_time_eval() if is_known(value) else contextlib.nullcontext():
            return _typed(array(value), dtype)
    return constant_of(_typed(_host(value), dtype), name)


def constant_of(value: Any, name: str | None = None) -> Constant:
    """A constant of the default graph."""
    default = _graph.get_default_graph()
    made = Constant(value)
    default.register(default.unique_name(name or "Const"), [made], "Const")
    return made


def _host(value: Any) -> Any:
    if isinstance(value, (jax.Array, np.ndarray)):
        return value
    plain = np.asarray(value)
    if plain.dtype.kind == "f" and not isinstance(value, np.generic):
        plain = plain.astype(np.float32)
    return plain


def _typed(value: Any, dtype: Any) -> Any:
    return value.astype(dtype_name(dtype) if dtype is not None else device_dtype(value.dtype))


def _stacked(parts: Any, dtype: Any) -> Any:
    """A nested list of scalars and arrays as one array."""
    if isinstance(parts, (list, tuple)):
        inner = [_stacked(part, dtype) for part in parts]
        common = dtype or jnp.result_type(*(x.dtype for x in inner))
        return jnp.stack([x.astype(common) for x in inner])
    return array(parts) if dtype is None else array(parts).astype(dtype)


def static(value: Any) -> Any:
    """A shape, an axis or another number that has to be known while a graph is built: constants as plain ints.

    Lengths taken from the shape of a tensor stay what they are.
    """
    if isinstance(value, Tensor) and value.static is None:
        if not value.known:
            raise ValueError(
                f"{value!r} depends on what is fed, but here a number is needed that is known when the graph is built."
            )
        value = np.asarray(value)
    if isinstance(value, Variable):
        value = value.numpy()
    if isinstance(value, (list, tuple, np.ndarray, jax.Array)):
        return [static(part) for part in value] if isinstance(value, (list, tuple)) or value.ndim else int(value)
    return int(value) if isinstance(value, np.integer) else value


def where_known(value: Any) -> Any:
    """Numbers that have to be known when they are used: as plain ints where they are already known."""
    if isinstance(value, (list, tuple)):
        return [where_known(part) for part in value]
    return value if isinstance(value, Tensor) and not (value.known and value.static is None) else static(value)


def dimensions(shape: Any) -> Any:
    """A shape as a list whose entries are ints, or lengths taken from tensors."""
    if isinstance(shape, Tensor) and shape.static is not None:
        return shape
    parts = list(shape) if isinstance(shape, (list, tuple)) else [shape]
    for part in parts:
        if _is_fed_number(part):
            part.static = lambda fill: fill
    known = static(parts if isinstance(shape, (list, tuple)) else shape)
    return known if isinstance(known, list) else [known]


def _is_fed_number(x: Any) -> bool:
    """Whether `x` is a placeholder of a whole number. As a length it is a part of what programs are compiled for."""
    kind = x.__dict__.get("_tf", (None, None))[1] if isinstance(x, Tensor) else None
    return kind == "Placeholder" and x.static is None and not x.shape and x.dtype.kind in "iu"


def is_length(x: Any) -> bool:
    """Whether `x` is a number that is known in a program too, such as a length: so is then what comes of it."""
    return isinstance(x, (int, np.integer)) or (isinstance(x, jax.Array) and x.ndim == 0 and is_known(x))


def either(first: Any, second: Any, default: Any = None) -> Any:
    """An argument that has two names: whichever was given."""
    return first if first is not None else second if second is not None else default


def axes(axis: Any) -> Any:
    """An axis or several: an int, a tuple or None."""
    axis = static(axis)
    return tuple(axis) if isinstance(axis, (list, tuple)) else axis


def listed(value: Any) -> Sequence[Any]:
    """A list of one for what is no list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
