"""`Graph` of Keras 0: a model of named nodes, fed with dictionaries of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kjax import layers, models
from kjax._core import arguments, notices
from kjax._core.graph import Tensor
from kjax.engine.base_layer import Layer
from kjax.legacy.merging import Merge


class Graph(models.Model):
    """A model that is put together of inputs, nodes and outputs by name.

    Attributes:
        nodes: the layers by name.
        input_order, output_order: names of the inputs and outputs.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        notices.warn("The `Graph` model is gone. Use `Model` and the functional API instead.")
        self.nodes: dict[str, Layer] = {}
        self.input_order: list[str] = []
        self.output_order: list[str] = []
        self._made: dict[str, Any] = {}
        self._ranks: dict[str, int] = {}  # of inputs whose shape is not known yet

    # -- putting it together -----------------------------------------------------------------------------------------

    def add_input(
        self,
        name: str,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        dtype: str = "float",
        ndim: int | None = None,
    ) -> None:
        """Add an input.

        Arguments:
            name: its name, under which it is fed.
            input_shape: shape of one sample.
            batch_input_shape: the same with the batch size, instead.
            dtype: `'float'` or `'int'`.
            ndim: its number of dimensions, if the first layer behind it tells the shape.

        Raises:
            ValueError: if the name is taken, or nothing tells the shape.
        """
        self._check_new(name)
        if batch_input_shape is None and input_shape is not None:
            batch_input_shape = (None, *(None if size == -1 else size for size in input_shape))
        self.input_order.append(name)
        if batch_input_shape is not None:
            self._place_input(name, batch_input_shape, {"float": None, "int": "int32"}.get(dtype, dtype))
        elif ndim is not None:
            self._ranks[name] = ndim
        else:
            raise ValueError(f'Input "{name}" needs an `input_shape`, a `batch_input_shape` or `ndim`.')

    def _place_input(self, name: str, shape: Sequence[int | None], dtype: Any = None) -> None:
        self._made[name] = layers.Input(batch_shape=tuple(shape), dtype=dtype, name=name)

    def _check_new(self, name: str) -> None:
        if name in self._made or name in self._ranks:
            raise ValueError(f'Duplicate node identifier: "{name}".')

    def add_node(
        self,
        layer: Layer,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        create_output: bool = False,
    ) -> None:
        """Add a layer, or a model.

        Arguments:
            layer: the layer.
            name: name of the node.
            input: name of the node that it gets its input from.
            inputs: names of several, which are merged first.
            merge_mode, concat_axis, dot_axes: how; see `Merge`. With `'join'` a `Lambda` gets a dictionary of them.
            create_output: whether it is an output, too.

        Raises:
            ValueError: if the name is taken, or an input does not exist.
        """
        self._check_new(name)
        self._guess_shapes([input] if input else inputs, layer)
        layer.name = name
        self.nodes[name] = layer
        self._made[name] = layer(self._gather(input, inputs, merge_mode, concat_axis, dot_axes))
        if create_output:
            self.add_output(name, input=name)

    def add_shared_node(
        self,
        layer: Layer,
        name: str,
        inputs: Sequence[str] = (),
        merge_mode: Any = None,
        concat_axis: int = -1,
        dot_axes: Any = -1,
        outputs: Sequence[str] = (),
        create_output: bool = False,
    ) -> None:
        """Add a layer that is applied to each of several nodes.

        Arguments:
            layer: the layer.
            name: name of the node: of the merged results, if there is a `merge_mode`.
            inputs: names of the nodes that it is applied to.
            merge_mode, concat_axis, dot_axes: how its results are merged, if at all.
            outputs: names of its results, in place of merging them.
            create_output: whether the merged results, or all of `outputs`, are outputs of the model.

        Raises:
            ValueError: if a name is taken, or neither `merge_mode` nor `outputs` says what becomes of the results.
        """
        self._check_new(name)
        if bool(merge_mode) == bool(outputs):
            raise ValueError("A shared node needs either a `merge_mode` or `outputs`.")
        layer.name = name
        self.nodes[name] = layer
        self._guess_shapes(inputs, layer)
        made = [layer(self._tensor(source)) for source in inputs]
        if merge_mode:
            self._made[name] = _merged(dict(zip(inputs, made, strict=True)), merge_mode, concat_axis, dot_axes)
        for output, tensor in zip(outputs, made, strict=bool(outputs)):
            self._check_new(output)
            self._made[output] = tensor
        for output in ([name] if merge_mode else outputs) if create_output else ():
            self.add_output(output, input=output)

    def add_output(
        self,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
    ) -> None:
        """Make a node, or several merged ones, an output of the model under a name.

        Raises:
            ValueError: if the name is taken, or a node does not exist.
        """
        if name in self.output_order:
            raise ValueError(f'Duplicate output identifier: "{name}".')
        tensor = self._gather(input, inputs, merge_mode, concat_axis, dot_axes)
        self.output_order.append(name)
        self._connect([self._tensor(source) for source in self.input_order], [*self.outputs, tensor])
        self._forget_programs()

    def _guess_shapes(self, names: Sequence[str], layer: Layer) -> None:
        """Give inputs of which only the rank is known the shape that their first layer expects."""
        for name in names:
            if name in self._ranks:
                unknown = (None,) * self._ranks.pop(name)
                self._place_input(name, getattr(layer, "batch_input_shape", unknown), layer.dtype)

    def _gather(self, input: str | None, inputs: Sequence[str], mode: Any, concat_axis: int, dot_axes: Any) -> Tensor:
        if input and inputs:
            raise ValueError("Give either `input` or `inputs`.")
        if input:
            return self._tensor(input)
        if len(inputs) < 2:
            raise ValueError(f"A node needs an `input`, or at least two `inputs`. Found: {list(inputs)}.")
        return _merged({name: self._tensor(name) for name in inputs}, mode, concat_axis, dot_axes)

    def _tensor(self, name: str) -> Tensor:
        if name in self._ranks:
            self._place_input(name, (None,) * self._ranks.pop(name))
        if name not in self._made:
            raise ValueError(f'Unknown node identifier: "{name}". There are: {[*self._made, *self._ranks]}.')
        return self._made[name]

    @property
    def output_names(self) -> list[str]:
        return list(self.output_order)

    @arguments.accepts_old_names("Model.get_config")
    def get_config(self) -> dict[str, Any]:
        """As of any model, with the names of the inputs and outputs in their order."""
        return {**super().get_config(), "input_order": self.input_order, "output_order": self.output_order}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Graph:
        """A new graph from what `get_config` returned."""
        model = models.Model.from_config(config, custom_objects)
        graph = cls(name=model.name)
        graph.input_order, graph.output_order = list(config["input_order"]), list(config["output_order"])
        graph._made = dict(zip(graph.input_order, model.inputs, strict=True))
        graph.nodes = {layer.name: layer for layer in model.layers if layer.name not in graph._made}
        graph._made |= {name: layer.output for name, layer in graph.nodes.items() if len(layer._inbound_nodes) == 1}
        graph._connect(model.inputs, model.outputs)
        return graph

    # -- using it ----------------------------------------------------------------------------------------------------

    def _parts(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The inputs, and the targets, of a dictionary that has both."""
        inputs = {name: data[name] for name in self.input_order if name in data}
        return inputs, {name: data[name] for name in self.output_order if name in data}

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:  # type: ignore[override]  # as Keras 0 had it
        """As `Model.compile`. `loss` is a dictionary by output; `sample_weight_modes` may be called so."""
        if "sample_weight_modes" in kwargs:
            kwargs["sample_weight_mode"] = kwargs.pop("sample_weight_modes")
        super().compile(optimizer, loss, metrics, **kwargs)

    def fit(self, data: Any, batch_size: int = 128, nb_epoch: int = 100, verbose: int = 1, **kwargs: Any) -> Any:  # type: ignore[override]  # as Keras 0 had it
        """Train on `data`, a dictionary with an array for every input and output. Returns the `History`.

        Arguments:
            data: arrays by name.
            batch_size: samples in a batch.
            nb_epoch: number of epochs.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            **kwargs: as in `Model.fit`; `validation_data` is a dictionary like `data`.
        """
        validation = kwargs.pop("validation_data", None)
        if isinstance(validation, Mapping):
            validation = self._parts(validation)
        epochs = kwargs.pop("epochs", nb_epoch)
        weights = {key: kwargs.pop(key) or None for key in ("class_weight", "sample_weight") if key in kwargs}
        x, y = self._parts(data)
        return super().fit(
            x, y, batch_size=batch_size, epochs=epochs, verbose=verbose, validation_data=validation, **weights, **kwargs
        )

    def evaluate(self, data: Any, batch_size: int = 128, verbose: int = 0, sample_weight: Any = None) -> Any:  # type: ignore[override]  # as Keras 0 had it
        """The loss on `data`, a dictionary with an array for every input and output."""
        return super().evaluate(*self._parts(data), batch_size, verbose, sample_weight or None)

    def predict(self, data: Any, batch_size: int = 128, verbose: int = 0) -> dict[str, np.ndarray]:  # type: ignore[override]  # as Keras 0 had it
        """The outputs for `data`, a dictionary with an array for every input: a dictionary by name."""
        return self._named(super().predict(self._parts(data)[0], batch_size, verbose))

    def train_on_batch(self, data: Any, class_weight: Any = None, sample_weight: Any = None) -> Any:  # type: ignore[override]  # as Keras 0 had it
        """One step of training on a dictionary of arrays. Returns the loss."""
        return super().train_on_batch(*self._parts(data), sample_weight or None, class_weight or None)

    def test_on_batch(self, data: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]  # as Keras 0 had it
        """The loss on a dictionary of arrays."""
        return super().test_on_batch(*self._parts(data), sample_weight or None)

    def predict_on_batch(self, data: Any) -> dict[str, np.ndarray]:  # type: ignore[override]  # as Keras 0 had it
        """The outputs for one batch, by name."""
        return self._named(super().predict_on_batch(self._parts(data)[0]))

    def fit_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """As `Model.fit_generator`, of a generator of dictionaries."""
        validation = kwargs.get("validation_data")
        if isinstance(validation, Mapping):
            kwargs["validation_data"] = self._parts(validation)
        return super().fit_generator(map(self._batch, generator), *args, **kwargs)

    def _batch(self, batch: Any) -> Any:
        if isinstance(batch, Mapping):
            return self._parts(batch)
        data, *weights = batch
        return (*self._parts(data), *weights)

    def _named(self, predictions: Any) -> dict[str, np.ndarray]:
        several = predictions if isinstance(predictions, list) else [predictions]
        return dict(zip(self.output_order, several, strict=True))


def _merged(tensors: Mapping[str, Tensor], mode: Any, concat_axis: int, dot_axes: Any) -> Any:
    """One tensor of several; or, for the mode `'join'`, a dictionary of them for the function of a `Lambda`."""
    return dict(tensors) if mode == "join" else Merge(list(tensors.values()), mode, concat_axis, dot_axes).output


def install_models() -> None:
    """Put `Graph` where Keras 0 had it."""
    models.Graph = Graph  # type: ignore[attr-defined]
