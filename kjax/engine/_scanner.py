"""Testing and predicting over arrays: data in pieces, compiled programs, results on the host."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax._core.graph import Variable
from kjax.engine import _feed, _programs
from kjax.engine._apart import keeps_samples_apart, scores_samples_apart
from kjax.engine._plan import NotApart, Plan
from kjax.engine._programs import Program
from kjax.engine._steps import Roles
from kjax.engine._tests import joint_predict, joint_test, predict_step, scan_program, test_step

if TYPE_CHECKING:
    from kjax.engine.training import Model

# Shapes for which `predict` keeps a short way.
_MOST_SHORTCUTS = 64


class Scanner:
    """Compiled steps of a model that test it, by a plan, or predict, without one.

    Attributes:
        apart: whether samples are computed together, however many there are in a batch.
    """

    def __init__(self, model: Model, plan: Plan | None) -> None:
        self.model, self.plan = model, plan
        self.apart = keeps_samples_apart(model) and (plan is None or scores_samples_apart(plan))
        self.shortcuts: dict[Any, Callable[[np.ndarray], np.ndarray]] = {}
        metrics = () if plan is None else plan.stateful_metrics
        held = [*model.weights, *(w for m in metrics for w in m.function.weights)]
        # A layer may have been given tensors as its weights: those are computed.
        roles = Roles((), tuple(dict.fromkeys(w for w in held if isinstance(w, Variable))))
        self.program = Program(self._build, roles)
        self._joint = Program(self._build_joint, roles, loops=False)

    @property
    def carries(self) -> bool:
        """Whether a batch's results depend on the batches before, as far as is known by now."""
        return self.model.stateful or (self.plan is not None and self.plan.writes)

    def _build(self, roles: Roles, looped: bool) -> Any:
        step = predict_step(self.model, roles) if self.plan is None else test_step(self.model, self.plan, roles)
        return scan_program(step, self.carries, looped)

    def _build_joint(self, roles: Roles, _: bool, size: int) -> Any:
        if self.plan is None:
            return joint_predict(self.model, roles)
        return joint_test(self.model, self.plan, roles, size)

    @property
    def count(self) -> int:
        """How many programs have been compiled."""
        return self.program.count + self._joint.count

    def rows_at_once(self, data: Any, batch_size: int) -> int:
        """How many samples are computed together."""
        return _feed.rows_at_once(data, batch_size, widest(self.model, data))

    def takes(self, held: _feed.Held) -> bool:
        """Whether all that a training is validated on can be tested together."""
        return self.apart and len(held.data[0][0]) <= self.rows_at_once(held.data, held.batch_size)

    def _compile(self, key: Any, make_args: Callable[[], tuple[Any, ...]], size: int) -> Any:
        """A program over many samples; None if they turn out not to be apart."""
        try:
            compiled = self._joint.compile(key, make_args, size)
        except NotApart:
            compiled = None
        if compiled is None or self.model.draws_randomly:
            self.apart = False
            return None
        return compiled

    # -- predicting --------------------------------------------------------------------------------------------------

    def predict(self, inputs: Any, samples: int, batch_size: int) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        """Run over arrays. Yields (outputs, samples in each of the batches that end in them) piece by piece.

        Raises:
            MemoryError: if the device has not enough memory.
        """
        with _enough_memory("predicting", batch_size):
            yield from self._predict(inputs, samples, batch_size)

    def _predict(self, inputs: Any, samples: int, batch_size: int) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        inputs = jax.tree.map(lambda a: _feed.host_ready(np.asarray(a)), inputs)
        if self.apart:
            most = self.rows_at_once(inputs, batch_size)
            size = min(most, _feed.power_above(samples))
            if self._predict_program(inputs, size) is not None:
                yield from self._predict_together(inputs, samples, batch_size, most)
                return
        for outputs, batches, count in self._scan((inputs, [], []), samples, batch_size):
            yield [_joined(output, batches, count) for output in outputs], np.full(batches, count // batches)

    def _predict_program(self, inputs: Any, size: int) -> Any:
        key = (size, _programs.signature([array[:0] for array in inputs]))
        return self._compile(key, lambda: (self._joint.state(), _feed.cut(inputs, 0, size, size)), 0)

    def _predict_together(
        self, inputs: Any, samples: int, batch_size: int, most: int
    ) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        sizes = np.minimum(batch_size, samples - np.arange(0, samples, batch_size))
        ends = np.cumsum(sizes)
        for first in range(0, samples, most):
            count = min(most, samples - first)
            size = min(most, _feed.power_above(count))
            compiled = self._predict_program(inputs, size)
            outputs = compiled(self._joint.state(), _feed.cut(inputs, first, count, size))
            if samples == count and len(inputs) == len(outputs) == 1:
                self._remember(compiled, inputs[0], size)
            ended = sizes[(ends > first) & (ends <= first + count)]
            yield [np.array(np.asarray(output)[:count]) for output in outputs], ended

    def _remember(self, compiled: Any, x: np.ndarray, size: int) -> None:
        """Keep a short way for arrays just like `x`, as a loop of many small predictions needs it."""
        if len(self.shortcuts) >= _MOST_SHORTCUTS:
            self.shortcuts.clear()
        count, joint = len(x), self._joint

        def predict(x: np.ndarray) -> np.ndarray:
            state = [variable.stored for variable in joint.roles.state]
            rows = x if count == size else _feed.cut(x, 0, count, size)
            return np.array(np.asarray(compiled(state, [rows])[0])[:count])

        self.shortcuts[x.shape, x.dtype] = predict

    # -- testing -----------------------------------------------------------------------------------------------------

    def test(self, data: Any, samples: int, batch_size: int) -> Iterator[tuple[np.ndarray, int, int]]:
        """Run over arrays. Yields (what is logged by batch, batches, samples) piece by piece.

        Raises:
            MemoryError: if the device has not enough memory.
        """
        with _enough_memory("testing", batch_size):
            yield from self._test(data, samples, batch_size)

    def _test(self, data: Any, samples: int, batch_size: int) -> Iterator[tuple[np.ndarray, int, int]]:
        data = jax.tree.map(lambda a: _feed.host_ready(np.asarray(a)), data)
        if self.apart:
            # A batch is filled up with zeros, which should be no more than there are samples.
            batch_size = min(batch_size, _feed.power_above(samples))
            most = max(1, self.rows_at_once(data, batch_size) // batch_size)
            if (
                self._test_program(data, min(most, _feed.power_above(-(-samples // batch_size))), batch_size)
                is not None
            ):
                yield from self._test_together(data, samples, batch_size, most)
                return
        yield from self._scan(data, samples, batch_size)

    def _test_program(self, data: Any, batches: int, batch_size: int) -> Any:
        size = batches * batch_size
        key = (size, batch_size, _programs.signature(jax.tree.map(lambda a: a[:0], data)))
        return self._compile(
            key, lambda: (self._joint.state(), _feed.cut(data, 0, size, size), np.int32(size)), batch_size
        )

    def _test_together(
        self, data: Any, samples: int, batch_size: int, most: int
    ) -> Iterator[tuple[np.ndarray, int, int]]:
        for first in range(0, samples, most * batch_size):
            count = min(most * batch_size, samples - first)
            batches = -(-count // batch_size)
            capacity = min(most, _feed.power_above(batches))
            compiled = self._test_program(data, capacity, batch_size)
            piece = _feed.cut(data, first, count, capacity * batch_size)
            logs = np.asarray(compiled(self._joint.state(), piece, np.int32(count)))
            full, rest = divmod(count, batch_size)
            if full:
                yield logs[:full], full, full * batch_size
            if rest:
                yield logs[full:batches], 1, rest

    # -- batch after batch -------------------------------------------------------------------------------------------

    def _scan(self, data: Any, samples: int, batch_size: int) -> Iterator[tuple[Any, int, int]]:
        """Yields (results stacked by batch, batches, samples) piece by piece."""
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
                if self.carries:
                    _programs.store(self.program.roles.state, state)
            yield _stacked(parts, batches), batches, count


@contextmanager
def _enough_memory(what: str, batch_size: int) -> Generator[None]:
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(
            f"The device ran out of memory while {what} with batches of {batch_size} samples. The model is as it was: "
            f"use a smaller `batch_size`, or fewer samples at once. ({str(error).splitlines()[0]})"
        ) from error


def widest(model: Model, data: Any) -> int:
    """Bytes of the model's widest tensor for one sample. Dimensions that are not known count as the data's longest."""
    unknown = max((size for array in jax.tree.leaves(data) for size in array.shape[1:]), default=1)
    tensors = [tensor for node in model._order for tensor in node.outputs]
    sizes = [4 * int(np.prod([unknown if d is None else d for d in tensor.shape[1:]])) for tensor in tensors]
    return max(sizes, default=1)


def _joined(output: np.ndarray, batches: int, count: int) -> np.ndarray:
    """The outputs of several batches as those of their samples; one number a batch counts for each of its samples."""
    if output.ndim == 1:
        return np.repeat(output, count // batches)
    return np.array(output.reshape(batches * output.shape[1], *output.shape[2:]))


def _stacked(parts: list[Any], batches: int) -> Any:
    """Results of runs, of one or of many batches each, as one host array for each result."""
    if len(parts) == 1:
        return jax.tree.map(lambda r: np.asarray(r)[:batches], parts[0])
    return jax.tree.map(lambda *r: np.concatenate([np.asarray(a) for a in r]), *parts)
