"""`tf.test`: whether there is a GPU."""

from __future__ import annotations

from typing import Any

from kjax.compat.tensorflow import config
from kjax.compat.tensorflow._missing import attribute


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether JAX computes on a GPU."""
    return bool(config.list_physical_devices("GPU"))


def gpu_device_name() -> str:
    """The name of the first GPU, or an empty one."""
    return "/device:GPU:0" if is_gpu_available() else ""


def is_built_with_cuda() -> bool:
    """Whether JAX computes on a GPU."""
    return is_gpu_available()


is_built_with_gpu_support = is_built_with_cuda

__all__ = ["gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support", "is_gpu_available"]

__getattr__ = attribute("tensorflow.test", __all__)
