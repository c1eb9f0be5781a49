"""The base of layers around another layer."""

from __future__ import annotations

from typing import Any

from kjax.engine._config import layer_config
from kjax.engine.base_layer import Layer, registry


class Wrapper(Layer):
    """Base class of layers that hold another layer.

    Arguments:
        layer: the layer inside.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__} must be initialized with a layer. Found: {layer!r}")
        self.layer = layer
        if "trainable" in kwargs:
            self.trainable = kwargs["trainable"]

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)

    @property
    def activity_regularizer(self) -> Any:
        # The layer inside is called as a layer and adds its own penalty.
        return None

    @property
    def trainable(self) -> bool:
        return self.layer.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self.layer.trainable = value

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": layer_config(self.layer)}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        inner = registry.deserialize(config["layer"], custom_objects)
        return cls(inner, **{key: value for key, value in config.items() if key != "layer"})
