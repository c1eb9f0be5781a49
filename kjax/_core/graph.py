"""One graph: symbolic tensors, variables, the nodes between them, and their evaluation.

A node has an operation (a pure function, or a layer) and input and output tensors. `apply` is the door to it: called
with a symbolic tensor it makes a node, called with arrays it computes. `evaluate` walks the nodes and is pure.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import naming, scope, stand_ins
from kjax._core.described import Described
from kjax._core.dims import agreeing
from kjax._core.frozen import Owned, using
from kjax._core.held import Held, holding, is_held
from kjax._core.inference import infer_shapes, tracer
from kjax._core.lengths import Lengths
from kjax._core.overloads import install_operators
from kjax._core.tensors import Constant, Symbolic, Tensor, Variable

_numbers = itertools.count()


class Node(Described):
    """One application of an operation.

    Attributes:
        op: a pure function; or an object with `run(args, kwargs, masks)`, such as a layer: its outputs and their masks.
        inputs, outputs: the tensors and variables among the arguments, in order; the tensors that it makes.
        after: tensors that have to be computed before, for what they write.
        within: tensors that the operation evaluates by itself, as a gradient does.
        reads, writes: variables that the operation reads or writes without their being among its arguments.
        frozen: functions of the user's that the operation has, as they were when it was made.
        phase: the learning phase that `K.set_learning_phase` had fixed when it was made, if any.
        number: larger for nodes that are made later.
    """

    within: tuple[Any, ...] = ()
    reads: tuple[Any, ...] = ()
    writes: tuple[Any, ...] = ()
    phase: int | None = None
    frozen: tuple[Owned, ...] = ()

    def __init__(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.op, self.number = op, next(_numbers)
        self.after: tuple[Any, ...] = scope.waits_for()
        self.leaves, self.structure = jax.tree.flatten((args, kwargs))
        self.inputs: list[Any] = [leaf for leaf in self.leaves if isinstance(leaf, (Tensor, Variable))]
        self.outputs: list[Tensor] = []
        self.result: Any = None  # the outputs, in the structure that the operation returns
        self.expanded: Any = None  # the tensors that an operation made of the inputs' tensors, where it had to
        self.effects: dict[Any, list[Tensor]] = {}  # tensors of what it writes and adds to the loss, once asked for
        self.uses_phase: bool | None = None  # whether it differs between training and testing, once that was asked
        self.needs_values = False  # whether it cannot be traced, since it asks for values

    def call(self, lookup: Callable[[Any], Any], mask_of: Callable[[Any], Any]) -> tuple[Any, Any]:
        """Run the operation on what `lookup` says of each input. Returns its result and the masks of its outputs."""
        args, kwargs = self._fill(lookup)
        if hasattr(self.op, "run"):
            (*masks,), named = self._fill(mask_of, default=None)  # those of arguments by name come last
            with scope.capturing(lookup, self.phase), using(self.frozen):
                try:
                    return self.op.run(args, kwargs, (*masks, named))
                except scope.NeedsGraph:  # it asks what its inputs come from: it runs on their tensors, once
                    if self.expanded is None:
                        args, kwargs = self._fill(lambda x: x)
                        with scope.suspended():
                            self.expanded = self.op.call_on_tensors(*args, **kwargs)
                    return jax.tree.map(lookup, self.expanded), None
        return self.op(*args, **kwargs), None

    def _fill(self, lookup: Callable[[Any], Any], **default: Any) -> tuple[Any, dict[str, Any]]:
        def value(leaf: Any) -> Any:
            return lookup(leaf) if isinstance(leaf, (Tensor, Variable)) else default.get("default", leaf)

        return jax.tree.unflatten(self.structure, [value(leaf) for leaf in self.leaves])


def is_symbolic(x: Any) -> bool:
    """Whether `x` has no value here: a tensor, or a variable outside of any program."""
    if isinstance(x, Tensor):
        return not x.known or scope.current() is None
    return isinstance(x, Variable) and scope.current() is None


def _is_unknown(x: Any) -> bool:
    return isinstance(x, Tensor) and not x.known


def apply(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Call `op` if its arguments have values; make a node and return symbolic results if they do not.

    Inside of a layer's call, or of a loss, a symbolic tensor from outside stands for its value there.
    """
    leaves = jax.tree.leaves((args, kwargs))
    opened = scope.current()
    captured = opened.captured if opened is not None else None
    if captured is not None and any(_is_unknown(leaf) for leaf in leaves):
        args, kwargs = jax.tree.map(lambda x: captured(x) if _is_unknown(x) else x, (args, kwargs))
        leaves = jax.tree.leaves((args, kwargs))
    if any(is_symbolic(leaf) for leaf in leaves) or (getattr(op, "draws", False) and scope.recorder() is not None):
        return make_node(op, args, kwargs).result
    if any(isinstance(leaf, Symbolic) for leaf in leaves):
        args, kwargs = jax.tree.map(value_here, (args, kwargs))
        holds = is_held(leaves) or (opened is not None and opened.holds)
        return holding(op(*args, **kwargs)) if holds else op(*args, **kwargs)
    return op(*args, **kwargs)


def value_here(x: Any) -> Any:
    """In a program, the value of a variable, or of a tensor that was made outside and needs no feeds."""
    if isinstance(x, Variable):
        return x.value
    if isinstance(x, Held):
        return x.held
    return evaluate([x], {})[0][0] if isinstance(x, Tensor) else x


def make_node(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None) -> Node:
    """A node that applies `op`, with output tensors whose shapes JAX infers."""
    node = Node(op, args, kwargs)
    static = any(_is_shape(x) for x in node.inputs) and all(_is_shape(x) or _is_length(x) for x in node.inputs)
    if static and not getattr(op, "fills_shape", False):  # `K.zeros` of a shape is an array, not one more shape
        return _make_static_node(node)
    outputs, masks = (inferred := infer_shapes(node))[0]
    leaves, structure = jax.tree.flatten(outputs)
    others = [jax.tree.leaves(other) for other, _ in inferred]
    name = name or naming.unique_name(getattr(op, "__name__", "op"))
    for i, leaf in enumerate(leaves):
        shape = agreeing([other[i].shape for other in others])
        output = Tensor(shape, leaf.dtype, name if len(leaves) == 1 else f"{name}:{i}", node, i)
        output.known = not node.after and all(isinstance(x, Variable) or x.known for x in node.inputs)
        node.outputs.append(output)
    for i, mask in enumerate(masks or ()):
        if mask is not None:
            merged = agreeing([m[i].shape for _, m in inferred])
            _attach_mask(node.outputs[i], Tensor(merged, mask.dtype, f"{name}/mask", node, i))
    node.result = jax.tree.unflatten(structure, node.outputs)
    return node


def _is_shape(x: Any) -> bool:
    return isinstance(x, Tensor) and x.static is not None


def _is_length(x: Any) -> bool:
    """Whether `x` is a constant with which one calculates the shape of something."""
    return isinstance(x, Constant) and x.dtype.kind in "iu" and x.ndim < 2


def node_of_shapes(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str, shapes: Any, dtype: Any) -> Node:
    """A node whose outputs have shapes that its operation told, where tracing cannot tell them."""
    node = Node(op, args, kwargs)
    node.outputs = [Tensor(shape, dtype, f"{name}:{i}", node, i) for i, shape in enumerate(shapes)]
    node.result = node.outputs if len(node.outputs) > 1 else node.outputs[0]
    return node


def _attach_mask(output: Tensor, mask: Tensor) -> None:
    output.mask = mask
    mask.masked = output


def _make_static_node(node: Node) -> Node:
    def static(fill: int) -> Any:
        return node.call(lambda x: x.value if x.static is None else x.static(fill), lambda _: None)[0]

    node.result = Tensor((), "int32", None, node, 0, static=static)
    node.outputs = [node.result]
    return node


def shape_tensor(x: Tensor) -> Tensor:
    """The shape of a symbolic tensor: once its program is traced, a tuple of Python ints."""
    node = Node(jnp.shape, (x,), {})

    def static(fill: int) -> tuple[int, ...]:
        return Lengths(fill if d is None else d for d in x.shape)

    node.outputs = [Tensor((len(x.shape),), "int32", None, node, 0, static=static)]
    node.result = node.outputs[0]
    return node.outputs[0]


def uses_phase(tensors: Iterable[Any]) -> bool:
    """Whether tensors differ between training and testing, told from what is traced for both."""
    return any(_uses_phase(node) for node in topological(tensors))


def _uses_phase(node: Node) -> bool:
    if node.needs_values:
        return False
    if node.uses_phase is None:
        fill = stand_ins.for_inputs(node.inputs)[0]
        both = []
        for training in (False, True):
            run, values, masks = tracer(node, fill, training)
            both.append(str(jax.make_jaxpr(run)(values, masks)))
        node.uses_phase = both[0] != both[1]
    return bool(node.uses_phase)


def topological(outputs: Iterable[Any], known: Iterable[Any] = ()) -> list[Node]:
    """The nodes that `outputs` need, each after those that it needs itself; none behind a tensor in `known`.

    The walk keeps its own stack: a graph may be deeper than Python's.
    """
    stop, done = set(known), set[Node]()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = []

    def push(tensor: Any) -> None:
        node = None if isinstance(tensor, Variable) else tensor.node
        if node is not None and tensor not in stop and node not in done:
            stack.append((node, False))

    for output in reversed(list(outputs)):
        push(output)
    while stack:
        node, expanded = stack.pop()
        if node in done:
            continue
        if expanded:
            done.add(node)
            order.append(node)
            continue
        stack.append((node, True))
        for tensor in reversed((*node.after, *node.inputs)):
            push(tensor)
    return order


class MissingFeed(LookupError):
    """A leaf that the outputs need was not fed."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(f"You must feed a value for {tensor!r}: the result depends on it.")
        self.tensor = tensor


def evaluate(
    outputs: Sequence[Any],
    feeds: Mapping[Tensor, Any],
    masks: Mapping[Tensor, Any] | None = None,
    order: Sequence[Node] | None = None,
    values: dict[Any, Any] | None = None,
    book: dict[Node, int] | None = None,
) -> tuple[list[Any], list[Any]]:
    """Values and masks of `outputs`, given values (and masks) of leaves or of any other tensors.

    Pure: variables are read from the open scope.

    Arguments:
        outputs: tensors and variables.
        feeds: tensor to value. A fed tensor is not computed.
        masks: fed tensor to mask.
        order: the nodes to run, if the caller keeps them; found by `topological` if None.
        values: where to keep the value of every tensor, for `Values`.
        book: that of the scope, if this is the graph that is being evaluated, once more: see `Scope.run`.

    Raises:
        MissingFeed: if an output depends on a leaf that is not fed.
    """
    values = {} if values is None else values
    values.update(feeds)
    known_masks: dict[Any, Any] = dict(masks or {})
    lookup = Values(values, known_masks, book)
    lookup.run(topological(outputs, feeds) if order is None else order)
    return [lookup(x) for x in outputs], [known_masks.get(x) for x in outputs]


class Values:
    """Tells the value of any tensor when called with it: what is not in `values` is computed from them, and added.

    Arguments:
        values: tensor to value.
        masks: tensor to mask.
        book: see `evaluate`.
    """

    def __init__(
        self,
        values: dict[Any, Any],
        masks: dict[Any, Any] | None = None,
        book: dict[Node, int] | None = None,
    ) -> None:
        self.values = values
        self.masks = {} if masks is None else masks
        self.book = {} if book is None else book

    def __call__(self, tensor: Any) -> Any:
        if isinstance(tensor, Variable):
            return tensor.value
        if tensor not in self.values and tensor.node is not None and tensor.masked is None:
            self.run(topological([tensor], self.values))
        if tensor in self.values:
            return self.values[tensor]
        if tensor.masked is not None:
            return self.masks.get(tensor.masked)
        if isinstance(tensor, Constant):
            return jnp.asarray(tensor.value)
        raise MissingFeed(tensor)

    def tensor_of(self, value: Any) -> Tensor | None:
        """The last tensor that was found to have this very value."""
        return next((tensor for tensor in reversed(self.values) if self.values[tensor] is value), None)

    def _late(self, tensor: Any) -> Any:
        opened = scope.current()
        if isinstance(tensor, Variable) and opened is not None:
            return opened.updates.get(tensor, tensor.value)
        return self(tensor)

    def run(self, order: Sequence[Node]) -> None:
        """Compute the outputs of nodes, each after those that it needs."""
        opened = scope.current()
        for node in order:
            if all(output in self.values for output in node.outputs):
                continue
            # What has to wait for a write sees what was written; all else sees the values before the program.
            call = functools.partial(node.call, self._late if node.after else self, self.masks.get)
            result, result_masks = call() if opened is None else opened.run(node, self.book, call)
            leaves = [result] if node.outputs[0].static else jax.tree.leaves(result)
            for i, (tensor, value) in enumerate(zip(node.outputs, leaves, strict=True)):
                if tensor not in self.values:
                    self.values[tensor] = value
                    self.masks[tensor] = mask = result_masks[i] if result_masks and i < len(result_masks) else None
                    if mask is not None and tensor.mask is not None:
                        self.values[tensor.mask] = mask  # losses may ask for it, as those of CRFs do


install_operators(apply)


def _value_of(tensor: Tensor) -> Any:
    """The value of a tensor that needs no feeds. It is kept, so that a random tensor is drawn once."""
    if isinstance(tensor, Constant):
        return tensor.value
    kept = tensor.__dict__.get("_kept")
    if kept is None:
        with scope.suspended(), scope.Scope(key=scope.fresh_key(), eager=True) as opened:
            kept = evaluate([tensor], {})[0][0]
        if not opened.missed:  # variables change
            tensor.__dict__["_kept"] = kept
    return kept


Tensor._compute = _value_of  # pyright: ignore[reportAttributeAccessIssue]  # the method's other half
