"""Looking into traced programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from kjax._core.concrete import needs_values


def contains(jaxpr: Any, test: Callable[[Any], bool]) -> bool:
    """Whether an operation of a program, or of one inside of it, passes a test."""
    for equation in jaxpr.eqns:
        if test(equation):
            return True
        inner = (getattr(value, "jaxpr", value) for value in jax.tree.leaves(list(equation.params.values())))
        if any(contains(value, test) for value in inner if hasattr(value, "eqns")):
            return True
    return False


def has_own_backward(function: Callable[..., Any], *args: Any) -> bool:
    """Whether a function has a gradient that somebody wrote by hand: twice as much need not go in to get twice as much.

    As gradients are clipped, or signs are looked at, in such a rule. Of one that cannot be traced, it may.
    """
    try:
        jaxpr = jax.make_jaxpr(function)(*args).jaxpr
    except (IndexError, TypeError) as error:
        if not needs_values(error):
            raise
        return True
    return contains(jaxpr, lambda e: e.primitive.name.startswith("custom_vjp"))
