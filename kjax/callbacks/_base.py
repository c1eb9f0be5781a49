"""What every callback is: an object with a method for each moment of training, testing and predicting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kjax._core.logs import Logs


class Callback:
    """Base class of callbacks: override the moments to act at.

    The `logs` of a batch's end hold `batch`, `size` and each metric of the batch; those of an epoch's end
    hold the epoch's averages, `val_` names included. Setting `self.model.stop_training = True` ends the
    training.

    A callback that overrides a method of batches makes the engine run one batch at a time, so that it can act
    between any two of them.

    Attributes:
        params: what `fit` was told: `batch_size`, `epochs`, `steps`, `samples`, `verbose`, `do_validation`,
            `metrics`.
        model: the model being trained.
        validation_data: the validation arrays of `fit`, or None.
    """

    # At the class, so that a subclass need not call `super().__init__()`.
    params: Any = None
    model: Any = None
    validation_data: Any = None

    @staticmethod
    def _settle() -> None:
        """Bring the model's weights to the epoch that is told of. The engine sets it where it tells afterwards."""

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...

    def on_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_train_begin(self, logs: Any = None) -> None: ...

    def on_train_end(self, logs: Any = None) -> None: ...

    def on_test_begin(self, logs: Any = None) -> None: ...

    def on_test_end(self, logs: Any = None) -> None: ...

    def on_predict_begin(self, logs: Any = None) -> None: ...

    def on_predict_end(self, logs: Any = None) -> None: ...


class LambdaCallback(Callback):
    """A callback made of functions.

    Arguments:
        on_epoch_begin, on_epoch_end: functions of (epoch, logs).
        on_batch_begin, on_batch_end: functions of (batch, logs).
        on_train_begin, on_train_end: functions of (logs).
        **kwargs: functions for the other methods of `Callback`, and any further attributes.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **kwargs,
        }
        # A moment without a function stays the method of the class: the engine sees that nobody watches it.
        self.__dict__.update({name: value for name, value in given.items() if value is not None})


def as_logs(logs: Any) -> Logs:
    """`logs` as a dictionary that answers to both spellings of accuracy: itself if it is one, else a copy."""
    return logs if isinstance(logs, Logs) else Logs(logs or ())


def read_lr(optimizer: Any) -> Any:
    """The learning rate as a numpy scalar of the variable's type.

    Raises:
        ValueError: if the optimizer has none.
    """
    if not hasattr(optimizer, "lr"):
        raise ValueError(f'Optimizer must have a "lr" attribute, but {type(optimizer).__name__} has none.')
    return np.asarray(optimizer.lr)[()]


def write_lr(optimizer: Any, value: float) -> None:
    """Set the learning rate: the variable's value, or a plain attribute."""
    if hasattr(optimizer.lr, "assign"):
        optimizer.lr.assign(value)
    else:
        optimizer.lr = value


def check_save_freq(value: Any) -> None:
    """Whether `value` says how often to save.

    Raises:
        ValueError: if it does not.
    """
    number = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1
    if value != "epoch" and not number:
        raise ValueError(f"`save_freq` must be 'epoch' or a number of batches from 1 on. Found: {value!r}")
