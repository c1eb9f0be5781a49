"""`Network`: a graph of layers that is itself a layer. `Model` adds training to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from kjax._core import arguments, graph, scope
from kjax._core.graph import Node, Tensor, Variable
from kjax._core.registry import CustomObjectScope
from kjax._core.values import given_out
from kjax.engine import _config
from kjax.engine._calls import handles_tensors
from kjax.engine._inner import Inner
from kjax.engine._order import layers_in_order
from kjax.engine._saved import SavedMethods
from kjax.engine.base_layer import Layer, set_values, shape_of, unpack
from kjax.engine.input_layer import Input


class Network(Inner, SavedMethods, Layer):
    """A graph of layers between input and output tensors; or, subclassed, whatever `call` computes.

    Arguments:
        inputs: tensor or list of tensors made by `Input`.
        outputs: tensor or list of tensors that layers made of them.
        name: name of the model; `model_1`, ... by default.

    Raises:
        ValueError: if the outputs do not come from layers, or need something that is not among the inputs.
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.supports_masking = True
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.draws_randomly = False  # whether a program that tests or predicts draws random numbers
        self._order: list[Node] = []
        self._graph_layers: list[Layer] = []
        if inputs is not None:
            self._connect(_tensors(inputs), _tensors(outputs))

    # -- the graph ---------------------------------------------------------------------------------------------------

    def _connect(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Make the graph between `inputs` and `outputs` that of this network."""
        for tensor in outputs:
            if not isinstance(tensor, Tensor) or _history(tensor) is None:
                raise ValueError(
                    "Output tensors to a Model must be the output of a Keras `Layer` (thus holding past layer "
                    f"metadata). Found: {tensor!r}. Wrap the computation in a `Lambda` layer."
                )
        for tensor in inputs:
            if not isinstance(tensor, Tensor) or _history(tensor) is None:
                raise ValueError(f"Input tensors to a Model must come from `Input`. Found: {tensor!r}.")
        if len(set(inputs)) != len(inputs):
            raise ValueError(
                "The list of inputs passed to the model is redundant: all of them should only appear once. "
                f"Found: {inputs}"
            )
        order = graph.topological(outputs, inputs)
        self._check_connected(inputs, order, outputs)
        layers = layers_in_order(inputs, outputs, order)
        names = [layer.name for layer in layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f'The name "{name}" is used {names.count(name)} times in the model. '
                    "All layer names should be unique."
                )
        self.inputs, self.outputs, self._order, self._graph_layers = (
            list(inputs),
            list(outputs),
            order,
            layers,
        )
        self.built = True

    def _check_connected(self, inputs: Sequence[Tensor], order: Sequence[Node], outputs: Sequence[Tensor]) -> None:
        known: set[Any] = set(inputs)
        seen: list[str] = []
        needed = [(tensor, node) for node in order for tensor in node.inputs] + [(t, None) for t in outputs]
        for tensor, node in needed:
            source = tensor.masked if isinstance(tensor, Tensor) and tensor.masked is not None else tensor
            if isinstance(source, Tensor) and source.node is None and source not in known:
                history = _history(source)
                name = history[0].name if history else source.name
                raise ValueError(
                    f'Graph disconnected: cannot obtain value for tensor {source!r} at layer "{name}". '
                    f"The following previous layers were accessed without issue: {seen}"
                )
            if node is not None and isinstance(node.op, Layer) and node.op.name not in seen:
                seen.append(node.op.name)

    def _children(self) -> list[Layer]:
        return self._graph_layers or super()._children()

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first, each after those that it needs."""
        return self._children()

    @property
    def input_names(self) -> list[str]:
        """Names of the layers behind the inputs."""
        return [_history(tensor)[0].name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the layers that make the outputs, made unique if a layer makes several."""
        names = [_history(tensor)[0].name for tensor in self.outputs]
        return [
            name if names.count(name) == 1 or i == names.index(name) else f"{name}_{names[:i].count(name)}"
            for i, name in enumerate(names)
        ]

    @property
    def input(self) -> Any:
        return unpack(self.inputs) if self.inputs else super().input

    @property
    def output(self) -> Any:
        return unpack(self.outputs) if self.outputs else super().output

    @property
    def input_shape(self) -> Any:
        return unpack(shape_of(self.inputs)) if self.inputs else super().input_shape

    @property
    def output_shape(self) -> Any:
        return unpack(shape_of(self.outputs)) if self.outputs else super().output_shape

    @property
    def stateful(self) -> bool:  # type: ignore[override]  # derived from the layers
        return any(layer.stateful for layer in self._children())

    @stateful.setter
    def stateful(self, value: bool) -> None:
        if value:
            raise AttributeError("A model is stateful if one of its layers is; it cannot be set.")

    @property
    def state_updates(self) -> list[Any]:
        """Updates of the stateful layers."""
        return [update for layer in self._children() if layer.stateful for update in layer.updates]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer called `name`, or the one at place `index`.

        Raises:
            ValueError: if there is none, or neither is given.
        """
        layers = self.layers
        if index is not None:
            if index >= len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. The model's layers are: {[layer.name for layer in layers]}")

    def _at(self, index: int, what: str) -> Any:
        """As for a layer, where the first call of a network is that on its own inputs."""
        if not self.inputs or type(self).call is not Network.call:
            return super()._at(index, what)
        if index == 0:
            return unpack(self.outputs if what.startswith("output") else self.inputs)
        calls = 1 + len(self._inbound_nodes)
        if index >= calls:
            raise ValueError(f"Asked to get {what} at node {index}, but the model has only {calls} inbound nodes.")
        return super()._at(index - 1, what)

    # -- as a layer --------------------------------------------------------------------------------------------------

    @handles_tensors
    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """Compute the outputs of the graph. `training` sets the learning phase inside of it."""
        if scope.current() is None:
            return unpack(self.run_internal_graph(inputs, mask)[0])
        return unpack(self._evaluate(inputs, mask, training)[0])

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Check how many inputs there are. Of their shapes the layers inside judge: they may take others as well."""
        given = len(_tensors(inputs))
        if self.inputs and given != len(self.inputs):
            raise ValueError(
                f"Layer {self.name} expects {len(self.inputs)} inputs, but it received {given} input tensors. "
                f"Input received: {inputs}"
            )

    @handles_tensors
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs."""
        own_call = type(self).call is not Network.call  # its graph is a node of this very model
        if scope.current() is None and self.inputs:
            return unpack(self.run_internal_graph(inputs, mask)[1])
        return None if own_call or not self.inputs else unpack(self._evaluate(inputs, mask)[1])

    def _functions(self) -> list[Any]:
        return []  # its nodes keep those of their layers

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of `input_shape`, found by tracing."""
        return super().compute_output_shape(input_shape)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        if type(self).call is not Network.call:
            return super().run(args, kwargs, masks)
        outputs, made = self._evaluate(args[0], kwargs.get("mask", masks[0]), kwargs.get("training"))
        return unpack(outputs), made

    def _evaluate(self, inputs: Any, mask: Any, training: Any = None) -> tuple[list[Any], list[Any]]:
        values = _tensors(inputs)
        if len(values) != len(self.inputs):
            raise ValueError(f"Model {self.name} expects {len(self.inputs)} inputs, but it received {len(values)}.")
        masks = dict(zip(self.inputs, _tensors(mask), strict=True)) if mask is not None else {}
        opened = scope.current()
        assert opened is not None, "a network is evaluated in a program"
        # Its layers are called anew, in the phase of this call.
        with opened.inside(frozen=not (self.trainable or self.stateful), training=training, follows=True):
            return graph.evaluate(self.outputs, dict(zip(self.inputs, values, strict=True)), masks, self._order)

    def _build_from(self, inputs: Sequence[Tensor]) -> None:
        """Build a subclassed model, whose graph is the one node of its own `call`."""
        self.built = self.built or type(self).build is Network.build  # which would come back here
        outputs = self(unpack(list(inputs)))
        self.inputs, self.outputs = list(inputs), _tensors(outputs)
        self._order = graph.topological(self.outputs, self.inputs)
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Build a model whose input shape was not known: `input_shape` with the batch dimension, or a list of such."""
        if self.inputs or self.built or input_shape is None:
            self.built = True
            return
        if type(self).call is Network.call:
            raise NotImplementedError(f"Model {self.name} has neither a graph nor a `call` of its own.")
        self.built = True
        shapes = [input_shape] if not isinstance(input_shape, list) else input_shape
        self._build_from([Input(batch_shape=tuple(shape)) for shape in shapes])

    def reset_states(self) -> None:
        """Set the states of the stateful layers to zeros."""
        for layer in self._children():
            if hasattr(layer, "reset_states") and (layer.stateful or isinstance(layer, Network)):
                layer.reset_states()  # type: ignore[attr-defined]  # asked for in the line above

    # -- weights -----------------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        # Keras's models keep the flag to themselves: their layers keep theirs.
        self._trainable = bool(value)

    @property
    def non_trainable_weights(self) -> list[Variable]:  # type: ignore[override]  # a model's are not set
        children = self._children()
        inner = [w for layer in children for w in layer.non_trainable_weights]
        if not self.trainable:
            inner = [*(w for layer in children for w in layer.trainable_weights), *inner]
        return list(dict.fromkeys([*inner, *self._non_trainable_weights]))

    def _weights_by_layer(self) -> list[Variable]:
        """The weights as Keras saves them: layer by layer."""
        own = [*self._trainable_weights, *self._non_trainable_weights]
        return list(dict.fromkeys([*(w for layer in self._children() for w in layer.weights), *own]))

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of all weights, layer by layer."""
        return given_out([w.numpy() for w in self._weights_by_layer()])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give all weights new values, in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs. Nothing is changed then.
        """
        set_values(self._weights_by_layer(), list(weights), f'model "{self.name}"')

    # -- config ------------------------------------------------------------------------------------------------------

    @arguments.accepts_old_names("Model.get_config")
    def get_config(self) -> dict[str, Any]:
        """Layers and connections, enough for `from_config` to make the same architecture."""
        if not self._graph_layers:
            raise NotImplementedError(f"Model {self.name} computes in `call` and has no config. Define `get_config`.")
        return _config.network_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A new model from what `get_config` returned."""
        with CustomObjectScope(custom_objects or {}):
            inputs, outputs, name = _config.network_from_config(config)
        return cls(inputs=unpack(inputs), outputs=unpack(outputs), name=name)

    def summary(
        self, line_length: int | None = None, positions: Sequence[float] | None = None, print_fn: Any = None
    ) -> None:
        """Print a table of the layers: name and type, shape of the output, number of parameters.

        Arguments:
            line_length: width of the table in characters.
            positions: ends of the columns, as fractions of the width.
            print_fn: called with each line instead of `print`.

        Raises:
            ValueError: if the model has not been built.
        """
        from kjax.engine._summary import print_summary

        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling build() or calling fit() with "
                "some data. Or specify input_shape or batch_input_shape in the first layer for automatic build."
            )
        print_summary(self, line_length, positions, print_fn)


def _tensors(x: Any) -> list[Any]:
    return list(jax.tree.leaves(x, is_leaf=lambda leaf: leaf is None)) if isinstance(x, (list, tuple, dict)) else [x]


def _history(tensor: Tensor) -> Any:
    return tensor._keras_history


def nested_layers(layers: Iterable[Layer]) -> Iterable[Layer]:
    """All layers inside of `layers`, models opened."""
    for layer in layers:
        if isinstance(layer, Network):
            yield from nested_layers(layer.layers)
        else:
            yield layer
