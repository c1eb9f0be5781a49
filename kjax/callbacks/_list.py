"""Telling callbacks about batches and epochs, one at a time or a whole chunk of batches at once."""

from __future__ import annotations

import collections
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from kjax._core.logs import Logs
from kjax.callbacks._backup import BackupAndRestore
from kjax.callbacks._base import Callback, as_logs
from kjax.callbacks._checkpoint import ModelCheckpoint
from kjax.callbacks._progress import BaseLogger, CSVLogger, History, ProgbarLogger, TerminateOnNaN
from kjax.callbacks._schedules import EarlyStopping, ReduceLROnPlateau
from kjax.callbacks._tensorboard import TensorBoard

_BATCH_HOOKS = {
    "train": ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
_TEST_HOOKS = ("on_test_begin", "on_test_end", *_BATCH_HOOKS["test"])
_EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end", *_TEST_HOOKS)

# What these do at a batch's or an epoch's end can as well be done for many of them afterwards.
_BOOKKEEPERS = (Callback, BaseLogger, ProgbarLogger, History, BackupAndRestore)
_SUMMING_UP = (*_BOOKKEEPERS, TerminateOnNaN)
# These read nothing but the logs, and do nothing to a model but stop it or change its learning rate; or they settle
# first, by which they get the model as it was at the epoch's end.
_STEERING = (TerminateOnNaN, EarlyStopping, ReduceLROnPlateau, CSVLogger, ModelCheckpoint, TensorBoard)

# Seconds a batch from which on a callback is warned of, if the batch itself does not take longer.
_SLOW = 0.1


def _overrides(callback: Any, hooks: Iterable[str], known: tuple[type, ...]) -> bool:
    """Whether a callback has a method for one of the moments that is not one of the `known` classes'."""
    for hook in hooks:
        if hook in vars(callback):
            return True
        owner = next((cls for cls in type(callback).__mro__ if hook in vars(cls)), Callback)
        if owner not in known:
            return True
    return False


def watches_batches(callbacks: Iterable[Any], mode: str = "train") -> bool:
    """Whether a callback acts at single batches, so that the engine must run one batch at a time.

    Arguments:
        callbacks: callbacks, or a `CallbackList`.
        mode: whose batches: `'train'`, `'test'` or `'predict'`.
    """
    return any(_overrides(callback, _BATCH_HOOKS[mode], _SUMMING_UP) for callback in callbacks)


def watches_epochs(callbacks: Iterable[Any]) -> bool:
    """Whether a callback acts at or within single epochs, so that the engine must run one epoch at a time."""
    hooks = (*_EPOCH_HOOKS, *_BATCH_HOOKS["train"])
    return any(_overrides(c, hooks, _BOOKKEEPERS) and not _steers(c) for c in callbacks)


def watches_tests(callbacks: Iterable[Any]) -> bool:
    """Whether a callback follows a model's testing."""
    return any(_overrides(callback, _TEST_HOOKS, (Callback,)) for callback in callbacks)


def steers(callbacks: Iterable[Any]) -> bool:
    """Whether a callback may stop the training, change its learning rate or save the model at an epoch's end.

    Those that `watches_epochs` does not name read nothing but the logs, or settle before they touch the weights, so
    that they can be told of many epochs afterwards; the engine then undoes the epochs after the one at which they
    acted.
    """
    return any(_steers(callback) for callback in callbacks)


def _steers(callback: Any) -> bool:
    hooks = (*_EPOCH_HOOKS, *_BATCH_HOOKS["train"])
    if type(callback) not in _STEERING or (isinstance(callback, TensorBoard) and callback.needs_epochs):
        return False
    return not any(hook in vars(callback) for hook in hooks)


def epochs_at_rest(callbacks: Iterable[Any]) -> int | None:
    """For how many epochs from now on surely no callback that steers needs the weights; None for all of them."""
    told = [
        callback.epochs_at_rest() for callback in callbacks if isinstance(callback, (EarlyStopping, ModelCheckpoint))
    ]
    return min((epochs for epochs in told if epochs is not None), default=None)


class CallbackList:
    """Several callbacks that are told of everything in turn.

    They add to the `Logs` that they are passed; of another dictionary they are passed a copy.

    Arguments:
        callbacks: the callbacks, in the order in which they are called.
        queue_length: number of batches over which the time that callbacks take is watched.
    """

    def __init__(self, callbacks: Iterable[Any] | None = None, queue_length: int = 10) -> None:
        self.callbacks: list[Any] = list(callbacks or ())
        self.queue_length = queue_length
        self.params: dict[str, Any] | None = None
        self.model: Any = None
        self._summing_up: dict[str, list[bool]] = {}
        self._reset_times()

    def _reset_times(self) -> None:
        self._batch_began: float | None = None
        self._batch_took = 0.0
        self._times: dict[str, collections.deque[float]] = collections.defaultdict(
            lambda: collections.deque(maxlen=self.queue_length)
        )

    def append(self, callback: Any) -> None:
        """Add a callback behind the others."""
        self.callbacks.append(callback)
        self._summing_up.clear()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        self._summing_up.clear()
        for callback in self.callbacks:
            callback.set_model(model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_begin", epoch, as_logs(logs))
        self._reset_times()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._tell("on_epoch_end", epoch, as_logs(logs))

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_train_batch_begin", batch, as_logs(logs))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_train_batch_end", batch, as_logs(logs))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_test_batch_begin", batch, as_logs(logs))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_test_batch_end", batch, as_logs(logs))

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_predict_batch_begin", batch, as_logs(logs))

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tell_of_batch("on_predict_batch_end", batch, as_logs(logs))

    def on_train_begin(self, logs: Any = None) -> None:
        self._summing_up.clear()
        self._tell("on_train_begin", as_logs(logs))

    def on_train_end(self, logs: Any = None) -> None:
        self._tell("on_train_end", as_logs(logs))

    def on_test_begin(self, logs: Any = None) -> None:
        self._tell("on_test_begin", as_logs(logs))

    def on_test_end(self, logs: Any = None) -> None:
        self._tell("on_test_end", as_logs(logs))

    def on_predict_begin(self, logs: Any = None) -> None:
        self._tell("on_predict_begin", as_logs(logs))

    def on_predict_end(self, logs: Any = None) -> None:
        self._tell("on_predict_end", as_logs(logs))

    def on_chunk_end(
        self,
        first_batch: int,
        sizes: np.ndarray,
        values: np.ndarray,
        names: Sequence[str],
        mode: str = "train",
    ) -> None:
        """Tell of the begin and the end of k batches that have run, none of which was told of before.

        Callbacks that keep books are told once; the others of each batch in turn.

        Arguments:
            first_batch: number of the chunk's first batch in the epoch.
            sizes: number of samples of each batch, shape (k,).
            values: value of each metric for each batch, shape (k, number of names).
            names: names of the metrics.
            mode: what the batches are for: `'train'`, `'test'` or `'predict'`.
        """
        summing_up = self._classify(mode)
        for callback, sums_up in zip(self.callbacks, summing_up, strict=True):
            if sums_up and mode == "train":
                chunk = getattr(callback, "on_chunk_end", None)
                if chunk is not None:
                    chunk(first_batch, sizes, values, names)
        if all(summing_up):
            return
        watchers = [c for c, sums_up in zip(self.callbacks, summing_up, strict=True) if not sums_up]
        begin, end = f"on_{mode}_batch_begin", f"on_{mode}_batch_end"
        for i, size in enumerate(sizes.tolist()):
            about = {"batch": first_batch + i, "size": size}
            for callback in watchers:
                getattr(callback, begin)(first_batch + i, Logs(about))
            logs = Logs(about, **dict(zip(names, values[i], strict=True)))
            for callback in watchers:
                getattr(callback, end)(first_batch + i, logs)

    def _classify(self, mode: str) -> list[bool]:
        """For each callback, whether a chunk of batches can be told of at once."""
        known = self._summing_up.get(mode)
        if known is None:
            known = [not _overrides(c, _BATCH_HOOKS[mode], _SUMMING_UP) for c in self.callbacks]
            self._summing_up[mode] = known
        return known

    def _tell(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def _tell_of_batch(self, hook: str, batch: int, logs: Logs) -> None:
        start = time.perf_counter()
        if hook.endswith("_end") and self._batch_began is not None:
            self._batch_took = start - self._batch_began
        self._tell(hook, batch, logs)
        now = time.perf_counter()
        times = self._times[hook]
        times.append(now - start)
        if now - start > _SLOW:
            self._warn_if_slow(hook, float(np.median(times)))
        if hook.endswith("_begin"):
            self._batch_began = now

    def _warn_if_slow(self, hook: str, typical: float) -> None:
        if typical > _SLOW and 0 < 0.95 * self._batch_took < typical:
            warnings.warn(
                f"Method {hook.replace('_train', '')}() is slow compared to the batch update ({typical:f}). "
                "Check your callbacks.",
                stacklevel=4,
            )

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)
