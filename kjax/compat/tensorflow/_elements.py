"""Elements of a `tf.data.Dataset`: arrays in tuples and dictionaries, and functions of them."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from kjax._core import scope
from kjax._core.held import Held
from kjax._core.tensors import Tensor, Variable
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._fetches import HostTensor


class Element(np.ndarray):
    """An array that also answers what scripts ask of an eager tensor."""

    def numpy(self) -> Any:
        """The plain array, or the number."""
        return plain(self)

    def get_shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Nothing is left to be said: the shape is known."""


class Text(str):
    """A string that is also decoded like the bytes that TensorFlow gives."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The plain string."""
        return str(self)


# -- what is fed -------------------------------------------------------------------------------------------------------


class Binding:
    """Values of tensors that data sets are made of.

    Attributes:
        values: tensor to value.
        look: 0; or 1 or 2 for a first or second look at shapes alone, in which such tensors are zeros.
        used: the tensors that were asked for in a look.
    """

    def __init__(self, values: dict[Any, Any], look: int) -> None:
        self.values, self.look = values, look
        self.used: dict[Any, None] = {}


class _Local(threading.local):
    binding: Binding | None = None


_local = _Local()
_ROWS = 64  # of an array of unknown length, in a look


@contextlib.contextmanager
def bound_to(values: dict[Any, Any], look: int = 0) -> Generator[Binding]:
    """Let tensors stand for values inside of a `with` block."""
    outer, _local.binding = _local.binding, Binding(values, look)
    try:
        yield _local.binding
    finally:
        _local.binding = outer


def looking() -> int:
    """The number of the look at shapes, or 0."""
    return 0 if _local.binding is None else _local.binding.look


def is_fed(value: Any) -> bool:
    """Whether a value is a tensor that has none of its own."""
    return isinstance(value, Tensor) and not value.known


def bound(value: Any) -> Any:
    """What a part of a data set's source is now.

    Raises:
        ValueError: for a tensor that has to be fed, and was not.
    """
    if not is_fed(value):
        return value
    binding = _local.binding
    if binding is not None and value in binding.values:
        return np.asarray(binding.values[value])
    if binding is None or not binding.look:
        raise ValueError(
            f"The data set is made of {value!r}, which is fed: use `make_initializable_iterator`, and feed it when the "
            "iterator's `initializer` runs."
        )
    binding.used[value] = None
    return np.zeros([_ROWS if d is None else d for d in value.shape] or (), value.dtype)


def number(value: Any) -> int:
    """A number of a data set, such as the length of a batch, which may be a tensor."""
    if is_fed(value):
        found = int(bound(value))
        return found or 2 if looking() else found
    return int(np.asarray(value))


# -- elements ----------------------------------------------------------------------------------------------------------


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
    if is_fed(value):
        return value
    if isinstance(value, (Held, HostTensor)):
        value = value.held if isinstance(value, Held) else _decoded(value.numpy())
    array = np.asarray(value)
    if not isinstance(value, (np.ndarray, np.generic)) and not hasattr(value, "dtype"):
        narrow = {"f": np.float32, "i": np.int32}.get(array.dtype.kind)
        if narrow is not None and not _holds_arrays(value):
            array = array.astype(narrow)
    return np.vectorize(Text, otypes=[object])(array) if array.dtype.kind == "U" else array


def _decoded(strings: Any) -> Any:
    """Strings of bytes as an array of strings."""
    return np.vectorize(bytes.decode, otypes=["U"])(np.asarray(strings, object))


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and (hasattr(value[0], "dtype") or _holds_arrays(value[0]))


def plain(value: Any) -> Any:
    """A plain array of numpy, or a number."""
    array = _as_array(value)
    return array[()] if array.ndim == 0 else array


def _as_array(value: Any) -> np.ndarray:
    return np.asarray(value, object if isinstance(value, (str, bytes)) else None)


def told(element: Any) -> Any:
    """An element as it is shown to programs."""
    return mapped(lambda leaf: leaf if hasattr(leaf, "flat_map") else _as_array(leaf).view(Element), element)


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


def padded(elements: list[Any], shapes: Any, values: Any) -> Any:
    """Elements as one, whose arrays are filled up to common lengths, or to given ones."""
    columns = zip(*map(leaves, elements), strict=True)
    count = len(leaves(elements[0]))
    ends = [None] * count if shapes is None else _listed_shapes(shapes, count)
    fills = [0] * count if values is None else leaves(values) if isinstance(values, (tuple, dict)) else [values] * count
    return filled(elements[0], [_padded(list(c), e, f) for c, e, f in zip(columns, ends, fills, strict=True)])


def _listed_shapes(shapes: Any, count: int) -> list[Any]:
    if isinstance(shapes, dict):
        return list(shapes.values())
    nested = isinstance(shapes, tuple) and all(hasattr(s, "__len__") for s in shapes) and len(shapes) == count
    return list(shapes) if nested and shapes else [shapes]


def _padded(arrays: list[Any], shape: Any, fill: Any) -> np.ndarray:
    arrays = [np.asarray(a) for a in arrays]
    longest = np.max([a.shape for a in arrays], axis=0).astype(int) if arrays[0].ndim else []
    more = 1 if looking() == 2 else 0
    given = [None] * arrays[0].ndim if shape is None else [None if d in (None, -1) else int(d) for d in shape]
    ends = [n + more if d is None else d for d, n in zip(given, longest, strict=True)]
    if any(n > d for d, n in zip(ends, longest, strict=True)):
        raise ValueError(f"padded_batch cannot shorten: elements of shape {tuple(longest)} for {given}.")
    result = np.full((len(arrays), *ends), fill, arrays[0].dtype)
    for i, a in enumerate(arrays):
        result[(i, *(slice(n) for n in a.shape))] = a
    return result


def called(function: Callable[..., Any], element: Any) -> Any:
    """What a function makes of an element, whose parts are its arguments."""
    shown = told(element)
    return function(*shown) if isinstance(element, tuple) else function(shown)


@contextlib.contextmanager
def _graph_of_elements() -> Generator[None]:
    owner = _graph.Graph()
    owner.of_elements = True
    with owner.as_default():
        yield


class Caller:
    """Calls a function on elements. If it answers with tensors, a program of its operations is used from then on.

    If there can be no program, as for strings, its operations are computed one after the other.

    Arguments:
        function: of arrays or tensors.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.symbolic = False
        self.key: Any = None
        self.count = 0
        self.programs: dict[Any, Callable[[Any], Any] | None] = {}

    def __call__(self, element: Any) -> Any:
        """What the function makes of an element."""
        if self.symbolic:
            arrays = [np.asarray(leaf) for leaf in leaves(element)]
            key = tuple((array.shape, array.dtype.str) for array in arrays)
            if key not in self.programs:
                self.programs[key] = self._program(element)
            program = self.programs[key]
            return self._now(element) if program is None else program(arrays)
        try:
            with _graph_of_elements():
                result = _listed(called(self.function, element))
                if not any(isinstance(leaf, (Tensor, Variable)) for leaf in leaves(result)):
                    return mapped(array_of, result)
        except TypeError:  # such as an `if` by what an operation computes
            made = self._now(element)
            self.symbolic = True
            return made
        self.symbolic = True
        return self(element)

    def _now(self, element: Any) -> Any:
        """What the function makes of an element, each of its operations computed at once."""
        if self.key is None:
            seed = _graph.get_default_graph().seed
            self.key = scope.fresh_key() if seed is None else jax.random.key(seed % 2**32)
        self.count += 1
        key = jax.random.fold_in(self.key, self.count)
        with scope.suspended(), _graph_of_elements(), scope.Scope(key=key, eager=True):
            return mapped(array_of, _listed(called(self.function, element)))

    def _program(self, element: Any) -> Callable[[Any], Any] | None:
        """A program for elements of one structure and shape; None if the function needs values."""
        from kjax.compat.tensorflow._session import Session
        from kjax.compat.tensorflow.arrays import placeholder

        owner = _graph.Graph()
        owner.seed, owner.of_elements = _graph.get_default_graph().seed, True
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
