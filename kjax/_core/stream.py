"""Batches of a generator, a `Sequence` or any iterable, fetched ahead of their use by threads or processes."""

from __future__ import annotations

import contextlib
import pickle
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kjax._core import child, notices
from kjax._core.child import Child
from kjax._core.sequence import Sequence
from kjax._core.workers import END, PAUSE, Task, Workers

_CLOSING_S = 2.0


class RanOut(Exception):
    """A source of batches, started over, gave no more: a generator that has ended."""


@dataclass(frozen=True)
class Ways:
    """How batches are fetched.

    Attributes:
        workers: how many fetch at once; 0 to fetch in the thread that asks, when it asks.
        processes: whether they are processes, not threads.
        ahead: how many batches are kept ready.
    """

    workers: int = 1
    processes: bool = False
    ahead: int = 10


def has_random_access(source: Any) -> bool:
    """Whether batches are had by their number."""
    return hasattr(source, "__getitem__") and hasattr(source, "__len__")


class _ByNumber:
    """The batches of a `Sequence` in the order of one pass after the other."""

    def __init__(self, source: Any, shuffle: bool, processes: bool) -> None:
        self._source, self._shuffle = source, shuffle
        self._order: list[int] = []
        self._pending: Iterator[int] = iter(())
        self._payload = _pickled(source) if processes else None
        self._children: dict[int, tuple[Child, bytes]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self.length = 0

    def begin(self) -> None:
        """Start a pass. Called by the thread that uses the batches, so that numpy's generator repeats."""
        if len(self._order) != len(self._source):
            self._order = list(range(len(self._source)))
        if self._shuffle:
            np.random.shuffle(self._order)
        self.length = len(self._order)
        self._pending = iter(list(self._order))

    def take(self) -> Task:
        """The task for the next batch."""
        index = next(self._pending, None)
        if index is None:
            return PAUSE
        if self._payload is None:
            return lambda _: self._source[index]
        return lambda worker: self._child(worker).fetch(index)

    def finish(self) -> None:
        """End a pass: the source may change, and the copies of it then do too."""
        told = getattr(self._source, "on_epoch_end", None)
        if told is None:
            return
        told()
        if self._payload is not None and getattr(type(self._source), "on_epoch_end", None) != Sequence.on_epoch_end:
            self._payload = pickle.dumps(self._source)

    def _child(self, worker: int) -> Child:
        payload = self._payload
        assert payload is not None
        process, has = self._children.get(worker, (None, b""))
        if process is None:
            process = Child(payload)
            with self._lock:
                self._children[worker] = process, b""
                if self._closed:
                    process.close()
        if has is not payload:
            process.load(payload)
            with self._lock:
                self._children[worker] = process, payload
        return process

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes."""
        with self._lock:
            return [process.pid for process, _ in self._children.values()]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            processes = [process for process, _ in self._children.values()]
        for process in processes:
            process.close()


def _pickled(source: Any) -> bytes | None:
    """What worker processes are sent; None, with a warning, where threads have to do their work."""
    payload, reason = None, ""
    try:
        payload = pickle.dumps(source)
    except Exception as error:  # objects of users refuse in any way
        reason = f"it cannot be pickled ({' '.join(str(error).split())[:200]})"
    if payload is not None:
        reason = child.unable(payload)
    if not reason:
        return payload
    notices.warn(
        f"`use_multiprocessing=True`: {type(source).__name__} cannot be sent to another process: {reason}. "
        "Threads of this process are used instead."
    )
    return None


_locks: weakref.WeakKeyDictionary[Any, threading.Lock] = weakref.WeakKeyDictionary()


def _lock_of(iterator: Any) -> Any:
    """One lock for each generator: a thread of an earlier use may still be in it, and it cannot be entered twice."""
    try:
        return _locks.setdefault(iterator, threading.Lock())
    except TypeError:  # those of lists and the like, which need none
        return contextlib.nullcontext()


class _ByIteration:
    """The batches of an iterable, which is started over when it ends; of a generator, one after the other."""

    length = None

    def __init__(self, source: Any, processes: bool) -> None:
        self._source = source
        self._iterator: Any = None
        if processes:
            notices.warn(
                "`use_multiprocessing=True` needs a `Sequence`, whose batches have numbers. A generator cannot be "
                "sent to another process: a thread runs it instead."
            )

    def begin(self) -> None:
        """Start a pass. Called by the thread that uses the batches, so that numpy's generator repeats."""
        self._iterator = iter(self._source)

    def take(self) -> Task:
        """Fetches a batch: what remains to be done is nothing."""
        with _lock_of(self._iterator):
            item = next(self._iterator, END)
        return END if item is END else lambda _: item

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


class Stream:
    """Batches of a source, in order, fetched ahead.

    Arguments:
        source: a `Sequence` or the like, a generator, or an iterable.
        prepare: turns an item into what `next` returns; done by the workers.
        ways: how batches are fetched.
        shuffle: whether each pass over a `Sequence` shuffles the order of the one before.
        limit: how many are fetched in all; None for no limit.

    Attributes:
        given: whether a batch has been taken.
    """

    def __init__(
        self,
        source: Any,
        prepare: Callable[[Any], Any] | None = None,
        ways: Ways | None = None,
        shuffle: bool = False,
        limit: int | None = None,
    ) -> None:
        ways = ways or Ways()
        workers = max(0, ways.workers)
        processes = ways.processes and workers > 0
        by_number = has_random_access(source)
        self._fetch = _ByNumber(source, shuffle, processes) if by_number else _ByIteration(source, processes)
        self._prepare = prepare
        self.given = False
        self._in_pass, self._due = 0, False
        self._fetch.begin()
        self._workers = Workers(self._take, workers, ways.ahead, limit)

    def _take(self) -> Task:
        task, prepare = self._fetch.take(), self._prepare
        if task is END or task is PAUSE or prepare is None:
            return task
        return lambda worker: prepare(task(worker))

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that fetch; none if threads do."""
        return self._fetch.pids if isinstance(self._fetch, _ByNumber) else []

    @property
    def length(self) -> int | None:
        """How many batches the pass has; None if that is not known."""
        return self._fetch.length

    def peek(self) -> Any:
        """What `next` will return."""
        if self._fetch.length == 0:
            raise RanOut
        value = self._workers.peek()
        return None if value is END else value

    def next(self) -> Any:
        """The next batch, or None at the end of an iterable.

        Raises:
            RanOut: if no more will come.
            Exception: what the source raised.
        """
        self.end_pass(more=True)
        if self._fetch.length == 0:
            raise RanOut
        value = self._workers.get()
        if value is END:
            if not self._in_pass:
                raise RanOut
            self._due = True
            return None
        self.given = True
        self._in_pass += 1
        return value

    def end_pass(self, more: bool) -> None:
        """If all batches of a pass have been taken, tell the source; with `more`, fetch those of the next pass."""
        if not (self._due or (self._fetch.length and self._in_pass == self._fetch.length)):
            return
        if not self._due and self._in_pass:
            self._fetch.finish()
        self._due, self._in_pass = True, 0
        if more:
            self._due = False
            self._fetch.begin()
            self._workers.begin()

    def allow(self, more: int) -> None:
        """Raise the limit."""
        self._workers.allow(more)

    def close(self, timeout: float | None = _CLOSING_S) -> None:
        """Fetch no more, and wait, for `timeout` seconds at most, until nobody is in the source."""
        self._workers.stop(0)
        self._fetch.close()
        self._workers.stop(timeout)
