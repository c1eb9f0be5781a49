"""Iterators of `tf.data` in a graph: tensors that have the next element in each run of a session.

What an iterator gives is known from a first look at its data set: twice, with batches of another length, so that the
axes that may differ are those of unknown length. Each session goes through the data on its own.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Iterator as Elements
from typing import Any

import numpy as np

from kjax._core.tensors import Tensor
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import dtype_name
from kjax.compat.tensorflow._elements import bound_to, leaves, mapped
from kjax.compat.tensorflow._graph import HostOperation
from kjax.compat.tensorflow._nests import filled, flat
from kjax.compat.tensorflow._nests import mapped as mapped_nest
from kjax.compat.tensorflow.dtypes import as_dtype
from kjax.compat.tensorflow.errors import FailedPreconditionError, OutOfRangeError


class Spec:
    """The shape and the type of a part of an element."""

    def __init__(self, shape: Any, dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype


def spec_of(dataset: Any) -> tuple[Any, list[Tensor]]:
    """The structure of a data set's elements as `Spec`s, and the tensors that have to be fed for it.

    Raises:
        ValueError: if there is no element, or one that holds no numbers.
    """
    state = np.random.get_state()
    try:
        looks = []
        used: dict[Tensor, None] = {}
        for number in (1, 2):
            with bound_to({}, look=number) as binding:
                looks.append(next(dataset._elements(), None))
            used.update(dict.fromkeys(binding.used))
    finally:
        np.random.set_state(state)
    first = looks[0]
    if first is None:
        raise ValueError("The data set has no elements, so that their shapes are not known.")
    others = iter(leaves(looks[1] if looks[1] is not None else first))

    def spec(leaf: Any) -> Spec:
        one, other = np.asarray(leaf), np.asarray(next(others))
        if one.dtype.kind in "OSU":
            raise ValueError("kjax's iterators give numbers: elements with strings cannot be part of a graph.")
        shape = [a if a == b else None for a, b in zip(one.shape, other.shape, strict=True)]
        return Spec(shape, one.dtype)

    return mapped(spec, first), list(used)


class _Pass:
    """One way through a data set, with the values of what was fed when it began."""

    def __init__(self, dataset: Any, values: dict[Any, Any]) -> None:
        self._values = values
        with bound_to(values):
            self._elements: Elements[Any] = dataset._elements()

    def next(self) -> list[Any]:
        """The arrays of the next element."""
        with bound_to(self._values):
            for element in self._elements:
                return [np.asarray(leaf) for leaf in leaves(element)]
        raise OutOfRangeError(None, None, "End of sequence")


class Iterator:
    """Goes through a data set, one element in each run that needs one.

    Arguments:
        dataset: the data set, or None for one that `make_initializer` names.
        spec: structure of `Spec`s.
        symbols: tensors that are fed when it is initialized.
        one_shot: whether it begins by itself.
    """

    def __init__(self, dataset: Any, spec: Any, symbols: list[Tensor], one_shot: bool = False) -> None:
        self._dataset, self._spec, self._symbols, self._one_shot = dataset, spec, symbols, one_shot
        self._passes: weakref.WeakKeyDictionary[Any, _Pass] = weakref.WeakKeyDictionary()
        self._initializer: Any = None

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: Any = None, output_classes: Any = None
    ) -> Iterator:
        """An iterator for any data set with elements of these types and shapes: see `make_initializer`."""
        shapes = iter(_shapes_in(output_types, output_shapes))
        return Iterator(None, mapped_nest(lambda t: Spec(next(shapes), dtype_name(t)), output_types), [])

    @staticmethod
    def from_string_handle(*args: Any, **kwargs: Any) -> Any:
        """Not available."""
        raise NotImplementedError(
            "tf.data.Iterator.from_string_handle is not part of kjax's TensorFlow. `Iterator.from_structure` with one "
            "`make_initializer` for each data set serves programs that change between data sets."
        )

    @property
    def initializer(self) -> Any:
        """The operation that begins anew.

        Raises:
            ValueError: if it is one that begins by itself, or has no data set of its own.
        """
        if self._one_shot:
            raise ValueError("The iterator of `make_one_shot_iterator` begins by itself: it has no initializer.")
        if self._dataset is None:
            raise ValueError("Iterator.from_structure has no data set: use `make_initializer(dataset)`.")
        if self._initializer is None:
            self._initializer = self._begins(self._dataset, self._symbols, None)
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Any:
        """The operation that begins with a data set."""
        spec, symbols = spec_of(dataset)
        types = [np.dtype(part.dtype) for part in flat(self._spec)]
        given = [np.dtype(dtype_name(part.dtype)) for part in flat(spec)]
        if types != given:
            raise TypeError(f"The iterator gives elements of types {types}, the data set has {given}.")
        return self._begins(dataset, symbols, name)

    def _begins(self, dataset: Any, symbols: list[Tensor], name: str | None) -> Any:
        def begin(*values: Any) -> None:
            self._passes[default.holder] = _Pass(dataset, dict(zip(symbols, values, strict=True)))

        default = _graph.get_default_graph()
        return HostOperation(default, default.unique_name(name or "MakeIterator"), "MakeIterator", symbols, begin)

    def get_next(self, name: str | None = None) -> Any:
        """The tensors of an element: the next one in each run that needs them."""
        importlib.import_module("kjax.compat.tensorflow._session")  # a model of Keras pulls by a session, too
        default = _graph.get_default_graph()
        source = Source(self)
        tensors = []
        for part in flat(self._spec):
            tensor = Tensor(part.shape or [], dtype_name(part.dtype))
            if part.shape is None:
                tensor.__dict__.update(fed_shape=None, any_shape=True)
            tensor.__dict__["source"] = source
            tensors.append(tensor)
        source.tensors = tensors
        default.register(default.unique_name(name or "IteratorGetNext"), tensors, "IteratorGetNext")
        return filled(self._spec, tensors)

    def advance(self, session: Any) -> list[Any]:
        """The arrays of the next element in a session.

        Raises:
            OutOfRangeError: at the end.
            FailedPreconditionError: if it was not initialized.
        """
        found = self._passes.get(session)
        if found is None:
            if not self._one_shot:
                raise FailedPreconditionError(
                    None, None,
                    "GetNext() failed because the iterator has not been initialized. Run its `initializer` in this "
                    "session before.",
                )  # fmt: skip
            found = self._passes[session] = _Pass(self._dataset, {})
        return found.next()

    @property
    def output_types(self) -> Any:
        """The types of the parts of an element."""
        return mapped_nest(lambda part: as_dtype(part.dtype), self._spec)

    @property
    def output_shapes(self) -> Any:
        """The shapes of the parts of an element."""
        from kjax.compat.tensorflow._others import TensorShape

        return mapped_nest(lambda part: None if part.shape is None else TensorShape(part.shape), self._spec)

    @property
    def output_classes(self) -> Any:
        """`tf.Tensor` for each part of an element."""
        return mapped_nest(lambda _: Tensor, self._spec)


def _shapes_in(types: Any, shapes: Any) -> list[Any]:
    """The shape for each type."""
    count = len(flat(types))
    if shapes is None:
        return [None] * count
    if not isinstance(types, (tuple, list, dict)):
        return [list(shapes)]
    parts = shapes.values() if isinstance(shapes, dict) else shapes
    kinds = types.values() if isinstance(types, dict) else types
    return [shape for kind, part in zip(kinds, parts, strict=True) for shape in _shapes_in(kind, part)]


class Source:
    """What one `get_next` gives.

    Attributes:
        tensors: its tensors.
    """

    def __init__(self, iterator: Iterator) -> None:
        self._iterator, self.tensors = iterator, []

    def pull(self, session: Any, wanted: list[Any]) -> list[Any]:
        """The next values of some of its tensors."""
        arrays = self._iterator.advance(session)
        return [arrays[self.tensors.index(tensor)] for tensor in wanted]


def one_shot(dataset: Any) -> Iterator:
    """An iterator that begins by itself.

    Raises:
        ValueError: if something has to be fed.
    """
    spec, symbols = spec_of(dataset)
    if symbols:
        raise ValueError(
            f"A one-shot iterator cannot be made of what is fed: {symbols[0]!r}. Use `make_initializable_iterator`, "
            "and feed it when its `initializer` runs."
        )
    return Iterator(dataset, spec, [], one_shot=True)


def initializable(dataset: Any) -> Iterator:
    """An iterator that begins whenever its `initializer` runs."""
    return Iterator(dataset, *spec_of(dataset))


__all__ = ["Iterator", "initializable", "one_shot"]
