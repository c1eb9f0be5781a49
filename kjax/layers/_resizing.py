"""Layers that bring images to one size."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kjax import backend as K
from kjax.backend import _resizing
from kjax.engine.base_layer import Layer


def as_images(x: Any) -> Any:
    """Images as floats, whatever type their pixels have."""
    return jnp.asarray(x).astype(K.floatx())


class Resizing(Layer):
    """Images in another size.

    Arguments:
        height, width: rows and columns of the output.
        interpolation: `'bilinear'`, `'nearest'`, `'bicubic'`, `'lanczos3'` or `'lanczos5'`.
        crop_to_aspect_ratio: whether edges are cut off first, so that nothing is distorted.

    Input shape:
        (..., rows, columns, channels).

    Raises:
        ValueError: for another interpolation.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.interpolation = _resizing.check_interpolation(interpolation)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio

    def call(self, inputs: Any) -> Any:
        change = _resizing.smart_resize if self.crop_to_aspect_ratio else _resizing.resize
        return change(as_images(inputs), (self.height, self.width), self.interpolation)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
        }


class CenterCrop(Layer):
    """The middle of images. Of smaller images, the greatest part of the same aspect ratio, made larger.

    Arguments:
        height, width: rows and columns of the output.

    Input shape:
        (..., rows, columns, channels).
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, inputs: Any) -> Any:
        x = as_images(inputs)
        top, left = x.shape[-3] - self.height, x.shape[-2] - self.width
        if top < 0 or left < 0:
            return _resizing.smart_resize(x, (self.height, self.width))
        top, left = top // 2, left // 2
        return x[..., top : top + self.height, left : left + self.width, :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}
