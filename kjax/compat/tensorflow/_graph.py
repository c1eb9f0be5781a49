"""What TensorFlow keeps in a `tf.Graph`: names, collections, seeds, and what the operations made next depend on.

The nodes are those of `kjax._core.graph`. Here each gets a name of TensorFlow's kind, by which it can be found again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable
from typing import Any

import jax
from jax.core import Tracer

from kjax._core import graph, scope
from kjax._core.graph import Node, Tensor, Variable
from kjax._core.tensors import Constant
from kjax.backend._ops import array
from kjax.compat.tensorflow._keys import GraphKeys, Stack


class Operation:
    """A node of the graph by itself: what a session runs for its effect, with None as its result.

    Attributes:
        name: its name, without the `:0` of its outputs.
        type: what kind of operation it is, such as `'MatMul'`.
        inputs, outputs: tensors.
        targets: the tensors whose computation is its effect.
        hosts: what acts on the host afterwards, each with the tensors whose values it needs.
    """

    def __init__(self, owner: Graph, name: str, type: str, targets: Iterable[Any], outputs: Iterable[Any] = ()) -> None:
        self.graph, self.name, self.type = owner, name, type
        self.targets = list(targets)
        self.outputs = list(outputs)
        self.hosts: list[tuple[list[Any], Callable[..., None]]] = []

    @property
    def inputs(self) -> list[Any]:
        nodes = [t.node for t in self.outputs or self.targets if isinstance(t, Tensor) and t.node is not None]
        return list(dict.fromkeys(x for node in nodes for x in (*node.inputs, *node.within)))

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run it in the session, or in the default one."""
        _session_for(session, "Operation").run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"


class HostOperation(Operation):
    """An operation that acts on the host, with the values of tensors.

    Arguments:
        parts: the tensors.
        act: what it does with their values.
    """

    def __init__(self, owner: Graph, name: str, type: str, parts: Iterable[Any], act: Callable[..., None]) -> None:
        super().__init__(owner, name, type, [])
        self.hosts = [(list(parts), act)]
        owner.names[name] = self


def _session_for(session: Any, what: str) -> Any:
    found = session or default_session()
    if found is None:
        raise ValueError(
            f"Cannot evaluate a {what.lower()}: no default session is registered. "
            "Use `with sess.as_default()` or pass `session=sess`."
        )
    return found


def default_session() -> Any:
    """The innermost session that a `with` block or an `InteractiveSession` made the default one; else None."""
    return sessions.items[-1] if sessions.items else None


sessions = Stack()
_graphs = Stack()


class Graph:
    """Names, collections and seeds of what is built while it is the default graph.

    Attributes:
        collections: name to list.
        seed: the seed of the graph, or None.
        names: name of an operation to its tensors or its `Operation`.
        store: what `get_variable` has made, by name.
    """

    def __init__(self) -> None:
        self.collections: dict[str, list[Any]] = {}
        self.seed: int | None = None
        self.names: dict[str, Any] = {}
        self.store: dict[str, Any] = {}
        self.scopes: list[str] = []
        self.control: list[tuple[Any, ...]] = []
        self.variable_scope: Any = None
        self.layer_counts: dict[str, int] = {}
        self.of_elements = False  # whether it is that of a function of a data set's elements
        self.holder: Any = None  # the session whose values the variables hold
        self._taken: dict[str, int] = {}

    # -- names -------------------------------------------------------------------------------------------------------

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` behind the open name scopes, with `_1`, `_2`, ... after it if it is taken."""
        path = unique = "/".join([*self.scopes, name])
        count = self._taken.get(path.lower(), 0)
        while unique.lower() in self._taken:
            count = max(count, 1)
            unique = f"{path}_{count}"
            count += 1
        if mark_as_used:
            self._taken[path.lower()] = max(count, 1)
            self._taken.setdefault(unique.lower(), 1)
        return unique

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Generator[str]:
        """Put `name/` before the names of what is made in a `with` block. One that ends in `/` is taken as it is."""
        outer = self.scopes
        if not name:
            self.scopes = []
        elif name.endswith("/"):
            self.scopes = [name[:-1]]
        else:
            self.scopes = [self.unique_name(name)]
        try:
            yield "".join(f"{scope}/" for scope in self.scopes)
        finally:
            self.scopes = outer

    def get_tensor_by_name(self, name: str) -> Any:
        """The tensor called `name`, such as `'loss:0'`.

        Raises:
            ValueError: if the name has no `:0`.
            KeyError: if there is none.
        """
        op_name, colon, index = name.partition(":")
        if not colon:
            raise ValueError(
                f"The name '{name}' looks like an (invalid) Operation name, not a Tensor. "
                'Tensor names must be of the form "<op_name>:<output_index>".'
            )
        found = self.names.get(op_name)
        if found is None:
            raise KeyError(
                f"The name '{name}' refers to a Tensor which does not exist. "
                f"The operation, '{op_name}', does not exist in the graph."
            )
        outputs: list[Any] = found.outputs if isinstance(found, Operation) else found
        if not index.isdigit() or int(index) >= len(outputs):
            raise KeyError(
                f"The name '{name}' refers to a Tensor which does not exist. "
                f"The operation, '{op_name}', exists but only has {len(outputs)} outputs."
            )
        return outputs[int(index)]

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation called `name`.

        Raises:
            KeyError: if there is none.
        """
        found = self.names.get(name)
        if found is None:
            raise KeyError(f"The name '{name}' refers to an Operation not in the graph.")
        return found if isinstance(found, Operation) else found[0].op

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """A tensor or an operation by itself or by name."""
        if not isinstance(obj, str):
            return obj
        return self.get_tensor_by_name(obj) if ":" in obj else self.get_operation_by_name(obj)

    def get_operations(self) -> list[Operation]:
        """All operations, in the order in which they were made."""
        return [found if isinstance(found, Operation) else found[0].op for found in self.names.values()]

    def finalize(self) -> None:
        """Accepted: a graph of kjax can always be added to."""

    # -- collections -------------------------------------------------------------------------------------------------

    def add_to_collection(self, name: str, value: Any) -> None:
        """Add a value to a collection."""
        self.collections.setdefault(name, []).append(value)

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """A copy of a collection: all of it, or what has a name that begins with `scope`."""
        found = self.collections.get(name, [])
        return [x for x in found if scope is None or str(getattr(x, "name", "")).startswith(scope)]

    def get_collection_ref(self, name: str) -> list[Any]:
        """The collection itself."""
        return self.collections.setdefault(name, [])

    # -- building ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def as_default(self) -> Generator[Graph]:
        """Build in this graph inside of a `with` block."""
        _graphs.items.append(self)
        try:
            yield self
        finally:
            _graphs.items.remove(self)

    @contextlib.contextmanager
    def control_dependencies(self, control_inputs: Any) -> Generator[None]:
        """What is made in a `with` block waits for these tensors and operations; for nothing if None."""
        outer = self.control
        self.control = [] if control_inputs is None else [*outer, targets_of(control_inputs)]
        try:
            yield
        finally:
            self.control = outer

    def waits_for(self) -> tuple[Any, ...]:
        """What the next operation waits for."""
        return tuple(x for block in self.control for x in block)

    def register(self, name: str, outputs: list[Tensor], kind: str) -> None:
        """Enter the outputs of a node under a name that is free."""
        for i, tensor in enumerate(outputs):
            tensor.name = f"{name}:{i}"
            tensor.__dict__["_tf"] = (self, kind)
        self.names[name] = outputs

    def device(self, device_name_or_function: Any) -> contextlib.AbstractContextManager[None]:
        """Accepted: JAX decides where things are."""
        return contextlib.nullcontext()


def targets_of(values: Any) -> tuple[Any, ...]:
    """The tensors to compute for operations, tensors, variables, or lists of them."""
    if isinstance(values, Operation):
        return tuple(values.targets)
    if isinstance(values, (list, tuple)):
        return tuple(target for value in values for target in targets_of(value))
    return (values,) if isinstance(values, (Tensor, Variable)) else ()


def _operations_in(values: Any) -> list[Operation]:
    if isinstance(values, (list, tuple)):
        return [found for value in values for found in _operations_in(value)]
    return [values] if isinstance(values, Operation) else []


_first = Graph()


def get_default_graph() -> Graph:
    """The graph in which things are built now."""
    return _graphs.items[-1] if _graphs.items else _first


def reset_default_graph() -> None:
    """Forget all that was built.

    Raises:
        AssertionError: inside of a `with graph.as_default()` block.
    """
    global _first
    if _graphs.items:
        raise AssertionError("Do not use tf.reset_default_graph() inside of a `with graph.as_default()` block.")
    _first = Graph()


def node(kind: str, function: Callable[..., Any], *args: Any, name: str | None = None, **kwargs: Any) -> Any:
    """Apply a function of arrays: a node of the default graph, or, in a program, the result itself.

    Arguments:
        kind: TensorFlow's name of the operation; also the name of the node if it is given none.
        function: pure function of arrays.
        *args, **kwargs: its arguments: tensors, variables, arrays and plain values, also in lists.
        name: name of the node.
    """
    leaves = jax.tree.leaves((args, kwargs))
    if scope.current() is not None or any(isinstance(leaf, Tracer) for leaf in leaves):
        return graph.apply(function, *args, **kwargs)
    default = get_default_graph()
    unique = default.unique_name((name or kind).rstrip("/"))
    if not any(isinstance(leaf, (Tensor, Variable)) for leaf in leaves) and not getattr(function, "draws", False):
        made = jax.tree.map(lambda x: Constant(array(x)), function(*args, **kwargs))
        default.register(unique, jax.tree.leaves(made), kind)
        return made
    built = _make_node(function, args, kwargs, unique)
    finish(built, unique, kind)
    return built.result


def _make_node(function: Callable[..., Any], args: Any, kwargs: Any, name: str) -> Node:
    """A node; of unknown shape where an input is, if no shape can be found."""
    inputs = [x for x in jax.tree.leaves((args, kwargs)) if isinstance(x, Tensor)]
    if not any(x.__dict__.get("any_shape") for x in inputs):
        return graph.make_node(function, args, kwargs, name=name)
    try:
        built = graph.make_node(function, args, kwargs, name=name)
    except (TypeError, ValueError):
        built = Node(function, args, kwargs)
        built.outputs = [
            Tensor((), next((x.dtype for x in inputs if x.dtype.kind == "f"), inputs[0].dtype), name, built)
        ]
        built.result = built.outputs[0]
    for output in built.outputs:
        output.__dict__["any_shape"] = True
    return built


def _waits_for() -> tuple[Any, ...]:
    return get_default_graph().waits_for()


scope.waits_for = _waits_for


def finish(built: Node, name: str, kind: str) -> None:
    """Enter a node of the one graph in the default graph."""
    default = get_default_graph()
    built.after = default.waits_for()
    if built.after:
        for output in built.outputs:
            output.known = False
    default.register(name, built.outputs, kind)


def draws(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function of arrays that draws random numbers: it is never computed before the graph runs."""
    function.draws = True  # type: ignore[attr-defined]
    return function


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """A collection of the default graph."""
    return get_default_graph().get_collection(key, scope)


def add_to_collection(name: str, value: Any) -> None:
    """Add a value to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def get_collection_ref(key: str) -> list[Any]:
    """A collection of the default graph, itself."""
    return get_default_graph().get_collection_ref(key)


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager[None]:
    """What is made in a `with` block waits for these tensors and operations."""
    return get_default_graph().control_dependencies(control_inputs)


@contextlib.contextmanager
def name_scope(name: str | None, default_name: str | None = None, values: Any = None) -> Generator[str]:
    """Put `name/` before the names of what is made in a `with` block."""
    with get_default_graph().name_scope(name or default_name) as path:
        yield path


def device(device_name_or_function: Any = None) -> contextlib.AbstractContextManager[None]:
    """Accepted: JAX decides where things are."""
    return contextlib.nullcontext()


def group(*inputs: Any, name: str | None = None) -> Operation:
    """An operation that runs all the others."""
    default = get_default_graph()
    unique = default.unique_name(name or "group_deps")
    made = Operation(default, unique, "NoOp", [*default.waits_for(), *targets_of(list(inputs))])
    made.hosts = [host for part in _operations_in(inputs) for host in part.hosts]
    default.names[unique] = made
    return made


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing by itself."""
    return group(name=name or "NoOp")


__all__ = [
    "Graph", "GraphKeys", "Operation", "add_to_collection", "control_dependencies", "device",
    "get_collection", "get_collection_ref", "get_default_graph", "group", "name_scope", "no_op",
    "reset_default_graph",
]  # fmt: skip
