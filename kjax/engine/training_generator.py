"""`fit_generator` and its like: the older names for training, testing and predicting on sources of batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from kjax._core.arguments import accepts_old_names
from kjax._core.stream import Ways
from kjax._core.values import given_out
from kjax.engine import _adapt, _data, _loop, _stream
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
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        validation_freq: Any = 1,
    ) -> Any:
        """Train on batches that a generator or `Sequence` yields. Result, and arguments not named here, as in `fit`.

        Arguments:
            generator: yields (inputs, targets) or (inputs, targets, sample_weights); or a `Sequence` or an iterable of
                such batches.
            steps_per_epoch: batches in an epoch; all, if the source has an end.
            validation_data: arrays, or a source of batches.
            max_queue_size: batches kept ready.
            workers: how many fetch batches of a `Sequence` at once; 0 to fetch none ahead. The batches keep their
                order.
            use_multiprocessing: whether workers are processes instead of threads. Then the `Sequence` is pickled, and a
                script has to train under `if __name__ == "__main__":`.
            shuffle: whether the batches of a `Sequence` come in a new order each epoch.

        Raises:
            RuntimeError: if the model has not been compiled, or a worker process died.
            Exception: what the generator raised.
        """
        model = self._compiled_model()
        ways = Ways(workers, use_multiprocessing, max_queue_size)
        validation = _data.Validation(validation_data, 0.0, validation_steps, validation_freq, ways)
        return _stream.fit(
            model, _adapt.batches(generator, None, shuffle), steps_per_epoch, epochs, verbose, callbacks, validation,
            class_weight, ways, shuffle, initial_epoch,
        )  # fmt: skip

    @accepts_old_names("Model.evaluate_generator")
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        callbacks: Sequence[Any] | None = None,
    ) -> Any:
        """`evaluate` on batches that a generator or `Sequence` yields."""
        model = self._compiled_model()
        ways = Ways(workers, use_multiprocessing, max_queue_size)
        told = _loop.listeners(model, callbacks)
        return unpack(_stream.evaluate(model, _adapt.batches(generator, None), steps, verbose, ways, told))

    @accepts_old_names("Model.predict_generator")
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        callbacks: Sequence[Any] | None = None,
    ) -> Any:
        """`predict` on batches that a generator or `Sequence` yields."""
        model = cast("Model", self)
        ways = Ways(workers, use_multiprocessing, max_queue_size)
        told = _loop.listeners(model, callbacks)
        return given_out(unpack(_stream.predict(model, _adapt.batches(generator, None), steps, verbose, ways, told)))
