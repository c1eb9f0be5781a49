"""Activation functions: element-wise nonlinearities, and the softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from kjax import backend as K
from kjax._core import notices
from kjax._core.graph import apply
from kjax._core.registry import Registry
from kjax.backend._ops import float_array

# They keep mean 0 and variance 1 from layer to layer: https://arxiv.org/abs/1706.02515, equation 14.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

registry = Registry("activation function")


@registry.register
def softmax(x: Any, axis: int = -1) -> Any:
    """Normalized exponential: `exp(x) / sum(exp(x))` along an axis.

    Arguments:
        x: tensor of at least two dimensions.
        axis: the axis whose values shall add up to 1.

    Raises:
        ValueError: if `x` has fewer than two dimensions.
    """
    if K.ndim(x) < 2:
        raise ValueError(
            f"Cannot apply softmax to a tensor that is {K.ndim(x)}D: it needs a batch axis besides the one "
            f"that it normalizes. Received input: {x}"
        )
    return K.softmax(x, axis=axis)


@registry.register
def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit: `x` where positive, else `alpha * (exp(x) - 1)`.

    Reference: Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units,
    https://arxiv.org/abs/1511.07289
    """
    return K.elu(x, alpha)


@registry.register
def selu(x: Any) -> Any:
    """Scaled exponential linear unit: `1.0507 * elu(x, 1.6733)`. Meant for kernels drawn by `lecun_normal`.

    Reference: Klambauer et al., Self-Normalizing Neural Networks, https://arxiv.org/abs/1706.02515
    """
    return K.elu(x, SELU_ALPHA) * SELU_SCALE


@registry.register
def softplus(x: Any) -> Any:
    """Smooth rectifier: `log(exp(x) + 1)`."""
    return K.softplus(x)


@registry.register
def softsign(x: Any) -> Any:
    """`x / (abs(x) + 1)`."""
    return K.softsign(x)


@registry.register
def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified linear unit: `max(x, 0)` as it stands, and with its arguments

    `max_value` where `x >= max_value`, `x` where `threshold <= x < max_value`,
    `alpha * (x - threshold)` elsewhere.

    Arguments:
        x: tensor.
        alpha: slope below the threshold.
        max_value: where the function saturates; None: nowhere.
        threshold: below it the unit does not pass its input on.
    """
    return K.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)


@registry.register
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return K.tanh(x)


@registry.register
def sigmoid(x: Any) -> Any:
    """Logistic function: `1 / (1 + exp(-x))`."""
    return K.sigmoid(x)


@registry.register
def hard_sigmoid(x: Any) -> Any:
    """Piecewise linear stand-in for the sigmoid: `0.2 * x + 0.5`, held between 0 and 1.

    Today's Keras has a steeper one, `x / 6 + 0.5`.
    """
    return K.hard_sigmoid(x)


@registry.register
def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return K.exp(x)


@registry.register
def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit: `x * P(X <= x)` for a standard normal X.

    Arguments:
        x: tensor.
        approximate: whether the probability is that of a formula with `tanh`.

    Reference: Hendrycks and Gimpel, Gaussian Error Linear Units, https://arxiv.org/abs/1606.08415
    """
    return apply(_gelu, x, approximate)


def _gelu(x: Any, approximate: bool) -> Any:
    return jax.nn.gelu(float_array(x), approximate)


def swish(x: Any) -> Any:
    """`x * sigmoid(x)`.

    Reference: Ramachandran et al., Searching for Activation Functions, https://arxiv.org/abs/1710.05941
    """
    return x * K.sigmoid(x)


silu = registry.register(swish, "silu")


@registry.register
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`.

    Reference: Misra, Mish: A Self Regularized Non-Monotonic Neural Activation Function, 2019.
    """
    return x * K.tanh(K.softplus(x))


@registry.register
def linear(x: Any) -> Any:
    """`x` as it is."""
    return x


def serialize(activation: Callable[..., Any]) -> Any:
    """The name of an activation function."""
    return registry.serialize(activation)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation function of that name."""
    return registry.deserialize(name, custom_objects)


def get(identifier: Any) -> Callable[..., Any]:
    """The activation function meant by None (which is `linear`), a name, or a function or layer itself.

    Raises:
        ValueError: for an unknown name or something that cannot be called.
    """
    if hasattr(identifier, "get_input_at"):  # a layer
        notices.warn(
            f"Do not pass a layer instance (such as {type(identifier).__name__}) as the activation argument of another "
            "layer. Instead, advanced activation layers should be used just like any other layer in a model."
        )
    return linear if identifier is None else registry.get(identifier)
