"""Symbolic tensors and variables: what stands between the nodes of the graph.

Their operators (`x + 1`) are given to them by `kjax._core.graph`, since an operator makes a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import config, naming, operators, scope
from kjax._core.dims import Dim, Shape

if TYPE_CHECKING:
    from kjax._core.graph import Node


class Symbolic:
    """Base of tensors and variables, on which the operators are installed."""

    __array_priority__ = 100  # numpy arrays on the left leave the operation to us

    if TYPE_CHECKING:

        def _binary(self, other: Any) -> Any: ...
        def _unary(self) -> Any: ...

        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _binary
        __and__ = __or__ = __rand__ = __ror__ = __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = _binary
        __neg__ = __abs__ = __invert__ = _unary


class Tensor(Symbolic):
    """A symbolic value: a leaf that a caller feeds, or the output of a node.

    Attributes:
        shape: its dimensions, None where unknown.
        dtype: its numpy type.
        node, index: the node that computes it and its place among the outputs; `node` is None for a leaf.
        mask: the tensor that says which time steps count, or None.
        masked: for a tensor that is a mask: the tensor whose mask it is.
        sparse: whether it is fed with sparse matrices, which are made dense.
        static: for a value known while tracing (a shape): what it is when unknown dimensions are a given number.
        known: whether it depends on no leaf that a caller feeds: then it has a value of its own.
    """

    known = False

    def __init__(
        self,
        shape: Iterable[Dim],
        dtype: Any = None,
        name: str | None = None,
        node: Node | None = None,
        index: int = 0,
        static: Callable[[int], Any] | None = None,
    ) -> None:
        self.shape = Shape(shape)
        self.dtype = jnp.dtype(dtype or config.floatx())
        self.name = name or naming.unique_name("tensor")
        self.node = node
        self.index = index
        self.static = static
        self.mask: Tensor | None = None
        self.masked: Tensor | None = None
        self.sparse = False
        self._keras_history: Any = None
        self._phase_told: bool | None = None  # what a program said of `_uses_learning_phase`

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def _keras_shape(self) -> tuple[Dim, ...]:
        return tuple(self.shape)

    @property
    def _uses_learning_phase(self) -> bool:
        """Whether the value differs between training and testing."""
        from kjax._core import graph

        return graph.uses_phase([self]) if self._phase_told is None else self._phase_told

    @_uses_learning_phase.setter
    def _uses_learning_phase(self, value: Any) -> None:
        self._phase_told = bool(value)

    @property
    def _keras_mask(self) -> Tensor | None:
        return self.mask

    def get_shape(self) -> Shape:
        """The shape, as TensorFlow 1 spelled it."""
        return self.shape

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"Cannot iterate over {self!r}: its first dimension is not known.")
        rows, count = cast("tuple[Any, int]", (self, self.shape[0]))
        return (rows[i] for i in range(count))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so it cannot be tested. Use `K.switch`, or compare in a layer's `call`."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if not self.known:
            raise TypeError(f"{self!r} has no value yet. `K.eval`, `K.function` or `Model.predict` compute values.")
        return np.array(self._compute(), dtype)

    def numpy(self) -> np.ndarray:
        """The value of a tensor that depends on nothing that is fed."""
        return self.__array__()

    def _compute(self) -> Any:
        """The value of a tensor that is known. Given by `kjax._core.graph`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f'<kjax.Tensor "{self.name}" shape={tuple(self.shape)} dtype={self.dtype.name}>'


class Constant(Tensor):
    """A leaf with a value that never changes.

    Arguments:
        value: an array of numpy or JAX.
        name: its name; counted up if None.
    """

    known = True

    def __init__(self, value: Any, name: str | None = None) -> None:
        super().__init__(value.shape, value.dtype, name or naming.unique_name("const"))
        self.value = value


class Variable(Symbolic):
    """A leaf that holds a value: a weight, a state, or a hyperparameter.

    Arguments:
        value: its first value: anything that numpy can make an array of.
        dtype: its type; `K.floatx()` for floats if None.
        name: its name; counted up if None.
        trainable: whether an optimizer may change it.
        constraint: function applied to its value after each update of an optimizer, or None.
    """

    _uses_learning_phase = False
    draw: Callable[[], Any] | None = None  # new first values, for a weight of a layer

    def __init__(
        self,
        value: Any,
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
    ) -> None:
        array = np.asarray(value)
        if dtype is None:
            dtype = config.floatx() if array.dtype.kind == "f" else jax.dtypes.canonicalize_dtype(array.dtype)
        self.name = name or naming.unique_name("variable")
        self.trainable = trainable
        self.constraint = constraint
        self.dtype = jnp.dtype(dtype)
        self.shape = Shape(array.shape)
        self.mask = None
        # A copy: training takes over the memory of what a variable holds. One number that only looks like an array has
        # no memory to be taken over, and gets some when the variable is used.
        repeated = array.size > 1 and not any(array.strides) and array.dtype == self.dtype
        self._array: Any = array if repeated else np.array(array, self.dtype)

    def becomes_weight(self) -> bool:
        """Whether a layer has it as a weight by having it as an attribute; not one of `K.variable`, as in Keras 2.2."""
        return False

    @property
    def initialized(self) -> bool:
        """Whether it holds a value."""
        return self._array is not None

    @property
    def stored(self) -> jax.Array:
        """The array that the variable holds outside of any scope, placed on the device when first asked for."""
        if not isinstance(self._array, jax.Array):
            with jax.ensure_compile_time_eval():
                self._array = jax.device_put(self._array)
        return self._array

    @property
    def value(self) -> Any:
        """What the variable stands for: its traced value in a program, its array elsewhere."""
        opened = scope.current()
        return self.stored if opened is None else opened.read(self)

    @property
    def is_unfilled(self) -> bool:
        """Whether it has no memory yet: what it holds repeats one number."""
        array = self._array
        return isinstance(array, np.ndarray) and array.size > 1 and not any(array.strides)

    def store(self, array: jax.Array) -> None:
        """Hold the result of a program that wrote this variable."""
        self._array = array

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Give the variable a new value, here and now or, in a program, when it has run.

        Given a symbolic tensor, or while an optimizer's `get_updates` describes a step, it makes an operation of it.

        Raises:
            ValueError: if the shape differs.
        """
        opened = scope.current()
        if opened is not None:
            opened.write(self, jnp.asarray(value, self.dtype))
            return self
        record = _recorder(value)
        return self.replace(value) if record is None else record(self, _second, value)

    def replace(self, value: Any) -> Any:
        """Give the variable a new value here and now.

        Raises:
            ValueError: if the shape differs.
        """
        array = np.array(value, self.dtype)
        if array.shape != tuple(self.shape):
            raise ValueError(
                f"Cannot assign a value of shape {array.shape} to variable '{self.name}' of shape {tuple(self.shape)}."
            )
        self._array = array
        return self

    def hold(self, array: np.ndarray) -> None:
        """Take an array of the variable's shape, which nobody else will write to, without copying it."""
        self._array = np.asarray(array, self.dtype)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add `value` to the variable, as `assign` does."""
        record = _recorder(value)
        if record is not None:
            return record(self, operators.add, value)
        return self.assign(self.value + jnp.asarray(value, self.dtype))

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract `value` from the variable, as `assign` does."""
        record = _recorder(value)
        if record is not None:
            return record(self, operators.subtract, value)
        return self.assign(self.value - jnp.asarray(value, self.dtype))

    @property
    def size(self) -> int:
        """Number of its elements."""
        return int(np.prod(self._array.shape))

    def numpy(self) -> np.ndarray:
        """A copy of its value."""
        return np.array(self.stored)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def _keras_shape(self) -> tuple[Dim, ...]:
        return tuple(self.shape)

    def get_shape(self) -> Shape:
        """The shape, as TensorFlow 1 spelled it."""
        return self.shape

    @property
    def __jax_array__(self) -> Callable[[], Any]:
        # Outside of a program JAX must leave `array * variable` to us, or it would keep today's value as a constant.
        if scope.current() is None:
            raise AttributeError(f"{self!r} is not an array here. `K.get_value` gives its value.")
        return lambda: self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.stored, dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} is a scalar and has no length.")
        return int(self.stored.shape[0])

    def __iter__(self) -> Any:
        rows: Any = self
        return (rows[i] for i in range(len(self)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copied = Variable(self.numpy(), self.dtype, self.name, self.trainable, self.constraint)
        memo[id(self)] = copied
        return copied

    def __getstate__(self) -> dict[str, Any]:
        kept = {key: value for key, value in self.__dict__.items() if key != "draw"}
        return {**kept, "_array": self.numpy()}

    def __repr__(self) -> str:
        return f"<kjax.Variable '{self.name}' shape={tuple(self.shape)} dtype={self.dtype.name}>"


# Makes an operation of a write: given by the backend, as it makes a node.
write_later: scope.Recorder | None = None


def _recorder(value: Any) -> scope.Recorder | None:
    """What makes an operation of writing `value`, or None where it is written at once."""
    later = scope.current() is None and isinstance(value, Tensor) and not value.known
    return scope.recorder() or (write_later if later else None)


def _second(old: Any, new: Any) -> Any:
    return jnp.asarray(new)
