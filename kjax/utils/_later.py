"""What tf.keras 2 added to `keras.utils`: seeds, registered classes, parts of a batch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core.registry import get_custom_objects

_registered: dict[Any, str] = {}


def set_random_seed(seed: int) -> None:
    """Seed Python's and numpy's global generators, from which all of kjax's random numbers come.

    Raises:
        ValueError: if the seed is no whole number.
    """
    if not isinstance(seed, int):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    random.seed(seed)
    np.random.seed(seed)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """A decorator for classes and functions: files and configs that name them find them.

    Arguments:
        package: a word before the name, as in `'Custom>MyLayer'`.
        name: the name; that of the class or function if None.

    Raises:
        ValueError: for a class without `get_config`.
    """

    def decorate(obj: Any) -> Any:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        full = f"{package}>{name or obj.__name__}"
        # kjax's files have the class's own name, those of tf.keras the full one.
        get_custom_objects().update({full: obj, obj.__name__: obj})
        _registered[obj] = full
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function was registered; its own if it was not."""
    name: str = obj.__name__
    return _registered.get(obj, name)


def get_registered_object(name: str, custom_objects: Any = None, module_objects: Any = None) -> Any:
    """The class or function of a name, or None."""
    for table in (custom_objects or {}, get_custom_objects(), module_objects or {}):
        if name in table:
            return table[name]
    return None


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Inputs, targets and weights as one tuple, without those at the end that are None."""
    if sample_weight is not None:
        return (x, y, sample_weight)
    if y is not None:
        return (x, y)
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of what `pack_x_y_sample_weight` gave, None for those that are not there.

    Raises:
        ValueError: for a tuple of more than three.
    """
    parts: tuple[Any, ...] = data if isinstance(data, tuple) else (data,)
    if len(parts) > 3:
        raise ValueError(f"Data must be `x`, `(x, y)` or `(x, y, sample_weight)`. Found: {len(parts)} parts.")
    x, y, sample_weight, *_ = (*parts, None, None, None)
    return x, y, sample_weight


def to_ordinal(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Class numbers as rows of ones, as many as the number, then zeros; a row has one place less than classes.

    Arguments:
        y: class numbers from 0 on.
        num_classes: number of classes; the largest number plus one if None.
        dtype: type of the result.
    """
    numbers = np.asarray(y, "int64")
    numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
    places = np.arange(int(num_classes or numbers.max() + 1) - 1)
    return (places < numbers[..., None]).astype(dtype)
