"""`keras.initializations` of Keras 0 and 1: functions from a shape to a variable, for layers of one's own.

Today's initializers, in `keras.initializers`, give values. `get` makes functions of the first kind from their names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from kjax import backend as K
from kjax import initializers
from kjax._core.graph import Variable
from kjax.engine._weights import initial_value


def _variable(initializer: Any, shape: Sequence[int], name: str | None) -> Variable:
    size = tuple(int(length) for length in shape)
    return K.variable(initial_value(initializer, size, K.floatx()), name=name)


def get_fans(shape: Sequence[int], dim_ordering: str = "th") -> tuple[float, float]:
    """The numbers of inputs and of outputs of a kernel of a dense layer or convolution.

    Arguments:
        shape: the kernel's shape.
        dim_ordering: `'th'` for (outputs, inputs, rows, columns), `'tf'` for (rows, columns, inputs, outputs).
    """
    ordering = {"th": "channels_first", "tf": "channels_last"}.get(dim_ordering, dim_ordering)
    return initializers._compute_fans(tuple(shape), ordering)


def uniform(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Variable:
    """Uniform numbers between `-scale` and `scale`."""
    return _variable(initializers.RandomUniform(-scale, scale), shape, name)


def normal(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Variable:
    """Normal numbers around 0 with a standard deviation of `scale`."""
    return _variable(initializers.RandomNormal(0.0, scale), shape, name)


def identity(shape: Sequence[int], scale: float = 1.0, name: str | None = None, dim_ordering: str = "th") -> Variable:
    """`scale` times the identity matrix."""
    return _variable(initializers.Identity(scale), shape, name)


def orthogonal(shape: Sequence[int], scale: float = 1.1, name: str | None = None, dim_ordering: str = "th") -> Variable:
    """`scale` times an orthogonal matrix."""
    return _variable(initializers.Orthogonal(scale), shape, name)


def _named(identifier: Any) -> Callable[..., Variable]:
    initializer = initializers.get(identifier)

    def make(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Variable:
        return _variable(initializer, shape, name)

    make.__name__ = identifier if isinstance(identifier, str) else "initialization"
    make.__doc__ = f"A variable with first values from `{make.__name__}`."
    return make


lecun_uniform = _named("lecun_uniform")
glorot_normal = _named("glorot_normal")
glorot_uniform = _named("glorot_uniform")
he_normal = _named("he_normal")
he_uniform = _named("he_uniform")
zero = _named("zero")
one = _named("one")

_OWN = {function.__name__: function for function in (uniform, normal, identity, orthogonal)}


def get(identifier: Any, **kwargs: Any) -> Callable[..., Any]:
    """The function that a name stands for, or the function itself. `kwargs`, such as `scale`, are passed to it.

    Raises:
        ValueError: for an unknown name.
    """
    if not isinstance(identifier, str):
        return identifier
    found = _OWN.get(identifier) or _named(identifier)
    return functools.partial(found, **kwargs) if kwargs else found
