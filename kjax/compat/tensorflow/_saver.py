"""`tf.train.Saver`: values of variables in files, several of them beside each other, and which one is the latest.

A checkpoint is one npz file of plain arrays, named after the prefix that a script gives: `model.ckpt-100.npz`. The text
file `checkpoint` beside it names the latest one. Reading runs no code, and checks sizes before memory is taken.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kjax._core import atomic
from kjax._core.guards import hdf5, npz, texts
from kjax.compat.tensorflow import _variables
from kjax.compat.tensorflow.errors import InvalidArgumentError, NotFoundError

_ENDING = ".npz"


class Saver:
    """Saves variables and restores them.

    Arguments:
        var_list: variables, or a dictionary from the name in the file to the variable; all of the graph if None.
        max_to_keep: how many checkpoints stay; all if None or 0.
        keep_checkpoint_every_n_hours: one of each so many hours stays for good.
        Others are accepted and not used.
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        **kwargs: Any,
    ) -> None:
        listed = _variables.global_variables() if var_list is None else var_list
        if not listed:
            raise ValueError("No variables to save")
        pairs = listed.items() if isinstance(listed, Mapping) else ((_plain_name(v), v) for v in listed)
        self._variables: dict[str, Any] = dict(pairs)
        self._most = max_to_keep or 0
        self._every = keep_checkpoint_every_n_hours * 3600
        self._kept_at = time.time()
        self.last_checkpoints: list[str] = []

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        **kwargs: Any,
    ) -> str:
        """Write the values that the variables have in a session. Returns the prefix by which `restore` finds them.

        Arguments:
            sess: the session.
            save_path: prefix of the file's name. Its folder has to exist.
            global_step: number, or variable, that is appended to the prefix.
            latest_filename: name of the file that names the latest checkpoint; `checkpoint` if None.
            write_state: whether to write that file.

        Raises:
            ValueError: if the folder does not exist.
        """
        prefix = os.fspath(save_path)
        if global_step is not None:
            step = global_step if isinstance(global_step, (int, np.integer)) else sess.run(global_step)
            prefix = f"{prefix}-{int(step)}"
        if not Path(prefix).parent.is_dir():
            raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.")
        values = sess.run(list(self._variables.values()))
        npz.write(prefix + _ENDING, {_member(k): np.asarray(v) for k, v in zip(self._variables, values, strict=True)})
        if write_state:
            self._remember(prefix, latest_filename)
        return prefix

    def _remember(self, prefix: str, latest_filename: str | None) -> None:
        self.last_checkpoints = [*(p for p in self.last_checkpoints if p != prefix), prefix]
        while self._most and len(self.last_checkpoints) > self._most:
            oldest = self.last_checkpoints.pop(0)
            path = Path(oldest + _ENDING)
            if path.exists() and path.stat().st_mtime - self._kept_at > self._every:
                self._kept_at = path.stat().st_mtime
                continue
            path.unlink(missing_ok=True)
        lines = [f"model_checkpoint_path: {json.dumps(_beside(prefix))}"]
        lines += [f"all_model_checkpoint_paths: {json.dumps(_beside(p))}" for p in self.last_checkpoints]
        atomic.write_text(Path(prefix).parent / (latest_filename or "checkpoint"), "\n".join(lines) + "\n")

    def restore(self, sess: Any, save_path: str | None) -> None:
        """Give the variables, in a session, the values of a checkpoint.

        Raises:
            ValueError: if there is no checkpoint of that name.
            NotFoundError: if the checkpoint lacks a variable.
            InvalidArgumentError: if a shape differs, or it holds no numbers. Nothing is changed then.
        """
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = os.fspath(save_path)
        if not checkpoint_exists(prefix):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {prefix}")
        found: list[tuple[Any, np.ndarray]] = []
        with npz.reading(prefix + _ENDING) as arrays:
            for name, variable in self._variables.items():
                if _member(name) not in arrays:
                    raise NotFoundError(None, None, f"Key {name} not found in checkpoint {prefix}")
                value = arrays[_member(name)]
                if value.shape != tuple(variable.shape):
                    raise InvalidArgumentError(
                        None,
                        None,
                        f"Assign requires shapes of both tensors to match. lhs shape= {list(variable.shape)} "
                        f"rhs shape= {list(value.shape)} (variable '{name}' in checkpoint {prefix})",
                    )
                if value.dtype.kind not in "biufc":
                    raise InvalidArgumentError(None, None, f"Key {name} in checkpoint {prefix} holds no numbers")
                found.append((variable, np.array(value, variable.dtype)))
        sess.activate()
        for variable, value in found:  # all or none
            variable._array = value

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Which checkpoints count as saved by this object."""
        self.last_checkpoints = list(last_checkpoints)

    def recover_last_checkpoints(self, checkpoint_paths: list[str]) -> None:
        """The same, for those that exist."""
        self.last_checkpoints = [p for p in checkpoint_paths if checkpoint_exists(p)]


def _plain_name(variable: Any) -> str:
    return variable.name.partition(":")[0]


def _member(name: str) -> str:
    """A variable's name as that of a member of an archive, which may not look like a path."""
    return name.replace("%", "%25").replace("/", "%2F")


def _beside(prefix: str) -> str:
    """A prefix as the file `checkpoint` beside it names it: absolute if it was given so."""
    return prefix if os.path.isabs(prefix) else os.path.basename(prefix)


def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether there is a checkpoint of this prefix."""
    return Path(os.fspath(checkpoint_prefix) + _ENDING).is_file()


class CheckpointState:
    """What the file `checkpoint` says: the latest one, and all that are kept."""

    def __init__(self, latest: str, every: list[str]) -> None:
        self.model_checkpoint_path, self.all_model_checkpoint_paths = latest, every


def get_checkpoint_state(checkpoint_dir: str, latest_filename: str | None = None) -> CheckpointState | None:
    """What the file `checkpoint` of a folder says; None if there is none."""
    path = Path(checkpoint_dir) / (latest_filename or "checkpoint")
    if not path.is_file():
        return None
    said: dict[str, list[str]] = {}
    for line in texts.read(path).decode().splitlines():
        key, _, value = line.partition(":")
        if value.strip():
            name = texts.parse_json(value.strip(), str(path))
            if not isinstance(name, str):
                raise ValueError(f"{path} names no checkpoint, but {name!r}.")
            said.setdefault(key.strip(), []).append(os.path.join(checkpoint_dir, name))
    latest = said.get("model_checkpoint_path")
    return CheckpointState(latest[0], said.get("all_model_checkpoint_paths", latest)) if latest else None


def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The prefix of the latest checkpoint of a folder; else the newest file of weights that Keras wrote; or None."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return _newest_weights(checkpoint_dir)
    return state.model_checkpoint_path if checkpoint_exists(state.model_checkpoint_path) else None


def _newest_weights(folder: str) -> str | None:
    found = [entry for entry in Path(folder).glob("*") if entry.is_file() and hdf5.is_hdf5(entry)]
    found.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
    return os.path.join(folder, found[-1].name) if found else None


__all__ = ["Saver", "checkpoint_exists", "get_checkpoint_state", "latest_checkpoint"]
