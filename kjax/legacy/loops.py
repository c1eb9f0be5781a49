"""`keras.engine.training_arrays` and `training_generator` of Keras 2: loops over a function that takes a batch.

Such a function is given a list of arrays and returns a list of numbers or arrays, as `model.train_function` or one of
`K.function` does. `fit` and its like do not use these loops; programs that train by a function of their own do.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kjax import callbacks as cbks
from kjax.engine import Model, training_generator, training_utils
from kjax.engine.training_utils import batch_shuffle, check_num_samples, make_batches
from kjax.utils.generic_utils import Progbar, slice_arrays

Step = Callable[[list[Any]], Any]


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _rows(ins: Sequence[Any], order: Any) -> list[Any]:
    """The rows of a batch; the learning phase that may stand at the end has none."""
    if isinstance(ins[-1], (int, float)):
        return [*slice_arrays(list(ins[:-1]), order), ins[-1]]
    return slice_arrays(list(ins), order)


def _batches(ins: Any, order: Any, batch_size: int | None, steps: int | None) -> Iterator[tuple[Any, int]]:
    """The arrays of each batch, and how many samples they have: 1 where there are only steps to count."""
    if steps is not None:
        yield from ((ins, 1) for _ in range(steps))
        return
    for start, stop in make_batches(len(order), batch_size or 32):
        yield _rows(ins, order[start:stop]), stop - start


@dataclass
class _Training:
    """The epochs of `fit_loop`."""

    model: Any
    f: Step
    ins: Any
    names: Sequence[str]
    batch_size: int | None
    steps: int | None
    told: Any

    def epoch(self, epoch: int, order: Any, validate: Callable[[], dict[str, Any]]) -> None:
        """One epoch, and the validation behind it unless a callback has stopped the training."""
        self.told.on_epoch_begin(epoch)
        for number, (rows, size) in enumerate(_batches(self.ins, order, self.batch_size, self.steps)):
            logs = {"batch": number, "size": size}
            self.told.on_batch_begin(number, logs)
            logs.update(zip(self.names, _listed(self.f(rows)), strict=False))
            self.told.on_batch_end(number, logs)
            if self.model.stop_training:
                break
        self.told.on_epoch_end(epoch, {} if self.model.stop_training else validate())


def fit_loop(
    model: Any,
    f: Step,
    ins: Any,
    out_labels: Sequence[str] | None = None,
    batch_size: int | None = None,
    epochs: int = 100,
    verbose: int = 1,
    callbacks: Sequence[Any] | None = None,
    val_f: Step | None = None,
    val_ins: Any = None,
    shuffle: Any = True,
    callback_metrics: Sequence[str] | None = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
) -> Any:
    """Call `f` on every batch of `ins`, epoch after epoch. Returns the history, which the model keeps as well.

    Arguments:
        model: what the callbacks are told of, and whose `stop_training` they may set.
        f: takes a batch, returns the numbers that are logged as `out_labels`.
        ins: arrays of as many samples each.
        batch_size: samples in a batch; 32 if None.
        verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
        val_f, val_ins: the same for the validation behind each epoch.
        shuffle: whether samples, or with `'batch'` batches, come in another order each epoch.
        callback_metrics: the names that the progress bar shows, those of the validation included.
        steps_per_epoch, validation_steps: calls of `f`, each on all of `ins`; no batches are made then.
    """
    count = check_num_samples(ins, batch_size, steps_per_epoch, "steps_per_epoch")
    names, metrics = list(out_labels or ()), list(callback_metrics or ())
    told = _told(model, callbacks, verbose, steps_per_epoch)
    told.set_params(
        {"batch_size": batch_size, "epochs": epochs, "steps": steps_per_epoch, "samples": count, "verbose": verbose,
         "do_validation": val_f is not None, "metrics": metrics}
    )  # fmt: skip

    def validate() -> dict[str, Any]:
        if val_f is None or not (val_ins or validation_steps):
            return {}
        found = _listed(evaluate_loop(model, val_f, val_ins, batch_size, steps=validation_steps))
        return {f"val_{name}": value for name, value in zip(names, found, strict=False)}

    training = _Training(model, f, ins, names, batch_size, steps_per_epoch, told)
    model.stop_training = False
    told.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        training.epoch(epoch, _order(count, shuffle, batch_size or 32), validate)
        if model.stop_training:
            break
    told.on_train_end()
    return model.history


def _told(model: Any, callbacks: Sequence[Any] | None, verbose: int, steps: int | None) -> Any:
    model.history = cbks.History()
    shown = [cbks.ProgbarLogger("samples" if steps is None else "steps")] if verbose else []
    told = cbks.CallbackList([cbks.BaseLogger(), *shown, *(callbacks or ()), model.history])
    told.set_model(model)
    return told


def _order(count: int | None, shuffle: Any, batch_size: int) -> Any:
    order = np.arange(count or 0)
    if shuffle == "batch":
        return batch_shuffle(order, batch_size)
    if shuffle:
        np.random.shuffle(order)
    return order


def _bar(verbose: int, steps: int | None, count: int | None) -> Any:
    return Progbar(target=steps if steps is not None else count) if verbose == 1 else None


def predict_loop(
    model: Any, f: Step, ins: Any, batch_size: int = 32, verbose: int = 0, steps: int | None = None
) -> Any:
    """What `f` returns for all batches of `ins`, joined: an array, or a list of them if there are several."""
    count = check_num_samples(ins, None if steps is not None else batch_size, steps)
    bar, done = _bar(verbose, steps, count), 0
    parts: list[list[Any]] = []
    for rows, size in _batches(ins, np.arange(count or 0), batch_size, steps):
        parts.append(_listed(f(rows)))
        done += size
        if bar is not None:
            bar.update(done)
    joined = [np.concatenate([np.asarray(x) for x in column]) for column in zip(*parts, strict=True)]
    return joined[0] if len(joined) == 1 else joined


def evaluate_loop(
    model: Any, f: Step, ins: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None
) -> Any:
    """The mean of what `f` returns for the batches of `ins`, by their sizes; a list if there are several numbers."""
    count = check_num_samples(ins, None if steps is not None else batch_size, steps)
    bar, done = _bar(verbose, steps, count), 0
    sums: list[float] = []
    for rows, size in _batches(ins, np.arange(count or 0), batch_size, steps):
        found = _listed(f(rows))
        sums = [total + float(value) * size for total, value in zip(sums or [0.0] * len(found), found, strict=True)]
        done += size
        if bar is not None:
            bar.update(done)
    means = [total / done for total in sums]
    return means[0] if len(means) == 1 else means


def _of_model(method: Any) -> Any:
    """A method of `Model` as a function whose first argument is called `model`."""

    @functools.wraps(method)
    def call(model: Any, *args: Any, **kwargs: Any) -> Any:
        return method(model, *args, **kwargs)

    signature = inspect.signature(method)
    own, *others = signature.parameters.values()
    call.__signature__ = signature.replace(parameters=[own.replace(name="model"), *others])  # type: ignore[attr-defined]
    return call


_GENERATORS = (Model.fit_generator, Model.evaluate_generator, Model.predict_generator)
LOOPS = {
    training_utils: {"fit_loop": fit_loop, "predict_loop": predict_loop, "test_loop": evaluate_loop},
    training_generator: {method.__name__: _of_model(method) for method in _GENERATORS},
}


def install_loops() -> None:
    """Put the loops where Keras had them."""
    for module, functions in LOOPS.items():
        for name, function in functions.items():
            setattr(module, name, function)
