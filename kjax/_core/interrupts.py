"""Ctrl-C that waits until a step is done which must not be left half done."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Deferred:
    """A `with` block within which SIGINT is only noted; its handler is called at the end of the block.

    A program that has taken over the memory of a model's weights must hand them back before anything is raised, or the
    model is lost. Elsewhere than in the main thread, where no signal arrives, it does nothing.
    """

    def __enter__(self) -> Deferred:
        self._noted: tuple[int, Any] | None = None
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: Any) -> None:
        self._noted = number, frame

    def __exit__(self, *exc: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            if self._noted is not None:
                self._handler(*self._noted)
