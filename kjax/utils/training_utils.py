"""Where Keras 2.1 had `multi_gpu_model`."""

from __future__ import annotations

from kjax.utils.multi_gpu_utils import multi_gpu_model

__all__ = ["multi_gpu_model"]
