"""`InputSpec`, what a layer asks of an input; and the handling of lists and shapes that all layers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from kjax._core import dims

Shape = Any  # a tuple of ints and None, or a list of such for layers of several inputs


def to_list(x: Any, allow_tuple: bool = True) -> list[Any]:
    """`x` itself if it is a list, its items if a tuple and `allow_tuple`, else a list of it alone."""
    return x if isinstance(x, list) else list(x) if allow_tuple and type(x) is tuple else [x]


def unpack(x: Sequence[Any]) -> Any:
    """The item of a list of one; a longer list as it is."""
    return x[0] if len(x) == 1 else list(x)


def shape_of(x: Any) -> Shape:
    """The shape of a tensor or array as a tuple, or a list of shapes for a list of them."""
    if isinstance(x, dict):
        return {key: shape_of(item) for key, item in x.items()}
    return [shape_of(item) for item in x] if isinstance(x, (list, tuple)) else tuple(jnp.shape(x))  # type: ignore[arg-type]


def told_shapes(shapes: Any) -> Any:
    """What `shape_of` gives, with what TensorFlow's shapes can tell."""
    if isinstance(shapes, dict):
        return {key: told_shapes(item) for key, item in shapes.items()}
    return [told_shapes(item) for item in shapes] if isinstance(shapes, list) else dims.Shape(shapes)


def list_of_shapes(shape: Shape) -> list[Any]:
    """One shape as a list of it; a list of shapes as it is."""
    return list(shape) if isinstance(shape, list) or (shape and isinstance(shape[0], (list, tuple))) else [shape]


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
