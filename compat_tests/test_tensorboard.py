"""The TensorBoard callback: what its event files hold, read back by a reader written apart."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from compat_tests.test_events import read_fields, read_records
from kjax import callbacks
from kjax.callbacks import TensorBoard
from kjax.layers import Activation, Conv2D, Dense, Embedding, Flatten
from kjax.models import Sequential


class Read:
    """The events of a folder.

    Attributes:
        scalars: tag to list of (step, value).
        summaries: tag to the fields of its last value.
        nodes: names of the graph's nodes to their inputs.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.summaries: dict[str, dict[int, Any]] = {}
        self.nodes: dict[str, list[str]] = {}
        for path in sorted(folder.glob("events.out.tfevents.*")):
            for content in read_records(path):
                event = dict(read_fields(content))
                for _, value in read_fields(event.get(5, b"")):
                    fields = dict(read_fields(value))
                    tag = fields[1].decode()
                    self.summaries[tag] = fields
                    if 2 in fields:
                        self.scalars.setdefault(tag, []).append((event.get(2, 0), fields[2]))
                for field, node in read_fields(event.get(4, b"")):
                    if field == 1:
                        parts = list(read_fields(node))
                        name = next(v for k, v in parts if k == 1).decode()
                        self.nodes[name] = [v.decode() for k, v in parts if k == 3]

    def histogram(self, tag: str) -> tuple[float, float, float, float]:
        """Least, greatest, how many, and sum."""
        fields = dict(read_fields(self.summaries[tag][5]))
        return fields[1], fields[2], fields[3], fields[4]


def trained(given: list[Any], **options: Any) -> Any:
    model = Sequential([Dense(3, input_dim=4), Activation("tanh"), Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.random.RandomState(0).normal(size=(20, 4)).astype("float32")
    y = x.sum(1, keepdims=True)
    validation = (x[:8], y[:8]) if options.pop("validate", True) else None
    history = model.fit(x, y, validation_data=validation, callbacks=given, verbose=0, batch_size=5, **options)
    return model, history, x[:8], y[:8]


def test_scalars_and_graph(tmp_path: pathlib.Path) -> None:
    callback = TensorBoard(tmp_path / "logs")
    # The logs alone are enough: many epochs run at once, and it is told afterwards.
    assert not callbacks.watches_epochs([callback])
    model, history, *_ = trained([callback], epochs=3)
    read = Read(tmp_path / "logs")
    assert set(read.scalars) == set(history.history)
    for tag, values in history.history.items():
        steps, numbers = zip(*read.scalars[tag], strict=True)
        assert steps == (0, 1, 2)
        np.testing.assert_allclose(numbers, values, rtol=1e-6)
    assert [name for name in read.nodes if "input" not in name] == [layer.name for layer in model.layers]
    assert read.nodes["dense_2"] == ["activation_1"]


def test_histograms(tmp_path: pathlib.Path) -> None:
    callback = TensorBoard(tmp_path, histogram_freq=1, write_grads=True, write_images=True, write_graph=False)
    assert callbacks.watches_epochs([callback])
    model, _, x, y = trained([callback], epochs=1)
    read = Read(tmp_path)
    kernel, bias = model.layers[0].get_weights()
    for tag, numbers in {
        "dense_1/kernel_0": kernel,
        "dense_1/bias_0": bias,
        "dense_1_out": x @ kernel + bias,
        "dense_2_out": model.predict(x),
        # d mse / d bias of the last layer: twice the mean error
        "dense_2/bias_0_grad": 2 * (model.predict(x) - y).mean(0),
    }.items():
        expected = (numbers.min(), numbers.max(), numbers.size, numbers.sum())
        np.testing.assert_allclose(read.histogram(tag), expected, rtol=1e-4, atol=1e-5)
    image = dict(read_fields(read.summaries["dense_1/kernel_0/image"][4]))
    assert (image[1], image[2], image[3]) == (3, 4, 1)  # the matrix lies
    assert image[4].startswith(b"\x89PNG")
    assert not read.nodes


def test_images_of_a_convolution(tmp_path: pathlib.Path) -> None:
    model = Sequential([Conv2D(5, 3, input_shape=(6, 6, 1)), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 6, 6, 1), "float32"), np.ones((4, 1), "float32")
    callback = TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    model.fit(x, y, validation_data=(x, y), callbacks=[callback], verbose=0)
    tags = [tag for tag in Read(tmp_path).summaries if tag.startswith("conv2d_1/kernel_0/image")]
    assert tags == [f"conv2d_1/kernel_0/image/{i}" for i in range(3)]


def test_batches(tmp_path: pathlib.Path) -> None:
    callback = TensorBoard(tmp_path, update_freq=10)
    assert callbacks.watches_batches([callback])
    trained([callback], epochs=2, validate=False)
    assert [step for step, _ in Read(tmp_path).scalars["loss"]] == [10, 20, 20, 30, 40, 40]


def test_histograms_without_validation_arrays_are_those_of_the_weights(tmp_path: pathlib.Path) -> None:
    with pytest.warns(UserWarning, match="histograms are those of the weights, without gradients and outputs"):
        model, *_ = trained([TensorBoard(tmp_path, histogram_freq=1, write_grads=True)], validate=False)
    tags = set(Read(tmp_path).summaries) - {"loss", "mean_absolute_error", "mae"}
    assert tags == {w.name.replace(":", "_") for w in model.weights}


def test_embeddings(tmp_path: pathlib.Path) -> None:
    model = Sequential([Embedding(7, 2, input_length=1), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    words = np.arange(7)[:, None]
    callback = TensorBoard(tmp_path, embeddings_freq=1, embeddings_data=words, embeddings_metadata="words.tsv")
    model.fit(words, words.astype("float32"), callbacks=[callback], verbose=0)
    table = np.loadtxt(tmp_path / "embedding_1.tsv", delimiter="\t")
    np.testing.assert_allclose(table, model.layers[0].get_weights()[0], rtol=1e-4)
    text = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "embedding_1.tsv"' in text
    assert 'metadata_path: "words.tsv"' in text
    with pytest.raises(ValueError, match="embeddings_data must be provided"):
        TensorBoard(tmp_path, embeddings_freq=1)
