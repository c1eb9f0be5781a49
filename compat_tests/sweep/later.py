"""Random cases for layers that came with tf.keras 2."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from compat_tests.sweep.compare import Case

ACTIVATIONS = (None, "tanh", "sigmoid", "softplus")
FORMS = ("channels_last", "channels_first")


def flag(r: random.Random) -> bool:
    return r.random() < 0.5


def sides(r: random.Random, count: int, low: int = 1, high: int = 4) -> tuple[int, ...]:
    return tuple(r.randint(low, high) for _ in range(count))


def identity(r: random.Random, name: str) -> Case:
    return Case(name, {}, [sides(r, r.randint(2, 4))])


def unit(r: random.Random, name: str) -> Case:
    shape = sides(r, r.randint(2, 4), 2)
    return Case(name, {"axis": r.choice([-1, *range(1, len(shape))])}, [shape])


def groups(r: random.Random, name: str) -> Case:
    count = r.randint(1, 3)
    shape = (*sides(r, r.randint(2, 3), 2), count * r.randint(2, 3))
    arguments = {"groups": count, "axis": -1, "epsilon": r.choice((1e-3, 0.1)), "center": flag(r), "scale": flag(r)}
    return Case(name, arguments, [shape])


def normalization(r: random.Random, name: str) -> Case:
    return Case(name, {"axis": -1, "mean": r.uniform(-1, 1), "variance": 0.7, "invert": flag(r)}, [sides(r, 3)])


def attention(r: random.Random, name: str) -> Case:
    batch, steps, size = sides(r, 3)
    arguments: dict[str, Any] = {"use_scale": flag(r)}
    if name == "Attention":
        arguments["score_mode"] = r.choice(("dot", "concat"))
    values = [(batch, r.randint(1, 4), size)]
    return Case(name, arguments, [(batch, steps, size), *values * r.choice((1, 2))])


def sequences(r: random.Random, name: str) -> Case:
    """`DepthwiseConv1D` or `Conv1DTranspose`."""
    form = r.choice(FORMS)
    stride, rate = (1, r.randint(1, 2)) if flag(r) else (r.randint(1, 3), 1)
    arguments: dict[str, Any] = {
        "kernel_size": r.randint(1, 3), "strides": stride, "padding": r.choice(("valid", "same")),
        "data_format": form, "dilation_rate": rate, "activation": r.choice(ACTIVATIONS), "use_bias": flag(r),
    }  # fmt: skip
    if name == "Conv1DTranspose":
        arguments["filters"] = r.randint(1, 3)
    else:
        arguments["depth_multiplier"] = r.randint(1, 2)
    batch, steps, channels = r.randint(1, 3), r.randint(5, 7), r.randint(1, 3)
    return Case(name, arguments, [(batch, channels, steps) if form == "channels_first" else (batch, steps, channels)])


def einsum(r: random.Random, name: str) -> Case:
    batch, steps, size, units = sides(r, 4)
    equation, output, axes = r.choice((("abc,cd->abd", (None, units), "d"), ("abc,cd->abd", (None, units), None)))
    arguments = {"equation": equation, "output_shape": output, "bias_axes": axes, "activation": r.choice(ACTIVATIONS)}
    return Case(name, arguments, [(batch, steps, size)])


def cropped(r: random.Random, name: str) -> Case:
    return Case(name, {"height": r.randint(1, 4), "width": r.randint(1, 4)}, [(2, r.randint(4, 7), r.randint(4, 7), 2)])


KINDS: dict[str, Callable[[random.Random, str], Case]] = {
    "Identity": identity,
    "UnitNormalization": unit,
    "GroupNormalization": groups,
    "Normalization": normalization,
    "Attention": attention,
    "AdditiveAttention": attention,
    "DepthwiseConv1D": sequences,
    "Conv1DTranspose": sequences,
    "EinsumDense": einsum,
    "CenterCrop": cropped,
}
