"""The queues of Keras around sources of batches, for those who take batches by hand."""

from __future__ import annotations

import threading
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from typing import Any

from kjax._core import notices
from kjax._core.arguments import accepts_old_names
from kjax._core.naming import get_uid
from kjax._core.stream import RanOut, Stream, Ways


class SequenceEnqueuer(metaclass=ABCMeta):
    """Base of the queues: `start` it, take batches from what `get` returns, `stop` it.

    Arguments:
        sequence: a `Sequence` or a generator.
        use_multiprocessing: whether processes fill the queue instead of threads.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence, self.use_multiprocessing = sequence, use_multiprocessing
        self.uid = get_uid("enqueuer")
        self.workers = 0
        self.stop_signal: threading.Event | None = None
        self._stream: Stream | None = None
        self._shuffle = False

    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to fill the queue.

        Arguments:
            workers: how many fetch batches at once.
            max_queue_size: batches kept ready.
        """
        if self.is_running():
            self.stop()
        self.workers = workers
        self.stop_signal = threading.Event()
        ways = Ways(max(1, workers), self.use_multiprocessing, max_queue_size)
        self._stream = Stream(self.sequence, ways=ways, shuffle=self._shuffle)

    def stop(self, timeout: float | None = None) -> None:
        """Fetch no more, and wait for workers that are at it, for `timeout` seconds at most."""
        if self.stop_signal is not None:
            self.stop_signal.set()
        if self._stream is not None:
            self._stream.close(timeout)

    @abstractmethod
    def get(self) -> Iterator[Any]:
        """The batches, one after the other. What a worker raised is raised here."""
        raise NotImplementedError

    def _batches(self, endless: bool) -> Iterator[Any]:
        stream = self._stream
        try:
            while stream is not None and self.is_running():
                batch = stream.next()
                if batch is not None:
                    # As in Keras, the next pass begins as soon as the last batch is out of the queue.
                    stream.end_pass(more=True)
                    yield batch
                elif not endless:
                    return
        except RanOut:
            return
        except GeneratorExit:
            raise
        except BaseException:
            self.stop(0)
            raise


class OrderedEnqueuer(SequenceEnqueuer):
    """Batches of a `Sequence` in order, however many workers fetch them; over and over, until it is stopped.

    After each pass the `Sequence` is told by `on_epoch_end`.

    Arguments:
        sequence: a `Sequence`.
        use_multiprocessing: whether workers are processes. The `Sequence` has to be such that it can be pickled.
        shuffle: whether each pass shuffles the order of the one before.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = self._shuffle = shuffle

    def join_end_of_epoch(self) -> None:
        """Does nothing: the `Sequence` has been told of the end of a pass before its last batch is given out."""

    def get(self) -> Iterator[Any]:
        """The batches, without end. What a worker raised is raised here."""
        return self._batches(endless=True)


class GeneratorEnqueuer(SequenceEnqueuer):
    """What a generator yields, in order. Its end is the end of what `get` returns.

    Arguments:
        sequence: the generator.
        use_multiprocessing: has no effect but a warning: a generator cannot be sent to another process.
        wait_time: has no effect; Keras 2.2 did not use it any more.
        random_seed: has no effect: the generator runs in this process.
    """

    @accepts_old_names("GeneratorEnqueuer")
    def __init__(
        self,
        sequence: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.random_seed = random_seed
        if wait_time is not None:
            notices.warn("`wait_time` is not used anymore.", DeprecationWarning)

    def get(self) -> Iterator[Any]:
        """What the generator yields. What it raises is raised here."""
        return self._batches(endless=False)
