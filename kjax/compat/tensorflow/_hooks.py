"""Hooks of `tf.train.MonitoredTrainingSession`: what is told of each run of a session, and may ask it to stop."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

import numpy as np

from kjax.compat.tensorflow import _graph, logging
from kjax.compat.tensorflow._decays import get_global_step


class SessionRunArgs(NamedTuple):
    """What a hook wants to be run beside what the program runs."""

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a hook asked for."""

    results: Any
    options: Any = None
    run_metadata: Any = None


class SessionRunContext:
    """A run of a session.

    Attributes:
        original_args: what the program asked for.
        session: the session.
        stop_requested: whether a hook asked the session to stop.
    """

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self.original_args, self.session = original_args, session
        self.stop_requested = False

    def request_stop(self) -> None:
        """Let `should_stop` be true from now on."""
        self.stop_requested = True


class SessionRunHook:
    """Base of the hooks: each method is called at its time and does nothing here."""

    def begin(self) -> None:
        """Called before the session is made, while the graph can be added to."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when the session has been made."""

    def before_run(self, run_context: Any) -> Any:
        """Called before each run. May return `SessionRunArgs`."""
        return None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Called after each run."""

    def end(self, session: Any) -> None:
        """Called at the end, if nothing was raised."""


def _global_step() -> Any:
    step = get_global_step()
    if step is None:
        raise RuntimeError("Global step should be created: call tf.train.get_or_create_global_step() before.")
    return step


class StopAtStepHook(SessionRunHook):
    """Stops after a number of steps, or at one."""

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if (num_steps is None) == (last_step is None):
            raise ValueError("Exactly one of num_steps or last_step must be specified.")
        self._count, self._last = num_steps, last_step

    def begin(self) -> None:
        self._step = _global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last is None:
            self._last = int(session.run(self._step)) + int(self._count or 0)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        # The step is read after the run: what is fetched beside a step is from before it.
        if self._last is not None and int(run_context.session.run(self._step)) >= self._last:
            run_context.request_stop()


class _Every:
    """Every so many runs, or seconds."""

    def __init__(self, steps: int | None, secs: float | None) -> None:
        self._steps, self._secs, self._runs, self._last = steps, secs, 0, -np.inf

    def due(self) -> bool:
        count, self._runs = self._runs, self._runs + 1
        if self._steps is not None:
            return count % self._steps == 0
        now = time.monotonic()
        if self._secs is None or now - self._last < self._secs:
            return False
        self._last = now
        return True


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors every so many runs, or seconds.

    Arguments:
        tensors: list of tensors or names, or a dictionary of them.
        every_n_iter, every_n_secs: how often.
        at_end: whether once more at the end.
        formatter: function from the values to a text.
    """

    def __init__(
        self, tensors: Any, every_n_iter: int | None = None, every_n_secs: float | None = None, at_end: bool = False,
        formatter: Any = None,
    ) -> None:  # fmt: skip
        names = tensors if isinstance(tensors, dict) else {getattr(t, "name", t): t for t in tensors}
        self._tensors, self._format, self._at_end = names, formatter, at_end
        self._every = _Every(every_n_iter, every_n_secs)

    def before_run(self, run_context: Any) -> Any:
        self._due = self._every.due()
        return SessionRunArgs(dict(self._tensors)) if self._due else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if self._due:
            self._log(run_values.results)

    def _log(self, values: Any) -> None:
        if self._format is not None:
            logging.info(self._format(values))
        else:
            logging.info(", ".join(f"{name} = {value}" for name, value in values.items()))

    def end(self, session: Any) -> None:
        if self._at_end:
            self._log(session.run(dict(self._tensors)))


class NanLossDuringTrainingError(RuntimeError):
    """The loss is NaN."""


class NanTensorHook(SessionRunHook):
    """Stops, or raises, when a loss is NaN."""

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss, self._fail = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if np.isnan(run_values.results):
            if self._fail:
                raise NanLossDuringTrainingError("NaN loss during training.")
            logging.error("Model diverged with loss = NaN.")
            run_context.request_stop()


class CheckpointSaverHook(SessionRunHook):
    """Saves checkpoints every so many steps, or seconds, and at the end."""

    def __init__(
        self, checkpoint_dir: str, save_secs: float | None = None, save_steps: int | None = None, saver: Any = None,
        checkpoint_basename: str = "model.ckpt", scaffold: Any = None, listeners: Any = None,
    ) -> None:  # fmt: skip
        self._prefix, self._saver, self._scaffold = os.path.join(checkpoint_dir, checkpoint_basename), saver, scaffold
        self._every = _Every(save_steps, save_secs)
        os.makedirs(checkpoint_dir, exist_ok=True)

    def begin(self) -> None:
        from kjax.compat.tensorflow._saver import Saver

        self._step = _global_step()
        self._saver = self._saver or getattr(self._scaffold, "saver", None) or Saver()

    def after_create_session(self, session: Any, coord: Any) -> None:
        self._every.due()
        self._save(session)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if self._every.due():
            self._save(run_context.session)

    def end(self, session: Any) -> None:
        self._save(session)

    def _save(self, session: Any) -> None:
        self._saver.save(session, self._prefix, global_step=int(session.run(self._step)))


class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps, or seconds."""

    def __init__(
        self, save_steps: int | None = None, save_secs: float | None = None, output_dir: str | None = None,
        summary_writer: Any = None, scaffold: Any = None, summary_op: Any = None,
    ) -> None:  # fmt: skip
        self._every, self._writer, self._directory = _Every(save_steps, save_secs), summary_writer, output_dir
        self._op = summary_op

    def begin(self) -> None:
        from kjax.compat.tensorflow import summary

        self._step = _global_step()
        self._op = self._op if self._op is not None else summary.merge_all()
        self._writer = self._writer or summary.FileWriter(self._directory, _graph.get_default_graph())

    def before_run(self, run_context: Any) -> Any:
        self._due = self._op is not None and self._every.due()
        return SessionRunArgs(self._op) if self._due else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if self._due:
            self._writer.add_summary(run_values.results, int(run_context.session.run(self._step)))

    def end(self, session: Any) -> None:
        self._writer.flush()


class StepCounterHook(SessionRunHook):
    """Accepted: steps are not counted by the second."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class FinalOpsHook(SessionRunHook):
    """Runs something at the end.

    Attributes:
        final_ops_values: its result.
    """

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._ops, self._feed = final_ops, final_ops_feed_dict
        self.final_ops_values: Any = None

    def end(self, session: Any) -> None:
        self.final_ops_values = session.run(self._ops, self._feed)


__all__ = [
    "CheckpointSaverHook", "FinalOpsHook", "LoggingTensorHook", "NanLossDuringTrainingError", "NanTensorHook",
    "SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues", "StepCounterHook", "StopAtStepHook",
    "SummarySaverHook",
]  # fmt: skip
