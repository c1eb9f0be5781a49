"""The loops of fit, evaluate and predict: chunks of batches, callbacks in Keras's order, history and progress.

A chunk is one dispatch. Its length follows from what can be observed: one batch where a callback watches batches, as
many as run in about a tenth of a second where a progress bar is drawn, and over the ends of epochs where nothing
watches those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kjax import callbacks as cb
from kjax._core.logs import Logs
from kjax._core.progbar import Progbar
from kjax.engine._check import whole
from kjax.engine._feed import Held
from kjax.engine._resume import Backups
from kjax.engine._scanner import Scanner

if TYPE_CHECKING:
    from kjax.engine.training import Model


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
    held: Held | None = None  # the same, cut into batches, if `validate` does no more than test on them

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


def start(
    model: Model, listed: list[Any], options: FitOptions, names: list[str], count_mode: str, backups: Backups
) -> cb.CallbackList:
    """The callbacks of a fit, set up and told that training begins."""
    measures = model._measures()
    around = [cb.BaseLogger(measures)] + ([cb.ProgbarLogger(count_mode, measures)] if options.verbose else [])
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
    backups.prepare(callbacks)
    callbacks.on_train_begin()
    backups.note(callbacks)
    return callbacks


def checked_callbacks(given: Any) -> list[Any]:
    """The callbacks that `fit` was given, as a list.

    Raises:
        TypeError: if they are none.
    """
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


def average(logs: np.ndarray, sizes: np.ndarray, last_counts: Sequence[bool] = ()) -> np.ndarray:
    """What is logged (..., batches, names), averaged over the samples of the batches: (..., names) in float64.

    Of the names of which the last value counts, it is that. Sums batch after batch, where `sum` may pair batches up in
    an order that hangs on their number.
    """
    terms = np.multiply(logs, sizes[:, None], dtype=np.float64)
    means = np.add.accumulate(terms, axis=-2)[..., -1, :] / sizes.sum()
    return np.where(last_counts, logs[..., -1, :], means) if any(last_counts) else means


def _advance(bar: Progbar | None, seen: int, sizes: np.ndarray) -> int:
    """Show the samples of more batches. The bar begins with its first batch, as in Keras."""
    count = seen + int(sizes.sum())
    if bar is not None and not seen and len(sizes) > 1:
        bar.update(int(sizes[0]))
    if bar is not None and count > seen:
        bar.update(count)
    return count


def listeners(model: Model, given: Any) -> cb.CallbackList | None:
    """The callbacks of `evaluate` or `predict`, set up; None if there are none."""
    if not given:
        return None
    callbacks = cb.CallbackList(checked_callbacks(given))
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

    def of(self, sizes: np.ndarray, values: np.ndarray | None = None) -> None:
        """Batches of these numbers of samples have run; `values` is what they log, (batches, names)."""
        if self.callbacks is not None:
            values = np.empty((len(sizes), 0)) if values is None else values
            self.callbacks.on_chunk_end(self._batch, sizes, values, self.names, self.mode)
        self._batch += len(sizes)


def evaluate_arrays(
    scanner: Scanner, data: Any, samples: int, batch_size: int, verbose: int, told: Told
) -> list[float]:
    """Averages of what is logged over all samples, weighted by the size of the batches."""
    bar = Progbar(samples) if verbose == 1 else None
    logged: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    seen = 0
    with told:
        for logs, batches, count in scanner.test(data, samples, batch_size):
            sizes.append(np.full(batches, count // batches))
            seen = _advance(bar, seen, sizes[-1])
            logged.append(logs)
            told.of(sizes[-1], logs)
    last_counts = () if scanner.plan is None else scanner.plan.last_counts
    return list(average(np.concatenate(logged), np.concatenate(sizes), last_counts))


def predict_arrays(
    scanner: Scanner, inputs: Any, samples: int, batch_size: int, verbose: int, told: Told
) -> list[np.ndarray]:
    """The outputs for all samples, one array for each output of the model."""
    bar = Progbar(samples) if verbose == 1 else None
    pieces: list[list[np.ndarray]] = []
    seen = 0
    with told:
        for outputs, sizes in scanner.predict(inputs, samples, batch_size):
            pieces.append(outputs)
            seen = _advance(bar, seen, sizes)
            told.of(sizes)
    return [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*pieces, strict=True)]
