"""Callbacks that record and show what happens: averages, history, the progress bar, a table in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kjax._core.logs import Logs
from kjax._core.progbar import Progbar
from kjax.callbacks._base import Callback


class BaseLogger(Callback):
    """Averages the metrics of an epoch's batches in float64, weighted by their sizes. Every `fit` has one.

    Arguments:
        stateful_metrics: names of metrics of which the last value counts, not the average.
    """

    _remembers = ("seen", "totals")

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen = 0
        self.totals = {}

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        size = (logs or {}).get("size", 0)
        self.seen += size
        for name, value in (logs or {}).items():
            if name in self.stateful_metrics:
                self.totals[name] = float(value)
            elif name not in ("batch", "size"):
                self.totals[name] = self.totals.get(name, 0.0) + float(value) * size

    def on_chunk_end(self, first_batch: int, sizes: np.ndarray, values: np.ndarray, names: Sequence[str]) -> None:
        """Count many batches in. The sum is the same, bit for bit, as that of the batches one by one."""
        if len(sizes) == 1:
            logs = dict(zip(names, values[0].tolist(), strict=True))
            self.on_batch_end(first_batch, {**logs, "size": int(sizes[0])})
            return
        terms = np.empty((len(sizes) + 1, len(names)))
        terms[0] = [self.totals.get(name, 0.0) for name in names]
        np.multiply(values, sizes[:, None], out=terms[1:], dtype=np.float64)
        # Adds row after row, where `sum` may pair rows up in an order that hangs on their number.
        totals = np.add.accumulate(terms, axis=0)[-1]
        self.seen += int(sizes.sum())
        self.totals.update(zip(names, totals.tolist(), strict=True))
        for i, name in enumerate(names):
            if name in self.stateful_metrics:
                self.totals[name] = float(values[-1, i])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is None:
            return
        for name in self.params["metrics"]:
            if name in self.totals:
                total = self.totals[name]
                logs[name] = total if name in self.stateful_metrics else total / max(1, self.seen)


class TerminateOnNaN(Callback):
    """Stops the training at a batch whose loss is NaN or infinite."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True

    def on_chunk_end(self, first_batch: int, sizes: np.ndarray, values: np.ndarray, names: Sequence[str]) -> None:
        """Look at the losses of many batches at once."""
        if "loss" not in names:
            return
        losses = values[:, list(names).index("loss")]
        broken = np.flatnonzero(~np.isfinite(losses))
        if broken.size:
            self.on_batch_end(first_batch + int(broken[0]), {"loss": losses[broken[0]]})


class ProgbarLogger(Callback):
    """Draws the progress bar. `fit` adds it by itself where `verbose` is 1 or 2.

    Arguments:
        count_mode: whether the bar counts `'samples'` or `'steps'` (batches).
        stateful_metrics: names of metrics that are shown as they are and not averaged.

    Raises:
        ValueError: for another `count_mode`.
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None) -> None:
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f"Unknown `count_mode`: {count_mode}. It must be 'samples' or 'steps'.")
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.verbose = 0
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self.log_values: list[tuple[str, Any]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.verbose = self.params["verbose"]
        self.epochs = self.params["epochs"]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.target = self.params["steps" if self.use_steps else "samples"]
        self.seen = 0
        self.log_values = []
        if self.verbose:
            print(f"Epoch {epoch + 1}/{self.epochs}")
            self.progbar = Progbar(self.target, verbose=self.verbose, stateful_metrics=self.stateful_metrics)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._is_underway:
            self.log_values = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        logs = logs or {}
        self.seen += logs.get("num_steps", 1) if self.use_steps else logs.get("size", 0)
        self._note(logs)
        # The epoch's end draws the last batch, together with the validation's results.
        if self.verbose and self._is_underway:
            self.progbar.update(self.seen, self.log_values)

    def on_chunk_end(self, first_batch: int, sizes: np.ndarray, values: np.ndarray, names: Sequence[str]) -> None:
        """Draw once for many batches, with the averages that drawing after each would have come to."""
        if not self.verbose:
            return
        last = len(sizes) - 1
        if last:
            units = np.ones(last) if self.use_steps else sizes[:-1]
            self.seen += int(units.sum())
            means = (values[:-1] * (units / units.sum())[:, None]).sum(axis=0, dtype=np.float64)
            latest = [values[-1, i] if name in self.stateful_metrics else means[i] for i, name in enumerate(names)]
            shown = dict(zip(names, latest, strict=True))
            self.progbar.collect(self.seen, [(k, shown[k]) for k in self.params["metrics"] if k in shown])
        self.on_batch_begin(first_batch + last)
        logs = Logs(zip(names, values[last], strict=True))
        logs["size"] = int(sizes[last])
        self.on_batch_end(first_batch + last, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.verbose:
            return
        self._note(logs or {})
        if self.target is None:
            self.progbar.target = self.seen
        self.progbar.update(self.seen, self.log_values)

    def get_resume_state(self) -> dict[str, Any]:
        return {"seen": self.seen, "bar": self.progbar.counted() if self.verbose else None}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"]
        if self.verbose and state["bar"] is not None and hasattr(self, "progbar"):
            self.progbar.count_on(state["bar"])

    @property
    def _is_underway(self) -> bool:
        return self.target is None or self.seen < self.target

    def _note(self, logs: Any) -> None:
        # `in` of logs would answer to the other spelling of accuracy too.
        recorded = logs.keys()
        self.log_values += [(name, logs[name]) for name in self.params["metrics"] if name in recorded]


class History(Callback):
    """Records the metrics of each epoch. `fit` adds it by itself and returns it.

    Attributes:
        epoch: numbers of the epochs, from 0 on.
        history: for each metric the list of its values, one an epoch. `history['acc']` and
            `history['accuracy']` mean the same.
    """

    _remembers = ("epoch", "history")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history = Logs()

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []
        self.history = Logs()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class CSVLogger(Callback):
    """Writes the metrics of each epoch to a file, one line an epoch, under the names in alphabetical order.

    Arguments:
        filename: path of the file.
        separator: what separates two columns.
        append: whether to write behind what is in the file, as when training goes on, or to write it anew.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = filename
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: Any = None
        self.writer: Any = None
        self._goes_on_at: int | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        if self._goes_on_at is not None and os.path.exists(self.filename):
            self._open_again(self._goes_on_at)
            return
        exists = self.append and os.path.exists(self.filename)
        self.append_header = not (exists and os.path.getsize(self.filename))
        mode = "a" if self.append else "w"
        # Open until the training ends.
        self.csv_file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.writer is None:
            self.keys = self.keys or sorted(logs)
            self.writer = csv.writer(self.csv_file, delimiter=self.sep)
            if self.append_header:
                self.writer.writerow(["epoch", *self.keys])
        # An epoch may lack a metric: one without validation, or one cut short.
        self.writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys or ())])
        self.csv_file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self.csv_file.close()
        self.writer = None

    def prepare_to_resume(self, state: dict[str, Any]) -> None:
        self._goes_on_at = state["length"]

    def get_resume_state(self) -> dict[str, Any]:
        return {"length": self.csv_file.tell(), "keys": self.keys}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        self.keys = state["keys"]
        self.append_header = not self.csv_file.tell()

    def _open_again(self, length: int) -> None:
        """Go on behind what was written when the state was kept; lines of epochs that run again are cut off."""
        self.csv_file = open(self.filename, "r+", newline="", encoding="utf-8")  # noqa: SIM115
        self.csv_file.truncate(min(length, os.path.getsize(self.filename)))
        self.csv_file.seek(0, os.SEEK_END)
        self._goes_on_at = None


def _cell(value: Any) -> Any:
    """A value as it is written: several values as one quoted list."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
