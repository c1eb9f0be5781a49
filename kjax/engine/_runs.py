"""Running a model's compiled programs: variables in, program, variables out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax._core.graph import Variable
from kjax._core.interrupts import Deferred
from kjax.engine import _feed, _programs
from kjax.engine._feed import ArrayFeed, Held
from kjax.engine._plan import NotApart, Plan
from kjax.engine._programs import Program
from kjax.engine._steps import (
    Loops,
    Roles,
    batch_program,
    metrics_reset,
    single_program,
    train_program,
    train_step,
)
from kjax.engine._tests import test_in_training

if TYPE_CHECKING:
    from kjax.engine._scanner import Scanner
    from kjax.engine.training import Model


# Bytes of trained weights from which on it pays to keep the optimizer's slots out of a loop.
_LARGE = 2**19


def make_trainer(model: Model, plan: Plan, trained: Sequence[Variable]) -> Trainer:
    """The training steps of `model` for the variables `trained`, with a fresh state of its optimizer."""
    optimizer = model.optimizer
    optimizer.build(list(trained))
    others = [w for w in model.weights if isinstance(w, Variable) and w not in set(trained)]
    others += [*optimizer.hyper_variables, *(w for m in plan.stateful_metrics for w in m.function.weights)]
    roles = Roles(tuple(trained), tuple(dict.fromkeys(others)))
    slots = optimizer.state_variables
    count = len(plan.log_names)

    def over_arrays(roles: Roles, looped: bool, loops: Loops, apart: bool) -> Any:
        step = train_step(model, plan, optimizer, slots, roles, loops.direct, loops.lean)
        test = test_in_training(model, plan, slots, roles, loops.held_size, apart)
        return train_program(step, test, count, loops, metrics_reset(plan, roles)) if looped else single_program(step)

    def one_batch(roles: Roles, _: bool, direct: bool) -> Any:
        return batch_program(train_step(model, plan, optimizer, slots, roles, direct))

    return Trainer(model, Program(over_arrays, roles, (0, 1, 2)), Program(one_batch, roles, (0, 1, 2)))


class Trainer:
    """The compiled training steps of a model, for one plan and one set of trained variables."""

    def __init__(self, model: Model, program: _programs.Program, single: _programs.Program) -> None:
        self.model, self.program, self.single = model, program, single
        self.rates: dict[Any, float] = {}  # batches a second, by the key of a run
        self.size = sum(variable.stored.nbytes for variable in program.roles.trainable)  # of what is trained, in bytes
        self._proven: set[int] = set()  # compiled programs that have run
        # An optimizer may serve several models; what it remembers of this one's variables is kept here.
        self._slots: list[Variable] = model.optimizer.state_variables
        self._structure = jax.tree.structure(model.optimizer.state)

    def over(self, feed: ArrayFeed, held: Held | None, tester: Scanner | None) -> ArrayRun:
        """A run over arrays.

        Arguments:
            held: what epochs are validated on, if that can be a part of the program.
            tester: the model's own testing, which knows whether samples are apart.
        """
        if held is not None and (not held.fits or self.model.stateful or self.model.draws_randomly):
            held = None
        run = self._prepared(feed, held, tester)
        keeps = bool(self.model._require_plan().kept)  # a test in between would not write what is kept
        if held is not None and (keeps or not self.program.looped or self.model.draws_randomly):
            run = self._prepared(feed, None, None)
        return run.placed()

    def _prepared(self, feed: ArrayFeed, held: Held | None, tester: Scanner | None) -> ArrayRun:
        apart = held is not None and tester is not None and tester.takes(held)
        run = ArrayRun(self, feed, held, apart)
        try:
            run.prepare()
        except NotApart:
            run = ArrayRun(self, feed, held, apart=False)
            run.prepare()
        return run

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

    def run(self, program: _programs.Program, compiled: Any, samples: int, *rest: Any) -> Any:
        """Run a compiled program on the present values of the variables. Returns its logs.

        Raises:
            MemoryError: if the device has not enough memory for batches of so many samples.
        """
        # Between both the model's variables have no values.
        with Deferred():
            if id(compiled) in self._proven:
                return self.finish(program, compiled(*self.arguments(program, *rest)))
            return self._first_run(program, compiled, samples, *rest)

    def _first_run(self, program: _programs.Program, compiled: Any, samples: int, *rest: Any) -> Any:
        """The run that shows whether the memory suffices: the program has taken over that of the weights by then."""
        kept = [(variable, np.array(variable.stored)) for variable in self.variables()]
        try:
            logs = self.finish(program, compiled(*self.arguments(program, *rest)))
            jax.block_until_ready(logs)
        except jax.errors.JaxRuntimeError as error:
            for variable, value in kept:
                variable.assign(value)
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise MemoryError(
                f"The device ran out of memory while training on batches of {samples} samples. Use a smaller "
                f"`batch_size`, or a smaller model. ({str(error).splitlines()[0]})"
            ) from error
        self._proven.add(id(compiled))
        return logs

    def variables(self) -> list[Variable]:
        """All that training may change."""
        found = (*self.program.roles.state, *self.single.roles.state)
        return list(dict.fromkeys([*self.program.roles.trainable, *found, *self._slots]))

    def one_batch(self, batch: Any, seed: int | None = None) -> np.ndarray:
        """Train on one batch of host arrays. Returns what is logged. The seed is drawn if it is not given."""
        batch = jax.tree.map(_feed.host_ready, batch)
        number = np.uint32(np.random.randint(2**31 - 1) if seed is None else seed)
        run = self.compiled(batch, number)
        return np.asarray(self.run(self.single, run, batch[0][0].shape[0], batch, number))

    def compiled(self, batch: Any, number: np.uint32) -> Any:
        """The program for a batch. Once it is there, all variables that training may change are known."""
        direct = self.model.optimizer.is_direct
        key = (_programs.signature(batch), direct)
        return self.single.compile(key, lambda: self.arguments(self.single, batch, number), direct)


class ArrayRun:
    """Training over arrays on the device: `load` the order of a block of epochs, then run parts of it.

    Attributes:
        held: what the epochs are validated on within the program, or None.
        apart: whether that is tested all together.
    """

    ahead = True  # epochs that have run can be undone

    def __init__(self, trainer: Trainer, feed: ArrayFeed, held: Held | None, apart: bool) -> None:
        self.trainer, self.feed, self.held, self.apart = trainer, feed, held, apart
        self._seed = np.uint32(np.random.randint(2**31 - 1))
        self._count = 0  # batches that have run
        self._rows: Any = None
        self._follow_optimizer()

    def _follow_optimizer(self) -> None:
        """Choose the program by how the optimizer steps now."""
        trainer, feed, held = self.trainer, self.feed, self.held
        tested = (len(held.sizes), held.batch_size) if held else (0, 0)
        direct = trainer.model.optimizer.is_direct
        self._loops = Loops(feed.full, bool(feed.rest), *tested, direct)
        # Slots that only the last batch of a dispatch writes: in all others they would push weights out of the caches.
        self._lean: Loops | None = None
        if direct and feed.epochs_at_once == 1 and trainer.size >= _LARGE:
            self._lean = dataclasses.replace(self._loops, lean=True)
        # The key of the programs on these shapes; the rate at which they ran is known by it too.
        shapes = _programs.signature(_feed.outline((feed.data, held and held.data)))
        self.key = (shapes, self._loops, self.apart, feed.batch_size, feed.epochs_at_once)

    def prepare(self) -> None:
        """Begin to compile, from shapes alone."""
        program, feed = self.trainer.program, self.feed
        index = jax.ShapeDtypeStruct((feed.epochs_at_once * feed.full, feed.batch_size), np.int32)
        last = jax.ShapeDtypeStruct((feed.epochs_at_once, feed.rest), np.int32) if feed.rest else None
        rows = (index, last, jax.ShapeDtypeStruct((feed.epochs_at_once,), np.bool_))
        data, held = _feed.outline((feed.data, self.held and self.held.data))
        zero = np.int32(0)

        def shapes() -> tuple[Any, ...]:
            if program.looped:
                return self.trainer.arguments(program, data, held, rows, zero, zero, self._seed, zero)
            return self.trainer.arguments(program, data, self._single_rows(full=True), self._seed, zero)

        program.prepare(self.key, shapes, self._loops, self.apart)
        if self._lean is not None and program.looped:
            program.prepare((self.key, "lean"), shapes, self._lean, self.apart)
        if not program.looped and feed.rest:
            rest = self._single_rows(full=False)
            program.prepare(
                (self.key, "rest"),
                lambda: self.trainer.arguments(program, data, rest, self._seed, zero),
                self._loops,
                self.apart,
            )

    def _single_rows(self, full: bool) -> Any:
        return jax.ShapeDtypeStruct((self.feed.batch_size if full else self.feed.rest,), np.int32)

    def placed(self) -> ArrayRun:
        """The run, with its data on the device."""
        self.feed.place()
        if self.held is not None:
            self.held.place()
        self.trainer.program.compile(self.key, tuple)
        return self

    def load(self, index: np.ndarray, last: np.ndarray | None, validated: np.ndarray) -> None:
        """Take the order of the next block of epochs, and which of them are validated."""
        rows = (index, last, validated)
        self._rows = jax.device_put(rows) if self.trainer.program.looped else rows

    def __call__(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Run the batches `start` to `stop` of the block.

        Returns:
            What each of them logs (stop - start, names); and what the batches of validation log, for all epochs of the
            block (epochs, batches, names), of which those that are now at their end are new.
        """
        program = self.trainer.program
        if self._loops.direct != self.trainer.model.optimizer.is_direct:  # a callback changed the momentum
            self._follow_optimizer()
            self.prepare()
        if not program.looped:
            return np.stack([self._single(number) for number in range(start, stop)]), np.empty((0, 0, 0))
        if self._lean is None or stop - start == 1:
            return self._looped(self.key, start, stop)
        most, _ = self._looped((self.key, "lean"), start, stop - 1)
        last, tested = self._looped(self.key, stop - 1, stop)
        return np.concatenate([most, last]), tested

    def _looped(self, key: Any, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        program = self.trainer.program
        compiled = program.compile(key, tuple)
        held = None if self.held is None else self.held.data
        counts = (np.int32(start), np.int32(stop), self._seed, np.int32(self._count))
        logs, tested = self.trainer.run(
            program, compiled, self.feed.batch_size, self.feed.data, held, self._rows, *counts
        )
        self._count += stop - start
        return np.asarray(logs).reshape(-1, logs.shape[-1])[start:stop], np.asarray(tested)

    def _single(self, number: int) -> np.ndarray:
        epoch, batch = divmod(number, self.feed.steps)
        index, last, _ = self._rows
        ragged = batch == self.feed.full
        if batch == 0:
            self.trainer.model.reset_metrics()
        program = self.trainer.program
        compiled = program.compile((self.key, "rest") if ragged else self.key, tuple)
        rows = last[epoch] if ragged else index[epoch * self.feed.full + batch]
        logs = self.trainer.run(
            program, compiled, self.feed.batch_size, self.feed.data, rows, self._seed, np.int32(self._count)
        )
        self._count += 1
        return np.asarray(logs)

    def mark(self) -> Any:
        """All that the run changes, for `rewind`."""
        variables = self.trainer.variables()
        return self._count, [(variable, variable.stored.copy()) for variable in variables]

    def rewind(self, mark: Any) -> None:
        """Go back to a mark, once: its copies are given away."""
        self._count, values = mark
        with Deferred():
            for variable, value in values:
                variable.store(value)

    @property
    def place(self) -> tuple[int, int]:
        """What random numbers hang on: the run's seed, and how many batches have run."""
        return int(self._seed), self._count

    @place.setter
    def place(self, place: tuple[int, int]) -> None:
        self._seed, self._count = np.uint32(place[0]), place[1]

    def close(self) -> None:
        """Let the data go."""
        self._rows = None
