"""Testing and predicting: pure steps, and the compiled programs that run them over many samples.

Where samples are apart, many batches are computed as one, and only their scores are taken batch by batch. Elsewhere a
program loops over the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax._core import graph
from kjax._core.graph import Variable
from kjax._core.scope import Scope
from kjax.engine._plan import Plan
from kjax.engine._steps import Arrays, Roles, apply, key_of_loss, metrics_reset, repeat

if TYPE_CHECKING:
    from kjax.engine.network import Network

Test = Callable[..., Any]


def test_step(model: Network, plan: Plan, roles: Roles) -> Test:
    """(state, batch, key) -> (state, logs). In the state are all variables, trained ones too."""

    def step(state: Arrays, batch: Any, key: Any) -> tuple[Arrays, Any]:
        inputs, targets, weights = batch
        tensors: dict[Any, Any] = {}
        outputs, masks, new_state, penalties = apply(
            model, roles, [], state, inputs, training=False, key=key, tensors=tensors
        )
        with Scope(roles.state, state, key=key_of_loss(key)) as scope:
            scope.captured = graph.Values(tensors)
            _, logs = plan.score(outputs, masks, targets, weights, penalties)
        roles.check(scope)
        if plan.writes:
            new_state = [scope.updates.get(v, value) for v, value in zip(roles.state, new_state, strict=True)]
        return new_state, logs

    return step


def predict_step(model: Network, roles: Roles) -> Test:
    """(state, batch, key) -> (state, outputs)."""

    def step(state: Arrays, batch: Any, key: Any) -> tuple[Arrays, Any]:
        outputs, _, new_state, _ = apply(model, roles, [], state, batch[0], training=False, key=key)
        return new_state, outputs

    return step


def joint_test(model: Network, plan: Plan, roles: Roles, size: int) -> Test:
    """(state, data, count=None) -> logs (batches, n_logs), where samples are apart: all outputs in one go.

    Arguments:
        size: samples in a batch, but for the last.

    `count` says how many samples are real, the others being there to fill batches up: those change nothing.
    """

    def program(state: Arrays, data: Any, count: Any = None) -> Any:
        inputs, targets, weights = data
        key = jax.random.key(0)  # for nothing: a model that draws numbers is not tested so
        outputs, masks, _, penalties = apply(model, roles, [], state, inputs, training=False, key=key)
        scored = (outputs, masks, targets, weights)

        def score(part: Any, live: Any = None) -> Any:
            outputs, masks, targets, weights = part
            with Scope(roles.state, state, key=key_of_loss(key)) as scope:
                _, logs = plan.score(outputs, masks, targets, weights, penalties, live)
            roles.check(scope)
            return logs

        samples = inputs[0].shape[0]
        full = samples // size
        cut = jax.tree.map(lambda a: a[: full * size].reshape(full, size, *a.shape[1:]), scored)
        if count is None:
            logs = jax.vmap(score)(cut)
        else:
            logs = jax.vmap(score)(cut, jnp.clip(count - jnp.arange(full, dtype=jnp.int32) * size, 0, size))
        if samples % size:
            rest = score(jax.tree.map(lambda a: a[full * size :], scored))
            logs = jnp.concatenate([logs, rest[None]])
        return logs

    return program


def looped_test(model: Network, plan: Plan, roles: Roles, size: int) -> Test:
    """(state, data) -> logs (batches, n_logs): batch after batch, of `size` samples but for the last."""
    step = test_step(model, plan, roles)
    if plan.stateful_metrics:
        return _measuring_test(step, metrics_reset(plan, roles), size)

    def program(state: Arrays, data: Any) -> Any:
        samples = jax.tree.leaves(data)[0].shape[0]
        full = samples // size
        # The key is that of `Model.evaluate`; nothing is drawn with it, or the model would be tested elsewhere.
        key = jax.random.key(0)

        def one(i: Any, size: int) -> Any:
            batch = jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, i, size), data)
            return step(state, batch, jax.random.fold_in(key, i))[1]

        lines = jax.eval_shape(lambda: one(0, size))
        logs = jnp.zeros((full, *lines.shape), lines.dtype)
        bounds = None if full == 1 else (0, full)
        logs = repeat(bounds, lambda i, logs: logs.at[i].set(one(i * size, size)), logs)
        if samples % size:
            logs = jnp.concatenate([logs, one(full * size, samples % size)[None]])
        return logs

    return program


def _measuring_test(step: Test, reset: Any, size: int) -> Test:
    """`looped_test` where metrics have a state, which begins anew and is passed from batch to batch."""

    def program(state: Arrays, data: Any) -> Any:
        samples = jax.tree.leaves(data)[0].shape[0]
        full = samples // size
        key = jax.random.key(0)

        def one(state: Arrays, i: Any, size: int) -> tuple[Arrays, Any]:
            batch = jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, i, size), data)
            return step(state, batch, jax.random.fold_in(key, i))

        def body(i: Any, carry: Any) -> Any:
            state, logs = carry
            state, line = one(state, i * size, size)
            return state, logs.at[i].set(line)

        state = reset(state, 0)
        lines = jax.eval_shape(lambda: one(state, 0, size)[1])
        state, logs = repeat(
            None if full == 1 else (0, full), body, (state, jnp.zeros((full, *lines.shape), lines.dtype))
        )
        if samples % size:
            logs = jnp.concatenate([logs, one(state, full * size, samples % size)[1][None]])
        return logs

    return program


def test_in_training(
    model: Network, plan: Plan, slots: Sequence[Variable], roles: Roles, size: int, apart: bool
) -> Test:
    """(params, state, opt_state, data) -> logs (batches, n_logs): testing as a part of a program that trains.

    Arguments:
        slots: the variables whose values `opt_state` holds.
        roles: those of the training.
        size: samples in a batch.
        apart: whether samples may be computed together.
    """
    everything = Roles((), (*roles.trainable, *roles.state, *slots), roles.may_freeze)
    program = (joint_test if apart else looped_test)(model, plan, everything, size)

    def test(params: Arrays, state: Arrays, opt_state: Any, data: Any) -> Any:
        return program([*params, *state, *jax.tree.leaves(opt_state)], data)

    return test


def joint_predict(model: Network, roles: Roles) -> Test:
    """(state, inputs) -> outputs, of all samples in one go."""

    def program(state: Arrays, inputs: Arrays) -> Any:
        return apply(model, roles, [], state, inputs, training=False, key=jax.random.key(0))[0]

    return program


def scan_program(step: Callable[..., Any], stateful: bool, looped: bool) -> Callable[..., Any]:
    """Testing or predicting over the first `count` batches of `data`.

    (state, data, count, seed) -> (state, results), where `data` is (batches, samples, ...) and the results are stacked
    in front. Only a stateful model's batches depend on each other and change the state. Not looped, it runs the batch
    number `count` alone.
    """

    def program(state: Arrays, data: Any, count: Any, seed: Any) -> tuple[Any, Any]:
        key = jax.random.key(seed)

        def one(state: Arrays, i: Any) -> tuple[Arrays, Any]:
            new_state, result = step(state, jax.tree.map(lambda a: a[i], data), jax.random.fold_in(key, i))
            return (new_state if stateful else state), result

        if not looped:
            state, result = one(state, count)
            return (state if stateful else []), jax.tree.map(lambda a: a[None], result)
        shapes = jax.eval_shape(lambda: one(state, 0)[1])
        batches = jax.tree.leaves(data)[0].shape[0]
        results = jax.tree.map(lambda s: jnp.zeros((batches, *s.shape), s.dtype), shapes)

        def body(i: Any, carry: Any) -> Any:
            kept, results = carry
            kept, result = one(kept if stateful else state, i)
            return (kept if stateful else []), jax.tree.map(lambda a, r: a.at[i].set(r), results, result)

        return lax.fori_loop(0, count, body, (state if stateful else [], results))

    return program
