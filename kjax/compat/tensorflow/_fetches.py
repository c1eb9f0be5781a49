"""What may be fetched beside tensors: values that are finished on the host, such as strings and encoded summaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kjax.compat.tensorflow import _graph


class HostTensor:
    """A value that is finished on the host from those of tensors.

    Arguments:
        kind: TensorFlow's name of the operation.
        parts: the tensors that are computed for it.
        finish: makes the value from those of the parts.
        name: its name; a counted one of its kind if None.
    """

    dtype = "string"

    def __init__(self, kind: str, parts: Sequence[Any], finish: Callable[..., Any], name: str | None = None) -> None:
        self.graph = _graph.get_default_graph()
        unique = self.graph.unique_name(name or kind)
        self.name = f"{unique}:0"
        self.parts = list(parts)
        self.finish = finish
        self.op = _graph.Operation(self.graph, unique, kind, self.parts, [self])
        self.graph.names[unique] = self.op

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Its value in the session, or in the default one."""
        return _graph._session_for(session, "Tensor").run(self, feed_dict)

    def numpy(self) -> Any:
        """Its value, if its parts need no feeds."""
        return self.finish(*(np.asarray(part) for part in self.parts))

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape=() dtype=string>"


def string_constant(value: Any, name: str | None = None) -> HostTensor:
    """A constant of strings: `bytes`, or an array of them."""
    array = np.vectorize(_encoded, otypes=[object])(np.asarray(value, object))
    result = array.item() if array.ndim == 0 else array
    return HostTensor("Const", [], lambda: result, name)


def _encoded(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else bytes(text)


def holds_strings(value: Any) -> bool:
    """Whether `value` is a string, or a list or array of them."""
    if isinstance(value, (str, bytes)):
        return True
    if isinstance(value, (list, tuple)):
        return bool(value) and holds_strings(value[0])
    return isinstance(value, np.ndarray) and value.dtype.kind in "SU"
