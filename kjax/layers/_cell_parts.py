"""What recurrent cells share: dropout masks that last for all time steps, biases, weights as arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax import initializers
from kjax._core import config, notices
from kjax._core.graph import Variable
from kjax.engine.base_layer import Layer
from kjax.layers import _roles

# Dropout masks of the input and of the state: one for each gate, or one for all; none while not training.
Masks = tuple[list[Any], list[Any]]


def roles_config(cell: Layer) -> dict[str, Any]:
    config = _roles.serialized(cell, "kernel", "recurrent", "bias")
    del config["activity_regularizer"]  # that is the layer's
    return config


PARTS = ("kernel", "recurrent_kernel", "bias", "input_bias", "recurrent_bias")  # weights with columns for each gate


def part(cell: Any, whole: str, columns: slice) -> Any:
    """Columns of a weight of a cell; None of a bias that it does not have."""
    if not whole.endswith("bias"):
        return getattr(cell, whole)[:, columns]
    if cell.bias is None or len(cell.bias.shape) == 1:
        return None if cell.bias is None or whole == "recurrent_bias" else cell.bias[columns]
    return cell.bias[1 if whole == "recurrent_bias" else 0, columns]  # `reset_after` has two rows


def value(weight: Any) -> Any:
    """The array that a weight stands for."""
    return weight.value if isinstance(weight, Variable) else jnp.asarray(weight)


def as_float(x: Any, dtype: Any) -> Any:
    """An array of floats: integers in the type of the weights."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(dtype)


def draw_masks(shape: Any, rate: float, count: int, training: Any) -> list[Any]:
    """`count` dropout masks; none where nothing is dropped."""
    phase = K.learning_phase() if training is None else training
    if not 0.0 < rate < 1.0 or (isinstance(phase, (bool, int)) and not phase):
        return []
    ones = jnp.ones(shape, config.floatx())
    return [K.in_train_phase(lambda: K.dropout(ones, rate), ones, phase) for _ in range(count)]


@contextlib.contextmanager
def shared_masks(cell: Any, shape: tuple[int, ...], state_shape: tuple[int, ...], training: Any) -> Generator[None]:
    """Let all cells inside of `cell` use the same dropout masks for as long as a `with` block lasts.

    Arguments:
        shape, state_shape: of the input of a step and of the first state of `cell`.
    """
    found: list[Any] = list(cell._flatten()) if isinstance(cell, Layer) else []
    drawing = [inner for inner in found if hasattr(type(inner), "draw_masks") and inner.built]
    for inner in drawing:
        inner._masks = inner.draw_masks(shape[0], training)
    of_images: Any = cell if hasattr(type(cell), "masks_of_images") else None
    if of_images is not None:
        of_images._masks = of_images.masks_of_images(shape, state_shape, training)
    try:
        yield
    finally:
        for inner in drawing:
            inner._masks = None
        if of_images is not None:
            of_images._masks = None


def add_forget_bias(layer: Any, parts: Sequence[int | None], units: int) -> Variable:
    """A bias that starts with ones for the forget gate, the part that is None, and as told elsewhere."""

    def initializer(shape: Sequence[int], dtype: Any = None) -> Any:
        ones = initializers.get("ones")
        pieces = [
            ones((units,), dtype=dtype) if size is None else layer.bias_initializer((size,), dtype=dtype)
            for size in parts
        ]
        return np.concatenate([np.asarray(piece) for piece in pieces])

    return layer.add_weight(
        name="bias",
        shape=(sum(units if size is None else size for size in parts),),
        initializer=initializer,
        regularizer=layer.bias_regularizer,
        constraint=layer.bias_constraint,
    )


def implementation_of(number: int) -> int:
    """The implementation to use: 0 became 1."""
    if number == 0:
        notices.warn(
            "`implementation=0` has been deprecated, and now defaults to `implementation=1`. "
            "Please update your layer call."
        )
        return 1
    return number
