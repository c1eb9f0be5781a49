"""`Layer`, the class that every layer and model derives from, and `InputSpec`.

A layer owns variables and says in `call` what it computes. Called on symbolic tensors it becomes a node of the graph;
called on arrays, or inside of another layer's `call`, it computes at once. In `call` the inputs always have values
(JAX's traced ones), and variables stand for the values that the open scope gives them.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import aliases, arguments, config, graph, held, naming, scope, tensors
from kjax._core.frozen import frozen
from kjax._core.graph import Node, Tensor, Variable
from kjax._core.registry import Registry
from kjax.backend.phase import fixed_phase
from kjax.engine import _told
from kjax.engine._added import Measures
from kjax.engine._calls import Calls, takes_tensors
from kjax.engine._spec import InputSpec, Shape, list_of_shapes, shape_of, to_list, told_shapes, unpack
from kjax.engine._weights import Weights, set_values


def _is_layer(found: type[Any]) -> bool:
    # Cells of one's own need not be layers.
    return issubclass(found, Layer) or all(hasattr(found, name) for name in ("call", "get_config"))


registry = Registry("layer", accepts=_is_layer)

_KNOWN = frozenset(
    ("input_shape", "batch_input_shape", "batch_size", "dtype", "name", "trainable", "weights", "input_dim",
     "input_length", "autocast", "dynamic", "input_dtype")
)  # fmt: skip


_LISTS = {"_trainable_weights", "_non_trainable_weights"}


class Layer(Weights, Measures, Calls):
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
    trains_by_hand = False  # whether it acts as while training where it is called on arrays, outside of any program

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            for name in {"call", "compute_mask"} & set(vars(cls)):
                setattr(cls, name, takes_tensors(vars(cls)[name]))
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
        # As in Keras 1, what a layer of one's own said of itself before it called this stays.
        before = vars(self)
        self.input_spec: Any = before.get("input_spec")
        self.supports_masking: bool = before.get("supports_masking", False)
        self.stateful = before.get("stateful", False)
        self._trainable: bool = bool(kwargs.get("trainable", True))
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []
        self._regularized: list[tuple[Variable, Callable[[Any], Any]]] = []
        self._losses: list[Tensor] = []
        self._loss_inputs: list[Any] = []
        self._updates: list[Any] = []
        self._update_inputs: list[Any] = []
        self._sublayers: dict[str, list[Layer]] = {}
        for name, value in list(before.items()):
            self._note_parts(name, value)
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        self._initial_weights = kwargs.get("weights")
        shape = _first_shape(kwargs)
        if shape is not None:
            self.batch_input_shape: tuple[int | None, ...] = shape
            self.dtype = self.dtype or config.floatx()

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sublayers" in self.__dict__:
            self._note_parts(name, value)
            _told.note(self, name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        # Asked only for what the layer does not have; or a property of its own raised an AttributeError, which is told.
        if isinstance(own := getattr(type(self), name, None), property):
            return own.__get__(self)
        return _told.find(self, name)

    def _note_parts(self, name: str, value: Any) -> None:
        """Take layers that became an attribute as parts of this one, and variables of `tf` as its weights."""
        values = value if isinstance(value, (list, tuple)) else [value]
        found = [v for v in values if isinstance(v, Layer)]
        if found:
            self._sublayers[name] = found
        else:
            self._sublayers.pop(name, None)
        if name in _LISTS:
            return
        for variable in values:
            if isinstance(variable, Variable) and variable.becomes_weight():
                listed = self._trainable_weights if variable.trainable else self._non_trainable_weights
                listed.append(variable)

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
            TypeError: if there is a mask and the layer does not support masking. (In tf.keras the mask ended there.)
        """
        if self.supports_masking:
            return mask
        if mask is not None and any(m is not None for m in to_list(mask)) and not aliases.only_tf_keras():
            raise TypeError(
                f"Layer {self.name} does not support masking, but was passed an input_mask. Put it before the layer "
                "that makes the mask, or set `supports_masking` and define `compute_mask` in a layer of your own."
            )
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the outputs for inputs of `input_shape`. Found by tracing `call`."""
        tensors = [Tensor(shape, self.dtype) for shape in list_of_shapes(input_shape)]
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

    # -- being called ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer: a symbolic output for symbolic inputs, an array for arrays.

        Raises:
            ValueError: if the inputs do not fit the layer.
        """
        self._prepare(inputs)
        if any(graph.is_symbolic(leaf) for leaf in jax.tree.leaves((inputs, args, kwargs))):
            return self._make_node(inputs, args, kwargs)
        if held.is_held((inputs, args, kwargs)):
            return held.holding(self._invoke(*held.released((inputs, args, kwargs))))
        return self._invoke(inputs, args, kwargs)

    def _prepare(self, inputs: Any) -> None:
        """Check the inputs and build the layer if this is its first call."""
        self.assert_input_compatibility(inputs)
        if self.built:
            return
        with naming.scope(self.name):
            shapes = shape_of(inputs)
            # Layers of tf.keras's users ask it for `as_list()`, and its dimensions for their `value`.
            self.build(shapes if type(self).__module__.startswith("kjax.") else told_shapes(shapes))
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
        node = self._new_node(inputs, args, kwargs)
        node.phase = fixed_phase()
        held_functions = ((owner, key, frozen(f), f) for owner, key, f in self._functions())
        node.frozen = tuple((owner, key, now) for owner, key, now, live in held_functions if now is not live)
        index = len(self._inbound_nodes)
        for i, output in enumerate(node.outputs):
            output._keras_history = (self, index, i)
        self._inbound_nodes.append(node)
        for tensor in node.inputs:
            if isinstance(tensor, Tensor) and tensor._keras_history:
                tensor._keras_history[0]._outbound_nodes.append(node)
        self._refine_shapes(inputs, node)
        return unpack(node.result) if isinstance(node.result, list) else node.result

    def _new_node(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Node:
        """A node with the shapes that tracing tells; where it cannot, those of the user's `compute_output_shape`."""
        name = f"{self.name}/output"
        try:
            return graph.make_node(self, (inputs, *args), kwargs, name)
        except (IndexError, TypeError, ValueError):
            unknown = any(None in tensor.shape[1:] for tensor in to_list(inputs))
            if not unknown or type(self).compute_output_shape.__module__.startswith("kjax."):
                raise
            said = list_of_shapes(self.compute_output_shape(shape_of(inputs)))
            return graph.node_of_shapes(self, (inputs, *args), kwargs, name, said, config.floatx())

    def _functions(self) -> list[Any]:
        """The functions among the attributes of this layer and of those in it: (layer, attribute, function)."""
        own = [(self, key, value) for key, value in vars(self).items() if isinstance(value, types.FunctionType)]
        return own + [f for layers in self._sublayers.values() for layer in layers for f in layer._functions()]

    def _refine_shapes(self, inputs: Any, node: Node) -> None:
        """Fill in what tracing leaves unknown from a `compute_output_shape` that a subclass defines."""
        if type(self).compute_output_shape is Layer.compute_output_shape or not any(
            None in output.shape[1:] for output in node.outputs
        ):
            return
        said = list_of_shapes(self.compute_output_shape(shape_of(inputs)))
        for output, shape in zip(node.outputs, said, strict=False):
            if len(shape) == output.ndim:
                known = (b if a is None else a for a, b in zip(output.shape, shape, strict=True))
                output.shape = tensors.Shape(known)

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
        # One that says nothing of masks says it of all outputs.
        return outputs, [] if made is None else jax.tree.leaves(to_list(made), is_leaf=lambda m: m is None)

    def _invoke(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run `call` on values, with the learning phase filled in and the activity regularizer collected."""
        opened = scope.current()
        if opened is None:
            inputs, args, kwargs = jax.tree.map(_as_device_array, (inputs, args, kwargs))
            with scope.Scope(key=scope.fresh_key(), undecided=kwargs.get("training") is None):
                return self._invoke(inputs, args, kwargs)
        if "training" in self._call_parameters and kwargs.get("training") is None and not args:
            kwargs = {**kwargs, "training": opened.training or (opened.undecided and self.trains_by_hand)}
        # As in Keras 2, what a frozen layer would update stays as it is.
        with naming.scope(self.name), opened.inside(frozen=not (self.trainable or self.stateful)):
            outputs = jax.tree.map(_value_of, held.called(self.call, inputs, *args, **kwargs))
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            self.penalizes = True
            opened.losses.extend(jnp.sum(regularizer(output)) for output in to_list(outputs))
        return outputs

    def call_on_tensors(self, *args: Any, **kwargs: Any) -> Any:
        """Run `call` itself on symbolic tensors: see `scope.NeedsGraph`."""
        method = type(self).call
        return getattr(method, "_for_arrays", method)(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} '{self.name}'>"


def _value_of(output: Any) -> Any:
    """What a call returned: a layer may return a weight of its own, or a tensor that was made in `build`."""
    return graph.value_here(output) if isinstance(output, Variable) or getattr(output, "known", False) else output


Layer._call_parameters = types.MappingProxyType(dict(inspect.signature(Layer.call).parameters))


def _as_device_array(x: Any) -> Any:
    """A host array as the layer's `call` expects it; anything else as it is."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return x
    return jnp.asarray(x, config.floatx() if x.dtype.kind == "f" else jax.dtypes.canonicalize_dtype(x.dtype))


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


__all__ = ["InputSpec", "Layer", "registry", "set_values", "shape_of", "to_list", "unpack"]
