"""The networks of `resnet` and `resnet_v2`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kjax import layers
from kjax.applications import _frame
from kjax.applications._weights import stored

_EPSILON = 1.001e-5

# Blocks of the stages 2 to 5, and md5 sums of the weights with and without classifier.
_MODELS = {
    "resnet50": ((3, 4, 6, 3), "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ((3, 4, 23, 3), "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ((3, 8, 36, 3), "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ((3, 4, 6, 3), "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ((3, 4, 23, 3), "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ((3, 8, 36, 3), "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def build(name: str, *arguments: Any) -> Any:
    """The model of that name; `arguments` are those of `_frame.wishes`."""
    depths, top, notop = _MODELS[name]
    second = name.endswith("v2")
    asked = _frame.wishes(*arguments)
    start = _frame.image(asked, 224, 32)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(start)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not second:
        x = _normalized(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    x = (_stages_v2 if second else _stages_v1)(x, depths)
    if second:
        x = _normalized(x, "post")
    pretrained = stored("resnet", name, top, notop)
    return _frame.finish(name, start, x, asked, _frame.averaged("probs"), pretrained, pool_names=True)


def _normalized(x: Any, label: str, activation: str | None = "relu") -> Any:
    return _frame.normalized(x, f"{label}_bn", activation, f"{label}_relu", epsilon=_EPSILON)


def _stages_v1(x: Any, depths: Sequence[int]) -> Any:
    for stage, depth in enumerate(depths, 2):
        filters = 32 << (stage - 1)
        for block in range(1, depth + 1):
            strides = 2 if block == 1 and stage > 2 else 1
            x = _block_v1(x, filters, f"conv{stage}_block{block}", strides, shortcut=block == 1)
    return x


def _block_v1(x: Any, filters: int, name: str, strides: int, shortcut: bool) -> Any:
    past = x
    if shortcut:
        past = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        past = _normalized(past, f"{name}_0", None)
    x = _normalized(layers.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x), f"{name}_1")
    x = _normalized(layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x), f"{name}_2")
    x = _normalized(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3", None)
    x = layers.Add(name=f"{name}_add")([past, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _stages_v2(x: Any, depths: Sequence[int]) -> Any:
    for stage, depth in enumerate(depths, 2):
        filters = 32 << (stage - 1)
        for block in range(1, depth + 1):
            strides = 2 if block == depth and stage < 5 else 1
            x = _block_v2(x, filters, f"conv{stage}_block{block}", strides, shortcut=block == 1)
    return x


def _block_v2(x: Any, filters: int, name: str, strides: int, shortcut: bool) -> Any:
    before = _normalized(x, f"{name}_preact")
    if shortcut:
        past = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(before)
    else:
        past = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    x = _normalized(layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before), f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = _normalized(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([past, x])
