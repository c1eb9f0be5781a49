"""`tf.data`: what data sets give, compared with numpy, and training on them, compared with training on arrays."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from kjax.compat import tensorflow as tf
from kjax.layers import Dense, Input
from kjax.models import Model, Sequential

Dataset: Any = tf.data.Dataset


def listed(dataset: Any) -> list[Any]:
    return list(dataset.as_numpy_iterator())


def model() -> Any:
    np.random.seed(3)
    made = Sequential([Dense(1, input_dim=2)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def samples(count: int = 10) -> tuple[Any, Any]:
    x = np.random.RandomState(0).rand(count, 2).astype("float32")
    return x, x.sum(1, keepdims=True)


# -- elements ----------------------------------------------------------------------------------------------------------


def test_slices_of_every_structure() -> None:
    x, y = samples(4)
    first, second = next(iter(Dataset.from_tensor_slices((x, {"y": y}))))
    np.testing.assert_array_equal(first.numpy(), x[0])
    np.testing.assert_array_equal(second["y"], y[0])
    assert type(first.numpy()) is np.ndarray
    assert first.get_shape() == (2,)
    assert listed(Dataset.from_tensor_slices([1, 2, 3])) == [1, 2, 3]
    assert next(iter(Dataset.from_tensor_slices([1.0]))).dtype == np.float32
    assert listed(Dataset.from_tensor_slices(["a", "b"])) == ["a", "b"]
    whole = Dataset.from_tensors((x, 7))
    assert len(whole) == 1
    assert listed(whole)[0][0].shape == (4, 2)
    pair = namedtuple("pair", "left right")
    assert listed(Dataset.from_tensor_slices(pair(x, y)))[0].left.shape == (2,)
    with pytest.raises(ValueError, match=r"same number of rows. Found arrays of shapes: \[\(4, 2\), \(3,\)\]"):
        Dataset.from_tensor_slices((x, [1, 2, 3]))


def test_from_generator() -> None:
    def numbers(most: int = 3) -> Any:
        for i in range(most):
            yield i, [float(i)] * 2

    types = Dataset.from_generator(numbers, (tf.int64, tf.float32), args=(2,))
    spec = Dataset.from_generator(
        numbers, output_signature=(tf.TensorSpec((), tf.int64), tf.TensorSpec(shape=(2,), dtype=tf.float32))
    )
    assert [i for i, _ in listed(types)] == [0, 1]
    assert [i for i, _ in listed(spec)] == [0, 1, 2]
    assert [i for i, _ in listed(spec)] == [0, 1, 2]  # again
    i, row = next(iter(spec))
    assert (i.dtype, row.dtype, row.shape) == (np.int64, np.float32, (2,))
    assert types.cardinality().numpy() == -2
    with pytest.raises(TypeError, match="a length that is not known"):
        len(types)
    with pytest.raises(TypeError, match="Pass the function itself"):
        Dataset.from_generator(numbers())


def test_order_and_lengths() -> None:
    five = Dataset.range(5)
    assert listed(five) == [0, 1, 2, 3, 4]
    assert listed(Dataset.range(1, 7, 3)) == [1, 4]
    assert listed(five.skip(1).take(3).repeat(2)) == [1, 2, 3, 1, 2, 3]
    assert listed(five.repeat().skip(3).take(4)) == [3, 4, 0, 1]
    assert listed(five.concatenate(Dataset.range(2))) == [0, 1, 2, 3, 4, 0, 1]
    assert listed(five.shard(2, 1)) == [1, 3]
    assert listed(five.enumerate(7))[0] == (7, 0)
    assert listed(five.filter(lambda i: i % 2 == 0)) == [0, 2, 4]
    assert listed(Dataset.zip((five, {"b": Dataset.range(2)}))) == [(0, {"b": 0}), (1, {"b": 1})]
    assert [b.tolist() for b in listed(five.batch(2))] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in listed(five.batch(2, drop_remainder=True))] == [[0, 1], [2, 3]]
    assert listed(five.batch(3).unbatch()) == [0, 1, 2, 3, 4]
    assert five.reduce(np.int64(0), lambda total, i: total + i).numpy() == 10
    lengths = [five.batch(2), five.batch(2, True), five.take(9), five.skip(4), five.repeat(3), five.shard(2, 1)]
    assert [len(d) for d in lengths] == [len(listed(d)) for d in lengths]
    assert five.repeat().cardinality() == tf.data.experimental.INFINITE_CARDINALITY == -1
    assert tf.data.experimental.cardinality(five.filter(bool)) == -2
    assert tf.data.AUTOTUNE == -1
    with pytest.raises(TypeError, match="has no end"):
        len(five.repeat())
    with pytest.raises(ValueError, match=r"`batch_size` must be greater than zero. Found: 0"):
        five.batch(0)
    ragged = Dataset.from_generator(lambda: [[1], [1, 2]]).batch(2)
    with pytest.raises(ValueError, match="Cannot batch tensors with different shapes"):
        listed(ragged)
    with pytest.raises(AttributeError, match=r"tensorflow.data.Datset is not there.*tensorflow.data.Dataset"):
        _ = tf.data.Datset


def test_shuffle() -> None:
    ten = Dataset.range(10).shuffle(10)
    np.random.seed(1)
    first, second = listed(ten), listed(ten)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    np.random.seed(1)
    assert listed(Dataset.range(10).shuffle(10)) == first
    assert listed(Dataset.range(10).shuffle(1)) == list(range(10))
    for place, value in enumerate(listed(Dataset.range(50).shuffle(4))):
        assert value < place + 4  # only what is in the buffer can come
    once = Dataset.range(10).shuffle(10, reshuffle_each_iteration=False)
    assert listed(once) == listed(once)
    seeded = [listed(Dataset.range(10).shuffle(10, seed=5).repeat(2)) for _ in range(2)]
    assert seeded[0] == seeded[1]
    assert seeded[0][:10] != seeded[0][10:]


def test_cache_keeps_the_first_pass() -> None:
    calls: list[int] = []
    cached = Dataset.range(3).map(lambda i: calls.append(int(i)) or i).cache().prefetch(tf.data.AUTOTUNE)
    assert listed(cached.take(1)) == [0]
    assert listed(cached) == listed(cached) == [0, 1, 2]
    assert calls == [0, 0, 1, 2]


# -- functions of elements ---------------------------------------------------------------------------------------------


def test_map_with_numpy_and_with_tensorflow() -> None:
    x, y = samples(6)
    pairs = Dataset.from_tensor_slices((x, y))
    for function in (lambda a, b: (a * 2, b), lambda a, b: (tf.multiply(a, 2.0), b)):
        mapped = listed(pairs.map(function, num_parallel_calls=tf.data.AUTOTUNE).batch(4))
        np.testing.assert_allclose(np.concatenate([a for a, _ in mapped]), x * 2)
        np.testing.assert_array_equal(np.concatenate([b for _, b in mapped]), y)
    images = Dataset.from_tensor_slices({"image": np.full((2, 2, 2), 255, "uint8"), "label": [1, 2]})
    ready = images.map(lambda d: (tf.cast(d["image"], tf.float32) / 255.0, tf.one_hot(d["label"], 3)))
    image, label = listed(ready)[1]
    assert image.dtype == np.float32
    assert image.min() == image.max() == 1
    assert label.tolist() == [0, 0, 1]


def test_map_traces_a_function_of_operations_once() -> None:
    calls: list[Any] = []

    def double(i: Any) -> Any:
        calls.append(i)
        return tf.add(tf.cast(i, tf.float32), 1.0)

    assert listed(Dataset.range(20).map(double)) == [float(i + 1) for i in range(20)]
    assert len(calls) == 2  # with the first number, then to make a program

    def by_value(i: Any) -> Any:
        return tf.constant(float(i)) if i > 1 else tf.constant(-1.0)

    assert listed(Dataset.range(4).map(by_value)) == [-1, -1, 2, 3]


def test_random_operations_are_drawn_for_each_element() -> None:
    drawn = listed(Dataset.range(20).map(lambda i: tf.random.uniform([]) + tf.cast(i, tf.float32)))
    rest = np.array(drawn) - np.arange(20)
    assert rest.min() >= 0
    assert rest.max() < 1
    assert len(np.unique(np.round(rest, 4))) > 10


# -- training ----------------------------------------------------------------------------------------------------------


def test_training_is_that_of_arrays() -> None:
    x, y = samples()
    data = Dataset.from_tensor_slices((x, y)).batch(4)
    by_arrays, by_data = model(), model()
    expected = by_arrays.fit(x, y, 4, epochs=2, shuffle=False, verbose=0, validation_data=(x[:4], y[:4]))
    held = Dataset.from_tensor_slices((x[:4], y[:4])).batch(2)
    history = by_data.fit(data.prefetch(1), epochs=2, validation_data=held, verbose=0)
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(by_data.evaluate(data, verbose=0), by_arrays.evaluate(x, y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(by_data.predict(data), by_arrays.predict(x), rtol=1e-5)
    np.testing.assert_allclose(by_data.predict(data.map(lambda a, _: a)), by_arrays.predict(x), rtol=1e-5)


def test_training_on_a_shuffled_repeated_data_set_repeats() -> None:
    x, y = samples()
    weights = []
    for _ in range(2):
        trained = model()
        data = Dataset.from_tensor_slices((x, y)).shuffle(10).repeat().batch(3)
        history = trained.fit(data, steps_per_epoch=4, epochs=3, verbose=0)
        assert len(history.history["loss"]) == 3
        weights.append(trained.get_weights())
    np.testing.assert_array_equal(weights[0][0], weights[1][0])
    with pytest.raises(ValueError, match="specify `steps_per_epoch`"):
        trained.fit(data, verbose=0)


def test_windows_of_a_series() -> None:
    def lists(*how: Any, **named: Any) -> list[list[int]]:
        return [[int(i) for i in part] for part in tf.data.Dataset.range(7).window(*how, **named)]

    assert lists(3) == [[0, 1, 2], [3, 4, 5], [6]]
    assert lists(3, shift=2, drop_remainder=True) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert lists(2, shift=4, stride=2) == [[0, 2], [4, 6]]
    assert lists(1, shift=3) == [[0], [3], [6]]
    series = tf.data.Dataset.from_tensor_slices(np.arange(6.0))
    rows = series.window(3, shift=1, drop_remainder=True).flat_map(lambda part: part.batch(3))
    pairs = rows.map(lambda row: (row[:-1], row[-1])).batch(2)
    x, y = next(iter(pairs))
    np.testing.assert_array_equal(x, [[0, 1], [1, 2]])
    np.testing.assert_array_equal(y, [2, 3])
    named = tf.data.Dataset.from_tensor_slices({"a": np.arange(4), "b": np.arange(4) * 2}).window(2)
    assert [int(i) for i in next(iter(named))["b"]] == [0, 2]


def test_a_model_made_of_what_an_iterator_gives_next() -> None:
    x = np.arange(12, dtype="float32").reshape(6, 2)
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(2)
    inputs, targets = dataset.repeat().make_one_shot_iterator().get_next()
    given = Input(tensor=inputs)
    model = Model(given, Dense(1, use_bias=False)(given))
    model.compile("sgd", "mse", target_tensors=[targets])
    model.layers[-1].set_weights([[[1.0], [1.0]]])
    errors = np.square(x[:, 1]).reshape(3, 2).mean(1)
    np.testing.assert_allclose(model.evaluate(steps=3, verbose=0), errors.mean(), rtol=1e-5)
    assert len(model.fit(steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2
