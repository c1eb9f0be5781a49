"""Layers that prepare inputs, as TensorFlow 2.2 to 2.5 called them."""

from __future__ import annotations

from kjax.layers._lookup import IntegerLookup, StringLookup
from kjax.layers._preprocessing import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Normalization,
    PreprocessingLayer,
)
from kjax.layers._random_images import (
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from kjax.layers._rescaling import Rescaling
from kjax.layers._resizing import CenterCrop, Resizing
from kjax.layers._text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding", "CenterCrop", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "Normalization",
    "PreprocessingLayer", "RandomContrast", "RandomCrop", "RandomFlip", "RandomHeight", "RandomRotation",
    "RandomTranslation", "RandomWidth", "RandomZoom", "Rescaling", "Resizing", "StringLookup", "TextVectorization",
]  # fmt: skip
