"""`tf.config`: which devices there are; the settings, which JAX has its own of, are accepted."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from kjax.compat.tensorflow._missing import attribute
from kjax.compat.tensorflow._others import Settings


class PhysicalDevice(NamedTuple):
    """A device, by its name and its kind: `'CPU'`, `'GPU'` or `'TPU'`."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(Settings):
    """Settings of a part of a device; without effect."""


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that JAX computes on, those of a kind if one is named. There is always a CPU.

    Arguments:
        device_type: `'CPU'`, `'GPU'`, `'TPU'`, or None for all.
    """
    kinds = ["CPU", *(d.platform.upper() for d in jax.devices() if d.platform != "cpu")]
    found = [PhysicalDevice(f"/physical_device:{kind}:{kinds[:i].count(kind)}", kind) for i, kind in enumerate(kinds)]
    return [device for device in found if device_type in (None, device.device_type)]


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The same devices."""
    return [PhysicalDevice(f"/device:{d.name[17:]}", d.device_type) for d in list_physical_devices(device_type)]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """All devices."""
    return list_physical_devices(device_type)


def _accepted(*_: Any, **__: Any) -> None:
    """Accepted, without effect: `XLA_PYTHON_CLIENT_PREALLOCATE`, `CUDA_VISIBLE_DEVICES` and their like decide."""


set_visible_devices = set_soft_device_placement = run_functions_eagerly = _accepted
set_logical_device_configuration = _accepted
optimizer = threading = Settings(
    set_jit=_accepted, set_inter_op_parallelism_threads=_accepted, set_intra_op_parallelism_threads=_accepted
)
experimental_run_functions_eagerly = _accepted
experimental = Settings(
    list_physical_devices=list_physical_devices,
    list_logical_devices=list_logical_devices,
    get_visible_devices=get_visible_devices,
    set_visible_devices=_accepted,
    set_memory_growth=_accepted,
    set_virtual_device_configuration=_accepted,
    VirtualDeviceConfiguration=LogicalDeviceConfiguration,
)

__all__ = [
    "LogicalDeviceConfiguration", "PhysicalDevice", "experimental", "experimental_run_functions_eagerly",
    "get_visible_devices", "list_logical_devices", "list_physical_devices", "optimizer", "run_functions_eagerly",
    "set_logical_device_configuration", "set_soft_device_placement", "set_visible_devices", "threading",
]  # fmt: skip

__getattr__ = attribute("tensorflow.config", __all__)
