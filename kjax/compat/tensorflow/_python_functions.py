"""`tf.py_function` and its kin: functions of Python among operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from kjax._core import scope
from kjax._core.held import Held, released
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import dtype_name
from kjax.compat.tensorflow._elements import plain, told
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._texts import host_value, shown, texts


def _run(func: Callable[..., Any], values: Any, types: list[Any], several: bool, ready: Callable[[Any], Any]) -> Any:
    """The results of a function, as arrays of numpy."""
    with scope.suspended(), _graph.Graph().as_default():
        made = func(*(ready(v) for v in values))
        made = list(made) if several and isinstance(made, (list, tuple)) else [made]
        if len(made) != len(types):
            raise ValueError(f"The function returned {len(made)} results, but `Tout` names {len(types)} types.")
        return [host_value(m) if t == "string" else np.asarray(m, t) for m, t in zip(made, types, strict=True)]


def _function(func: Callable[..., Any], inp: Any, Tout: Any, ready: Callable[[Any], Any], kind: str, now: Any) -> Any:
    several = isinstance(Tout, (list, tuple))
    types = [t if t == "string" else dtype_name(t) for t in (Tout if several else [Tout])]
    if now(inp):
        made = _run(func, map(host_value, inp), types, several, ready)
        results = [texts(m) if t == "string" else shown(m) for m, t in zip(made, types, strict=True)]
        return results if several else results[0]
    if _graph.get_default_graph().of_elements:
        raise TypeError(f"tf.{kind} works on the values of elements.")

    def called(*values: Any) -> Any:
        zeros = [np.zeros(np.shape(v), v.dtype) for v in map(array, values)]
        shapes = [jax.ShapeDtypeStruct(e.shape, e.dtype) for e in _run(func, zeros, types, several, ready)]
        results = jax.pure_callback(
            lambda *v: tuple(_run(func, map(np.asarray, v), types, several, ready)), tuple(shapes), *values
        )
        return list(results) if several else results[0]

    return node(kind, _graph.draws(called), *released(list(inp)))


def _has_value(x: Any) -> bool:
    x = x.held if isinstance(x, Held) else x
    return not isinstance(x, (Tracer, Variable)) and (not isinstance(x, Tensor) or x.known)


def _all_have_values(inp: Any) -> bool:
    return all(map(_has_value, inp))


def _of_elements(inp: Any) -> bool:
    return _graph.get_default_graph().of_elements and _all_have_values(inp)


def py_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """What a function of Python makes of values: at once if they are known, else whenever it is computed.

    Arguments:
        func: function of arrays that also answer `.numpy()`.
        inp: tensors. What it returns has the shape that it returns for zeros of their shapes.
        Tout: type of the result, or a list of types.
    """
    return _function(func, inp, Tout, told, "py_function", _all_have_values)


def numpy_function(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: Any = None) -> Any:
    """`py_function` of plain arrays of numpy."""
    return _function(func, inp, Tout, plain, "numpy_function", _all_have_values)


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """`numpy_function` that is called whenever it is computed, for constants too."""
    return _function(func, inp, Tout, plain, "py_func", _of_elements)


__all__ = ["numpy_function", "py_func", "py_function"]
