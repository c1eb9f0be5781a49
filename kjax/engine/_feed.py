"""Feeding: arrays placed once on the device and gathered by index, or cut into pieces that are sent one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
    wanted = _device_dtype(array.dtype)
    if array.nbytes >= _LARGE and (array.dtype != wanted or array.ctypes.data % ALIGNMENT):
        # Five times as fast as the copy that JAX would make of it.
        aligned = _aligned(array.shape, wanted)
        np.copyto(aligned, array, casting="unsafe")
        return aligned
    return np.ascontiguousarray(array, wanted)


def _device_dtype(dtype: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(dtype if dtype.isnative else dtype.newbyteorder("="))


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
        return jax.ShapeDtypeStruct(array.shape, _device_dtype(array.dtype))

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
        given: the arrays as they came, until `place` is called.
        data: the arrays, on the device once `place` was called.
        epochs_at_once: epochs whose order is drawn at once, so that one program runs them all.
    """

    def __init__(self, data: tuple[Arrays, Arrays, Arrays], batch_size: int, shuffle: bool | str) -> None:
        self.samples: int = data[0][0].shape[0]
        self.batch_size = min(batch_size, self.samples)
        self.shuffle = shuffle
        self._order = np.arange(self.samples, dtype=np.int32)
        self._drawn = False  # whether the order is already that of the next epoch
        self.full = self.samples // self.batch_size
        self.rest = self.samples % self.batch_size
        self.given: Any = data
        self.data: Any = jax.tree.map(without_copy, data)
        self.epochs_at_once = max(1, min(_INDEX_ROWS, _INDEX_ITEMS // self.batch_size) // self.steps)
        self.sizes = np.array([self.batch_size] * self.full + ([self.rest] if self.rest else []))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.full + (1 if self.rest else 0)

    def place(self) -> None:
        """Bring the arrays to the device."""
        self.data, self.given = place(self.data), None

    def order(self) -> np.ndarray:
        """The row numbers of the next epoch, in the order in which they are used.

        As in Keras, an epoch shuffles the order of the one before, so that a seed gives the same batches.
        """
        if self._drawn:
            self._drawn = False
        elif self.shuffle == "batch":
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
        return np.random.get_state(), self._order.copy(), self._drawn

    def rewind(self, mark: Any) -> None:
        """Go back to a mark, so that the same orders are drawn again."""
        state, order, self._drawn = mark
        np.random.set_state(state)
        self._order[:] = order

    def mark_after(self, mark: Any, epochs: int, underway: bool) -> Any:
        """Where the feed is `epochs` after a mark, though more orders have been drawn since.

        Arguments:
            underway: whether the last of these epochs is not done, so that its order is still in use.
        """
        now = self.mark()
        self.rewind(mark)
        for _ in range(epochs):
            self.order()
        state, order, _ = self.mark()
        self.rewind(now)
        return state, order, underway


class Held:
    """Arrays to validate on after each epoch.

    Arguments:
        data: (inputs, targets, weights), as for `ArrayFeed`.
        batch_size: samples in a batch.

    Attributes:
        data: the arrays, on the device once `place` was called.
        sizes: samples of each batch.
        fits: whether they may stay on the device while the model trains.
    """

    def __init__(self, data: tuple[Arrays, Arrays, Arrays], batch_size: int) -> None:
        samples: int = data[0][0].shape[0]
        self.batch_size = min(batch_size, samples)
        full, rest = divmod(samples, self.batch_size)
        self.sizes = np.array([self.batch_size] * full + ([rest] if rest else []))
        self.data: Any = data
        self.fits = sum(array.nbytes for array in jax.tree.leaves(data)) <= _HELD_BYTES

    def place(self) -> None:
        """Bring the arrays to the device."""
        self.data = place(self.data)


def rows_at_once(data: Any, batch_size: int, widest: int) -> int:
    """How many samples are tested or predicted together, a power of two.

    Arguments:
        batch_size: what was asked for: at least nearly as many.
        widest: bytes of the widest tensor of the model for one sample.
    """
    row = max(1, widest, sum(array.nbytes // max(1, array.shape[0]) for array in jax.tree.leaves(data)))
    return _power_below(max(min(_SCAN_SAMPLES, _SCAN_BYTES // row), min(batch_size, _SCAN_SAMPLES)))


def _power_below(number: int) -> int:
    return 1 << (max(1, number).bit_length() - 1)


def power_above(number: int) -> int:
    """The least power of two that is not below `number`."""
    return 1 << (number - 1).bit_length()


def cut(data: Any, first: int, count: int, size: int) -> Any:
    """The samples from `first` on, `count` of them, filled up with zeros to `size`."""

    def part(array: Any) -> Any:
        rows = array[first : first + count]
        if rows.shape[0] == size:
            return rows
        filled = np.zeros((size, *rows.shape[1:]), rows.dtype)
        filled[: rows.shape[0]] = rows
        return filled

    return jax.tree.map(part, data)


def scan_batches(data: Any, samples: int, batch_size: int) -> Iterator[tuple[Any, int, int]]:
    """Cut arrays into pieces for testing and predicting: (piece, batches, samples), a piece being (batches, size, ...).

    All full pieces have one shape, and the last one is filled up to it with zeros; a ragged last batch comes alone.
    `batches` says how many are real.
    """
    size = min(batch_size, samples)
    full = samples // size
    row = sum(a.nbytes // max(1, a.shape[0]) for a in jax.tree.leaves(data))
    most = max(1, min(_SCAN_SAMPLES, _SCAN_BYTES // max(1, row)) // size)
    capacity = min(most, power_above(full))
    for first in range(0, full, capacity):
        batches = min(capacity, full - first)
        piece = cut(data, first * size, batches * size, capacity * size)
        yield _in_batches(piece, capacity), batches, batches * size
    if rest := samples % size:
        yield _in_batches(cut(data, full * size, rest, rest), 1), 1, rest


def _in_batches(data: Any, batches: int) -> Any:
    return jax.tree.map(lambda a: a.reshape(batches, -1, *a.shape[1:]), data)
