"""Data sets by their Keras names; a set's module is imported when it is first asked for."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kjax.datasets import (
        boston_housing,
        cifar10,
        cifar100,
        drawn_digits,
        fashion_mnist,
        imdb,
        mnist,
        reuters,
    )

__all__ = ["boston_housing", "cifar10", "cifar100", "drawn_digits", "fashion_mnist", "imdb", "mnist", "reuters"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; the data sets are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
