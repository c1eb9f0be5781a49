"""Layers that change images at random while training.

Called on arrays by hand, outside of a model's `fit`, `predict` and the like, they change them as well, unless
`training=False` is said: so scripts look at what they do. Random numbers come from the program's key; a seed is mixed
into it.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from kjax import backend as K
from kjax.backend import _resizing
from kjax.engine.base_layer import Layer
from kjax.layers._resizing import as_images


def _range(factor: Any, name: str, least: float = -1.0, most: float = 1.0) -> tuple[float, float]:
    """The bounds that one number (itself and its negative) or a pair stands for."""
    low, high = (factor[0], factor[1]) if isinstance(factor, (tuple, list)) else (-factor, factor)
    if not least <= low <= high <= most:
        raise ValueError(
            f"`{name}` must be a number, or a pair of a lower and an upper bound, within [{least}, {most}]. "
            f"Received: {name}={factor}"
        )
    return float(low), float(high)


class _RandomImages(Layer):
    """What these layers share: `_changed(images)` of four axes is theirs."""

    trains_by_hand = True
    _configured: ClassVar[tuple[str, ...]] = ()

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = as_images(inputs)
        if x.ndim not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} layer {self.name} takes images (rows, columns, channels), or a batch of them. "
                f"Received an input of shape {x.shape}."
            )
        batch = x if x.ndim == 4 else x[None]
        made = K.in_train_phase(lambda: self._changed(batch), lambda: self._kept(batch), training)
        return made if x.ndim == 4 else made[0]

    def _changed(self, x: Any) -> Any:
        raise NotImplementedError

    def _kept(self, x: Any) -> Any:
        return x

    def _draw(self, shape: tuple[int, ...], bounds: tuple[float, float]) -> Any:
        return K.random_uniform(shape, *bounds, dtype="float32", seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in self._configured}, "seed": self.seed}


class RandomFlip(_RandomImages):
    """Turns each image over with probability 1/2.

    Arguments:
        mode: `'horizontal'` (left and right), `'vertical'`, or `'horizontal_and_vertical'`: each by itself.
        seed: number mixed into the random key, or None.
    """

    _configured = ("mode",)

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"RandomFlip layer {self.name} received an unknown mode argument {mode}")
        self.mode = mode

    def _changed(self, x: Any) -> Any:
        for name, axis in (("horizontal", 2), ("vertical", 1)):
            if name in self.mode:
                chosen = self._draw((x.shape[0], 1, 1, 1), (0.0, 1.0)) < 0.5
                x = jnp.where(chosen, jnp.flip(x, axis), x)
        return x


class RandomCrop(_RandomImages):
    """A part of images, at a random place, the same for a batch. While testing, and of smaller images, the greatest
    part of this aspect ratio about the centre, in this size.

    Arguments:
        height, width: rows and columns of the output.
        seed: number mixed into the random key, or None.
    """

    _configured = ("height", "width")

    def __init__(self, height: int, width: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.height, self.width = height, width

    def _changed(self, x: Any) -> Any:
        room = (x.shape[1] - self.height, x.shape[2] - self.width)
        if min(room) < 0:
            return self._kept(x)
        shares = self._draw((2,), (0.0, 1.0))
        starts = [jnp.floor(shares[i] * (room[i] + 1)).astype(jnp.int32) for i in range(2)]
        zero = jnp.zeros((), jnp.int32)
        sizes = (x.shape[0], self.height, self.width, x.shape[3])
        return jax.lax.dynamic_slice(x, (zero, *starts, zero), sizes)

    def _kept(self, x: Any) -> Any:
        return _resizing.smart_resize(x, (self.height, self.width))


class _Warping(_RandomImages):
    """A layer that moves the pixels of each image: `_matrices(count, rows, columns)` is its own."""

    def __init__(self, fill_mode: str, interpolation: str, seed: int | None, fill_value: float, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if fill_mode not in _resizing.FILL_MODES:
            raise ValueError(f"Unknown `fill_mode` {fill_mode}. Only {', '.join(_resizing.FILL_MODES)} are supported.")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f"Unknown `interpolation` {interpolation}. Only `nearest` and `bilinear` are supported.")
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def _changed(self, x: Any) -> Any:
        matrices = self._matrices(*x.shape[:3])
        return _resizing.warp(x, matrices, self.fill_mode, self.fill_value, self.interpolation)

    def _matrices(self, count: int, rows: int, columns: int) -> Any:
        raise NotImplementedError


def _matrix(*numbers: Any) -> Any:
    """Matrices (batch, 2, 3) of six vectors."""
    return jnp.stack(numbers, -1).reshape(-1, 2, 3)


class RandomTranslation(_Warping):
    """Shifts each image.

    Arguments:
        height_factor, width_factor: by which part of its rows and columns: a number for both directions, or a pair of
            bounds; positive is down and right.
        fill_mode: what comes in: `'reflect'`, `'constant'`, `'wrap'` or `'nearest'`.
        interpolation: `'bilinear'` or `'nearest'`.
        seed: number mixed into the random key, or None.
        fill_value: the constant.
    """

    _configured = ("height_factor", "width_factor", "fill_mode", "fill_value", "interpolation")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down, self._right = _range(height_factor, "height_factor"), _range(width_factor, "width_factor")

    def _matrices(self, count: int, rows: int, columns: int) -> Any:
        down, right = self._draw((count,), self._down) * rows, self._draw((count,), self._right) * columns
        one, zero = jnp.ones_like(down), jnp.zeros_like(down)
        return _matrix(one, zero, -right, zero, one, -down)


class RandomRotation(_Warping):
    """Turns each image about its centre.

    Arguments:
        factor: by which part of a full turn: a number for both directions, or a pair of bounds; positive is against
            the clock.
        fill_mode, interpolation, seed, fill_value: as for `RandomTranslation`.
    """

    _configured = ("factor", "fill_mode", "fill_value", "interpolation")

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.factor = factor
        self._turn = _range(factor, "factor", -math.inf, math.inf)

    def _matrices(self, count: int, rows: int, columns: int) -> Any:
        return rotation(self._draw((count,), self._turn) * (2 * math.pi), rows, columns)


def rotation(angles: Any, rows: int, columns: int) -> Any:
    """The matrices that turn images about their centres."""
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    x, y = (columns - 1) / 2, (rows - 1) / 2
    return _matrix(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)


class RandomZoom(_Warping):
    """Makes each image smaller or larger, about its centre.

    Arguments:
        height_factor: by which part of its rows: a number for both directions, or a pair of bounds; a positive one
            makes it smaller.
        width_factor: the same of its columns; None for that of the rows.
        fill_mode, interpolation, seed, fill_value: as for `RandomTranslation`.
    """

    _configured = ("height_factor", "width_factor", "fill_mode", "fill_value", "interpolation")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high = _range(height_factor, "height_factor")
        self._wide = None if width_factor is None else _range(width_factor, "width_factor", most=math.inf)

    def _matrices(self, count: int, rows: int, columns: int) -> Any:
        high = self._draw((count,), self._high) + 1.0
        wide = high if self._wide is None else self._draw((count,), self._wide) + 1.0
        zero = jnp.zeros_like(high)
        return _matrix(wide, zero, (1 - wide) * (columns - 1) / 2, zero, high, (1 - high) * (rows - 1) / 2)


class RandomContrast(_RandomImages):
    """Draws each channel's values away from their mean, or towards it: `(x - mean) * f + mean`, within 0 to 255.

    Arguments:
        factor: `f` is drawn from `[1 - factor, 1 + factor]`, once for a batch; a pair is for below and above.
        seed: number mixed into the random key, or None.
    """

    _configured = ("factor",)

    def __init__(self, factor: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor = factor
        low, high = factor if isinstance(factor, (tuple, list)) else (factor, factor)
        if low < 0 or high < 0 or low > 1:
            raise ValueError(
                f"`factor` argument cannot have negative values or values greater than 1. Received: factor={factor}"
            )
        self._bounds = (1.0 - low, 1.0 + high)

    def _changed(self, x: Any) -> Any:
        mean = jnp.mean(x, (1, 2), keepdims=True)
        factor = self._draw((1, 1, 1, 1), self._bounds).astype(x.dtype)
        return jnp.clip((x - mean) * factor + mean, 0.0, 255.0)


class RandomBrightness(_RandomImages):
    """Adds a number to each image.

    Arguments:
        factor: which part of the range of values: a number for both directions, or a pair of bounds.
        value_range: the least and the greatest value, within which they stay.
        seed: number mixed into the random key, or None.
    """

    _configured = ("factor", "value_range")

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor = list(_range(sorted(factor) if isinstance(factor, (tuple, list)) else abs(factor), "factor"))
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise ValueError(f"The `value_range` argument should be a list of two numbers. Got {value_range}")
        self.value_range = sorted(value_range)

    def _changed(self, x: Any) -> Any:
        low, high = self.value_range
        delta = self._draw((x.shape[0], 1, 1, 1), (self.factor[0], self.factor[1])) * (high - low)
        return jnp.clip(x + delta.astype(x.dtype), low, high)


class _Reshaping(Layer):
    """A layer of tf.keras whose output has another size at each step, which a compiled program cannot have."""

    _instead = ""

    def __init__(self, factor: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} gives images of another size at each step, but a compiled program has fixed "
            f"shapes. Use {self._instead}, which changes the scale and keeps the size."
        )


class RandomHeight(_Reshaping):
    """Not there: images of random heights. Its constructor says what to use."""

    _instead = "RandomZoom(factor, 0.0)"


class RandomWidth(_Reshaping):
    """Not there: images of random widths. Its constructor says what to use."""

    _instead = "RandomZoom(0.0, factor)"
