"""Feeding: arrays placed once on the device and gathered by index; streams of batches fetched ahead by a thread."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from kjax.engine._rows import ALIGNMENT, without_copy

Arrays = list[Any]

# Rows of an index that are prepared at once, so that many short epochs run in one program. There are few enough of them
# to be sent anew for each epoch where something watches epochs.
_INDEX_ROWS = 1024
_INDEX_ITEMS = 2**16
# Samples that predict and evaluate send to the device at once, and the most bytes of them.
_SCAN_SAMPLES = 4096
_SCAN_BYTES = 2**26


# Bytes of data to validate on up to which they stay on the device while the model trains.
_HELD_BYTES = 2**26
# Bytes from which on an array is not left for JAX to copy.
_LARGE = 2**20


def host_ready(array: Any) -> Any:
    """A host array in a type that the device keeps: 64-bit numbers become 32-bit ones unless JAX computes in 64."""
    if isinstance(array, jax.Array):
        return array
    wanted = jax.dtypes.canonicalize_dtype(array.dtype)
    if array.nbytes >= _LARGE and (array.dtype != wanted or array.ctypes.data % ALIGNMENT):
        # Five times as fast as the copy that JAX would make of it.
        aligned = _aligned(array.shape, wanted)
        np.copyto(aligned, array, casting="unsafe")
        return aligned
    return np.ascontiguousarray(array, wanted)


def _aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + size].view(dtype).reshape(shape)


def outline(data: Any) -> Any:
    """What `data` will be on the device, without being there: shapes and types."""

    def one(array: Any) -> Any:
        if isinstance(array, jax.Array):
            return array
        return jax.ShapeDtypeStruct(array.shape, jax.dtypes.canonicalize_dtype(array.dtype))

    return jax.tree.map(one, data)


def place(data: Any) -> Any:
    """Arrays on the device."""
    return jax.device_put(jax.tree.map(host_ready, data))


class ArrayFeed:
    """Arrays to train on, and the order in which their rows form batches.

    Arguments:
        data: (inputs, targets, weights), lists of arrays of equal length; a weight may be None.
        batch_size: samples in a batch.
        shuffle: True: a new order every epoch; False: as they are; 'batch': batches shuffled, their rows kept together.

    Attributes:
        data: the arrays, on the device once `place` was called.
        epochs_at_once: epochs whose order is drawn at once, so that one program runs them all.
    """

    def __init__(self, data: tuple[Arrays, Arrays, Arrays], batch_size: int, shuffle: bool | str) -> None:
        self.samples: int = data[0][0].shape[0]
        self.batch_size = min(batch_size, self.samples)
        self.shuffle = shuffle
        self._order = np.arange(self.samples, dtype=np.int32)
        self.full = self.samples // self.batch_size
        self.rest = self.samples % self.batch_size
        self.data: Any = jax.tree.map(without_copy, data)
        self.epochs_at_once = max(1, min(_INDEX_ROWS, _INDEX_ITEMS // self.batch_size) // self.steps)
        self.sizes = np.array([self.batch_size] * self.full + ([self.rest] if self.rest else []))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.full + (1 if self.rest else 0)

    def place(self) -> None:
        """Bring the arrays to the device."""
        self.data = place(self.data)

    def order(self) -> np.ndarray:
        """The row numbers of the next epoch, in the order in which they are used.

        As in Keras, an epoch shuffles the order of the one before, so that a seed gives the same batches.
        """
        if self.shuffle == "batch":
            whole = self._order[: self.full * self.batch_size]
            np.random.shuffle(whole.reshape(self.full, self.batch_size))
        elif self.shuffle:
            np.random.shuffle(self._order)
        return self._order

    def indices(self, epochs: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Row numbers of the next `epochs` epochs: full batches (rows, size), and ragged ones (epochs, rest) if any.

        There is always room for `epochs_at_once` epochs, so that programs are compiled once; what is beyond is zeros.
        """
        room = np.zeros((self.epochs_at_once, self.samples), np.int32)
        for row in room[:epochs]:
            row[:] = self.order()
        cut = self.full * self.batch_size
        index = room[:, :cut].reshape(self.epochs_at_once * self.full, self.batch_size)
        return index, np.ascontiguousarray(room[:, cut:]) if self.rest else None

    def mark(self) -> Any:
        """Where the feed and numpy's generator are, for `rewind`."""
        return np.random.get_state(), self._order.copy()

    def rewind(self, mark: Any) -> None:
        """Go back to a mark, so that the same orders are drawn again."""
        state, order = mark
        np.random.set_state(state)
        self._order[:] = order


class Held:
    """Arrays to validate on after each epoch, cut into batches.

    Arguments:
        data: (inputs, targets, weights), as for `ArrayFeed`.
        batch_size: samples in a batch.

    Attributes:
        data: (full batches, shorter ones), each with the number of batches in front, or None if there are none.
        batches: how many of each.
        sizes: samples of each batch.
    """

    def __init__(self, data: tuple[Arrays, Arrays, Arrays], batch_size: int) -> None:
        samples: int = data[0][0].shape[0]
        size = min(batch_size, samples)
        full, rest = divmod(samples, size)
        self.batches = (full, 1 if rest else 0)
        self.sizes = np.array([size] * full + ([rest] if rest else []))

        def cut(first: int, batches: int, size: int) -> Any:
            return jax.tree.map(lambda a: a[first : first + batches * size].reshape(batches, size, *a.shape[1:]), data)

        self.data: Any = cut(0, full, size), cut(full * size, 1, rest) if rest else None
        self.fits = sum(array.nbytes for array in jax.tree.leaves(data)) <= _HELD_BYTES

    def place(self) -> None:
        """Bring the arrays to the device."""
        self.data = place(self.data)


def scan_batches(data: Any, samples: int, batch_size: int) -> Iterator[tuple[Any, int, int]]:
    """Cut arrays into pieces for testing and predicting: (piece, batches, samples), a piece being (batches, size, ...).

    All full pieces have one shape, and the last one is filled up to it with what follows or zeros; a ragged last
    batch comes alone. `batches` says how many are real.
    """
    size = min(batch_size, samples)
    full = samples // size
    row = sum(a.nbytes // max(1, a.shape[0]) for a in jax.tree.leaves(data))
    most = max(1, min(_SCAN_SAMPLES, _SCAN_BYTES // max(1, row)) // size)
    capacity = min(most, 1 << (full - 1).bit_length())
    for first in range(0, full, capacity):
        batches = min(capacity, full - first)
        yield _piece(data, first * size, capacity, size), batches, batches * size
    if samples % size:
        yield _piece(data, full * size, 1, samples % size), 1, samples % size


def _piece(data: Any, first: int, batches: int, size: int) -> Any:
    def cut(array: Any) -> Any:
        rows = array[first : first + batches * size]
        if rows.shape[0] < batches * size:
            rows = np.concatenate([rows, np.zeros((batches * size - rows.shape[0], *rows.shape[1:]), rows.dtype)])
        return rows.reshape(batches, size, *rows.shape[1:])

    return jax.tree.map(cut, data)


class RanOut(Exception):
    """A source of batches, started over, gave no more: a generator that has ended."""


class Stream:
    """Batches of an iterable, fetched by a thread ahead of their use.

    Arguments:
        make: returns a fresh iterator; called again when the last one ends and more is wanted.
        prepare: turns an item into what `next` returns; runs in the thread.
        ahead: how many are kept ready.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], prepare: Callable[[Any], Any], ahead: int = 10) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(max(1, ahead))
        self._stop = threading.Event()
        self._make, self._prepare = make, prepare
        self.given = False  # whether a batch has been taken
        self._thread = threading.Thread(target=self._work, daemon=True, name="kjax-feed")
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                count = 0
                for item in self._make():
                    count += 1
                    if not self._put(("item", self._prepare(item))):
                        return
                if not self._put(("end", count)) or count == 0:
                    return
        except BaseException as error:  # handed to the thread that asks for the next batch
            self._put(("error", error))

    def _put(self, entry: tuple[str, Any]) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def next(self) -> Any:
        """The next batch, or None at an end of the iterable.

        Raises:
            RanOut: if no more will come.
            Exception: what the iterable raised.
        """
        kind, value = self._queue.get()
        if kind == "error":
            raise value
        if kind == "end" and value == 0:
            raise RanOut
        return value if kind == "item" else None

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()


def steps_of(source: Any) -> int | None:
    """The number of batches that a source of batches tells, if it does."""
    try:
        return len(source)
    except TypeError:
        return None


def iterator_maker(source: Any, shuffle: Sequence[int] | bool = False) -> Callable[[], Iterator[Any]]:
    """A function that starts over a source of batches: a generator, an iterable, or a `Sequence` with random access."""
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):

        def over_sequence() -> Iterator[Any]:
            order = np.arange(len(source))
            if shuffle:
                np.random.shuffle(order)
            for i in order:
                yield source[int(i)]
            if hasattr(source, "on_epoch_end"):
                source.on_epoch_end()

        return over_sequence
    return lambda: iter(source)
