"""Layers that prepare inputs, as TensorFlow 2.2 to 2.5 called them."""

from __future__ import annotations

from kjax.layers._rescaling import Rescaling

__all__ = ["Rescaling"]
