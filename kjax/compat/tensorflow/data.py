"""`tf.data`: data sets as chains of Python iterators of numpy arrays, which `fit`, `evaluate` and `predict` take."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from collections.abc import Iterator as Elements
from types import SimpleNamespace
from typing import Any

import numpy as np

from kjax.compat.tensorflow import _missing
from kjax.compat.tensorflow._elements import (
    Caller,
    array_of,
    bound,
    called,
    filled,
    is_fed,
    leaves,
    looking,
    mapped,
    number,
    padded,
    plain,
    row,
    shuffled,
    stacked,
    windows,
)
from kjax.compat.tensorflow._iterators import Iterator
from kjax.compat.tensorflow._passes import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Passes, typed_element

AUTOTUNE = -1

_Draws = np.random.RandomState
_Pass = Callable[[_Draws], Elements[Any]]


class Dataset(Passes):
    """Elements that can be gone through again and again: arrays, or tuples and dictionaries of arrays.

    What is random follows numpy's global generator, from which each pass draws one number when it begins.

    Arguments:
        begin: given a generator of random numbers, makes the iterator of a pass.
        count: number of elements: -1 without end, -2 if it is not known.
        random: whether a pass draws random numbers.
    """

    # -- sources -----------------------------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """One element for each row of arrays, lists, or tuples and dictionaries of them.

        Raises:
            ValueError: if there is nothing to slice, or the numbers of rows differ.
        """
        arrays = mapped(array_of, tensors)
        shapes = [tuple(leaf.shape) for leaf in leaves(arrays)]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise ValueError(
                "Dataset.from_tensor_slices takes arrays with the same number of rows. "
                f"Found arrays of shapes: {shapes}."
            )
        rows = shapes[0][0]
        if any(is_fed(leaf) for leaf in leaves(arrays)):
            return Dataset(lambda _: _rows_of(mapped(bound, arrays)), rows or UNKNOWN_CARDINALITY)
        return Dataset(lambda _: (row(arrays, i) for i in range(rows)), rows)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element: what is given."""
        element = mapped(array_of, tensors)
        return Dataset(lambda _: iter((mapped(bound, element),)), 1)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple[Any, ...] | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What a function's generator or iterable gives, called anew for each pass.

        Arguments:
            generator: the function.
            output_types: dtype of an element, or a tuple or dictionary of dtypes; as they are if None.
            output_shapes: accepted, and not looked at.
            args: arguments of the function.
            output_signature: `tf.TensorSpec` in the place of `output_types`.

        Raises:
            TypeError: if `generator` is no function.
        """
        if not callable(generator):
            raise TypeError(
                "`generator` must be a Python callable that returns an iterable. "
                f"Found: {type(generator).__name__}. Pass the function itself, without calling it."
            )
        types = mapped(lambda spec: spec.dtype, output_signature) if output_signature is not None else output_types
        given = tuple(plain(leaf) for leaf in args or ())

        def begin(_: _Draws) -> Elements[Any]:
            items = iter(generator(*given))
            if looking() == 2:  # another element than in the first look, which may have another shape
                items = itertools.chain(itertools.islice(items, 1, None), generator(*given))
            return (typed_element(item, types) for item in items)

        return Dataset(begin, UNKNOWN_CARDINALITY)

    @staticmethod
    def range(*args: int, output_type: Any = "int64", name: str | None = None) -> Dataset:
        """Whole numbers: `stop`, `start, stop` or `start, stop, step`."""
        kind = str(np.dtype(output_type))
        if any(map(is_fed, args)):
            return Dataset(lambda _: iter(np.arange(*map(number, args), dtype=kind)), UNKNOWN_CARDINALITY)
        numbers = np.arange(*(int(a) for a in args), dtype=kind)
        return Dataset(lambda _: iter(numbers), len(numbers))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements side by side, as long as each data set of a tuple or dictionary has one."""
        parts = args[0] if len(args) == 1 else args or datasets
        found: list[Dataset] = leaves(parts)

        def begin(draws: _Draws) -> Elements[Any]:
            for side_by_side in zip(*[part._begin(draws) for part in found], strict=False):
                yield filled(parts, side_by_side)

        counts = [part._count for part in found]
        ends = [count for count in counts if count != INFINITE_CARDINALITY]
        count = UNKNOWN_CARDINALITY if UNKNOWN_CARDINALITY in counts else min(ends, default=INFINITE_CARDINALITY)
        return Dataset(begin, count, any(part._random for part in found))

    # -- order -------------------------------------------------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Dataset:
        """Elements in a random order: each is drawn from the next `buffer_size` ones.

        Arguments:
            buffer_size: how many are looked at.
            seed: makes the orders of the passes always the same ones.
            reshuffle_each_iteration: whether each pass has an order of its own.

        Raises:
            ValueError: if `buffer_size` is not positive.
        """
        _positive("buffer_size", buffer_size)
        passes = itertools.count()
        first: list[int] = []  # the seed of the one order, if there is only one

        def begin(draws: _Draws) -> Elements[Any]:
            if reshuffle_each_iteration is False:
                if not first:
                    first.append(draws.randint(2**31 - 1) if seed is None else int(seed) % 2**32)
                own = _Draws(first[0])
            else:
                own = draws if seed is None else _Draws([int(seed) % 2**32, next(passes)])
            return shuffled(self._begin(draws), number(buffer_size), own)

        return Dataset(begin, self._count, random=True)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """`count` passes, one after the other; without end if it is None or -1."""
        times = -1 if count is None else 1 if is_fed(count) else int(count)

        def begin(draws: _Draws) -> Elements[Any]:
            times = -1 if count is None else number(count)
            for _ in itertools.count() if times < 0 else range(times):
                empty = True
                for element in self._begin(draws):
                    empty = False
                    yield element
                if empty:
                    return

        total = self._count * times if self._count >= 0 and times >= 0 else self._count
        if times < 0 and self._count:
            total = INFINITE_CARDINALITY
        total = UNKNOWN_CARDINALITY if is_fed(count) else total
        return Dataset(begin, 0 if times == 0 else total, self._random)

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first `count` elements; all if it is -1."""
        if count < 0:
            return self
        total = count if self._count == INFINITE_CARDINALITY else min(count, self._count)
        return self._made(lambda elements: itertools.islice(elements, count), total)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All elements but the first `count`; none if it is -1."""
        if count < 0:
            return self.take(0)
        total = max(0, self._count - count) if self._count >= 0 else self._count
        return self._made(lambda elements: itertools.islice(elements, count, None), total)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every element whose number leaves `index` when it is divided by `num_shards`."""
        total = len(range(index, self._count, num_shards)) if self._count >= 0 else self._count
        return self._made(lambda elements: itertools.islice(elements, index, None, num_shards), total)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """These elements, then those of another data set."""
        counts = self._count, dataset._count
        total = sum(counts) if min(counts) >= 0 else UNKNOWN_CARDINALITY
        return Dataset(
            lambda draws: itertools.chain(self._begin(draws), _later(dataset, draws)),
            INFINITE_CARDINALITY if INFINITE_CARDINALITY in counts else total,
            self._random or dataset._random,
        )

    # -- elements ----------------------------------------------------------------------------------------------------

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """`batch_size` elements at a time, as arrays with one row each; a last smaller batch unless it is dropped.

        Raises:
            ValueError: if `batch_size` is not positive; when it is gone through, if the shapes of elements differ.
        """
        return self._grouped(batch_size, drop_remainder, stacked)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """As `batch`, of elements whose lengths differ: they are filled up.

        Arguments:
            padded_shapes: a shape for each array; None or -1 in it is the longest of the batch.
            padding_values: what arrays are filled up with; 0 if None.
        """
        return self._grouped(batch_size, drop_remainder, lambda group: padded(group, padded_shapes, padding_values))

    def _grouped(self, batch_size: Any, drop_remainder: bool, join: Callable[[list[Any]], Any]) -> Dataset:
        _positive("batch_size", batch_size)

        def batches(elements: Elements[Any]) -> Elements[Any]:
            size = number(batch_size)
            if looking() == 2 and not drop_remainder:
                size += 1  # the length of a batch may differ
            while group := list(itertools.islice(elements, size)):
                if len(group) < size and drop_remainder:
                    return
                yield join(group)

        if self._count < 0 or is_fed(batch_size):
            return self._made(batches, self._count if self._count < 0 else UNKNOWN_CARDINALITY)
        size = int(batch_size)
        return self._made(batches, self._count // size if drop_remainder else -(-self._count // size))

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of each element, one by one."""
        return self.flat_map(lambda *parts: Dataset.from_tensor_slices(parts[0] if len(parts) == 1 else parts))

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """What a function makes of each element. The parts of a tuple are its arguments.

        Functions of numpy are called with arrays, each time. A function that uses TensorFlow's operations is
        compiled for the shapes it meets.
        """
        caller = Caller(map_func)
        return self._made(lambda elements: (caller(element) for element in elements), self._count)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of which a function says True."""
        caller = Caller(predicate)
        count = UNKNOWN_CARDINALITY if self._count else 0
        return self._made(lambda elements: (e for e in elements if bool(caller(e))), count)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of the data sets that a function makes of each element, one data set after the other."""

        def begin(draws: _Draws) -> Elements[Any]:
            for element in self._begin(draws):
                yield from called(map_func, element)._begin(draws)

        return Dataset(begin, UNKNOWN_CARDINALITY if self._count else 0, random=True)

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Data sets of `size` elements each, `stride` apart; one begins `shift` elements after the other."""

        def made(elements: Elements[Any]) -> Elements[Any]:
            for group in windows(elements, size, shift or size, stride, drop_remainder):
                columns = zip(*map(leaves, group), strict=True)
                yield filled(group[0], [Dataset(lambda _, column=c: iter(column), len(c)) for c in columns])

        return self._made(made, UNKNOWN_CARDINALITY if self._count else 0)

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """(number, element), counted from `start`."""
        return self._made(lambda elements: ((np.int64(i), e) for i, e in enumerate(elements, start)), self._count)

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """Keeps the elements of the first whole pass in memory, for the later ones. `filename` is not used."""
        kept: list[Any] = []

        def begin(draws: _Draws) -> Elements[Any]:
            if kept:
                yield from kept[0]
                return
            elements: list[Any] = []
            for element in self._begin(draws):
                elements.append(element)
                yield element
            kept[:] = [elements]

        return Dataset(begin, self._count, self._random)

    def prefetch(self, buffer_size: int, name: str | None = None) -> Dataset:
        """The same elements: `fit` fetches batches ahead by itself."""
        return self._made(lambda elements: elements, self._count)

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """The same elements: options are without effect."""
        return self.prefetch(0)


def _later(dataset: Dataset, draws: _Draws) -> Elements[Any]:
    yield from dataset._begin(draws)


def _positive(name: str, value: Any) -> None:
    if not is_fed(value) and int(value) < 1:
        raise ValueError(f"`{name}` must be greater than zero. Found: {value}.")


def _rows_of(arrays: Any) -> Elements[Any]:
    lengths = {len(leaf) for leaf in leaves(arrays)}
    if len(lengths) != 1:
        raise ValueError(f"Dataset.from_tensor_slices was fed arrays with different numbers of rows: {lengths}.")
    return (row(arrays, i) for i in range(lengths.pop()))


class Options:
    """Options of a data set; without effect."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = self.__dict__[name] = Options()
        return made


experimental = SimpleNamespace(
    AUTOTUNE=AUTOTUNE,
    INFINITE_CARDINALITY=INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY=UNKNOWN_CARDINALITY,
    cardinality=lambda dataset: dataset.cardinality(),
)

TextLineDataset = Dataset._of_lines
make_one_shot_iterator = Dataset.make_one_shot_iterator
make_initializable_iterator = Dataset.make_initializable_iterator


__all__ = [
    "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "Iterator", "Options", "TextLineDataset",
    "experimental",
    "make_initializable_iterator", "make_one_shot_iterator",
]  # fmt: skip
__getattr__ = _missing.attribute("tensorflow.data", __all__)
