"""Training, testing and predicting on one batch, and the metrics that gather over several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kjax._core.arguments import accepts_old_names
from kjax._core.logs import Logs
from kjax._core.values import given_out
from kjax.engine import _check, _data, _loop
from kjax.engine._spec import unpack

if TYPE_CHECKING:
    from kjax.engine.training import Model


class BatchMethods:
    """Methods of `Model` for single batches. A base of `Model` alone."""

    @accepts_old_names("Model.train_on_batch")
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch.

        Arguments:
            x, y, sample_weight, class_weight: as in `fit`.
            reset_metrics: whether metrics that have a state begin anew, or count this batch to those before.
            return_dict: whether to return a dictionary.

        Returns:
            The loss, or a list [loss, metrics...] named by `metrics_names`.
        """
        model = self._batch_model(x)
        batch = _data.training(model, x, y, sample_weight, class_weight)
        if reset_metrics:
            self.reset_metrics()
        logs = model._ready()[1].one_batch(batch)
        return self._reported([np.asarray(value)[()] for value in logs], return_dict)

    @accepts_old_names("Model.test_on_batch")
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """The loss, or [loss, metrics...], of one batch. Arguments: those of `train_on_batch`."""
        model = self._batch_model(x)
        batch = _data.training(model, x, y, sample_weight, None, finite=False)
        samples = batch[0][0].shape[0]
        if reset_metrics:
            self.reset_metrics()
        (logs, _, _), *_ = model._scanner("test").test(batch, samples, samples)
        return self._reported([np.asarray(value)[()] for value in logs[0]], return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        model = cast("Model", self)
        model._build_for(x)
        inputs = _data.inputs(model, x)
        samples = _check.check_lengths(inputs, ())
        told = _loop.Told(None, "predict")
        return given_out(unpack(_loop.predict_arrays(model._scanner("predict"), inputs, samples, samples, 0, told)))

    def _batch_model(self, x: Any) -> Model:
        model = cast("Model", self)
        model._require_compiled()
        model._build_for(x)
        model._require_plan()
        return model

    def _reported(self, values: Sequence[Any], as_dict: bool) -> Any:
        """What testing gave, as it is returned."""
        if not as_dict:
            return unpack(list(values))
        return Logs(zip(cast("Model", self).metrics_names, values, strict=True))

    def reset_metrics(self) -> None:
        """Let the metrics that have a state begin anew."""
        cast("Model", self)._require_plan().reset_metrics()

    def _measures(self) -> list[str]:
        """Names of the logs of which the last value of an epoch counts and not the average."""
        plan = cast("Model", self)._require_plan()
        return [name for name, last in zip(plan.log_names, plan.last_counts, strict=True) if last]
