"""Plain SGD, whose steps are differentiated instead of gradients; dropout's choices; mean pooling."""

from __future__ import annotations

import tracemalloc
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compat_tests.fit_helper import close, data, in_order, linear, same_bits, start, train
from kjax import backend as K
from kjax import callbacks, constraints
from kjax.backend.nn import _chosen
from kjax.layers import AveragePooling2D, Dense, Input, Lambda
from kjax.models import Model, Sequential
from kjax.optimizers import SGD

X, Y = data(10)
BATCHES = in_order(10, 4)


def by_hand(
    epochs: int,
    momentum: Any = lambda step: 0.0,
    lr: float = 0.1,
    decay: float = 0.0,
    l2: float = 0.0,
    clipnorm: float = 0.0,
    clipvalue: float = 0.0,
    non_negative: bool = False,
) -> tuple[list[np.ndarray], list[np.ndarray], list[float]]:
    """Weights, velocities and losses of `linear` in float64: epochs that are not shuffled, batches of 4."""
    weights = [w.astype("float64") for w in start()]
    velocities = [np.zeros_like(w) for w in weights]
    step, history = 0, []
    for _ in range(epochs):
        total = 0.0
        for rows in BATCHES:
            x, error = X[rows].astype("float64"), X[rows] @ weights[0] + weights[1] - Y[rows]
            total += len(rows) * (float(np.mean(error**2)) + l2 * float(np.sum(weights[0] ** 2)))
            gradients = [2 * x.T @ error / len(rows) + 2 * l2 * weights[0], 2 * error.mean(axis=0)]
            norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients))
            if clipnorm and norm >= clipnorm:
                gradients = [g * clipnorm / norm for g in gradients]
            if clipvalue:
                gradients = [np.clip(g, -clipvalue, clipvalue) for g in gradients]
            rate = lr / (1 + decay * step)
            velocities = [momentum(step) * v - rate * g for v, g in zip(velocities, gradients, strict=True)]
            weights = [w + v for w, v in zip(weights, velocities, strict=True)]
            if non_negative:
                weights[0] = np.maximum(weights[0], 0)
            step += 1
        history.append(total / len(X))
    return weights, velocities, history


def fit(model: Any, epochs: int = 4, **kwargs: Any) -> list[float]:
    return model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, **kwargs).history["loss"]


def test_steps_velocities_and_losses_are_those_of_the_formula() -> None:
    direct, general = linear(), linear(optimizer=SGD(0.1, momentum=1e-30))
    assert direct.optimizer.is_direct
    assert not general.optimizer.is_direct
    wanted, velocities, losses = by_hand(4)
    for model in (direct, general):
        np.testing.assert_allclose(fit(model), losses, rtol=1e-5)
        close(model.get_weights(), wanted, 1e-6)
        count, *found = model.optimizer.get_weights()
        assert count == 12
        close(found, velocities, 1e-6)
    close(direct.get_weights(), general.get_weights(), 1e-6)
    close(direct.optimizer.get_weights(), general.optimizer.get_weights(), 1e-6)


def test_single_batches_step_the_same() -> None:
    model = linear()
    for rows in BATCHES:
        model.train_on_batch(X[rows], Y[rows])
    wanted, velocities, _ = by_hand(1)
    close(model.get_weights(), wanted, 1e-6)
    close(model.optimizer.get_weights()[1:], velocities, 1e-6)


def test_momentum_that_is_set_between_fits_counts_in_the_next() -> None:
    wanted, velocities, _ = by_hand(4, lambda step: 0.0 if step < 6 else 0.9)
    model = linear()
    fit(model, 2)
    K.set_value(model.optimizer.momentum, 0.9)
    fit(model, 2)
    close(model.get_weights(), wanted, 1e-6)
    close(model.optimizer.get_weights()[1:], velocities, 1e-6)
    K.set_value(model.optimizer.momentum, 0.0)
    model.set_weights(start())
    fit(model, 1)
    close(model.get_weights(), by_hand(1)[0], 1e-6)


def test_momentum_that_a_callback_sets_counts_at_once() -> None:
    def at_epoch(epoch: int, logs: Any = None) -> None:
        K.set_value(model.optimizer.momentum, {1: 0.9, 3: 0.0}.get(epoch + 1, K.get_value(model.optimizer.momentum)))

    def at_batch(batch: int, logs: Any = None) -> None:
        seen.append(batch)
        K.set_value(model.optimizer.momentum, 0.9 if 3 <= len(seen) < 9 else 0.0)

    seen: list[int] = []
    wanted, velocities, _ = by_hand(4, lambda step: 0.9 if 3 <= step < 9 else 0.0)
    for watch in ({"on_epoch_end": at_epoch}, {"on_batch_end": at_batch}):
        model = linear()
        fit(model, callbacks=[callbacks.LambdaCallback(**watch)])
        close(model.get_weights(), wanted, 1e-6)
        close(model.optimizer.get_weights()[1:], velocities, 1e-6)


VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "decay": ({"decay": 0.3}, {"decay": 0.3}),
    "nesterov": ({"nesterov": True}, {}),
    "clipnorm": ({"clipnorm": 0.5}, {"clipnorm": 0.5}),
    "clipvalue": ({"clipvalue": 0.3}, {"clipvalue": 0.3}),
    "both": ({"clipnorm": 0.5, "clipvalue": 0.2}, {"clipnorm": 0.5, "clipvalue": 0.2}),
    "large rate": ({"lr": 0.4}, {"lr": 0.4}),
    "rate of zero": ({"lr": 0.0}, {"lr": 0.0}),
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_variants_of_plain_sgd(kind: str) -> None:
    given, formula = VARIANTS[kind]
    model = linear(optimizer=SGD(**{"lr": 0.1, **given}))
    losses = fit(model)
    wanted, _, history = by_hand(4, **formula)
    close(model.get_weights(), wanted, 2e-6)
    np.testing.assert_allclose(losses, history, rtol=1e-5)


def test_constraints_and_regularizers() -> None:
    model = Sequential([Dense(1, input_dim=3, kernel_regularizer="l2", kernel_constraint=constraints.NonNeg())])
    model.set_weights(start())
    model.compile(SGD(0.1), "mse")
    losses = fit(model)
    wanted, _, history = by_hand(4, l2=0.01, non_negative=True)
    assert (wanted[0] == 0).any()
    close(model.get_weights(), wanted, 1e-6)
    np.testing.assert_allclose(losses, history, rtol=1e-5)


def test_a_rate_that_changes_and_sample_weights() -> None:
    weight = np.array([0, 1, 2, 0.5, 1, 0, 3, 1, 1, 2])
    model = linear()
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.05)
    fit(model, 2, callbacks=[schedule], sample_weight=weight)
    close(model.get_weights(), train(X, Y, BATCHES * 2, weight, 0.05)[0], 2e-6)


@jax.custom_vjp
def kept_small(x: Any) -> Any:
    """The identity, whose gradient is cut off at 0.01: what a user may write against gradients that explode."""
    return x


kept_small.defvjp(lambda x: (x, None), lambda _, g: (jnp.clip(g, -0.01, 0.005),))


def test_gradients_that_a_user_bends_are_bent_as_gradients() -> None:
    found = []
    for momentum in (0.0, 1e-30):
        model = Sequential([Dense(1, input_dim=3), Lambda(kept_small)])
        model.set_weights(start())
        model.compile(SGD(0.1, momentum=momentum), "mse")
        fit(model)
        found.append(model.get_weights())
    close(found[0], found[1], 1e-6)
    x, error = X[:4].astype("float64"), X[:4] @ start()[0] + start()[1] - Y[:4]
    slope = np.clip(2 * error / 4, -0.01, 0.005)
    model = Sequential([Dense(1, input_dim=3), Lambda(kept_small)])
    model.set_weights(start())
    model.compile(SGD(0.1), "mse")
    model.train_on_batch(X[:4], Y[:4])
    close(model.get_weights(), [start()[0] - 0.1 * x.T @ slope, start()[1] - 0.1 * slope.sum()], 1e-6)


# -- dropout ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.5, 0.9, 0.25, 0.8, 0.01])
@pytest.mark.parametrize("shape", [(1000, 200), (1001, 200), (2, 100_000), (3, 50, 1001)], ids=str)
def test_the_share_that_dropout_keeps(share: float, shape: tuple[int, ...]) -> None:
    kept = np.asarray(_chosen(jax.random.key(5), shape, share))
    assert kept.shape == shape
    assert kept.dtype == bool
    deviation = np.sqrt(share * (1 - share) / kept.size)
    assert abs(kept.mean() - share) < 5 * deviation + 2**-17
    half = -(-shape[0] // 2)
    for part in (kept[:half], kept[half:]):  # each made of its own bits
        assert abs(part.mean() - share) < 5 * np.sqrt(share * (1 - share) / part.size) + 2**-17


@pytest.mark.parametrize("samples", [1000, 1001])
def test_the_halves_of_dropout_are_independent(samples: int) -> None:
    share = 0.3
    kept = np.asarray(_chosen(jax.random.key(6), (samples, 300), share)).astype("float64") - share
    half = -(-samples // 2)
    other = kept[half:]
    # The bits of one random number go to these two; neighbours are compared as well.
    for first, second in ((kept[: len(other)], other), (kept[:-1], kept[1:]), (kept[:, :-1], kept[:, 1:])):
        correlation = np.mean(first * second) / (share * (1 - share))
        assert abs(correlation) < 5 / np.sqrt(first.size)
    assert not np.array_equal(kept[: len(other)], other)


def test_dropout_with_a_shape_of_noise() -> None:
    x = np.full((5, 4, 600), 2.0, "float32")
    for noise_shape in ((1, 4, 600), (None, 1, 600), (5, 4, 1), (1, 1, 1), None):
        for level in (0.25, 0.5):
            got = np.asarray(K.dropout(x, level, noise_shape, seed=3))
            assert got.shape == x.shape
            assert set(np.unique(got).tolist()) <= {0.0, float(np.float32(2 / (1 - level)))}
            for axis, length in enumerate(noise_shape or ()):
                if length == 1:
                    assert (got == np.take(got, [0], axis)).all()
            if noise_shape is None or noise_shape[2] == 600:
                cells = 600 * 4 if noise_shape == (1, 4, 600) else 600 * 5
                assert abs((got > 0).mean() - (1 - level)) < 5 * np.sqrt(level * (1 - level) / cells)
    np.testing.assert_array_equal(K.dropout(x, 0.5, seed=3), K.dropout(x, 0.5, seed=3))
    assert not same_bits([np.asarray(K.dropout(x, 0.5, seed=3))], [np.asarray(K.dropout(x, 0.5, seed=4))])


# -- mean pooling ----------------------------------------------------------------------------------------------------


def pooled(x: np.ndarray, size: tuple[int, int], strides: tuple[int, int]) -> np.ndarray:
    """Means of the windows of `'same'` padding, of the cells that are there, in float64."""
    outputs = [-(-n // s) for n, s in zip(x.shape[1:3], strides, strict=True)]
    made = np.empty((len(x), *outputs, x.shape[-1]))
    for i, j in np.ndindex(*outputs):
        cells = []
        for place, n, k, s, count in zip((i, j), x.shape[1:3], size, strides, outputs, strict=True):
            before = max((count - 1) * s + k - n, 0) // 2
            cells.append(slice(max(place * s - before, 0), min(place * s - before + k, n)))
        made[:, i, j] = x[:, cells[0], cells[1]].astype("float64").mean(axis=(1, 2))
    return made


@pytest.mark.parametrize(
    ("shape", "size", "strides"),
    [((7, 8), (3, 3), (2, 2)), ((5, 9), (2, 4), (1, 3)), ((2, 2), (5, 5), (1, 1)), ((6, 6), (2, 2), (2, 2))],
    ids=str,
)
def test_means_of_windows_that_reach_beyond_the_image(shape: Any, size: Any, strides: Any) -> None:
    x = np.random.RandomState(0).normal(size=(2, *shape, 3)).astype("float32")
    wanted = pooled(x, size, strides)
    np.testing.assert_allclose(K.pool2d(x, size, strides, "same", pool_mode="avg"), wanted, rtol=1e-5, atol=1e-6)
    first = np.moveaxis(x, -1, 1)
    got = K.pool2d(first, size, strides, "same", "channels_first", "avg")
    np.testing.assert_allclose(np.moveaxis(np.asarray(got), 1, -1), wanted, rtol=1e-5, atol=1e-6)


def test_pooling_images_of_any_size_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        x = Input((None, None, 3))
        model = Model(x, AveragePooling2D(3, 2, padding="same")(x))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**25
    assert model.output_shape == (None, None, None, 3)
    image = np.random.RandomState(1).normal(size=(1, 9, 6, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(image), pooled(image, (3, 3), (2, 2)), rtol=1e-5, atol=1e-6)
