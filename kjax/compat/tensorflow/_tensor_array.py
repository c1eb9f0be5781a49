"""`tf.TensorArray`: tensors of one shape by number, also as a variable of a loop."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow._arguments import convert, dtype_name, static
from kjax.compat.tensorflow._graph import node


class TensorArray:
    """Tensors by number. Each `write` gives a new one; the old one stays as it was.

    Arguments:
        dtype: type of the tensors.
        size: how many there are, which has to be known.
        dynamic_size: whether one of size 0 or 1 grows as it is written to. Then it does not run compiled.
        element_shape: their shape; that of the first that is written if None.
        Others are accepted and not used.
    """

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: Any = None, clear_after_read: Any = None,
        tensor_array_name: Any = None, handle: Any = None, flow: Any = None, infer_shape: bool = True,
        element_shape: Any = None, colocate_with_first_write_call: bool = True, name: Any = None,
    ) -> None:  # fmt: skip
        self.dtype, self._size = dtype_name(dtype), None if size is None else static(size)
        self._grows = bool(dynamic_size) and self._size in (None, 0, 1)
        self._rows: Any = None
        if element_shape is not None and None not in tuple(element_shape) and self._size is not None:
            self._rows = self._zeros(tuple(element_shape))

    def _zeros(self, shape: Any) -> Any:
        return node("zeros", lambda: jnp.zeros((self._length, *shape), self.dtype))

    @property
    def _length(self) -> int:
        if self._size is None and not self._grows:
            raise ValueError("A tf.TensorArray needs `size`, or `dynamic_size=True`.")
        return self._size or 0

    def _with(self, rows: Any) -> TensorArray:
        made = TensorArray(self.dtype, self._size, self._grows)
        made._rows = rows
        return made

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """One in which a tensor is replaced."""
        value, size, dtype, grows = convert(value), self._length, self.dtype, self._grows

        def written(rows: Any, index: Any, value: Any) -> Any:
            value = array(value).astype(dtype)
            rows = jnp.zeros((size, *value.shape), dtype) if rows is None else array(rows)
            if grows and (more := int(index) + 1 - len(rows)) > 0:
                rows = jnp.concatenate([rows, jnp.zeros((more, *value.shape), dtype)])
            return rows.at[array(index)].set(value)

        return self._with(node("TensorArrayWrite", written, self._rows, index, value, name=name))

    def read(self, index: Any, name: str | None = None) -> Any:
        """The tensor of a number."""
        return node("TensorArrayRead", lambda rows, i: array(rows)[array(i)], self.stack(), index, name=name)

    def stack(self, name: str | None = None) -> Any:
        """All of them as one tensor.

        Raises:
            ValueError: if nothing was written.
        """
        if self._rows is None:
            raise ValueError("Nothing was written to the tf.TensorArray.")
        return self._rows

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """Some of them as one tensor."""
        return node(
            "TensorArrayGather", lambda rows, i: array(rows)[array(i)], self.stack(), convert(indices), name=name
        )

    def concat(self, name: str | None = None) -> Any:
        """All of them, joined along their first axis."""
        return node("TensorArrayConcat", lambda x: array(x).reshape(-1, *x.shape[2:]), self.stack(), name=name)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """One that holds the rows of a tensor."""
        rows = convert(value, self.dtype)
        made = TensorArray(self.dtype, rows.shape[0])
        made._rows = rows
        return made

    def size(self, name: str | None = None) -> Any:
        """How many there are."""
        return convert(self._size)

    def identity(self) -> TensorArray:
        """The same."""
        return self

    def filled_for(self, written: TensorArray) -> TensorArray:
        """Zeros like what a loop writes to it, in the place of nothing."""
        rows = written.stack()
        if None in rows.shape:
            return self._with(node("zeros", lambda x: jnp.zeros_like(array(x)), rows))
        return self._with(self._zeros(tuple(rows.shape[1:])))


def _taken_apart(found: TensorArray) -> tuple[Any, Any]:
    return (found._rows,), (found.dtype, found._size, found._grows)


def _put_together(known: Any, rows: Any) -> TensorArray:
    made = object.__new__(TensorArray)
    (made.dtype, made._size, made._grows), (made._rows,) = known, rows
    return made


jax.tree_util.register_pytree_node(TensorArray, _taken_apart, _put_together)


def holds_nothing(x: Any) -> bool:
    """Whether `x` is one to which nothing was written."""
    return isinstance(x, TensorArray) and x._rows is None


def is_whole(x: Any) -> bool:
    """Whether a structure is not looked into here."""
    return isinstance(x, (Tensor, Variable, TensorArray))


__all__ = ["TensorArray"]
