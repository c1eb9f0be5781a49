"""Tells from the text of a script of Keras 0 or 1 that its pictures have their channels first.

Up to Keras 1.0 pictures were (channels, rows, columns) unless a script said otherwise, and a file of settings could
keep it so later. Such a script gives no sign of it but the shapes that it writes: `input_shape=(3, 32, 32)`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from typing import Any

_OLD_KEYWORDS = frozenset(
    (
        "nb_epoch", "border_mode", "subsample", "nb_filter", "nb_row", "nb_col", "samples_per_epoch", "nb_val_samples",
        "show_accuracy", "W_regularizer", "poolsize", "pool_length", "class_mode", "output_dim",
    )
)  # fmt: skip
_CONVOLUTIONS = {"Convolution2D": 2, "Convolution3D": 3, "AtrousConvolution2D": 2, "Deconvolution2D": 2}
_SHAPES = ("input_shape", "batch_input_shape", "dims", "target_shape")
_INPUTS = ("Input", "InputLayer", "placeholder")
_SAYS = ("dim_ordering", "data_format")
_TURNS_FIRST = ((2, 0, 1), (0, 3, 1, 2))
_MOST_CHANNELS = 4


def channels_first(source: bytes | str, folder: str) -> bool:
    """Whether a script, with the modules that it imports from `folder`, is an old one whose channels come first.

    It is if nothing in it says how channels are ordered, it speaks Keras 0 or 1, and all shapes of pictures that can be
    told from the text have few channels in front.
    """
    nodes = [node for tree in _trees(source, folder) for node in ast.walk(tree)]
    if any(word in name for node in nodes for name in _names(node) for word in _SAYS):
        return False
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    ranks = {_CONVOLUTIONS[name] for call in calls if (name := _name(call.func)) in _CONVOLUTIONS}
    if not ranks or not any(_is_old(call) for call in calls):
        return False
    values = _assigned(nodes)
    found = {_order(shape, rank, values) for call in calls for shape in _shapes(call, values) for rank in ranks}
    found |= {"first" for call in calls if _turns_first(call) or _tells_channels(call)}
    return "first" in found and "last" not in found


def _trees(source: bytes | str, folder: str) -> Iterator[ast.Module]:
    """The script, and what it imports from the files beside it."""
    waiting, seen = [source], set[str]()
    while waiting:
        try:
            tree = ast.parse(waiting.pop())
        except (SyntaxError, ValueError, RecursionError):
            continue
        yield tree
        for name in _imported(tree):
            path = os.path.join(folder, name + ".py")
            if name not in seen and os.path.isfile(path):
                with open(path, "rb") as file:
                    waiting.append(file.read())
            seen.add(name)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.replace(".", os.sep)
        elif isinstance(node, ast.Import):
            yield from (alias.name.replace(".", os.sep) for alias in node.names)


def _names(node: ast.AST) -> Iterator[str]:
    """Names that stand at one node."""
    for field in ("id", "attr", "arg", "name"):
        if isinstance(name := getattr(node, field, None), str):
            yield name


def _name(function: ast.expr) -> str:
    return next(_names(function), "")


def _is_old(call: ast.Call) -> bool:
    by_place = _CONVOLUTIONS.get(_name(call.func), len(call.args))
    return len(call.args) > by_place or any(keyword.arg in _OLD_KEYWORDS for keyword in call.keywords)


def _assigned(nodes: Sequence[ast.AST]) -> dict[str, ast.expr]:
    """What is assigned to names, the first time."""
    values: dict[str, ast.expr] = {}
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs: Any = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    values.setdefault(name.id, value)
    return values


def _shapes(call: ast.Call, values: dict[str, ast.expr]) -> Iterator[list[ast.expr]]:
    """The shapes of pictures, or of many of them, that a call tells."""
    name = _name(call.func)
    words = (*_SHAPES, "shape", "batch_shape") if name in _INPUTS else _SHAPES
    given = [keyword.value for keyword in call.keywords if keyword.arg in words]
    if name in (*_INPUTS, "Reshape") and len(call.args) == 1:
        given += call.args
    if name == "reshape":
        given += call.args if len(call.args) < 3 else [ast.Tuple([ast.Constant(None), *call.args[1:]])]
    for shape in given:
        shape = values.get(shape.id, shape) if isinstance(shape, ast.Name) else shape
        if isinstance(shape, ast.Tuple) and not (name == "reshape" and len(shape.elts) < 4):
            yield shape.elts


def _order(shape: Sequence[ast.expr], rank: int, values: dict[str, ast.expr]) -> str:
    """`'first'`, `'last'`, or `''` where that cannot be told."""
    if not 0 <= len(shape) - rank - 1 <= 1:
        return ""
    few = [_is_few(size, values) for size in shape[-rank - 1 :]]
    if not any(few):
        return "first" if any(word in _name(shape[-1]).lower() for word in ("col", "width")) else ""
    return {(True, False): "first", (False, True): "last"}.get((few[0], few[-1]), "") if sum(few) == 1 else ""


def _is_few(size: ast.expr, values: dict[str, ast.expr]) -> bool:
    """Whether a length can only be a number of channels."""
    value = values.get(size.id, size) if isinstance(size, ast.Name) else size
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int) and 0 < value.value <= _MOST_CHANNELS
    return "channel" in _name(size).lower()


def _turns_first(call: ast.Call) -> bool:
    """Whether a call to `transpose` brings the channels of a picture to the front."""
    if _name(call.func) != "transpose":
        return False
    orders = [[*call.args], *(arg.elts for arg in call.args if isinstance(arg, (ast.Tuple, ast.List)))]
    return any(tuple(getattr(item, "value", None) for item in order) in _TURNS_FIRST for order in orders)


def _tells_channels(call: ast.Call) -> bool:
    """Whether a convolution is told the number of channels before its size, as in Keras 0, which had them first."""
    places = call.args[: _CONVOLUTIONS.get(_name(call.func), len(call.args)) + 2]
    return _name(call.func) == "Convolution2D" and len(places) == 4 and not _is_text(places[3])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
