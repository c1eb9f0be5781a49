"""`K.rnn` and the folds against loops in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from kjax import backend as K
from kjax._core import scope

RNG = np.random.RandomState(3)
SAMPLES, STEPS, FEATURES, UNITS = 3, 5, 4, 2
X = RNG.randn(SAMPLES, STEPS, FEATURES).astype("float32")
W = RNG.randn(FEATURES, UNITS).astype("float32")
U = RNG.randn(UNITS, UNITS).astype("float32")
H0 = RNG.randn(SAMPLES, UNITS).astype("float32")
C0 = RNG.randn(SAMPLES, UNITS).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]])


def reference(
    step: Callable[..., Any],
    x: np.ndarray,
    states: list[np.ndarray],
    mask: np.ndarray | None = None,
    go_backwards: bool = False,
    before: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The loop, sample by sample; `before` is the output that a mask at the first step repeats."""
    order = range(x.shape[1])[::-1] if go_backwards else range(x.shape[1])
    outputs, lasts = [], []
    for n in range(len(x)):
        state = [s[n : n + 1] for s in states]
        rows: list[np.ndarray] = []
        for t in order:
            output, new = step(x[n : n + 1, t], state)
            if mask is not None and not mask[n, t]:
                previous = np.zeros_like(output) if before is None else before[n : n + 1]
                output, new = (rows[-1] if rows else previous), state
            rows.append(output)
            state = new
        outputs.append(np.concatenate(rows))
        lasts.append(state)
    stacked = np.stack(outputs)
    return stacked[:, -1], stacked, [np.concatenate(s) for s in zip(*lasts, strict=True)]


def simple(x: Any, states: Any) -> Any:
    h = np.tanh(x @ W + states[0] @ U)
    return h, [h]


def simple_k(x: Any, states: Any) -> Any:
    h = K.tanh(K.dot(x, W) + K.dot(states[0], U))
    return h, [h]


def two_states(x: Any, states: Any) -> Any:
    c = 0.5 * states[1] + x @ W
    h = np.tanh(c) + states[0] @ U
    return h, [h, c]


def two_states_k(x: Any, states: Any) -> Any:
    c = 0.5 * states[1] + K.dot(x, W)
    h = K.tanh(c) + K.dot(states[0], U)
    return h, [h, c]


STEP_FUNCTIONS = {"one state": (simple, simple_k, [H0]), "two states": (two_states, two_states_k, [H0, C0])}


def assert_same(got: Any, wanted: Any) -> None:
    last, outputs, states = got
    np.testing.assert_allclose(outputs, wanted[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, wanted[0], rtol=1e-4, atol=1e-5)
    assert len(states) == len(wanted[2])
    for state, other in zip(states, wanted[2], strict=True):
        np.testing.assert_allclose(state, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", STEP_FUNCTIONS)
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_rnn(kind: str, unroll: bool, go_backwards: bool, masked: bool) -> None:
    step, step_k, states = STEP_FUNCTIONS[kind]
    mask = MASK if masked else None
    # The loop takes the first state for the output before the first step; unrolled, that is zeros.
    wanted = reference(step, X, states, mask, go_backwards, before=None if unroll else states[0])

    got = K.rnn(step_k, X, states, go_backwards=go_backwards, mask=mask, unroll=unroll)
    assert isinstance(got[2], list)
    assert_same(got, wanted)

    x = K.placeholder((None, STEPS, FEATURES))
    tensors = [K.placeholder((None, UNITS)) for _ in states]
    fed_mask = K.placeholder((None, STEPS), dtype="bool")
    last, outputs, new = K.rnn(
        step_k, x, tensors, go_backwards, fed_mask if masked else None, unroll=unroll, input_length=STEPS
    )
    assert (tuple(last.shape), tuple(outputs.shape)) == ((None, UNITS), (None, STEPS, UNITS))
    values = K.function([x, fed_mask, *tensors], [last, outputs, *new])([X, MASK, *states])
    assert_same((values[0], values[1], values[2:]), wanted)


def test_mask_with_an_axis_of_length_one() -> None:
    one = K.rnn(simple_k, X, [H0], mask=MASK)
    other = K.rnn(simple_k, X, [H0], mask=MASK[..., None].astype("float32"))
    np.testing.assert_array_equal(one[1], other[1])


def test_constants_come_after_the_states() -> None:
    def step(x: Any, states: Any) -> Any:
        h, scale, shift = states
        h = h * scale + K.sum(x, 1, keepdims=True) + shift
        return h, [h]

    for unroll in (False, True):
        last, _, _ = K.rnn(step, X, [H0], constants=[np.float32(0.5), np.ones((1, UNITS))], unroll=unroll)
        h = H0
        for t in range(STEPS):
            h = h * 0.5 + X[:, t].sum(1, keepdims=True) + 1
        np.testing.assert_allclose(last, h, rtol=1e-4)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 3, 4)])
def test_states_of_many_shapes(shape: tuple[int, ...]) -> None:
    x = RNG.randn(SAMPLES, STEPS, *shape).astype("float32")
    h, count = np.zeros((SAMPLES, *shape), "float32"), np.zeros((SAMPLES, 1), "float32")

    def step(x: Any, states: Any) -> Any:
        new = 0.5 * states[0] + x
        return new, [new, states[1] + 1.0]

    wanted = reference(step, x, [h, count], MASK, before=h)
    assert_same(K.rnn(step, x, [h, count], mask=MASK), wanted)
    np.testing.assert_array_equal(wanted[2][1][:, 0], MASK.sum(1))


def test_no_states() -> None:
    last, outputs, states = K.rnn(lambda x, _: (2.0 * x, []), X, [])
    np.testing.assert_allclose(outputs, 2 * X)
    np.testing.assert_allclose(last, 2 * X[:, -1])
    assert states == []
    with pytest.raises(ValueError, match="No initial states provided"):
        K.rnn(lambda x, _: (2.0 * x, []), X, [], mask=MASK)


def test_what_rnn_refuses() -> None:
    with pytest.raises(ValueError, match="at least 3D"):
        K.rnn(simple_k, X[:, 0], [H0])
    x = K.placeholder((None, None, FEATURES))
    with pytest.raises(ValueError, match="fixed number of timesteps"):
        K.rnn(simple_k, x, [K.variable(H0)], unroll=True)


def test_weights_of_a_step_are_read_and_have_gradients() -> None:
    w = K.variable(W)

    def step(x: Any, states: Any) -> Any:
        h = K.dot(x, w) + 0.5 * states[0]
        return h, [h]

    x = K.placeholder((SAMPLES, STEPS, FEATURES))
    last = K.rnn(step, x, [K.variable(H0)], mask=K.variable(MASK))[0]
    run = K.function([x], [K.sum(last), *K.gradients(K.sum(last), [w])])
    value, gradient = run([X])

    def total(w: np.ndarray) -> Any:
        def step(x: Any, states: Any) -> Any:
            h = x @ w + 0.5 * states[0]
            return h, [h]

        return reference(step, X.astype(float), [H0.astype(float)], MASK, before=H0)[0].sum()

    w64 = W.astype(float)
    np.testing.assert_allclose(value, total(w64), rtol=1e-4)
    for i in np.ndindex(*W.shape):
        moved = np.zeros_like(w64)
        moved[i] = 1e-4
        slope = (total(w64 + moved) - total(w64 - moved)) / 2e-4
        np.testing.assert_allclose(gradient[i], slope, rtol=1e-3, atol=1e-4)
    K.set_value(w, 2 * W)
    assert not np.allclose(run([X])[0], value)


def test_a_step_may_write_variables_draw_and_add_losses() -> None:
    count = K.variable(1.0)

    def step(x: Any, states: Any) -> Any:
        count.assign(count.value * 2.0)
        inner = scope.current()
        assert inner is not None
        inner.losses.append(jnp.sum(x))
        assert K.learning_phase() == 1
        return K.random_uniform((SAMPLES, 2)), states

    with scope.Scope(training=True, key=jax.random.key(0)) as opened:
        _, outputs, _ = K.rnn(step, X, [H0])
    assert float(opened.updates[count]) == 2.0**STEPS
    np.testing.assert_allclose(sum(opened.losses), X.sum(), rtol=1e-4)
    drawn = np.asarray(outputs)
    assert len({drawn[0, t, 0].item() for t in range(STEPS)}) == STEPS


def test_folds() -> None:
    elems = np.arange(1.0, 5.0, dtype="float32")
    for fold, wanted in ((K.foldl, ((1 - 2) - 3) - 4), (K.foldr, ((4 - 3) - 2) - 1)):
        assert float(fold(lambda a, x: a - x, elems)) == wanted
    assert float(K.foldl(lambda a, x: a * 10.0 + x, elems, initializer=7.0)) == 71234
    assert float(K.foldr(lambda a, x: a * 10.0 + x, elems, initializer=7.0)) == 74321
    x = K.placeholder((None,))
    run = K.function([x], [K.foldl(lambda a, x: a + x, x)])
    assert run([elems])[0] == 10


def test_map_fn() -> None:
    np.testing.assert_allclose(K.map_fn(K.sum, X), X.sum((1, 2)), rtol=1e-5)
    pairs = K.map_fn(lambda pair: K.dot(K.expand_dims(pair[0], 0), K.expand_dims(pair[1], 1)), (X[0], X[1]))
    np.testing.assert_allclose(pairs[:, 0, 0], (X[0] * X[1]).sum(1), rtol=1e-4, atol=1e-5)
    x = K.placeholder((None, 3))
    mapped = K.map_fn(lambda row: K.sum(row) > 0.0, x, dtype="float32")
    assert tuple(mapped.shape) == (None,)
    np.testing.assert_array_equal(K.function([x], [mapped])([[[1, 2, 3], [-1, -2, 1]]])[0], [1.0, 0.0])
