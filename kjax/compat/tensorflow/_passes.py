"""Going through a `tf.data.Dataset`: what all data sets have, whatever their elements are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from collections.abc import Iterator as Elements
from typing import Any, TypeVar

import numpy as np

from kjax.compat.tensorflow import _iterators, gfile
from kjax.compat.tensorflow._elements import Caller, array_of, mapped, plain, told
from kjax.compat.tensorflow._iterators import Iterator
from kjax.compat.tensorflow._nests import mapped as mapped_nest
from kjax.compat.tensorflow.errors import InvalidArgumentError

INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2
_Draws = np.random.RandomState
_Pass = Callable[[_Draws], Elements[Any]]
_Self = TypeVar("_Self", bound="Passes")


class Passes:
    """Base of `Dataset`: its passes."""

    def __init__(self, begin: _Pass, count: int, random: bool = False) -> None:
        self._begin, self._count, self._random = begin, int(count), random

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: Any = None
    ) -> Any:
        """The paths that fit a pattern, or one of several; in a random order unless `shuffle` is False.

        Raises:
            InvalidArgumentError: if there are none.
        """
        patterns = [str(p) for p in np.ravel(array_of(file_pattern))]
        found = gfile.Glob(patterns)
        if not found:
            raise InvalidArgumentError(None, None, f"No files matched pattern: {', '.join(patterns)}")
        paths = cls.from_tensor_slices(np.array(found))  # type: ignore[attr-defined]
        return paths if shuffle is False else paths.shuffle(len(found), seed)

    @classmethod
    def _of_lines(
        cls, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None
    ) -> Any:
        """The lines of text files, one file after the other.

        Raises:
            NotImplementedError: for compressed files.
        """
        if compression_type:
            raise NotImplementedError("tf.data.TextLineDataset reads plain text: unpack the files first.")
        if not isinstance(filenames, Passes):
            filenames = cls.from_tensor_slices(np.ravel(array_of(filenames)))  # type: ignore[attr-defined]

        def lines(path: Any) -> Elements[Any]:
            with gfile.GFile(str(plain(path))) as file:
                for line in file:
                    yield array_of(line.rstrip("\r\n"))

        return filenames._made(lambda paths: itertools.chain.from_iterable(map(lines, paths)), UNKNOWN_CARDINALITY)

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """What a function makes of the data set."""
        return transformation_func(self)

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any], name: str | None = None) -> Any:
        """`state = reduce_func(state, element)` for each element, from `initial_state` on."""
        caller = Caller(reduce_func)
        state = mapped(array_of, initial_state)
        for element in self._elements():
            state = caller((state, element))
        return told(state)

    def _made(self: _Self, change: Callable[[Elements[Any]], Elements[Any]], count: int) -> _Self:
        """A data set that changes the passes of this one."""
        return type(self)(lambda draws: change(self._begin(draws)), count, self._random)

    def _elements(self) -> Elements[Any]:
        # One number here and now: what is drawn later may be drawn by another thread.
        return self._begin(_Draws(np.random.randint(2**31 - 1) if self._random else 0))

    def __iter__(self) -> Elements[Any]:
        return map(told, self._elements())

    def as_numpy_iterator(self) -> Elements[Any]:
        """Goes through it as numpy's arrays and numbers."""
        return (mapped(plain, element) for element in self._elements())

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator for a graph, which begins by itself in each session."""
        return _iterators.one_shot(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator for a graph, which begins whenever its `initializer` runs."""
        return _iterators.initializable(self)

    @property
    def element_spec(self) -> Any:
        """The shapes and types of an element."""
        from kjax.compat.tensorflow._others import TensorSpec

        return mapped_nest(lambda part: TensorSpec(part.shape, part.dtype), _iterators.spec_of(self)[0])

    @property
    def output_types(self) -> Any:
        """The types of the parts of an element."""
        return _iterators.initializable(self).output_types

    @property
    def output_shapes(self) -> Any:
        """The shapes of the parts of an element."""
        return _iterators.initializable(self).output_shapes

    def cardinality(self, name: str | None = None) -> Any:
        """Number of elements: -1 without end, -2 if it is not known."""
        return told(np.int64(self._count))

    def __len__(self) -> int:
        if self._count < 0:
            reason = "has no end" if self._count == INFINITE_CARDINALITY else "has a length that is not known"
            raise TypeError(f"The dataset {reason}, so `len` cannot tell it.")
        return self._count

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<kjax tf.data.Dataset of {self._count if self._count >= 0 else 'an unknown number of'} elements>"


def typed_element(item: Any, types: Any) -> Any:
    """An element of a generator, with the dtypes that were declared."""
    if isinstance(types, (tuple, list)):
        return tuple(typed_element(part, t) for part, t in zip(item, types, strict=True))
    if isinstance(types, dict):
        return {key: typed_element(item[key], t) for key, t in types.items()}
    if types is None:
        return mapped(array_of, item)
    return np.asarray(item, object if types == "string" else np.dtype(types))
