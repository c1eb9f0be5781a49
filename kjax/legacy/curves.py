"""Activations that Keras 2 dropped: `ParametricSoftplus`, `SReLU` and `ThresholdedLinear`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kjax import backend as K
from kjax import initializers, layers
from kjax.engine.base_layer import Layer, registry
from kjax.layers import advanced_activations


class _Curve(Layer):
    """What both share: a weight for each feature, those along `shared_axes` shared."""

    def __init__(self, weights: Any, shared_axes: Any, **kwargs: Any) -> None:
        super().__init__(weights=weights, **kwargs)
        self.supports_masking = True
        shared = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes: Sequence[int] | None = None if shared is None else list(shared)

    def _add(self, name: str, input_shape: Any, initializer: Any) -> Any:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        return self.add_weight(name, tuple(shape), initializer=initializer)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shared_axes": self.shared_axes}


class ParametricSoftplus(_Curve):
    """`alpha * log(1 + exp(beta * x))` with weights alpha and beta.

    Arguments:
        alpha_init, beta_init: their first values.
        weights: `[alpha, beta]` to start from.
        shared_axes: axes along which they are shared.
    """

    def __init__(
        self,
        alpha_init: float = 0.2,
        beta_init: float = 5.0,
        weights: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(weights, shared_axes, **kwargs)
        self.alpha_init = float(alpha_init)
        self.beta_init = float(beta_init)

    def build(self, input_shape: Any) -> None:
        self.alphas = self._add("alphas", input_shape, initializers.Constant(self.alpha_init))
        self.betas = self._add("betas", input_shape, initializers.Constant(self.beta_init))
        self.built = True

    def call(self, x: Any, mask: Any = None) -> Any:
        return K.softplus(K.expand_dims(self.betas, 0) * x) * K.expand_dims(self.alphas, 0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha_init": self.alpha_init, "beta_init": self.beta_init}


class SReLU(_Curve):
    """Three straight lines: x between `t_left` and `t_left + |t_right|`, of slopes `a_left` and `a_right` outside.

    Arguments:
        t_left_init, a_left_init, t_right_init, a_right_init: initializers of the weights.
        shared_axes: axes along which they are shared.

    Reference:
        Jin et al.: Deep Learning with S-shaped Rectified Linear Activation Units, arXiv:1512.07030.
    """

    def __init__(
        self,
        t_left_init: Any = "zero",
        a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "one",
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs.pop("weights", None), shared_axes, **kwargs)
        self.t_left_init = t_left_init
        self.a_left_init = a_left_init
        self.t_right_init = t_right_init
        self.a_right_init = a_right_init

    def build(self, input_shape: Any) -> None:
        self.t_left = self._add("t_left", input_shape, initializers.get(self.t_left_init))
        self.a_left = self._add("a_left", input_shape, initializers.get(self.a_left_init))
        self.t_right = self._add("t_right", input_shape, initializers.get(self.t_right_init))
        self.a_right = self._add("a_right", input_shape, initializers.get(self.a_right_init))
        self.built = True

    def call(self, x: Any, mask: Any = None) -> Any:
        weights = (self.t_left, self.a_left, self.t_right, self.a_right)
        left, slope_left, width, slope_right = (K.expand_dims(weight, 0) for weight in weights)
        right = left + K.abs(width)
        below = left + slope_left * (x - left)
        above = right + slope_right * (x - right)
        return K.switch(K.less_equal(x, left), below, K.switch(K.greater_equal(x, right), above, x))

    def get_config(self) -> dict[str, Any]:
        names = ("t_left_init", "a_left_init", "t_right_init", "a_right_init")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class ThresholdedLinear(Layer):
    """`x` where `abs(x) > theta`, else 0.

    Arguments:
        theta: the threshold.
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.theta = float(theta)

    def call(self, x: Any) -> Any:
        return x * K.cast(K.greater(K.abs(x), self.theta), K.dtype(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}


def install_layers() -> None:
    """Put them where Keras had them."""
    for layer in (ParametricSoftplus, SReLU, ThresholdedLinear):
        registry.register(layer)
        for place in (layers, advanced_activations):
            setattr(place, layer.__name__, layer)
