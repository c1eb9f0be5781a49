"""Ctrl-C that waits until a step is done which must not be left half done, and that is not lost elsewhere."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from typing import Any

# After so long Ctrl-C comes again that Python dropped.
_AGAIN_S = 0.05


class Deferred:
    """A `with` block within which SIGINT is only noted; its handler is called at the end of the block.

    A program that has taken over the memory of a model's weights must hand them back before anything is raised, or the
    model is lost. Elsewhere than in the main thread, where no signal arrives, it does nothing.
    """

    def __enter__(self) -> Deferred:
        self._noted: tuple[int, Any] | None = None
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            _watch()
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


_watched: list[bool] = []


def _watch() -> None:
    """From now on, notice when Python drops a Ctrl-C.

    It does so with all that is raised while garbage is collected, and there JAX has work to do after each step: a
    training of many short steps would now and then not stop.
    """
    if _watched:
        return
    _watched.append(True)
    before, interrupt, timer = sys.unraisablehook, _thread.interrupt_main, threading.Timer
    ends, handler = sys.is_finalizing, signal.getsignal  # modules are empty when Python ends

    def dropped(unraisable: Any) -> None:
        if unraisable.exc_type is not KeyboardInterrupt or ends() or not callable(handler(signal.SIGINT)):
            before(unraisable)
            return
        again = timer(_AGAIN_S, interrupt)
        again.daemon = True
        again.start()

    sys.unraisablehook = dropped
