"""Layers that make one tensor of several, and functions that apply them.

Element-wise ones broadcast: apart from the batch, lengths are equal or one of them is 1, and a tensor of
fewer axes gets axes of length 1 behind the batch. The output has the shape that the inputs broadcast to.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax import backend as K
from kjax._core import graph, operators
from kjax.engine._calls import handles_tensors
from kjax.engine.base_layer import Layer, shape_of
from kjax.layers._merging import all_of, as_list, broadcast, known_lengths, masks_of, spread, without


class _Merge(Layer):
    """What element-wise merging layers share: checks, broadcasting, masks. They define `_merge_function`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._lengths: list[tuple[int | None, ...]] | None = None

    def _merge_function(self, inputs: list[Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} merges layers, so it must define `_merge_function`.")

    def build(self, input_shape: Any) -> None:
        shapes = as_list(input_shape)
        if shapes is None:
            raise ValueError(f"A merge layer should be called on a list of inputs. Got the shape {input_shape}.")
        if len(shapes) < 2:
            raise ValueError(
                f"A merge layer should be called on a list of at least 2 inputs. Got {len(shapes)} inputs."
            )
        if len({shape[0] for shape in shapes} - {None}) > 1:
            raise ValueError(f"Can not merge tensors with different batch sizes. Got tensors with shapes : {shapes}")
        functools.reduce(broadcast, [tuple(shape[1:]) for shape in shapes])
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"A merge layer should be called on a list of inputs. Got {type(inputs).__name__}.")
        if len(inputs) < 2:
            raise ValueError(f"A merge layer should be called on a list of at least 2 inputs. Got {len(inputs)} input.")
        arrays = self._with_lengths([jnp.asarray(x) for x in inputs])
        functools.reduce(broadcast, [x.shape[1:] for x in arrays])
        rank = max(x.ndim for x in arrays)
        return self._merge_function([jnp.expand_dims(x, range(1, 1 + rank - x.ndim)) for x in arrays])

    @handles_tensors
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where every mask is; an input without a mask has no say."""
        masks = [m for m in self._with_lengths(masks_of(inputs, mask)) if m is not None]
        return graph.apply(all_of, masks) if masks else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [tuple(shape) for shape in input_shape]
        batch = {shape[0] for shape in shapes} - {None}
        rest = functools.reduce(broadcast, [shape[1:] for shape in shapes])
        return (batch.pop() if len(batch) == 1 else None, *rest)

    def _make_node(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # An unknown length that meets a known one is that length. Shape inference has to be told.
        self._lengths = known_lengths(shape_of(inputs))
        try:
            return super()._make_node(inputs, args, kwargs)
        finally:
            self._lengths = None

    def _with_lengths(self, arrays: list[Any]) -> list[Any]:
        """While shapes are inferred: stand-ins of the lengths that are known from the other inputs."""
        if self._lengths is None:
            return arrays
        return [
            None if x is None else jnp.zeros([b or a for a, b in zip(x.shape, lengths, strict=False)], x.dtype)
            for x, lengths in zip(arrays, self._lengths, strict=False)
        ]


class Add(_Merge):
    """Sum of the inputs.

    Input shape:
        A list of at least two tensors whose shapes broadcast to one.
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return functools.reduce(operators.add, inputs)


class Subtract(_Merge):
    """First input minus second input.

    Input shape:
        A list of two tensors whose shapes broadcast to one.

    Output shape:
        The shape that they broadcast to.

    Raises:
        ValueError: when built, if there are not exactly two.
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Got {len(input_shape)} inputs.")

    def _merge_function(self, inputs: list[Any]) -> Any:
        first, second = inputs
        return operators.subtract(first, second)


class Multiply(_Merge):
    """Product of the inputs, element by element.

    Input shape:
        A list of at least two tensors whose shapes broadcast to one.
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return functools.reduce(operators.multiply, inputs)


class Average(_Merge):
    """Mean of the inputs.

    Input shape:
        A list of at least two tensors whose shapes broadcast to one.
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return operators.divide(functools.reduce(operators.add, inputs), len(inputs))


class Maximum(_Merge):
    """Greatest of the inputs, element by element.

    Input shape:
        A list of at least two tensors whose shapes broadcast to one.
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return functools.reduce(K.maximum, inputs)


class Minimum(_Merge):
    """Smallest of the inputs, element by element.

    Input shape:
        A list of at least two tensors whose shapes broadcast to one.
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return functools.reduce(K.minimum, inputs)


class Concatenate(Layer):
    """Joins the inputs along an axis.

    Arguments:
        axis: the axis, counted with the batch.

    Input shape:
        A list of at least two tensors whose shapes differ along `axis` alone.

    Output shape:
        The same with the lengths along `axis` added up.

    Raises:
        ValueError: when built, for other shapes.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        shapes = as_list(input_shape)
        if shapes is None or len(shapes) < 2:
            raise ValueError(
                f"A `Concatenate` layer should be called on a list of at least 2 inputs. Got the shape {input_shape}."
            )
        if not all(-len(shape) <= self.axis < len(shape) for shape in shapes):
            raise ValueError(
                f"A `Concatenate` layer with axis={self.axis} requires inputs that have this axis. "
                f"Got inputs shapes: {shapes}"
            )
        if len({without(shape, self.axis) for shape in shapes}) > 1:
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. "
                f"Got inputs shapes: {shapes}"
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError("A `Concatenate` layer should be called on a list of at least 2 inputs.")
        return K.concatenate(inputs, axis=self.axis)

    @handles_tensors
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks joined like the inputs; where they have no such axis: true where all are."""
        masks = masks_of(inputs, mask)
        if all(m is None for m in masks):
            return None
        rank = len(jnp.shape(inputs[0]))
        needed = [x if m is None or len(jnp.shape(m)) < rank else None for m, x in zip(masks, inputs, strict=True)]
        return graph.apply(functools.partial(self._joined, rank), masks, needed)

    def _joined(self, rank: int, masks: list[Any], inputs: list[Any]) -> Any:
        # A mask says which steps count. What is joined behind its axes counts if all parts of a step do.
        own = min(rank - 1, max(jnp.ndim(m) for m in masks if m is not None))
        full = [spread(m, jnp.shape(m if x is None else x)) for m, x in zip(masks, inputs, strict=True)]
        return jnp.all(jnp.concatenate(full, self.axis), tuple(range(own, rank)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Dot(Layer):
    """Product of two tensors, sample by sample, summed over an axis of each.

    Arguments:
        axes: the axis of the first and that of the second input, or one number for both. The batch is axis 0.
        normalize: whether to divide by the norms along these axes first, which gives the cosine of the angle.

    Input shape:
        A list of two tensors that are equally long along `axes`.

    Output shape:
        The batch, the other axes of the first, the other axes of the second; (batch, 1) if there are none.

    Raises:
        TypeError: if `axes` is neither an int nor a list.
        ValueError: if it does not hold two ints; when built, if the inputs do not fit.
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Invalid type for `axes` - should be a list or an int. Found: {axes!r}")
            if len(axes) != 2:
                raise ValueError(f"Invalid format for `axes` - should contain two elements. Found: {axes!r}")
            if not all(isinstance(axis, int) for axis in axes):
                raise ValueError(f'Invalid format for `axes` - list elements should be "int". Found: {axes!r}')
        self.supports_masking = True
        self.axes = axes
        self.normalize = normalize

    def build(self, input_shape: Any) -> None:
        shapes = as_list(input_shape)
        if shapes is None or len(shapes) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Got the shape {input_shape}.")
        first, second = shapes
        a, b = self._axes_for(first, second)
        if first[a] != second[b]:
            raise ValueError(
                f"Dimension incompatibility {first[a]} != {second[b]}. Layer shapes: {first}, {second}. "
                f"`axes` is {self.axes}: the two axes that are summed over must be equally long."
            )
        self.built = True

    def _axes_for(self, first: Sequence[Any], second: Sequence[Any]) -> tuple[int, int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else tuple(self.axes)
        for axis, shape in zip(pair, (first, second), strict=True):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(
                    f"`axes` of Dot layer {self.name} is {self.axes}, but an input has the shape "
                    f"{tuple(shape)}. An axis must be from 1 to {len(shape) - 1}, or negative from the end."
                )
        return pair[0] % len(first), pair[1] % len(second)

    def call(self, inputs: Any) -> Any:
        first, second = inputs
        axes = self._axes_for(jnp.shape(first), jnp.shape(second))
        if self.normalize:
            first, second = (K.l2_normalize(x, axis=axis) for x, axis in zip(inputs, axes, strict=True))
        return K.batch_dot(first, second, axes)

    @handles_tensors
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the product has no axis that the masks speak of."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The sum of a list of tensors, by an `Add` layer that takes `kwargs`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The first tensor of a list minus the second, by a `Subtract` layer that takes `kwargs`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The product of a list of tensors, element by element, by a `Multiply` layer that takes `kwargs`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The mean of a list of tensors, by an `Average` layer that takes `kwargs`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The greatest of a list of tensors, element by element, by a `Maximum` layer that takes `kwargs`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The smallest of a list of tensors, element by element, by a `Minimum` layer that takes `kwargs`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors joined along an axis, by a `Concatenate` layer that takes `axis` and `kwargs`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> Any:
    """The product of two tensors, sample by sample, by a `Dot` layer that takes the other arguments."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
