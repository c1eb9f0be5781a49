"""TensorFlow 1's variables: without a value until their initializer runs, and changed by operations of the graph."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kjax._core import graph, operators, scope
from kjax._core.tensors import Shape
from kjax._core.tensors import Variable as CoreVariable
from kjax.backend._ops import array, device_dtype
from kjax.compat.tensorflow import _graph
from kjax.compat.tensorflow._arguments import convert
from kjax.compat.tensorflow._fetches import HostTensor
from kjax.compat.tensorflow._graph import GraphKeys, Operation, node
from kjax.compat.tensorflow.errors import FailedPreconditionError


class Variable(CoreVariable):
    """A variable that takes its first value when its initializer runs.

    Arguments:
        initial_value: tensor, array or number; or a function without arguments that returns one.
        trainable: whether `Optimizer.minimize` changes it unless it is told what to change.
        collections: names of the collections to which it is added; that of all variables if None.
        name: its name; `Variable`, counted up, if None.
        dtype: its type; that of the initial value if None.
        constraint: function applied to its value after each step of an optimizer, or None.
        validate_shape, caching_device, variable_def, expected_shape, import_scope: accepted, not used.

    Raises:
        ValueError: without an initial value.
    """

    _is_weight = False  # of a layer

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        collections: Sequence[str] | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        self.graph = default = _graph.get_default_graph()
        unique = default.unique_name(name or "Variable")
        with scope.suspended(), default.name_scope(unique + "/"), default.control_dependencies(None):
            if callable(initial_value):
                initial_value = node("initial_value", _graph.draws(_called(initial_value)))
            first = convert(initial_value, dtype, "initial_value")
            self.initial_value: Any = first
            self.name = f"{unique}:0"
            self.trainable = trainable is not False
            self.constraint = constraint
            self.dtype = jnp.dtype(device_dtype(first.dtype))
            self.shape = Shape(first.shape)
            self.mask = None
            self._array = None
            default.names[unique] = [self]
            self.initializer = write("Assign", self, _second, first, reads=False).op
        for key in [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections:
            default.add_to_collection(key, self)
        if self.trainable and (collections is None or GraphKeys.GLOBAL_VARIABLES in collections):
            default.add_to_collection(GraphKeys.TRAINABLE_VARIABLES, self)

    @property
    def stored(self) -> jax.Array:
        """The array that the variable holds. A model of Keras gives it its first value, if nothing has yet."""
        if self._array is None:
            with scope.suspended(), jax.ensure_compile_time_eval():
                self._array = np.asarray(self.initial_value)
        return super().stored

    def becomes_weight(self) -> bool:
        """As TensorFlow 2 has it. Keras's own session initializes weights when it needs them."""
        self._is_weight = True
        return True

    @property
    def op(self) -> Operation:
        """The variable as an operation, for its name."""
        return Operation(self.graph, self.name.partition(":")[0], "VariableV2", [], [self])

    @property
    def initialized(self) -> bool:
        return self._is_weight or self._array is not None

    @property
    def size(self) -> int:
        return math.prod(d or 0 for d in self.shape)

    def initialized_value(self) -> Any:
        """Its initial value, for the initial values of other variables."""
        return self.initial_value

    def read_value(self) -> Any:
        """Its value as a tensor, read after what the open `control_dependencies` wait for."""
        return node("read", array, self)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """An operation that gives it a new value, which it returns."""
        return super().assign(value) if scope.current() is not None else assign(self, value, name=name)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """An operation that adds to it."""
        return super().assign_add(value) if scope.current() is not None else assign_add(self, value, name=name)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """An operation that subtracts from it."""
        return super().assign_sub(value) if scope.current() is not None else assign_sub(self, value, name=name)

    def load(self, value: Any, session: Any = None) -> None:
        """Give it a value here and now."""
        _graph._session_for(session, "Variable").activate()
        held = np.array(value, self.dtype)
        if held.shape != tuple(self.shape):
            raise ValueError(f"Cannot load a value of shape {held.shape} into variable '{self.name}' of {self.shape}.")
        self._array = held

    def eval(self, session: Any = None) -> Any:
        """Its value in the session, or in the default one."""
        return _graph._session_for(session, "Variable").run(self)

    def numpy(self) -> np.ndarray:
        """A copy of its value; of its initial value where no session has initialized it."""
        return np.array(self.initial_value) if self._array is None else super().numpy()

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={tuple(self.shape)} dtype={self.dtype.name}>"


def uninitialized(variable: Any) -> FailedPreconditionError:
    """The error for reading a variable that has no value."""
    name = variable.name.partition(":")[0]
    return FailedPreconditionError(
        None,
        variable.op,
        f"Attempting to use uninitialized value {name}. "
        "Run `tf.global_variables_initializer()` in this session, or restore it, before.",
    )


def _called(function: Callable[[], Any]) -> Callable[[], Any]:
    def initial_value() -> Any:
        return array(function())

    return initial_value


# -- operations that change variables ----------------------------------------------------------------------------------


def write(
    kind: str,
    variable: Any,
    combine: Callable[..., Any],
    *operands: Any,
    reads: bool = True,
    name: str | None = None,
) -> Any:
    """A node that writes `combine(old value, *operands)` to a variable, and returns it.

    Other operations of the same run keep reading the old value, in whatever order they run, unless they wait for it.
    """

    def run(*operands: Any) -> Any:
        opened = scope.current()
        assert opened is not None, "a graph is evaluated in a scope"
        old = opened.updates.get(variable)
        if old is None:
            old = opened.read(variable) if reads else None
        new = jnp.asarray(combine(old, *operands), variable.dtype)
        if not opened.frozen:
            opened.updates[variable] = new
        return new

    default = _graph.get_default_graph()
    built = graph.make_node(run, operands, {}, name=kind)
    _graph.finish(built, default.unique_name(name or kind), kind)
    built.writes = (variable,)
    built.reads = (variable,) if reads else ()
    for output in built.outputs:
        output.known = False  # computing it has an effect
    return built.result


def _second(old: Any, new: Any) -> Any:
    return array(new)


def assign(
    ref: Any, value: Any, validate_shape: bool = True, use_locking: bool = False, name: str | None = None
) -> Any:
    """An operation that gives a variable a new value, and returns it.

    Raises:
        ValueError: if the shapes differ.
    """
    value = convert(value, ref.dtype, "value")
    _check_shapes(ref, value, exact=validate_shape)
    return write("Assign", ref, _second, value, reads=False, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """An operation that adds to a variable, and returns its new value."""
    value = convert(value, ref.dtype, "value")
    return write("AssignAdd", ref, operators.add, value, name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """An operation that subtracts from a variable, and returns its new value."""
    value = convert(value, ref.dtype, "value")
    return write("AssignSub", ref, operators.subtract, value, name=name)


def _check_shapes(ref: Any, value: Any, exact: bool) -> None:
    fits = len(ref.shape) == len(value.shape) and all(
        a == b or None in (a, b) for a, b in zip(ref.shape, value.shape, strict=True)
    )
    if exact and not fits:
        raise ValueError(
            f"Dimension 0 in both shapes must be equal, but are {tuple(ref.shape)} and {tuple(value.shape)}: "
            f"a value of shape {tuple(value.shape)} cannot be assigned to variable '{ref.name}'."
        )


# -- all variables of a graph ------------------------------------------------------------------------------------------


def global_variables(scope: str | None = None) -> list[Any]:
    """All variables of the default graph, in the order in which they were made."""
    return _graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """Those that optimizers change."""
    return _graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    """Those of the collection of local variables."""
    return _graph.get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def variables_initializer(var_list: Sequence[Any], name: str = "init") -> Operation:
    """An operation that gives these variables their initial values, drawn anew each time it runs."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_graph.get_default_graph().control_dependencies(None))
        return _graph.group(*(v.initializer for v in var_list if isinstance(v, Variable)), name=name)


def global_variables_initializer() -> Operation:
    """An operation that initializes all variables that have been made so far."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An operation that initializes all local variables."""
    return variables_initializer(local_variables(), "init_local")


def is_variable_initialized(variable: Any) -> HostTensor:
    """Whether a variable has a value when it is asked."""
    return HostTensor("IsVariableInitialized", [], lambda: np.bool_(variable.initialized))


def report_uninitialized_variables(var_list: Sequence[Any] | None = None, name: str | None = None) -> HostTensor:
    """The names of the variables that have no value when it is asked."""
    listed = list(var_list) if var_list is not None else [*global_variables(), *local_variables()]

    def names() -> np.ndarray:
        found = [v.name.partition(":")[0].encode() for v in listed if not v.initialized]
        return np.array(found, object)

    return HostTensor("report_uninitialized_variables", [], names, name)


initialize_all_variables = global_variables_initializer
initialize_variables = variables_initializer
initialize_local_variables = local_variables_initializer
all_variables = global_variables

__all__ = [
    "Variable",
    "all_variables",
    "assign",
    "assign_add",
    "assign_sub",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
    "is_variable_initialized",
    "local_variables",
    "local_variables_initializer",
    "report_uninitialized_variables",
    "trainable_variables",
    "variables_initializer",
]
