"""`Merge` and `merge` of Keras 0 and 1: layers, models or tensors made one, by the name of a mode or a function."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from typing import Any

from kjax import backend as K
from kjax import layers
from kjax._core import notices
from kjax._core.graph import Tensor
from kjax._core.registry import get_custom_objects
from kjax.engine.base_layer import Layer, registry
from kjax.engine.network import Network
from kjax.layers import core
from kjax.layers import merge as todays
from kjax.layers._merging import known_lengths

# The layer of today that does what a mode did.
_TODAY = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}

# The function of today that does what a mode did.
_FUNCTIONS = {
    "sum": "add",
    "mul": "multiply",
    "ave": "average",
    "max": "maximum",
    "concat": "concatenate",
    "dot": "dot",
    "cos": "dot(..., normalize=True)",
}


class Merge(Layer):
    """Merges the outputs of layers or models, or tensors.

    As the first layer of a `Sequential` it brings the inputs of what it merges along: the model has them all.

    Arguments:
        layers: layers or models whose outputs are merged; None if the layer is called on tensors.
        mode: `'sum'`, `'mul'`, `'concat'`, `'ave'`, `'cos'`, `'dot'`, `'max'`, or a function of the list of tensors.
        concat_axis: axis along which `'concat'` joins.
        dot_axes: axis, or axis of each tensor, over which `'dot'` and `'cos'` sum.
        output_shape: accepted; shapes are found by tracing.
        output_mask: mask of the output of a function, or a function of the inputs' masks.
        arguments: keyword arguments of a function.
        node_indices, tensor_indices: which call of each layer is meant, and which of its outputs.

    Raises:
        ValueError: for an unknown mode, or fewer than two things to merge.
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: dict[str, Any] | None = None,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(mode) and mode not in _FUNCTIONS:
            raise ValueError(f"Invalid merge mode: {mode!r}. Should be one of {list(_FUNCTIONS)}, or a function.")
        today = "a `Lambda` layer" if callable(mode) else f"`keras.layers.{_FUNCTIONS[mode]}`"
        notices.warn(f"`Merge` and `merge` are deprecated. Use {today} on tensors instead.")
        self.supports_masking = True
        self.mode = mode
        self.concat_axis = concat_axis
        self.dot_axes = _two_axes(dot_axes)
        self._mask_made = output_mask
        self.arguments = dict(arguments or {})
        self._today = self._layer_of_today()
        given = list(layers or ())
        self.layers = [item for item in given if isinstance(item, Layer)]
        if given:
            if len(given) < 2:
                raise ValueError(f"Merge should be called on a list of at least 2 layers. Got {len(given)}.")
            nodes = node_indices or [-1] * len(given)
            outputs = tensor_indices or [0] * len(given)
            self([output_of(*place) for place in zip(given, nodes, outputs, strict=True)])

    def _layer_of_today(self) -> Layer | None:
        if callable(self.mode) or self.mode == "cos":
            return None
        options = {"Concatenate": {"axis": self.concat_axis}, "Dot": {"axes": self.dot_axes}}
        name = _TODAY[self.mode]
        return getattr(layers, name)(**options.get(name, {}), name=f"{self.name}_{self.mode}")

    @property
    def brings_inputs(self) -> bool:
        """Whether it is connected to inputs of its own."""
        return bool(self.layers) and bool(self._inbound_nodes)

    def build(self, input_shape: Any) -> None:
        if self._today is not None:
            self._today.build(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self._today is not None:
            return self._today.call(inputs)
        if callable(self.mode):
            return self.mode(inputs, **self.arguments)
        first, second = inputs
        axes = (self.dot_axes[0] % K.ndim(first), self.dot_axes[1] % K.ndim(second))
        squares = K.batch_dot(first, first, axes[0]) * K.batch_dot(second, second, axes[1])
        return K.batch_dot(first, second, axes) / K.maximum(K.sqrt(squares), K.epsilon())

    def _make_node(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        element_wise = self._today if isinstance(self._today, todays._Merge) else None
        if element_wise is None:
            return super()._make_node(inputs, args, kwargs)
        element_wise._lengths = known_lengths([tuple(x.shape) for x in inputs])
        try:
            return super()._make_node(inputs, args, kwargs)
        finally:
            element_wise._lengths = None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if callable(self.mode):
            return self._mask_made(mask) if callable(self._mask_made) else self._mask_made
        if mask is None or all(m is None for m in mask) or self.mode in ("dot", "cos"):
            return None
        assert self._today is not None
        return self._today.compute_mask(inputs, mask)

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            **super().get_config(),
            "mode": self.mode,
            "concat_axis": self.concat_axis,
            "dot_axes": self.dot_axes,
        }
        if self.layers:
            config["layers"] = [layers.serialize(layer) for layer in self.layers]
        if self.arguments:
            config["arguments"] = self.arguments
        return config

    @classmethod
    def from_config(cls, config: Any) -> Any:
        parts = [layers.deserialize(part) for part in config.get("layers", ())]
        arguments: dict[str, Any] = {**config, "layers": parts or None}
        for name in ("mode", "output_shape", "output_mask"):
            arguments[name] = _of_kind(name, arguments.get(name), arguments.pop(f"{name}_type", "raw"))
        if arguments["mode"] is None:
            arguments.pop("mode")
        return cls(**arguments)


def _of_kind(what: str, value: Any, kind: str) -> Any:
    """An argument in a config of Keras 1, which told whether it is a value, the name of a function, or bytecode."""
    if kind == "raw":
        return value
    known = get_custom_objects()
    if kind == "function" and isinstance(value, str) and value in known:
        return known[value]
    wanted = f"the function {value!r}" if kind == "function" else "a lambda, whose bytecode kjax never runs"
    raise ValueError(
        f"The `{what}` of a Merge layer is {wanted}. Define it in your program: name a function in `custom_objects`, "
        "and build a model with a lambda by its own code, and call `load_weights`."
    )


def _two_axes(axes: Any) -> list[int]:
    """The axis of each tensor. Keras 0 had lists of axes, of one each."""
    pair = [axes, axes] if isinstance(axes, int) else list(axes)
    return [axis if isinstance(axis, int) else axis[0] for axis in pair]


def output_of(item: Any, node_index: int, tensor_index: int) -> Tensor:
    """The tensor that stands for a layer or model to be merged; a layer that was not called yet gets its input."""
    if isinstance(item, Tensor):
        return item
    if not isinstance(item, Layer):
        raise TypeError(f"Merge needs layers, models or tensors. Found: {item!r}")
    if isinstance(item, Network) and item.outputs:
        return item.outputs[tensor_index]
    if not item._inbound_nodes:
        shape = getattr(item, "batch_input_shape", None)
        if shape is None:
            raise ValueError(
                f"Merge was given {item.name}, whose input is not known yet. Give its first layer an `input_shape`."
            )
        item(layers.Input(batch_shape=shape, dtype=item.dtype, name=f"{item.name}_input"))
    return item._inbound_nodes[node_index].outputs[tensor_index]


def merge(
    inputs: Sequence[Any],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict[str, Any] | None = None,
    node_indices: Sequence[int] | None = None,
    tensor_indices: Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """The tensor that a `Merge` layer of these arguments makes of `inputs`."""
    layer = Merge(
        inputs, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, node_indices, tensor_indices,
        **({} if name is None else {"name": name}),
    )  # fmt: skip
    return layer.get_output_at(0)


class _CallableModule(types.ModuleType):
    """`kjax.layers.merge` is a module, and in Keras 1 it was a function: here it is both."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return merge(*args, **kwargs)


def install_layers() -> None:
    """Put `Merge` where Keras had it, and let the module `layers.merge` be called."""
    registry.register(Merge)
    module = sys.modules[todays.__name__]
    module.__class__ = _CallableModule
    for place in (layers, core):
        place.Merge = Merge  # type: ignore[attr-defined]
    core.merge = merge  # type: ignore[attr-defined]
