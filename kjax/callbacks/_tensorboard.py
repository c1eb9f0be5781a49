"""`TensorBoard`: event files with the metrics, and with the distributions of weights, outputs and gradients."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax import backend as K
from kjax._core import atomic, config, events, notices, scope
from kjax.callbacks._base import Callback

_IMAGES = 3  # as many of a weight's channels are drawn


class TensorBoard(Callback):
    """Writes what TensorBoard shows: `tensorboard --logdir=...`.

    The tags are those of Keras 2.2: the names of the metrics (`loss`, `val_loss`), and of weights and layers
    (`dense_1/kernel_0`, `dense_1/kernel_0_grad`, `dense_1_out`).

    Arguments:
        log_dir: folder of the event files.
        histogram_freq: epochs from one set of histograms to the next; 0 for none. Without validation
            arrays they are those of the weights alone.
        batch_size: number of validation samples on which outputs and gradients are computed.
        write_graph: whether to write the layers as a graph.
        write_grads: whether to write histograms of the gradients.
        write_images: whether to draw the weights, with the histograms.
        embeddings_freq: epochs from one set of embeddings to the next; 0 for none.
        embeddings_layer_names: names of the layers that are embedded; those whose class is `Embedding` if None.
        embeddings_metadata: name of the file of labels, or a dictionary of one for each layer.
        embeddings_data: inputs on which the layers' outputs are taken. Required with `embeddings_freq`.
        update_freq: `'epoch'`; `'batch'`; or a number of samples: when metrics are written.
        profile_batch: ignored. `jax.profiler` profiles.

    Raises:
        ValueError: if there is no `embeddings_data`.
    """

    def __init__(
        self,
        log_dir: Any = "./logs",
        histogram_freq: int = 0,
        batch_size: int = 32,
        write_graph: bool = True,
        write_grads: bool = False,
        write_images: bool = False,
        embeddings_freq: int = 0,
        embeddings_layer_names: Sequence[str] | None = None,
        embeddings_metadata: Any = None,
        embeddings_data: Any = None,
        update_freq: Any = "epoch",
        profile_batch: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir = log_dir
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata or {}
        self.embeddings_data = embeddings_data
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.samples_seen = 0
        self.samples_seen_at_last_write = 0
        self.writer: events.EventWriter | None = None
        if self.update_freq != "epoch":
            self.on_batch_end = self._count_batch  # seen on the object: nobody else need wait for each batch
        if embeddings_freq and embeddings_data is None:
            raise ValueError("To visualize embeddings, embeddings_data must be provided.")

    @property
    def needs_epochs(self) -> bool:
        """Whether it looks at the model at an epoch's end, and not at the logs alone."""
        return bool(self.histogram_freq or self.embeddings_freq)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        self.writer = events.EventWriter(os.fspath(self.log_dir))
        if self.write_graph:
            self.writer.graph(events.graph_def(_nodes(model)))
        self.writer.flush()

    def on_train_begin(self, logs: Any = None) -> None:
        if self.histogram_freq and not self.validation_data:
            missing = "gradients and outputs" if self.write_grads else "outputs"
            notices.warn(
                f"Without validation arrays, TensorBoard's histograms are those of the weights, without {missing}. "
                "Give `validation_data=(x, y)` to `fit` for all of them."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_histograms(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._write_logs(logs or {}, epoch if self.update_freq == "epoch" else self.samples_seen)

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()

    def _count_batch(self, batch: int, logs: Any = None) -> None:
        self.samples_seen += (logs or {}).get("size", 0)
        if self.samples_seen - self.samples_seen_at_last_write >= self.update_freq:
            self._write_logs(logs or {}, self.samples_seen)
            self.samples_seen_at_last_write = self.samples_seen

    def _write_logs(self, logs: Mapping[str, Any], index: int) -> None:
        assert self.writer is not None
        values = [
            events.scalar_value(name, value)
            for name, value in logs.items()
            if name not in ("batch", "size") and np.size(value) == 1
        ]
        self.writer.add_summary(events.summary(values), index)  # a subclass may have a writer of TensorFlow's
        self.writer.flush()

    def _write_histograms(self, epoch: int) -> None:
        assert self.writer is not None
        batch = self._validation_batch() if self.validation_data else None
        gradients = _gradients(self.model, *batch) if batch and self.write_grads else {}
        values: list[bytes] = []
        for layer in self.model.layers:
            for weight in layer.weights:
                name, value = weight.name.replace(":", "_"), np.asarray(weight.stored)
                values.append(events.histogram_value(name, value))
                if weight in gradients:
                    values.append(events.histogram_value(f"{name}_grad", gradients[weight]))
                if self.write_images:
                    values += _drawn(name, value)
        if batch:
            values += [events.histogram_value(name, value) for name, value in _outputs(self.model, batch[0])]
        self.writer.summary(events.summary(values), epoch)

    def _validation_batch(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Inputs, targets and weights of the first validation samples."""
        data = [np.asarray(array)[: self.batch_size] for array in self.validation_data]
        inputs, rest = data[: len(self.model.inputs)], data[len(self.model.inputs) :]
        return inputs, rest[: len(rest) // 2], rest[len(rest) // 2 :]

    def _write_embeddings(self) -> None:
        """Tables for TensorBoard's projector: one a layer, one row a sample, and the list of them."""
        folder = pathlib.Path(self.log_dir)
        names = self.embeddings_layer_names or [
            layer.name for layer in self.model.layers if type(layer).__name__ == "Embedding"
        ]
        data = self.embeddings_data if isinstance(self.embeddings_data, (list, tuple)) else [self.embeddings_data]
        outputs = K.function(self.model.inputs, [self.model.get_layer(name).output for name in names])(list(data))
        text = ""
        for name, output in zip(names, outputs, strict=True):
            table = f"{name.replace('/', '_')}.tsv"
            np.savetxt(folder / table, np.reshape(output, (len(output), -1)), delimiter="\t", fmt="%.6g")
            given = self.embeddings_metadata
            labels = given if isinstance(given, str) else given.get(name)
            text += f'embeddings {{\n  tensor_name: "{name}"\n  tensor_path: "{table}"\n'
            text += f'  metadata_path: "{labels}"\n}}\n' if labels else "}\n"
        atomic.write_text(folder / "projector_config.pbtxt", text, durable=False)


def _nodes(model: Any) -> Iterator[tuple[str, str, list[str], dict[str, str]]]:
    """The layers: name, class, the layers before it, and the shape of what it makes."""
    for layer in model.layers:
        before = [
            tensor._keras_history[0].name
            for node in layer._inbound_nodes
            for tensor in node.inputs
            if getattr(tensor, "_keras_history", None)
        ]
        nodes = layer._inbound_nodes
        shapes = [str(tuple(output.shape)) for output in nodes[0].outputs] if nodes else []
        yield layer.name, type(layer).__name__, before, {"output_shape": ", ".join(shapes)}


def _outputs(model: Any, x: list[Any]) -> Iterator[tuple[str, Any]]:
    """What each layer that is called once makes of the inputs, under its tag."""
    tags: list[str] = []
    tensors: list[Any] = []
    for layer in model.layers:
        if len(layer._inbound_nodes) != 1:
            continue
        made = layer._inbound_nodes[0].outputs
        tensors += made
        tags += [f"{layer.name}_out"] if len(made) == 1 else [f"{layer.name}_out_{i}" for i in range(len(made))]
    yield from zip(tags, K.function(model.inputs, tensors)(x), strict=True)


def _gradients(model: Any, x: list[Any], y: list[Any], weights: list[Any]) -> dict[Any, Any]:
    """The loss's gradient by each trainable weight."""
    pure = model.to_jax()
    targets, counts = ([jnp.asarray(array) for array in arrays] for arrays in (y, weights))

    def loss(params: Any) -> Any:
        outputs, _, penalties = pure.apply(params, pure.state, x)
        listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        with scope.Scope(key=jax.random.key(0)):
            return model._plan.score(listed, [None] * len(listed), targets, counts, penalties)[0]

    found = jax.jit(jax.grad(loss))(pure.params)
    # JAX returns a dictionary in the order of its keys.
    return {weight: found[name] for weight, name in zip(model.trainable_weights, pure.params, strict=True)}


def _drawn(name: str, value: np.ndarray) -> list[bytes]:
    """A weight as pictures: a vector as a row, a matrix lying, three axes as one picture a channel."""
    value = np.squeeze(value)
    if value.ndim == 1:
        pictures = value[None, :, None]
    elif value.ndim == 2:
        pictures = (value.T if value.shape[0] > value.shape[1] else value)[None]
    elif value.ndim == 3:
        pictures = np.moveaxis(value, -1, 0) if config.image_data_format() == "channels_last" else value
    else:
        return []
    shown = pictures[:_IMAGES]
    tags = [f"{name}/image"] if len(shown) == 1 else [f"{name}/image/{i}" for i in range(len(shown))]
    return [events.image_value(tag, picture) for tag, picture in zip(tags, shown, strict=True)]
