"""`device_lib.list_local_devices()`, by which scripts of TensorFlow 1 looked for a GPU."""

from __future__ import annotations

from typing import Any, NamedTuple

from kjax.compat.tensorflow import config


class DeviceAttributes(NamedTuple):
    """A device: its name and its kind. Nothing is known of its memory."""

    name: str
    device_type: str
    memory_limit: int = 0
    physical_device_desc: str = ""


def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The CPU, and what else JAX computes on."""
    return [DeviceAttributes(device.name, device.device_type) for device in config.list_logical_devices()]
