"""Drawing the layers of a model and how they are connected."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kjax._core import atomic
from kjax._core.graph import Tensor
from kjax.engine.base_layer import Layer
from kjax.engine.network import Network
from kjax.utils._drawing import Box, Drawing


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
    show_dtype: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> Any:
    """The layers of a model and their connections, to be drawn by Graphviz.

    Arguments:
        model: a built model.
        show_shapes: whether shapes of inputs and outputs are shown.
        show_layer_names: whether names are shown, or classes alone.
        rankdir: `'TB'` for a drawing from top to bottom, `'LR'` for one from left to right.
        expand_nested: whether models inside of the model are opened.
        dpi: dots in an inch.
        subgraph: has no effect.
        show_dtype: whether types of the outputs are shown.
        show_layer_activations: whether activation functions are shown.
        show_trainable: whether it is shown if a layer is trained.
        layer_range: names of the first and the last layer to draw.

    Returns:
        A `pydot.Dot` if pydot is installed; else an object with its methods `to_string`, `create` and `write`.

    Raises:
        ValueError: if the model has not been built.
    """
    if not model.built:
        raise ValueError(
            "This model has not yet been built, so that its layers are not known. Build it first by calling `build` or "
            "`fit`, or give its first layer an `input_shape`."
        )
    drawing = Drawing(rankdir, dpi)
    layers = _layers(model, expand_nested)
    if layer_range is not None:
        names = [layer.name for layer in layers]
        first, last = (names.index(name) for name in layer_range)
        layers = layers[first : last + 1]
    for layer in layers:
        label = f"{_name(layer)}: {_class(layer)}" if show_layer_names else _class(layer)
        if show_dtype:
            label += f" | {layer.dtype}"
        activation = getattr(layer, "activation", None)
        if show_layer_activations and activation is not None:
            label += f" | {getattr(activation, '__name__', activation)}"
        if show_trainable and layer.weights:
            label += " | trainable" if layer.trainable else " | not trainable"
        shapes = (_shape(layer, "input_shape"), _shape(layer, "output_shape")) if show_shapes else (None, None)
        drawing.boxes.append(Box(str(id(layer)), label, *shapes))
    kept = set(layers)
    drawing.arrows = [(str(id(a)), str(id(b))) for a, b in _arrows(model, expand_nested) if {a, b} <= kept]
    return _as_pydot(drawing)


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    show_dtype: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> Any:
    """Draw a model into a file. Graphviz draws it if it is installed; else it is drawn in a plainer way.

    Arguments:
        to_file: path of the file. Its ending names the format: png, jpg, pdf, svg, dot, ...

    The other arguments are those of `model_to_dot`.

    Returns:
        In a notebook the picture to be shown, else None.
    """
    dot = model_to_dot(
        model, show_shapes, show_layer_names, rankdir, expand_nested, dpi, False, show_dtype, show_layer_activations,
        show_trainable, layer_range,
    )  # fmt: skip
    path = Path(os.fspath(to_file))
    name = path.suffix[1:].lower() or "png"
    if not path.suffix:
        path = path.with_name(f"{path.name}.png")
    if name == "dot":
        atomic.write_text(path, dot.to_string(), durable=False)
    else:
        dot.write(str(path), format=name)
    return _shown(path, name)


def _shown(path: Path, name: str) -> Any:
    import sys

    display = sys.modules.get("IPython.display") if "ipykernel" in sys.modules else None
    return display.Image(filename=str(path)) if display is not None and name in ("png", "jpg", "jpeg") else None


def _as_pydot(drawing: Drawing) -> Any:
    """A `pydot.Dot` where both pydot and Graphviz are there, so that it can draw."""
    import shutil

    try:
        import pydot  # pyright: ignore[reportMissingImports]  # optional
    except ImportError:
        return drawing
    if shutil.which("dot") is None:
        return drawing
    graphs = pydot.graph_from_dot_data(drawing.to_string())
    return graphs[0] if graphs else drawing


def _opened(layer: Layer, expand_nested: bool) -> bool:
    return expand_nested and isinstance(layer, Network) and bool(layer._order)


def _layers(model: Any, expand_nested: bool) -> list[Layer]:
    """The layers to draw: those of the graph, with the inputs that `Sequential.layers` leaves out."""
    found: list[Layer] = []
    inputs = [tensor._keras_history[0] for tensor in model.inputs]
    for layer in dict.fromkeys([*inputs, *model.layers]):
        if _opened(layer, expand_nested):
            own_inputs = [tensor._keras_history[0] for tensor in layer.inputs]  # type: ignore[attr-defined]
            found += [inner for inner in _layers(layer, True) if inner not in own_inputs]
        else:
            found.append(layer)
    return found


def _sources(tensor: Any, expand_nested: bool, renamed: dict[Any, list[Layer]]) -> list[Layer]:
    """The layers that an arrow from a tensor starts at. What is computed without a layer has none: theirs count."""
    if tensor in renamed:
        return renamed[tensor]
    history = tensor._keras_history
    if history is None:
        node = tensor.node
        parts = [t for t in node.inputs if isinstance(t, Tensor)] if node is not None else []
        return [layer for part in parts for layer in _sources(part, expand_nested, renamed)]
    layer = history[0]
    if _opened(layer, expand_nested):
        return _sources(layer.outputs[history[2]], expand_nested, renamed)
    return [layer]


def _arrows(
    model: Any, expand_nested: bool, renamed: dict[Any, list[Layer]] | None = None
) -> list[tuple[Layer, Layer]]:
    renamed = renamed or {}
    arrows: list[tuple[Layer, Layer]] = []
    for node in model._order:
        layer = node.op
        if not isinstance(layer, Layer):
            continue
        tensors = [tensor for tensor in node.inputs if isinstance(tensor, Tensor)]
        sources = [_sources(tensor, expand_nested, renamed) for tensor in tensors]
        if _opened(layer, expand_nested):
            inner = {**renamed, **dict(zip(layer.inputs, sources, strict=False))}  # type: ignore[attr-defined]
            arrows += _arrows(layer, True, inner)
            renamed = inner
        else:
            arrows += [(source, layer) for several in sources for source in several]
    return list(dict.fromkeys(arrows))


def _wrapped(layer: Any) -> Any:
    inner = getattr(layer, "layer", None)
    return inner if isinstance(inner, Layer) else None


def _name(layer: Layer) -> str:
    inner = _wrapped(layer)
    return layer.name if inner is None else f"{layer.name}({inner.name})"


def _class(layer: Layer) -> str:
    inner = _wrapped(layer)
    own = type(layer).__name__
    return own if inner is None else f"{own}({type(inner).__name__})"


def _shape(layer: Layer, what: str) -> str:
    try:
        return str(getattr(layer, what))
    except AttributeError:
        return "multiple"
