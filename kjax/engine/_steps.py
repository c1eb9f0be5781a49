"""Pure steps of training, testing and predicting, and the compiled programs that run many of them in one dispatch.

A program is one loop over rows of an index: each row names the samples of a batch, which are gathered on the device.
The first and the last row are arguments, so that one compiled program serves chunks of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax

from kjax._core import graph
from kjax._core.graph import Tensor, Variable
from kjax._core.scope import Scope
from kjax.engine._apart import is_ours
from kjax.engine._flow import Flow
from kjax.engine._jaxprs import has_own_backward
from kjax.engine._plan import Plan, log_dtype
from kjax.engine._rows import Rows

if TYPE_CHECKING:
    from kjax.engine.network import Network
    from kjax.optimizers import Optimizer

Arrays = list[Any]


class Unbound(Exception):
    """A program read variables that are not among its arguments."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        super().__init__(f"unbound: {[v.name for v in variables]}")
        self.variables = list(variables)


@dataclass(frozen=True)
class Roles:
    """The variables of a program: those that are trained, and all others that it reads or writes."""

    trainable: tuple[Variable, ...]
    state: tuple[Variable, ...]
    may_freeze: bool = False  # whether other variables may be read as constants

    def with_state(self, more: Sequence[Variable]) -> Roles:
        """The same with more variables in `state`."""
        return Roles(self.trainable, (*self.state, *more))

    def with_constants(self) -> Roles:
        """The same, with all other variables read as constants."""
        return Roles(self.trainable, self.state, may_freeze=True)

    def check(self, scope: Scope) -> None:
        """Refuse a trace that read variables which it did not receive."""
        if scope.missed and not self.may_freeze:
            raise Unbound(list(scope.missed))


def apply(
    model: Network,
    roles: Roles,
    params: Arrays,
    state: Arrays,
    inputs: Arrays,
    *,
    training: bool,
    key: Any,
    tensors: dict[Any, Any] | None = None,
) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """The model as a pure function: outputs, their masks, the new state, and the penalties.

    Arguments:
        roles: which variables `params` and `state` are the values of.
        inputs: one array for each input of the model that is fed.
        training: the learning phase.
        key: random key for dropout and the like.
        tensors: is given the values of the model's tensors, for losses that refer to them, and what layers measure.

    Raises:
        Unbound: if the model reads other variables; trace again with them in `state`.
    """
    with Scope([*roles.trainable, *roles.state], [*params, *state], training=training, key=key) as scope:
        scope.measures = None if tensors is None else {}
        fed = model._feed_inputs
        # Where nothing is fed the one array counts batches.
        feeds = {x: cast_input(value, x) for x, value in zip(fed, inputs, strict=bool(fed))}
        losses = [loss for layer in _layers(model) for loss in layer._losses]
        symbolic = [loss for loss in losses if isinstance(loss, Tensor)]
        # An operation of `K.update` writes when it is evaluated; of a pair the second is written here.
        updates = [update for layer in _layers(model) for update in layer._updates] if training else []
        written = [x for u in updates for x in (u[1:2] if isinstance(u, tuple) else [u]) if isinstance(x, Tensor)]
        order = model._order if not (symbolic or written or len(fed) < len(model.inputs)) else None
        with scope.inside(frozen=not (model.trainable or model.stateful)):
            values, masks = graph.evaluate([*model.outputs, *symbolic, *written], feeds, order=order, values=tensors)
            _write_pairs(scope, updates, dict(zip(written, values[len(values) - len(written) :], strict=True)))
        values = values[: len(values) - len(written)]
        weights = [pair for layer in _layers(model) for pair in layer._regularized]
        penalties = [*(regularizer(weight.value) for weight, regularizer in weights), *scope.losses]
        penalties += [jnp.asarray(loss, log_dtype()) for loss in losses if isinstance(loss, (int, float))]
        count = len(model.outputs)
        new_state = [scope.updates.get(variable, value) for variable, value in zip(roles.state, state, strict=True)]
        model.draws_randomly |= scope.draws > 0 and not training
        roles.check(scope)
        if tensors is not None and scope.measures:
            tensors.update(scope.measures)
        return values[:count], masks[:count], new_state, [*values[count:], *penalties]


def _write_pairs(scope: Scope, updates: Sequence[Any], values: Mapping[Any, Any]) -> None:
    for update in updates:
        if isinstance(update, tuple):
            variable, value = update
            scope.write(variable, jnp.asarray(values.get(value, value), variable.dtype))


def _layers(model: Network) -> list[Any]:
    return list(model._flatten())


def cast_input(value: Any, tensor: Tensor) -> Any:
    """An input array as the type of the tensor that it feeds: pixels stay bytes until here."""
    return value if value.dtype == tensor.dtype else value.astype(tensor.dtype)


def train_step(
    model: Network,
    plan: Plan,
    optimizer: Optimizer,
    slots: Sequence[Variable],
    roles: Roles,
    direct: bool,
    lean: bool = False,
) -> Callable[..., Any]:
    """(params, state, opt_state, batch, key) -> (params, state, opt_state, logs).

    Arguments:
        slots: the variables whose values `opt_state` holds: losses and metrics may read the optimizer's counter.
        direct: `optimizer.is_direct`, on which the program depends.
        lean: whether to leave the slots as they are, if it is direct: those of another step will replace them.
    """
    constraints = [variable.constraint for variable in roles.trainable]
    everything = Roles(roles.trainable, (*roles.state, *slots), roles.may_freeze)

    def step(params: Arrays, state: Arrays, opt_state: Any, batch: Any, key: Any) -> tuple[Any, ...]:
        inputs, targets, weights = batch
        known = [*state, *jax.tree.leaves(opt_state)]

        def loss(params: Arrays) -> tuple[Any, Any]:
            tensors: dict[Any, Any] = {}
            outputs, masks, new, penalties = apply(
                model, everything, params, known, inputs, training=True, key=key, tensors=tensors
            )
            variables = [*everything.trainable, *everything.state]
            with Scope(variables, [*params, *known], training=True, key=key_of_loss(key)) as scope:
                scope.captured = graph.Values(tensors)
                total, logs = plan.score(outputs, masks, targets, weights, penalties)
            roles.check(scope)
            if plan.writes:
                new = [scope.updates.get(v, value) for v, value in zip(everything.state, new, strict=True)]
            return total, (logs, new[: len(state)])

        flow = Flow(roles.trainable)
        watched = flow.through_to(loss)
        total, gradients_times, (logs, new_state) = jax.vjp(watched, params, has_aux=True)
        own = {"training": True, "key": key_of_optimizer(key)} if optimizer.follows_updates else {}
        with Scope([*everything.trainable, *everything.state], [*params, *known], **own) as scope:
            factor = optimizer.factor(opt_state.iterations) if direct else jnp.ones(())
            late = direct and not is_ours(model, plan) and has_own_backward(loss, params)
            (gradients,) = gradients_times(jnp.ones_like(total) if late else factor.astype(total.dtype))
            flow.check()
            if late:
                gradients = jax.tree.map(lambda g: g * factor.astype(g.dtype), gradients)
            if direct:
                params, new_opt_state = optimizer.apply_steps(gradients, opt_state, params, constraints)
            else:
                params, new_opt_state = optimizer.apply(gradients, opt_state, params, constraints, total)
        roles.check(scope)
        if lean:
            new_opt_state = new_opt_state._replace(slots=opt_state.slots)
        return params, new_state, new_opt_state, logs

    return step


def key_of_loss(key: Any) -> Any:
    """A key for random losses that no draw of the layers has: those count from 1."""
    return jax.random.fold_in(key, 0)


def key_of_optimizer(key: Any) -> Any:
    """A key for random steps of the user's optimizers."""
    return jax.random.fold_in(key, 2**31 - 1)


def gather(data: Any, rows: Any) -> Any:
    """The samples `rows` of every array in `data`."""

    def take(array: Any) -> Any:
        return array.take(rows) if isinstance(array, Rows) else array.at[rows].get(mode="promise_in_bounds")

    return jax.tree.map(take, data, is_leaf=lambda array: isinstance(array, Rows))


@dataclass(frozen=True)
class Loops:
    """What a training program runs over: epochs of full batches, a ragged last one, and a validation.

    Arguments:
        full: full batches in an epoch.
        ragged: whether a shorter one follows.
        held: batches that an epoch is validated on; none if it is not validated.
        held_size: samples in each of them, but for the last.
        direct: whether the optimizer's steps are numbers times the gradients.
        lean: whether its slots stay as they are.
    """

    full: int
    ragged: bool
    held: int = 0
    held_size: int = 0
    direct: bool = False
    lean: bool = False

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.full + self.ragged


def metrics_reset(plan: Plan, roles: Roles) -> Callable[..., Arrays]:
    """(state, batch) -> state, in which the metrics begin anew if the batch is the first one, number 0, of an epoch."""
    if not plan.stateful_metrics:
        return _as_it_is

    def reset(state: Arrays, batch: Any) -> Arrays:
        with Scope(roles.state, state) as scope:
            plan.reset_metrics()
        roles.check(scope)
        news = [scope.updates.get(variable) for variable in roles.state]
        return [old if new is None else jnp.where(batch == 0, new, old) for old, new in zip(state, news, strict=True)]

    return reset


def _as_it_is(state: Arrays, batch: Any) -> Arrays:
    return state


def train_program(
    step: Callable[..., Any],
    test: Callable[..., Any],
    n_logs: int,
    loops: Loops,
    reset: Callable[..., Arrays] = _as_it_is,
) -> Callable[..., Any]:
    """Training over the batches `start` to `stop` of a block of epochs.

    (params, state, opt_state, data, held, rows, start, stop, seed, count) -> (params, state, opt_state, logs):

    - `data` are all samples; `held` those to validate on, or None.
    - `rows` is (index, last, validated): the samples of the full batches (epochs * full, size), of the ragged ones
      (epochs, rest) or None, and whether each epoch is validated (epochs,).
    - `start`, `stop` count batches from the beginning of the block, ragged ones included.
    - `count` batches went before, so that each has a random key of its own.
    - `logs` is ((epochs, steps, n_logs), (epochs, held, n_logs)).

    Arguments:
        step: trains on a batch, as `train_step` makes it.
        test: (params, state, opt_state, held) -> logs (held, n_logs).
        reset: what `metrics_reset` gives.
    """
    full, steps = loops.full, loops.steps

    def program(
        params: Arrays,
        state: Arrays,
        opt_state: Any,
        data: Any,
        held: Any,
        rows: Any,
        start: Any,
        stop: Any,
        seed: Any,
        count: Any,
    ) -> tuple[Any, ...]:
        index, last, validated = rows
        key, epochs = jax.random.key(seed), validated.shape[0]

        def train(carry: Any, samples: Any, epoch: Any, batch: Any) -> Any:
            params, state, opt_state, logs, tested = carry
            number = epoch * steps + batch
            step_key = jax.random.fold_in(key, count + (number - start))
            state = reset(state, batch)
            params, state, opt_state, log = step(params, state, opt_state, gather(data, samples), step_key)
            return params, state, opt_state, _put(logs, log[None], epoch, batch), tested

        def run_epoch(epoch: Any, carry: Any) -> Any:
            first = jnp.maximum(0, start - epoch * steps)
            end = jnp.minimum(steps, stop - epoch * steps)
            whole = full == 1 and not loops.ragged  # then an epoch that is begun is also ended
            carry = repeat(
                None if whole else (first, jnp.minimum(end, full)),
                lambda batch, carry: train(carry, index[epoch * full + batch], epoch, batch),
                carry,
            )
            if loops.ragged:
                carry = repeat((jnp.maximum(first, full), end), lambda b, c: train(c, last[epoch], epoch, b), carry)
            if held is not None:
                ends = jnp.where(validated[epoch] & (end == steps), 1, 0)
                carry = repeat((0, ends), lambda _, carry: validate(carry, epoch), carry)
            return carry

        def validate(carry: Any, epoch: Any) -> Any:
            *variables, logs, tested = carry
            return *variables, logs, _put(tested, test(*variables, held), epoch, 0)

        logs = jnp.zeros((epochs, steps, n_logs), log_dtype())
        tested = jnp.zeros((epochs, loops.held, n_logs), log_dtype())
        carry = (params, state, opt_state, logs, tested)
        bounds = None if epochs == 1 else (start // steps, -(-stop // steps))
        params, state, opt_state, logs, tested = repeat(bounds, run_epoch, carry)
        return params, state, opt_state, (logs, tested)

    return program


def _put(logs: Any, lines: Any, epoch: Any, batch: Any) -> Any:
    """`logs` with the lines (batches, n_logs) of an epoch's batches from `batch` on.

    Their place is known to exist, so that nothing else is read or written.
    """
    return lax.dynamic_update_slice(logs, lines[None], (epoch, jnp.int32(batch), jnp.int32(0)))


def repeat(bounds: tuple[Any, Any] | None, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """`body(i, carry)` for each i in the bounds; just once, with 0, without a loop, if they are None."""
    return body(0, carry) if bounds is None else lax.fori_loop(*bounds, body, carry)


def single_program(step: Callable[..., Any]) -> Callable[..., Any]:
    """Training on the samples `rows` alone, without a loop.

    (params, state, opt_state, data, rows, seed, count) -> (params, state, opt_state, logs), with the random key that
    `train_program` gives to batch number `count`.
    """

    def program(
        params: Arrays, state: Arrays, opt_state: Any, data: Any, rows: Any, seed: Any, count: Any
    ) -> tuple[Any, ...]:
        step_key = jax.random.fold_in(jax.random.key(seed), count)
        return step(params, state, opt_state, gather(data, rows), step_key)

    return program


def batch_program(step: Callable[..., Any]) -> Callable[..., Any]:
    """Training on one batch: (params, state, opt_state, batch, seed) -> (params, state, opt_state, logs)."""

    def program(params: Arrays, state: Arrays, opt_state: Any, batch: Any, seed: Any) -> tuple[Any, ...]:
        return step(params, state, opt_state, batch, jax.random.key(seed))

    return program
