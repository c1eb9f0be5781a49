"""What the tests of attacks share: payloads that leave a mark, readers without a guard, and somebody who watches."""

from __future__ import annotations

import base64
import importlib
import io
import marshal
import os
import resource
import socket
import subprocess
import sys
import textwrap
import time
import types
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GROWTH = 200 << 20
SECONDS = 20.0
CLEAN = (ValueError, TypeError, OSError, KeyError)


# -- payloads --------------------------------------------------------------------------------------------------------


def bytecode(marker: Path) -> str:
    """A function that makes a folder, as Keras marshalled lambdas."""
    made = eval(f"lambda x: __import__('os').mkdir({str(marker)!r})")
    return base64.b64encode(marshal.dumps(made.__code__)).decode()


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def deflated_zeros(nbytes: int) -> bytes:
    """A raw deflate stream of zeros, a thousandth of their number, made without compressing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (nbytes >> 20) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()


def zip_with(members: Mapping[str, bytes | tuple[bytes, int]]) -> bytes:
    """A zip archive. A member given as (raw deflate stream, size) is put in as it is; its sum is wrong."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            if isinstance(content, bytes):
                archive.writestr(name, content)
                continue
            stream, size = content
            info = zipfile.ZipInfo(name)
            archive.writestr(info, stream)
            info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, size
            buffer.seek(info.header_offset)  # the local header says the same
            buffer.write(info.FileHeader(zip64=False))
            buffer.seek(0, os.SEEK_END)
    return buffer.getvalue()


# -- readers without a guard -----------------------------------------------------------------------------------------


def naive_object(config: Any) -> Any:
    """An object by module and name, as loaders resolved it."""
    if config.get("class_name") == "__lambda__":
        return types.FunctionType(
            marshal.loads(base64.b64decode(config["config"]["code"])), {"__builtins__": __builtins__}
        )
    module = importlib.import_module(config["module"])
    return getattr(module, config["config"] if config["class_name"] == "function" else config["class_name"])


def naive_fails(code: str, *arguments: object, memory: int = 1 << 30) -> str:
    """The error of a reader in a process of its own that may take so much memory."""
    limit = f"import resource, sys\nresource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


# -- somebody who watches --------------------------------------------------------------------------------------------


def tree(folder: Path) -> dict[str, Any]:
    """Everything in a folder, with sizes and times."""
    found: dict[str, Any] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            facts = os.lstat(os.path.join(place, name))
            is_file = name in files
            found[os.path.relpath(os.path.join(place, name), folder)] = (facts.st_mode, is_file and facts.st_size)
    return found


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) << 10
    raise LookupError(field)


def _start_peak() -> int:
    """Forget the peak of this process; returns what it takes now."""
    if not Path("/proc/self/clear_refs").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _peak() -> int:
    if not Path("/proc/self/clear_refs").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return _memory("VmHWM")


def _forbidden(*_: Any, **__: Any) -> Any:
    raise AssertionError("a socket or a process was opened")


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Nothing in the folder changes, no socket or process is opened, memory and time stay small."""
    before, memory, start = tree(folder), _start_peak(), time.process_time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", _forbidden)
        patch.setattr(socket, "create_connection", _forbidden)
        for name in ("system", "popen", "fork", "posix_spawn", "execv"):
            patch.setattr(os, name, _forbidden)
        patch.setattr(subprocess, "Popen", _forbidden)
        yield
    grown = _peak() - memory
    assert grown < GROWTH, f"memory grew by {grown >> 20} MB"
    assert time.process_time() - start < SECONDS
    assert tree(folder) == before


def refuses(read: Callable[[], Any], folder: Path, match: str) -> str:
    """Check that a reader ends in a clear error, and that nothing happens on the way. Returns what it says."""
    with watched(folder), pytest.raises(CLEAN, match=match) as caught:
        read()
    said = str(caught.value)
    assert 10 < len(said) < 2000
    return said


# -- carriers --------------------------------------------------------------------------------------------------------


def layer(class_name: str, /, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    """A layer in the config of a file. Without a module it is one of Keras 2."""
    made: dict[str, Any] = {"class_name": class_name, "config": config}
    return made if module is None else {"module": module, **made, "registered_name": None}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    """A model with a first layer that is as it should be."""
    entry = layer("InputLayer", batch_shape=[None, 2], dtype="float32", name="entry", sparse=False)
    return layer("Sequential", "keras", name="s", layers=[entry, *layers], trainable=True)


def keras2(*layers: dict[str, Any]) -> dict[str, Any]:
    """The same as Keras 2 wrote it."""
    entry = layer("Dense", None, name="entry", units=2, batch_input_shape=[None, 2], dtype="float32")
    return layer("Sequential", None, name="s", layers=[entry, *layers])


def keras_file(path: Path, config: Any, **members: bytes) -> Path:
    """A `.keras` archive."""
    import json

    import h5py

    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
    content = {
        "metadata.json": b'{"keras_version": "3.10.0", "date_saved": "2025-01-01@00:00:00"}',
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": weights.getvalue(),
        **members,
    }
    path.write_bytes(zip_with(content))
    return path


def h5_file(path: Path, config: Any, training: Any = None) -> Path:
    """A model file of Keras 2 without weights."""
    import json

    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"entry"]
        entry = weights.create_group("entry")
        entry.attrs["weight_names"] = [b"k", b"b"]
        entry["k"], entry["b"] = np.eye(2, dtype="f4"), np.zeros(2, "f4")
    return path
