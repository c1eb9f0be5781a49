"""Runs a user's script in this process as `python script.py` would, with the aliases installed."""

from __future__ import annotations

import builtins
import importlib.util
import multiprocessing.spawn
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from kjax import compat
from kjax.compat import _around, _ordering, _python2, _traceback


def run_file(path: str, arguments: Sequence[str]) -> int:
    """Runs the file `path` with `arguments` in `sys.argv[1:]` to its exit code; SystemExit passes."""
    full = os.path.abspath(path)
    try:
        with open(full, "rb") as file:
            source = file.read()
    except OSError as error:
        return _say(f"cannot open {path!r}: {error.strerror or error}", 2)
    sys.argv = [path, *arguments]
    _set_first_path(os.path.dirname(os.path.realpath(full)))
    main = _new_main(full, SourceFileLoader("__main__", full), None)
    return _execute(lambda: _code(source, full), main, source)


def _code(source: bytes, full: str) -> CodeType:
    code, translated = _python2.compiled(source, full)
    if translated:
        _say("the script is written for Python 2; it is translated for this run", 0)
        _python2.install(os.path.dirname(full))
    return code


def run_module(name: str, arguments: Sequence[str]) -> int:
    """Runs the module `name`, or `name.__main__` of a package, as `python -m name` would."""
    _set_first_path(os.getcwd())
    sys.argv = ["-m", *arguments]
    compat.install()
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
            if spec is None:
                return _say(f"{name!r} is a package without __main__.py and cannot be run", 1)
    except ModuleNotFoundError as error:
        return _say(str(error), 1)
    except Exception as error:
        return _fail(error, "")
    get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
    if spec is None or get_code is None:
        return _say(f"no module named {name!r}" if spec is None else f"{name!r} holds no Python code", 1)
    full = spec.origin or ""
    sys.argv[0] = full
    return _execute(lambda: get_code(spec.name), _new_main(full, spec.loader, spec))


def _execute(get_code: Callable[[], CodeType], main: ModuleType, source: bytes = b"") -> int:
    compat.install()
    _around.install()
    _order_channels(source, os.path.dirname(main.__file__ or ""))
    _alias_in_children()
    _choose_plot_backend()
    _print_numbers_plainly()
    if _traceback.full():
        _keep_jax_frames()
    try:
        exec(get_code(), main.__dict__)
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except Exception as error:
        return _fail(error, main.__file__ or "")
    return 0


def _order_channels(source: bytes, folder: str) -> None:
    """Sets where pictures have their channels, if an old script leaves that to the settings."""
    if _ordering.channels_first(source, folder):
        backend = importlib.import_module("kjax.backend")
        backend.set_image_data_format("channels_first")
        _say(
            "the script's pictures are (channels, rows, columns), so `image_data_format` is 'channels_first' for it; "
            "`K.set_image_data_format` changes that",
            0,
        )


def _fail(error: BaseException, main_file: str) -> int:
    """Shows the error through `sys.excepthook`, which the script may have set."""
    hidden = _traceback.trim(error, main_file)
    sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)
    if hidden:
        frames = "1 frame" if hidden == 1 else f"{hidden} frames"
        print(
            f"({frames} inside kjax and other packages not shown; KJAX_TRACEBACK=full shows all)",
            file=sys.stderr,
        )
    return 1


def _say(text: str, code: int) -> int:
    sys.stdout.flush()
    print(f"kjax: {text}", file=sys.stderr)
    return code


def _new_main(full: str, loader: Any, spec: ModuleSpec | None) -> ModuleType:
    """A fresh `__main__`, entered in `sys.modules`: pickle and multiprocessing look up functions there."""
    main = ModuleType("__main__")
    main.__file__ = full
    main.__loader__ = loader
    main.__spec__ = spec
    main.__package__ = spec.parent if spec is not None else None
    main.__dict__.update(__builtins__=builtins, __cached__=spec.cached if spec is not None else None)
    sys.modules["__main__"] = main
    return main


def _set_first_path(folder: str) -> None:
    if not sys.flags.safe_path:
        sys.path[:1] = [folder]


def _choose_plot_backend() -> None:
    """Without a display plots can only be drawn into files; told so, matplotlib lets `plt.show()` pass."""
    windowed = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not windowed:
        os.environ.setdefault("MPLBACKEND", "Agg")


def _print_numbers_plainly() -> None:
    """`print([loss, accuracy])` shows `[0.18, 0.94]`, as under the numpy that old scripts were written for."""
    import numpy as np

    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        np.set_printoptions(legacy="1.25")


def _keep_jax_frames() -> None:
    import jax

    jax.config.update("jax_traceback_filtering", "off")


def _install() -> None:
    compat.install()
    _around.install()


class _InstallOnLoad:
    """Unpickled in a child process, installs the aliases there."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return _install, ()


def _alias_in_children() -> None:
    """A spawned process runs the script's text again, so the aliases must be in force before it does.

    It unpickles a dictionary that says how to prepare itself; one entry more makes it install them first.
    """
    original = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {"kjax_aliases": _InstallOnLoad(), **original(name)}

    multiprocessing.spawn.get_preparation_data = get_preparation_data
