"""`Sequential`: a stack of layers, each fed by the one before."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kjax._core import arguments, graph, notices
from kjax._core.graph import Tensor
from kjax._core.registry import CustomObjectScope
from kjax.engine import _config
from kjax.engine._inputs import get_source_inputs
from kjax.engine.base_layer import Layer, registry
from kjax.engine.input_layer import Input, InputLayer
from kjax.engine.training import Model


class Sequential(Model):
    """A stack of layers.

    If the first layer tells its `input_shape`, the model is built as it grows; otherwise when `fit`, `predict` or
    `build` first tell it the shape.

    Arguments:
        layers: layers to begin with.
        name: name of the model; `sequential_1`, ... by default.
    """

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._stack: list[Layer] = []
        self._build_input_shape: tuple[int | None, ...] | None = None  # if the first layer did not tell it
        self._tensors: list[Tensor | None] = []  # what each layer of the stack makes, once the input is known
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input. As in Keras 1, the list can be shortened: `model.layers.pop()`."""
        if not any(isinstance(layer, InputLayer) for layer in self._stack):
            return self._stack
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def _children(self) -> list[Layer]:
        return self.__dict__.get("_stack", [])

    def add(self, layer: Any) -> None:
        """Put a layer on top.

        Raises:
            TypeError: if it is not a layer.
            ValueError: if it has several outputs, or a name that is taken.
        """
        if isinstance(layer, Tensor) and layer._keras_history is not None:
            layer = layer._keras_history[0]
        if not isinstance(layer, Layer):
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer!r}")
        names = [other.name for other in self._stack]
        if layer.name in names:
            raise ValueError(
                f'The name "{layer.name}" is used {names.count(layer.name) + 1} times in the model. '
                "All layer names should be unique."
            )
        connected = self._first_output(layer)
        if connected is not None:
            outputs = connected
        else:
            outputs = self.outputs[0] if self.outputs else self._first_input(layer)
        if outputs is not None and connected is None and not isinstance(layer, InputLayer):
            outputs = layer(outputs)
            if isinstance(outputs, (list, tuple)):
                raise ValueError(
                    f"All layers in a Sequential model should have a single output tensor, but {layer.name} has "
                    f"{len(outputs)}. For multi-output layers, use the functional API."
                )
        self._stack.append(layer)
        self._tensors.append(outputs)
        self._set_output(outputs)

    def _first_output(self, layer: Layer) -> Tensor | None:
        """What the first of the stack makes, if it has several inputs, which become the model's; else None."""
        if self._stack or not (len(getattr(layer, "inputs", ())) > 1 or getattr(layer, "brings_inputs", False)):
            return None
        output = layer.output
        self.inputs = get_source_inputs(output)
        return output

    def _first_input(self, layer: Layer) -> Tensor | None:
        """The input tensor, if `layer` is the first of the stack and tells its shape."""
        if self._stack:
            return None
        if isinstance(layer, InputLayer):
            tensor = layer.tensor
        else:
            inner = layer
            while isinstance(inner, Model) and inner._children():
                inner = inner._children()[0]
            shape = getattr(inner, "batch_input_shape", None)
            if shape is None:
                return None
            tensor = Input(batch_shape=shape, dtype=inner.dtype, name=f"{layer.name}_input")
        self.inputs = [tensor]
        return tensor

    def _set_output(self, output: Tensor | None) -> None:
        self._forget_programs()
        self._plan = None  # it was made for the output that the stack had before
        self.outputs = [] if output is None else [output]
        self._order = graph.topological(self.outputs, self.inputs)
        self.built = output is not None

    def pop(self) -> None:
        """Take the top layer off.

        Raises:
            TypeError: if there is none.
        """
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        self._stack.pop()
        del self._tensors[len(self._stack) :]
        if not self.layers:
            self._stack, self._tensors, self.inputs = [], [], []
            self._build_input_shape = None
        self._set_output(self._tensors[-1] if self._tensors else None)

    def build(self, input_shape: Any = None) -> None:
        """Build the layers for inputs of `input_shape`, the batch dimension included."""
        if self.outputs or (not self._stack and input_shape is not None):
            return
        if input_shape is None:
            raise ValueError(
                "The model needs to know the shape of its input: pass `input_shape`, with the batch dimension."
            )
        self._build_from([Input(batch_shape=tuple(input_shape), name=f"{self._stack[0].name}_input")])

    def _build_from(self, inputs: Sequence[Tensor]) -> None:
        if len(inputs) != 1:
            raise ValueError(f"A Sequential model has one input, but it received {len(inputs)}.")
        tensor: Any = inputs[0]
        self.inputs = [inputs[0]]
        self._build_input_shape = tuple(inputs[0].shape)
        self._tensors = [tensor := layer(tensor) for layer in self._stack]
        self._set_output(tensor)

    def predict_proba(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> np.ndarray:
        """Predicted probabilities: `predict`, with a warning if they are not between 0 and 1."""
        predicted = self.predict(x, batch_size, verbose)
        if predicted.min() < 0.0 or predicted.max() > 1.0:
            notices.warn(
                "Network returning invalid probability values. The last layer might not normalize predictions into "
                "probabilities (like softmax or sigmoid would)."
            )
        return predicted

    def predict_classes(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> np.ndarray:
        """Predicted classes: the largest of several outputs, or whether a single one exceeds 0.5. int64 / int32."""
        predicted = self.predict(x, batch_size=batch_size, verbose=verbose)
        if predicted.shape[-1] > 1:
            return predicted.argmax(axis=-1)
        return (predicted > 0.5).astype("int32")

    @arguments.accepts_old_names("Model.get_config")
    def get_config(self) -> dict[str, Any]:
        """The name and the layers' configs, enough for `from_config`."""
        return {
            "name": self.name,
            # A first `InputLayer` of the user's is written: without it the model could not be built again.
            "layers": copy.deepcopy([_config.layer_config(layer) for layer in self._stack]),
            **({"build_input_shape": self._build_input_shape} if self._build_input_shape is not None else {}),
        }

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A new model from what `get_config` returned (or from the bare list of layers of older versions)."""
        named = isinstance(config, Mapping)
        model = cls(name=config.get("name") if named else None)
        with CustomObjectScope(custom_objects or {}):
            for entry in config["layers"] if named else config:
                model.add(registry.deserialize(entry))
        if named and not model.built and config.get("build_input_shape"):
            model.build(config["build_input_shape"])
        return model
