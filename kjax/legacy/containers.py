"""`keras.layers.containers` of Keras 0: models as parts of models."""

from __future__ import annotations

from kjax.legacy.graph import Graph
from kjax.models import Sequential

__all__ = ["Graph", "Sequential"]
