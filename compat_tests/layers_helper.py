"""What a layer computes: outputs, derivatives and new states, of kjax and of today's Keras, to be compared."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compat_tests import today
from kjax._core.scope import Scope
from kjax.engine.base_layer import registry

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Numbers:
    """One run of a layer.

    Attributes:
        outputs: its outputs.
        input_gradients: derivatives of `sum(output * cotangent)` with respect to the inputs, None for integers.
        weight_gradients: the same with respect to the trainable weights.
        weights: all weights after the run, moving averages and states updated, in the order of `get_weights`.
    """

    outputs: list[np.ndarray]
    input_gradients: list[Any]
    weight_gradients: list[np.ndarray]
    weights: list[np.ndarray]


def cotangent(shape: tuple[int, ...]) -> np.ndarray:
    """Fixed random numbers: what an output is multiplied by before it is summed up and derived."""
    return np.random.RandomState(7).normal(size=shape).astype("float32")


def layer_numbers(layer: Any, inputs: Any, training: bool = False, seed: int = 0, **kwargs: Any) -> Numbers:
    """Run a layer on numpy arrays; it is built by them if it has not been.

    Arguments:
        inputs: array or list of arrays.
        training: the learning phase.
        seed: of the random key.
        **kwargs: passed to the call.
    """
    if not layer.built:
        layer(inputs, **kwargs)
    trained, others = layer.trainable_weights, layer.non_trainable_weights

    def run(values: list[Any], arrays: list[Any]) -> tuple[Any, Any]:
        key = jax.random.key(seed)
        with Scope([*trained, *others], [*values, *states], training=training, key=key) as opened:
            outputs = _as_list(layer(arrays if isinstance(inputs, list) else arrays[0], **kwargs))
        assert not opened.missed
        after = [opened.updates.get(w, v) for w, v in zip([*trained, *others], [*values, *states], strict=True)]
        return _weighted_sum(outputs), (outputs, after)

    states = [w.stored for w in others]
    return _numbers(run, [w.stored for w in trained], inputs)


def today_numbers(layer: Any, inputs: Any, weights: list[np.ndarray], training: bool = False) -> Numbers:
    """Run a layer of today's Keras, given the weights, in the same way."""
    with today.lenient():
        layer.build([x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape)
        if weights:
            layer.set_weights(weights)
        states = [v.value for v in layer.non_trainable_variables]
        knows = "training" in inspect.signature(layer.call).parameters
        kwargs = {"training": training} if knows else {}

        def run(values: list[Any], arrays: list[Any]) -> tuple[Any, Any]:
            given = arrays if isinstance(inputs, list) else arrays[0]
            outputs, after = layer.stateless_call(values, states, given, **kwargs)
            outputs = _as_list(outputs)
            return _weighted_sum(outputs), (outputs, [*values, *after])

        return _numbers(run, [v.value for v in layer.trainable_variables], inputs)


def assert_same(got: Numbers, wanted: Numbers, tolerance: float = TOLERANCE, weights: bool = True) -> None:
    """Compare two runs: outputs, derivatives and, unless told otherwise, the weights afterwards."""
    parts = ("outputs", "input_gradients", "weight_gradients", *(("weights",) if weights else ()))
    for part in parts:
        ours, theirs = getattr(got, part), getattr(wanted, part)
        assert len(ours) == len(theirs), part
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if a is not None:
                np.testing.assert_allclose(a, b, tolerance, tolerance, err_msg=f"{part}[{i}]")


def assert_same_as_today(
    layer: Any, other: Any, inputs: Any, training: bool = False, tolerance: float = TOLERANCE, weights: bool = True
) -> None:
    """Compare a layer with one of today's Keras that has the same weights."""
    if not layer.built:
        layer(inputs)
    wanted = today_numbers(other, inputs, layer.get_weights(), training)
    assert_same(layer_numbers(layer, inputs, training), wanted, tolerance, weights)


def round_trip(layer: Any) -> Any:
    """A layer made from the config of another, found by its name as a loader finds it; their configs are equal."""
    made = registry.deserialize({"class_name": type(layer).__name__, "config": layer.get_config()})
    assert type(made) is type(layer)
    assert made.get_config() == layer.get_config()
    return made


def _numbers(run: Any, values: list[Any], inputs: Any) -> Numbers:
    arrays = [jnp.asarray(x) for x in _as_list(inputs)]
    derive = jax.jit(jax.value_and_grad(run, argnums=(0, 1), has_aux=True, allow_int=True))
    (_, (outputs, after)), (by_weights, by_inputs) = derive(values, arrays)
    return Numbers(
        [np.asarray(x) for x in outputs],
        [None if g.dtype == jax.dtypes.float0 else np.asarray(g) for g in by_inputs],
        [np.asarray(g) for g in by_weights],
        [np.asarray(w) for w in after],
    )


def _weighted_sum(outputs: list[Any]) -> Any:
    return sum(jnp.sum(y * jnp.asarray(cotangent(y.shape), y.dtype)) for y in outputs)


def _as_list(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]
