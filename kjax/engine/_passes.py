"""Training on batches from a source, epoch after epoch, and going on with that in the midst of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax import callbacks as cb
from kjax._core.logs import Logs
from kjax.engine._loop import FitOptions
from kjax.engine._resume import Backups, randomness, set_randomness

if TYPE_CHECKING:
    from kjax.engine._stream import Batches, Validator
    from kjax.engine.training import Model


@dataclass
class Epochs:
    """Epochs of training on batches as they come, and where they are.

    When a training is resumed, the batches that it was trained on are taken once more and let go, since only the source
    knows how to come to the next one.

    A `Sequence` without a number of steps is asked for its length in each epoch: it may have changed.
    """

    model: Model
    trainer: Any
    batches: Batches
    count: int | None
    callbacks: cb.CallbackList
    names: list[str]
    watched: bool
    backups: Backups
    whole: bool = False  # whether an epoch is one pass over a `Sequence`, however long
    epoch: int = 0
    step: int = 0  # batches of the epoch that are done
    done: int = 0  # batches of all epochs before
    _found: Any = None  # the backup to resume from, until that is done
    _losses: Any = 0.0  # of the last batch, with the metrics

    def run(self, options: FitOptions, validator: Validator | None) -> None:
        """All epochs from the first on."""
        self.epoch = options.initial_epoch
        self._found = self.backups.found
        while self._goes_on(options):
            self.step = 0
            if self.whole and self.epoch > options.initial_epoch:
                self._recount()
            if self._found is None:
                self.callbacks.on_epoch_begin(self.epoch)
                self.model.reset_metrics()
            for batch in self.batches.take(self.count, "training"):
                if batch is None:
                    self.model.stop_training = True
                    break
                self._one(batch)
                if self.model.stop_training:
                    break
            if not self.step:
                break
            # The next epoch's batches are fetched while this one is validated.
            more = self.epoch + 1 < options.epochs and not self.model.stop_training
            self.batches.stream.end_pass(more)
            self._end(options, validator)

    def _recount(self) -> None:
        count = self.batches.stream.length
        if count == 0:
            raise ValueError(f"The source of batches became empty: in epoch {self.epoch + 1} its length is 0.")
        self.count = count
        self.callbacks.set_params({**(self.callbacks.params or {}), "steps": count})

    def _goes_on(self, options: FitOptions) -> bool:
        if self._is_at(self.epoch, 0):
            self._restore()
        return self.epoch < options.epochs and not self.model.stop_training

    def _one(self, batch: Any) -> None:
        """Train on a batch, or let it go."""
        if self._found is not None:
            # Compiling makes all variables known that are to be restored.
            self.trainer.compiled(batch, np.uint32(0))
            self.step += 1
            if self._is_at(self.epoch, self.step):
                self._restore()
            return
        step, size = self.step, batch[0][0].shape[0]
        if self.watched:
            self.callbacks.on_batch_begin(step, {"batch": step, "size": size})
        logs = self.trainer.one_batch(batch, self.batches.seed + self.done + step)
        if self.watched:
            about = {"batch": step, "size": size, **dict(zip(self.names, logs, strict=True))}
            self.callbacks.on_batch_end(step, Logs(about))
        else:
            self.callbacks.on_chunk_end(step, np.array([size]), logs[None], self.names)
        self.step, self._losses = step + 1, logs
        if self.backups:
            self.backups.offer(self.done + self.step, False, logs, self.state)

    def _end(self, options: FitOptions, validator: Validator | None) -> None:
        """The end of an epoch."""
        validates = options.validates(self.epoch) and not self.model.stop_training
        resuming = self._found is not None
        if resuming and validates and validator is not None:
            validator.skip()
        if not resuming:
            logs = options.validate(self.callbacks) if options.validate is not None and validates else {}
            self.callbacks.on_epoch_end(self.epoch, Logs(logs))
        self.epoch, self.done, self.step = self.epoch + 1, self.done + self.step, 0
        if self.backups and not resuming:
            self.backups.offer(self.done, True, self._losses, self.state)

    def state(self) -> dict[str, Any]:
        """What is kept of the training, for `Backups`."""
        # Workers that fetch ahead may draw numbers too, nobody knows how many by now.
        place = None if self.batches.ahead else randomness()
        variables = self.trainer.variables()
        return {
            "epoch": self.epoch, "batch": self.step, "place": place, "variables": variables, "callbacks": self.callbacks
        }  # fmt: skip

    def _is_at(self, epoch: int, step: int) -> bool:
        """Whether the backup to resume from was made here."""
        return self._found is not None and (self._found["epoch"], self._found["batch"]) == (epoch, step)

    def _restore(self) -> None:
        self.backups.restore(self.trainer.variables(), self.callbacks)
        if self._found["place"] is not None and not self.batches.ahead:
            set_randomness(self._found["place"])
        self._found = None
