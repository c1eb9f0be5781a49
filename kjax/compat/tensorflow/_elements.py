"""Elements of a `tf.data.Dataset`: arrays in tuples and dictionaries, and functions of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kjax._core.tensors import Tensor, Variable
from kjax.compat.tensorflow import _graph


class Element(np.ndarray):
    """An array that also answers what scripts ask of an eager tensor."""

    def numpy(self) -> Any:
        """The plain array, or the number."""
        return plain(self)

    def get_shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.shape


def mapped(change: Callable[[Any], Any], element: Any) -> Any:
    """An element with each of its arrays changed."""
    if isinstance(element, tuple):
        parts = [mapped(change, part) for part in element]
        return type(element)(*parts) if hasattr(element, "_fields") else tuple(parts)
    if isinstance(element, dict):
        return {key: mapped(change, part) for key, part in element.items()}
    return change(element)


def filled(element: Any, values: Iterable[Any]) -> Any:
    """An element with values in the places of its arrays."""
    rest = iter(values)
    return mapped(lambda _: next(rest), element)


def row(arrays: Any, index: int) -> Any:
    """An element made of one row of each array."""
    return mapped(lambda array: array[index], arrays)


def leaves(element: Any) -> list[Any]:
    """The arrays of an element."""
    found: list[Any] = []
    mapped(found.append, element)
    return found


def array_of(value: Any) -> Any:
    """Data as an array of numpy; numbers of Python get 32 bits, as TensorFlow gives them."""
    array = np.asarray(value)
    if not isinstance(value, (np.ndarray, np.generic)) and not hasattr(value, "dtype"):
        narrow = {"f": np.float32, "i": np.int32}.get(array.dtype.kind)
        if narrow is not None and not _holds_arrays(value):
            array = array.astype(narrow)
    return array.astype(object) if array.dtype.kind == "U" else array


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and (hasattr(value[0], "dtype") or _holds_arrays(value[0]))


def plain(value: Any) -> Any:
    """A plain array of numpy, or a number."""
    array = np.asarray(value)
    return array[()] if array.ndim == 0 else array


def told(element: Any) -> Any:
    """An element as it is shown to programs."""
    return mapped(lambda leaf: leaf if hasattr(leaf, "flat_map") else np.asarray(leaf).view(Element), element)


def stacked(elements: list[Any]) -> Any:
    """Elements as one, whose arrays have a row for each."""
    first = elements[0]
    if isinstance(first, tuple):
        return tuple(stacked(list(parts)) for parts in zip(*elements, strict=True))
    if isinstance(first, dict):
        return {key: stacked([element[key] for element in elements]) for key in first}
    shapes = {np.shape(element) for element in elements}
    if len(shapes) > 1:
        raise ValueError(
            f"Cannot batch tensors with different shapes. Found: {sorted(shapes)}. Give the elements one shape first."
        )
    return np.array(elements) if shapes == {()} else np.stack(elements)


def called(function: Callable[..., Any], element: Any) -> Any:
    """What a function makes of an element, whose parts are its arguments."""
    shown = told(element)
    return function(*shown) if isinstance(element, tuple) else function(shown)


class Caller:
    """Calls a function on elements. If it answers with tensors, a program of its operations is used from then on.

    Arguments:
        function: of arrays or tensors.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.symbolic = False
        self.programs: dict[Any, Callable[[Any], Any] | None] = {}

    def __call__(self, element: Any) -> Any:
        """What the function makes of an element."""
        if self.symbolic:
            arrays = [np.asarray(leaf) for leaf in leaves(element)]
            key = tuple((array.shape, array.dtype.str) for array in arrays)
            if key not in self.programs:
                self.programs[key] = self._program(element)
            program = self.programs[key]
            if program is not None:
                return program(arrays)
        with _graph.Graph().as_default():
            result = _listed(called(self.function, element))
            if not self.symbolic and any(isinstance(leaf, (Tensor, Variable)) for leaf in leaves(result)):
                self.symbolic = True
                return self(element)
            return mapped(array_of, result)

    def _program(self, element: Any) -> Callable[[Any], Any] | None:
        """A program for elements of one structure and shape; None if the function needs values."""
        from kjax.compat.tensorflow._session import Session
        from kjax.compat.tensorflow.arrays import placeholder

        owner = _graph.Graph()
        owner.seed = _graph.get_default_graph().seed
        try:
            with owner.as_default():
                feeds: list[Any] = []

                def feed(leaf: Any) -> Any:
                    feeds.append(placeholder(np.asarray(leaf).dtype, np.shape(leaf)))
                    return feeds[-1]

                inputs = mapped(feed, element)
                made = self.function(*inputs) if isinstance(element, tuple) else self.function(inputs)
                result = _listed(made)
        except (TypeError, ValueError, AttributeError, IndexError, KeyError):  # it looks at values, or at strings
            return None
        fetched = leaves(result)
        wanted = [leaf for leaf in fetched if isinstance(leaf, (Tensor, Variable))]
        session = Session(graph=owner)

        def run(arrays: list[Any]) -> Any:
            values = iter(session.run(wanted, dict(zip(feeds, arrays, strict=True))))
            return mapped(lambda leaf: next(values) if isinstance(leaf, (Tensor, Variable)) else leaf, result)

        return run


def _listed(result: Any) -> Any:
    """A result in which lists of tensors are one tensor, as TensorFlow takes them."""
    from kjax.compat.tensorflow._arguments import convert

    def joined(leaf: Any) -> Any:
        if isinstance(leaf, list) and any(isinstance(part, (Tensor, Variable)) for part in leaf):
            return convert(leaf)
        return leaf if isinstance(leaf, (Tensor, Variable)) else array_of(leaf)

    return mapped(joined, result)


def windows(elements: Iterator[Any], size: int, shift: int, stride: int, drop: bool) -> Iterator[list[Any]]:
    """`size` elements, `stride` apart, then as many from `shift` elements later on; fewer at the end, or none."""
    span = (size - 1) * stride + 1
    held: list[Any] = []
    while True:
        held += itertools.islice(elements, span - len(held))
        if not held or (drop and len(held) < span):
            return
        yield held[::stride]
        passed = shift - len(held)
        del held[:shift]
        if passed > 0:
            next(itertools.islice(elements, passed - 1, passed), None)


def shuffled(elements: Iterator[Any], size: int, draws: np.random.RandomState) -> Iterator[Any]:
    """The elements in another order, each chosen among the next `size`."""
    held = list(itertools.islice(elements, size))
    for element in elements:
        i = int(draws.random_sample() * len(held))
        yield held[i]
        held[i] = element
    draws.shuffle(held)
    yield from held
