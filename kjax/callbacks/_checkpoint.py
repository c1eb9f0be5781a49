"""`ModelCheckpoint`: the model in a file, after epochs or after so many batches."""

from __future__ import annotations

import os
import re
import string
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from kjax._core.logs import Logs
from kjax.callbacks._base import Callback, check_save_freq
from kjax.callbacks._schedules import chooses_larger


class ModelCheckpoint(Callback):
    """Saves the model after every epoch, or when a metric is the best so far.

    A file is replaced when the new one is whole, so that whoever reads it always finds a model. With `BackupAndRestore`
    beside it, it remembers the best value when a killed training is resumed.

    Arguments:
        filepath: where to save; may name `epoch` (from 1 on) and metrics:
            `'weights.{epoch:02d}-{val_loss:.2f}.hdf5'`. Folders that do not exist are made.
        monitor: name of the metric.
        verbose: 1 to print what is saved.
        save_best_only: whether to save only when the metric has improved.
        save_weights_only: whether to save with `model.save_weights` instead of `model.save`.
        mode: `'min'` if smaller is better, `'max'` if larger is, `'auto'` to tell by the metric's name.
        period: number of epochs between two that are saved.
        save_freq: `'epoch'`, or a number of batches after which to save, over the ends of epochs.
        initial_value_threshold: value that has to be surpassed first, or None.
        options: accepted, changes nothing.
        load_weights_on_restart: whether the training begins with the weights of the file, if there is one; of several
            that fit the name, the one that was written last.

    Raises:
        OSError: while training, if the file cannot be written. The one before is still there.
        KeyError: while training, if `filepath` names a metric that is not there.
    """

    _remembers = ("best", "epochs_since_last_save", "_batches")

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
        save_freq: Any = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
        load_weights_on_restart: bool = False,
    ) -> None:
        super().__init__()
        self.filepath: str = os.fsdecode(filepath)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.save_freq = save_freq
        self.load_weights_on_restart = load_weights_on_restart
        self.epochs_since_last_save = 0
        self._batches = 0
        self._epoch = 0
        larger = chooses_larger(mode, monitor, "ModelCheckpoint") or (mode != "min" and monitor.startswith("fmeasure"))
        self.monitor_op: Any = np.greater if larger else np.less
        worst = -np.inf if larger else np.inf
        self.best: Any = worst if initial_value_threshold is None else initial_value_threshold
        check_save_freq(save_freq)
        if save_freq != "epoch":
            # Of the object, so that the engine runs single batches for this one alone.
            self.on_batch_end = self._count_batch

    def on_train_begin(self, logs: Any = None) -> None:
        newest = self._newest() if self.load_weights_on_restart else None
        if newest is not None:
            self.model.load_weights(newest)

    def _newest(self) -> Path | None:
        """The file of those that the name can stand for that was written last."""
        path = Path(self.filepath)
        parts = string.Formatter().parse(path.name)
        pattern = "".join(re.escape(text) + ("" if field is None else ".*") for text, field, *_ in parts)
        found = [file for file in path.parent.glob("*") if re.fullmatch(pattern, file.name) and file.is_file()]
        return max(found, key=lambda file: file.stat().st_mtime_ns, default=None)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save_if_due(epoch, logs or {})

    def _count_batch(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save_if_due(self._epoch, {**(logs or {}), "batch": batch + 1})

    def epochs_at_rest(self) -> int:
        """For how many epochs it will surely not touch the weights."""
        return max(0, self.period - 1 - self.epochs_since_last_save) if self.save_freq == "epoch" else 0

    def _save_if_due(self, epoch: int, logs: Any) -> None:
        if not self.save_best_only:
            self._save(epoch, logs, "saving model")
            return
        current = Logs(logs).get(self.monitor)
        if current is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available, skipping.", RuntimeWarning, stacklevel=2
            )
        elif self.monitor_op(current, self.best):
            # It is the best only once it is in the file.
            self._save(epoch, logs, f"{self.monitor} improved from {self.best:0.5f} to {current:0.5f}, saving model")
            self.best = current
        elif self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: {self.monitor} did not improve from {self.best:0.5f}")

    def _save(self, epoch: int, logs: Any, what: str) -> None:
        path = self._path(epoch, logs)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: {what} to {path}")
        self._settle()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)

    def _path(self, epoch: int, logs: Any) -> str:
        known = Logs({**logs, "epoch": epoch + 1})
        try:
            return self.filepath.format_map(known)
        except KeyError as error:
            raise KeyError(
                f"The name {self.filepath!r} of the checkpoint needs {error}, which is not among the logs. "
                f"Available are: {', '.join(known)}."
            ) from None
