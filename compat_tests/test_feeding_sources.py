"""Sources of other libraries: data sources of TFDS, loaders and data sets in PyTorch's way, `tf.data`, pandas."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from compat_tests.datasets.files import digits
from compat_tests.datasets.test_tfds import prepare_with_tfds
from compat_tests.fit_helper import close, data, forward, in_order, linear, losses, start, train
from kjax.layers import Dense, Flatten
from kjax.models import Sequential

X, Y = data()


def named(cls: type, module: str, name: str | None = None) -> type:
    """A class as if it came from another library, which need not be installed."""
    cls.__module__ = module
    cls.__name__ = name or cls.__name__
    return cls


class Tensor:
    """What a tensor of PyTorch is to others: it needs gradients, so that `numpy` alone refuses."""

    def __init__(self, array: np.ndarray, attached: bool = True) -> None:
        self.array, self.attached = array, attached
        self.shape, self.dtype = array.shape, array.dtype

    def detach(self) -> Tensor:
        return Tensor(self.array, False)

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        assert not self.attached, "call detach() first"
        return self.array


class _Loader:
    """Batches as lists of tensors, with a length."""

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[Any]:
        for rows in in_order(10, 4):
            yield [Tensor(X[rows]), Tensor(Y[rows])]


class _Dataset:
    """Single samples by number."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        return X[index], Y[index]


Loader: Any = named(_Loader, "torch.utils.data.dataloader", "DataLoader")
Dataset: Any = named(_Dataset, "torch.utils.data.dataset", "Dataset")


def test_a_loader_of_pytorch() -> None:
    model = linear()
    history = model.fit(Loader(), epochs=2, verbose=0, validation_data=Loader())
    close(model.get_weights(), train(X, Y, in_order(10, 4, 2))[0])
    assert history.params["steps"] == 3
    np.testing.assert_allclose(history.history["val_loss"][-1], losses(model.get_weights(), X, Y).mean(), rtol=1e-5)
    model = linear()
    np.testing.assert_allclose(model.evaluate(Loader(), verbose=0), losses(start(), X, Y).mean(), rtol=1e-5)
    close([model.predict(Loader())], [forward(start(), X)])


def test_samples_are_put_into_batches() -> None:
    model = linear()
    model.fit(Dataset(), batch_size=4, epochs=2, verbose=0, shuffle=False)
    close(model.get_weights(), train(X, Y, in_order(10, 4, 2))[0])
    model = linear()
    model.fit(Dataset(), verbose=0, shuffle=False)  # all in one batch, as 32 is the usual size
    close(model.get_weights(), train(X, Y, [list(range(10))])[0])
    close([model.predict(Dataset(), batch_size=3)], [forward(model.get_weights(), X)])
    close([np.float64(model.evaluate(Dataset(), verbose=0))], [losses(model.get_weights(), X, Y).mean()])


def test_samples_are_shuffled_one_by_one() -> None:
    rows = np.arange(10.0, dtype="float32")[:, None]

    class _Numbers(_Dataset):
        def __getitem__(self, index: int) -> Any:
            return rows[index], rows[index]

    taken: list[np.ndarray] = []
    model = Sequential([Dense(1, input_dim=1)])
    model.compile("sgd", "mse")
    _, trainer = model._ready()
    original = trainer.one_batch

    def one_batch(batch: Any, *rest: Any) -> Any:
        taken.append(np.asarray(batch[0][0])[:, 0])
        return original(batch, *rest)

    trainer.one_batch = one_batch  # type: ignore[method-assign]
    model.fit(_Numbers(), batch_size=5, epochs=2, verbose=0, workers=3)
    first, second = np.concatenate(taken[:2]), np.concatenate(taken[2:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert set(taken[0]) not in ({0, 1, 2, 3, 4}, {5, 6, 7, 8, 9})
    assert set(taken[0]) != set(taken[2])


class TfData:
    """A `tf.data.Dataset`: iterable again and again, of unknown length unless it is repeated, which it tells."""

    def __init__(self, repeated: bool = False) -> None:
        self.repeated = repeated

    def __len__(self) -> int:
        raise TypeError("The dataset is infinite." if self.repeated else "The dataset length is unknown.")

    def cardinality(self) -> np.ndarray:
        return np.array(-1 if self.repeated else -2)

    def __iter__(self) -> Iterator[Any]:
        while True:
            for rows in in_order(10, 4):
                yield Eager(X[rows]), Eager(Y[rows])
            if not self.repeated:
                return


class Eager:
    """A tensor of TensorFlow 2."""

    def __init__(self, array: np.ndarray) -> None:
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def numpy(self) -> np.ndarray:
        return self._array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._array


def test_tf_data() -> None:
    for source, steps in ((TfData(), None), (TfData(repeated=True), 3)):
        model = linear()
        model.fit(source, epochs=2, verbose=0, steps_per_epoch=steps)
        close(model.get_weights(), train(X, Y, in_order(10, 4, 2))[0])
        close([model.predict(source, steps=steps)], [forward(model.get_weights(), X)])
        close([np.float64(model.evaluate(source, steps=steps, verbose=0))], [losses(model.get_weights(), X, Y).mean()])
    with pytest.raises(ValueError, match="`steps_per_epoch=None` is only valid for a source of batches that has an"):
        linear().fit(TfData(repeated=True), verbose=0)


def test_a_data_source_of_tfds(tmp_path: pathlib.Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    a = digits(n_train=20, n_test=5)
    prepare_with_tfds("mnist", tmp_path, a)
    builder = tfds.builder("mnist", data_dir=str(tmp_path), file_format="array_record")
    source = builder.as_data_source(split="train")
    images = np.stack([example["image"] for example in source]).astype("float32")
    labels = np.array([example["label"] for example in source])

    def model() -> Sequential:
        np.random.seed(1)
        made = Sequential([Flatten(input_shape=(28, 28, 1)), Dense(10, activation="softmax")])
        made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return made

    one, two = model(), model()
    one.fit(source, batch_size=8, epochs=2, shuffle=False, verbose=0, workers=2)
    two.fit(images, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)
    close(one.get_weights(), two.get_weights())
    np.testing.assert_allclose(one.evaluate(source, verbose=0), two.evaluate(images, labels, verbose=0), rtol=1e-4)
    assert one.predict(source).shape == (20, 10)


def test_batches_of_pandas_tables() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: `pip install pandas`")
    frame = pandas.DataFrame(np.hstack([X, Y]), columns=["a", "b", "c", "y"])
    parts = [(part[["a", "b", "c"]], part["y"]) for part in (frame[:4], frame[4:8], frame[8:])]
    model = linear()
    model.fit_generator(parts, epochs=2, verbose=0, shuffle=False, workers=2)
    close(model.get_weights(), train(X, Y, in_order(10, 4, 2))[0])
    close([model.predict_generator([x for x, _ in parts])], [forward(model.get_weights(), X)])


def test_dictionaries_by_name_of_input_and_output() -> None:
    class Named(_Dataset):
        def __getitem__(self, index: int) -> Any:
            return {"dense_1_input": X[index]}, {"dense_1": Y[index]}

    model = linear()
    model.fit(named(Named, "torch.utils.data.mine")(), batch_size=4, verbose=0, shuffle=False)
    close(model.get_weights(), train(X, Y, in_order(10, 4))[0])
