"""Workers that fetch ahead: several at once, delivered in order, no more of them than there is room for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from kjax._core import notices

STALL_S = 30.0
"""Seconds without a batch after which the user is told."""

Task = Callable[[int], Any]
"""What fetches one thing, given the number of the worker that does it."""

END: Any = object()
"""Stands among the things where a pass ends; nothing is taken until `begin`."""
PAUSE: Any = object()
"""Says that nothing is to be taken until `begin`, and leaves no trace."""


class _Slot:
    """A place in the queue, given to a thing before it is there."""

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None


class Workers:
    """Things fetched by threads, ahead of their use and in order.

    Arguments:
        take: gives the next task, `END` or `PAUSE`; called by one worker at a time.
        workers: number of threads; 0 to fetch in the thread that asks.
        ahead: how many are ready or under way at most.
        limit: how many are fetched in all; None for no limit.
        what: what is fetched, in messages.
    """

    def __init__(
        self, take: Callable[[], Task], workers: int = 1, ahead: int = 10, limit: int | None = None, what: str = "input"
    ) -> None:
        self._take, self._ahead, self._left, self._what = take, max(1, ahead), limit, what
        self._changed = threading.Condition()
        self._turn = threading.Lock()  # whoever holds it takes the next task, and so decides the order
        self._slots: deque[_Slot] = deque()
        self._open, self._stopped, self._told = True, False, False
        self._given = self._begun = 0
        self._threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True, name="kjax-feed")
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def begin(self) -> None:
        """Go on after an end."""
        with self._changed:
            self._open = True
            self._begun += 1
            self._changed.notify_all()

    def allow(self, more: int) -> None:
        """Raise the limit."""
        with self._changed:
            self._left = more + (self._left or 0)
            self._changed.notify_all()

    # -- the workers' side -------------------------------------------------------------------------------------------

    def _work(self, number: int) -> None:
        while True:
            with self._turn:
                if not self._wait_for_room():
                    return
                task = self._next_task()
            if task is not None:
                self._run(*task, number)

    def _wait_for_room(self) -> bool:
        with self._changed:
            while not self._stopped:
                if self._open and self._left != 0 and len(self._slots) < self._ahead:
                    return True
                self._changed.wait()
        return False

    def _next_task(self) -> tuple[_Slot, Task] | None:
        slot, begun = _Slot(), self._begun
        found: Any = END
        try:
            found = self._take()
        except BaseException as error:  # handed to the thread that asks
            slot.error = error
        slot.value, slot.done = END, found is END
        with self._changed:
            if found is not PAUSE:
                self._slots.append(slot)
            if found is not END and found is not PAUSE:
                self._left = None if self._left is None else self._left - 1
            elif self._begun == begun:  # else somebody has begun anew meanwhile
                self._open = False
            self._changed.notify_all()
        return None if found is END or found is PAUSE else (slot, found)

    def _run(self, slot: _Slot, task: Task, number: int) -> None:
        try:
            slot.value = task(number)
        except BaseException as error:  # handed to the thread that asks
            slot.error = error
        with self._changed:
            slot.done = True
            self._changed.notify_all()

    # -- the user's side ---------------------------------------------------------------------------------------------

    def peek(self) -> Any:
        """What `get` will return."""
        with self._changed:
            return self._first().value

    def get(self) -> Any:
        """The next thing, or `END`.

        Raises:
            Exception: what was raised in the place of it.
        """
        with self._changed:
            slot = self._first()
            self._slots.popleft()
            self._given = 0 if slot.value is END else self._given + 1
            self._changed.notify_all()
        return slot.value

    def _first(self) -> _Slot:
        """The first place of the queue, once it is filled. The lock is held, except while waiting."""
        if not self._threads:
            return self._at_once()
        began = time.monotonic()
        while not (self._slots and self._slots[0].done):
            if self._stopped:
                raise RuntimeError(f"No {self._what} can be fetched any more: the workers were stopped.")
            left = STALL_S - (time.monotonic() - began)
            if left <= 0 and not self._told:
                self._told = True
                notices.warn(
                    f"The {self._what} {self._given} could not be retrieved for {STALL_S:g} s, and is still waited "
                    "for. What fetches it may be slow, or stand still."
                )
            self._changed.wait(None if self._told else max(left, 0.001))
        error = self._slots[0].error
        if error is not None:
            raise error
        return self._slots[0]

    def _at_once(self) -> _Slot:
        if not self._slots:
            task = self._next_task()
            if task is not None:
                self._run(*task, 0)
        if (error := self._slots[0].error) is not None:
            raise error
        return self._slots[0]

    def stop(self, timeout: float | None = None) -> None:
        """Fetch no more. Waits for what is under way, for `timeout` seconds at most."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        until = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(None if until is None else max(0.0, until - time.monotonic()))
