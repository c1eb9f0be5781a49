"""What a node tells of itself under the names that Keras's nodes had."""

from __future__ import annotations

from typing import Any

from kjax._core.tensors import Tensor


class Described:
    """Tensors, layers and shapes of one call of a layer. A base of `Node` alone."""

    op: Any
    inputs: list[Any]
    outputs: list[Tensor]

    @property
    def input_tensors(self) -> list[Tensor]:
        """The tensors that the layer was called on; those of an input layer are what it makes."""
        return [x for x in self.inputs if isinstance(x, Tensor)] or list(self.outputs)

    @property
    def output_tensors(self) -> list[Tensor]:
        return list(self.outputs)

    @property
    def input_masks(self) -> list[Any]:
        return [x.mask for x in self.input_tensors]

    @property
    def output_masks(self) -> list[Any]:
        return [x.mask for x in self.outputs]

    @property
    def input_shapes(self) -> list[Any]:
        return [tuple(x.shape) for x in self.input_tensors]

    @property
    def output_shapes(self) -> list[Any]:
        return [tuple(x.shape) for x in self.outputs]

    @property
    def outbound_layer(self) -> Any:
        """The layer that was called."""
        return self.op

    @property
    def _histories(self) -> list[Any]:
        return [x._keras_history for x in self.inputs if isinstance(x, Tensor) and x._keras_history]

    @property
    def inbound_layers(self) -> list[Any]:
        """The layers whose outputs it was called on."""
        return [history[0] for history in self._histories]

    @property
    def node_indices(self) -> list[int]:
        """Which call of each of `inbound_layers` is meant."""
        return [history[1] for history in self._histories]

    @property
    def tensor_indices(self) -> list[int]:
        """Which output of that call is meant."""
        return [history[2] for history in self._histories]

    def get_config(self) -> dict[str, Any]:
        """Names and numbers of what it connects."""
        return {
            "outbound_layer": getattr(self.op, "name", None),
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }
