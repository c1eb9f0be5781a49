"""Callbacks that steer the training: its end and its learning rate."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from kjax.callbacks._base import Callback, as_logs, read_lr, write_lr


def chooses_larger(mode: str, monitor: str, unknown: str) -> bool:
    """Whether a larger value of `monitor` is the better one; in doubt, whether it is an accuracy."""
    if mode not in ("auto", "min", "max"):
        warnings.warn(f"{unknown} mode {mode} is unknown, fallback to auto mode.", RuntimeWarning, stacklevel=3)
    return mode == "max" or (mode != "min" and "acc" in monitor)


def _monitored(logs: Any, monitor: str, what: str) -> Any:
    """The value of a metric in an epoch's logs; None, with a warning, if it is not among them."""
    value = as_logs(logs).get(monitor)
    if value is None:
        warnings.warn(
            f"{what} conditioned on metric `{monitor}` which is not available. "
            f"Available metrics are: {','.join(logs or ())}",
            RuntimeWarning,
            stacklevel=4,
        )
    return value


class EarlyStopping(Callback):
    """Ends the training when a metric has stopped improving.

    Arguments:
        monitor: name of the metric.
        min_delta: least change that counts as an improvement.
        patience: number of epochs without an improvement after which to stop.
        verbose: 1 to print when it stops.
        mode: `'min'` if smaller is better, `'max'` if larger is, `'auto'` to tell by the metric's name.
        baseline: value that has to be surpassed, or None.
        restore_best_weights: whether the model gets the weights of its best epoch when training stops here.
    """

    _remembers = ("best", "best_weights", "wait", "stopped_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__()
        self.monitor = monitor
        self.baseline = baseline
        self.patience = patience
        self.verbose = verbose
        self.restore_best_weights = restore_best_weights
        self.best_weights: Any = None
        self.wait = 0
        self.stopped_epoch = 0
        larger = chooses_larger(mode, monitor, "EarlyStopping")
        self.monitor_op: Callable[[Any, Any], Any] = np.greater if larger else np.less
        self.min_delta = min_delta if larger else -min_delta
        self.best = self._worst

    @property
    def _worst(self) -> float:
        return -np.inf if self.monitor_op is np.greater else np.inf

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_weights = None
        self.best = self._worst if self.baseline is None else self.baseline

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.monitor_op(current - self.min_delta, self.best):
            self.best = current
            self.wait = 0
            if self.restore_best_weights:
                self._settle()
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            # There are none if the baseline was never surpassed.
            if self.best_weights is not None:
                if self.verbose > 0:
                    print("Restoring model weights from the end of the best epoch")
                self._settle()
                self.model.set_weights(self.best_weights)

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1:05d}: early stopping")

    def epochs_at_rest(self) -> int | None:
        """For how many epochs it will surely not touch the weights; None for all."""
        return 0 if self.restore_best_weights else None

    def get_monitor_value(self, logs: Any) -> Any:
        """The value of the metric; None, with a warning, if it is not there."""
        return _monitored(logs, self.monitor, "Early stopping")


class LearningRateScheduler(Callback):
    """Sets the learning rate at the begin of each epoch.

    Arguments:
        schedule: function of (epoch, learning rate), or of (epoch) alone, that returns the new learning rate.
            Epochs count from 0.
        verbose: 1 to print each rate.

    Raises:
        ValueError: while training, if the schedule returns no float or the optimizer has no learning rate.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        present = float(read_lr(optimizer))
        lr = self.schedule(epoch, present) if _takes_two(self.schedule) else self.schedule(epoch)
        if not isinstance(lr, (float, np.floating)) and not _is_float_array(lr):
            raise ValueError(
                f'The output of the "schedule" function should be float, but it is {lr!r} in epoch {epoch}.'
            )
        write_lr(optimizer, float(lr))
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: LearningRateScheduler setting learning rate to {lr!s}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = read_lr(self.model.optimizer)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell its arguments
        return False
    return True


def _is_float_array(value: Any) -> bool:
    return getattr(value, "ndim", None) == 0 and getattr(getattr(value, "dtype", None), "kind", "") == "f"


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by a factor when a metric has stopped improving.

    Arguments:
        monitor: name of the metric.
        factor: what the learning rate is multiplied by; below 1.
        patience: number of epochs without an improvement after which to reduce.
        verbose: 1 to print each reduction.
        mode: `'min'` if smaller is better, `'max'` if larger is, `'auto'` to tell by the metric's name.
        min_delta: least change that counts as an improvement.
        cooldown: number of epochs after a reduction in which missing improvements are not counted.
        min_lr: least learning rate.

    Raises:
        ValueError: if `factor` is 1 or more.
    """

    _remembers = ("best", "cooldown_counter", "wait")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0, but factor={factor}.")
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")
            warnings.warn(
                "`epsilon` argument is deprecated and will be removed, use `min_delta` instead.", stacklevel=2
            )
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau got unexpected keyword arguments: {sorted(kwargs)}.")
        self.monitor = monitor
        self.factor = factor
        self.min_lr = min_lr
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.mode = mode
        self._larger = chooses_larger(mode, monitor, "Learning Rate Plateau Reducing")
        self._reset()

    def _reset(self) -> None:
        self.best = -np.inf if self._larger else np.inf
        self.cooldown_counter = 0
        self.wait = 0

    def monitor_op(self, value: float, best: float) -> Any:
        """Whether `value` improves on `best`."""
        return value > best + self.min_delta if self._larger else value < best - self.min_delta

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = read_lr(self.model.optimizer)
        current = _monitored(logs, self.monitor, "Reduce LR on plateau")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = float(read_lr(self.model.optimizer))
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        write_lr(self.model.optimizer, new)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is still too recent for another one."""
        return self.cooldown_counter > 0
