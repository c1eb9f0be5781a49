"""Programs whose shapes depend on values, as the places where a mask is true do.

JAX compiles for shapes that are known. A program that asks for a value while it is traced ends with an error of JAX's.
Such a program is run operation by operation instead, where every value is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.errors import (
    ConcretizationTypeError,
    NonConcreteBooleanIndexError,
    TracerArrayConversionError,
    TracerIntegerConversionError,
)

_ERRORS = (
    ConcretizationTypeError,
    NonConcreteBooleanIndexError,
    TracerArrayConversionError,
    TracerIntegerConversionError,
)
# Errors without a kind of their own: of a slice, of a shape, of an argument that has to be a plain number.
_WORDS = re.compile(r"must be static integers|concrete values of integer type|parameters to jaxpr equations must")


def needs_values(error: BaseException) -> bool:
    """Whether an error says that a value was asked for which a traced program does not have."""
    return isinstance(error, _ERRORS) or (
        isinstance(error, (IndexError, TypeError)) and bool(_WORDS.search(str(error)))
    )


def is_known(values: Any) -> bool:
    """Whether all arrays in a tree have values here."""
    tracers = (leaf for leaf in jax.tree.leaves(values) if isinstance(leaf, Tracer))
    return all(leaf.to_concrete_value() is not None for leaf in tracers)


def rather(first: Callable[[], Any], otherwise: Callable[[], Any], values: Any) -> Any:
    """What `first` gives; if that asks for values, and those in the tree `values` are known, what `otherwise` gives."""
    try:
        return first()
    except (IndexError, TypeError) as error:
        if not needs_values(error) or not is_known(values):
            raise
    return otherwise()


def examples(kind: Any, number: int) -> Any:
    """Some array of a shape and type, to see which shapes come of it. Another `number` gives other values."""
    drawn = np.random.default_rng(number).random(kind.shape)
    # Most of them are 0 for odd numbers, so that what counts the others finds another count.
    drawn = np.where(drawn < (number % 2) * 0.75, 0.0, drawn)
    dtype = np.dtype(kind.dtype)
    return jax.numpy.asarray((drawn > 0.5 if dtype.kind in "biu" else drawn).astype(dtype))


def value_of(x: Any) -> np.ndarray:
    """The value of an array as one of numpy's, also within a gradient.

    Raises:
        TracerArrayConversionError: if it has none here: see `needs_values`.
    """
    while isinstance(x, Tracer) and (inner := x.to_concrete_value()) is not None:
        x = inner
    return np.asarray(x)
