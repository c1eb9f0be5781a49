"""Running a model's compiled programs: variables in, program, variables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax._core.graph import Variable
from kjax.engine import _feed, _programs
from kjax.engine._feed import ArrayFeed
from kjax.engine._plan import Plan
from kjax.engine._programs import Program
from kjax.engine._steps import (
    Roles,
    batch_program,
    predict_step,
    scan_program,
    test_step,
    train_program,
    train_step,
)

if TYPE_CHECKING:
    from kjax.engine.training import Model


def make_trainer(model: Model, plan: Plan, trained: Sequence[Variable]) -> Trainer:
    """The training steps of `model` for the variables `trained`, with a fresh state of its optimizer."""
    optimizer = model.optimizer
    optimizer.build(list(trained))
    others = [w for w in model.weights if w not in set(trained)]
    roles = Roles(tuple(trained), tuple(dict.fromkeys([*others, *optimizer.hyper_variables])))
    slots = optimizer.state_variables
    count = len(plan.log_names)

    def loop(roles: Roles, looped: bool) -> Any:
        return train_program(train_step(model, plan, optimizer, slots, roles), count, looped)

    def direct(roles: Roles, _: bool) -> Any:
        return batch_program(train_step(model, plan, optimizer, slots, roles))

    return Trainer(model, Program(loop, roles, (0, 1, 2)), Program(direct, roles, (0, 1, 2)))


def make_scanner(model: Model, plan: Plan | None) -> Scanner:
    """The testing steps of `model` for a plan; its predicting steps without one."""

    def build(roles: Roles, looped: bool) -> Any:
        step = predict_step(model, roles) if plan is None else test_step(model, plan, roles)
        return scan_program(step, model.stateful, looped)

    return Scanner(model, Program(build, Roles((), tuple(model.weights))))


class Trainer:
    """The compiled training steps of a model, for one plan and one set of trained variables."""

    def __init__(self, model: Model, program: _programs.Program, direct: _programs.Program) -> None:
        self.model, self.program, self.direct = model, program, direct
        # An optimizer may serve several models; what it remembers of this one's variables is kept here.
        self._slots: list[Variable] = model.optimizer.state_variables
        self._structure = jax.tree.structure(model.optimizer.state)

    def over(self, feed: ArrayFeed) -> ArrayRun:
        """A run over arrays."""
        return ArrayRun(self, feed)

    def arguments(self, program: _programs.Program, data: Any, *rest: Any) -> tuple[Any, ...]:
        """The present arguments of a program: variables, optimizer state, data."""
        opt_state = self._structure.unflatten([slot.stored for slot in self._slots])
        return (program.params(), program.state(), opt_state, data, *rest)

    def finish(self, program: _programs.Program, results: tuple[Any, ...]) -> Any:
        """Store what a program returned for the variables. Returns its logs."""
        params, state, opt_state, logs = results
        _programs.store(program.roles.trainable, params)
        _programs.store(program.roles.state, state)
        _programs.store(self._slots, jax.tree.leaves(opt_state))
        return logs

    def one_batch(self, batch: Any, seed: int | None = None) -> np.ndarray:
        """Train on one batch of host arrays. Returns what is logged. The seed is drawn if it is not given."""
        batch = jax.tree.map(_feed.host_ready, batch)
        number = np.uint32(np.random.randint(2**31 - 1) if seed is None else seed)

        def arguments() -> tuple[Any, ...]:
            return self.arguments(self.direct, batch, number)

        run = self.direct.compile(_programs.signature(batch), arguments)
        return np.asarray(self.finish(self.direct, run(*arguments())))


class ArrayRun:
    """Training over arrays on the device: `load` an index, then run parts of it."""

    def __init__(self, trainer: Trainer, feed: ArrayFeed) -> None:
        self.trainer, self.feed = trainer, feed
        self._seed = np.uint32(np.random.randint(2**31 - 1))
        self._count = 0
        self._key = _programs.signature(feed.data)
        self._index: Any = None
        self._last: Any = None

    def load(self, index: np.ndarray, last: np.ndarray | None) -> None:
        """Take the index of the next block of epochs."""
        self._index, self._last = jax.device_put(index), None if last is None else jax.device_put(last)

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Run the rows `start` to `stop`. Returns what each of them logs."""
        ragged = self._last is not None and start >= self.feed.full
        index: Any = self._last if ragged else self._index
        first, end = (0, 1) if ragged else (start, stop)
        program = self.trainer.program

        def arguments(first: int, end: int) -> tuple[Any, ...]:
            rest = (index, np.int32(first), np.int32(end), self._seed, np.int32(self._count))
            return self.trainer.arguments(program, self.feed.data, *rest)

        compiled = program.compile((self._key, index.shape), lambda: arguments(first, end))
        spans = [(first, end)] if program.looped else [(i, i + 1) for i in range(first, end)]
        logs = [self._span(compiled, arguments(*span), span) for span in spans]
        return logs[0] if len(logs) == 1 else np.concatenate(logs)

    def _span(self, compiled: Any, arguments: tuple[Any, ...], span: tuple[int, int]) -> np.ndarray:
        logs = self.trainer.finish(self.trainer.program, compiled(*arguments))
        self._count += span[1] - span[0]
        return np.asarray(logs)[span[0] : span[1]]

    def close(self) -> None:
        """Let the data go."""
        self._index = self._last = None


class Scanner:
    """Compiled testing or predicting steps of a model."""

    def __init__(self, model: Model, program: _programs.Program) -> None:
        self.model, self.program = model, program

    def __call__(self, data: Any, samples: int, batch_size: int) -> Iterator[tuple[Any, int, int]]:
        """Run over arrays. Yields (results stacked by batch, batches, samples) piece by piece."""
        data = jax.tree.map(lambda a: _feed.host_ready(np.asarray(a)), data)
        stateful = self.model.stateful
        for piece, batches, count in _feed.scan_batches(data, samples, batch_size):
            key = _programs.signature(piece)

            def arguments(piece: Any = piece, batches: int = batches, seed: int = 0) -> tuple[Any, ...]:
                return (self.program.state(), piece, np.int32(batches), np.uint32(seed))

            compiled = self.program.compile(key, arguments)
            # Drawn only where it is used, so that testing leaves numpy's generator as it is.
            seed = np.random.randint(2**31 - 1) if self.model.draws_randomly else 0
            runs = [batches] if self.program.looped else range(batches)
            parts: list[Any] = []
            for run in runs:
                state, results = compiled(*arguments(batches=run, seed=seed))
                parts.append(results)
                if stateful:
                    _programs.store(self.program.roles.state, state)
            yield _stacked(parts, batches), batches, count


def _stacked(parts: list[Any], batches: int) -> Any:
    """Results of runs, of one or of many batches each, as one host array for each result."""
    if len(parts) == 1:
        return jax.tree.map(lambda r: np.asarray(r)[:batches], parts[0])
    return jax.tree.map(lambda *r: np.concatenate([np.asarray(a) for a in r]), *parts)
