"""Pieces of graph that an operation evaluates by itself: the branches of `cond`, the bodies of loops."""

from __future__ import annotations

from typing import Any

import jax

from kjax._core import graph
from kjax._core.graph import Node, topological
from kjax._core.tensors import Tensor, Variable
from kjax.backend._ops import array
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import convert


class Part:
    """A piece of graph with values for its own leaves.

    Arguments:
        own: the leaves that stand for the operation's own values. What depends on none is computed outside, once.
        made: what the piece computes, in any structure.
        since: for a piece without own leaves, the number of its first node: what was made before is outside.
    """

    def __init__(self, own: list[Tensor], made: Any, since: int = 0) -> None:
        self.own, self.structure = own, jax.tree.structure(made)
        self.outputs = [convert(x) for x in jax.tree.leaves(made)]
        inside: dict[Any, None] = dict.fromkeys(own)
        self.nodes = []
        for node in topological(self.outputs, own):
            if any(x in inside for x in (*node.inputs, *node.after)) if own else node.number >= since:
                self.nodes.append(node)
                inside.update(dict.fromkeys(node.outputs))
        used = [*(x for node in self.nodes for x in (*node.inputs, *node.after)), *self.outputs]
        self.outer = list(dict.fromkeys(x for x in used if isinstance(x, Tensor) and x not in inside))

    def run(self, values: list[Any], outer: list[Any]) -> list[Any]:
        """The outputs, given values of the own leaves and of what is computed outside."""
        feeds = {**dict(zip(self.outer, outer, strict=True)), **dict(zip(self.own, values, strict=True))}
        return [array(x) for x in graph.evaluate(self.outputs, feeds)[0]]


def finish(built: Node, name: str, parts: list[Part], written: list[Variable]) -> None:
    """Enter a node that evaluates parts in the default graph, with what they read and write."""
    default = _graph.get_default_graph()
    _graph.finish(built, default.unique_name(name), name)
    inside = [n for part in parts for n in part.nodes]
    built.within = tuple(t for part in parts for t in part.outputs)
    read = (v for n in inside for v in (*n.inputs, *n.reads) if isinstance(v, Variable))
    built.reads = tuple(dict.fromkeys([*read, *written]))
    built.writes = tuple(written)
    for output in built.outputs:
        output.known = output.known and not written


def writes_of(parts: list[Part]) -> list[Any]:
    """The variables that parts write."""
    return list(dict.fromkeys(v for part in parts for node in part.nodes for v in node.writes))
