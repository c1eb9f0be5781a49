"""Training, testing and predicting on batches from a generator, a `Sequence` or any iterable of batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax import callbacks as cb
from kjax._core import notices
from kjax._core.logs import Logs
from kjax._core.progbar import Progbar
from kjax._core.stream import RanOut, Stream, Ways
from kjax.engine import _adapt, _check, _data, _feed, _loop
from kjax.engine._resume import Backups, randomness, set_randomness

if TYPE_CHECKING:
    from kjax.engine.training import Model


_EMPTY = "The source of batches is empty: it gave no batch at all. Expected at least one."


def _split(item: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a source yields."""
    if not isinstance(item, (list, tuple)) or len(item) not in (2, 3):
        raise ValueError(
            "Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. "
            f"Found: {type(item).__name__} {str(item)[:100]}"
        )
    x, y, *weights = _adapt.on_host(tuple(item))
    return x, y, weights[0] if weights else None


def count_batches(source: Any, steps: int | None, argument: str) -> int | None:
    """Batches to take: as told, else all that the source has; None to go on until it ends.

    Raises:
        TypeError: if the source is none.
        ValueError: if it is empty, or has no end.
    """
    if not (hasattr(source, "__iter__") or hasattr(source, "__getitem__")):
        hint = " Call the function, and pass what it returns." if callable(source) else ""
        raise TypeError(
            "A source of batches was expected: a generator, a `Sequence` or an iterable. "
            f"Found: {type(source).__name__} {str(source)[:100]}.{hint}"
        )
    if steps is not None:
        return _check.steps(steps, argument)
    try:
        known = len(source)
    except TypeError:
        known = None
    if known == 0:
        raise ValueError(_EMPTY)
    if known is None and _adapt.has_no_end(source):
        raise ValueError(
            f"`{argument}=None` is only valid for a source of batches that has an end, such as a `Sequence`. "
            f"Please specify `{argument}`."
        )
    return known


def _taken(stream: Stream, count: int | None, what: str) -> Iterator[Any]:
    """The next `count` batches of a stream, or all to its end. None, with a warning, if it gives no more before.

    Raises:
        ValueError: if it gives none at all.
    """
    taken = 0
    while count is None or taken < count:
        try:
            item = stream.next()
        except RanOut:
            if not stream.given:
                raise ValueError(_EMPTY) from None
            notices.warn(
                f"Your input ran out of data; interrupting {what} after {taken} of {count} batches. Let the generator "
                "yield without end, or ask for fewer steps and epochs."
            )
            yield None
            return
        if item is not None:
            taken += 1
            yield item
        elif count is None and taken:
            return


class _Raw:
    """A batch that was fetched before the model was built, and so could not be checked yet."""

    def __init__(self, item: Any) -> None:
        self.item = item


class _Batches:
    """A stream of checked batches: inputs, targets and weights, ready to be used.

    Arguments:
        model: whose batches they are. It is built by the first, if need be.
        source: where they come from.
        ways: how they are fetched.
        trains: whether they are to train on. They are placed on the device as soon as they are there.
        class_weight: weight by class number.
        shuffle: whether the batches of a `Sequence` come in a new order each epoch.
        limit: how many are fetched in all.
    """

    def __init__(
        self,
        model: Model,
        source: Any,
        ways: Ways,
        trains: bool = False,
        class_weight: Any = None,
        shuffle: bool = False,
        limit: int | None = None,
    ) -> None:
        self.model, self.class_weight, self.trains = model, class_weight, trains
        self.ahead = ways.workers > 0
        self.built = bool(model.outputs)
        if self.built:
            model._require_plan()
        self.device: Any = jax.config.values["jax_default_device"]  # belongs to this thread, and the workers are others
        # Drawn before the workers start, which may draw from numpy's generator too, so that runs repeat.
        self.seed = np.random.randint(2**31 - 1) if trains and self.built else 0
        self.stream = Stream(source, self._prepare, ways, shuffle, limit)
        if not self.built:
            self._build()
            self.seed = np.random.randint(2**31 - 1) if trains else 0

    def _build(self) -> None:
        try:
            first = self.stream.peek()
            if first is None:
                raise ValueError(_EMPTY)
            self.model._build_for(_split(first.item)[0])
            self.model._require_plan()
            self.built = True
        except RanOut:
            self.close()
            raise ValueError(_EMPTY) from None
        except BaseException:
            self.close()
            raise

    def _prepare(self, item: Any) -> Any:
        if not self.built:
            return _Raw(item)
        x, y, weight = _split(item)
        batch = _data.training(self.model, x, y, weight, self.class_weight, finite=False)
        if not self.trains:
            return batch
        with jax.default_device(self.device):
            return jax.device_put(jax.tree.map(_feed.host_ready, batch))

    def take(self, count: int | None, what: str) -> Iterator[Any]:
        """The next `count` batches; see `_taken`."""
        for batch in _taken(self.stream, count, what):
            yield self._prepare(batch.item) if isinstance(batch, _Raw) else batch

    def close(self) -> None:
        self.stream.close()


def fit(
    model: Model,
    source: Any,
    steps: int | None,
    epochs: int,
    verbose: int,
    given: Any,
    validation: _data.Validation,
    class_weight: Any,
    ways: Ways,
    shuffle: bool | str,
    initial_epoch: int,
) -> Any:
    """`fit` on a source of batches. Returns the history."""
    count = count_batches(source, steps, "steps_per_epoch")
    options = _loop.FitOptions(epochs, initial_epoch, verbose, None, validation.freq, None, None, count)
    listed = _loop.checked_callbacks(given)
    backups = Backups(model, listed, lambda: {"the source": type(source).__name__, "`steps_per_epoch`": count})
    backups.begin()
    limit = None if count is None else count * max(0, options.epochs - options.initial_epoch)
    batches = _Batches(model, source, ways, True, class_weight, bool(shuffle), limit)
    try:
        options.validate, _ = validation.function(model, 32)
        options.held_out = validation.held_out
        plan, trainer = model._ready()
        names = list(plan.log_names)
        callbacks = _loop.start(model, listed, options, names, "steps", backups)
        epochs = _Epochs(model, trainer, batches, count, callbacks, names, cb.watches_batches(listed), backups)
        epochs.run(options, validation.validator)
        callbacks.on_train_end()
        backups.ended(epochs.state)
        return model.history
    finally:
        batches.close()
        validation.close()
        backups.close()


@dataclass
class _Epochs:
    """Epochs of training on batches as they come, and where they are.

    When a training is resumed, the batches that it was trained on are taken once more and let go, since only the source
    knows how to come to the next one.
    """

    model: Model
    trainer: Any
    batches: _Batches
    count: int | None
    callbacks: cb.CallbackList
    names: list[str]
    watched: bool
    backups: Backups
    epoch: int = 0
    step: int = 0  # batches of the epoch that are done
    done: int = 0  # batches of all epochs before
    _found: Any = None  # the backup to resume from, until that is done
    _losses: Any = 0.0  # of the last batch, with the metrics

    def run(self, options: _loop.FitOptions, validator: Validator | None) -> None:
        """All epochs from the first on."""
        self.epoch = options.initial_epoch
        self._found = self.backups.found
        while self._goes_on(options):
            self.step = 0
            if self._found is None:
                self.callbacks.on_epoch_begin(self.epoch)
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

    def _goes_on(self, options: _loop.FitOptions) -> bool:
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

    def _end(self, options: _loop.FitOptions, validator: Validator | None) -> None:
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


def evaluate(
    model: Model, source: Any, steps: int | None, verbose: int, ways: Ways, callbacks: Any = None
) -> list[Any]:
    """Averages of what is logged over the batches of a source, weighted by their sizes."""
    count = count_batches(source, steps, "steps")
    batches = _Batches(model, source, ways, limit=count)
    try:
        values = _test(model, batches, count, Progbar(count) if verbose == 1 else None, callbacks)
        batches.stream.end_pass(more=False)
        return values
    finally:
        batches.close()


def _test(model: Model, batches: _Batches, count: int | None, bar: Progbar | None, callbacks: Any) -> list[Any]:
    total: Any = 0.0
    samples = step = 0
    with _loop.Told(callbacks, "test", model.metrics_names) as told:
        for batch in batches.take(count, "evaluation"):
            if batch is None:
                break
            size = batch[0][0].shape[0]
            scanner = model._scanner("test")
            for logs, _, _ in scanner.test(batch, size, size):
                total = total + size * logs[0].astype(np.float64)
                told.of(np.array([size]), logs)
            samples += size
            step += 1
            if bar is not None:
                bar.update(step)
    return [np.float64(value) for value in total / max(1, samples)]


class Validator:
    """Validates on a source of batches, again and again; a generator goes on where it was, as in Keras.

    Arguments:
        model: the model to test.
        source: batches of (inputs, targets) or (inputs, targets, sample_weights).
        steps: batches to validate on each time; all of the source if None.
        ways: how they are fetched.
    """

    def __init__(self, model: Model, source: Any, steps: int | None, ways: Ways) -> None:
        self.model, self.source, self.ways = model, source, ways
        self.count = count_batches(source, steps, "validation_steps")
        self.batches: _Batches | None = None

    def __call__(self, callbacks: Any) -> Logs:
        """The logs, with `val_` before each name."""
        batches = self._more()
        values = _test(self.model, batches, self.count, None, callbacks)
        batches.stream.end_pass(more=False)
        return Logs({f"val_{name}": value for name, value in zip(self.model.metrics_names, values, strict=True)})

    def skip(self) -> None:
        """Take the batches of one validation, and do nothing with them."""
        batches = self._more()
        for _ in batches.take(self.count, "evaluation"):
            pass
        batches.stream.end_pass(more=False)

    def _more(self) -> _Batches:
        """The batches of the source, as many more of them as one validation takes."""
        if self.batches is None:
            self.batches = _Batches(self.model, self.source, self.ways, limit=self.count)
        elif self.count is not None:
            self.batches.stream.allow(self.count)
        return self.batches

    def close(self) -> None:
        if self.batches is not None:
            self.batches.close()


def _inputs_of(item: Any) -> Any:
    """The inputs of what a source yields to predict on."""
    if item is None:
        raise ValueError("Output of generator should be inputs, or a tuple that begins with them. Found: NoneType None")
    return _adapt.on_host(item[0] if isinstance(item, tuple) and item else item)


def predict(
    model: Model, source: Any, steps: int | None, verbose: int, ways: Ways, callbacks: Any = None
) -> list[np.ndarray]:
    """The outputs for the batches of a source, joined."""
    count = count_batches(source, steps, "steps")
    bar = Progbar(count) if verbose == 1 else None
    stream = Stream(source, _inputs_of, ways, limit=count)
    pieces: list[list[np.ndarray]] = []
    step = 0
    try:
        with _loop.Told(callbacks, "predict") as told:
            for item in _taken(stream, count, "prediction"):
                if item is None:
                    break
                outputs = model.predict_on_batch(item)
                pieces.append(outputs if isinstance(outputs, list) else [outputs])
                told.of(np.array([len(pieces[-1][0])]))
                step += 1
                if bar is not None:
                    bar.update(step)
        stream.end_pass(more=False)
    finally:
        stream.close()
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
