"""What MobileNet and MobileNetV2 share: sizes for which there are weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from kjax import backend as K
from kjax.applications import _frame


def default_size(input_shape: Any, input_tensor: Any, sizes: Sequence[int]) -> int:
    """The size that the user's image has, if there are weights for it, else 224."""
    if input_shape is None and input_tensor is not None:
        input_shape = K.int_shape(input_tensor)[1:]
    if input_shape is None or len(input_shape) != 3:
        return 224
    rows, columns = input_shape[:2] if _frame.channels() == 3 else input_shape[1:]
    return rows if rows == columns and rows in sizes else 224


def rows_of(start: Any, asked: _frame.Wishes, alpha: float, depth_multiplier: int, table: Any) -> int | None:
    """Height of the images, as the model's name and that of its weights have it.

    Arguments:
        table: the values of `alpha` and the sizes for which there are weights.

    Raises:
        ValueError: if ImageNet weights are asked for where there are none.
    """
    alphas, sizes = table
    shape = K.int_shape(start)[1:]
    rows, columns = shape[:2] if _frame.channels() == 3 else shape[1:]
    if asked.weights != "imagenet":
        return rows
    if depth_multiplier != 1:
        raise ValueError(f"If imagenet weights are being loaded, depth multiplier must be 1. Found: {depth_multiplier}")
    if alpha not in alphas:
        raise ValueError(f"If imagenet weights are being loaded, alpha can be one of {alphas} only. Found: {alpha}")
    if rows == columns and rows in sizes:
        return rows
    if rows is not None:
        raise ValueError(
            "If imagenet weights are being loaded, input must have a static square shape of one of the sizes "
            f"{tuple(sizes)}. Input shape provided = {shape}"
        )
    warnings.warn("MobileNet shape is undefined. Weights for input shape (224, 224) will be loaded.", stacklevel=3)
    return 224
