"""Layers that Keras 2 kept for old programs, or dropped: `Highway`, `MaxoutDense`, `AutoEncoder`, merged time steps."""

from __future__ import annotations

from typing import Any

from kjax import activations, constraints, initializers, layers, regularizers
from kjax import backend as K
from kjax._core import notices
from kjax.engine.base_layer import InputSpec, Layer, registry
from kjax.layers import core


class _Transform(Layer):
    """What layers with a kernel called `W` and a bias called `b` share."""

    def __init__(
        self,
        init: Any,
        weights: Any,
        W_regularizer: Any,
        b_regularizer: Any,
        activity_regularizer: Any,
        W_constraint: Any,
        b_constraint: Any,
        bias: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(weights=weights, **kwargs)
        self.init = initializers.get(init)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.b_constraint = constraints.get(b_constraint)
        self.bias = bias
        self.input_spec = InputSpec(ndim=2)

    def _add_kernel(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            name, shape, initializer=self.init, regularizer=self.W_regularizer, constraint=self.W_constraint
        )

    def _add_bias(self, name: str, shape: tuple[int, ...], initializer: Any = "zeros") -> Any:
        return self.add_weight(
            name, shape, initializer=initializer, regularizer=self.b_regularizer, constraint=self.b_constraint
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "init": initializers.serialize(self.init),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "b_regularizer": regularizers.serialize(self.b_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "W_constraint": constraints.serialize(self.W_constraint),
            "b_constraint": constraints.serialize(self.b_constraint),
            "bias": self.bias,
        }


class Highway(_Transform):
    """`t * activation(x W + b) + (1 - t) * x` with `t = sigmoid(x W_carry + b_carry)`: a layer and a way past it.

    Arguments:
        init: initializer of `W` and `W_carry`.
        activation: of the transformed input; linear by default.
        weights: `[W, W_carry, b, b_carry]` to start from.
        W_regularizer, b_regularizer, W_constraint, b_constraint: of the kernels and of the biases.
        activity_regularizer: penalty on the output.
        bias: whether there are biases.
        transform_bias: first value of `b_carry`; 1 by default, as in Keras 1.1 and later.

    Reference:
        Srivastava, Greff, Schmidhuber: Highway Networks, arXiv:1505.00387.
    """

    def __init__(
        self,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        transform_bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        notices.warn("The `Highway` layer is deprecated. Build it of two `Dense` layers instead.")
        super().__init__(
            init, weights, W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint, bias,
            input_dim=input_dim, **kwargs,
        )  # fmt: skip
        self.activation = activations.get(activation)
        self.transform_bias = transform_bias

    def build(self, input_shape: Any) -> None:
        size = input_shape[1]
        self.W, self.W_carry = self._add_kernel("W", (size, size)), self._add_kernel("W_carry", (size, size))
        if self.bias:
            self.b = self._add_bias("b", (size,))
            self.b_carry = self._add_bias("b_carry", (size,), initializers.Constant(self.transform_bias))
        self.built = True

    def call(self, x: Any) -> Any:
        carry, new = K.dot(x, self.W_carry), K.dot(x, self.W)
        if self.bias:
            carry, new = K.bias_add(carry, self.b_carry), K.bias_add(new, self.b)
        share = K.sigmoid(carry)
        return self.activation(new) * share + (1 - share) * x

    def get_config(self) -> dict[str, Any]:
        activation = activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation, "transform_bias": self.transform_bias}


class MaxoutDense(_Transform):
    """The greatest of `nb_feature` linear maps: `max_k(x W_k + b_k)`.

    Arguments:
        output_dim: number of outputs.
        nb_feature: number of maps.
        init: initializer of `W`, whose shape is (nb_feature, inputs, output_dim).
        weights: `[W, b]` to start from.
        W_regularizer, b_regularizer, W_constraint, b_constraint: of the kernel and of the bias.
        activity_regularizer: penalty on the output.
        bias: whether there is a bias.

    Reference:
        Goodfellow et al.: Maxout Networks, arXiv:1302.4389.
    """

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        init: Any = "glorot_uniform",
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        notices.warn("The `MaxoutDense` layer is deprecated. Use `Dense` and `keras.layers.maximum` instead.")
        super().__init__(
            init, weights, W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint, bias,
            input_dim=input_dim, **kwargs,
        )  # fmt: skip
        self.output_dim = output_dim
        self.nb_feature = nb_feature

    def build(self, input_shape: Any) -> None:
        self.W = self._add_kernel("W", (self.nb_feature, input_shape[1], self.output_dim))
        if self.bias:
            self.b = self._add_bias("b", (self.nb_feature, self.output_dim))
        self.built = True

    def call(self, x: Any) -> Any:
        maps = K.dot(x, self.W)
        return K.max(K.bias_add(maps, self.b) if self.bias else maps, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_dim": self.output_dim, "nb_feature": self.nb_feature}


class AutoEncoder(Layer):
    """An encoder and a decoder, each a layer or a model, as Keras 0 had them in one layer.

    Arguments:
        encoder, decoder: from the input to the code, and back.
        output_reconstruction: whether the output is the reconstruction, or else the code. It may be changed; compile
            the model again then.
        weights: arrays to start from.
    """

    def __init__(
        self, encoder: Layer, decoder: Layer, output_reconstruction: bool = True, weights: Any = None, **kwargs: Any
    ) -> None:
        notices.warn("The `AutoEncoder` layer is gone. Use a `Model` of an encoder and a decoder instead.")
        kwargs.pop("tie_weights", None)
        first = encoder
        while getattr(first, "layers", None):
            first = first.layers[0]  # type: ignore[attr-defined]  # a model's
        shape = getattr(first, "batch_input_shape", None)
        super().__init__(**({} if shape is None else {"batch_input_shape": shape}), weights=weights, **kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.output_reconstruction = output_reconstruction

    def call(self, x: Any) -> Any:
        code = self.encoder(x)
        return self.decoder(code) if self.output_reconstruction else code

    def build(self, input_shape: Any) -> None:
        self._build_part(self.decoder, self._build_part(self.encoder, input_shape))
        self.built = True

    @staticmethod
    def _build_part(part: Layer, shape: Any) -> Any:
        return part(layers.Input(batch_shape=shape)).shape

    def get_config(self) -> dict[str, Any]:
        parts = {"encoder": layers.serialize(self.encoder), "decoder": layers.serialize(self.decoder)}
        return {**super().get_config(), **parts, "output_reconstruction": self.output_reconstruction}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        parts = {name: layers.deserialize(config[name]) for name in ("encoder", "decoder")}
        return cls(**{**config, **parts})


class TimeDistributedMerge(Layer):
    """Makes one of all time steps: their sum, product or mean.

    Arguments:
        mode: `'sum'`, `'mul'` or `'ave'`.
    """

    def __init__(self, mode: str = "sum", **kwargs: Any) -> None:
        notices.warn("The `TimeDistributedMerge` layer is gone. Use `GlobalAveragePooling1D` or a `Lambda` instead.")
        super().__init__(**kwargs)
        if mode not in ("sum", "mul", "ave"):
            raise ValueError(f"Invalid mode: {mode!r}. Should be one of 'sum', 'mul', 'ave'.")
        self.mode = mode

    def call(self, x: Any) -> Any:
        return {"sum": K.sum, "mul": K.prod, "ave": K.mean}[self.mode](x, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


def install_layers() -> None:
    """Put these layers where Keras had them."""
    for layer in (Highway, MaxoutDense, AutoEncoder, TimeDistributedMerge):
        registry.register(layer)
        for place in (layers, core):
            setattr(place, layer.__name__, layer)
