"""Layers that prepare inputs, as TensorFlow 2.2 to 2.5 called them."""

from __future__ import annotations

from typing import Any

from kjax import layers
from kjax.layers._rescaling import Rescaling as Rescaling

_NAMES = frozenset((
    "CategoryEncoding", "CenterCrop", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "Normalization",
    "RandomContrast", "RandomCrop", "RandomFlip", "RandomHeight", "RandomRotation", "RandomTranslation", "RandomWidth",
    "RandomZoom", "Resizing", "StringLookup", "TextVectorization",
))  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(layers, name)
    if name == "PreprocessingLayer":
        from kjax.layers._preprocessing import PreprocessingLayer

        return PreprocessingLayer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*_NAMES, "PreprocessingLayer", "Rescaling"})
