"""What networks that others wrote use of `keras_applications`."""

from __future__ import annotations

from typing import Any

from kjax import backend, layers, models, utils
from kjax.applications import imagenet_utils

_MODULES = {"backend": backend, "layers": layers, "models": models, "utils": utils}


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The modules `backend`, `layers`, `models` and `utils` that a caller handed over; kjax's in the place of others.

    Raises:
        TypeError: for another keyword.
    """
    unknown = sorted(set(kwargs) - set(_MODULES))
    if unknown:
        raise TypeError(f"Invalid keyword argument: {unknown[0]!r}. There are {', '.join(_MODULES)}.")
    return tuple(kwargs.get(name) or module for name, module in _MODULES.items())  # type: ignore[return-value]


def get_keras_submodule(name: str) -> Any:
    """One of these modules by its name; also the `engine`."""
    return models if name == "engine" else _MODULES[name]


def set_keras_submodules(**kwargs: Any) -> None:
    """Accepted: the modules are always kjax's."""


def correct_pad(backend: Any, inputs: Any, kernel_size: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Cells to add before and after the rows and the columns, for a convolution of stride 2 without padding."""
    down, across = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return imagenet_utils.correct_pad(inputs, down)[0], imagenet_utils.correct_pad(inputs, across)[1]
