"""Sessions that initialize, restore and save by themselves, and coordinators of threads."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Generator, Sequence
from typing import Any

from kjax._core import atomic
from kjax.compat.tensorflow import _graph, _variables
from kjax.compat.tensorflow._decays import get_global_step
from kjax.compat.tensorflow._hooks import (
    CheckpointSaverHook,
    SessionRunArgs,
    SessionRunContext,
    SessionRunValues,
    SummarySaverHook,
)
from kjax.compat.tensorflow._saver import Saver, latest_checkpoint
from kjax.compat.tensorflow._session import Session
from kjax.compat.tensorflow.errors import CancelledError, OutOfRangeError


class Coordinator:
    """Lets threads know when to stop, and raises in one what was raised in another."""

    def __init__(self, clean_stop_exception_types: Any = None) -> None:
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._clean = tuple(clean_stop_exception_types or (OutOfRangeError,))

    def should_stop(self) -> bool:
        """Whether threads should stop."""
        return self._stop.is_set()

    def request_stop(self, ex: Any = None) -> None:
        """Let them stop. `join` raises the exception, unless it is one that ends data."""
        error = ex[1] if isinstance(ex, tuple) else ex
        if isinstance(error, BaseException) and not isinstance(error, self._clean) and not self._stop.is_set():
            self._error = error
        self._stop.set()

    def clear_stop(self) -> None:
        """Begin anew."""
        self._stop.clear()
        self._error = None

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until somebody asks to stop."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """A thread that `join` waits for."""
        self._threads.append(thread)

    def join(self, threads: Any = None, stop_grace_period_secs: float = 120, ignore_live_threads: bool = False) -> None:
        """Wait for threads to end, and raise what one of them raised."""
        for thread in [*(threads or ()), *self._threads]:
            thread.join(stop_grace_period_secs)
        if self._error is not None:
            raise self._error

    def raise_requested_exception(self) -> None:
        """Raise what was raised in another thread."""
        if self._error is not None:
            raise self._error

    @contextlib.contextmanager
    def stop_on_exception(self) -> Generator[None]:
        """Ask to stop when something is raised in a `with` block."""
        try:
            yield
        except Exception as error:
            self.request_stop(error)

    @property
    def joined(self) -> bool:
        """Whether nothing runs any more."""
        return self._stop.is_set() and not any(t.is_alive() for t in self._threads)


def start_queue_runners(
    sess: Any = None, coord: Any = None, daemon: bool = True, start: bool = True, collection: str = "queue_runners"
) -> list[Any]:
    """No threads: there are no queues here. `tf.data` feeds programs."""
    return []


class Scaffold:
    """What a monitored session initializes, restores and saves with.

    Arguments:
        init_op: operation that initializes; that of all variables if None.
        init_feed_dict: what is fed to it.
        init_fn: function of the scaffold and the session, called after it.
        local_init_op: operation for what is not saved; that of all local variables if None.
        saver: what restores and saves; one of all variables if None.
    """

    def __init__(
        self, init_op: Any = None, init_feed_dict: Any = None, init_fn: Any = None, ready_op: Any = None,
        ready_for_local_init_op: Any = None, local_init_op: Any = None, summary_op: Any = None, saver: Any = None,
        copy_from_scaffold: Any = None,
    ) -> None:  # fmt: skip
        self.init_op, self.init_feed_dict, self.init_fn = init_op, init_feed_dict, init_fn
        self.local_init_op, self.summary_op, self.saver = local_init_op, summary_op, saver

    def finalize(self) -> Scaffold:
        """Make what is missing."""
        if self.init_op is None:
            self.init_op = _graph.group(_variables.global_variables_initializer(), name="init")
        if self.local_init_op is None:
            tables = _graph.get_collection(_graph.GraphKeys.TABLE_INITIALIZERS)
            self.local_init_op = _graph.group(_variables.local_variables_initializer(), *tables, name="local_init")
        if self.saver is None and _variables.global_variables():
            self.saver = Saver()
        return self

    def start(self, session: Any, directory: str | None) -> None:
        """Restore the latest checkpoint of a folder, or initialize."""
        latest = latest_checkpoint(directory) if directory else None
        if latest and self.saver is not None:
            self.saver.restore(session, latest)
        else:
            session.run(self.init_op, self.init_feed_dict)
            if self.init_fn is not None:
                self.init_fn(self, session)
        session.run(self.local_init_op)


class ChiefSessionCreator:
    """How a monitored session is made: `scaffold`, and the folder from which it restores."""

    def __init__(
        self, scaffold: Any = None, master: str = "", config: Any = None, checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: Any = None,
    ) -> None:  # fmt: skip
        self.scaffold, self.checkpoint_dir = scaffold or Scaffold(), checkpoint_dir


class MonitoredSession:
    """A session whose variables are initialized or restored, and that hooks watch.

    Arguments:
        session_creator: a `ChiefSessionCreator`.
        hooks: the hooks.

    An `OutOfRangeError` ends the `with` block quietly: the data have come to their end.
    """

    def __init__(self, session_creator: Any = None, hooks: Any = None, stop_grace_period_secs: float = 120) -> None:
        creator = session_creator or ChiefSessionCreator()
        self._hooks: Sequence[Any] = list(hooks or ())
        for hook in self._hooks:
            hook.begin()
        scaffold = creator.scaffold.finalize()
        self._session: Any = Session()
        self.graph = self._session.graph
        self._stops = False
        self._coordinator = Coordinator()
        self._entered: list[contextlib.ExitStack] = []
        scaffold.start(self._session, creator.checkpoint_dir)
        for hook in self._hooks:
            hook.after_create_session(self._session, self._coordinator)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """As `Session.run`, between the hooks."""
        if self._session is None:
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._session)
        asked = [hook.before_run(context) for hook in self._hooks]
        feed = dict(feed_dict or {})
        for more in asked:
            feed.update((more and more.feed_dict) or {})
        wanted = {"caller": fetches, **{str(i): a.fetches for i, a in enumerate(asked) if a is not None}}
        try:
            results = self._session.run(wanted, feed)
        except OutOfRangeError:
            self._stops = True
            raise
        for i, hook in enumerate(self._hooks):
            hook.after_run(context, SessionRunValues(results.get(str(i))))
        self._stops |= context.stop_requested
        return results["caller"]

    def run_step_fn(self, step_fn: Any) -> Any:
        """`step_fn(step_context)`, whose `session` runs without the hooks."""
        context = SessionRunContext(SessionRunArgs(None), self._session)
        context.run_with_hooks = self.run  # type: ignore[attr-defined]
        return step_fn(context)

    def should_stop(self) -> bool:
        """Whether a hook asked to stop, or the data have come to their end."""
        return self._stops or self._session is None or self._coordinator.should_stop()

    def close(self) -> None:
        """Tell the hooks that it ends, and close the session."""
        self._finish(None)

    def _finish(self, error: Any) -> None:
        if self._session is None:
            return
        try:
            if error is None:
                for hook in self._hooks:
                    hook.end(self._session)
        finally:
            self._session.close()
            self._session = None

    def __enter__(self) -> MonitoredSession:
        stack = contextlib.ExitStack()
        stack.enter_context(self._session.as_default())
        stack.enter_context(self.graph.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        ended = isinstance(error, (OutOfRangeError, StopIteration, CancelledError))
        self._entered.pop().close()
        self._finish(None if ended else error)
        return ended


SingularMonitoredSession = MonitoredSession


def MonitoredTrainingSession(
    master: str = "", is_chief: bool = True, checkpoint_dir: str | None = None, scaffold: Any = None, hooks: Any = None,
    chief_only_hooks: Any = None, save_checkpoint_secs: Any = None, save_summaries_steps: Any = None,
    save_summaries_secs: Any = None, config: Any = None, stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100, max_wait_secs: int = 7200, save_checkpoint_steps: Any = None,
    summary_dir: str | None = None,
) -> MonitoredSession:  # fmt: skip
    """A `MonitoredSession` that saves checkpoints (every 600 seconds unless told) and summaries (every 100 steps).

    Arguments:
        checkpoint_dir: folder of the checkpoints; none are saved or restored if None.
        scaffold: what it initializes and saves with.
        hooks, chief_only_hooks: the hooks.
        save_checkpoint_secs, save_checkpoint_steps: how often checkpoints are saved.
        save_summaries_steps, save_summaries_secs: how often summaries are written.
    """
    scaffold = scaffold or Scaffold()
    every: list[Any] = [*(hooks or ()), *(chief_only_hooks or ())]
    if checkpoint_dir:
        if save_checkpoint_steps or save_checkpoint_secs != 0:
            secs = None if save_checkpoint_steps else save_checkpoint_secs or 600
            every.append(CheckpointSaverHook(checkpoint_dir, secs, save_checkpoint_steps, scaffold=scaffold))
        if get_global_step() is not None and _graph.get_collection(_graph.GraphKeys.SUMMARIES):
            steps = None if save_summaries_secs else save_summaries_steps or 100
            every.append(SummarySaverHook(steps, save_summaries_secs, summary_dir or checkpoint_dir))
    return MonitoredSession(ChiefSessionCreator(scaffold, checkpoint_dir=checkpoint_dir), every)


class Supervisor:
    """Initializes or restores a session, and saves it when it ends.

    Arguments:
        logdir: folder of the checkpoints and summaries; none if None.
        init_op: operation that initializes; that of all variables if None.
        saver: what saves; one of all variables if None.
        save_model_secs: seconds between checkpoints; none are saved if 0.
        Others are accepted and not used.
    """

    def __init__(
        self, graph: Any = None, is_chief: bool = True, logdir: str | None = None, init_op: Any = None,
        init_feed_dict: Any = None, local_init_op: Any = None, summary_op: Any = None, saver: Any = None,
        global_step: Any = None, save_summaries_secs: int = 120, save_model_secs: int = 600, init_fn: Any = None,
        checkpoint_basename: str = "model.ckpt", summary_writer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        self.coord = Coordinator()
        with (graph or _graph.get_default_graph()).as_default():
            fn = None if init_fn is None else (lambda _, session: init_fn(session))
            made = Scaffold(init_op, init_feed_dict, fn, local_init_op=local_init_op, saver=saver or None)
            self._scaffold = made.finalize()
            self.global_step = global_step if global_step is not None else get_global_step()
        self.saver, self._graph, self._logdir = self._scaffold.saver, graph, logdir
        self.save_path = None if logdir is None else os.path.join(logdir, checkpoint_basename)
        self._seconds, self._saved_at = save_model_secs, time.monotonic()
        if logdir:
            os.makedirs(logdir, exist_ok=True)

    @contextlib.contextmanager
    def managed_session(self, master: str = "", config: Any = None, **kwargs: Any) -> Generator[Any]:
        """A session for a `with` block, which is saved at its end. The end of data ends the block quietly."""
        session = self.prepare_or_wait_for_session()
        try:
            with session.as_default(), session.graph.as_default():
                yield session
                self.stop()
        except OutOfRangeError:
            self.stop()
        finally:
            if self.save_path and self._seconds and self.saver is not None:
                self.saver.save(session, self.save_path, global_step=self.global_step)
            session.close()

    def prepare_or_wait_for_session(self, master: str = "", config: Any = None, **kwargs: Any) -> Any:
        """A session that is initialized or restored."""
        session = Session(graph=self._graph)
        with session.graph.as_default():
            self._scaffold.start(session, self._logdir)
        return session

    def should_stop(self) -> bool:
        """Whether somebody asked to stop."""
        return self.coord.should_stop()

    def request_stop(self, ex: Any = None) -> None:
        """Let `should_stop` be true."""
        self.coord.request_stop(ex)

    def stop(self, threads: Any = None, close_summary_writer: bool = True, **kwargs: Any) -> None:
        """The same."""
        self.coord.request_stop()

    def start_queue_runners(self, *args: Any, **kwargs: Any) -> list[Any]:
        """No threads: there are no queues here."""
        return []


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Write the names and kinds of the operations of a graph, as text."""
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    owner = graph_or_graph_def if hasattr(graph_or_graph_def, "get_operations") else _graph.get_default_graph()
    nodes = [f'node {{\n  name: "{op.name}"\n  op: "{op.type}"\n}}\n' for op in owner.get_operations()]
    atomic.write_text(path, "".join(nodes))
    return path


__all__ = [
    "ChiefSessionCreator", "Coordinator", "MonitoredSession", "MonitoredTrainingSession", "Scaffold",
    "SingularMonitoredSession", "Supervisor", "start_queue_runners", "write_graph",
]  # fmt: skip
