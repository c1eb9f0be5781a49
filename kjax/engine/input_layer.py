"""`Input`, the symbolic tensor that a model is fed with, and the layer behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from kjax._core import config, graph, naming
from kjax._core.graph import Node, Tensor, Variable
from kjax._core.tensors import Constant
from kjax.engine.base_layer import Layer


class InputLayer(Layer):
    """The entry of a model: a layer without inputs whose output is fed.

    Arguments:
        input_shape: shape of one sample, without the batch dimension.
        batch_size: the batch size, if it is fixed.
        batch_input_shape: both in one, instead.
        dtype: type of the values; `K.floatx()` by default.
        input_tensor: an existing symbolic tensor to feed instead of a new one. A variable, or a tensor that depends on
            nothing that is fed, is the input by itself: the model is not fed here.
        name: the layer's name.

    Attributes:
        is_placeholder: whether the model has to be fed here.
    """

    def __init__(
        self,
        input_shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name or naming.unique_name("input"), dtype=dtype)
        if input_shape is not None and batch_input_shape is not None:
            raise ValueError("Only provide the input_shape OR batch_input_shape argument to InputLayer, not both.")
        if isinstance(input_tensor, (jax.Array, np.ndarray)):  # what `K.constant` gives
            input_tensor = Constant(input_tensor)
        if isinstance(input_tensor, Variable):
            if not input_tensor.initialized:  # one of TensorFlow 1, which Keras's session initialized
                input_tensor.hold(input_tensor.numpy())
            input_tensor = graph.apply(_as_it_is, input_tensor)
        if batch_input_shape is None and input_tensor is not None:
            batch_input_shape = tuple(input_tensor.shape)
        if batch_input_shape is None and input_shape is None:
            raise ValueError("An Input layer should be passed either a `batch_input_shape` or an `input_shape`.")
        if batch_input_shape is None and input_shape is not None:
            batch_input_shape = (batch_size, *input_shape)
        assert batch_input_shape is not None
        self.batch_input_shape = tuple(batch_input_shape)
        self.dtype = dtype or (input_tensor.dtype.name if input_tensor is not None else config.floatx())
        self.sparse = sparse
        self.supports_masking = True
        self.built = True
        tensor = input_tensor if input_tensor is not None else Tensor(self.batch_input_shape, self.dtype, self.name)
        tensor.sparse = tensor.sparse or sparse
        tensor._keras_history = (self, 0, 0)
        node = Node(self, (), {})
        node.outputs = [tensor]
        node.result = tensor
        self._inbound_nodes.append(node)
        self.tensor = tensor
        self.is_placeholder = not tensor.known

    def _at(self, index: int, what: str) -> Any:
        return self.tensor

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self.batch_input_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "name": self.name,
        }


def _as_it_is(x: Any) -> Any:
    return x


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    batch_size: int | None = None,
) -> Tensor:
    """A symbolic tensor to build a model from.

    Arguments:
        shape: shape of one sample, without the batch dimension; None where a dimension may vary.
        batch_shape: the same with the batch dimension, instead.
        name: name of the layer behind it; `input_1`, ... by default.
        dtype: type of the values; `K.floatx()` by default.
        sparse: whether it is fed with sparse matrices of scipy. They are made dense.
        tensor: an existing symbolic tensor to use instead of a new one. A model is not fed with what has a value
            already: a variable, `K.constant`, or a tensor made of them.
        batch_size: the batch size, beside `shape`, if it is fixed.

    Returns:
        The tensor, of shape `(batch_size, *shape)`.

    Raises:
        ValueError: if neither `shape` nor `batch_shape` is given.
    """
    if batch_shape is None and tensor is None:
        if shape is None:
            raise ValueError(
                "Please provide to Input either a `shape` or a `batch_shape` argument. "
                "Note that `shape` does not include the batch dimension."
            )
        batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
    layer = InputLayer(batch_input_shape=batch_shape, name=name, dtype=dtype, sparse=sparse, input_tensor=tensor)
    return layer.tensor
