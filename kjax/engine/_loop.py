"""The loops of fit, evaluate and predict: chunks of batches, callbacks in Keras's order, history and progress.

A chunk is one dispatch. Its length follows from what can be observed: one batch where a callback watches batches, as
many as run in about a tenth of a second where a progress bar is drawn, and over the ends of epochs where nothing
watches those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax import callbacks as cb
from kjax._core.logs import Logs
from kjax._core.progbar import Progbar
from kjax.engine._check import whole
from kjax.engine._feed import ArrayFeed
from kjax.engine._runs import Scanner

if TYPE_CHECKING:
    from kjax.engine.training import Model

# Seconds that one dispatch should take, with a progress bar and without.
_DRAWN, _UNSEEN = 0.1, 0.5


@dataclass
class FitOptions:
    """What `fit` was told, beside the data."""

    epochs: int
    initial_epoch: int
    verbose: int
    validate: Callable[[Any], Logs] | None  # given the callbacks, evaluates on the validation data, names with `val_`
    validation_freq: Any
    batch_size: int | None
    samples: int | None
    steps: int | None
    held_out: list[Any] | None = None  # the arrays to validate on, for callbacks that look at them

    def __post_init__(self) -> None:
        self.epochs = whole(self.epochs, "epochs", 0)
        self.initial_epoch = whole(self.initial_epoch, "initial_epoch", 0)

    def validates(self, epoch: int) -> bool:
        """Whether epoch number `epoch`, from 0 on, ends with validation."""
        if self.validate is None:
            return False
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq


def start(model: Model, given: Any, options: FitOptions, names: list[str], count_mode: str) -> cb.CallbackList:
    """The callbacks of a fit, set up and told that training begins."""
    listed = _checked_callbacks(given)
    around = [cb.BaseLogger()] + ([cb.ProgbarLogger(count_mode)] if options.verbose else [])
    model.history = cb.History()
    callbacks = cb.CallbackList([*around, *listed, model.history])
    callbacks.set_model(model._callback_model())
    shown = names + ([f"val_{name}" for name in names] if options.validate else [])
    callbacks.set_params(
        {
            "batch_size": options.batch_size,
            "epochs": options.epochs,
            "steps": options.steps,
            "samples": options.samples,
            "verbose": options.verbose,
            "do_validation": options.validate is not None,
            "metrics": shown,
        }
    )
    for callback in callbacks:
        callback.validation_data = options.held_out
    model.stop_training = False
    callbacks.on_train_begin()
    return callbacks


def _checked_callbacks(given: Any) -> list[Any]:
    if given is not None and not hasattr(given, "__iter__"):
        raise TypeError(f"`callbacks` must be a list of callbacks. Found: {given!r}")
    listed = list(given or [])
    for callback in listed:
        if isinstance(callback, type):
            name = callback.__name__
            raise TypeError(f"`callbacks` holds the class {name}: pass an object, `{name}()`.")
        if not hasattr(callback, "set_model"):
            raise TypeError(f"`callbacks` must hold `Callback` objects. Found: {callback!r}")
    return listed


class Pace:
    """How many batches the next dispatch runs, so that it takes about `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.batches = 1
        self._rate = 0.0

    def ran(self, batches: int, seconds: float) -> None:
        """Learn from a dispatch of `batches` that took `seconds`."""
        rate = batches / max(seconds, 1e-6)
        self._rate = rate if not self._rate else 0.5 * (rate + self._rate)
        self.batches = int(max(1, min(self._rate * self.seconds, self.batches * 16)))


def fit_arrays(model: Model, feed: ArrayFeed, given: Any, options: FitOptions) -> Any:
    """Train on arrays, epoch after epoch. Returns the history."""
    plan, trainer = model._ready()
    callbacks = start(model, given, options, list(plan.log_names), "samples")
    batch_watched = cb.watches_batches(given or [])
    drawn = options.verbose == 1
    watched = (
        batch_watched or cb.watches_epochs(given or []) or options.validate is not None or (drawn and feed.steps > 1)
    )
    run = trainer.over(feed)
    epoch = options.initial_epoch
    pace = Pace(0.0 if batch_watched else _DRAWN if drawn else _UNSEEN)
    loop = _Epochs(model, callbacks, options, feed, list(plan.log_names), watched, batch_watched)
    try:
        while epoch < options.epochs and not model.stop_training:
            at_once = 1 if watched else min(feed.epochs_at_once, options.epochs - epoch)
            epoch = loop.run(run, pace, epoch, at_once)
    finally:
        run.close()
    callbacks.on_train_end()
    return model.history


class _Epochs:
    """Runs a block of epochs and tells the callbacks of every batch and epoch in it."""

    def __init__(
        self,
        model: Model,
        callbacks: cb.CallbackList,
        options: FitOptions,
        feed: ArrayFeed,
        names: list[str],
        watched: bool,
        batch_watched: bool,
    ) -> None:
        self.model, self.callbacks, self.options = model, callbacks, options
        self.feed, self.names = feed, names
        self.watched, self.batch_watched = watched, batch_watched
        self.sizes = np.array([feed.batch_size] * feed.full + ([feed.rest] if feed.rest else []))

    def run(self, run: Any, pace: Pace, epoch: int, count: int) -> int:
        """Run `count` epochs from number `epoch` on. Returns the number of the next."""
        if self.watched:
            self.callbacks.on_epoch_begin(epoch)
        run.load(*self.feed.indices(count))
        steps = self.feed.steps
        total = steps * count
        done = 0
        if self.options.verbose == 1 and steps > 1:
            pace.batches = 1  # the first line of the bar comes at once, as in Keras
        if not self.watched:
            self.callbacks.on_epoch_begin(epoch)
        while done < total and not self.model.stop_training:
            stop = min(total, done + pace.batches)
            if self.feed.rest:
                stop = done + 1 if done >= self.feed.full else min(stop, self.feed.full)
            if self.batch_watched:
                self.callbacks.on_batch_begin(done, {"batch": done, "size": int(self.sizes[done])})
            began = time.perf_counter()
            logs = run(done, stop)
            pace.ran(stop - done, time.perf_counter() - began)
            epoch = self._account(epoch, done, stop, logs)
            done = stop
        if done < total and done % steps:
            self._end_epoch(epoch)  # stopped in the middle of an epoch
            epoch += 1
        return epoch

    def _account(self, epoch: int, first: int, stop: int, logs: np.ndarray) -> int:
        """Tell the callbacks of the batches `first` to `stop` of a block, and of the epochs that they end."""
        steps = self.feed.steps
        while first < stop:
            batch = first % steps
            until = min(stop, first - batch + steps)
            if batch == 0 and first and not self.watched:
                self.callbacks.on_epoch_begin(epoch)
            part, logs = logs[: until - first], logs[until - first :]
            self._tell_batches(batch, part)
            first = until
            if first % steps == 0:
                self._end_epoch(epoch)
                epoch += 1
        return epoch

    def _tell_batches(self, batch: int, values: np.ndarray) -> None:
        sizes = self.sizes[batch : batch + len(values)]
        if not self.batch_watched:
            self.callbacks.on_chunk_end(batch, sizes, values, self.names)
            return
        logs = dict(zip(self.names, values[0], strict=True))
        self.callbacks.on_batch_end(batch, Logs({"batch": batch, "size": int(sizes[0]), **logs}))

    def _end_epoch(self, epoch: int) -> None:
        logs = Logs()
        # A training that a batch's callback stopped is not validated any more, as in Keras.
        stopped = self.model.stop_training
        if self.options.validates(epoch) and self.options.validate is not None and not stopped:
            logs.update(self.options.validate(self.callbacks))
        self.callbacks.on_epoch_end(epoch, logs)


def _advance(bar: Progbar | None, seen: int, count: int, batches: int) -> int:
    """Show `count` more samples. The bar begins with its first batch, as in Keras."""
    if bar is not None and not seen and batches > 1:
        bar.update(count // batches)
    if bar is not None:
        bar.update(seen + count)
    return seen + count


def listeners(model: Model, given: Any) -> cb.CallbackList | None:
    """The callbacks of `evaluate` or `predict`, set up; None if there are none."""
    if not given:
        return None
    callbacks = cb.CallbackList(_checked_callbacks(given))
    callbacks.set_model(model._callback_model())
    callbacks.set_params({})
    return callbacks


class Told:
    """Tells callbacks of the beginning, the batches and the end of testing or predicting, in a `with` block.

    Arguments:
        callbacks: whom to tell; None for nobody.
        mode: `'test'` or `'predict'`.
        names: names of what is logged.
    """

    def __init__(self, callbacks: cb.CallbackList | None, mode: str, names: Sequence[str] = ()) -> None:
        self.callbacks, self.mode, self.names = callbacks, mode, names
        self._batch = 0

    def __enter__(self) -> Told:
        if self.callbacks is not None:
            getattr(self.callbacks, f"on_{self.mode}_begin")()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if self.callbacks is not None and kind is None:
            getattr(self.callbacks, f"on_{self.mode}_end")()

    def of(self, batches: int, samples: int, values: np.ndarray | None = None) -> None:
        """`batches` have run, of `samples` in all; `values` is what they log, (batches, names)."""
        if self.callbacks is not None:
            sizes = np.full(batches, samples // batches)
            values = np.empty((batches, 0)) if values is None else values
            self.callbacks.on_chunk_end(self._batch, sizes, values, self.names, self.mode)
        self._batch += batches


def evaluate_arrays(
    scanner: Scanner, data: Any, samples: int, batch_size: int, verbose: int, told: Told
) -> list[float]:
    """Averages of what is logged over all samples, weighted by the size of the batches."""
    bar = Progbar(samples) if verbose == 1 else None
    total: Any = 0.0
    seen = 0
    with told:
        for logs, batches, count in scanner(data, samples, batch_size):
            sizes = np.full(batches, count / batches)
            total = total + sizes @ logs.astype(np.float64)
            seen = _advance(bar, seen, count, batches)
            told.of(batches, count, logs)
    return [np.float64(value) for value in total / samples]


def _joined(output: np.ndarray, batches: int, count: int) -> np.ndarray:
    """The outputs of several batches as those of their samples; one number a batch counts for each of its samples."""
    if output.ndim == 1:
        return np.repeat(output, count // batches)
    return output.reshape(batches * output.shape[1], *output.shape[2:])


def predict_arrays(
    scanner: Scanner, data: Any, samples: int, batch_size: int, verbose: int, told: Told
) -> list[np.ndarray]:
    """The outputs for all samples, one array for each output of the model."""
    bar = Progbar(samples) if verbose == 1 else None
    pieces: list[list[np.ndarray]] = []
    seen = 0
    with told:
        for outputs, batches, count in scanner(data, samples, batch_size):
            pieces.append([_joined(output, batches, count) for output in outputs])
            seen = _advance(bar, seen, count, batches)
            told.of(batches, count)
    return [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*pieces, strict=True)]
