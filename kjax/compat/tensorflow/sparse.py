"""`tf.sparse`: sparse tensors from dense ones, and back."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax._core.concrete import value_of
from kjax.backend._ops import array
from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._arguments import convert, dtype_name
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow._sparse import SparseTensor
from kjax.compat.tensorflow._sparse import sparse_tensor_dense_matmul as sparse_dense_matmul
from kjax.compat.tensorflow._sparse import sparse_tensor_to_dense as to_dense


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """What is not 0. How much there is depends on values."""

    def parts(x: Any) -> Any:
        places = np.argwhere(value_of(x) != 0)
        wide = dtype_name("int64")
        values = array(x)[tuple(places.T)]
        return jnp.asarray(places, wide), values, jnp.asarray(np.array(x.shape), wide)

    return SparseTensor(*node("DenseToSparse", parts, convert(tensor), name=name))


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The same tensor: the order of its places makes no difference here."""
    return sp_input


__all__ = ["SparseTensor", "from_dense", "reorder", "sparse_dense_matmul", "to_dense"]
__getattr__ = _missing.attribute("tensorflow.sparse", __all__)
