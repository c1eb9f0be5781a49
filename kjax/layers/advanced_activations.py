"""Activations that have parameters of their own, as layers."""

from __future__ import annotations

from typing import Any

from kjax import activations, constraints, initializers, regularizers
from kjax import backend as K
from kjax._core import operators
from kjax.engine.base_layer import InputSpec, Layer, to_list


class LeakyReLU(Layer):
    """Rectified linear unit that lets a share of the negative values through.

    `x` where `x >= 0`, else `alpha * x`.

    Arguments:
        alpha: slope below 0.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Reference: Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha = _as_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """Rectified linear unit whose slope below 0 is learned.

    `x` where `x >= 0`, else `alpha * x`, with one `alpha` for each value of a sample.

    Arguments:
        alpha_initializer: first values of `alpha`.
        alpha_regularizer: penalty of `alpha`, or None.
        alpha_constraint: function applied to `alpha` after each update, or None.
        shared_axes: axis or axes, counted from 1 without the batch, along which one `alpha` serves all.
            `[1, 2]` after a convolution of images (channels last) gives one for each channel.

    Input shape:
        Any, with every axis known that is not shared.

    Output shape:
        That of the input.

    Raises:
        ValueError: when built, for an unknown dimension or a shared axis that the input lacks.

    Reference: He et al., Delving Deep into Rectifiers, https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes: list[int] | None = None if shared_axes is None else to_list(shared_axes)

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        shared = self.shared_axes or []
        for axis in shared:
            if not 1 <= axis <= len(shape):
                raise ValueError(
                    f"PReLU layer {self.name} cannot share `alpha` along axis {axis}: its input has the "
                    f"shape {tuple(input_shape)}, so `shared_axes` may hold 1 to {len(shape)}."
                )
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"PReLU layer {self.name} needs one `alpha` for each value of a sample, but the input has "
                f"the shape {tuple(input_shape)}. Give the unknown axes a length, or share along them."
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        own = {i: input_shape[i] for i in range(1, len(input_shape)) if i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        below = operators.multiply(self.alpha.value, K.relu(-inputs))
        return operators.subtract(K.relu(inputs), below)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ELU(Layer):
    """Exponential linear unit: `x` where `x > 0`, else `alpha * (exp(x) - 1)`.

    Arguments:
        alpha: the negative of the limit for small `x`.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Reference: Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units,
    https://arxiv.org/abs/1511.07289
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha = _as_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class ThresholdedReLU(Layer):
    """Passes on what is greater than a threshold: `x` where `x > theta`, else 0.

    Arguments:
        theta: the threshold, at least 0.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Reference: Konda et al., Zero-bias Autoencoders and the Benefits of Co-adapting Features,
    https://arxiv.org/abs/1402.3337
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.theta = _as_floatx(theta)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs * K.cast(K.greater(inputs, self.theta), K.dtype(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}


class Softmax(Layer):
    """Normalized exponential: `exp(x) / sum(exp(x))` along an axis.

    Arguments:
        axis: the axis whose values shall add up to 1.

    Input shape:
        (batch, ...).

    Output shape:
        That of the input.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Softmax layer {self.name} normalizes axis {self.axis}, which an input of shape "
                f"{tuple(input_shape)} does not have. `axis` must be from {-rank} to {rank - 1}."
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.softmax(inputs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class ReLU(Layer):
    """Rectified linear unit: `max(x, 0)` as it stands, and with its arguments

    `max_value` where `x >= max_value`, `x` where `threshold <= x < max_value`,
    `negative_slope * (x - threshold)` elsewhere.

    Arguments:
        max_value: where the output saturates; None: nowhere.
        negative_slope: slope below the threshold.
        threshold: below it the unit does not pass its input on.

    Input shape:
        Any.

    Output shape:
        That of the input.

    Raises:
        ValueError: for a negative `max_value` or `negative_slope`.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope)):
            if value is not None and value < 0:
                raise ValueError(f"`{name}` of a ReLU layer cannot be a negative value. Found: {value}")
        self.supports_masking = True
        self.max_value = None if max_value is None else float(max_value)
        self.negative_slope = float(negative_slope)
        self.threshold = float(threshold)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


def _as_floatx(x: Any) -> float:
    """A number as the default float type rounds it, which is what Keras wrote into configs."""
    return float(K.cast_to_floatx(x))
