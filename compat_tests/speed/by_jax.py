"""What the works share when they are written by hand with JAX and optax: dense networks and loops over epochs."""

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


def make_step(score: Callable[[Any, Any], tuple[Any, Any]], optimizer: optax.GradientTransformation) -> Step:
    """A training step from `score(params, batch) -> (loss, logs)`; the state is (params, slots)."""

    def step(state: Any, batch: Any) -> tuple[Any, Any]:
        params, slots = state
        (_, logs), gradients = jax.value_and_grad(score, has_aux=True)(params, batch)
        updates, slots = optimizer.update(gradients, slots, params)
        return (optax.apply_updates(params, updates), slots), logs

    return step


def fit(
    way: str,
    step: Step,
    state: Any,
    data: Any,
    batch: int,
    epochs: int,
    after: Callable[[Any], Any] = lambda state: (),
) -> Callable[[], Any]:
    """A function that trains for some epochs more and returns the mean logs of each and what `after` says of each.

    Arguments:
        way: `'scan'` for all epochs in one program, `'step'` for a dispatch a batch.
        after: computed from the state at the end of each epoch.
    """
    samples = jax.tree.leaves(data)[0].shape[0]
    run = (_scanned if way == "scan" else _stepped)(step, data, batch, samples, after)
    kept = [state]
    generator = np.random.default_rng(0)

    def train() -> Any:
        orders = generator.permuted(np.tile(np.arange(samples, dtype=np.int32), (epochs, 1)), axis=1)
        kept[0], logs = run(kept[0], orders)
        return jax.device_get(logs)

    return train


def _scanned(step: Step, data: Any, batch: int, samples: int, after: Callable[[Any], Any]) -> Any:
    full = samples // batch

    def epoch(data: Any, state: Any, order: Any) -> tuple[Any, Any]:
        def one(state: Any, rows: Any) -> tuple[Any, Any]:
            return step(state, jax.tree.map(lambda a: a[rows], data))

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


def _stepped(step: Step, data: Any, batch: int, samples: int, after: Callable[[Any], Any]) -> Any:
    step, after = jax.jit(step, donate_argnums=0), jax.jit(after)

    def run(state: Any, orders: np.ndarray) -> tuple[Any, Any]:
        means = []
        for order in orders:
            logs = []
            for first in range(0, samples, batch):
                rows = order[first : first + batch]
                state, log = step(state, jax.tree.map(lambda a, rows=rows: a[rows], data))
                logs.append((log, len(rows)))
            # Fetched at the epoch's end, so that the device never waits for the host.
            logs = jax.device_get(logs)
            total = jax.tree.map(lambda *each: sum(each), *(jax.tree.map(lambda v, n=n: v * n, v) for v, n in logs))
            means.append((jax.tree.map(lambda t: t / samples, total), after(state)))
        return state, jax.tree.map(lambda *each: np.stack(each), *jax.device_get(means))

    return run
