"""What `compile` was told, resolved once: a loss, a weight and metrics for every output.

The plan is frozen. `score` is the pure function at its heart: from outputs and targets to the loss and the numbers
that are logged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from kjax import losses as losses_module
from kjax import metrics as metrics_module
from kjax._core import naming, notices, scope
from kjax._core.frozen import frozen
from kjax._core.graph import Tensor, Variable
from kjax.engine._added import Added
from kjax.engine._scores import NotApart, as_target, called, log_dtype, measure, scalar, told, weighted_mean

__all__ = ["MetricPlan", "NotApart", "OutputPlan", "Plan", "log_dtype", "make_plan", "weighted_mean"]

Function = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class MetricPlan:
    """A metric of one output.

    Attributes:
        name: its name in the logs.
        function: function of (y_true, y_pred); or a metric with a state.
        weighted: whether sample weights count.
        stateful: whether it has a state, so that each batch logs the measure of all since the epoch's begin.
    """

    name: str
    function: Any
    weighted: bool
    stateful: bool = False


@dataclass(frozen=True)
class OutputPlan:
    """What is done with one output of the model.

    Attributes:
        name: the output's name.
        loss: function of (y_true, y_pred); None for an output that is not trained on.
        loss_weight: its factor in the total: a number, or a variable or tensor.
        metrics: the metrics.
        temporal: whether sample weights are given for each time step.
        target_shape: shape that targets must have (None where free), or None for any.
        classes: number of classes, if targets are class numbers.
        target: the tensor or variable that targets are taken from, in the place of fed ones; or None.
    """

    name: str
    loss: Function | None
    loss_weight: Any
    metrics: tuple[MetricPlan, ...]
    temporal: bool
    target_shape: tuple[int | None, ...] | None
    classes: int | None
    target: Any = None

    @property
    def is_told(self) -> bool:
        """Whether its target is a tensor with a value of its own, and not fed."""
        return self.target is not None


@dataclass(frozen=True)
class Plan:
    """The outputs' plans, and the names of what is logged, in order."""

    outputs: tuple[OutputPlan, ...]
    log_names: tuple[str, ...]
    added: tuple[tuple[MetricPlan, Added], ...] = ()  # what layers measure
    kept: dict[Any, Any] = dataclasses.field(default_factory=dict[Any, Any], compare=False)  # variables of functions

    @property
    def trained(self) -> list[OutputPlan]:
        """The outputs that have a loss, and so a target."""
        return [output for output in self.outputs if output.loss is not None]

    @property
    def fed(self) -> list[OutputPlan]:
        """Those of them whose targets are fed."""
        return [output for output in self.trained if not output.is_told]

    @property
    def stateful_metrics(self) -> list[MetricPlan]:
        """The metrics that have a state."""
        of_outputs = [metric for output in self.outputs for metric in output.metrics if metric.stateful]
        return [*of_outputs, *(metric for metric, _ in self.added)]

    @property
    def writes(self) -> bool:
        """Whether losses or metrics write variables, as far as programs have been traced."""
        return bool(self.stateful_metrics or self.kept)

    @property
    def alone(self) -> Plan:
        """The same where all targets are fed, without what layers measure."""
        outputs = tuple(dataclasses.replace(output, target=None) for output in self.outputs)
        return Plan(outputs, self.log_names[: len(self.log_names) - len(self.added)])

    @property
    def last_counts(self) -> tuple[bool, ...]:
        """For each of `log_names`, whether the last value of an epoch counts and not the average."""
        stateful = {metric.name for metric in self.stateful_metrics}
        return tuple(name in stateful for name in self.log_names)

    def reset_metrics(self) -> None:
        """Let the metrics that have a state begin anew."""
        for metric in self.stateful_metrics:
            metric.function.reset_states()

    def score(
        self,
        predictions: Sequence[Any],
        masks: Sequence[Any],
        targets: Sequence[Any],
        weights: Sequence[Any],
        penalties: Sequence[Any],
        live: Any = None,
    ) -> tuple[Any, Any]:
        """The total loss and the vector of logged numbers (in the order of `log_names`) of one batch.

        Arguments:
            predictions, masks: outputs of the model, all of them.
            targets, weights: of the outputs with a loss. A weight may be None.
            penalties: scalars added to the total.
            live: how many samples count, from the first on; None for all.

        Raises:
            NotApart: if `live` is given, and a loss or metric does not score each sample for itself.
        """
        total: Any = jnp.zeros((), log_dtype())
        parts: list[Any] = []
        measured: list[Any] = []
        fed = iter(zip(targets, weights, strict=True))
        if (opened := scope.current()) is not None:
            opened.kept = self.kept
        for output, prediction, mask in zip(self.outputs, predictions, masks, strict=True):
            if output.loss is None:
                continue
            target, weight = next(fed)
            target = told(output.target) if output.is_told else target
            target = as_target(target, prediction)
            part = weighted_mean(called(output.loss, target, prediction), weight, mask, live)
            parts.append(part)
            factor = output.loss_weight
            total = total + scalar(part) * (scalar(factor) if isinstance(factor, (Tensor, Variable)) else factor)
            for metric in output.metrics:
                given = weight if metric.weighted else None
                if metric.stateful:
                    measured.append(measure(metric.function, target, prediction, given, mask))
                else:
                    measured.append(weighted_mean(called(metric.function, target, prediction), given, mask, live))
        measured += [added.measure() for _, added in self.added]
        for penalty in penalties:
            total = total + scalar(penalty)
        shown = parts if len(self.outputs) > 1 else []
        return total, jnp.stack([scalar(value) for value in (total, *shown, *measured)])


def make_plan(
    names: Sequence[str],
    shapes: Sequence[tuple[int | None, ...]],
    loss: Any,
    loss_weights: Any = None,
    metrics: Any = None,
    weighted_metrics: Any = None,
    sample_weight_mode: Any = None,
    has_penalties: bool = False,
    targets: Sequence[Any] = (),
    added: Sequence[Added] = (),
) -> Plan:
    """Resolve the arguments of `compile` for outputs of the given names and shapes.

    Arguments:
        targets: of each output, the tensor that is its target in the place of what is fed, or None.
        added: what layers measure.

    Raises:
        ValueError: for unknown names, lists of the wrong length, or no loss at all.
    """
    chosen_losses = _per_output(loss, names, "loss", warn_missing=True)
    kinds = [_kind_of(None if item is None else losses_module.get(item)) for item in chosen_losses]
    losses = [_loss_function(item) for item in chosen_losses]
    if not has_penalties and all(item is None for item in losses):
        raise ValueError(
            "The model cannot be compiled because it has no loss to optimize. Pass `loss` to `compile`, such as "
            "'mse' or 'categorical_crossentropy'."
        )
    factors = _per_output(loss_weights, names, "loss_weights", default=1.0, same_for_all=False)
    modes = _modes(sample_weight_mode, names)
    plain = _metrics_per_output(metrics, names, "metrics")
    weighted = _metrics_per_output(weighted_metrics, names, "weighted_metrics")
    used = [
        "loss",
        *(f"{name}_loss" for name, fn in zip(names, losses, strict=True) if fn and len(names) > 1),
    ]
    outputs: list[OutputPlan] = []
    for i, name in enumerate(names):
        prefix = f"{name}_" if len(names) > 1 else ""
        chosen = [
            *(_metric(m, kinds[i], shapes[i], prefix, False, used) for m in plain[i] if losses[i]),
            *(_metric(m, kinds[i], shapes[i], prefix, True, used) for m in weighted[i] if losses[i]),
        ]
        target_shape, classes = _target(kinds[i], shapes[i])
        temporal = _is_temporal(modes[i], name)
        factor = _loss_weight(factors[i], name)
        target = targets[i] if targets and losses[i] else None
        outputs.append(OutputPlan(name, losses[i], factor, tuple(chosen), temporal, target_shape, classes, target))
    beside = [(_added_metric(each, used), each) for each in added]
    return Plan(tuple(outputs), tuple(used), tuple(beside))


def _added_metric(added: Added, used: list[str]) -> MetricPlan:
    return MetricPlan(_unused(added.name, used), added.metric, weighted=False, stateful=True)


def _unused(base: str, used: list[str]) -> str:
    """A name that the logs do not have, and from now on have."""
    name, number = base, 1
    while name in used:
        name = f"{base}_{number}"
        number += 1
    used.append(name)
    return name


def _loss_weight(given: Any, name: str) -> Any:
    if isinstance(given, (Tensor, Variable)):
        return given  # a callback may change it
    try:
        return 1.0 if given is None else float(given)
    except (TypeError, ValueError):
        raise ValueError(f'`loss_weights` of output "{name}" must be a number. Found: {given!r}') from None


def _per_output(
    given: Any,
    names: Sequence[str],
    what: str,
    default: Any = None,
    same_for_all: bool = True,
    warn_missing: bool = False,
) -> list[Any]:
    """One entry for each output, from a single value, a list or a dictionary."""
    if given is None:
        return [default] * len(names)
    if isinstance(given, Mapping):
        for key in given:
            if key not in names:
                raise ValueError(
                    f'Unknown entry in {what} dictionary: "{key}". Only expected the following keys: {list(names)}'
                )
        missing = [name for name in names if name not in given]
        if missing and warn_missing:
            notices.warn(
                f'Output "{missing[0]}" missing from loss dictionary. We assume this was done on purpose, and we will '
                f'not be expecting any data to be passed to "{missing[0]}" during training.'
            )
        return [given.get(name, default) for name in names]
    if isinstance(given, list) or (same_for_all and isinstance(given, tuple)):
        if len(given) != len(names):
            raise ValueError(
                f"When passing a list as {what}, it should have one entry per model output. The model has {len(names)} "
                f"outputs, but you passed {what}={given!r}"
            )
        return list(given)
    if not same_for_all and (len(names) > 1 or isinstance(given, tuple)):
        raise TypeError(
            f"Could not interpret {what} argument: {given!r} - expected a list or dict of {len(names)} entries."
        )
    return [given] * len(names)


def _modes(given: Any, names: Sequence[str]) -> list[Any]:
    modes = _per_output(given, names, "sample_weight_mode")
    missing = [name for name in names if name not in given] if isinstance(given, Mapping) else []
    if missing:
        raise ValueError(f'Output "{missing[0]}" missing from sample_weight_modes dictionary.')
    return modes


def _metrics_per_output(given: Any, names: Sequence[str], what: str) -> list[list[Any]]:
    """A list of metrics for each output: a plain list counts for every one of them."""
    if given is None or (isinstance(given, (list, tuple, Mapping)) and not given):
        return [[] for _ in names]
    if isinstance(given, Mapping):
        return [_as_list(entry) for entry in _per_output(given, names, what, default=[])]
    if isinstance(given, (list, tuple)):
        if any(isinstance(entry, (list, tuple)) for entry in given):
            return [_as_list(entry) for entry in _per_output(given, names, what)]
        return [list(given) for _ in names]
    return [[given] for _ in names]


def _as_list(entry: Any) -> list[Any]:
    return list(entry) if isinstance(entry, (list, tuple)) else [] if entry is None else [entry]


def _loss_function(loss: Any) -> Function | None:
    """The function of a loss that gives one number a sample."""
    function = None if loss is None else frozen(losses_module.get(loss))
    if not isinstance(function, losses_module.Loss):
        return function
    if function.reduction == losses_module.Reduction.SUM:
        return _summed(function)
    return function.call


def _summed(loss: losses_module.Loss) -> Function:
    """A loss whose mean over the batch is the sum of what `loss` gives."""

    def call(target: Any, prediction: Any) -> Any:
        losses = loss.call(target, prediction)
        return losses * losses.size

    return call


def _kind_of(loss: Any) -> str:
    """What a loss computes, by the name of its function; an object of a loss class is known by that."""
    name = getattr(loss, "__name__", "")
    return naming.to_snake_case(type(loss).__name__) if isinstance(loss, losses_module.Loss) else name


def _metric(metric: Any, kind: str, shape: Any, prefix: str, weighted: bool, used: list[str]) -> MetricPlan:
    function, name = _metric_function(metric, kind, shape)
    stateful = isinstance(function, metrics_module.Metric) or _is_stateful_layer(function)
    told = "weighted_" if weighted and not isinstance(function, metrics_module.Metric) else ""
    return MetricPlan(_unused(prefix + told + name, used), function, weighted, stateful)


def _is_stateful_layer(metric: Any) -> bool:
    """Whether a metric is what Keras 2.2 called stateful: a layer with `stateful` and `reset_states`."""
    return bool(getattr(metric, "stateful", False)) and hasattr(metric, "reset_states")


def _metric_function(metric: Any, loss: str, shape: Sequence[int | None]) -> tuple[Function, str]:
    """The function behind a metric's name; 'accuracy' and 'crossentropy' mean the one that suits loss and output."""
    if metric in ("accuracy", "acc", "crossentropy", "ce"):
        kind = "binary" if not shape or shape[-1] == 1 else "categorical"
        if loss == "binary_crossentropy":
            kind = "binary"
        elif loss == "sparse_categorical_crossentropy":
            kind = "sparse_categorical"
        accuracy = metric in ("accuracy", "acc")
        return metrics_module.get(f"{kind}_{'accuracy' if accuracy else 'crossentropy'}"), "acc" if accuracy else "ce"
    function = frozen(metrics_module.get(metric))
    name = getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__
    return metrics_module.of_samples(function), name


def _target(kind: str, shape: tuple[int | None, ...]) -> tuple[tuple[int | None, ...] | None, int | None]:
    """The shape that a target must have, and the number of classes if it holds class numbers."""
    if kind == "sparse_categorical_crossentropy":
        return (*shape[:-1], 1), shape[-1]
    known = getattr(losses_module, kind, None) if kind.isidentifier() else None
    return (shape if known is not None else None), None


def _is_temporal(mode: Any, name: str) -> bool:
    if mode not in (None, "temporal"):
        raise ValueError(f'`sample_weight_mode` of output "{name}" must be None or "temporal". Found: {mode!r}')
    return mode == "temporal"
