"""One graph: symbolic tensors, variables, the nodes between them, and their evaluation.

A node has an operation (a pure function, or a layer) and input and output tensors. `apply` is the door to it: called
with a symbolic tensor it makes a node, called with arrays it computes. `evaluate` walks the nodes and is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import config, naming, operators, scope

Dim = int | None

# Stand-ins for unknown dimensions while shapes are inferred. A dimension of the result that differs between the two is
# unknown too. Both divide by many numbers, so that reshaping goes through.
_FILLS = (20160, 40320)


class Shape(tuple[Dim, ...]):
    """A shape: a tuple of ints and None, with TensorFlow's `as_list` and `ndims`."""

    def as_list(self) -> list[Dim]:
        return list(self)

    @property
    def ndims(self) -> int:
        return len(self)


class _Operators:
    """Operators that go through `apply`, for symbolic tensors and variables."""

    __array_priority__ = 100  # numpy arrays on the left leave the operation to us

    def __add__(self, other: Any) -> Any:
        return apply(operators.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return apply(operators.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return apply(operators.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return apply(operators.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return apply(operators.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return apply(operators.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return apply(operators.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return apply(operators.divide, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return apply(operators.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return apply(operators.floor_divide, other, self)

    def __mod__(self, other: Any) -> Any:
        return apply(operators.modulo, self, other)

    def __pow__(self, other: Any) -> Any:
        return apply(operators.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return apply(operators.power, other, self)

    def __matmul__(self, other: Any) -> Any:
        return apply(operators.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return apply(operators.matmul, other, self)

    def __neg__(self) -> Any:
        return apply(jnp.negative, self)

    def __abs__(self) -> Any:
        return apply(jnp.abs, self)

    def __lt__(self, other: Any) -> Any:
        return apply(operators.less, self, other)

    def __le__(self, other: Any) -> Any:
        return apply(operators.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return apply(operators.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return apply(operators.greater_equal, self, other)

    def __and__(self, other: Any) -> Any:
        return apply(operators.logical_and, self, other)

    def __or__(self, other: Any) -> Any:
        return apply(operators.logical_or, self, other)

    def __invert__(self) -> Any:
        return apply(jnp.logical_not, self)

    def __getitem__(self, index: Any) -> Any:
        return apply(operators.getitem, self, index)


class Tensor(_Operators):
    """A symbolic value: a leaf that a caller feeds, or the output of a node.

    Attributes:
        shape: its dimensions, None where unknown.
        dtype: its numpy type.
        node, index: the node that computes it and its place among the outputs; `node` is None for a leaf.
        mask: the tensor that says which time steps count, or None.
        masked: for a tensor that is a mask: the tensor whose mask it is.
        static: for a value known while tracing (a shape): what it is when unknown dimensions are a given number.
    """

    def __init__(
        self,
        shape: Iterable[Dim],
        dtype: Any = None,
        name: str | None = None,
        node: Node | None = None,
        index: int = 0,
        static: Callable[[int], Any] | None = None,
    ) -> None:
        self.shape = Shape(shape)
        self.dtype = jnp.dtype(dtype or config.floatx())
        self.name = name or naming.unique_name("tensor")
        self.node = node
        self.index = index
        self.static = static
        self.mask: Tensor | None = None
        self.masked: Tensor | None = None
        self._keras_history: Any = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def _keras_shape(self) -> tuple[Dim, ...]:
        return tuple(self.shape)

    @property
    def _keras_mask(self) -> Tensor | None:
        return self.mask

    def get_shape(self) -> Shape:
        """The shape, as TensorFlow 1 spelled it."""
        return self.shape

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"Cannot iterate over {self!r}: its first dimension is not known.")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so it cannot be tested. Use `K.switch`, or compare in a layer's `call`."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self!r} has no value yet. `K.eval`, `K.function` or `Model.predict` compute values.")

    def __repr__(self) -> str:
        return f'<kjax.Tensor "{self.name}" shape={tuple(self.shape)} dtype={self.dtype.name}>'


class Variable(_Operators):
    """A leaf that holds a value: a weight, a state, or a hyperparameter.

    Arguments:
        value: its first value: anything that numpy can make an array of.
        dtype: its type; `K.floatx()` for floats if None.
        name: its name; counted up if None.
        trainable: whether an optimizer may change it.
        constraint: function applied to its value after each update of an optimizer, or None.
    """

    def __init__(
        self,
        value: Any,
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
    ) -> None:
        array = value if isinstance(value, jax.Array) else np.asarray(value)
        if dtype is None:
            dtype = config.floatx() if array.dtype.kind == "f" else jax.dtypes.canonicalize_dtype(array.dtype)
        self.name = name or naming.unique_name("variable")
        self.trainable = trainable
        self.constraint = constraint
        self.dtype = jnp.dtype(dtype)
        self.shape = Shape(array.shape)
        self.mask = None
        self._array: Any = array if isinstance(array, jax.Array) else np.array(array, self.dtype)
        if self._array.dtype != self.dtype:
            self._array = self._array.astype(self.dtype)

    @property
    def stored(self) -> jax.Array:
        """The array that the variable holds outside of any scope, placed on the device when first asked for."""
        if not isinstance(self._array, jax.Array):
            with jax.ensure_compile_time_eval():
                self._array = jax.device_put(self._array)
        return self._array

    @property
    def value(self) -> Any:
        """What the variable stands for: its traced value in a program, its array elsewhere."""
        opened = scope.current()
        return self.stored if opened is None else opened.read(self)

    def store(self, array: jax.Array) -> None:
        """Hold the result of a program that wrote this variable."""
        self._array = array

    def assign(self, value: Any) -> Any:
        """Give the variable a new value, here and now or, in a program, when it has run.

        Raises:
            ValueError: if the shape differs.
        """
        opened = scope.current()
        if opened is not None:
            opened.write(self, jnp.asarray(value, self.dtype))
            return self
        array = np.array(value, self.dtype)
        if array.shape != tuple(self.shape):
            raise ValueError(
                f"Cannot assign a value of shape {array.shape} to variable '{self.name}' of shape {tuple(self.shape)}."
            )
        self._array = array
        return self

    def assign_add(self, value: Any) -> Any:
        """Add `value` to the variable."""
        return self.assign(self.value + jnp.asarray(value, self.dtype))

    def assign_sub(self, value: Any) -> Any:
        """Subtract `value` from the variable."""
        return self.assign(self.value - jnp.asarray(value, self.dtype))

    def numpy(self) -> np.ndarray:
        """A copy of its value."""
        return np.array(self.stored)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def _keras_shape(self) -> tuple[Dim, ...]:
        return tuple(self.shape)

    def get_shape(self) -> Shape:
        """The shape, as TensorFlow 1 spelled it."""
        return self.shape

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.stored, dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"{self!r} is a scalar and has no length.")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copied = Variable(self.numpy(), self.dtype, self.name, self.trainable, self.constraint)
        memo[id(self)] = copied
        return copied

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": self.numpy()}

    def __repr__(self) -> str:
        return f"<kjax.Variable '{self.name}' shape={tuple(self.shape)} dtype={self.dtype.name}>"


class Node:
    """One application of an operation.

    Attributes:
        op: a pure function of arrays; or an object with `run(args, kwargs, masks)`, such as a layer, which receives
            the masks of its inputs and returns its outputs and their masks.
        inputs: the tensors and variables among the arguments, in order.
        outputs: the tensors that it makes.
    """

    def __init__(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.op = op
        self.leaves, self.structure = jax.tree.flatten((args, kwargs))
        self.inputs: list[Any] = [leaf for leaf in self.leaves if isinstance(leaf, (Tensor, Variable))]
        self.outputs: list[Tensor] = []
        self.result: Any = None  # the outputs, in the structure that the operation returns

    def call(self, lookup: Callable[[Any], Any], mask_of: Callable[[Any], Any]) -> tuple[Any, Any]:
        """Run the operation on what `lookup` says of each input. Returns its result and the masks of its outputs."""
        args, kwargs = self._fill(lookup)
        if hasattr(self.op, "run"):
            masks, _ = self._fill(mask_of, default=None)
            return self.op.run(args, kwargs, masks)
        return self.op(*args, **kwargs), None

    def _fill(self, lookup: Callable[[Any], Any], **default: Any) -> tuple[Any, dict[str, Any]]:
        def value(leaf: Any) -> Any:
            return lookup(leaf) if isinstance(leaf, (Tensor, Variable)) else default.get("default", leaf)

        return jax.tree.unflatten(self.structure, [value(leaf) for leaf in self.leaves])


def is_symbolic(x: Any) -> bool:
    """Whether `x` has no value here: a tensor, or a variable outside of any program."""
    return isinstance(x, Tensor) or (isinstance(x, Variable) and scope.current() is None)


def apply(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Call `op` if its arguments have values; make a node and return symbolic results if they do not."""
    leaves = jax.tree.leaves((args, kwargs))
    if any(is_symbolic(leaf) for leaf in leaves):
        return make_node(op, args, kwargs).result
    if any(isinstance(leaf, Variable) for leaf in leaves):
        args, kwargs = jax.tree.map(lambda x: x.value if isinstance(x, Variable) else x, (args, kwargs))
    return op(*args, **kwargs)


def make_node(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None) -> Node:
    """A node that applies `op`, with output tensors whose shapes JAX infers."""
    node = Node(op, args, kwargs)
    static = node.inputs and all(isinstance(x, Tensor) and x.static is not None for x in node.inputs)
    if static and not getattr(op, "fills_shape", False):  # `K.zeros` of a shape is an array, not one more shape
        return _make_static_node(node)
    inferred = [_infer(node, fill) for fill in _fills_for(node.inputs)]
    outputs, masks = inferred[0]
    leaves, structure = jax.tree.flatten(outputs)
    others = [jax.tree.leaves(other) for other, _ in inferred]
    name = name or naming.unique_name(getattr(op, "__name__", "op"))
    for i, leaf in enumerate(leaves):
        shape = _merge([other[i].shape for other in others])
        output = Tensor(shape, leaf.dtype, name if len(leaves) == 1 else f"{name}:{i}", node, i)
        node.outputs.append(output)
    for i, mask in enumerate(masks or ()):
        if mask is not None:
            merged = _merge([m[i].shape for _, m in inferred])
            _attach_mask(node.outputs[i], Tensor(merged, mask.dtype, f"{name}/mask", node, i))
    node.result = jax.tree.unflatten(structure, node.outputs)
    return node


def _attach_mask(output: Tensor, mask: Tensor) -> None:
    output.mask = mask
    mask.masked = output


def _make_static_node(node: Node) -> Node:
    def static(fill: int) -> Any:
        return node.call(lambda x: x.static(fill), lambda _: None)[0]

    output = Tensor((), "int32", None, node, 0, static=static)
    node.outputs = [output]
    node.result = output
    return node


def shape_tensor(x: Tensor) -> Tensor:
    """The shape of a symbolic tensor: once its program is traced, a tuple of Python ints."""
    node = Node(jnp.shape, (x,), {})

    def static(fill: int) -> tuple[int, ...]:
        return tuple(fill if d is None else d for d in x.shape)

    node.outputs = [Tensor((len(x.shape),), "int32", None, node, 0, static=static)]
    node.result = node.outputs[0]
    return node.outputs[0]


def _fills_for(inputs: Sequence[Any]) -> Sequence[int]:
    unknown = any(None in x.shape or (isinstance(x, Tensor) and x.static is not None) for x in inputs)
    return _FILLS if unknown else _FILLS[:1]


def _infer(node: Node, fill: int) -> tuple[Any, Any]:
    """Shapes and types of the node's outputs and masks, with `fill` for each unknown dimension."""
    arrays = [x for x in node.inputs if isinstance(x, Tensor) and x.static is None]
    masked = [x for x in arrays if x.mask is not None]

    def concrete(x: Tensor) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(tuple(fill if d is None else d for d in x.shape), x.dtype)

    def run(values: list[Any], masks: list[Any]) -> tuple[Any, Any]:
        known = dict(zip(arrays, values, strict=True))
        known_masks = dict(zip(masked, masks, strict=True))

        def lookup(x: Any) -> Any:
            if isinstance(x, Variable):
                return x.value
            return x.static(fill) if x.static is not None else known[x]

        with scope.Scope():
            return node.call(lookup, known_masks.get)

    return jax.eval_shape(run, [concrete(x) for x in arrays], [concrete(x.mask) for x in masked if x.mask is not None])


def _merge(shapes: Sequence[Sequence[int]]) -> list[Dim]:
    """The dimensions that agree in all shapes, None where they do not."""
    return [dims[0] if len(set(dims)) == 1 else None for dims in zip(*shapes, strict=True)]


def topological(outputs: Iterable[Any], known: Iterable[Any] = ()) -> list[Node]:
    """The nodes that `outputs` need, each after those that it needs itself; none behind a tensor in `known`.

    The walk keeps its own stack: a graph may be deeper than Python's.
    """
    stop = set(known)
    order: list[Node] = []
    done: set[Node] = set()
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
        for tensor in reversed(node.inputs):
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
) -> tuple[list[Any], list[Any]]:
    """Values and masks of `outputs`, given values (and masks) of leaves or of any other tensors.

    Pure: variables are read from the open scope.

    Arguments:
        outputs: tensors and variables.
        feeds: tensor to value. A fed tensor is not computed.
        masks: fed tensor to mask.
        order: the nodes to run, if the caller keeps them; found by `topological` if None.

    Raises:
        MissingFeed: if an output depends on a leaf that is not fed.
    """
    values: dict[Any, Any] = dict(feeds)
    known_masks: dict[Any, Any] = dict(masks or {})

    def lookup(tensor: Any) -> Any:
        if isinstance(tensor, Variable):
            return tensor.value
        if tensor in values:
            return values[tensor]
        if tensor.masked is not None:
            return known_masks.get(tensor.masked)
        raise MissingFeed(tensor)

    for node in topological(outputs, feeds) if order is None else order:
        if all(output in values for output in node.outputs):
            continue
        result, result_masks = node.call(lookup, known_masks.get)
        leaves = [result] if node.outputs[0].static else jax.tree.leaves(result)
        for i, (tensor, value) in enumerate(zip(node.outputs, leaves, strict=True)):
            if tensor not in values:
                values[tensor] = value
                known_masks[tensor] = result_masks[i] if result_masks else None
    return [lookup(x) for x in outputs], [known_masks.get(x) for x in outputs]


def gradients(loss: Tensor, xs: Sequence[Any]) -> list[Tensor]:
    """Symbolic gradients of the sum of `loss` with respect to tensors or variables: one node with many outputs.

    What does not influence the loss has a gradient of zeros.
    """
    order = topological([loss])
    made = {tensor for node in order for tensor in node.outputs}
    leaves = {x for node in order for x in node.inputs if isinstance(x, Tensor) and x.masked is None and x not in made}
    arguments = list(dict.fromkeys([*leaves, *(x for x in xs if isinstance(x, Tensor))]))

    def gradient(values: list[Any]) -> list[Any]:
        feeds = dict(zip(arguments, values, strict=True))
        at = [feeds[x] if isinstance(x, Tensor) else x.value for x in xs]

        def total(at: list[Any]) -> Any:
            tensors = {x: v for x, v in zip(xs, at, strict=True) if isinstance(x, Tensor)}
            variables = {x: v for x, v in zip(xs, at, strict=True) if isinstance(x, Variable)}
            opened = scope.current()
            assert opened is not None, "gradients are computed in a program"
            with opened.overriding(variables):
                (value,), _ = evaluate([loss], {**{k: v for k, v in feeds.items() if k in leaves}, **tensors})
            return jnp.sum(value)

        return jax.grad(total)(at)

    return list(make_node(gradient, (arguments,), {}).outputs)
