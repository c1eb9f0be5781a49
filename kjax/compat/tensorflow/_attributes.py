"""What TensorFlow's tensors can do beside kjax's, given to the one class of tensors: outputs of layers have it too."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax._core.tensors import Constant, Shape, Tensor
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._graph import Graph, Operation


def _eval(self: Tensor, feed_dict: Any = None, session: Any = None) -> Any:
    """Its value in the session, or in the default one."""
    return _graph._session_for(session, "Tensor").run(self, feed_dict)


def _op(self: Tensor) -> Operation:
    """The operation that computes it."""
    owner, kind = self.__dict__.get("_tf", (_graph.get_default_graph(), None))
    node = self.node
    kind = kind or getattr(getattr(node, "op", None), "__name__", "Operation")
    outputs = [self] if node is None else node.outputs
    return Operation(owner, self.name.partition(":")[0], kind, outputs, outputs)


def _owner(self: Tensor) -> Graph:
    """The graph in which it was made."""
    return self.__dict__.get("_tf", (_graph.get_default_graph(), None))[0]


def _set_shape(self: Tensor, shape: Any) -> None:
    """Fill in dimensions that are not known."""
    given = [None if d is None else int(d) for d in (shape if isinstance(shape, (list, tuple)) else tuple(shape))]
    if self.shape and len(given) != len(self.shape):
        raise ValueError(f"Shapes {tuple(self.shape)} and {tuple(given)} must have the same rank")
    known = zip(self.shape, given, strict=True) if self.shape else ((None, d) for d in given)
    self.shape = Shape(b if a is None else a for a, b in known)


def _numpy(self: Tensor) -> Any:
    """Its value as numpy's, if it depends on no placeholder."""
    array = np.asarray(self)
    return array[()] if array.ndim == 0 else array


def _bool(self: Tensor) -> bool:
    if not self.known:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` to test whether it is "
            "there, and `tf.cond` to do one thing or another by its value."
        )
    return bool(np.asarray(self))


def install() -> None:
    """Give them to `Tensor`."""
    Tensor.eval = _eval  # type: ignore[attr-defined]
    Tensor.op = property(_op)  # type: ignore[attr-defined]
    Tensor.graph = property(_owner)  # type: ignore[attr-defined]
    Tensor.set_shape = _set_shape  # type: ignore[attr-defined]
    Tensor.numpy = _numpy  # type: ignore[attr-defined]
    for convert in (float, int):
        setattr(Constant, f"__{convert.__name__}__", lambda self, convert=convert: convert(np.asarray(self).item()))
    Constant.__bool__ = _bool  # type: ignore[method-assign]
