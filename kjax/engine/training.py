"""`Model`: a network that is compiled, trained, tested and asked for predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kjax import optimizers
from kjax._core import notices, scope
from kjax._core.arguments import accepts_old_names
from kjax._core.graph import Tensor, Variable
from kjax._core.logs import Logs
from kjax._core.stream import Ways
from kjax._core.values import given_out
from kjax.engine import _adapt, _check, _data, _epochs, _loop, _stream, _targets
from kjax.engine._added import Appended
from kjax.engine._feed import ArrayFeed, Held
from kjax.engine._functions import Functions
from kjax.engine._given import GivenTrainer
from kjax.engine._plan import Plan, make_plan
from kjax.engine._pure import PureModel, pure
from kjax.engine._runs import Trainer, make_trainer
from kjax.engine._scanner import Scanner
from kjax.engine.base_layer import unpack
from kjax.engine.input_layer import Input
from kjax.engine.network import Network
from kjax.engine.training_batches import BatchMethods
from kjax.engine.training_generator import GeneratorMethods


class Model(BatchMethods, GeneratorMethods, Functions, Network):
    """A model: a graph of layers between `inputs` and `outputs`, or a subclass with a `call` of its own.

    Arguments:
        inputs: tensor or list of tensors made by `Input`.
        outputs: tensor or list of tensors.
        name: the model's name.

    Attributes:
        optimizer, loss, metrics, loss_weights, weighted_metrics, sample_weight_mode: what `compile` was given.
        history: the `History` of the last `fit`.
        stop_training: set to True by a callback to end `fit`.
    """

    @accepts_old_names("Model")
    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: Any = None
        self.stop_training = False
        self._plan: Plan | None = None
        self._collected: list[Variable] | None = None
        self._programs: dict[str, Any] = {}
        super().__init__(inputs, outputs, name, **kwargs)

    # -- compile -----------------------------------------------------------------------------------------------------

    @accepts_old_names("Model.compile")
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        **kwargs: Any,
    ) -> None:
        """Say how to train.

        Arguments:
            optimizer: a name, an `Optimizer`, or an optax transformation.
            loss: a name or function (y_true, y_pred) -> loss of each sample; a list or dictionary of them for several
                outputs.
            metrics: names or functions, a list for all outputs, a list of lists, or a dictionary by output.
            loss_weights: factors of the outputs' losses, a list or dictionary. A callback may change one that is a
                `K.variable`.
            sample_weight_mode: `'temporal'` for weights of time steps; None for weights of samples.
            weighted_metrics: metrics in which sample weights count.
            target_tensors: tensors that are the targets, in the place of what `fit` is given: one, a list, or a
                dictionary by output. A placeholder among them is fed.
            **kwargs: `run_eagerly` and the like of later versions are accepted and change nothing.

        Raises:
            ValueError: for unknown names, or if there is nothing to optimize.
            TypeError: for an argument that is not understood.
        """
        unknown = sorted(set(kwargs) - {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"})
        if unknown:
            raise TypeError(f"Invalid keyword argument passed to `compile`: {unknown[0]!r}.")
        self.optimizer = optimizers.get(optimizer)
        self.loss = {} if loss is None else loss
        self.metrics = metrics or []
        self.loss_weights = loss_weights
        self.sample_weight_mode = sample_weight_mode
        self.weighted_metrics = weighted_metrics
        self._compile_args = (loss, loss_weights, metrics, weighted_metrics, sample_weight_mode)
        self._target_tensors = target_tensors
        self._plan, self._collected, self._programs = None, None, {}
        self._forget_functions()
        if self.outputs:
            self._make_plan()

    def _make_plan(self) -> Plan:
        loss, loss_weights, metrics, weighted_metrics, mode = self._compile_args
        shapes = [tuple(output.shape) for output in self.outputs]
        self._targets_told = _targets.per_output(self._target_tensors, self.output_names)
        self._plan = make_plan(
            self.output_names, shapes, loss, loss_weights, metrics, weighted_metrics, mode, self._has_penalties(),
            [_targets.told(target) for target in self._targets_told],
            [added for layer in self._flatten() for added in layer._measured()],
        )  # fmt: skip
        self._collected = list(self.trainable_weights)
        return self._plan

    def add_metric(self, value: Any, name: Any = None, aggregation: Any = None) -> None:
        super().add_metric(value, name, aggregation)
        if self._plan is not None and scope.current() is None:
            self._plan, self._programs = None, {}

    def _has_penalties(self) -> bool:
        return any(layer._regularized or layer._losses or layer.penalizes for layer in self._flatten())

    def _forget_programs(self) -> None:
        self._programs = {}

    @property
    def metrics_names(self) -> list[str]:
        """Names of what `evaluate` returns, the loss first.

        Raises:
            RuntimeError: if the model has not been compiled.
        """
        return Appended(self._require_plan().log_names, self._tell)

    def _require_compiled(self) -> None:
        if self.optimizer is None:
            raise RuntimeError("You must compile a model before training/testing: `model.compile(optimizer, loss)`.")

    def _require_plan(self) -> Plan:
        self._require_compiled()
        if self._plan is None and not self.outputs:
            raise RuntimeError("The model has not been built yet, so its outputs are not known. Call `build` or `fit`.")
        return self._plan or self._make_plan()

    # -- programs ----------------------------------------------------------------------------------------------------

    def _ready(self) -> tuple[Plan, Trainer | GivenTrainer]:
        """The plan and the training steps: the compiled ones, or those that a program has given."""
        plan = self._require_plan()
        self._check_trainable()
        given = self._given_step()
        return plan, self._own_trainer() if given is None else GivenTrainer(self, given)

    def _own_trainer(self) -> Trainer:
        """The compiled training steps."""
        if "train" not in self._programs:
            self._programs["train"] = make_trainer(self, self._require_plan(), self._collected or [])
        return self._programs["train"]

    def _scanner(self, kind: str) -> Scanner:
        """The compiled steps that test (`'test'`) or predict (`'predict'`)."""
        if kind not in self._programs:
            self._programs[kind] = Scanner(self, self._plan if kind == "test" else None)
        return self._programs[kind]

    def _check_trainable(self) -> None:
        """Warn if `trainable` was changed after `compile`: training does not follow it."""
        if self._collected is not None and len(self._collected) != len(self.trainable_weights):
            notices.warn(
                "Discrepancy between trainable weights and collected trainable weights, did you set "
                "`model.trainable` without calling `model.compile` after ?"
            )

    def _callback_model(self) -> Any:
        return getattr(self, "callback_model", None) or self

    def _build_for(self, x: Any) -> None:
        """Build a model that did not know the shape of its input from the data."""
        if self.outputs:
            return
        if not self._children() and type(self).call is Network.call:
            raise ValueError("The model has no layers. Add some with `model.add(...)` before you feed it.")
        items = list(x.values()) if isinstance(x, dict) else x if _check.is_list_of_arrays(x, 0) else [x]
        arrays = [_check.as_array(item, "input") for item in items]
        shapes = [(None, *(array.shape[1:] or (1,))) for array in arrays]
        if type(self).call is Network.call:
            self.build(shapes[0] if len(shapes) == 1 else shapes)
            return
        types = ["int32" if array.dtype.kind in "iu" and array.dtype.itemsize > 1 else None for array in arrays]
        inputs: list[Tensor] = [Input(batch_shape=s, dtype=t) for s, t in zip(shapes, types, strict=True)]
        self._build_from(inputs)

    # -- training ----------------------------------------------------------------------------------------------------

    @accepts_old_names("Model.fit")
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        validation_batch_size: int | None = None,
    ) -> Any:
        """Train for a number of epochs.

        Arguments:
            x: array, list or dictionary of arrays, DataFrame; or a generator, `Sequence` or iterable of batches
                (inputs, targets) or (inputs, targets, sample_weights).
            y: targets, likewise; None if `x` yields batches.
            batch_size: samples in a batch; 32 by default.
            epochs: number of the epoch at which to stop.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            callbacks: list of `Callback`.
            validation_split: share of the samples, from the end and before shuffling, to validate on.
            validation_data: (x, y) or (x, y, sample_weights), or a source of batches.
            shuffle: a new order each epoch; `'batch'` shuffles batches; False keeps the order.
            class_weight: weight by class number.
            sample_weight: one weight a sample, or (samples, time) with `sample_weight_mode='temporal'`.
            initial_epoch: number of the epoch at which to start.
            steps_per_epoch: batches in an epoch.
            validation_steps: batches to validate on.
            validation_freq: validate every so many epochs, or after the epochs of a list (from 1 on).
            max_queue_size, workers, use_multiprocessing: how sources of batches are read; see `fit_generator`.
            validation_batch_size: samples in a batch of validation; `batch_size` by default.

        Returns:
            A `History`: its `history` maps each name to a list of one value an epoch.

        Raises:
            RuntimeError: if the model has not been compiled.
            ValueError: if the data do not fit the model, before any training is done.
        """
        self._require_compiled()
        ways = Ways(workers, use_multiprocessing, max_queue_size)
        validation = _data.Validation(validation_data, validation_split, validation_steps, validation_freq, ways)
        x = _targets.pulled(self) if x is None else x
        if steps_per_epoch is not None and _targets.holds_tensors(x, y):
            x, y, sample_weight = _targets.Evaluated(x, y, sample_weight), None, None
        if _adapt.is_source(x):
            _adapt.check_alone(x, y, sample_weight, validation_split)
            return _stream.fit(
                self, _adapt.batches(x, batch_size, bool(shuffle)), steps_per_epoch, epochs, verbose, callbacks,
                validation, class_weight, ways, shuffle, initial_epoch,
            )  # fmt: skip
        batch_size = _check.batch_size(batch_size)
        validation_size = _check.batch_size(validation_batch_size or batch_size, "validation_batch_size")
        self._build_for(x)
        if not _data.is_fed(self, self._require_plan()):
            _data.check_steps(steps_per_epoch, "steps_per_epoch")
            batch_size = validation_size = 1
        whole = batch_size if steps_per_epoch is None and not validation_split else 0
        data = _data.training(self, x, y, sample_weight, class_weight, batch_size=whole)
        data, validate, count = validation.prepare(self, data, validation_size)
        samples = data[0][0].shape[0]
        if steps_per_epoch is not None:
            data = _data.take(data, _check.steps(steps_per_epoch, "steps_per_epoch") * batch_size)
            samples = data[0][0].shape[0]
        if count and verbose:
            print(f"Train on {samples} samples, validate on {count} samples")
        options = _loop.FitOptions(epochs, initial_epoch, verbose, validate, validation_freq, batch_size, samples, None)
        options.held_out = validation.held_out
        if validation.arrays is not None:
            options.held = Held(validation.arrays, validation_size)
        try:
            return _epochs.fit_arrays(self, ArrayFeed(data, batch_size, shuffle), callbacks, options)
        finally:
            validation.close()

    @accepts_old_names("Model.evaluate")
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on given data, averaged over the samples.

        Returns:
            The loss, or a list [loss, metrics...] named by `metrics_names`; with `return_dict`, a dictionary.

        Raises:
            RuntimeError: if the model has not been compiled.
            ValueError: if the data do not fit the model.
        """
        self._require_compiled()
        x = _targets.pulled(self) if x is None else x
        if steps is not None and _targets.holds_tensors(x, y):
            x, y, sample_weight = _targets.Evaluated(x, y, sample_weight), None, None
        if _adapt.is_source(x):
            how = Ways(workers, use_multiprocessing, max_queue_size), _loop.listeners(self, callbacks)
            values = _stream.evaluate(self, _adapt.batches(x, batch_size), steps, verbose, *how)
            return self._reported(values, return_dict)
        self._build_for(x)
        plan = self._require_plan()
        whole = _check.batch_size(batch_size) if steps is None else 0
        data = _data.training(self, x, y, sample_weight, None, finite=False, batch_size=whole)
        if not _data.is_fed(self, plan):
            data, batch_size = _data.take(data, _data.check_steps(steps, "steps")), 1
        elif steps is not None:
            data = _data.first(data, _check.steps(steps, "steps") * _check.batch_size(batch_size))
        told = _loop.listeners(self, callbacks)
        values = self._evaluate_arrays(data, _check.batch_size(batch_size), verbose, told)
        return self._reported(values, return_dict)

    def _evaluate_arrays(self, data: Any, batch_size: int, verbose: int, callbacks: Any) -> list[Any]:
        samples = data[0][0].shape[0]
        told = _loop.Told(callbacks, "test", self.metrics_names)
        self.reset_metrics()
        return _loop.evaluate_arrays(self._scanner("test"), data, samples, batch_size, verbose, told)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for given inputs: a numpy array, or a list of them for several outputs.

        Raises:
            ValueError: if the data do not fit the model.
        """
        if type(x) is np.ndarray and "predict" in self._programs and not (verbose or steps or callbacks):
            shortcut = self._programs["predict"].shortcuts.get((x.shape, x.dtype))
            if shortcut is not None:
                return given_out(shortcut(x))
        if steps is not None and _targets.holds_tensors(x):
            x = _targets.Evaluated(x)
        if _adapt.is_source(x):
            how = Ways(workers, use_multiprocessing, max_queue_size), _loop.listeners(self, callbacks)
            return given_out(unpack(_stream.predict(self, _adapt.batches(x, batch_size), steps, verbose, *how)))
        self._build_for(x)
        inputs = _check.cut_to_first(_data.inputs(self, x))
        if not _data.is_fed(self):
            inputs, batch_size = _data.ticks(_data.check_steps(steps, "steps")), 1
        samples = _check.check_lengths(inputs, ())
        size = _check.batch_size(batch_size)
        if steps is not None:
            samples = min(samples, _check.steps(steps, "steps") * size)
        if self.stateful:
            _data.check_stateful(self, samples, size)
        scanner, told = self._scanner("predict"), _loop.Told(_loop.listeners(self, callbacks), "predict")
        return given_out(unpack(_loop.predict_arrays(scanner, inputs, samples, size, verbose, told)))

    def to_jax(self) -> PureModel:
        """The model as a pure function and its pytrees: `apply, params, state = model.to_jax()`.

        Returns:
            A `PureModel`: `apply(params, state, inputs, training=False, key=None) -> (outputs, new_state, losses)`, the
            trainable weights and the other variables, both dictionaries by name.

        Raises:
            RuntimeError: if the model has not been built.
        """
        if not self.outputs:
            raise RuntimeError("The model has not been built yet, so it has no variables. Call `build` or `fit` first.")
        return pure(self)

    def summary(
        self, line_length: int | None = None, positions: Sequence[float] | None = None, print_fn: Any = None
    ) -> None:
        """Print a table of the layers: name and type, shape of the output, number of parameters."""
        self._check_trainable()
        super().summary(line_length, positions, print_fn)

    def _validation_logs(self, data: Any, batch_size: int, callbacks: Any) -> Logs:
        values = self._evaluate_arrays(data, batch_size, 0, callbacks)
        return Logs({f"val_{name}": value for name, value in zip(self.metrics_names, values, strict=True)})
