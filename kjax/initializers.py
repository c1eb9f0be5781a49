"""Initializers: first values of weights, drawn or computed by numpy.

An initializer is called with a shape and returns a numpy array, so that building a model compiles nothing.
Without a seed it takes one from numpy's global generator: `np.random.seed(7)` makes all weights repeat. With
a seed of its own it gives the same values each time it is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core.registry import Registry

registry = Registry("initializer", makers=True)

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "untruncated_normal")
# Standard deviation of a standard normal that is cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978
# Numbers that are drawn at a time where rejected ones are drawn again: what stays in a processor's cache.
_BLOCK = 1 << 18


class Initializer:
    """A function from a shape to an array. A subclass defines `__call__` and `get_config`."""

    _arguments: tuple[str, ...] = ()  # those of the constructor, which keeps each as an attribute

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has to define `__call__(shape, dtype=None)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {name: getattr(self, name) for name in self._arguments}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The initializer that `get_config` described."""
        return cls(**config)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return jnp.dtype(K.floatx() if dtype is None else dtype)


def _drawing_dtype(dtype: Any) -> Any:
    # numpy draws these two. Half floats are drawn as float32 and then rounded.
    return np.float64 if _dtype(dtype) == np.float64 else np.float32


def _generator(seed: int | None) -> Any:
    seed = np.random.randint(2**31 - 1) if seed is None else int(seed)
    # SFC64 draws twice as fast as numpy's default. It takes no negative seeds, which TensorFlow did.
    return np.random.Generator(np.random.SFC64(seed % 2**64))


def _normal(shape: Sequence[int], dtype: Any, seed: int | None) -> np.ndarray:
    return _generator(seed).standard_normal(tuple(shape), dtype=_drawing_dtype(dtype))


def _truncated_normal(shape: Sequence[int], dtype: Any, seed: int | None) -> np.ndarray:
    """Standard normal numbers of which those beyond two standard deviations were drawn again."""
    generator = _generator(seed)
    drawn = np.empty(math.prod(shape), _drawing_dtype(dtype))
    for start in range(0, drawn.size, _BLOCK):
        block = drawn[start : start + _BLOCK]
        generator.standard_normal(out=block, dtype=block.dtype)
        outside = np.flatnonzero(np.abs(block) > 2)
        while outside.size:
            block[outside] = generator.standard_normal(outside.size, dtype=block.dtype)
            outside = outside[np.abs(block[outside]) > 2]
    return drawn.reshape(tuple(shape))


def _scaled(drawn: np.ndarray, scale: float, offset: float, dtype: Any) -> np.ndarray:
    """`drawn * scale + offset` in the type that was asked for, without a copy where none is needed."""
    drawn *= scale
    if offset:
        drawn += offset
    return drawn.astype(_dtype(dtype), copy=False)


def _uniform(shape: Sequence[int], low: float, high: float, dtype: Any, seed: int | None) -> np.ndarray:
    drawn = _generator(seed).random(tuple(shape), dtype=_drawing_dtype(dtype))
    return _scaled(drawn, high - low, low, dtype)


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.zeros(tuple(shape), _dtype(dtype))


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return np.ones(tuple(shape), _dtype(dtype))


class Constant(Initializer):
    """One value throughout, or the values of an array.

    Arguments:
        value: a number; or an array of as many values as the weight has, such as pretrained embeddings.
    """

    _arguments = ("value",)

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        values = np.asarray(self.value)
        if values.size not in (1, math.prod(shape)):
            raise ValueError(
                f"A Constant of shape {values.shape} cannot fill a weight of shape {tuple(shape)}. "
                "Give it one number, or as many as the weight has."
            )
        if values.size == 1:
            return np.full(tuple(shape), values.item(), _dtype(dtype))
        return np.array(values.reshape(tuple(shape)), _dtype(dtype))


class RandomNormal(Initializer):
    """Normal distribution.

    Arguments:
        mean: its mean.
        stddev: its standard deviation.
        seed: int that makes the values repeat; None: numpy's global generator decides.
    """

    _arguments = ("mean", "stddev", "seed")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return _scaled(_normal(shape, dtype, self.seed), self.stddev, self.mean, dtype)


class RandomUniform(Initializer):
    """Uniform distribution.

    Arguments:
        minval: lower end of the interval.
        maxval: upper end of the interval.
        seed: int that makes the values repeat; None: numpy's global generator decides.
    """

    _arguments = ("minval", "maxval", "seed")

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return _uniform(shape, self.minval, self.maxval, dtype, self.seed)


class TruncatedNormal(RandomNormal):
    """Normal distribution in which values more than two standard deviations off the mean are drawn again.

    Its arguments are those of `RandomNormal`; `stddev` is that before the cut, which leaves 0.88 of it.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return _scaled(_truncated_normal(shape, dtype, self.seed), self.stddev, self.mean, dtype)


class VarianceScaling(Initializer):
    """A distribution of mean 0 and variance `scale / n`, where `n` follows from the shape of the weight.

    Arguments:
        scale: the factor.
        mode: what `n` is: `'fan_in'`, the inputs of a unit; `'fan_out'`, the units that an input reaches;
            `'fan_avg'`, the mean of both.
        distribution: `'normal'` or `'truncated_normal'`, cut off at two standard deviations and widened so
            that the variance holds; `'untruncated_normal'`; or `'uniform'`, up to `sqrt(3 * scale / n)`.
        seed: int that makes the values repeat; None: numpy's global generator decides.

    Raises:
        ValueError: if `scale` is not positive, or for another mode or distribution.
    """

    _arguments = ("scale", "mode", "distribution", "seed")

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None
    ) -> None:
        if scale <= 0:
            raise ValueError(f"`scale` must be a positive float. Got: {scale}")
        if mode.lower() not in _MODES:
            raise ValueError(f"Invalid `mode` argument: expected one of {_MODES} but got {mode!r}")
        if distribution.lower() not in _DISTRIBUTIONS:
            expected = f"expected one of {_DISTRIBUTIONS}"
            raise ValueError(f"Invalid `distribution` argument: {expected} but got {distribution!r}")
        self.scale = scale
        self.mode = mode.lower()
        self.distribution = distribution.lower()
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        fan_in, fan_out = _compute_fans(shape)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        stddev = math.sqrt(self.scale / max(1.0, fans[self.mode]))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return _uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return _scaled(_normal(shape, dtype, self.seed), stddev, 0, dtype)
        drawn = _truncated_normal(shape, dtype, self.seed)
        return _scaled(drawn, stddev / _TRUNCATED_STDDEV, 0, dtype)


class Orthogonal(Initializer):
    """A random orthogonal matrix, or for other shapes orthonormal rows or columns.

    A weight of more than two axes counts as the matrix (product of all axes but the last, last axis).

    Arguments:
        gain: factor of the matrix.
        seed: int that makes the values repeat; None: numpy's global generator decides.

    Raises:
        ValueError: when called with a shape of fewer than two axes.

    Reference: Saxe et al., https://arxiv.org/abs/1312.6120
    """

    _arguments = ("gain", "seed")

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal initializer needs at least 2 dimensions. Got shape {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = _normal((max(rows, columns), min(rows, columns)), dtype, self.seed)
        q, r = np.linalg.qr(normal)
        # The signs that QR leaves open, so that every orthogonal matrix is equally likely.
        q *= np.where(np.diagonal(r) < 0, -1, 1).astype(q.dtype)
        q = q if rows >= columns else q.T
        return _scaled(np.ascontiguousarray(q).reshape(tuple(shape)), self.gain, 0, dtype)


class Identity(Initializer):
    """The identity matrix; several of them side by side where one dimension is a multiple of the other.

    Today's Keras fills up with zeros instead.

    Arguments:
        gain: factor of the matrix.

    Raises:
        ValueError: when called with a shape that is not (n, k * n) or (k * n, n).
    """

    _arguments = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity initializer can only be used for 2D matrices. Got shape {tuple(shape)}")
        short = max(1, min(shape))
        if max(shape) % short:
            raise ValueError(f"Long side should be multiple of short side. Got shape {tuple(shape)}")
        repeats = tuple(dimension // short for dimension in shape)
        return np.asarray(np.tile(np.eye(short) * self.gain, repeats), _dtype(dtype))


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance `1 / fan_in` (LeCun et al., Efficient BackProp, 1998)."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with variance `1 / fan_in` (LeCun et al., 1998), as `selu` wants it."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="normal", seed=seed)


def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010): the layers' default."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)


def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010)."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance `2 / fan_in` (He et al., https://arxiv.org/abs/1502.01852)."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with variance `2 / fan_in` (He et al., https://arxiv.org/abs/1502.01852)."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="normal", seed=seed)


def _compute_fans(shape: Sequence[int], data_format: str = "channels_last") -> tuple[float, float]:
    """Inputs of a unit and units that an input reaches.

    Arguments:
        shape: (inputs, units), or that of a convolution kernel, with three to five axes. For any other number
            of axes both results are the square root of the weight's size.
        data_format: `'channels_last'` for kernels (rows, columns, inputs, filters), as all of kjax's are;
            `'channels_first'` for (filters, inputs, rows, columns).
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"Invalid data_format: {data_format}")
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) not in (3, 4, 5):
        root = math.sqrt(math.prod(shape))
        return root, root
    if data_format == "channels_first":
        field = math.prod(shape[2:])
        return shape[1] * field, shape[0] * field
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
identity = Identity
orthogonal = Orthogonal
LecunUniform = lecun_uniform
LecunNormal = lecun_normal
GlorotUniform = glorot_uniform
GlorotNormal = glorot_normal
HeUniform = he_uniform
HeNormal = he_normal

# Functions that make an initializer. They are not initializers themselves, so a lookup calls them.
_MAKERS = (lecun_uniform, lecun_normal, glorot_uniform, glorot_normal, he_uniform, he_normal)

registry.register(Zeros, "zero", "zeros")
registry.register(Ones, "one", "ones")
registry.register(Constant, "constant")
registry.register(RandomUniform, "uniform", "random_uniform")
registry.register(RandomNormal, "normal", "random_normal")
registry.register(TruncatedNormal, "truncated_normal")
registry.register(VarianceScaling)
registry.register(Identity, "identity")
registry.register(Orthogonal, "orthogonal")
for _maker in _MAKERS:
    registry.register(_maker, "".join(word.capitalize() for word in _maker.__name__.split("_")))


def _without_dtype(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A config without the `dtype` that tf.keras wrote into those of its own initializers."""
    if not isinstance(config, Mapping):
        return config
    written = cast("dict[str, Any]", config)
    if "dtype" not in written.get("config", ()):
        return written
    if registry.find(written["class_name"], custom_objects).__module__ != __name__:
        return written
    return {**written, "config": {k: v for k, v in written["config"].items() if k != "dtype"}}


def serialize(initializer: Any) -> Any:
    """The config of an initializer: `{'class_name', 'config'}`."""
    return registry.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    found = registry.deserialize(_without_dtype(config, custom_objects), custom_objects)
    return found() if found in _MAKERS else found


def get(identifier: Any) -> Any:
    """The initializer meant by None (none), a name, a config, a class, or the object itself."""
    found = registry.get(_without_dtype(identifier))
    return found() if found in _MAKERS else found
