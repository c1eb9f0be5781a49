"""The network of VGG16 and VGG19."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kjax import layers
from kjax.applications import _frame
from kjax.applications._weights import Pretrained

_FILTERS = (64, 128, 256, 512, 512)


def build(name: str, depths: Sequence[int], asked: _frame.Wishes, pretrained: Pretrained) -> Any:
    """The model.

    Arguments:
        depths: number of convolutions of each of the five blocks.
    """
    start = x = _frame.image(asked, 224, 32)
    for block, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    return _frame.finish(name, start, x, asked, _classifier, pretrained)


def _classifier(x: Any, asked: _frame.Wishes) -> Any:
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return layers.Dense(asked.classes, activation=asked.activation, name="predictions")(x)
