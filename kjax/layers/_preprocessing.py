"""Layers that prepare inputs: numbers brought to mean 0 and variance 1, put into bins, made one-hot.

Those that learn from data do so in `adapt`, before the model is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax.engine.base_layer import Layer

_MODES = {"binary": "multi_hot", "multi-hot": "multi_hot"}  # as tf.keras called them at first


class PreprocessingLayer(Layer):
    """Base class of layers that learn from data in `adapt`.

    A layer of one's own defines `reset_state()`, `update_state(data)` for each batch, and `finalize_state()`.
    """

    def adapt(
        self, data: Any, batch_size: int | None = None, steps: int | None = None, reset_state: bool = True
    ) -> None:
        """Learn from data, anew.

        Arguments:
            data: an array or a list; or something that gives batches, such as a `tf.data.Dataset`.
            batch_size: accepted, not used: arrays are taken whole.
            steps: how many batches to take; all if None.
            reset_state: whether to forget what was learned before.
        """
        first = True
        for batch in batches(data, steps):
            if first and not self.built:
                self._prepare(_shaped(batch))
            if first and reset_state:
                self.reset_state()
            first = False
            self.update_state(batch)
        if first:
            raise ValueError(f"There are no data for `adapt` of layer {self.name}.")
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what was learned."""

    def update_state(self, data: Any) -> None:
        """Learn from one batch, an array of numpy."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_state(data)`.")

    def finalize_state(self) -> None:
        """Make ready what the calls need."""


def batches(data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """The arrays of a source: itself if it is one; else its elements, as arrays."""
    if not isinstance(data, (np.ndarray, list, tuple, jax.Array)) and not hasattr(data, "__array__"):
        if not hasattr(data, "__iter__"):
            raise TypeError(
                f"`adapt` takes an array, a list, or something that gives batches. Found: {type(data).__name__}"
            )
        for number, batch in enumerate(data):
            if steps is not None and number >= steps:
                return
            yield np.asarray(batch)
        return
    yield np.asarray(data)


def _shaped(batch: np.ndarray) -> Any:
    """A stand-in for a batch, of which the number of samples is not known."""
    return np.zeros((1, *batch.shape[1:]), "float32")


class Normalization(PreprocessingLayer):
    """`(x - mean) / sqrt(variance)`, with the mean and variance of data that `adapt` was given.

    Arguments:
        axis: the axis, or axes, along which each place has a mean of its own; None for one mean of all.
        mean, variance: in the place of `adapt`.
        invert: whether to compute the way back, `mean + x * sqrt(variance)`.

    Raises:
        ValueError: if only one of mean and variance is given; when built, if an axis is not there or not known.
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. Got mean: "
                f"{mean} and variance: {variance}"
            )
        self.input_mean, self.input_variance, self.invert = mean, variance, invert

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                f"All `axis` values must be in the range [-ndim, ndim). Found ndim: `{rank}`, axis: {self.axis}"
            )
        self._kept = sorted(axis % rank for axis in self.axis)
        lengths = tuple(input_shape[axis] for axis in self._kept)
        if None in lengths:
            raise ValueError(
                "All `axis` values to be kept must have known shape. "
                f"Got axis: {self.axis}, input shape: {tuple(input_shape)}."
            )
        self._shape = tuple(length if axis in self._kept else 1 for axis, length in enumerate(input_shape))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight("mean", lengths, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight("variance", lengths, initializer="ones", trainable=False)
            self.count = self.add_weight("count", (), dtype="int32", initializer="zeros", trainable=False)
        else:
            given = (self.input_mean, self.input_variance)
            self._given = [(np.asarray(x, "float64") * np.ones(lengths)).reshape(self._shape) for x in given]
        self.built = True

    @property
    def mean(self) -> Any:
        """The mean, with axes of length 1 where one is for all."""
        return self._moments()[0]

    @property
    def variance(self) -> Any:
        """The variance, shaped like the mean."""
        return self._moments()[1]

    def _moments(self, dtype: Any = None) -> list[Any]:
        dtype = dtype or K.floatx()
        held = self._given if self.input_mean is not None else [self.adapt_mean.value, self.adapt_variance.value]
        return [jnp.asarray(x, dtype).reshape(self._shape) for x in held]

    def call(self, inputs: Any) -> Any:
        x = jnp.asarray(inputs)
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(K.floatx())
        mean, variance = self._moments(x.dtype)
        scale = jnp.maximum(jnp.sqrt(variance), K.epsilon())
        return mean + x * scale if self.invert else (x - mean) / scale

    def reset_state(self) -> None:
        self._seen: tuple[float, Any, Any] = (0, 0.0, 0.0)

    def update_state(self, data: Any) -> None:
        if self.input_mean is not None:
            raise ValueError(
                "Cannot `adapt` a Normalization layer that is initialized with static `mean` and `variance`, you "
                f"passed mean {self.input_mean} and variance {self.input_variance}."
            )
        data = np.asarray(data, "float64")
        if data.ndim == len(self._shape) - 1 == 1:
            data = data[:, None]
        over = tuple(axis for axis in range(data.ndim) if axis not in self._kept)
        number, mean, spread = data.size / max(1, np.prod(np.shape(data.mean(over)))), data.mean(over), data.var(over)
        before, old_mean, old_spread = getattr(self, "_seen", (0, 0.0, 0.0))
        total = before + number
        both = (old_mean * before + mean * number) / total
        squares = (old_spread + (old_mean - both) ** 2) * before + (spread + (mean - both) ** 2) * number
        self._seen = (total, both, squares / total)

    def finalize_state(self) -> None:
        number, mean, variance = self._seen
        for weight, value in ((self.adapt_mean, mean), (self.adapt_variance, variance), (self.count, number)):
            K.set_value(weight, np.asarray(value, weight.dtype))

    def get_config(self) -> dict[str, Any]:
        plain = [x if x is None else np.asarray(x).tolist() for x in (self.input_mean, self.input_variance)]
        return {
            **super().get_config(),
            "axis": list(self.axis),
            "invert": self.invert,
            "mean": plain[0],
            "variance": plain[1],
        }


def encoded(numbers: Any, depth: int, mode: str, weights: Any = None) -> Any:
    """Class numbers as vectors: one-hot, or over the last axis those that occur or how often they do."""
    numbers = jnp.asarray(numbers).astype(jnp.int32)
    if mode == "int":
        return numbers
    if mode == "one_hot" and numbers.ndim and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    if mode != "one_hot" and numbers.ndim == 0:
        numbers = numbers[None]
    hot = jax.nn.one_hot(numbers, depth, dtype=K.floatx())
    if mode == "one_hot":
        return hot
    if mode == "multi_hot":
        return jnp.max(hot, -2)
    if weights is not None:
        hot = hot * jnp.asarray(weights, hot.dtype)[..., None]
    return jnp.sum(hot, -2)


def mode_of(given: str, allowed: tuple[str, ...], owner: str) -> str:
    """The mode of the output, by today's name."""
    mode = _MODES.get(given, given)
    if mode not in allowed:
        raise ValueError(f"Unknown `output_mode` of {owner}: {given!r}. Expected one of {allowed}.")
    return mode


def refuse_sparse(owner: str, **given: Any) -> None:
    """Refuse kinds of tensors that there are not."""
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise ValueError(f"{owner} makes dense arrays only: leave `{wrong[0]}` away.")


class CategoryEncoding(Layer):
    """Class numbers as vectors.

    Arguments:
        num_tokens: number of classes, from 0 on.
        output_mode: `'one_hot'`: a vector for each number. `'multi_hot'`: ones for the numbers along the last axis that
            occur. `'count'`: how often they do; each counts as `count_weights`, if the call is given them.

    Raises:
        ValueError: without a number of classes, or for another mode.
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        num_tokens = kwargs.pop("max_tokens", num_tokens)  # as tf.keras called it at first
        super().__init__(**kwargs)
        refuse_sparse("CategoryEncoding", sparse=sparse)
        if num_tokens is None:
            raise ValueError("num_tokens must be set to use this layer: the number of classes. Found: None.")
        self.num_tokens = int(num_tokens)
        self.output_mode = mode_of(output_mode, ("one_hot", "multi_hot", "count"), "CategoryEncoding")

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"`count_weights` is not used when `output_mode` is not `'count'`. Received `{self.output_mode}`."
            )
        return encoded(inputs, self.num_tokens, self.output_mode, count_weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode, "sparse": False}


class Discretization(PreprocessingLayer):
    """The number of the bin in which each value lies.

    Arguments:
        bin_boundaries: ends of the bins: n of them make n + 1 bins, the first and last without an end.
        num_bins: number of bins that `adapt` chooses, so that each has equally many of its data.
        epsilon: accepted, not used: the boundaries are exact.
        output_mode: `'int'`, or `'one_hot'`, `'multi_hot'` or `'count'` as for `CategoryEncoding`.

    Raises:
        ValueError: if both or neither of boundaries and number are given, or for another mode.
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        bin_boundaries = kwargs.pop("bins", bin_boundaries)  # as tf.keras called it at first
        super().__init__(**kwargs)
        refuse_sparse("Discretization", sparse=sparse)
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. You passed `num_bins={num_bins}`")
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "Give either `num_bins`, for `adapt`, or `bin_boundaries`. "
                f"Found: num_bins={num_bins}, bin_boundaries={bin_boundaries}."
            )
        self.output_mode = mode_of(output_mode, ("int", "one_hot", "multi_hot", "count"), "Discretization")
        self.input_bin_boundaries = bin_boundaries
        self.bin_boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries, "float32").tolist()
        self.num_bins, self.epsilon = num_bins, epsilon

    def reset_state(self) -> None:
        self._values: list[np.ndarray] = []

    def update_state(self, data: Any) -> None:
        if self.input_bin_boundaries is not None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` "
                "instead."
            )
        self._values.append(np.asarray(data, "float32").ravel())

    def finalize_state(self) -> None:
        shares = np.arange(1, self.num_bins or 1) / (self.num_bins or 1)
        self.bin_boundaries = np.quantile(np.concatenate(self._values), shares).astype("float32").tolist()
        del self._values

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(f"Discretization layer {self.name} has no bins yet: call `adapt` first.")
        x = jnp.asarray(inputs)
        boundaries = jnp.asarray(self.bin_boundaries, "float32")
        numbers = jnp.searchsorted(boundaries, x.astype("float32"), side="right")
        return encoded(numbers, len(self.bin_boundaries) + 1, self.output_mode)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bin_boundaries": self.input_bin_boundaries if self.bin_boundaries is None else self.bin_boundaries,
            "num_bins": self.num_bins if self.bin_boundaries is None else None,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
        }


class _Hashed(Layer):
    """A layer of tf.keras that numbers values by a hash function, which kjax does not have."""

    def __init__(self, num_bins: int, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} numbers values by a hash function of TensorFlow's that kjax does not have. Use "
            "StringLookup or IntegerLookup, which number the values that `adapt` has seen."
        )


class Hashing(_Hashed):
    """Not there: numbers from hashes. Its constructor says what to use."""


class HashedCrossing(_Hashed):
    """Not there: numbers from hashes of two features. Its constructor says what to use."""
