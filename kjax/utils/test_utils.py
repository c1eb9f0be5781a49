"""Helpers of Keras's tests, which packages of layers use in theirs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax import backend as K
from kjax.engine import Input, Model, Sequential

__test__ = False  # pytest collects modules by their name


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple[int, ...] = (10,),
    output_shape: tuple[int, ...] = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Random data that can be learnt: inputs lie around their class number, or around what the targets lie around.

    Arguments:
        num_train, num_test: numbers of samples.
        input_shape: shape of one input.
        output_shape: shape of one target, without `classification`.
        classification: whether targets are class numbers.
        num_classes: number of classes.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.
    """
    samples = num_train + num_test
    if classification:
        y: np.ndarray = np.random.randint(0, num_classes, size=(samples,))
        center = y.reshape(-1, *(1,) * len(input_shape))
        x = np.random.normal(loc=center, scale=0.7, size=(samples, *input_shape)).astype(np.float32)
    else:
        sizes = int(np.prod(input_shape)), int(np.prod(output_shape))
        center = np.random.random((samples,))[:, None]
        both = np.random.normal(loc=center, scale=0.7, size=(samples, sum(sizes))).astype(np.float32)
        x = both[:, : sizes[0]].reshape(samples, *input_shape)
        y = both[:, sizes[0] :].reshape(samples, *output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(
    layer_cls: Any,
    kwargs: dict[str, Any] | None = None,
    input_shape: Any = None,
    input_dtype: Any = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: Any = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """Put a layer through what models do with layers: weights, config, shapes, training; alone and in a `Sequential`.

    Arguments:
        layer_cls: the class of the layer.
        kwargs: its arguments.
        input_shape: shape of the input with the batch; random data are drawn, None being some length.
        input_dtype: type of the input; that of Keras's floats by default.
        input_data: the input, instead.
        expected_output: what the layer should make of it.
        expected_output_dtype: the type of that.
        fixed_batch_size: whether the batch size is part of the model.

    Returns:
        What the layer makes of the input.

    Raises:
        AssertionError: if anything is not as it should be.
    """
    kwargs = dict(kwargs or {})
    if input_data is None:
        if not input_shape:
            raise ValueError("`layer_test` needs `input_shape` or `input_data`.")
        shape = tuple(np.random.randint(1, 4) if side is None else side for side in input_shape)
        input_data = 10 * np.random.random(shape).astype(input_dtype or K.floatx()) - 0.5
        input_data = input_data.astype(input_dtype or K.floatx())
    input_shape = tuple(input_shape or input_data.shape)
    layer = layer_cls(**kwargs)
    weights = layer.get_weights()
    layer.set_weights(weights)
    where = {"batch_shape": input_shape} if fixed_batch_size else {"shape": input_shape[1:]}
    x = Input(**where, dtype=input_dtype)
    y = layer(x)
    if expected_output_dtype is not None:
        assert K.dtype(y) == expected_output_dtype, f"the type is {K.dtype(y)}, not {expected_output_dtype}"
    model = Model(x, y)
    output = model.predict(input_data, batch_size=len(input_data))
    _check_shapes(layer, input_data.shape, K.int_shape(y), output)
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3, atol=1e-6)
    _check_copy(Model.from_config(model.get_config(), {layer_cls.__name__: layer_cls}), model, input_data, output)
    model.compile("rmsprop", "mse")
    model.train_on_batch(input_data, output)
    again = Sequential([layer_cls.from_config(layer_cls(**{**kwargs, "batch_input_shape": input_shape}).get_config())])
    assert again.predict(input_data, batch_size=len(input_data)).shape == output.shape
    again.compile("rmsprop", "mse")
    again.train_on_batch(input_data, output)
    return output


def _check_shapes(layer: Any, given: tuple[int, ...], symbolic: tuple[int | None, ...], output: np.ndarray) -> None:
    """The shapes that a layer announces must be those that it makes."""
    for what, shape in (("computed", layer.compute_output_shape(given)), ("symbolic", symbolic)):
        fits = len(shape) == output.ndim and all(a in (None, b) for a, b in zip(shape, output.shape, strict=True))
        assert fits, f"the {what} shape {tuple(shape)} does not fit the real one {output.shape}"


def _check_copy(copy: Any, model: Any, data: np.ndarray, output: np.ndarray) -> None:
    """A model from the config of another computes the same with its weights."""
    copy.set_weights(model.get_weights())
    if not model.draws_randomly:
        np.testing.assert_allclose(copy.predict(data, batch_size=len(data)), output, rtol=1e-3, atol=1e-6)


def keras_test(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a test, so that it leaves neither names nor a learning phase behind."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return func(*args, **kwargs)
        finally:
            K.clear_session()

    return wrapper
