"""Which shapes and types an operation gives, told without computing it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from kjax._core import concrete, scope, stand_ins
from kjax._core.tensors import Tensor, Variable

if TYPE_CHECKING:
    from kjax._core.graph import Node

# Numbers for an operation that is run, and not traced, to see its shapes.
_RUN_FILLS = (12, 24)


def infer_shapes(node: Node) -> list[tuple[Any, Any]]:
    """What `_infer` finds for each stand-in of the unknown dimensions; by running the operation if it needs values."""
    try:
        return _infer_for(node, stand_ins.for_inputs(node.inputs))
    except (IndexError, TypeError) as error:
        if not concrete.needs_values(error):
            raise
    node.needs_values = True
    return _infer_for(node, _RUN_FILLS)


def _infer_for(node: Node, fills: Sequence[int]) -> list[tuple[Any, Any]]:
    try:
        return [_infer(node, fill, number) for number, fill in enumerate(fills)]
    except (TypeError, ValueError) as error:
        if concrete.needs_values(error):
            raise
        for others in stand_ins.others([*node.inputs, *node.leaves], str(error)) if len(fills) > 1 else ():
            with contextlib.suppress(TypeError, ValueError):
                return [_infer(node, fill, number) for number, fill in enumerate(others)]
        error.args = tuple(stand_ins.readable(part) for part in error.args)
        raise


def _infer(node: Node, fill: int, number: int) -> tuple[Any, Any]:
    """Shapes and types of the node's outputs and masks, with `fill` for each unknown dimension.

    Arguments:
        number: chooses the values of a node that needs values.
    """
    run, values, masks = tracer(node, fill, training=False)
    if not node.needs_values:
        return jax.eval_shape(run, values, masks)
    found = run(*jax.tree.map(lambda kind: concrete.examples(kind, number), (values, masks)))
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)), found)


def tracer(node: Node, fill: int, training: bool) -> tuple[Callable[..., Any], Any, Any]:
    """A function that runs a node on arrays and masks, and stand-ins of both with `fill` for unknown dimensions."""
    arrays = [x for x in node.inputs if isinstance(x, Tensor) and x.static is None]
    masked = [x for x in arrays if x.mask is not None]

    def filled(x: Tensor) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(tuple(fill if d is None else d for d in x.shape), x.dtype)

    def run(values: list[Any], masks: list[Any]) -> tuple[Any, Any]:
        known = dict(zip(arrays, values, strict=True))
        known_masks = dict(zip(masked, masks, strict=True))

        def lookup(x: Any) -> Any:
            if isinstance(x, Variable):
                return x.value
            if x.static is not None:
                return x.static(fill)
            if x not in known:  # a tensor from outside that the operation captured
                known[x] = jnp.zeros(filled(x).shape, x.dtype)
            return known[x]

        with _Outline(training=training):
            return node.call(lookup, known_masks.get)

    return run, [filled(x) for x in arrays], [filled(x.mask) for x in masked if x.mask is not None]


class _Outline(scope.Scope):
    """A scope for shapes alone: a variable may have no value yet, or no memory, and gets none here."""

    def read(self, variable: Any) -> Any:
        if variable in self._values or (variable.initialized and not getattr(variable, "is_unfilled", False)):
            return super().read(variable)
        return jnp.zeros(variable.shape, jax.dtypes.canonicalize_dtype(variable.dtype))
