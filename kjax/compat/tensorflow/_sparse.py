"""`tf.SparseTensor`: the places and the values of what is not 0, as three tensors."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.arrays import placeholder


class SparseTensorValue(NamedTuple):
    """The arrays of a sparse tensor."""

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor:
    """Places `(count, axes)`, values `(count,)`, and the shape that it would have if it were dense."""

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices, self.values, self.dense_shape = convert(indices), convert(values), convert(dense_shape)
        self.dtype = self.values.dtype
        self.graph = _graph.get_default_graph()

    def parts(self) -> list[Any]:
        """Its three tensors."""
        return [self.indices, self.values, self.dense_shape]

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """Its value in the session, or in the default one."""
        return SparseTensorValue(*_graph._session_for(session, "Tensor").run(self.parts(), feed_dict))


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor that is fed: with a `SparseTensorValue`, or a tuple of indices, values and shape."""
    axes = None if shape is None else len(shape)
    base = name or "Placeholder"
    return SparseTensor(
        placeholder("int64", [None, axes], f"{base}/indices"), placeholder(dtype, [None], f"{base}/values"),
        placeholder("int64", [axes], f"{base}/shape"),
    )  # fmt: skip


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = 0, validate_indices: bool = True, name: Any = None
) -> Any:
    """A dense tensor, of a shape that is known."""
    from kjax.compat.tensorflow._scatters import sparse_to_dense

    return sparse_to_dense(sp_input.indices, sp_input.dense_shape, sp_input.values, default_value, name=name)


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None
) -> Any:
    """The product of a sparse matrix, of any shape, with a dense one. `adjoint_a` needs a shape that is known."""

    def product(places: Any, values: Any, shape: Any, b: Any) -> Any:
        places, b = array(places).astype("int32"), array(b).T if adjoint_b else array(b)
        row, column = (places[:, 1], places[:, 0]) if adjoint_a else (places[:, 0], places[:, 1])
        length = int(shape[1 if adjoint_a else 0])
        return jnp.zeros((length, b.shape[1]), b.dtype).at[row].add(array(values)[:, None] * b[column])

    from kjax.compat.tensorflow._arguments import static

    shape = static(sp_a.dense_shape)
    return node("SparseTensorDenseMatMul", product, sp_a.indices, sp_a.values, shape, convert(b), name=name)


__all__ = [
    "SparseTensor", "SparseTensorValue", "sparse_placeholder", "sparse_tensor_dense_matmul", "sparse_tensor_to_dense",
]  # fmt: skip
