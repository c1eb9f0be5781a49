"""Normalization of images: statistics of single images and of a whole data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from kjax._core import notices

_TINY = 1e-6


def check_channels(images: np.ndarray, axis: int, data_format: str, subject: str) -> None:
    """Warn if images do not have 1, 3 or 4 channels."""
    channels = images.shape[axis]
    if channels not in (1, 3, 4):
        notices.warn(
            f'{subject} following the data format convention "{data_format}" (channels on axis {axis}), i.e. expected '
            f"either 1, 3 or 4 channels on axis {axis}. However, it was passed an array with shape {images.shape} "
            f"({channels} channels)."
        )


def standardize(generator: Any, x: np.ndarray, axes: tuple[int, ...] | None) -> np.ndarray:
    """Rescale and normalize `x` in place, by the options of an `ImageDataGenerator`.

    Arguments:
        x: floats; an image or a batch of them.
        axes: axes over which the statistics of one sample are taken; None for all.
    """
    if generator.rescale:
        x *= generator.rescale
    if generator.samplewise_center:
        x -= np.mean(x, axis=axes, keepdims=True)
    if generator.samplewise_std_normalization:
        x /= np.std(x, axis=axes, keepdims=True) + _TINY
    if generator.featurewise_center and _is_fit(generator.mean, "featurewise_center"):
        x -= generator.mean
    if generator.featurewise_std_normalization and _is_fit(generator.std, "featurewise_std_normalization"):
        x /= generator.std + _TINY
    if generator.zca_whitening and _is_fit(generator.principal_components, "zca_whitening"):
        flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
        x = (flat @ generator.principal_components).reshape(x.shape)
    return x


def _is_fit(statistics: Any, option: str) -> bool:
    if statistics is None:
        notices.warn(
            f"This ImageDataGenerator specifies `{option}`, but it hasn't been fit on any training data. "
            "Fit it first by calling `.fit(numpy_data)`."
        )
    return statistics is not None


def fit(generator: Any, images: np.ndarray) -> None:
    """Set `mean`, `std` and `principal_components`, as far as the generator's options need them.

    With the covariance `C = U S U'` of the flat images, the components are `U (S + zca_epsilon)^(-1/2) U'`.

    Arguments:
        images: floats of rank 4, which are changed.
    """
    axes = (0, generator.row_axis, generator.col_axis)
    shape = [1, 1, 1]
    shape[generator.channel_axis - 1] = images.shape[generator.channel_axis]
    if generator.featurewise_center:
        generator.mean = np.mean(images, axis=axes).reshape(shape)
        images -= generator.mean
    if generator.featurewise_std_normalization:
        generator.std = np.std(images, axis=axes).reshape(shape)
        images /= generator.std + _TINY
    if generator.zca_whitening:
        from scipy import linalg

        flat = images.reshape(len(images), -1)
        u, s, _ = linalg.svd(flat.T @ flat / len(flat))
        generator.principal_components = (u / np.sqrt(s + generator.zca_epsilon)) @ u.T
