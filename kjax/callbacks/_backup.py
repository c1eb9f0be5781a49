"""`BackupAndRestore`: the whole state of a training in a file, so that one that was killed can go on."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from kjax._core import atomic, notices, states
from kjax.callbacks._base import Callback, check_save_freq

_NAME = "training-state.npz"


class BackupAndRestore(Callback):
    """Keeps what a training needs to go on, and goes on from there when `fit` is called again after the process died.

    The resumed training gives the numbers of one that was not interrupted, bit for bit: weights, the optimizer's state,
    the order of samples, dropout, the other callbacks and the history are those of the moment of the backup. It is
    written by a thread while the training goes on; the training does not wait for a disk, and the file before stays
    until the new one is whole. It is removed when `fit` ends.

    Give each `fit` of a script a folder of its own.

    Arguments:
        backup_dir: the folder. Made if it is not there.
        save_freq: `'epoch'`, or after how many batches to save. Where epochs are shorter than a tenth of a second, not
            each of them is saved.
        delete_checkpoint: whether to remove the backup when `fit` ends. If not, its end is kept: the same `fit`,
            called again, restores the model and the history and does nothing else.
        save_before_preemption: accepted, changes nothing.

    Raises:
        ValueError: when `fit` begins, if the backup is damaged, or is that of another model, optimizer or data.
        OSError: when `fit` begins, if the folder cannot be written to.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        super().__init__()
        check_save_freq(save_freq)
        if not os.fsdecode(backup_dir):
            raise ValueError("`backup_dir` must be the path of a folder. Found: an empty string.")
        self.backup_dir: str = os.fsdecode(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._told: set[str] = set()

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.backup_dir) / _NAME

    # What the engine calls.

    def read(self) -> Any:
        """The state to go on from; None if there is none."""
        if not self.path.exists():
            self._try_folder()
            return None
        try:
            return states.load(self.path)
        except ValueError as error:
            raise ValueError(
                f"The backup {self.path} is damaged ({error}). Delete it to train from the beginning."
            ) from None

    def _try_folder(self) -> None:
        """Fail before the training, not after its first epoch."""
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        trial = self.path.with_suffix(".trial")
        atomic.write_bytes(trial, b"", durable=False)
        trial.unlink()

    def batches_left(self, count: int) -> int | None:
        """How many batches to run until the next backup, after `count` of them; None for any number."""
        return None if self.save_freq == "epoch" else self.save_freq - count % self.save_freq

    def is_due(self, count: int, epoch_ended: bool) -> bool:
        """Whether to save now, after `count` batches. Not while the last backup is being written."""
        wanted = epoch_ended if self.save_freq == "epoch" else count % self.save_freq == 0
        if not wanted or (self._thread is not None and self._thread.is_alive()):
            return False
        self._tell_of_error()
        return True

    def keep(self, state: Any) -> None:
        """Write a state, in a thread. Nothing in it may change any more."""
        self._thread = threading.Thread(target=self._write, args=(state,), name="kjax-backup")
        self._thread.start()

    def _write(self, state: Any) -> None:
        try:
            with atomic.writing(self.path) as file:
                states.dump(file, state)
        except Exception as error:  # told in the thread that trains
            self._error = error

    def _tell_of_error(self) -> None:
        error, self._error = self._error, None
        if error is not None and str(error) not in self._told:
            self._told.add(str(error))
            notices.warn(f"The training is not backed up, and goes on: {error}")

    def wait(self) -> None:
        """Until what is being written is on the disk."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._tell_of_error()

    def ended(self) -> None:
        """`fit` has ended as it should."""
        self.wait()
        if self.delete_checkpoint:
            self.path.unlink(missing_ok=True)
            with suppress(OSError):  # something else is in it
                os.rmdir(self.backup_dir)
