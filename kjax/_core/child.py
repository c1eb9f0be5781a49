"""Processes that fetch batches: each holds a copy of a source and answers with `source[index]`.

They are fresh interpreters. JAX keeps threads, and a copy of a process by `fork` can stand still for ever where one of
them held a lock. What a fresh interpreter needs of the user's script it gets by importing it, so that the script must
be importable: see `unable`.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pickle
import signal
import struct
import sys
import traceback
from pathlib import Path
from typing import IO, Any, NoReturn

from kjax._core import aliases

_PROGRAM = """import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from kjax._core.child import serve
serve()"""
_SIZE = struct.Struct("<Q")
_GRACE_S = 0.5
_TRAINS = {"fit", "fit_generator", "evaluate_generator", "predict_generator", "train_on_batch"}

_importing = False  # whether this is such a process, which imports the user's script


def unable(payload: bytes) -> str:
    """Why a fresh interpreter could not read a pickled source; empty if it can."""
    if b"__main__" not in payload:
        return ""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if path is None or not Path(path).is_file():
        return "it is defined in an interactive session, which another process cannot import"
    if not _guarded(Path(path)):
        return (
            f"it is defined in {Path(path).name}, which another process would have to run again from its first line; "
            'put what trains under `if __name__ == "__main__":`, or the class into a module of its own'
        )
    return ""


def _guarded(path: Path) -> bool:
    """Whether a script looks at `__name__` before it trains."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return False
    guards = [part for part in body if isinstance(part, ast.If) and _names(part.test, ast.Name, {"__name__"})]
    kept = (*guards, *(part for part in body if isinstance(part, (ast.FunctionDef, ast.ClassDef))))
    return bool(guards) and not any(_names(part, ast.Attribute, _TRAINS) for part in body if part not in kept)


def _names(tree: ast.AST, kind: type[ast.Name] | type[ast.Attribute], names: set[str]) -> bool:
    found = [node for node in ast.walk(tree) if isinstance(node, kind)]
    return any((node.id if isinstance(node, ast.Name) else node.attr) in names for node in found)


def _preparation(payload: bytes) -> bytes:
    import multiprocessing.spawn

    data = multiprocessing.spawn.get_preparation_data("kjax-feed")
    dropped = {"authkey", "start_method", "log_to_stderr", "log_level"}
    if b"__main__" not in payload:
        dropped |= {"init_main_from_name", "init_main_from_path"}
    return pickle.dumps({key: value for key, value in data.items() if key not in dropped})


class Child:
    """A process that will hold a copy of a source.

    Arguments:
        payload: the pickled source; `load` hands it over.
    """

    def __init__(self, payload: bytes) -> None:
        if _importing:
            raise RuntimeError(
                "A worker process imports the script to find the class of its batches, and the script trains while it "
                'is imported. Put what trains under `if __name__ == "__main__":`, or the class into its own module.'
            )
        import subprocess
        from multiprocessing.spawn import get_executable

        # The accelerator belongs to the process that trains.
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        command = [os.fsdecode(get_executable() or sys.executable), "-c", _PROGRAM]
        # In a session of its own, Ctrl-C in a terminal does not reach it; it ends with the pipe.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        self._closed = False
        path = [os.getcwd() if entry == "" else entry for entry in sys.path]
        with contextlib.suppress(OSError):  # a process that died is found out when it is asked
            self._stdin.write(json.dumps(path).encode() + b"\n")
            _send(self._stdin, _preparation(payload), b"\x01" if aliases.installed() else b"")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def load(self, payload: bytes) -> None:
        """Give it a copy of the source, or a newer one."""
        self._answer("when it loaded the source of batches", b"load", payload)

    def fetch(self, index: int) -> Any:
        """What the source has at `index`.

        Raises:
            RuntimeError: if the process died.
            Exception: what the source raised there.
        """
        return self._answer(f"when it prepared batch {index}", b"item", str(index).encode())

    def _answer(self, when: str, *request: bytes) -> Any:
        assert self._process.stdout is not None
        try:
            _send(self._stdin, *request)
            kind, *parts = _receive(self._process.stdout)
        except (EOFError, OSError, ValueError):
            self._died(when)
        value = pickle.loads(parts[0], buffers=parts[1:])
        if bytes(kind) == b"item":
            return value
        error, text = value
        raise error from _InChild(f"\n\n{text}")

    def _died(self, when: str) -> NoReturn:
        from subprocess import TimeoutExpired

        with contextlib.suppress(TimeoutExpired):
            self._process.wait(5)
        code = self._process.poll()
        how = f"by signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
        raise RuntimeError(
            f"A worker process died {when}: it ended {how}. It may have run out of memory, or have been killed. "
            "With `use_multiprocessing=False` threads of this process do its work."
        )

    def close(self) -> None:
        """End the process: at once if it is idle, by force if it is still at work after half a second."""
        from subprocess import TimeoutExpired

        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(_GRACE_S)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _InChild(Exception):
    """The traceback of another process, shown as the cause of the error that it sent."""


def _send(file: IO[bytes], *parts: Any) -> None:
    file.write(_SIZE.pack(len(parts)))
    for part in parts:
        file.write(_SIZE.pack(len(part)))
        file.write(part)
    file.flush()


def _receive(file: IO[bytes]) -> list[bytearray]:
    (count,) = _SIZE.unpack(_exactly(file, _SIZE.size))
    parts: list[bytearray] = []
    for _ in range(count):
        (size,) = _SIZE.unpack(_exactly(file, _SIZE.size))
        parts.append(_exactly(file, size))
    return parts


def _exactly(file: IO[bytes], size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = file.readinto(view[done:])  # type: ignore[attr-defined]  # a buffered reader has it
        if not count:
            raise EOFError
        done += count
    return data


def serve() -> None:
    """The life of the process: load a source, answer with its batches, end with the pipe."""
    global _importing
    import multiprocessing.spawn

    _importing = True
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the user's code prints must not get between the answers
    sys.stdin = open(os.devnull)  # noqa: SIM115  # for as long as the process lives
    try:
        preparation, aliased = _receive(stdin)
        aliases.install(bool(aliased))
        source: Any = None
        ready = False
        while True:
            kind, payload = _receive(stdin)
            try:
                if not ready:
                    multiprocessing.spawn.prepare(pickle.loads(preparation))
                    ready = True
                if bytes(kind) == b"load":
                    source, value = pickle.loads(payload), None
                else:
                    value = source[int(payload)]
                buffers: list[Any] = []
                data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
                _send(stdout, b"item", data, *(buffer.raw() for buffer in buffers))
            except Exception as error:
                _send(stdout, b"error", _portable(error))
            sys.stdout.flush()
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody listens any more: neither threads nor files of the user's code matter


def _portable(error: Exception) -> bytes:
    """An exception that surely can be read in the other process, and its traceback."""
    text = "".join(traceback.format_exception(error))
    try:
        data = pickle.dumps((error, text))
        pickle.loads(data)
        return data
    except Exception:  # exceptions of users may refuse to be pickled, in any way
        return pickle.dumps((RuntimeError(f"{type(error).__name__}: {error}"), text))
