"""What Keras's networks told of themselves beside the documented names, for programs that look inside."""

from __future__ import annotations

from typing import Any, cast

from kjax._core import graph, scope
from kjax._core.graph import Node, Tensor
from kjax.engine._spec import InputSpec, to_list, unpack


class Inner:
    """The graph of a network, by depth and by place. A base of `Network` alone."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    _order: list[Node]

    def _own(self) -> Any:
        return cast("Any", self)

    @property
    def input_spec(self) -> Any:
        """What each input has to look like."""
        specs = [InputSpec(shape=tuple(x.shape)) for x in self.inputs]
        return unpack(specs) if len(specs) == 1 and hasattr(self, "_stack") else specs or None

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        if value is not None:
            raise AttributeError("The `input_spec` of a model follows from its inputs.")

    @property
    def _feed_inputs(self) -> list[Tensor]:
        """The inputs that are fed: not those that have values of their own."""
        return [x for x in self.inputs if not x.known]

    @property
    def _feed_input_names(self) -> list[str]:
        return [x._keras_history[0].name for x in self._feed_inputs]

    @property
    def _feed_input_shapes(self) -> list[Any]:
        return [tuple(x.shape) for x in self._feed_inputs]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the outputs differ between training and testing."""
        return graph.uses_phase(self.outputs)

    @property
    def _is_graph_network(self) -> bool:
        return bool(self._order or self.inputs)

    @property
    def _layers(self) -> list[Any]:
        own = self._own()._graph_layers or self._own()._children()
        return list(dict.fromkeys([*self.input_layers, *own])) if hasattr(self, "_stack") else list(own)

    @property
    def input_layers(self) -> list[Any]:
        """The layers behind the inputs."""
        return [x._keras_history[0] for x in self.inputs]

    @property
    def output_layers(self) -> list[Any]:
        """The layers that make the outputs."""
        return [x._keras_history[0] for x in self.outputs]

    @property
    def _input_layers(self) -> list[Any]:
        return self.input_layers

    @property
    def _output_layers(self) -> list[Any]:
        return self.output_layers

    @property
    def _input_coordinates(self) -> list[Any]:
        return [x._keras_history for x in self.inputs]

    @property
    def _output_coordinates(self) -> list[Any]:
        return [x._keras_history for x in self.outputs]

    @property
    def nodes_by_depth(self) -> dict[int, list[Node]]:
        """Calls of layers, by the length of the longest way from them to an output."""
        depths: dict[Any, int] = {}
        of_layers: dict[Any, int] = {}  # a layer's calls are as deep as its deepest
        for node in reversed(self._order):
            depths[node] = depth = max(depths.get(node, 0), of_layers.get(node.op, 0))
            of_layers[node.op] = depth
            for x in node.inputs:
                if isinstance(x, Tensor):
                    source = x.node if x.node is not None and x not in self.inputs else x
                    depths[source] = max(depths.get(source, 0), depth + 1)
        found: dict[int, list[Node]] = {}
        for source, depth in depths.items():
            node = source if isinstance(source, Node) else source._keras_history[0]._inbound_nodes[0]
            found.setdefault(depth, []).append(node)
        return found

    @property
    def layers_by_depth(self) -> dict[int, list[Any]]:
        """Layers by depth, each once, at the depth of its deepest call."""
        found: dict[int, list[Any]] = {}
        placed: set[Any] = set()
        for depth, nodes in sorted(self.nodes_by_depth.items(), reverse=True):
            for node in nodes:
                if hasattr(node.op, "_inbound_nodes") and node.op not in placed:
                    placed.add(node.op)
                    found.setdefault(depth, []).append(node.op)
        return found

    @property
    def _nodes_by_depth(self) -> dict[int, list[Node]]:
        return self.nodes_by_depth

    @property
    def _layers_by_depth(self) -> dict[int, list[Any]]:
        return self.layers_by_depth

    @property
    def _network_nodes(self) -> set[str]:
        """Names of the calls: the layer's name and the number of its call."""
        nodes = [node for several in self.nodes_by_depth.values() for node in several]
        return {f"{n.op.name}_ib-{n.op._inbound_nodes.index(n)}" for n in nodes if hasattr(n.op, "_inbound_nodes")}

    @property
    def container_nodes(self) -> set[str]:
        """The name of `_network_nodes` until Keras 2.1."""
        return self._network_nodes

    def _set_inputs(self, inputs: Any, outputs: Any = None, training: Any = None) -> None:
        """Take these tensors as inputs, or arrays as examples of them, if the model has none.

        Raises:
            ValueError: if it has inputs.
        """
        if self.inputs:
            raise ValueError("Model inputs are already set.")
        listed = to_list(inputs)
        self.inputs = []
        if not all(isinstance(x, Tensor) for x in listed):
            self._own()._build_for(inputs)
        elif self._own()._graph_layers:
            self._own()._connect(listed, self.outputs)
        else:
            self._own()._build_from(listed)

    def run_internal_graph(self, inputs: Any, masks: Any = None) -> tuple[list[Any], list[Any], list[Any]]:
        """Outputs, their masks and their shapes for other inputs: tensors, or values inside of a program."""
        values = to_list(inputs)
        if scope.current() is not None:
            outputs, made = self._own()._evaluate(values, masks)
        else:
            node = graph.make_node(self, (unpack(values),), {}, self._own().name)
            outputs, made = list(node.outputs), [x.mask for x in node.outputs]
        return outputs, made, [tuple(x.shape) for x in outputs]
