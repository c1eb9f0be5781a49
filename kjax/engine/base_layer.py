"""`Layer`, the class that every layer and model derives from, and `InputSpec`.

A layer owns variables and says in `call` what it computes. Called on symbolic tensors it becomes a node of the graph;
called on arrays, or inside of another layer's `call`, it computes at once. In `call` the inputs always have values
(JAX's traced ones), and variables stand for the values that the open scope gives them.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import initializers, regularizers
from kjax import constraints as constraints_module
from kjax._core import arguments, config, graph, naming, scope
from kjax._core.graph import Node, Tensor, Variable
from kjax._core.registry import Registry

registry = Registry("layer")

Shape = Any  # a tuple of ints and None, or a list of such for layers of several inputs

_KNOWN = frozenset(
    ("input_shape", "batch_input_shape", "batch_size", "dtype", "name", "trainable", "weights", "input_dim",
     "input_length", "autocast", "dynamic", "input_dtype")
)  # fmt: skip


def to_list(x: Any) -> list[Any]:
    """`x` itself if it is a list, its items if a tuple, else a list of it alone."""
    return x if isinstance(x, list) else list(x) if type(x) is tuple else [x]


def unpack(x: Sequence[Any]) -> Any:
    """The item of a list of one; a longer list as it is."""
    return x[0] if len(x) == 1 else list(x)


def shape_of(x: Any) -> Shape:
    """The shape of a tensor or array as a tuple, or a list of shapes for a list of them."""
    return [shape_of(item) for item in x] if isinstance(x, (list, tuple)) else tuple(jnp.shape(x))  # type: ignore[arg-type]


class InputSpec:
    """What a layer asks of an input.

    Arguments:
        dtype: its type.
        shape: its shape, None where anything goes.
        ndim, max_ndim, min_ndim: its number of dimensions.
        axes: dimension by axis number.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def __repr__(self) -> str:
        said = {k: v for k, v in vars(self).items() if v not in (None, {})}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in said.items())})"

    def complaint(self, shape: Sequence[int | None]) -> str | None:
        """What is wrong with an input of this shape, or None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
                return f"expected axis {axis} of input shape to have value {size} but got shape {tuple(shape)}"
        if self.shape is not None and any(
            a is not None and b is not None and a != b for a, b in zip(self.shape, shape, strict=True)
        ):
            return f"expected shape={tuple(self.shape)}, found shape={tuple(shape)}"
        return None


class Layer:
    """A layer: variables, and the computation from inputs to outputs.

    A layer of one's own defines `__init__` (passing `**kwargs` on), `build(input_shape)` with `self.add_weight`,
    `call(inputs)`, and `get_config`; `compute_output_shape` is asked only for what shape inference leaves unknown.

    Arguments:
        name: unique in a model; counted up from the class name by default.
        trainable: whether its weights are trained.
        input_shape: shape of one sample, for the first layer of a `Sequential`.
        batch_input_shape: the same with the batch size (or None) in front.
        batch_size: the batch size, beside `input_shape`.
        input_dim: short for `input_shape=(input_dim,)`.
        dtype: type of its inputs and weights; `K.floatx()` by default.
        weights: list of arrays to start from.

    Attributes:
        input_spec: one `InputSpec` or a list of them, checked at every call.
        supports_masking: whether a mask is passed on.
        stateful: whether it keeps state between batches.
        activity_regularizer: penalty on its output, or None.

    Raises:
        TypeError: for an argument that is not understood.
    """

    _call_parameters: Mapping[str, inspect.Parameter]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            cls.__init__ = arguments.accepts_old_names(cls.__name__)(cls.__init__)
            registry.register(cls)
        parameters = inspect.signature(cls.call).parameters
        cls._call_parameters = dict(parameters)

    def __init__(self, **kwargs: Any) -> None:
        unknown = sorted(set(kwargs) - _KNOWN)
        if unknown:
            raise TypeError("Keyword argument not understood:", unknown[0])
        self.name: str = kwargs.get("name") or naming.unique_name(naming.to_snake_case(type(self).__name__))
        self.dtype: Any = kwargs.get("dtype")
        self.built = False
        self.input_spec: Any = None
        self.supports_masking = False
        self.stateful = False
        self._trainable: bool = bool(kwargs.get("trainable", True))
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []
        self._regularized: list[tuple[Variable, Callable[[Any], Any]]] = []
        self._losses: list[Tensor] = []
        self._updates: list[Any] = []
        self._sublayers: dict[str, list[Layer]] = {}
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        self._initial_weights = kwargs.get("weights")
        shape = _first_shape(kwargs)
        if shape is not None:
            self.batch_input_shape: tuple[int | None, ...] = shape
            self.dtype = self.dtype or config.floatx()

    def __setattr__(self, name: str, value: Any) -> None:
        sublayers = self.__dict__.get("_sublayers")
        if sublayers is not None:
            found = [v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, Layer)]
            if found:
                sublayers[name] = found
            else:
                sublayers.pop(name, None)
        super().__setattr__(name, value)

    # -- what subclasses override ------------------------------------------------------------------------------------

    def build(self, input_shape: Shape) -> None:
        """Create the weights, knowing the shape of the inputs (with the batch dimension)."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs. `inputs` are arrays; `mask` and `training` are passed if the signature names them."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs: by default that of the inputs, for a layer that supports masking.

        Raises:
            TypeError: if there is a mask and the layer does not support masking.
        """
        if self.supports_masking:
            return mask
        if mask is not None and any(m is not None for m in to_list(mask)):
            raise TypeError(
                f"Layer {self.name} does not support masking, but was passed an input_mask. Put it before the layer "
                "that makes the mask, or set `supports_masking` and define `compute_mask` in a layer of your own."
            )
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the outputs for inputs of `input_shape`. Found by tracing `call`."""
        tensors = [Tensor(shape, self.dtype) for shape in _list_of_shapes(input_shape)]
        with naming.scope(self.name):
            if not self.built:
                self.build(input_shape)
                self.built = True
        node = graph.make_node(self, (unpack(tensors),), {}, self.name)
        return unpack([tuple(output.shape) for output in node.outputs])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer (without its weights)."""
        base: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if hasattr(self, "batch_input_shape"):
            base["batch_input_shape"] = self.batch_input_shape
        if self.dtype is not None and hasattr(self, "batch_input_shape"):
            base["dtype"] = self.dtype
        return base

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A new layer from what `get_config` returned."""
        return cls(**config)

    # -- weights and losses ------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """Create a weight of the layer.

        Arguments:
            name: its name inside of the layer. (A shape is accepted in its place, as in later versions.)
            shape: its shape. A scalar if None.
            dtype: its type; the layer's by default.
            initializer: name, config or function of (shape, dtype); `glorot_uniform` by default.
            regularizer: penalty added to the loss, or None.
            trainable: whether an optimizer changes it.
            constraint: function applied after each update, or None.
        """
        if name is not None and not isinstance(name, str):
            name, shape = (shape if isinstance(shape, str) else None), name
        size = () if shape is None else tuple(int(d) for d in (shape if np.iterable(shape) else (shape,)))
        dtype = dtype or self.dtype or config.floatx()
        value = _initial_value(initializers.get(initializer or "glorot_uniform"), size, dtype)
        full_name = naming.scoped(name or naming.unique_name("weight")) + ":0"
        weight = Variable(value, dtype, full_name, trainable, constraints_module.get(constraint))
        if regularizer is not None:
            self._regularized.append((weight, regularizers.get(regularizer)))
        (self._trainable_weights if trainable else self._non_trainable_weights).append(weight)
        return weight

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars to the loss: values inside of `call`, symbolic tensors outside of it."""
        for loss in to_list(losses):
            opened = scope.current()
            if callable(loss):
                loss = loss()
            if opened is not None:
                opened.losses.append(loss)
            elif loss is not None:
                self._losses.append(loss)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Let variables take new values after each training step: pairs (variable, value)."""
        opened = scope.current()
        pairs = [updates] if type(updates) is tuple else to_list(updates)
        for update in pairs:
            if opened is not None and type(update) is tuple:
                opened.write(update[0], jnp.asarray(update[1], update[0].dtype))
            elif opened is None:
                self._updates.append(update)

    def _flatten(self) -> Iterable[Layer]:
        """The layer and all layers inside of it, each once."""
        seen: set[int] = set()
        stack: list[Layer] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                stack.extend(reversed(layer._children()))

    def _children(self) -> list[Layer]:
        return [layer for group in self._sublayers.values() for layer in group]

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._children():
            layer.trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that an optimizer changes; none if the layer is not trainable."""
        if not self.trainable:
            return []
        return _unique([*self._trainable_weights, *(w for c in self._children() for w in c.trainable_weights)])

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves to the layer itself; all of them if the layer is not trainable."""
        own = [] if self.trainable else self._trainable_weights
        inner = [w for c in self._children() for w in c.non_trainable_weights]
        return _unique([*own, *self._non_trainable_weights, *inner])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Variable]) -> None:
        self._non_trainable_weights = list(weights)

    @property
    def weights(self) -> list[Variable]:
        """All variables of the layer."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def losses(self) -> list[Any]:
        """Symbolic penalties of the weights, and what `add_loss` was given outside of `call`."""
        return [
            loss
            for layer in self._flatten()
            for loss in [*(graph.apply(r, w) for w, r in layer._regularized), *layer._losses]
        ]

    @property
    def updates(self) -> list[Any]:
        return [update for layer in self._flatten() for update in layer._updates]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Losses that depend on `inputs`; with None, those that depend on no input."""
        return [loss for loss in self.losses if bool(_leaves_of(loss)) != (inputs is None)]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of the weights."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give the weights new values, in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs. Nothing is changed then.
        """
        set_values(self.weights, list(weights), f'layer "{self.name}"')

    def count_params(self) -> int:
        """Number of scalars in the weights.

        Raises:
            RuntimeError: if the layer has not been built.
        """
        if not self.built:
            raise RuntimeError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You can build it "
                "manually via: `layer.build(batch_input_shape)`."
            )
        return sum(int(np.prod(w.shape)) for w in self.weights)

    # -- being called ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer: a symbolic output for symbolic inputs, an array for arrays.

        Raises:
            ValueError: if the inputs do not fit the layer.
        """
        self._prepare(inputs)
        if any(graph.is_symbolic(leaf) for leaf in jax.tree.leaves((inputs, args, kwargs))):
            return self._make_node(inputs, args, kwargs)
        return self._invoke(inputs, args, kwargs)

    def _prepare(self, inputs: Any) -> None:
        """Check the inputs and build the layer if this is its first call."""
        self.assert_input_compatibility(inputs)
        if self.built:
            return
        with naming.scope(self.name):
            self.build(shape_of(inputs))
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        self.assert_input_compatibility(inputs)

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Check the inputs against `input_spec`.

        Raises:
            ValueError: naming the layer, what was expected and what came.
        """
        if self.input_spec is None:
            return
        tensors, specs = to_list(inputs), to_list(self.input_spec)
        if len(tensors) != len(specs):
            raise ValueError(
                f"Layer {self.name} expects {len(specs)} inputs, but it received {len(tensors)} input tensors. "
                f"Input received: {inputs}"
            )
        for i, (tensor, spec) in enumerate(zip(tensors, specs, strict=True)):
            complaint = spec and spec.complaint(jnp.shape(tensor))
            if complaint:
                raise ValueError(f"Input {i} is incompatible with layer {self.name}: {complaint}")

    def _make_node(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = graph.make_node(self, (inputs, *args), kwargs, f"{self.name}/output")
        index = len(self._inbound_nodes)
        for i, output in enumerate(node.outputs):
            output._keras_history = (self, index, i)  # pyright: ignore[reportPrivateUsage]
        self._inbound_nodes.append(node)
        for tensor in node.inputs:
            if isinstance(tensor, Tensor) and tensor._keras_history:  # pyright: ignore[reportPrivateUsage]
                tensor._keras_history[0]._outbound_nodes.append(node)
        self._refine_shapes(inputs, node)
        return node.result

    def _refine_shapes(self, inputs: Any, node: Node) -> None:
        """Fill in what tracing leaves unknown from a `compute_output_shape` that a subclass defines."""
        if type(self).compute_output_shape is Layer.compute_output_shape or not any(
            None in output.shape[1:] for output in node.outputs
        ):
            return
        said = _list_of_shapes(self.compute_output_shape(shape_of(inputs)))
        for output, shape in zip(node.outputs, said, strict=False):
            if len(shape) == output.ndim:
                output.shape = graph.Shape(a if a is not None else b for a, b in zip(output.shape, shape, strict=True))

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        """Evaluate one node of the graph: outputs and their masks from inputs and theirs."""
        inputs, mask = args[0], masks[0]
        if isinstance(mask, tuple):
            mask = list(mask)
        if mask is not None and all(m is None for m in to_list(mask)):
            mask = None
        if mask is not None and "mask" in self._call_parameters and "mask" not in kwargs:
            kwargs = {**kwargs, "mask": mask}
        outputs = self._invoke(inputs, args[1:], kwargs)
        made = self.compute_mask(inputs, mask)
        return outputs, to_list(made)

    def _invoke(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `call` on values, with the learning phase filled in and the activity regularizer collected."""
        opened = scope.current()
        if opened is None:
            with scope.Scope(key=scope.fresh_key()):
                return self._invoke(inputs, args, kwargs)
        if "training" in self._call_parameters and kwargs.get("training") is None and not args:
            kwargs = {**kwargs, "training": opened.training}
        with naming.scope(self.name):
            outputs = self.call(inputs, *args, **kwargs)
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            opened.losses.extend(jnp.sum(regularizer(output)) for output in to_list(outputs))
        return outputs

    # -- inspecting how it was called --------------------------------------------------------------------------------

    def _at(self, index: int, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what}. Call it on an `Input`, "
                "or put it into a model."
            )
        if index >= len(self._inbound_nodes):
            raise ValueError(
                f"Asked to get {what} at node {index}, but the layer has only {len(self._inbound_nodes)} inbound nodes."
            )
        node = self._inbound_nodes[index]
        if what.startswith("output"):
            return unpack(node.outputs)
        return unpack([tensor for tensor in node.inputs if isinstance(tensor, Tensor)])

    def _only(self, what: str) -> Any:
        if len(self._inbound_nodes) > 1:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is ill-defined. '
                f"Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        return self._at(0, what)

    def get_input_at(self, node_index: int) -> Any:
        """The input tensor(s) of the layer's call number `node_index`, from 0 on."""
        return self._at(node_index, "input")

    def get_output_at(self, node_index: int) -> Any:
        """The output tensor(s) of the layer's call number `node_index`."""
        return self._at(node_index, "output")

    def get_input_shape_at(self, node_index: int) -> Shape:
        return shape_of(self._at(node_index, "input shape"))

    def get_output_shape_at(self, node_index: int) -> Shape:
        return shape_of(self._at(node_index, "output shape"))

    def get_input_mask_at(self, node_index: int) -> Any:
        return unpack([x.mask for x in to_list(self._at(node_index, "input mask"))])

    def get_output_mask_at(self, node_index: int) -> Any:
        return unpack([x.mask for x in to_list(self._at(node_index, "output mask"))])

    @property
    def input(self) -> Any:
        """The input tensor(s), if the layer was called once."""
        return self._only("input")

    @property
    def output(self) -> Any:
        """The output tensor(s), if the layer was called once."""
        return self._only("output")

    @property
    def input_mask(self) -> Any:
        return unpack([x.mask for x in to_list(self._only("input mask"))])

    @property
    def output_mask(self) -> Any:
        return unpack([x.mask for x in to_list(self._only("output mask"))])

    @property
    def input_shape(self) -> Shape:
        """The shape(s) of the input(s), the same for every call."""
        return self._same_shape("input shape")

    @property
    def output_shape(self) -> Shape:
        """The shape(s) of the output(s), the same for every call."""
        return self._same_shape("output shape")

    def _same_shape(self, what: str) -> Shape:
        shapes = [shape_of(self._at(i, what)) for i in range(max(1, len(self._inbound_nodes)))]
        if any(shape != shapes[0] for shape in shapes):
            raise AttributeError(
                f'The layer "{self.name}" has multiple inbound nodes with different {what}s. Hence the notion of '
                f'"{what}" is ill-defined for the layer. Use `get_{what.replace(" ", "_")}_at(node_index)` instead.'
            )
        return shapes[0]

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} '{self.name}'>"


Layer._call_parameters = types.MappingProxyType(dict(inspect.signature(Layer.call).parameters))


def set_values(variables: Sequence[Variable], values: Sequence[Any], owner: str) -> None:
    """Assign `values` to `variables`, all or none of them.

    Raises:
        ValueError: if their number or a shape differs.
    """
    if len(variables) != len(values):
        raise ValueError(
            f"You called `set_weights(weights)` on {owner} with a weight list of length {len(values)}, but it was "
            f"expecting {len(variables)} weights. Provided weights have shapes {[np.shape(v) for v in values]}, "
            f"expected {[tuple(v.shape) for v in variables]}."
        )
    arrays = [np.asarray(value) for value in values]
    for variable, array in zip(variables, arrays, strict=True):
        if array.shape != tuple(variable.shape):
            raise ValueError(
                f"Layer weight shape {tuple(variable.shape)} not compatible with provided weight shape {array.shape} "
                f"(weight '{variable.name}' of {owner})."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _first_shape(kwargs: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The batch input shape that a layer's keyword arguments tell, or None."""
    if kwargs.get("batch_input_shape") is not None:
        return tuple(kwargs["batch_input_shape"])
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        length = kwargs.get("input_length")
        shape = (kwargs["input_dim"],) if length is None else (length, kwargs["input_dim"])
    if shape is None:
        return None
    return (kwargs.get("batch_size"), *(shape if np.iterable(shape) else (shape,)))  # type: ignore[misc]


def _initial_value(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """Run an initializer outside of any trace, so that its value is an array and not a traced one."""
    with scope.suspended(), jax.ensure_compile_time_eval():
        try:
            value = initializer(shape, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            value = initializer(shape)
        if isinstance(value, Tensor):
            with scope.Scope(key=scope.fresh_key()):
                (value,), _ = graph.evaluate([value], {})
    return value.value if isinstance(value, Variable) else value


def _list_of_shapes(shape: Shape) -> list[Any]:
    return list(shape) if isinstance(shape, list) or (shape and isinstance(shape[0], (list, tuple))) else [shape]


def _unique(weights: Iterable[Variable]) -> list[Variable]:
    return list(dict.fromkeys(weights))


def _leaves_of(tensor: Any) -> bool:
    """Whether a tensor depends on something that is fed."""
    nodes = graph.topological([tensor])
    return any(isinstance(x, Tensor) and x.node is None for node in nodes for x in node.inputs)
