"""`tf.summary`: numbers, distributions and images for TensorBoard, in event files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kjax._core import events
from kjax._core.tensors import Tensor
from kjax.compat.tensorflow import _graph, _missing
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._fetches import HostTensor
from kjax.compat.tensorflow._graph import GraphKeys


def _summary(
    kind: str, name: str, tensor: Any, encode: Callable[[str, Any], list[bytes]], collections: Any
) -> HostTensor:
    """A string tensor: the encoded summary of a tensor."""
    value = convert(tensor)

    def finish(array: Any) -> bytes:
        return events.summary(encode(tag, array))

    made = HostTensor(kind, [value], finish, name.replace(" ", "_"))
    tag = made.name.partition(":")[0]
    for key in [GraphKeys.SUMMARIES] if collections is None else collections:
        _graph.add_to_collection(key, made)
    return made


def scalar(name: str, tensor: Any, collections: Sequence[str] | None = None, family: str | None = None) -> HostTensor:
    """The summary of a number."""
    return _summary("ScalarSummary", name, tensor, lambda tag, x: [events.scalar_value(tag, x)], collections)


def histogram(
    name: str, values: Any, collections: Sequence[str] | None = None, family: str | None = None
) -> HostTensor:
    """The summary of the distribution of a tensor's numbers."""
    return _summary("HistogramSummary", name, values, lambda tag, x: [events.histogram_value(tag, x)], collections)


def image(
    name: str, tensor: Any, max_outputs: int = 3, collections: Sequence[str] | None = None, family: str | None = None
) -> HostTensor:
    """The summary of the first images of a tensor `(samples, rows, columns, channels)`."""

    def encode(tag: str, images: Any) -> list[bytes]:
        shown = images[:max_outputs]
        tags = [f"{tag}/image"] if max_outputs == 1 else [f"{tag}/image/{i}" for i in range(len(shown))]
        return [events.image_value(t, x) for t, x in zip(tags, shown, strict=True)]

    return _summary("ImageSummary", name, tensor, encode, collections)


def text(name: str, tensor: Any, collections: Sequence[str] | None = None) -> HostTensor:
    """The summary of a text."""

    def encode(tag: str, value: Any) -> list[bytes]:
        return [events.text_value(tag, value.decode() if isinstance(value, bytes) else str(value))]

    return _summary("TextSummary", name, tensor, encode, collections)


def merge(inputs: Sequence[Any], collections: Any = None, name: str | None = None) -> HostTensor:
    """One summary of several."""
    parts = list(inputs)
    sizes = [len(part.parts) for part in parts]

    def finish(*arrays: Any) -> bytes:
        ends = np.cumsum(sizes)
        return b"".join(p.finish(*arrays[end - n : end]) for p, n, end in zip(parts, sizes, ends, strict=True))

    return HostTensor("MergeSummary", [x for part in parts for x in part.parts], finish, name)


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> HostTensor | None:
    """One summary of all of the default graph; None if there are none."""
    found = _graph.get_collection(key, scope)
    return merge(found, name=name) if found else None


class FileWriter:
    """Writes summaries to an event file, which TensorBoard shows.

    Arguments:
        logdir: its folder, made if needed.
        graph: graph to show.
        max_queue, session: accepted, not used.
        flush_secs: seconds after which what was written is given to the file.
        filename_suffix: end of the file's name.
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ) -> None:
        self._logdir = logdir
        self._make = lambda: events.EventWriter(logdir, filename_suffix or "", flush_secs)
        self._events = self._make()
        if graph is not None or graph_def is not None:
            self.add_graph(graph if graph is not None else graph_def)

    def get_logdir(self) -> Any:
        """The folder."""
        return self._logdir

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Add what a session made of a summary, or a `tf.Summary`."""
        self._events.add_summary(summary, global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Add the nodes of a graph."""
        self._events.graph(encoded_graph(graph), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Accepted: kjax keeps no times of single operations."""

    def flush(self) -> None:
        """Give all that was written to the file."""
        self._events.flush()

    def close(self) -> None:
        """Close the file."""
        self._events.close()

    def reopen(self) -> None:
        """Go on in another file."""
        if self._events.closed:
            self._events = self._make()

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def encoded_graph(graph: Any) -> bytes:
    """A graph in the encoding of event files: names, kinds and inputs of its operations."""
    nodes: list[tuple[str, str, list[str], dict[str, str]]] = []
    for operation in graph.get_operations():
        first = next((x for x in operation.outputs if isinstance(x, Tensor)), None)
        shapes = {} if first is None else {"shape": str(tuple(first.shape))}
        inputs = [str(x.name).removesuffix(":0") for x in operation.inputs if x.name.partition(":")[0] in graph.names]
        nodes.append((operation.name, operation.type, inputs, shapes))
    return events.graph_def(nodes)


__all__ = ["FileWriter", "histogram", "image", "merge", "merge_all", "scalar", "text"]
__getattr__ = _missing.attribute("tensorflow.summary", __all__)
