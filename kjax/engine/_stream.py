"""Training, testing and predicting on batches from a generator, a `Sequence` or any iterable of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax import callbacks as cb
from kjax._core import notices
from kjax._core.logs import Logs
from kjax._core.progbar import Progbar
from kjax._core.stream import RanOut, Stream, Ways, has_random_access
from kjax.engine import _adapt, _check, _data, _feed, _loop
from kjax.engine._passes import Epochs
from kjax.engine._resume import Backups

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


class Batches:
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
    whole = steps is None and has_random_access(source)
    limit = None if count is None or whole else count * max(0, options.epochs - options.initial_epoch)
    batches = Batches(model, source, ways, True, class_weight, bool(shuffle), limit)
    try:
        options.validate, _ = validation.function(model, 32)
        options.held_out = validation.held_out
        plan, trainer = model._ready()
        names = list(plan.log_names)
        callbacks = _loop.start(model, listed, options, names, "steps", backups)
        training = Epochs(model, trainer, batches, count, callbacks, names, cb.watches_batches(listed), backups, whole)
        training.run(options, validation.validator)
        backups.keep_end(training.state)
        callbacks.on_train_end()
        backups.ended()
        return model.history
    finally:
        batches.close()
        validation.close()
        backups.close()


def evaluate(
    model: Model, source: Any, steps: int | None, verbose: int, ways: Ways, callbacks: Any = None
) -> list[Any]:
    """Averages of what is logged over the batches of a source, weighted by their sizes."""
    count = count_batches(source, steps, "steps")
    batches = Batches(model, source, ways, limit=count)
    try:
        values = _test(model, batches, count, Progbar(count) if verbose == 1 else None, callbacks)
        batches.stream.end_pass(more=False)
        return values
    finally:
        batches.close()


def _test(model: Model, batches: Batches, count: int | None, bar: Progbar | None, callbacks: Any) -> list[Any]:
    total: Any = 0.0
    last: Any = None
    samples = step = 0
    if model._plan is not None:
        model.reset_metrics()
    with _loop.Told(callbacks, "test", model.metrics_names) as told:
        for batch in batches.take(count, "evaluation"):
            if batch is None:
                break
            size = batch[0][0].shape[0]
            scanner = model._scanner("test")
            for logs, _, _ in scanner.test(batch, size, size):
                last = logs[0].astype(np.float64)
                total = total + size * last
                told.of(np.array([size]), logs)
            samples += size
            step += 1
            if bar is not None:
                bar.update(step)
    values = total / max(1, samples)
    if last is not None and any(last_counts := model._require_plan().last_counts):
        values = np.where(last_counts, last, values)
    return [np.float64(value) for value in values]


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
        self.batches: Batches | None = None

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

    def _more(self) -> Batches:
        """The batches of the source, as many more of them as one validation takes."""
        if self.batches is None:
            self.batches = Batches(self.model, self.source, self.ways, limit=self.count)
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
