"""More of `tf.image`: hues, comparisons of pictures, edges, patches."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kjax.backend._ops import array, float_array
from kjax.compat.tensorflow._arguments import convert, static
from kjax.compat.tensorflow._graph import node
from kjax.compat.tensorflow.image import _drawn, _kept, transpose_image

transpose = transpose_image

# -- colours -----------------------------------------------------------------------------------------------------------


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    """`gain * x ** gamma`, of numbers from 0 to 1."""
    return node("adjust_gamma", _kept(lambda x, g, a: a * x**g), convert(image), gamma, gain)


def _to_hsv(x: Any) -> Any:
    top, bottom = jnp.max(x, -1), jnp.min(x, -1)
    spread = top - bottom
    safe = jnp.where(spread > 0, spread, jnp.ones_like(spread))
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    place = jnp.where(
        red == top,
        (green - blue) / safe,
        jnp.where(green == top, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = jnp.where(spread > 0, jnp.mod(place / 6, 1), jnp.zeros_like(top))
    saturation = jnp.where(top > 0, spread / jnp.where(top > 0, top, jnp.ones_like(top)), jnp.zeros_like(top))
    return jnp.stack([hue, saturation, top], -1)


def _to_rgb(x: Any) -> Any:
    hue, saturation, most = x[..., 0] * 6, x[..., 1], x[..., 2]
    shares = [jnp.clip(s, 0, 1) for s in (jnp.abs(hue - 3) - 1, 2 - jnp.abs(hue - 2), 2 - jnp.abs(hue - 4))]
    return jnp.stack([((share - 1) * saturation + 1) * most for share in shares], -1)


def _turned(x: Any, delta: Any) -> Any:
    hsv = _to_hsv(x)
    return _to_rgb(jnp.concatenate([jnp.mod(hsv[..., :1] + delta, 1), hsv[..., 1:]], -1))


def rgb_to_hsv(images: Any, name: str | None = None) -> Any:
    """Hue, saturation and value, each from 0 to 1."""
    return node("RGBToHSV", lambda x: _to_hsv(float_array(x)), convert(images), name=name)


def hsv_to_rgb(images: Any, name: str | None = None) -> Any:
    """Red, green and blue of hue, saturation and value."""
    return node("HSVToRGB", lambda x: _to_rgb(float_array(x)), convert(images), name=name)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Any:
    """Hues turned by a share of the circle of colours."""
    return node("adjust_hue", _kept(_turned), convert(image), delta, name=name)


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Any:
    """`adjust_hue` by a number from `-max_delta` to `max_delta`, drawn in each run."""
    return _drawn("random_hue", _turned, image, -max_delta, max_delta, seed)


_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])


def _mixed(kind: str, images: Any, matrix: np.ndarray) -> Any:
    def mixed(x: Any) -> Any:
        x = float_array(x)
        rows = [jnp.asarray(row.reshape([1] * (x.ndim - 1) + [3]), x.dtype) for row in matrix]
        return sum(x[..., i : i + 1] * row for i, row in enumerate(rows))

    return node(kind, mixed, convert(images))


def rgb_to_yuv(images: Any) -> Any:
    """Brightness and two differences of colours."""
    return _mixed("rgb_to_yuv", images, _YUV)


def yuv_to_rgb(images: Any) -> Any:
    """Red, green and blue of brightness and two differences of colours."""
    return _mixed("yuv_to_rgb", images, np.linalg.inv(_YUV))


# -- comparisons -------------------------------------------------------------------------------------------------------


def _scaled(images: Any, most: float) -> tuple[Any, float]:
    """Numbers as floats, whole ones as shares of their largest; and what the largest would be."""
    x = array(images)
    if jnp.issubdtype(x.dtype, jnp.integer):
        return x.astype("float32") / jnp.iinfo(x.dtype).max, most / jnp.iinfo(x.dtype).max
    return x, most


def psnr(a: Any, b: Any, max_val: float, name: str | None = None) -> Any:
    """`10 * log10(max_val² / mean((a - b)²))`, in decibels, for each image."""

    def ratio(a: Any, b: Any) -> Any:
        (x, most), (y, _) = _scaled(a, max_val), _scaled(b, max_val)
        return 20 * np.log10(most) - 10 * jnp.log10(jnp.mean(jnp.square(x - y), (-3, -2, -1)))

    return node("psnr", ratio, convert(a), convert(b), name=name)


def _smoothed(x: Any, weights: np.ndarray) -> Any:
    """Weighted means of neighbours along rows and columns, where there are enough."""
    for axis in (x.ndim - 3, x.ndim - 2):
        count = x.shape[axis] - len(weights) + 1
        x = sum(float(w) * jnp.take(x, np.arange(i, i + count), axis) for i, w in enumerate(weights))
    return x


def _similarity(x: Any, y: Any, most: float, weights: np.ndarray, k1: float, k2: float) -> tuple[Any, Any]:
    """SSIM's two parts, brightness times contrast and contrast alone, for each place and channel."""
    c1, c2 = (k1 * most) ** 2, (k2 * most) ** 2
    mean_x, mean_y = _smoothed(x, weights), _smoothed(y, weights)
    both, squares = mean_x * mean_y * 2, jnp.square(mean_x) + jnp.square(mean_y)
    spread_both = _smoothed(x * y, weights) * 2 - both
    spread = _smoothed(jnp.square(x) + jnp.square(y), weights) - squares
    contrast = (spread_both + c2) / (spread + c2)
    return (both + c1) / (squares + c1) * contrast, contrast


def _bell(size: int, sigma: float) -> np.ndarray:
    weights = np.exp(-np.square(np.arange(size) - (size - 1) / 2) / (2 * sigma**2))
    return weights / weights.sum()


def ssim(
    img1: Any, img2: Any, max_val: float, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, return_index_map: bool = False,
) -> Any:  # fmt: skip
    """Structural similarity of pictures, 1 for equal ones; `max_val` is the largest possible difference.

    Reference: Wang et al. (2004), Image quality assessment: from error visibility to structural similarity.
    """
    weights = _bell(filter_size, filter_sigma)

    def index(a: Any, b: Any) -> Any:
        (x, most), (y, _) = _scaled(a, max_val), _scaled(b, max_val)
        if min(x.shape[-3:-1]) < filter_size:
            raise ValueError(f"tf.image.ssim: pictures of {x.shape[-3:-1]} are smaller than filter_size {filter_size}.")
        whole = jnp.mean(_similarity(x, y, most, weights, k1, k2)[0], -1)
        return whole if return_index_map else jnp.mean(whole, (-2, -1))

    return node("ssim", index, convert(img1), convert(img2))


_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _halved(x: Any) -> Any:
    """Means of squares of four cells; an odd row or column counts twice at the end."""
    sides = [(0, n % 2) if axis in (x.ndim - 3, x.ndim - 2) else (0, 0) for axis, n in enumerate(x.shape)]
    x = jnp.pad(x, sides, "symmetric")
    return (x[..., ::2, ::2, :] + x[..., 1::2, ::2, :] + x[..., ::2, 1::2, :] + x[..., 1::2, 1::2, :]) / 4


def ssim_multiscale(
    img1: Any, img2: Any, max_val: float, power_factors: Any = _SCALES, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> Any:  # fmt: skip
    """Structural similarity at several scales, each half as fine as the one before.

    Reference: Wang et al. (2003), Multiscale structural similarity for image quality assessment.
    """
    weights = _bell(filter_size, filter_sigma)

    def index(a: Any, b: Any) -> Any:
        (x, most), (y, _) = _scaled(a, max_val), _scaled(b, max_val)
        total: Any = 1.0
        for i, power in enumerate(power_factors):
            x, y = (x, y) if i == 0 else (_halved(x), _halved(y))
            parts = _similarity(x, y, most, weights, k1, k2)
            part = parts[0 if i == len(power_factors) - 1 else 1]
            total = total * jnp.maximum(jnp.mean(part, (-3, -2)), 0) ** power
        return jnp.mean(total, -1)

    return node("ssim_multiscale", index, convert(img1), convert(img2))


# -- neighbours --------------------------------------------------------------------------------------------------------


def image_gradients(image: Any) -> Any:
    """Differences to the next row and to the next column, 0 at the end."""

    def differences(x: Any) -> Any:
        x = array(x)
        return tuple(jnp.pad(jnp.diff(x, axis=axis), [(0, int(i == axis)) for i in range(x.ndim)]) for axis in (1, 2))

    return node("image_gradients", differences, convert(image))


def sobel_edges(image: Any) -> Any:
    """How much pictures change from row to row and from column to column: one more axis of two."""

    def edges(x: Any) -> Any:
        x = jnp.pad(float_array(x), ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
        across = x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]
        down = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
        return jnp.stack([across[:, 2:] - across[:, :-2], down[:, :, 2:] - down[:, :, :-2]], -1)

    return node("sobel_edges", edges, convert(image))


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Any:
    """The windows of images, each as one row of channels."""
    (_, rows, columns, _), (_, down, right, _), (_, far, wide, _) = static(sizes), static(strides), static(rates)

    def patches(x: Any) -> Any:
        x, spans = array(x), ((rows - 1) * far + 1, (columns - 1) * wide + 1)
        if padding.upper() == "SAME":
            steps = zip(x.shape[1:3], (down, right), spans, strict=True)
            more = [max(0, (-(-n // s) - 1) * s + k - n) for n, s, k in steps]
            x = jnp.pad(x, [(0, 0), *((m // 2, m - m // 2) for m in more), (0, 0)])
        ends = [n - k + 1 for n, k in zip(x.shape[1:3], spans, strict=True)]
        cells = [
            x[:, i * far : i * far + ends[0] : down, j * wide : j * wide + ends[1] : right]
            for i in np.arange(rows) for j in np.arange(columns)
        ]  # fmt: skip
        return jnp.concatenate(cells, -1)

    return node("ExtractImagePatches", patches, convert(images), name=name)


def extract_image_patches(
    images: Any, ksizes: Any = None, strides: Any = None, rates: Any = None, padding: Any = None, name: Any = None,
    sizes: Any = None,
) -> Any:  # fmt: skip
    """TensorFlow 1's name of `extract_patches`."""
    return extract_patches(images, sizes if ksizes is None else ksizes, strides, rates, padding, name)


__all__ = [
    "adjust_gamma", "adjust_hue", "extract_image_patches", "extract_patches", "hsv_to_rgb",
    "image_gradients", "psnr", "random_hue", "rgb_to_hsv",
    "rgb_to_yuv", "sobel_edges", "ssim", "ssim_multiscale", "transpose", "yuv_to_rgb",
]  # fmt: skip
