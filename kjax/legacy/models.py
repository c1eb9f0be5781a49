"""Methods of Keras 1 models: old argument names, and generators that were told samples instead of batches."""

from __future__ import annotations

import functools
import itertools
import numbers
import pprint
from typing import Any

from kjax._core import arguments, notices
from kjax.legacy._convert import Args, Kwargs, Order, Table

_WORKERS = {
    "max_q_size": "max_queue_size",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
}

_FIT_GENERATOR = {
    "samples_per_epoch": "steps_per_epoch",
    "nb_val_samples": "validation_steps",
    "nb_epoch": "epochs",
    **_WORKERS,
}

_USE_GENERATOR = {"val_samples": "steps", **_WORKERS}

_FIT_ORDER = (
    "generator", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps",
    "class_weight", "max_queue_size", "workers", "use_multiprocessing", "shuffle", "initial_epoch",
)  # fmt: skip

_USE_ORDER = ("generator", "steps", "max_queue_size", "workers", "use_multiprocessing")


def _batch_of(source: Any) -> tuple[Any, int]:
    """A source that yields what this one would have yielded, and the number of samples in its batches."""
    size = getattr(source, "batch_size", None)
    if isinstance(size, int) and size > 0:
        return source, size
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return source, _samples_in(source[0])
    batches = iter(source)
    first = next(batches, None)
    if first is None:
        return batches, 1
    return itertools.chain([first], batches), _samples_in(first)


def _samples_in(batch: Any) -> int:
    while isinstance(batch, (tuple, list, dict)):
        batch = next(iter(batch.values())) if isinstance(batch, dict) else batch[0]
    return len(batch)


def _count_batches(kwargs: Kwargs, samples_name: str, source_name: str, steps_name: str) -> None:
    """Put a number of batches in the place of a number of samples. A last, smaller batch counts."""
    samples = kwargs.pop(samples_name)
    if samples is None:
        return
    source, size = _batch_of(kwargs[source_name])
    kwargs[source_name] = source
    kwargs[steps_name] = -(-int(samples) // size)


def _fit_by_samples(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """Numbers of samples become numbers of batches: by Keras 1's names, or where all names are Keras 1's."""
    if kwargs.keys().isdisjoint(_FIT_GENERATOR) or len(args) > len(_FIT_ORDER):
        return None
    is_old = kwargs.keys().isdisjoint(_FIT_GENERATOR.values())
    kwargs = {**dict(zip(_FIT_ORDER, args, strict=False)), **kwargs}
    if is_old and len(args) > 1:
        _by_name(kwargs, "steps_per_epoch", "samples_per_epoch")
    if is_old and len(args) > 6:
        _by_name(kwargs, "validation_steps", "nb_val_samples")
    if "samples_per_epoch" in kwargs and "steps_per_epoch" not in kwargs:
        _count_batches(kwargs, "samples_per_epoch", "generator", "steps_per_epoch")
    if "nb_val_samples" in kwargs and "validation_steps" not in kwargs:
        data = kwargs.get("validation_data")
        if data is None or isinstance(data, (tuple, list)):
            kwargs.pop("nb_val_samples")
        else:
            _count_batches(kwargs, "nb_val_samples", "validation_data", "validation_steps")
    return (), kwargs


def _by_name(kwargs: Kwargs, name: str, old_name: str) -> None:
    """Let what came by its place count samples. If they came by name as well, both stay, to be refused."""
    if old_name not in kwargs:
        kwargs[old_name] = kwargs.pop(name)


def _use_by_samples(args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs] | None:
    """As for `fit_generator`, in `evaluate_generator` and `predict_generator`."""
    if kwargs.keys().isdisjoint(_USE_GENERATOR) or len(args) > len(_USE_ORDER):
        return None
    is_old = kwargs.keys().isdisjoint(_USE_GENERATOR.values())
    kwargs = {**dict(zip(_USE_ORDER, args, strict=False)), **kwargs}
    if is_old and len(args) > 1:
        _by_name(kwargs, "steps", "val_samples")
    if "val_samples" in kwargs and "steps" not in kwargs:
        _count_batches(kwargs, "val_samples", "generator", "steps")
    return (), kwargs


def _place_is(types: tuple[type, ...], place: int, args: Args) -> bool:
    return isinstance(args[place], types) and not isinstance(args[place], bool)


def _is_callbacks(args: Args) -> bool:
    return not isinstance(args[2], numbers.Real)


# Keras 2.3 put an argument in front of these. It was a current spelling too, so there is nothing to tell.
_FREQUENCY_IS_EIGHTH = Order(
    (*_FIT_ORDER[:7], "validation_freq", *_FIT_ORDER[7:]), functools.partial(_place_is, (int, list), 7), 8, warn=False
)
_CALLBACKS_ARE_THIRD = Order((*_USE_ORDER[:2], "callbacks", *_USE_ORDER[2:], "verbose"), _is_callbacks, 3, warn=False)

_GONE = "The `{}` argument of `compile` no longer exists: {}"

TABLES = {
    "Model": Table(names={"input": "inputs", "output": "outputs"}),
    "Model.fit": Table(
        names={"nb_epoch": "epochs", "X": "x"},
        renamed="The `{old}` argument in `fit` has been renamed `{new}`.",
    ),
    "Model.evaluate": Table(names={"X": "x"}),
    "Model.train_on_batch": Table(names={"X": "x"}),
    "Model.test_on_batch": Table(names={"X": "x"}),
    "Model.compile": Table(
        removed={
            "class_mode": _GONE.format("class_mode", "the loss and the output tell which accuracy is meant."),
            "theano_mode": _GONE.format("theano_mode", "there is no Theano."),
        },
        orders=(
            Order(
                ("optimizer", "loss", "metrics", "sample_weight_mode"),
                functools.partial(_place_is, (str,), 3),
                least=4,
            ),
        ),
    ),
    "Model.fit_generator": Table(names=_FIT_GENERATOR, orders=(_FREQUENCY_IS_EIGHTH,), rewrite=_fit_by_samples),
    "Model.evaluate_generator": Table(names=_USE_GENERATOR, orders=(_CALLBACKS_ARE_THIRD,), rewrite=_use_by_samples),
    "Model.predict_generator": Table(names=_USE_GENERATOR, orders=(_CALLBACKS_ARE_THIRD,), rewrite=_use_by_samples),
}


# -- accuracy, which Keras 0 was asked for at each call --------------------------------------------------------------

_TOLD = "`show_accuracy` is gone. Pass `metrics=['accuracy']` to `compile` instead."
_FIT_DEFAULTS = {"batch_size": 128, "nb_epoch": 100}


def _shows_accuracy(model: Any) -> bool:
    """Whether accuracy is measured because a call asked for it, and not `compile`."""
    return getattr(model, "_asked_for", None) is getattr(model, "_compile_args", None) is not None


def _show_accuracy(model: Any) -> None:
    """Let a compiled model measure its accuracy."""
    notices.warn(_TOLD)
    metrics = model.metrics
    if _shows_accuracy(model) or "accuracy" in metrics or "acc" in metrics:
        return
    loss, loss_weights, _, weighted_metrics, mode = model._compile_args
    model.metrics = [*metrics, "accuracy"]
    model._asked_for = model._compile_args = (loss, loss_weights, model.metrics, weighted_metrics, mode)
    model._plan = None
    model._forget_programs()


def _fit_of_keras_0(fit: Any, model: Any, args: Args, kwargs: Kwargs) -> Any:
    """`fit(..., show_accuracy=True)`, with the batch size and the number of epochs that were the default then."""
    if "show_accuracy" not in kwargs:
        return fit(model, *args, **kwargs)
    kwargs = dict(kwargs)
    if kwargs.pop("show_accuracy"):
        _show_accuracy(model)
    missing = {name: value for name, value in _FIT_DEFAULTS.items() if name not in kwargs and "epochs" not in kwargs}
    return fit(model, *args, **{**dict(list(missing.items())[max(0, len(args) - 2) :]), **kwargs})


def _measure_of_keras_0(method: Any, model: Any, args: Args, kwargs: Kwargs) -> Any:
    """The loss alone from a model that showed its accuracy, unless this call asks for it as well."""
    kwargs = dict(kwargs)
    wanted = [kwargs.pop(name) for name in ("show_accuracy", "accuracy") if name in kwargs]
    if any(wanted):
        _show_accuracy(model)
    result = method(model, *args, **kwargs)
    return result if any(wanted) or not _shows_accuracy(model) else result[0]


def _config_of_keras_0(method: Any, model: Any, args: Args, kwargs: Kwargs) -> Any:
    """`get_config(verbose=1)`, which printed the config as well."""
    kwargs = dict(kwargs)
    verbose = kwargs.pop("verbose", 0)
    config = method(model, *args, **kwargs)
    if verbose:
        pprint.pprint(config)
    return config


AROUND = {
    "Model.fit": _fit_of_keras_0,
    "Model.evaluate": _measure_of_keras_0,
    "Model.train_on_batch": _measure_of_keras_0,
    "Model.test_on_batch": _measure_of_keras_0,
}


def install_methods() -> None:
    """Let methods of models do what an argument of Keras 0 asked for."""
    for owner, around in AROUND.items():
        arguments.install_around(owner, around, ("show_accuracy", "accuracy"))
    arguments.install_around("Model.get_config", _config_of_keras_0, ("verbose",))
