"""What the works share when they are written by hand with JAX and optax: networks, steps and loops over epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

Step = Callable[[Any, Any], tuple[Any, Any]]  # (state, batch) -> (state, logs)


def params_of(weights: Sequence[np.ndarray]) -> list[Any]:
    """Pairs of a kernel and a bias from a flat list."""
    return [(jnp.array(w), jnp.array(b)) for w, b in zip(weights[::2], weights[1::2], strict=True)]


def forward(params: Any, x: Any, hidden: Callable[[Any], Any]) -> Any:
    """A network of dense layers, its last one without activation."""
    for kernel, bias in params[:-1]:
        x = hidden(x @ kernel + bias)
    return x @ params[-1][0] + params[-1][1]


def convolve(x: Any, kernel: Any, bias: Any, padding: str) -> Any:
    """A convolution of images, channels last."""
    return lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias


def pool(x: Any) -> Any:
    """The greatest of each 2 x 2 pixels."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def dropout(key: Any, x: Any, rate: float) -> Any:
    """Zeros in some places, the rest scaled."""
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def make_step(score: Callable[[Any, Any], tuple[Any, Any]], optimizer: optax.GradientTransformation) -> Step:
    """A training step from `score(params, batch) -> (loss, logs)`; the state is (params, slots)."""

    def step(state: Any, batch: Any) -> tuple[Any, Any]:
        params, slots = state
        (_, logs), gradients = jax.value_and_grad(score, has_aux=True)(params, batch)
        updates, slots = optimizer.update(gradients, slots, params)
        return (optax.apply_updates(params, updates), slots), logs

    return step


def make_noisy_step(score: Callable[..., tuple[Any, Any]], optimizer: optax.GradientTransformation) -> Step:
    """A training step from `score(params, running, key, batch) -> (loss, (running, logs))`, for a network with
    dropout or averages that run along; the state is (params, slots, running, key)."""

    def step(state: Any, batch: Any) -> tuple[Any, Any]:
        params, slots, running, key = state
        key, used = jax.random.split(key)
        grad = jax.value_and_grad(score, has_aux=True)
        (_, (running, logs)), gradients = grad(params, running, used, batch)
        updates, slots = optimizer.update(gradients, slots, params)
        return (optax.apply_updates(params, updates), slots, running, key), logs

    return step


class Fit:
    """Trains for some epochs more at each call, and returns the mean logs of each and what `after` says of each.

    Arguments:
        way: `'scan'` for all epochs in one program, `'step'` for a dispatch a batch.
        state: what the step changes; an attribute, too.
        after: computed from the state at the end of each epoch.
    """

    def __init__(
        self, way: str, step: Step, state: Any, data: Any, batch: int, after: Callable[[Any], Any] = lambda state: ()
    ) -> None:
        self.state = state
        self._samples = jax.tree.leaves(data)[0].shape[0]
        self._run = (_scanned if way == "scan" else _stepped)(step, data, batch, after)
        self._generator = np.random.default_rng(0)

    def __call__(self, epochs: int, samples: int | None = None) -> Any:
        """Train on the first so many samples, by default on all, in a new order in each epoch."""
        rows = np.arange(samples or self._samples, dtype=np.int32)
        orders = self._generator.permuted(np.tile(rows, (epochs, 1)), axis=1)
        self.state, logs = self._run(self.state, orders)
        return jax.device_get(logs)


def _scanned(step: Step, data: Any, batch: int, after: Callable[[Any], Any]) -> Any:
    def epoch(data: Any, state: Any, order: Any) -> tuple[Any, Any]:
        def one(state: Any, rows: Any) -> tuple[Any, Any]:
            return step(state, jax.tree.map(lambda a: a[rows], data))

        samples = len(order)
        full = samples // batch
        state, logs = lax.scan(one, state, order[: full * batch].reshape(full, batch))
        total = jax.tree.map(lambda log: log.sum(0) * batch, logs)
        if rest := samples % batch:
            state, last = one(state, order[full * batch :])
            total = jax.tree.map(lambda sum_, log: sum_ + log * rest, total, last)
        return state, (jax.tree.map(lambda sum_: sum_ / samples, total), after(state))

    def program(state: Any, data: Any, orders: Any) -> tuple[Any, Any]:
        return lax.scan(lambda state, order: epoch(data, state, order), state, orders)

    compiled = jax.jit(program, donate_argnums=0)
    placed = jax.device_put(data)
    return lambda state, orders: compiled(state, placed, orders)


def _stepped(step: Step, data: Any, batch: int, after: Callable[[Any], Any]) -> Any:
    step, after = jax.jit(step, donate_argnums=0), jax.jit(after)

    def run(state: Any, orders: np.ndarray) -> tuple[Any, Any]:
        means = []
        for order in orders:
            logs = []
            for first in range(0, len(order), batch):
                rows = order[first : first + batch]
                state, log = step(state, jax.tree.map(lambda a, rows=rows: a[rows], data))
                logs.append((log, len(rows)))
            # Fetched at the epoch's end, so that the device never waits for the host.
            logs = jax.device_get(logs)
            total = jax.tree.map(lambda *each: sum(each), *(jax.tree.map(lambda v, n=n: v * n, v) for v, n in logs))
            means.append((jax.tree.map(lambda t: t / orders.shape[1], total), after(state)))
        return state, jax.tree.map(lambda *each: np.stack(each), *jax.device_get(means))

    return run
