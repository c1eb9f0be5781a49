"""Cross entropies."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import config, operators
from kjax.backend._ops import array, float_array, op
from kjax.backend.math import clip


def _to_last_axis(output: Any, axis: int) -> Any:
    if axis != -1 and axis not in range(output.ndim):
        raise ValueError(
            f"Unexpected channels axis {axis}. Expected to be -1 or one of the axes of `output`, "
            f"which has {output.ndim} dimensions."
        )
    return output if axis in (-1, output.ndim - 1) else jnp.moveaxis(output, axis, -1)


def _clipped(probabilities: Any) -> Any:
    return clip(probabilities, config.epsilon(), 1.0 - config.epsilon())


@op
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """`-sum(target * log(output))` over the classes.

    Probabilities are first divided by their sum and clipped.

    Arguments:
        target: probabilities of the classes, of the shape of `output`.
        output: what was predicted.
        from_logits: whether `output` is before a softmax, instead of probabilities.
        axis: the axis of the classes.

    Raises:
        ValueError: if `output` has no such axis.
    """
    output, target = float_array(output), array(target)
    target = target.astype(output.dtype)
    output, target = _to_last_axis(output, axis), _to_last_axis(target, axis)
    if from_logits:
        log = jax.nn.log_softmax(output)
    else:
        log = jnp.log(_clipped(output / jnp.sum(output, -1, keepdims=True)))
    return -jnp.sum(operators.multiply(target, log), -1)


@op
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross entropy for targets that are indices of classes.

    Probabilities are first clipped, then divided by their sum.

    Arguments:
        target: the right classes: integers, in any shape with one for each prediction.
        output: what was predicted.
        from_logits: whether `output` is before a softmax, instead of probabilities.
        axis: the axis of the classes in `output`.

    Raises:
        ValueError: if `output` has no such axis.
    """
    output = _to_last_axis(float_array(output), axis)
    logits = output if from_logits else jnp.log(_clipped(output))
    target = array(target).astype("int32").reshape((*output.shape[:-1], 1))
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), target, axis=-1)
    return -chosen[..., 0]


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-target * log(output) - (1 - target) * log(1 - output)`, elementwise. Probabilities are first clipped.

    Arguments:
        target: probabilities.
        output: what was predicted.
        from_logits: whether `output` is before a sigmoid, instead of probabilities.
    """
    x = float_array(output)
    target = array(target).astype(x.dtype)
    if not from_logits:
        p = _clipped(x)
        x = jnp.log(p / (1 - p))
    target, x = operators.align(target, x)
    # Not relu and abs: JAX's derivatives of the two at 0 do not add up to the right one.
    positive = x >= 0
    above, minus_size = jnp.where(positive, x, jnp.zeros_like(x)), jnp.where(positive, -x, x)
    return above - x * target + jnp.log1p(jnp.exp(minus_size))


@op
def binary_focal_crossentropy(
    target: Any,
    output: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:
    """`binary_crossentropy` of each entry, times `(1 - p) ** gamma` with p the probability of what is true.

    Arguments:
        target, output, from_logits: as for `binary_crossentropy`.
        apply_class_balancing: whether targets of 1 are weighted with `alpha`, and those of 0 with `1 - alpha`.
        alpha, gamma: see above.

    Reference: Lin et al., Focal Loss for Dense Object Detection, 2018.
    """
    target, output = float_array(target), float_array(output)
    p = jax.nn.sigmoid(output) if from_logits else output
    losses = (1.0 - (target * p + (1.0 - target) * (1.0 - p))) ** gamma
    losses = losses * binary_crossentropy(target, output, from_logits)
    return losses * (target * alpha + (1.0 - target) * (1.0 - alpha)) if apply_class_balancing else losses


@op
def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(alpha * (1 - output) ** gamma * target * log(output))` over the classes. Arguments: see above."""
    output = float_array(output)
    p = jax.nn.softmax(output, axis) if from_logits else output / jnp.sum(output, axis=axis, keepdims=True)
    p = array(_clipped(p))
    return jnp.sum(-alpha * (1.0 - p) ** gamma * float_array(target) * jnp.log(p), axis=axis)
