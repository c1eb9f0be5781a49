"""Names of the top level with which scripts of TensorFlow 2 begin, and `tf.print`."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from kjax._core import scope
from kjax._core.tensors import Tensor, Variable
from kjax.compat.tensorflow import __version__, _graph
from kjax.compat.tensorflow._fetches import HostTensor
from kjax.compat.tensorflow._graph import node


def get_logger() -> logging.Logger:
    """Python's logger that is called `tensorflow`."""
    return logging.getLogger("tensorflow")


def _accepted(*_: Any, **__: Any) -> None:
    """Accepted, without effect."""


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Accepted: operations make a graph, and what depends on no placeholder has a value at once."""


def _same(function: Any = None, *_: Any, **__: Any) -> Any:
    return function if callable(function) else _same


autograph = SimpleNamespace(
    set_verbosity=_accepted, trace=_accepted, to_graph=_same, experimental=SimpleNamespace(do_not_convert=_same)
)
version = SimpleNamespace(VERSION=__version__, GIT_VERSION="kjax", COMPILER_VERSION="XLA", GRAPH_DEF_VERSION=440)
sysconfig = SimpleNamespace(
    get_build_info=lambda: {"is_cuda_build": False, "is_rocm_build": False, "is_tensorrt_build": False}
)

# -- tf.print ----------------------------------------------------------------------------------------------------------


def _number(x: Any) -> str:
    """As C++ prints it: six digits if they are enough, else nine."""
    if isinstance(x, (np.bool_, bool)):
        return str(int(x))
    if not isinstance(x, (np.floating, float)):
        return x.decode() if isinstance(x, bytes) else str(x)
    short = f"{x:.6g}"
    return short if type(x)(short) == x or x != x else f"{x:.9g}"


def _text(value: Any, summarize: int) -> str:
    if isinstance(value, (list, tuple)):
        left, right = "[]" if isinstance(value, list) else "()"
        return left + ", ".join(_text(v, summarize) for v in value) + right
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_text(v, summarize)}" for k, v in value.items()) + "}"
    if not hasattr(value, "dtype"):
        return value.decode() if isinstance(value, bytes) else str(value)
    array = np.asarray(value)
    edge = array.size if summarize < 0 else summarize
    shown = np.array2string(
        array, threshold=0, edgeitems=max(edge, 1), max_line_width=10**9, formatter={"all": _in_row}, separator=" "
    )
    return _number(array[()]) if array.ndim == 0 else shown


def _in_row(x: Any) -> str:
    return f'"{_number(x)}"' if isinstance(x, (str, bytes)) else _number(x)


def print(
    *inputs: Any, output_stream: Any = None, summarize: int | None = None, sep: str = " ", end: str = "\n",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Prints values: at once if they depend on nothing that is fed, else whenever the operation runs.

    Arguments:
        *inputs: tensors and anything else, also in lists, tuples and dictionaries.
        output_stream: `sys.stderr` by default.
        summarize: of longer axes, how many elements are shown at both ends; 3 by default, -1 for all.
        sep, end: what stands between the inputs, and after them.
    """
    stream = sys.stderr if output_stream is None else output_stream
    most = 3 if summarize is None else summarize
    flat, structure = jax.tree.flatten(inputs)
    flat = [x.numpy() if isinstance(x, HostTensor) or (isinstance(x, Tensor) and x.known) else x for x in flat]
    places = [i for i, leaf in enumerate(flat) if isinstance(leaf, (Tensor, Variable, Tracer))]

    def show(*values: Any) -> None:
        for place, value in zip(places, values, strict=True):
            flat[place] = np.asarray(value)
        texts = [_text(x, most) for x in jax.tree.unflatten(structure, flat)]
        stream.write(sep.join(texts) + end)
        stream.flush()

    if not places:
        show()
        return None if scope.current() is not None else _graph.no_op("print")

    def printed(values: list[Any]) -> Any:
        jax.debug.callback(show, *values)
        return np.zeros((), np.int32)

    made = node("print", _graph.draws(printed), [flat[i] for i in places], name=name)
    return None if scope.current() is not None else _graph.group(made, name="print/op")


__all__ = [
    "autograph", "enable_eager_execution", "get_logger", "print", "sysconfig", "version",
]  # fmt: skip
