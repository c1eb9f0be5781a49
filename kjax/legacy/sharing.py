"""Layers of Keras 0 that were shared by several inputs, or merged them by a function, before there were tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kjax import layers
from kjax._core import notices
from kjax.engine import Model
from kjax.engine._inputs import get_source_inputs
from kjax.engine.base_layer import Layer, registry, to_list
from kjax.layers import core
from kjax.legacy.merging import Merge, output_of


class Siamese(Merge):
    """One layer applied to several inputs, with the same weights, and what it makes of them merged.

    Arguments:
        layer: the layer.
        inputs: layers or models.
        merge_mode, concat_axis, dot_axes: as for `Merge`.
        is_graph: accepted.

    Raises:
        ValueError: for an unknown mode; without one, `add_shared_layer` is meant.
    """

    def __init__(
        self,
        layer: Layer,
        inputs: Sequence[Any],
        merge_mode: Any = "concat",
        concat_axis: int = 1,
        dot_axes: Any = -1,
        is_graph: bool = False,
        **kwargs: Any,
    ) -> None:
        if merge_mode in (None, "join"):
            raise ValueError(f"`Siamese` with merge_mode={merge_mode!r} merges nothing: use `add_shared_layer`.")
        notices.warn("The `Siamese` layer is gone. Call the layer on several tensors instead.")
        self.layer = layer
        self._given = list(inputs)
        branches = [_branch(layer, item) for item in inputs]
        super().__init__(branches, merge_mode, concat_axis, dot_axes, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = {key: value for key, value in super().get_config().items() if key not in ("layers", "mode")}
        parts = {"layer": layers.serialize(self.layer), "inputs": [layers.serialize(item) for item in self._given]}
        return {**config, **parts, "merge_mode": self.mode}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        inputs = [layers.deserialize(item) for item in config["inputs"]]
        arguments: dict[str, Any] = {**config, "layer": layers.deserialize(config["layer"]), "inputs": inputs}
        return cls(**arguments)


def _branch(layer: Layer, item: Any) -> Model:
    """A model that applies a layer to what stands for an input."""
    before = output_of(item, -1, 0)
    return Model(to_list(get_source_inputs(before)), layer(before))


def add_shared_layer(layer: Layer, inputs: Sequence[Any]) -> None:
    """Add one layer to several `Sequential` models, which share its weights."""
    for model in inputs:
        model.add(layer)


def LambdaMerge(
    layers: Sequence[Any], function: Callable[..., Any], output_shape: Any = None, arguments: Any = None
) -> Merge:
    """The outputs of layers or models, merged by a function of their list: `Merge` with a function as its mode."""
    return Merge(layers, mode=function, output_shape=output_shape, arguments=arguments)


class MaskedLayer(Layer):
    """The base of layers that pass a mask on: a `Layer` that supports masking."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True


class MaskedLambda(core.Lambda):
    """A `Lambda` that passes a mask on."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask


def install_layers() -> None:
    """Put these where Keras had them."""
    for layer in (Siamese, MaskedLayer, MaskedLambda):
        registry.register(layer)
    for thing in (Siamese, MaskedLayer, MaskedLambda, LambdaMerge, add_shared_layer):
        for place in (layers, core):
            setattr(place, thing.__name__, thing)
