"""The part of a layer that tells how it was called: its input and output tensors, shapes and masks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax

from kjax._core import graph, held, scope
from kjax._core.graph import Node, Tensor
from kjax.engine._spec import Shape, shape_of, to_list, unpack


class Calls:
    """Tensors of the calls of a layer. A base of `Layer` alone."""

    name: str
    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

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
    def inbound_nodes(self) -> list[Node]:
        """The layer's calls."""
        return self._inbound_nodes

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: Iterable[Node]) -> None:
        self._inbound_nodes = list(nodes)

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls of other layers on what this one makes. Programs that take a model's end off empty the list."""
        return self._outbound_nodes

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: Iterable[Node]) -> None:
        self._outbound_nodes = list(nodes)

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


def handles_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    """Say of a layer's `call` or `compute_mask` that it can itself be called on symbolic tensors."""
    method._handles_tensors = True  # type: ignore[attr-defined]
    return method


def takes_tensors(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a `call` or `compute_mask` that is written for arrays be called on symbolic tensors, outside of the model.

    Models call layers themselves. Some programs call `layer.call(x)` or `layer.compute_mask(x)`.
    """
    if getattr(method, "_handles_tensors", False):
        return method

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if scope.current() is None and any(graph.is_symbolic(leaf) for leaf in jax.tree.leaves((args, kwargs))):
            return graph.apply(functools.partial(method, self), *args, **kwargs)
        if ours and held.is_held((args, kwargs)):  # a step of the user's, given such values, calls a cell
            return held.holding(method(self, *held.released(args), **held.released(kwargs)))
        return method(self, *args, **kwargs)

    ours = method.__module__.startswith("kjax.")
    call._for_arrays = method  # type: ignore[attr-defined]
    return call
