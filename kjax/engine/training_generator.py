"""`fit_generator` and its like: the older names for training, testing and predicting on sources of batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from kjax._core.arguments import accepts_old_names
from kjax.engine import _data, _loop, _stream
from kjax.engine._spec import unpack

if TYPE_CHECKING:
    from kjax.engine.training import Model


class GeneratorMethods:
    """Methods of `Model` for generators. A base of `Model` alone."""

    def _compiled_model(self) -> Model:
        model = cast("Model", self)
        model._require_compiled()
        return model

    @accepts_old_names("Model.fit_generator")
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Train on batches that a generator or `Sequence` yields. Arguments and result are those of `fit`."""
        model = self._compiled_model()
        validation = _data.Validation(validation_data, 0.0, validation_steps, validation_freq)
        return _stream.fit(
            model, generator, steps_per_epoch, epochs, verbose, callbacks, validation, class_weight, max_queue_size,
            shuffle, initial_epoch,
        )  # fmt: skip

    @accepts_old_names("Model.evaluate_generator")
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """`evaluate` on batches that a generator or `Sequence` yields."""
        model = self._compiled_model()
        return unpack(
            _stream.evaluate(model, generator, steps, verbose, max_queue_size, _loop.listeners(model, callbacks))
        )

    @accepts_old_names("Model.predict_generator")
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """`predict` on batches that a generator or `Sequence` yields."""
        model = cast("Model", self)
        return unpack(
            _stream.predict(model, generator, steps, verbose, max_queue_size, _loop.listeners(model, callbacks))
        )
