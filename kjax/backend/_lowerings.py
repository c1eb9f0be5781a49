"""How convolution and pooling are computed: for each platform and shape, the fastest way that was measured.

| what | where | how |
|---|---|---|
| all of it | GPU, TPU | XLA's own operations |
| convolution in 1 and 2 dimensions | CPU | XLA's convolution in the one arrangement of axes that it is fast in |
| the same with at most 32 numbers under a window | CPU | columns and a matrix product |
| the same with at most 9 | CPU | the sum of their products |
| the same in 3 dimensions | CPU | taps along the depth as channels of images |
| gradient of a strided input, transposed convolution | CPU | one convolution gives all phases, laid out in space |
| gradient of a kernel and of the bias | CPU | one convolution, whose input has a channel of ones |
| windows of one cell | CPU | a matrix product |
| depthwise | CPU | sums over taps |
| max pooling | CPU | largest of the taps; its gradient goes to the first largest, found by number |
| sums over windows | CPU | sums over taps, one axis after the other |

All arrays here have their channels last.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kjax.backend import _canonical, _depthwise, _products
from kjax.backend._pooled import first_largest, window_sums
from kjax.backend._windows import Pairs, Window

# YNNPACK's convolutions take three to five times as long as Eigen's, which XLA uses where these are switched off.
_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}


@functools.cache
def compiler_options() -> dict[str, Any]:
    """What to compile a program with convolutions with, beside the defaults."""
    return _OPTIONS if on_cpu() and knows(_OPTIONS) else {}


def knows(options: dict[str, Any]) -> bool:
    """Whether this version of XLA has these options of a program."""
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(jax.ShapeDtypeStruct((), "int32")).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def on_cpu() -> bool:
    """Whether programs are for a CPU."""
    return jax.default_backend() == "cpu"


_DENSE = _products.make("conv", _canonical.forward, _canonical.to_input, _canonical.to_kernel, compiler_options)
_BIASED = _products.make_biased("conv", _DENSE, _canonical.forward_biased, _canonical.to_rows, compiler_options)
_DEPTHWISE = _products.make(
    "depthwise_conv", _depthwise.forward, _depthwise.to_input, _depthwise.to_kernel, compiler_options
)


def convolve(x: Any, kernel: Any, window: Window, groups: int = 1) -> Any:
    """Convolution of `(samples, ..., channels)` with `(..., channels / groups, filters)`."""
    if not on_cpu():
        return _plain(x, kernel, window, groups)
    if groups == 1 and _is_pointwise(window):
        seen = x[(slice(None), *(slice(None, None, stride) for stride in window.strides))]
        return jnp.matmul(seen, kernel.reshape(kernel.shape[-2:]))
    if groups == 1:
        return _DENSE.forward.bind(x, kernel, window=window)
    if kernel.shape[-2] == 1:
        by_channel = kernel.reshape((*window.sizes, groups, -1))
        return depthwise(x, by_channel, window)
    parts = zip(jnp.split(x, groups, -1), jnp.split(kernel, groups, -1), strict=True)
    return jnp.concatenate([convolve(part, of_part, window) for part, of_part in parts], -1)


def convolve_biased(x: Any, kernel: Any, bias: Any, window: Window) -> Any:
    """Convolution in one group and a bias for each filter; None where no way is better than one after the other."""
    plain = not on_cpu() or _is_pointwise(window) or window.rank > 2 or bias.dtype != kernel.dtype
    if plain or window.always is None or 0 in window.outputs:
        return None
    row = jnp.zeros((*window.sizes, 1, kernel.shape[-1]), kernel.dtype).at[(*window.always, 0)].set(bias)
    return _BIASED.bind(x, jnp.concatenate([kernel, row], -2), window=window)


def convolve_transposed(x: Any, kernel: Any, window: Window) -> Any:
    """The transpose of `convolve` in its input: `kernel` is `(..., filters, channels)`, `window` that of `convolve`."""
    if on_cpu():
        return _DENSE.to_input.bind(x, kernel, window=window)
    shape = jax.ShapeDtypeStruct((x.shape[0], *window.lengths, kernel.shape[-2]), x.dtype)
    return jax.linear_transpose(lambda y: _plain(y, kernel, window, 1), shape)(x)[0]


def depthwise(x: Any, kernel: Any, window: Window) -> Any:
    """Convolution of each channel with its own kernels `(..., channels, multiplier)`."""
    if on_cpu():
        return _DEPTHWISE.forward.bind(x, kernel, window=window)
    return _plain(x, kernel.reshape((*window.sizes, 1, -1)), window, kernel.shape[-2])


def pool_max(x: Any, window: Window) -> Any:
    """Largest value of each window."""
    if on_cpu():
        return first_largest(x, window)
    lowest = np.array(-np.inf, x.dtype)
    return lax.reduce_window(x, lowest, lax.max, *_reduced(window))


def pool_sum(x: Any, window: Window) -> Any:
    """Sum of each window."""
    if on_cpu():
        return window_sums(x, window)
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, *_reduced(window))


def _is_pointwise(window: Window) -> bool:
    return set(window.sizes) == {1} and not any(map(any, window.pads))


def _plain(x: Any, kernel: Any, window: Window, groups: int) -> Any:
    last = x.ndim - 1
    batch = (0, last, *range(1, last))
    axes = lax.ConvDimensionNumbers(batch, (last, last - 1, *range(last - 1)), batch)
    return lax.conv_general_dilated(
        x, kernel, window.strides, window.pads, None, window.dilations, axes, feature_group_count=groups
    )


def _reduced(window: Window) -> tuple[tuple[int, ...], tuple[int, ...], Pairs]:
    return (1, *window.sizes, 1), (1, *window.strides, 1), ((0, 0), *window.pads, (0, 0))
