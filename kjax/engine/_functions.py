"""The symbolic loss and metrics of a compiled model, and its training step as a function of a list of arrays.

Training itself has no need of them. Programs that look inside of Keras's models do: they differentiate `total_loss`, or
call `train_function`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kjax import backend as K
from kjax._core import graph
from kjax._core.graph import Tensor
from kjax.engine import _data
from kjax.engine._added import Appended
from kjax.engine._plan import OutputPlan, Plan

if TYPE_CHECKING:
    from kjax.engine.training import Model


class _Score:
    """The operation from outputs, targets, weights and penalties to the loss and what is logged."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan.alone

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        outputs, targets, weights, penalties = args
        total, logs = self.plan.score(outputs, masks[0], targets, weights, penalties)
        return [total, *(logs[i] for i in range(1, len(self.plan.log_names)))], []


class Functions:
    """What a compiled model shows of its inside. A base of `Model` alone."""

    def _symbols(self) -> dict[str, Any]:
        """Targets, weights, loss and metrics as symbolic tensors, made once for each `compile`."""
        model = cast("Model", self)
        plan = model._require_plan()
        if "symbols" not in model._programs:
            model._programs["symbols"] = _make_symbols(model, plan)
        return model._programs["symbols"]

    @property
    def targets(self) -> list[Tensor]:
        """Placeholders of the targets."""
        return self._symbols()["targets"]

    @property
    def sample_weights(self) -> list[Tensor]:
        """Placeholders of the sample weights."""
        return self._symbols()["weights"]

    @property
    def total_loss(self) -> Tensor:
        """The loss, penalties included, as a function of the inputs, targets and sample weights."""
        return self._symbols()["total"]

    @property
    def metrics_tensors(self) -> list[Tensor]:
        """What is logged beside the loss."""
        return Appended(self._symbols()["metrics"], cast("Model", self)._tell)

    @property
    def metrics_updates(self) -> list[Any]:
        """Operations that a program lets run with each training step, until the model is compiled again.

        kjax adds none: a metric that has a state writes it when it is computed.
        """
        return vars(self).setdefault("_metrics_updates", [])

    @property
    def loss_functions(self) -> list[Any]:
        """The loss of each output, or None."""
        return [output.loss for output in cast("Model", self)._require_plan().outputs]

    @property
    def loss_weights_list(self) -> list[Any]:
        return [output.loss_weight for output in cast("Model", self)._require_plan().outputs]

    @property
    def _trained_outputs(self) -> list[tuple[OutputPlan, Tensor]]:
        model = cast("Model", self)
        pairs = zip(model._require_plan().outputs, model.outputs, strict=True)
        return [(output, tensor) for output, tensor in pairs if output.loss is not None]

    @property
    def _feed_outputs(self) -> list[Tensor]:
        return [tensor for _, tensor in self._trained_outputs]

    @property
    def _feed_output_names(self) -> list[str]:
        return [output.name for output, _ in self._trained_outputs]

    @property
    def _feed_output_shapes(self) -> list[Any]:
        return [output.target_shape for output, _ in self._trained_outputs]

    @property
    def _feed_loss_fns(self) -> list[Any]:
        return [output.loss for output, _ in self._trained_outputs]

    @property
    def _feed_targets(self) -> list[Tensor]:
        pairs = zip(self.targets, self._trained_outputs, strict=True)
        return [target for target, (output, _) in pairs if not output.is_told]

    @property
    def _feed_sample_weights(self) -> list[Tensor]:
        return self.sample_weights

    @property
    def _feed_sample_weight_modes(self) -> list[Any]:
        return ["temporal" if output.temporal else None for output, _ in self._trained_outputs]

    @property
    def _collected_trainable_weights(self) -> list[Any]:
        model = cast("Model", self)
        model._require_plan()
        return list(model._collected or ())

    def _check_trainable_weights_consistency(self) -> None:
        cast("Model", self)._check_trainable()

    @property
    def _compile_metrics(self) -> Any:
        return cast("Model", self)._compile_args[2] or []

    @property
    def _compile_weighted_metrics(self) -> Any:
        return cast("Model", self)._compile_args[3]

    def _standardize_user_data(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        check_array_lengths: bool = True,
        batch_size: int | None = None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Inputs, targets and weights as lists of checked arrays; only the inputs if there are no targets."""
        model = cast("Model", self)
        model._build_for(x)
        if y is None and (model.optimizer is None or model._require_plan().fed):
            return _data.inputs(model, x), [], []
        model._require_plan()
        inputs, targets, weights = _data.training(model, x, y, sample_weight, class_weight, finite=False)
        pairs = [(t, w) for t, w in zip(targets, weights, strict=True) if t is not None]
        ones = [np.ones(t.shape[0], K.floatx()) if w is None else w for t, w in pairs]
        return inputs if model._feed_inputs else [], [t for t, _ in pairs], ones

    # -- steps as functions ------------------------------------------------------------------------------------------

    # Training follows `train_function` if a program has put one of its own there.
    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None
    _function_kwargs: Mapping[str, Any] = MappingProxyType({})

    def _uses_dynamic_learning_phase(self) -> bool:
        return bool(cast("Model", self).uses_learning_phase) and not isinstance(K.learning_phase(), int)

    def _given_step(self) -> Any:
        """The step that a program has put in the place of Keras's, or added operations to; or None."""
        given = None if isinstance(self.train_function, _OwnStep) else self.train_function
        added = vars(self).get("_metrics_updates")
        return given if given is not None or not added else _OwnStep(cast("Model", self), added)

    def _forget_functions(self) -> None:
        self.train_function = self.test_function = self.predict_function = None
        vars(self).pop("_metrics_updates", None)

    def _make_train_function(self) -> None:
        if self.train_function is None:
            self.train_function = _OwnStep(cast("Model", self))

    def _make_test_function(self) -> None:
        self.test_function = lambda arrays: _logs(cast("Model", self), arrays, cast("Model", self).test_on_batch)

    def _make_predict_function(self) -> None:
        def predict(arrays: Sequence[Any]) -> list[Any]:
            model = cast("Model", self)
            made = model.predict_on_batch(list(arrays)[: len(model.inputs)])
            return made if isinstance(made, list) else [made]

        self.predict_function = predict


def _make_symbols(model: Model, plan: Plan) -> dict[str, Any]:
    targets: list[Tensor] = []
    weights: list[Tensor] = []
    given = model._targets_told or [None] * len(model.outputs)
    told = dict(zip([output.name for output in plan.outputs], given, strict=True))
    for output, tensor in model._trained_outputs:
        shape = output.target_shape or (None,) * len(tensor.shape)
        target = told[output.name]
        targets.append(K.placeholder(shape, name=f"{output.name}_target") if target is None else target)
        weights.append(K.placeholder((None, None) if output.temporal else (None,), name=f"{output.name}_weights"))
    args = (list(model.outputs), targets, weights, list(model.losses))
    total, *metrics = graph.make_node(_Score(plan), args, {}, f"{model.name}/loss").outputs
    return {"targets": targets, "weights": weights, "total": total, "metrics": metrics}


class _OwnStep:
    """`train_function` as Keras made it: from the arrays of a batch to the loss and the metrics.

    Arguments:
        updates: operations that run after the step.
    """

    def __init__(self, model: Model, updates: Sequence[Any] = ()) -> None:
        self.model, self.updates = model, updates

    def __call__(self, arrays: Sequence[Any]) -> list[Any]:
        logs = _logs(self.model, arrays, self._step)
        K.batch_get_value(list(self.updates))
        return logs

    def _step(self, x: Any, y: Any, sample_weight: Any) -> list[Any]:
        batch = _data.training(self.model, x, y, sample_weight, None)
        self.model.reset_metrics()
        return list(self.model._own_trainer().one_batch(batch))


def _logs(model: Model, arrays: Sequence[Any], step: Callable[..., Any]) -> list[Any]:
    """The loss and metrics of a batch: a list of the inputs, the targets, the weights, and perhaps the phase."""
    inputs, trained = len(model.inputs), len(model._trained_outputs)
    parts = list(arrays)
    x, y, w = parts[:inputs], parts[inputs : inputs + trained], parts[inputs + trained : inputs + 2 * trained]
    made = step(x, y, sample_weight=w or None)
    return made if isinstance(made, list) else [np.asarray(made)]
