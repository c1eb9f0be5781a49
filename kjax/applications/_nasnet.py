"""The cells of NASNet-A. Each has two inputs: what the last cell made, and what the one before it made."""

from __future__ import annotations

from typing import Any

from kjax import backend as K
from kjax import layers
from kjax.applications import _frame
from kjax.applications.imagenet_utils import correct_pad


def features(x: Any, filters: int, depth: int, stem_filters: int, skip: bool, widening: int) -> Any:
    """What a classifier looks at.

    Arguments:
        filters: of the cells of the first stage.
        depth: normal cells in each stage.
        stem_filters: of the first convolution.
        skip: whether the cell after a reduction looks past it.
        widening: how many times as many filters the next stage has.
    """
    x = layers.Conv2D(stem_filters, 3, strides=2, use_bias=False, name="stem_conv1", kernel_initializer="he_normal")(x)
    x = _normalized(x, "stem_bn1")
    x, past = _reduction(x, None, filters // widening**2, "stem_1")
    x, past = _reduction(x, past, filters // widening, "stem_2")
    for stage in range(3):
        if stage:
            x, before = _reduction(x, past, filters * widening**stage, f"reduce_{stage * depth}")
            past = past if skip else before
        for i in range(depth):
            x, past = _normal(x, past, filters * widening**stage, str(stage * depth + (stage > 0) + i))
    return layers.Activation("relu")(x)


def _normalized(x: Any, name: str) -> Any:
    return _frame.normalized(x, name, momentum=0.9997, epsilon=1e-3)


def _pointwise(x: Any, filters: int, name: str) -> Any:
    conv = layers.Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)
    return conv(x)


def _separable(x: Any, filters: int, size: int, label: str, strides: int = 1) -> Any:
    """Twice relu, a separable convolution and a batch normalization; the first one may halve the image."""
    for i in (1, 2):
        x = layers.Activation("relu")(x)
        halving = i == 1 and strides == 2
        if halving:
            x = layers.ZeroPadding2D(correct_pad(x, size), name=f"separable_conv_1_pad_{label}")(x)
        x = layers.SeparableConv2D(
            filters,
            size,
            strides=strides if halving else 1,
            padding="valid" if halving else "same",
            use_bias=False,
            depthwise_initializer="he_normal",
            pointwise_initializer="he_normal",
            name=f"separable_conv_{i}_{label}",
        )(x)
        x = _normalized(x, f"separable_conv_{i}_bn_{label}")
    return x


def _adjusted(past: Any, x: Any, filters: int, label: str) -> Any:
    """`past` in the size of `x`, with `filters` channels."""
    if past is None:
        return x
    rows = 1 if _frame.channels() == 3 else 2
    if K.int_shape(past)[rows] != K.int_shape(x)[rows]:
        return _halved(past, filters, label)
    if _frame.count(past) != filters:
        past = layers.Activation("relu")(past)
        past = _pointwise(past, filters, f"adjust_conv_projection_{label}")
        return _normalized(past, f"adjust_bn_{label}")
    return past


def _halved(past: Any, filters: int, label: str) -> Any:
    past = layers.Activation("relu", name=f"adjust_relu_1_{label}")(past)
    # Every second cell, once from the first one on and once from its neighbour on the diagonal.
    shifted = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(past))
    halves = []
    for i, half in enumerate((past, shifted), 1):
        half = layers.AveragePooling2D(1, strides=2, padding="valid", name=f"adjust_avg_pool_{i}_{label}")(half)
        halves.append(_pointwise(half, filters // 2, f"adjust_conv_{i}_{label}"))
    return _normalized(layers.concatenate(halves, axis=_frame.channels()), f"adjust_bn_{label}")


def _entry(x: Any, past: Any, filters: int, kind: str, label: str) -> tuple[Any, Any]:
    past = _adjusted(past, x, filters, label)
    h = _pointwise(layers.Activation("relu")(x), filters, f"{kind}_conv_1_{label}")
    return _normalized(h, f"{kind}_bn_1_{label}"), past


def _normal(x: Any, past: Any, filters: int, label: str) -> tuple[Any, Any]:
    h, p = _entry(x, past, filters, "normal", label)

    def convolved(source: Any, size: int, place: str) -> Any:
        return _separable(source, filters, size, f"normal_{place}_{label}")

    def averaged(source: Any, place: str) -> Any:
        pool = layers.AveragePooling2D(3, strides=1, padding="same", name=f"normal_{place}_{label}")
        return pool(source)

    def added(number: int, first: Any, second: Any) -> Any:
        return layers.add([first, second], name=f"normal_add_{number}_{label}")

    parts = [
        p,
        added(1, convolved(h, 5, "left1"), convolved(p, 3, "right1")),
        added(2, convolved(p, 5, "left2"), convolved(p, 3, "right2")),
        added(3, averaged(h, "left3"), p),
        added(4, averaged(p, "left4"), averaged(p, "right4")),
        added(5, convolved(h, 3, "left5"), h),
    ]
    return layers.concatenate(parts, axis=_frame.channels(), name=f"normal_concat_{label}"), x


def _reduction(x: Any, past: Any, filters: int, label: str) -> tuple[Any, Any]:
    h, p = _entry(x, past, filters, "reduction", label)
    padded = layers.ZeroPadding2D(correct_pad(h, 3), name=f"reduction_pad_1_{label}")(h)

    def convolved(source: Any, size: int, place: str) -> Any:
        return _separable(source, filters, size, f"reduction_{place}_{label}", 2)

    def pooled(kind: Any, place: str) -> Any:
        return kind(3, strides=2, padding="valid", name=f"reduction_{place}_{label}")(padded)

    def added(name: str, first: Any, second: Any) -> Any:
        return layers.add([first, second], name=f"reduction_{name}_{label}")

    first = added("add_1", convolved(h, 5, "left1"), convolved(p, 7, "right1"))
    second = added("add_2", pooled(layers.MaxPooling2D, "left2"), convolved(p, 7, "right2"))
    third = added("add3", pooled(layers.AveragePooling2D, "left3"), convolved(p, 5, "right3"))
    mean = layers.AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{label}")(first)
    fourth = layers.add([second, mean])
    fifth = added(
        "add4",
        _separable(first, filters, 3, f"reduction_left4_{label}"),
        pooled(layers.MaxPooling2D, "right5"),
    )
    parts = [second, third, fourth, fifth]
    return layers.concatenate(parts, axis=_frame.channels(), name=f"reduction_concat_{label}"), x
