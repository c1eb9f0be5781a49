"""A dense layer whose product is written as an equation of axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from kjax import activations, regularizers
from kjax import backend as K
from kjax._core import operators
from kjax.engine.base_layer import Layer
from kjax.layers import _roles

_EQUATION = re.compile(r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)(\.{3})?")


class EinsumDense(Layer):
    """`activation(einsum(equation, x, kernel) + bias)`: `'abc,cd->abd'` is a `Dense` layer for inputs of three axes.

    Arguments:
        equation: letters of the axes of the input and of the kernel, and of the output. Each letter of the kernel
            is one of the input or of the output. `...` before or behind those of the input, and at the same end of
            the output, stands for axes that are kept.
        output_shape: shape of the output without the batch, None for a length that the input has too; without the
            axes of `...`.
        activation: name or function; None for the identity.
        bias_axes: letters of the output's axes along which there is a bias; None for no bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties of weights and output.
        kernel_constraint, bias_constraint: functions applied to the weights after each update.

    Raises:
        ValueError: when built, for another kind of equation, or one that does not fit the shapes.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        _roles.take(
            self,
            kernel=(kernel_initializer, kernel_regularizer, kernel_constraint),
            bias=(bias_initializer, bias_regularizer, bias_constraint),
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def build(self, input_shape: Any) -> None:
        kernel, bias = shapes(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape)
        self.kernel = _roles.add(self, "kernel", kernel)
        self.bias = None if bias is None else _roles.add(self, "bias", bias)
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs)
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(K.floatx())
        outputs = jnp.einsum(self.equation, x, self.kernel.value.astype(x.dtype))
        if self.bias is not None:
            outputs = operators.add(outputs, self.bias.value.astype(x.dtype))
        return self.activation(outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None, as in tf.keras: the axes of the output may be others."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            **_roles.serialized(self, "kernel", "bias"),
        }


def shapes(
    equation: str, bias_axes: str | None, given: Sequence[Any], wanted: Sequence[Any]
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """The shapes of kernel and bias that an equation asks for.

    Arguments:
        equation, bias_axes: see `EinsumDense`.
        given: shape of the input, with the batch.
        wanted: shape of the output, without the batch.
    """
    parts = _EQUATION.fullmatch(equation.replace(" ", ""))
    if parts is None or (parts[1] or "", parts[3] or "") != (parts[5] or "", parts[7] or "") or (parts[1] and parts[3]):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], "
            "or [X]...,[Y]->[Z]...."
        )
    first, kernel, result = parts[2], parts[4], parts[6]
    lengths = _lengths(first, given, bool(parts[1]))
    # Where the left axes are the kept ones, the batch is among them.
    full: Sequence[Any] = wanted if parts[1] else (given[0], *wanted)
    made = dict(zip(result, full, strict=False))
    if len(full) < len(result) or len(given) < len(first):
        raise ValueError(f"The equation '{equation}' needs more axes than input {given} and output {wanted} have.")
    for axis, length in made.items():
        if length is not None and lengths.get(axis) not in (None, length):
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{axis}' of '{equation}'. Input shape "
                f"is {lengths[axis]}, and output shape is {length}."
            )
    lengths = {**{axis: length for axis, length in made.items() if axis not in lengths}, **lengths}
    unknown = [axis for axis in kernel if lengths.get(axis) is None]
    if unknown:
        raise ValueError(
            f"Weight dimension '{unknown[0]}' of '{equation}' has no length: it must be an axis of the input {given} "
            f"or of the output {tuple(wanted)} whose length is known."
        )
    behind = len(given) - len(first) if parts[3] else 0
    return tuple(lengths[axis] for axis in kernel), _bias_shape(result, {**made, **lengths}, bias_axes, behind)


def _lengths(letters: str, given: Sequence[Any], from_right: bool) -> dict[str, Any]:
    """The length of each axis of the input by its letter."""
    return dict(zip(letters, given[-len(letters) :] if from_right else given, strict=False))


def _bias_shape(result: str, lengths: dict[str, Any], bias_axes: str | None, behind: int) -> tuple[int, ...] | None:
    if not bias_axes:
        return None
    missing = [axis for axis in bias_axes if axis not in result]
    if missing:
        raise ValueError(f"Bias dimension '{missing[0]}' was requested, but is not part of the output spec '{result}'")
    first = min(map(result.index, bias_axes))
    return (*(lengths[axis] if axis in bias_axes else 1 for axis in result[first:]), *(1,) * behind)
