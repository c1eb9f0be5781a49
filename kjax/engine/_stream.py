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
from kjax.engine import _check, _data, _feed, _loop

if TYPE_CHECKING:
    from kjax.engine.training import Model


_EMPTY = "The source of batches is empty: it gave no batch at all. Expected at least one."


def is_source(x: Any) -> bool:
    """Whether `x` yields batches, instead of being the data."""
    if x is None or isinstance(x, (np.ndarray, jax.Array, list, tuple, dict, str, bytes)) or hasattr(x, "to_numpy"):
        return False
    if hasattr(x, "__array__") or (hasattr(x, "shape") and hasattr(x, "dtype")):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def _split(item: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a source yields."""
    if not isinstance(item, (list, tuple)) or len(item) not in (2, 3):
        raise ValueError(
            "Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. "
            f"Found: {type(item).__name__} {str(item)[:100]}"
        )
    x, y, *weights = item
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
    known = _feed.steps_of(source)
    if known == 0:
        raise ValueError(_EMPTY)
    if known is None and hasattr(source, "__next__"):
        raise ValueError(
            f"`{argument}=None` is only valid for a source of batches that has an end, such as a `Sequence`. "
            f"Please specify `{argument}`."
        )
    return known


def _taken(stream: _feed.Stream, count: int | None, what: str) -> Iterator[Any]:
    """The next `count` batches of a stream, or all to its end. None, with a warning, if it gives no more before.

    Raises:
        ValueError: if it gives none at all.
    """
    taken = 0
    while count is None or taken < count:
        try:
            item = stream.next()
        except _feed.RanOut:
            if not stream.given:
                raise ValueError(_EMPTY) from None
            notices.warn(
                f"Your input ran out of data; interrupting {what} after {taken} of {count} batches. Let the generator "
                "yield without end, or ask for fewer steps and epochs."
            )
            yield None
            return
        if item is not None:
            stream.given = True
            taken += 1
            yield item
        elif count is None and taken:
            return


class _Batches:
    """Checked batches of a source, one after the other, restarted when it ends and more is wanted."""

    def __init__(
        self,
        model: Model,
        source: Any,
        ahead: int,
        trains: bool = False,
        class_weight: Any = None,
        shuffle: bool = False,
    ) -> None:
        self.model, self.class_weight = model, class_weight
        maker = _feed.iterator_maker(source, shuffle)
        if not model.outputs:
            maker = self._after_building(maker)
        # Drawn before the thread starts, which may draw from numpy's generator too, so that runs repeat.
        self.seed = np.random.randint(2**31 - 1) if trains else 0
        self.stream = _feed.Stream(maker, self._prepare, ahead)

    def _after_building(self, maker: Any) -> Any:
        """Build the model from the first batch, in this thread, before the stream starts."""
        iterator = maker()
        first = next(iterator, None)
        if first is None:
            raise ValueError(_EMPTY)
        self.model._build_for(_split(first)[0])
        left = [first]

        def again() -> Any:
            if not left:
                yield from maker()
                return
            yield left.pop()
            yield from iterator

        return again

    def _prepare(self, item: Any) -> Any:
        x, y, weight = _split(item)
        self.model._require_plan()
        return _data.training(self.model, x, y, weight, self.class_weight, finite=False)


def _batch_given(item: Any) -> Any:
    if item is None:
        raise ValueError("Output of generator should be inputs, or a tuple that begins with them. Found: NoneType None")
    return item


def fit(
    model: Model,
    source: Any,
    steps: int | None,
    epochs: int,
    verbose: int,
    given: Any,
    validation: _data.Validation,
    class_weight: Any,
    ahead: int,
    shuffle: bool | str,
    initial_epoch: int,
) -> Any:
    """`fit` on a source of batches. Returns the history."""
    count = count_batches(source, steps, "steps_per_epoch")
    batches = _Batches(model, source, ahead, True, class_weight, bool(shuffle))
    try:
        model._require_plan()
        validate, _ = validation.function(model, 32)
        plan, trainer = model._ready()
        options = _loop.FitOptions(epochs, initial_epoch, verbose, validate, validation.freq, None, None, count)
        options.held_out = validation.held_out
        names = list(plan.log_names)
        callbacks = _loop.start(model, given, options, names, "steps")
        watched = cb.watches_batches(given or [])
        epoch, done = options.initial_epoch, 0
        while epoch < options.epochs and not model.stop_training:
            callbacks.on_epoch_begin(epoch)
            ran = _epoch(model, trainer, batches.stream, count, callbacks, names, watched, batches.seed + done)
            if not ran:
                break
            validates = validate is not None and options.validates(epoch) and not model.stop_training
            callbacks.on_epoch_end(epoch, Logs(validate(callbacks) if validate is not None and validates else {}))
            epoch, done = epoch + 1, done + ran
        callbacks.on_train_end()
        return model.history
    finally:
        batches.stream.close()


def _epoch(
    model: Model,
    trainer: Any,
    stream: Any,
    count: int | None,
    callbacks: Any,
    names: list[str],
    watched: bool,
    seed: int,
) -> int:
    """Train for one epoch. Returns the number of batches."""
    step = 0
    for batch in _taken(stream, count, "training"):
        if batch is None:
            model.stop_training = True
            break
        size = batch[0][0].shape[0]
        if watched:
            callbacks.on_batch_begin(step, {"batch": step, "size": size})
        logs = trainer.one_batch(batch, seed + step)
        if watched:
            about = {"batch": step, "size": size, **dict(zip(names, logs, strict=True))}
            callbacks.on_batch_end(step, Logs(about))
        else:
            callbacks.on_chunk_end(step, np.array([size]), logs[None], names)
        step += 1
        if model.stop_training:
            break
    return step


def evaluate(
    model: Model, source: Any, steps: int | None, verbose: int, ahead: int, callbacks: Any = None
) -> list[Any]:
    """Averages of what is logged over the batches of a source, weighted by their sizes."""
    count = count_batches(source, steps, "steps")
    batches = _Batches(model, source, ahead)
    bar = Progbar(count) if verbose == 1 else None
    total: Any = 0.0
    samples = step = 0
    try:
        with _loop.Told(callbacks, "test", model.metrics_names) as told:
            for batch in _taken(batches.stream, count, "evaluation"):
                if batch is None:
                    break
                size = batch[0][0].shape[0]
                scanner = model._scanner("test")
                for logs, _, _ in scanner(batch, size, size):
                    total = total + size * logs[0].astype(np.float64)
                    told.of(1, size, logs)
                samples += size
                step += 1
                if bar is not None:
                    bar.update(step)
    finally:
        batches.stream.close()
    return [np.float64(value) for value in total / max(1, samples)]


def validate(model: Model, source: Any, steps: int | None, callbacks: Any) -> Logs:
    """Logs of validating on a source of batches."""
    values = evaluate(model, source, steps, 0, 10, callbacks)
    return Logs({f"val_{name}": value for name, value in zip(model.metrics_names, values, strict=True)})


def predict(
    model: Model, source: Any, steps: int | None, verbose: int, ahead: int, callbacks: Any = None
) -> list[np.ndarray]:
    """The outputs for the batches of a source, joined."""
    count = count_batches(source, steps, "steps")
    bar = Progbar(count) if verbose == 1 else None
    stream = _feed.Stream(_feed.iterator_maker(source), _batch_given, ahead)
    pieces: list[list[np.ndarray]] = []
    step = 0
    try:
        with _loop.Told(callbacks, "predict") as told:
            for item in _taken(stream, count, "prediction"):
                if item is None:
                    break
                outputs = model.predict_on_batch(item[0] if isinstance(item, tuple) else item)
                pieces.append(outputs if isinstance(outputs, list) else [outputs])
                told.of(1, len(pieces[-1][0]))
                step += 1
                if bar is not None:
                    bar.update(step)
    finally:
        stream.close()
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
