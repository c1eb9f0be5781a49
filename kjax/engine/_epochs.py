"""Training on arrays: blocks of epochs, cut into dispatches whose length follows from what can be observed.

One batch a dispatch where a callback watches batches; one epoch at most where something acts at its end, or where a
progress bar is drawn; else many epochs. Callbacks that can only stop the training or change its learning rate are told
afterwards: if one does, the epochs that should not have been are undone.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax import callbacks as cb
from kjax._core.logs import Logs
from kjax.engine import _loop
from kjax.engine._feed import ArrayFeed
from kjax.engine._given import GivenRun
from kjax.engine._loop import FitOptions
from kjax.engine._resume import Backups, fingerprint
from kjax.engine._runs import ArrayRun

if TYPE_CHECKING:
    from kjax.engine.training import Model

# Seconds that one dispatch should take: with a progress bar or with epochs that may have to be undone, and without.
_DRAWN, _UNSEEN = 0.1, 0.5


class Pace:
    """How many batches the next dispatch runs, so that it takes about `seconds`.

    Arguments:
        seconds: how long; 0 for single batches.
        rate: batches a second, 0 if that is not known yet.
    """

    def __init__(self, seconds: float, rate: float = 0.0) -> None:
        self.seconds = seconds
        self.rate = rate
        self.batches = int(max(1, rate * seconds))

    def ran(self, batches: int, seconds: float) -> None:
        """Learn from a dispatch of `batches` that took `seconds`."""
        rate = batches / max(seconds, 1e-6)
        self.rate = rate if not self.rate else 0.5 * (rate + self.rate)
        self.batches = int(max(1, min(self.rate * self.seconds, self.batches * 16)))


def fit_arrays(model: Model, feed: ArrayFeed, given: Any, options: FitOptions) -> Any:
    """Train on arrays, epoch after epoch. Returns the history."""
    plan, trainer = model._ready()
    names = list(plan.log_names)
    listed = _loop.checked_callbacks(given)
    backups = Backups(model, listed, lambda: _about(feed, options))
    callbacks = _loop.start(model, listed, options, names, "samples", backups)
    watches = _Watches(options, feed, listed)
    held = None if watches.tests else options.held
    run = trainer.over(feed, held, held and model._scanner("test"))
    if not run.ahead or (options.validate is not None and run.held is None):
        watches.epochs, watches.quiet = True, False
    pace = Pace(watches.seconds, trainer.rates.get(run.key, 0.0))
    training = _Training(model, callbacks, options, run, pace, watches, names, backups)
    epoch, done = options.initial_epoch, 0
    try:
        if backups.found is not None:
            epoch, done = training.restore()
        while epoch < options.epochs and not model.stop_training:
            count = 1 if watches.epochs else min(feed.epochs_at_once, options.epochs - epoch)
            epoch, done = training.block(epoch, count, done), 0
        backups.keep_end(lambda: training.state(0))
        callbacks.on_train_end()
        backups.ended()
    finally:
        trainer.rates[run.key] = pace.rate
        run.close()
        backups.close()
        training.close()
    return model.history


def _about(feed: ArrayFeed, options: FitOptions) -> dict[str, Any]:
    """What tells the data of a training from others."""
    about = {"the size of a batch": feed.batch_size, "`shuffle`": feed.shuffle}
    held = options.held_out
    return {**about, **fingerprint(feed.given), "the data to validate on": None if held is None else fingerprint(held)}


class _Watches:
    """What is watched while a model trains.

    Attributes:
        batches: whether a callback acts at single batches.
        epochs: whether something acts or is shown at single epochs.
        tests: whether a callback follows the validation.
        steers: whether a callback may stop the training, change its learning rate or save the model, and no more.
        shortly: whether a dispatch should be short.
        given: the callbacks.
        drawn: whether there is a progress bar.
    """

    def __init__(self, options: FitOptions, feed: ArrayFeed, given: list[Any]) -> None:
        self.given = given
        self.drawn = options.verbose == 1
        self.batches = cb.watches_batches(given)
        self.tests = cb.watches_tests(given)
        self.epochs = cb.watches_epochs(given) or self.batches or self.tests or (self.drawn and feed.steps > 1)
        self.steers = cb.steers(given)
        self.shortly = self.drawn or self.steers or any(isinstance(c, cb.BackupAndRestore) for c in given)
        self.quiet = not given and not options.verbose

    @property
    def seconds(self) -> float:
        """How long a dispatch may take."""
        return 0.0 if self.batches else _DRAWN if self.shortly else _UNSEEN


class _Training:
    """Runs blocks of epochs and tells the callbacks of every batch and epoch in them."""

    def __init__(
        self,
        model: Model,
        callbacks: cb.CallbackList,
        options: FitOptions,
        run: ArrayRun | GivenRun,
        pace: Pace,
        watches: _Watches,
        names: list[str],
        backups: Backups,
    ) -> None:
        self.model, self.callbacks, self.options = model, callbacks, options
        self.run, self.feed, self.pace, self.watches = run, run.feed, pace, watches
        self.names, self.backups = names, backups
        self._tested: Any = None  # what the validations of the block log, (epochs, batches, names)
        self._began, self._count = options.initial_epoch, 0  # number of the block's first epoch, and of epochs in it
        self._mark: Any = None  # where the feed was before the block
        # Where several epochs run before they are told of: the mark before them, and the first and last batch.
        self._ahead: tuple[Any, int, int] | None = None
        self._told = 0  # the batch up to which has been told
        self._losses: Any = 0.0  # of the last batch that ran, with the metrics
        self._needed = self._settled = False  # whether a callback asked for the weights, and whether epochs were undone
        self._stride = 1  # epochs to run at once, past those of which it is known that the weights are not needed
        for callback in watches.given if watches.steers else ():
            callback._settle = self._settle

    def block(self, epoch: int, count: int, done: int = 0) -> int:
        """Run `count` epochs from number `epoch` on, without the first `done` batches. Returns the next number."""
        watches, steps = self.watches, self.feed.steps
        if watches.epochs and not done:
            self.callbacks.on_epoch_begin(epoch)
        self._mark = self.feed.mark() if watches.steers or self.backups else None
        self._began, self._count = epoch, count
        self.run.load(*self.feed.indices(count), self._validated(epoch, count))
        total = steps * count
        while done < total and not self.model.stop_training:
            stop = self._stop(done, total)
            if watches.batches:
                self.callbacks.on_batch_begin(done, {"batch": done, "size": int(self.feed.sizes[done])})
            self._needed = False
            done = self._steered(done, stop) if watches.steers and stop - done > steps else self._dispatch(done, stop)
            # Weights that were needed will soon be needed again.
            self._stride = 1 if self._needed else min(2 * self._stride, self.feed.epochs_at_once)
            if self.backups:
                self._offer(done)
        if self._mark is not None and -(-done // steps) < count:
            self.feed.rewind(self._mark)
            self.feed.indices(-(-done // steps))
            self._count = -(-done // steps)
        if done % steps:
            self._end_epoch(epoch + done // steps)  # stopped in the middle of an epoch
        return epoch + -(-done // steps)

    def _validated(self, epoch: int, count: int) -> np.ndarray:
        validated = np.zeros(self.feed.epochs_at_once, np.bool_)
        if self.run.held is not None:
            validated[:count] = [self.options.validates(epoch + i) for i in range(count)]
        return validated

    def _stop(self, done: int, total: int) -> int:
        """Where the next dispatch ends: at the end of an epoch, if it reaches that far."""
        steps = self.feed.steps
        stop = done + self.pace.batches
        until = done - done % steps + steps
        stop = min(total, stop if stop < until else stop - stop % steps)
        if self.watches.steers and stop > until:
            rest = cb.epochs_at_rest(self.watches.given)
            stop = stop if rest is None else min(stop, until + (rest + self._stride - 1) * steps)
        left = self.backups.batches_left(self.run.place[1]) if self.backups else None
        return stop if left is None else min(stop, done + left)

    def _dispatch(self, done: int, stop: int) -> int:
        began = time.perf_counter()
        logs, self._tested = self.run(done, stop)
        self.pace.ran(stop - done, time.perf_counter() - began)
        self._losses = logs[-1]
        steps = self.feed.steps
        if self.watches.quiet and done % steps == stop % steps == 0:
            self._record(done // steps, logs.reshape(-1, steps, len(self.names)))
            return stop
        return self._account(done, stop, logs)

    def _steered(self, done: int, stop: int) -> int:
        """Run several epochs that a callback may cut short or slow down, and undo those that should not have been."""
        self._ahead, self._settled = (self.run.mark(), done, stop), False
        try:
            kept = self._dispatch(done, stop)
            self._undo()
        finally:
            self._ahead, self._settled = None, False
        return kept

    def _settle(self) -> None:
        """A callback needs the weights of the epoch that it is told of."""
        self._needed = True
        self._undo()

    def _undo(self) -> None:
        """Go back to the end of the epoch that the callbacks are told of, if more have run."""
        if self._ahead is None or self._settled or self._told == self._ahead[2]:
            return
        self._settled = True
        mark, done, _ = self._ahead
        rates = self.model.optimizer.hyper_variables
        changed = [variable.stored for variable in rates]
        self.run.rewind(mark)
        self.run(done, self._told)
        for variable, value in zip(rates, changed, strict=True):
            variable.store(value)

    def _account(self, done: int, stop: int, logs: np.ndarray) -> int:
        """Tell the callbacks of the batches `done` to `stop` of a block, and of the epochs that they end.

        Returns the number of the batch that is next: not `stop` if a callback steers.
        """
        steps = self.feed.steps
        rates = [variable.stored for variable in self.model.optimizer.hyper_variables] if self.watches.steers else []
        while done < stop:
            batch = done % steps
            until = min(stop, done - batch + steps)
            epoch = self._began + done // steps
            if batch == 0 and not self.watches.epochs:
                self.callbacks.on_epoch_begin(epoch)
            part, logs = logs[: until - done], logs[until - done :]
            self._tell_batches(batch, part)
            done = self._told = until
            if done % steps == 0:
                self._end_epoch(epoch)
                if self.watches.steers and (self._settled or self.model.stop_training or self._moved(rates)):
                    break
        return done

    def _moved(self, rates: list[Any]) -> bool:
        now = [variable.stored for variable in self.model.optimizer.hyper_variables]
        return any(a is not b for a, b in zip(rates, now, strict=True))

    def _tell_batches(self, batch: int, values: np.ndarray) -> None:
        sizes = self.feed.sizes[batch : batch + len(values)]
        if self.watches.batches:
            logs = dict(zip(self.names, values[0], strict=True))
            self.callbacks.on_batch_end(batch, Logs({"batch": batch, "size": int(sizes[0]), **logs}))
            return
        if self.watches.drawn and batch == 0 and len(values) > 1:
            # The bar begins with the first batch, as in Keras.
            self.callbacks.on_chunk_end(batch, sizes[:1], values[:1], self.names)
            batch, sizes, values = 1, sizes[1:], values[1:]
        self.callbacks.on_chunk_end(batch, sizes, values, self.names)

    def _end_epoch(self, epoch: int) -> None:
        logs = Logs()
        # A training that a batch's callback stopped is not validated any more, as in Keras.
        if self.options.validate is not None and self.options.validates(epoch) and not self.model.stop_training:
            held = self.run.held
            if held is None:
                logs.update(self.options.validate(self.callbacks))
            else:
                values = self._average(self._tested[epoch - self._began], held.sizes)
                logs.update({f"val_{name}": value for name, value in zip(self.names, values, strict=True)})
        self.callbacks.on_epoch_end(epoch, logs)

    def _offer(self, done: int) -> None:
        """Back up what is due. Kept out of the callbacks: all of them must have been told."""
        logs = self._losses
        self.backups.offer(self.run.place[1], done % self.feed.steps == 0, logs, lambda: self.state(done))

    def state(self, done: int) -> dict[str, Any]:
        """What is kept after `done` batches of the block, for `Backups`; 0 for a block that is done."""
        steps = self.feed.steps
        epochs = -(-done // steps) if done else self._count
        underway = bool(done % steps)
        if epochs < self._count:
            feed = self.feed.mark_after(self._mark, epochs, underway)
        else:
            state, order, _ = self.feed.mark()
            feed = state, order, underway
        return {
            "epoch": self._began + (done // steps if done else self._count),
            "batch": done % steps,
            "place": {"run": self.run.place, "feed": feed, "python": random.getstate()},
            "variables": self.run.trainer.variables(),
            "callbacks": self.callbacks,
        }

    def restore(self) -> tuple[int, int]:
        """Go on from where a backup was made. Returns the number of the epoch and of the batch in it."""
        found = self.backups.found
        self.backups.restore(self.run.trainer.variables(), self.callbacks)
        place = found["place"]
        self.run.place = place["run"]
        self.feed.rewind(place["feed"])
        random.setstate(place["python"])
        self._began, self._count = found["epoch"], 0
        return found["epoch"], found["batch"]

    def close(self) -> None:
        """Let the callbacks go."""
        for callback in self.watches.given if self.watches.steers else ():
            vars(callback).pop("_settle", None)

    def _average(self, logs: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return _loop.average(logs, sizes, self.model._require_plan().last_counts)

    def _record(self, first: int, logs: np.ndarray) -> None:
        """Write many epochs into the history at once, as nobody else wants to know: logs (epochs, steps, names)."""
        history = self.model.history
        numbers = range(self._began + first, self._began + first + len(logs))
        history.epoch.extend(numbers)
        if self.run.held is not None and (chosen := [n for n in numbers if self.options.validates(n)]):
            tested = self._tested[np.array(chosen) - self._began]
            self._extend("val_", self._average(tested, self.run.held.sizes))
        self._extend("", self._average(logs, self.feed.sizes))

    def _extend(self, prefix: str, values: np.ndarray) -> None:
        # What was validated is a numpy number in Keras's history, what was trained is not.
        for name, column in zip(self.names, values.T, strict=True):
            items = list(column) if prefix else column.tolist()
            self.model.history.history.setdefault(prefix + name, []).extend(items)
