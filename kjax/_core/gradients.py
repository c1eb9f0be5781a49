"""Symbolic gradients: one node that evaluates the part of the graph behind a tensor, and differentiates it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kjax._core import naming, scope
from kjax._core.graph import Node, evaluate, topological
from kjax._core.tensors import Tensor, Variable


@jax.custom_vjp
def _tied(gradients: list[Any], sources: list[Any]) -> list[Any]:
    """The gradients; their own derivatives reach `sources`, where JAX would say that there is no path."""
    return gradients


def _tied_forward(gradients: list[Any], sources: list[Any]) -> tuple[list[Any], list[Any]]:
    return gradients, sources


def _tied_backward(sources: list[Any], by: list[Any]) -> tuple[list[Any], list[Any]]:
    return by, [jnp.zeros_like(x) if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else None for x in sources]


_tied.defvjp(_tied_forward, _tied_backward)


def gradients(loss: Tensor, xs: Sequence[Any]) -> list[Tensor]:
    """Symbolic gradients of the sum of `loss` with respect to tensors or variables: one node with many outputs.

    What does not influence the loss has a gradient of zeros. A gradient that is differentiated in turn depends on all
    that it was computed from, if only by zeros: so do those of a pool's largest numbers or of a relu.
    """
    order = topological([loss])
    made = {tensor for node in order for tensor in node.outputs}
    leaves = {x for node in order for x in node.inputs if isinstance(x, Tensor) and x.masked is None and x not in made}
    arguments = list(dict.fromkeys([*leaves, *(x for x in xs if isinstance(x, Tensor))]))

    def gradient(values: list[Any]) -> list[Any]:
        feeds = dict(zip(arguments, values, strict=True))
        at = [feeds[x] if isinstance(x, Tensor) else x.value for x in xs]

        def total(at: list[Any]) -> Any:
            tensors = {x: v for x, v in zip(xs, at, strict=True) if isinstance(x, Tensor)}
            variables = {x: v for x, v in zip(xs, at, strict=True) if isinstance(x, Variable)}
            opened = scope.current()
            assert opened is not None, "gradients are computed in a program"
            fed = {**{k: v for k, v in feeds.items() if k in leaves}, **tensors}
            # What the loss writes on its way is for its own node to write.
            with opened.overriding(variables), opened.inside(frozen=True):
                (value,), _ = evaluate([loss], fed, book=opened.book)
            return jnp.sum(value)

        return _tied(jax.grad(total)(at), [*values, *at])

    # A gradient has the shape of what it is taken at: nothing has to be traced to know it.
    node = Node(gradient, (arguments,), {})
    name = naming.unique_name("gradient")
    node.outputs = [Tensor(x.shape, x.dtype, f"{name}:{i}", node, i) for i, x in enumerate(xs)]
    node.result = node.outputs
    node.within = (loss,)
    node.reads = tuple(x for x in xs if isinstance(x, Variable))
    return list(node.outputs)
