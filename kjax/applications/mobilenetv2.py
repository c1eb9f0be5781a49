"""The name under which Keras 2.2.0 had `mobilenet_v2`."""

from __future__ import annotations

from kjax.applications.mobilenet_v2 import MobileNetV2, decode_predictions, preprocess_input

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
