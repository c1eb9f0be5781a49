"""Layers that make one tensor of several."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests import today
from compat_tests.layers_helper import assert_same_as_today, cotangent, layer_numbers, round_trip
from kjax import backend as K
from kjax.engine.input_layer import Input
from kjax.engine.training import Model
from kjax.layers import merge
from kjax.layers.core import Masking
from kjax.layers.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    random = np.random.RandomState(0)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def reduced(function: Any) -> Any:
    return lambda xs: functools.reduce(function, xs)


ELEMENTWISE = {
    Add: reduced(np.add),
    Subtract: reduced(np.subtract),
    Multiply: reduced(np.multiply),
    Average: lambda xs: reduced(np.add)(xs) / len(xs),
    Maximum: reduced(np.maximum),
    Minimum: reduced(np.minimum),
}
SHAPES = {
    "same": [(4, 3), (4, 3)],
    "three": [(4, 3), (4, 3), (4, 3)],
    "broadcast": [(4, 2, 1), (4, 1, 3)],
    "ranks": [(4, 2, 3), (4, 3)],
    "ranks_of_three": [(4, 3), (4, 5, 1, 3), (4, 2, 1)],
}


def lifted(xs: list[np.ndarray]) -> list[np.ndarray]:
    """With axes of length 1 behind the batch, so that numpy broadcasts as Keras does."""
    rank = max(x.ndim for x in xs)
    return [x.astype("float64").reshape(x.shape[:1] + (1,) * (rank - x.ndim) + x.shape[1:]) for x in xs]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_value_and_derivatives_are_those_of_the_formula(kind: Any, shapes: str) -> None:
    xs = arrays(*SHAPES[shapes])
    if kind is Subtract:
        xs = xs[:2]
    formula = ELEMENTWISE[kind]
    wanted = formula(lifted(xs))
    got = layer_numbers(kind(), xs)
    np.testing.assert_allclose(got.outputs[0], wanted, 1e-6, 1e-6)
    weighted = cotangent(wanted.shape).astype("float64")
    for i, x in enumerate(xs):
        slope = today.slope(lambda v: formula(lifted([*xs[:i], v, *xs[i + 1 :]])) * weighted, x)  # noqa: B023
        np.testing.assert_allclose(got.input_gradients[i], slope, 1e-4, 1e-5)


@pytest.mark.parametrize("shapes", ["same", "three", "broadcast", "ranks"])
@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_elementwise_same_as_todays_keras(kind: Any, shapes: str) -> None:
    xs = arrays(*SHAPES[shapes])[: 2 if kind is Subtract else None]
    assert_same_as_today(kind(), getattr(today.keras().layers, kind.__name__)(), xs)


DOTS = [
    ([(4, 3), (4, 3)], 1, "bi,bi->b"),
    ([(4, 3), (4, 3)], -1, "bi,bi->b"),
    ([(4, 2, 3), (4, 5, 3)], 2, "bij,bkj->bik"),
    ([(4, 2, 3), (4, 2, 5)], 1, "bij,bik->bjk"),
    ([(4, 2, 3), (4, 3, 5)], (2, 1), "bij,bjk->bik"),
    ([(4, 2, 3), (4, 3, 5)], [-1, -2], "bij,bjk->bik"),
    ([(4, 2, 3), (4, 3)], (2, 1), "bij,bj->bi"),
    ([(4, 3), (4, 2, 3)], (1, 2), "bi,bji->bj"),
]


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("shapes", "axes", "letters"), DOTS)
def test_dot(shapes: list[tuple[int, ...]], axes: Any, letters: str, normalize: bool) -> None:
    xs = arrays(*shapes)
    pair = (axes, axes) if isinstance(axes, int) else axes

    def formula(xs: list[np.ndarray]) -> np.ndarray:
        if normalize:
            xs = [x / np.linalg.norm(x, axis=a, keepdims=True) for x, a in zip(xs, pair, strict=True)]
        product = np.einsum(letters, *xs)
        return product[:, None] if product.ndim == 1 else product

    wanted = formula([x.astype("float64") for x in xs])
    got = layer_numbers(Dot(axes, normalize), xs)
    np.testing.assert_allclose(got.outputs[0], wanted, 1e-5, 1e-6)
    weighted = cotangent(wanted.shape).astype("float64")
    for i, x in enumerate(xs):
        others = [x.astype("float64") for x in xs]
        slope = today.slope(lambda v: formula([*others[:i], v, *others[i + 1 :]]) * weighted, x)  # noqa: B023
        np.testing.assert_allclose(got.input_gradients[i], slope, 1e-4, 1e-5)
    assert_same_as_today(Dot(axes, normalize), today.keras().layers.Dot(axes, normalize=normalize), xs)


@pytest.mark.parametrize(("shapes", "axis"), [([(4, 3), (4, 5)], -1), ([(4, 2, 3), (4, 5, 3), (4, 1, 3)], 1)])
def test_concatenate(shapes: list[tuple[int, ...]], axis: int) -> None:
    xs = arrays(*shapes)
    got = layer_numbers(Concatenate(axis), xs)
    np.testing.assert_array_equal(got.outputs[0], np.concatenate(xs, axis))
    ends = np.cumsum([x.shape[axis] for x in xs])[:-1]
    for gradient, part in zip(got.input_gradients, np.split(cotangent(got.outputs[0].shape), ends, axis), strict=True):
        np.testing.assert_array_equal(gradient, part)
    assert_same_as_today(Concatenate(axis), today.keras().layers.Concatenate(axis), xs)


untyped: Any = Dot

FUNCTIONS = ["add", "subtract", "multiply", "average", "maximum", "minimum"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_apply_a_layer(name: str) -> None:
    xs = arrays((4, 3), (4, 3))
    tensors = [Input((3,)), Input((3,))]
    output = getattr(merge, name)(tensors, name="merged")
    layer = output._keras_history[0]
    assert type(layer).__name__ == name.capitalize()
    assert layer.name == "merged"
    np.testing.assert_allclose(Model(tensors, output).predict(xs), ELEMENTWISE[type(layer)](xs), 1e-6)


def test_functions_pass_their_arguments_on() -> None:
    tensors = [Input((3, 2)), Input((3, 2))]
    joined = merge.concatenate(tensors, axis=1, name="joined")
    assert (joined.shape, joined._keras_history[0].axis) == ((None, 6, 2), 1)
    product = merge.dot(tensors, axes=2, normalize=True, name="product")
    assert product.shape == (None, 3, 3)
    assert product._keras_history[0].normalize is True
    assert product._keras_history[0].name == "product"


def test_a_tuple_is_as_good_as_a_list() -> None:
    xs = arrays((4, 3), (4, 3))
    np.testing.assert_allclose(Add()(tuple(xs)), xs[0] + xs[1])
    assert Concatenate()((Input((3,)), Input((2,)))).shape == (None, 5)


def test_unknown_lengths() -> None:
    assert Add()([Input((None, 3)), Input((None, 3))]).shape == (None, None, 3)
    known, unknown = Input((5, 3)), Input((None, 3))
    output = Add()([known, unknown])
    assert output.shape == (None, 5, 3)
    xs = arrays((4, 5, 3), (4, 5, 3))
    np.testing.assert_allclose(Model([known, unknown], output).predict(xs), xs[0] + xs[1])
    assert Add()([Input(batch_shape=(4, 3)), Input((3,))]).shape == (4, 3)
    assert Add()([Input((6, 1)), Input((None, 3))]).shape == (None, 6, 3)
    assert Add().compute_output_shape([(None, None, 3), (4, 5, 1)]) == (4, None, 3)
    assert Concatenate().compute_output_shape([(None, None, 3), (None, None, 2)]) == (None, None, 5)


def test_types_meet() -> None:
    half, integers = jnp.ones((2, 3), "float16"), jnp.full((2, 3), 3, "int32")
    assert Add()([half, jnp.ones((2, 3))]).dtype == "float32"
    assert Multiply()([half, integers]).dtype == "float16"
    assert Concatenate()([half, jnp.ones((2, 3))]).dtype == "float32"
    np.testing.assert_array_equal(Average()([integers, jnp.full((2, 3), 4, "int32")]), np.full((2, 3), 3.5))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Add()([Input((3,)), Input((4,))]), ValueError, r"broadcast together with shapes \(3,\) \(4,\)"),
        (lambda: Add()(Input((3,))), ValueError, "should be called on a list of inputs"),
        (lambda: Add()([Input((3,))]), ValueError, "at least 2 inputs. Got 1 inputs"),
        (lambda: Add()([Input(batch_shape=(2, 3)), Input(batch_shape=(4, 3))]), ValueError, "different batch sizes"),
        (lambda: Subtract()([Input((3,))] * 3), ValueError, "exactly 2 inputs. Got 3"),
        (lambda: Concatenate()(Input((3,))), ValueError, "list of at least 2 inputs"),
        (lambda: Concatenate()([Input((3,))]), ValueError, "list of at least 2 inputs"),
        (
            lambda: Concatenate()([Input((3, 2)), Input((4, 3))]),
            ValueError,
            r"matching shapes except for the concat axis. Got inputs shapes: \[\(None, 3, 2\), \(None, 4, 3\)\]",
        ),
        (lambda: Concatenate(axis=3)([Input((3, 2)), Input((3, 2))]), ValueError, "axis=3"),
        (lambda: Dot(1)(Input((3,))), ValueError, "list of 2 inputs"),
        (lambda: Dot(1)([Input((3,))] * 3), ValueError, "list of 2 inputs"),
        (
            lambda: Dot(1)([Input((3,)), Input((4,))]),
            ValueError,
            r"Dimension incompatibility 3 != 4. Layer shapes: \(None, 3\), \(None, 4\)",
        ),
        (lambda: Dot(0)([Input((3,)), Input((3,))]), ValueError, "`axes`"),
        (lambda: Dot(2)([Input((3,)), Input((3,))]), ValueError, "`axes`"),
        (lambda: untyped("1"), TypeError, "should be a list or an int"),
        (lambda: Dot([1, 2, 3]), ValueError, "two elements"),
        (lambda: untyped([1, None]), ValueError, 'list elements should be "int"'),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_layer_that_was_built_checks_later_inputs() -> None:
    layer = Add()
    layer(arrays((4, 3), (4, 3)))
    with pytest.raises(ValueError, match=r"broadcast together with shapes \(3,\) \(5,\)"):
        layer(arrays((4, 3), (4, 5)))


def values_of_mask(inputs: list[Any], output: Any, xs: list[np.ndarray]) -> np.ndarray:
    return np.asarray(K.function(inputs, [output.mask])(xs)[0])


@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_masks_of_elementwise_layers_are_joined_by_and(kind: Any) -> None:
    xs = arrays((4, 5, 2), (4, 5, 2))
    for x, zeros in zip(xs, ([0, 2], [2, 3]), strict=True):
        x[1, zeros] = 0
    a, b = Input((5, 2)), Input((5, 2))
    wanted = np.ones((4, 5), bool)
    wanted[1, [0, 2, 3]] = False
    np.testing.assert_array_equal(values_of_mask([a, b], kind()([Masking()(a), Masking()(b)]), xs), wanted)
    # An input without a mask has no say.
    wanted[1, 3] = True
    np.testing.assert_array_equal(values_of_mask([a, b], kind()([Masking()(a), b]), xs), wanted)
    assert kind()([a, b]).mask is None


def test_masks_of_concatenate() -> None:
    xs = arrays((4, 5, 2), (4, 5, 2))
    for x, zeros in zip(xs, ([0, 2], [2, 3]), strict=True):
        x[1, zeros] = 0
    first, second = (np.any(x != 0, -1) for x in xs)
    a, b = Input((5, 2)), Input((5, 2))
    masked = [Masking()(a), Masking()(b)]

    def mask(axis: int, parts: list[Any]) -> np.ndarray:
        return values_of_mask([a, b], Concatenate(axis)(parts), xs)

    np.testing.assert_array_equal(mask(-1, masked), first & second)
    np.testing.assert_array_equal(mask(-1, [masked[0], b]), first)
    np.testing.assert_array_equal(mask(1, masked), np.concatenate([first, second], 1))
    np.testing.assert_array_equal(mask(1, [masked[0], b]), np.concatenate([first, np.ones((4, 5), bool)], 1))
    assert Concatenate()([a, b]).mask is None


def test_dot_has_no_mask() -> None:
    a, b = Input((5, 2)), Input((5, 2))
    assert Dot(2)([Masking()(a), Masking()(b)]).mask is None


def test_lists_of_masks_are_checked() -> None:
    xs = arrays((4, 3), (4, 3))
    for layer in (Add(), Concatenate()):
        assert layer.compute_mask(xs, None) is None
        assert layer.compute_mask(xs, [None, None]) is None
        with pytest.raises(ValueError, match="`mask` should be a list"):
            layer.compute_mask(xs, np.ones(4, bool))
        with pytest.raises(ValueError, match="`inputs` should be a list"):
            layer.compute_mask(xs[0], [None, None])
        with pytest.raises(ValueError, match="same length"):
            layer.compute_mask(xs, [None])


def test_a_layer_of_ones_own() -> None:
    class Norm(merge._Merge):
        def _merge_function(self, inputs: list[Any]) -> Any:
            return K.sqrt(inputs[0] ** 2 + inputs[1] ** 2)

    xs = arrays((4, 3), (4, 3))
    a, b = Input((3,)), Input((3,))
    output = Norm()([a, b])
    np.testing.assert_allclose(Model([a, b], output).predict(xs), np.hypot(*xs), 1e-5)
    with pytest.raises(NotImplementedError, match="_merge_function"):
        merge._Merge()(xs)


@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_config_of_elementwise_layers(kind: Any) -> None:
    layer = kind(name="merged", trainable=False)
    assert layer.get_config() == {"name": "merged", "trainable": False}
    round_trip(layer)


def test_config_of_concatenate_and_dot() -> None:
    joined, product = Concatenate(2, name="joined"), Dot((1, 2), True, name="product")
    assert list(joined.get_config().items()) == [("name", "joined"), ("trainable", True), ("axis", 2)]
    wanted = [("name", "product"), ("trainable", True), ("axes", (1, 2)), ("normalize", True)]
    assert list(product.get_config().items()) == wanted
    round_trip(joined)
    round_trip(product)


def test_more_inputs_than_a_recursion_could_take() -> None:
    inputs = [Input((2,)) for _ in range(200)]
    assert Add()(inputs).shape == (None, 2)
    assert Concatenate()(inputs).shape == (None, 400)
