"""Cuts a traceback down to the user's own frames."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from types import TracebackType

_COMPAT = os.path.dirname(os.path.realpath(__file__))
_KJAX = os.path.dirname(_COMPAT)
_STDLIB = os.path.dirname(os.path.realpath(os.__file__))
_RUNNER = {
    os.path.join(_KJAX, "cli.py"),
    os.path.join(_KJAX, "__main__.py"),
    os.path.join(_COMPAT, "_script.py"),
    os.path.join(_COMPAT, "_finder.py"),
    os.path.join(_COMPAT, "_python2.py"),
}
_PACKAGE_FOLDERS = ("site-packages", "dist-packages")


def full() -> bool:
    """True if the user asked for whole tracebacks."""
    return os.environ.get("KJAX_TRACEBACK", "").strip().lower() == "full"


def trim(error: BaseException, main_file: str) -> int:
    """Cuts the tracebacks of `error` and of all chained to it; returns how many frames of packages went.

    Frames of this runner and of the import system always go. Frames of kjax and JAX go, and those of any
    package below the last frame of the user; with KJAX_TRACEBACK=full they stay.
    """
    hidden = 0
    for exception in _chained(error):
        frames = list(_frames(exception.__traceback__))
        kept, cut = _select(frames, main_file)
        exception.__traceback__ = _relink(kept)
        hidden += cut
        if not full():
            _drop_jax_note(exception)
    return hidden


def _select(frames: list[TracebackType], main_file: str) -> tuple[list[TracebackType], int]:
    kinds = [_kind(frame.tb_frame.f_code.co_filename, main_file) for frame in frames]
    last = max((i for i, kind in enumerate(kinds) if kind == "user"), default=-1)
    kept: list[TracebackType] = []
    hidden, dropping = 0, False
    for i, (frame, kind) in enumerate(zip(frames, kinds, strict=True)):
        if kind == "runner":
            continue
        if kind != "neutral":
            dropping = kind == "inner" or (kind == "package" and i > last)
        if dropping and not full():
            hidden += 1
        else:
            kept.append(frame)
    return kept, hidden


@functools.cache
def _kind(filename: str, main_file: str) -> str:
    """One of runner, inner (kjax, JAX), package (installed), neutral (goes with the frame above it), user."""
    if filename.startswith("<"):
        return "runner" if filename.startswith(("<frozen importlib", "<frozen runpy")) else "neutral"
    path = os.path.realpath(filename)
    main_path = os.path.realpath(main_file) if main_file else ""
    if path == main_path:
        return "user"
    if path in _RUNNER:
        return "runner"
    if _within(path, _KJAX):
        return "inner"
    home = os.path.dirname(main_path)
    if home and os.path.basename(home) not in _PACKAGE_FOLDERS and _within(path, home):
        parts = path[len(home) :].split(os.sep)
    else:
        parts = path.split(os.sep)
    places = [i for i, part in enumerate(parts) if part in _PACKAGE_FOLDERS]
    if places:
        return "inner" if parts[places[-1] + 1] in ("jax", "jaxlib") else "package"
    if _within(path, _STDLIB):
        in_import_system = _within(path, os.path.join(_STDLIB, "importlib")) or path.endswith(os.sep + "runpy.py")
        return "runner" if in_import_system else "neutral"
    return "user"


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _relink(frames: list[TracebackType]) -> TracebackType | None:
    following: TracebackType | None = None
    for frame in reversed(frames):
        following = TracebackType(following, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return following


def _chained(error: BaseException) -> list[BaseException]:
    """`error`, its causes and contexts, and the members of exception groups; each once."""
    found: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        exception = pending.pop()
        if exception is None or any(exception is known for known in found):
            continue
        found.append(exception)
        pending += [exception.__cause__, exception.__context__]
        if isinstance(exception, BaseExceptionGroup):
            pending += exception.exceptions
    return found


def _drop_jax_note(exception: BaseException) -> None:
    """JAX notes that it cut its own frames; the runner's closing line says so, and how to see them."""
    notes = getattr(exception, "__notes__", None)
    if isinstance(notes, list):
        exception.__notes__ = [note for note in notes if "JAX has removed its internal frames" not in str(note)]
