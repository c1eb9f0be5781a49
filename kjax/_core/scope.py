"""Binding variables to values for the time of a trace: the only place where this happens.

Keras writes `call(self, x)`, which leaves no place for parameters. While JAX traces a program, a `Scope` is open: it
says which traced value each variable stands for, whether the program trains, and where random numbers come from; and
it collects what the program writes (updates of variables) and adds to the loss. So the program as a whole is a pure
function, values in and values out:

    with Scope(values, training=True, key=key) as scope:
        outputs = evaluate(...)
    return outputs, scope.updates, scope.losses
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Protocol

import jax
import numpy as np


class Readable(Protocol):
    """What a scope needs to know of a variable: the array that it holds outside of any scope."""

    @property
    def stored(self) -> jax.Array: ...


_ABSENT: Any = object()


class NeedsGraph(TypeError):
    """A function that runs on values asks what they were computed from: it must run on symbolic tensors instead."""


class Scope:
    """Values of variables, learning phase and random key, while a program is traced.

    Arguments:
        variables: the variables that the program receives as arguments.
        values: what each of them stands for, in the same order.
        training: the learning phase: True while training, False while testing.
        key: the random key from which `next_key` derives one key a draw. None: a constant key, for shape inference.
        eager: whether this computes one value here and now, and is no program that runs many times.
        undecided: whether nobody said which phase it is, since a layer was called on arrays by hand.

    Attributes:
        trains: whether the program as a whole trains, whatever phase a part of it runs in.
        follows: whether nodes run in the phase around them, not in the one in which they were made.
        updates: variable to its new value, for all that the program writes.
        losses: scalars that the program adds to the loss.
        draws: how many random keys have been drawn.
        captured: tells the value of a symbolic tensor that a function captured; None where none can have one.
        measures: what layers add to the logs, if a program wants it; else None.
        results: by its id, what a metric with a state gave, and that metric.
        kept: variables that outlast the trace, by where they were made, if the program's maker keeps any; else None.
        book: for the graph that is being evaluated, node to how many had been drawn before it.
        missed: variables that the program read without having received them. A program with any must be traced
            again with them among its arguments, or it would keep their present values as constants.
    """

    def __init__(
        self,
        variables: Iterable[Readable] = (),
        values: Iterable[Any] = (),
        *,
        training: bool = False,
        key: Any = None,
        eager: bool = False,
        undecided: bool = False,
    ) -> None:
        self.training = self.trains = training
        self.undecided = undecided
        self.follows = False
        self.updates: dict[Any, Any] = {}
        self.losses: list[Any] = []
        self.missed: dict[Any, None] = {}
        self._values: dict[Any, Any] = dict(zip(variables, values, strict=True))
        self._key = key
        self._frozen = False
        self.draws = 0
        self._attributes: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self.captured: Callable[[Any], Any] | None = None
        self.book: dict[Any, int] = {}
        self.eager = eager
        self.holds = False  # whether what is made of variables answers what tensors answer: see `held`
        self.measures: dict[Any, Any] | None = None
        self.results: dict[int, tuple[Any, Any]] = {}
        self.kept: dict[Any, Any] | None = None
        self._made: dict[Any, int] = {}

    def keep(self, place: Any, make: Callable[[], Any]) -> Any:
        """What `make` returned when this place of the program was first traced; made anew where nothing is kept."""
        number = self._made[place] = self._made.get(place, -1) + 1
        if self.kept is None:
            return make()
        if (place, number) not in self.kept:
            self.kept[place, number] = make()
        return self.kept[place, number]

    def read(self, variable: Readable) -> Any:
        """The value that `variable` stands for here."""
        if variable in self._values:
            return self._values[variable]
        self.missed[variable] = None
        return variable.stored

    def write(self, variable: Readable, value: Any) -> None:
        """Let `variable` stand for `value` from here on, and after the program has run; nothing where it is frozen."""
        if self._frozen:
            return
        self.read(variable)
        self._values[variable] = self.updates[variable] = value

    @contextlib.contextmanager
    def inside(
        self, *, frozen: bool = False, training: bool | None = None, trains: bool = False, follows: bool = False
    ) -> Generator[None]:
        """A part of the program that writes no variables, or runs in a learning phase of its own."""
        outer = self._frozen, self.training, self.trains, self.follows
        self._frozen = self._frozen or frozen
        self.training = self.training if training is None else training
        self.trains, self.follows = self.trains or trains, self.follows or follows
        try:
            yield
        finally:
            self._frozen, self.training, self.trains, self.follows = outer

    @contextlib.contextmanager
    def measuring(self) -> Generator[None]:
        """A part of the program that writes variables even in a frozen layer: those of metrics."""
        outer, self._frozen = self._frozen, False
        try:
            yield
        finally:
            self._frozen = outer

    @contextlib.contextmanager
    def overriding(self, values: Mapping[Any, Any]) -> Generator[None]:
        """Let variables stand for other values inside of a `with` block: those at which a gradient is taken."""
        outer = self._values
        self._values = {**outer, **values}
        try:
            yield
        finally:
            self._values = outer

    @contextlib.contextmanager
    def trying(self) -> Generator[None]:
        """A part of the program of which nothing remains if it raises."""
        values, updates, losses, draws = dict(self._values), dict(self.updates), list(self.losses), self.draws
        try:
            yield
        except BaseException:
            self._values, self.updates, self.draws = values, updates, draws
            self.losses[:] = losses
            raise

    @property
    def frozen(self) -> bool:
        """Whether this part of the program writes no variables."""
        return self._frozen

    def run(self, node: Any, book: dict[Any, int], call: Callable[[], Any]) -> Any:
        """Call a node's operation. One that the book knows draws the same keys again: its gradient needs them."""
        drawn, outer = self.draws, self.book
        self.draws, self.book = book.setdefault(node, drawn), book
        try:
            return call()
        finally:
            self.draws, self.book = max(self.draws, drawn), outer

    def next_key(self) -> jax.Array:
        """A random key that no other draw of this program has."""
        if self._key is None:
            self._key = _constant_key()
        self.draws += 1
        return jax.random.fold_in(self._key, self.draws)

    def __enter__(self) -> Scope:
        _stack().append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _stack().pop()
        for owner, name, before in reversed(self._attributes.values()):
            if before is _ABSENT or before is None:  # the owner's `__getattr__` knows of it
                owner.__dict__.pop(name, None)
            else:
                owner.__dict__[name] = before

    def note(self, owner: Any, name: str) -> None:
        """Give an attribute its present value back when the trace has ended: a traced one is of no use then."""
        self._attributes.setdefault((id(owner), name), (owner, name, owner.__dict__.get(name, _ABSENT)))


# Makes an operation of giving a variable a value: what an old value and an operand become, and the operand.
Recorder = Callable[[Any, Callable[[Any, Any], Any], Any], Any]


class _Local(threading.local):
    def __init__(self) -> None:
        self.stack: list[Scope] = []
        self.recorder: Recorder | None = None


_local = _Local()
_key_of_zero: jax.Array | None = None


def _stack() -> list[Scope]:
    return _local.stack


def _constant_key() -> jax.Array:
    global _key_of_zero
    if _key_of_zero is None:
        with jax.ensure_compile_time_eval():
            _key_of_zero = jax.random.key(0)
    return _key_of_zero


def current() -> Scope | None:
    """The innermost open scope of this thread, or None outside of any."""
    stack = _stack()
    return stack[-1] if stack else None


@contextlib.contextmanager
def capturing(lookup: Callable[[Any], Any], phase: int | None = None) -> Generator[None]:
    """Let functions use symbolic tensors from outside, inside of a `with` block: `lookup` tells their values.

    Arguments:
        phase: the learning phase of the block, unless the scope `follows` that around it; None for no other.
    """
    opened = current()
    if opened is None:
        yield
        return
    outer = opened.captured, opened.training
    opened.captured = lookup
    if phase is not None and not opened.follows:
        opened.training = bool(phase)
    try:
        yield
    finally:
        opened.captured, opened.training = outer


@contextlib.contextmanager
def suspended() -> Generator[None]:
    """Compute as if no scope were open, inside of a `with` block: for the first values of variables."""
    outer, _local.stack = _local.stack, []
    try:
        yield
    finally:
        _local.stack = outer


def waits_for() -> tuple[Any, ...]:
    """What a new node waits for: nothing, unless TensorFlow's `control_dependencies` are in use."""
    return ()


@contextlib.contextmanager
def recording(recorder: Recorder | None) -> Generator[None]:
    """Let writes to variables outside of any scope be operations, made by `recorder`, inside of a `with` block."""
    outer, _local.recorder = _local.recorder, recorder
    try:
        yield
    finally:
        _local.recorder = outer


def recorder() -> Recorder | None:
    """What makes operations of writes here, or None where they are done at once."""
    return None if _local.stack else _local.recorder


def fresh_key() -> jax.Array:
    """A random key from numpy's global generator, so that `np.random.seed` makes runs repeat."""
    return jax.random.key(np.random.randint(2**31 - 1))


def next_key() -> jax.Array:
    """A new random key: the scope's while one is open, else drawn from numpy's global generator."""
    scope = current()
    return fresh_key() if scope is None else scope.next_key()
