"""From what a user passes to `fit` to checked inputs, targets and weights; and where validation data come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kjax._core import config
from kjax._core.logs import Logs
from kjax._core.stream import Ways
from kjax.engine import _adapt, _check, _stream, _targets
from kjax.engine._plan import Plan

if TYPE_CHECKING:
    from kjax.engine.training import Model

Data = tuple[list[Any], list[Any], list[Any]]  # inputs, targets, weights


def inputs(model: Model, x: Any, finite: bool = False) -> list[Any]:
    """Checked arrays for the model's inputs; one that counts batches if none of them is fed."""
    names, shapes = model._feed_input_names, model._feed_input_shapes
    return _check.standardize(x, names, shapes, "input", finite) or ticks(1)


def ticks(count: int) -> list[np.ndarray]:
    """An array of rows that say nothing, where there are no inputs to be counted."""
    return [np.zeros((count, 1), np.uint8)]


def is_fed(model: Model, plan: Plan | None = None) -> bool:
    """Whether there is anything to feed: an input, or a target of a plan."""
    return bool(model._feed_inputs or not model.inputs or (plan is not None and plan.fed))


def check_steps(value: Any, name: str) -> int:
    """The number of batches to run where nothing is fed.

    Raises:
        ValueError: if there is none.
    """
    if value is None:
        raise ValueError(
            "If your data is in the form of symbolic tensors, nothing tells how many batches there are: you should "
            f"specify the `{name}` argument (instead of `batch_size`)."
        )
    return _check.steps(value, name)


def training(
    model: Model,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    finite: bool = True,
    batch_size: int | None = None,
) -> Data:
    """Checked arrays to train or test on: inputs, targets and weights.

    Arguments:
        batch_size: of how many samples a stateful network gets them; of all if None, not known yet if 0.

    Raises:
        ValueError: if they do not fit the model or each other.
    """
    plan = model._plan
    assert plan is not None
    outputs = plan.trained
    names = [output.name for output in plan.fed]
    given = inputs(model, x, finite)
    if names:
        if y is None:
            raise ValueError(
                f"No targets were given (`y` is None), but the model has a loss for: {', '.join(names)}. "
                "Pass `y` with one row a sample."
            )
        shapes = [output.target_shape for output in plan.fed]
        arrays = iter(_check.standardize(y, names, shapes, "target", finite))
        targets = [None if output.is_told else next(arrays) for output in outputs]
    else:
        if y is not None and outputs:
            _check.standardize(y, [], [], "target")
        targets = [None] * len(outputs)
    weights = _check.standardize_weights(sample_weight, class_weight, targets, outputs)
    if not model._feed_inputs and model.inputs:
        rows = [array.shape[0] for array in (*targets, *weights) if array is not None]
        given = ticks(rows[0]) if rows else given
    count = _check.check_lengths(given, targets, weights)
    for target, output in zip(targets, outputs, strict=True):
        _check.check_classes(target, output)
    if model.stateful and batch_size != 0:
        check_stateful(model, count, batch_size or count)
    return given, targets, weights


def check_stateful(model: Model, samples: int, batch_size: int) -> None:
    """Check that all batches are as long as the states of a stateful network.

    Raises:
        ValueError: if one is not.
    """
    lengths = {min(batch_size, samples), samples % batch_size or min(batch_size, samples)}
    fixed = {tensor.shape[0] for tensor in model.inputs} - {None}
    if len(lengths) > 1 or (fixed and lengths != fixed):
        wanted = f", the inputs' own batch size {', '.join(map(str, fixed))}" if fixed else ""
        raise ValueError(
            "In a stateful network, you should only pass inputs with a number of samples that can be divided by the "
            f"batch size, which is that of the inputs. Found: {samples} samples, batch size {batch_size}{wanted}."
        )


def take(data: Data, samples: int) -> Data:
    """The first `samples` of everything, repeated from the start if there are fewer."""
    have = data[0][0].shape[0]
    rows = np.arange(samples) % have
    return jax.tree.map(lambda a: a[rows], data) if samples > have else jax.tree.map(lambda a: a[:samples], data)


def first(data: Data, samples: int) -> Data:
    """The first `samples` of everything, or all if there are fewer."""
    return jax.tree.map(lambda a: a[:samples], data)


@dataclass
class Validation:
    """Where the data to validate on come from: given, split off, or a source of batches, fetched in certain ways."""

    data: Any
    split: float
    steps: int | None
    freq: Any
    ways: Ways = field(default_factory=Ways)
    held_out: list[Any] | None = None  # inputs, targets and weights in one list, once they are known
    arrays: Data | None = None  # the same as they are tested on
    validator: _stream.Validator | None = None  # of a source of batches, once it is in use

    def __post_init__(self) -> None:
        if self.steps is not None and _targets.holds_tensors(self.data):
            self.data = _targets.Evaluated(*self.data)
        if not isinstance(self.split, (int, float, np.number)):
            raise TypeError(f"`validation_split` must be a number. Found: {self.split!r}")
        if not 0.0 <= self.split < 1.0:
            raise ValueError(f"`validation_split` must be from 0 up to, but not including, 1. Found: {self.split}")
        if isinstance(self.freq, int) and self.freq < 1:
            raise ValueError(f"`validation_freq` must be at least 1. Found: {self.freq}")
        if isinstance(self.freq, (str, bytes)) or not (
            isinstance(self.freq, int) or hasattr(self.freq, "__contains__")
        ):
            raise TypeError(f"`validation_freq` must be a whole number or a list of them. Found: {self.freq!r}")

    @property
    def is_source(self) -> bool:
        return _adapt.is_source(self.data)

    def prepare(self, model: Model, data: Data, batch_size: int) -> tuple[Data, Callable[[Any], Logs] | None, int]:
        """The data to train on, the function that validates (or None), and the number of samples it uses."""
        if self.data is not None:
            validate, count = self.function(model, batch_size)
            return data, validate, count
        if not self.split:
            if self.steps is not None and not is_fed(model, model._plan):
                held_out = take(data, _check.steps(self.steps, "validation_steps"))
                return data, lambda callbacks: _validate(model, held_out, 1, callbacks), 0
            return data, None, 0
        samples = data[0][0].shape[0]
        cut = int(samples * (1.0 - self.split))
        if not 0 < cut < samples:
            raise ValueError(
                f"`validation_split={self.split}` of {samples} samples leaves {cut} to train on and {samples - cut} to "
                "validate on. Both need at least one."
            )
        held_out: Data = jax.tree.map(lambda a: a[cut:], data)
        kept: Data = jax.tree.map(lambda a: a[:cut], data)
        self._hold_out(held_out)
        return kept, lambda callbacks: _validate(model, held_out, batch_size, callbacks), samples - cut

    def function(self, model: Model, batch_size: int) -> tuple[Callable[[Any], Logs] | None, int]:
        """The function that validates on given data, and the number of samples."""
        if self.data is None:
            return None, 0
        if self.is_source:
            source = _adapt.batches(self.data, batch_size)
            self.validator = _stream.Validator(model, source, self.steps, self.ways)
            return self.validator, 0
        if not isinstance(self.data, (list, tuple)) or len(self.data) not in (2, 3):
            count = len(self.data) if hasattr(self.data, "__len__") else 1
            raise ValueError(
                "When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
                f"val_sample_weights) items, however it contains {count} items"
            )
        x, y, *weights = self.data
        size = batch_size if self.steps is None else 0
        held_out = training(model, x, y, weights[0] if weights else None, None, batch_size=size)
        if self.steps is not None:
            held_out = first(held_out, _check.steps(self.steps, "validation_steps") * batch_size)
        self._hold_out(held_out)
        return lambda callbacks: _validate(model, held_out, batch_size, callbacks), held_out[0][0].shape[0]

    def close(self) -> None:
        """Let go of a source of batches."""
        if self.validator is not None:
            self.validator.close()

    def _hold_out(self, data: Data) -> None:
        self.arrays = data
        inputs, targets, weights = data
        fed = [(target, weight) for target, weight in zip(targets, weights, strict=True) if target is not None]
        ones = [np.ones(t.shape[0], config.floatx()) if w is None else w for t, w in fed]
        self.held_out = [*inputs, *(target for target, _ in fed), *ones]


def _validate(model: Model, data: Data, batch_size: int, callbacks: Any) -> Logs:
    return model._validation_logs(data, batch_size, callbacks)
